"""How tests were done, as columns of their own: a screening has one mode of a test.

What was measured in another mode is left out of its row, since the two can't be compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    TidyColumn,
    TidyRow,
    TidyTable,
    certain,
)
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.vocabulary import answers
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.schema import columns
from kneerisk.words import text

#: Of modes that measured as much, the one with more behind it comes first: one device at one speed
#: tests both muscles alike (assumption).
_FIRST = ("isokinetic_60", "isometric_90", "isometric", "eccentric")


def with_protocols(tidy: TidyTable) -> TidyTable:
    """A table with a column for the mode of its tests, where the tests tell it.

    Parameters
    ----------
    tidy
        The table; cells of another mode are taken out of it.

    Returns
    -------
    TidyTable
        The same table.
    """
    for name in dict.fromkeys(name for c in tidy.columns for name, _ in c.protocol):
        modes = {at: dict(c.protocol)[name] for at, c in enumerate(tidy.columns)
                 if name in dict(c.protocol) and c.named.matches}  # fmt: skip
        if modes:
            _add(tidy, name, modes)
    return tidy


def _add(tidy: TidyTable, name: str, modes: dict[int, str]) -> None:
    stated = _stated_in(tidy, name)
    blanked: dict[str, set[int]] = defaultdict(set)
    for row in tidy.rows:
        by_mode = Counter(modes[at] for at in modes if not is_missing(row.cells[at]))
        own = answers(name).get(fold(str(row.cells[stated]))) if stated is not None else None
        kept = own or _most(by_mode)
        for at, mode in modes.items():
            if mode != kept and not is_missing(row.cells[at]):
                blanked[tidy.columns[at].name].update(row.sources[at])
                row.cells[at], row.sources[at] = "", ()
        _state(row, stated, kept)
    if stated is None:
        why = text("sheet.test.mode_told", label=repr(columns()[name].label))
        tidy.columns.append(TidyColumn(columns()[name].label, certain(name), why))
    for column, lines in blanked.items():
        message = text("sheet.note.other_mode", column=repr(column))
        tidy.notes.append(SheetNote(code="other_mode", message=message, lines=sorted(lines)))


def _stated_in(tidy: TidyTable, name: str) -> int | None:
    """The column of the file's own that tells the mode."""
    named = (at for at, c in enumerate(tidy.columns)
             if c.named.matches and c.named.matches[0][:2] == (name, 1.0))  # fmt: skip
    return next(named, None)


def _most(by_mode: Counter[str]) -> str | None:
    order = [*_FIRST, *by_mode]
    return min(by_mode, key=lambda mode: (-by_mode[mode], order.index(mode)), default=None)


def _state(row: TidyRow, stated: int | None, kept: str | None) -> None:
    if stated is None:
        row.cells.append(kept or "")
        row.sources.append(())
    elif is_missing(row.cells[stated]):
        row.cells[stated] = kept or ""
