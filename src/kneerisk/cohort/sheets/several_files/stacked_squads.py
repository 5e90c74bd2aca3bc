"""Worksheets or files of different squads with the same columns, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from kneerisk.cohort.sheets.device_exports.legs_by_athlete import with_legs_told
from kneerisk.cohort.sheets.device_exports.test_protocols import with_protocols
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyRow, TidyTable, refuse_too_large
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.several_files.arranged_sheet import (
    ArrangedSheet,
    Origin,
    arranged,
    described,
    notes_of,
    of_others,
)
from kneerisk.cohort.sheets.several_files.parts_of_squad import Part
from kneerisk.cohort.sheets.several_files.same_athlete import who_in
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text

#: Fewer columns with a name are alike by chance (assumption).
_LEAST_COLUMNS = 3


def are_squads(parts: Sequence[Part]) -> bool:
    """Whether tables have the same columns and next to no athlete in common.

    Parameters
    ----------
    parts
        The tables.

    Returns
    -------
    bool
        False too where a table names nobody. An athlete of two squads stays one: their rows are
        held against each other as those of one table are.
    """
    if len(parts) < 2:
        return False
    names = [_names(part) for part in parts]
    is_alike = len(names[0]) >= _LEAST_COLUMNS and all(own == names[0] for own in names)
    if not is_alike or any(_titled_apart(part) for part in parts):
        return False
    known: set[str] = set()
    for part in parts:
        own = {key for who in who_in(part, None) for key in who.ids | who.names}
        if not own or 2 * len(own & known) >= min(len(own), len(known) or len(own) + 1):
            return False
        known |= own
    return True


def _names(part: Part) -> list[str]:
    return sorted(fold(column.name) for column in part.tidy.columns if column.name)


def _titled_apart(part: Part) -> bool:
    """Whether two columns have one name, so that they can't be found by it."""
    return len(set(_names(part))) < len(_names(part)) or any(
        not column.name for column in part.tidy.columns
    )


def _stacked(parts: Sequence[Part]) -> tuple[TidyTable, list[list[Origin | None]]]:
    """One table with the columns of the first squad, and where each cell stood."""
    columns = parts[0].tidy.columns
    rows: list[TidyRow] = []
    of_part: list[int] = []
    for number, part in enumerate(parts):
        places = {fold(column.name): at for at, column in enumerate(part.tidy.columns)}
        order = [places[fold(column.name)] for column in columns]
        refuse_too_large(len(columns), len(rows) + len(part.tidy.rows))
        for row in part.tidy.rows:
            rows.append(TidyRow([row.cells[at] for at in order], [row.sources[at] for at in order]))
            of_part.append(number)
    note = SheetNote(code="stacked", message=text("sheet.note.stacked", count=len(parts)))
    tidy = with_protocols(with_legs_told(TidyTable("", list(columns), rows, [note])))
    origins = [
        [Origin(number, lines) if lines else None for lines in row.sources]
        for number, row in zip(of_part, tidy.rows, strict=True)
    ]
    return tidy, origins


def of_squads(parts: Sequence[Part], others: Sequence[str]) -> ArrangedSheet:
    """Squads as one table, one below the other.

    Parameters
    ----------
    parts
        Their tables (`are_squads`).
    others
        The worksheets that belong to none of them.

    Returns
    -------
    ArrangedSheet
        The table.
    """
    tidy, origins = _stacked(parts)
    notes = [*tidy.notes, *notes_of(parts), *of_others(others)]
    rows = [row.cells for row in tidy.rows]
    return arranged(tidy.columns, rows, origins, list(map(described, parts)), [], notes, set())
