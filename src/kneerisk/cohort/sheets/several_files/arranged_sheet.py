"""The one table that files and worksheets were put together to, and where its cells stood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyColumn
from kneerisk.cohort.sheets.file_parts import SheetPart, SheetUnmatched
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.lexicon.languages import heading_languages
from kneerisk.cohort.sheets.rows.headings import Heading
from kneerisk.cohort.sheets.several_files.parts_of_squad import Part
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text, variant

#: So many rows of a source are named (assumption: more help nobody).
_MOST_ROWS = 6
#: The line of the names; the rows follow.
_NAMES_LINE = 1


class Origin(NamedTuple):
    """Where a cell of an arranged table stood."""

    part: int
    lines: tuple[int, ...]


class ArrangedSheet(NamedTuple):
    """A table that was put together, and where everything in it stood."""

    lines: Lines
    heading: Heading
    columns: tuple[TidyColumn, ...]
    origins: list[list[Origin | None]]
    """Of each row, of each cell."""
    parts: list[SheetPart]
    unmatched: list[SheetUnmatched]
    notes: list[SheetNote]
    places: set[str]
    """Every row of several files that a person may name in `same_athletes`."""
    shown: dict[Origin, str]
    """The places that were put into words: many cells share one."""

    @property
    def is_of_several(self) -> bool:
        """Whether it was put together from several files or worksheets."""
        return len({(part.file, part.sheet) for part in self.parts}) > 1

    def source(self, line: int, at: int) -> str | None:
        """Where a cell stood, for people: `knee.csv, rows 2 and 5`."""
        origins = self._origins(line)
        origin = origins[at] if at < len(origins) else None
        return self._shown(origin) if origin and origin.lines else None

    def row_sources(self, line: int) -> list[str]:
        """Every place that a row was put together from."""
        by_part: dict[int, set[int]] = {}
        for origin in self._origins(line):
            if origin:
                by_part.setdefault(origin.part, set()).update(origin.lines)
        return [self._shown(Origin(part, tuple(sorted(own)))) for part, own in by_part.items()]

    def _origins(self, line: int) -> list[Origin | None]:
        at = line - _NAMES_LINE - 1
        return self.origins[at] if 0 <= at < len(self.origins) else []

    def _shown(self, origin: Origin) -> str:
        shown = self.shown.get(origin)
        if shown is None:
            part = self.parts[origin.part]
            name = part.sheet or part.file
            if part.sheet and part.file and len({one.file for one in self.parts}) > 1:
                name = text("sheet.source.worksheet", file=part.file, sheet=part.sheet)
            rows = rows_named(origin.lines)
            shown = text("sheet.source.rows", name=name, rows=rows) if name else rows
            self.shown[origin] = shown
        return shown


def rows_named(lines: Sequence[int]) -> str:
    """Rows of a file for people: `rows 2, 5`."""
    shown = ", ".join(map(str, lines[:_MOST_ROWS])) + (", ..." if len(lines) > _MOST_ROWS else "")
    return variant("sheet.source.of_file", "row" if len(lines) == 1 else "rows", rows=shown)


def arranged(
    columns: Sequence[TidyColumn],
    rows: Sequence[list[object]],
    origins: list[list[Origin | None]],
    parts: list[SheetPart],
    unmatched: list[SheetUnmatched],
    notes: list[SheetNote],
    places: set[str],
) -> ArrangedSheet:
    """The table as numbered lines with its names in the first one.

    Parameters
    ----------
    columns
        Its columns.
    rows
        Its rows.
    origins
        Where each of their cells stood.
    parts
        The files and worksheets.
    unmatched
        Rows that no row of another file belongs to.
    notes
        What was done.
    places
        Every row that a person may name.

    Returns
    -------
    ArrangedSheet
        The table.
    """
    names = [column.name for column in columns]
    lines: Lines = [(_NAMES_LINE, list(names))]
    lines += [(at, list(row)) for at, row in enumerate(rows, start=_NAMES_LINE + 1)]
    meanings = [column.named for column in columns]
    heading = Heading(
        names, meanings, [_NAMES_LINE], heading_languages(name[:LONGEST_NAME] for name in names)
    )
    return ArrangedSheet(
        lines, heading, tuple(columns), origins, parts, unmatched, notes, places, {}
    )


def notes_of(parts: Sequence[Part]) -> list[SheetNote]:
    """What was done with each of several tables, with its name."""
    return [placed(note, p.sheet or p.file) for p in parts for note in p.tidy.notes]


def of_others(names: Sequence[str]) -> list[SheetNote]:
    """Worksheets that belong to none of the tables."""
    listed = ", ".join(repr(name) for name in names)
    message = text("sheet.note.other_worksheets", names=listed)
    return [SheetNote(code="other_worksheets", message=message)] if names else []


def described(part: Part) -> SheetPart:
    """What a file or worksheet was recognised as."""
    rows = {line for row in part.tidy.rows for lines in row.sources for line in lines}
    return SheetPart(
        file=part.file, sheet=part.sheet, layout=part.tidy.layout, rows=max(len(rows), 0)
    )


def placed(note: SheetNote, name: str | None = None) -> SheetNote:
    """A note whose rows are those of a file, which are not those of the table."""
    where = [name, rows_named(note.lines) if note.lines else None]
    told = ", ".join(filter(None, where))
    message = text("sheet.note.placed", where=told, message=note.message) if told else note.message
    return SheetNote(code=note.code, message=message, places=note.places)
