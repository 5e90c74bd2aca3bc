"""A table with one row for each athlete and date, and where each of its values stood.

Whatever a file looks like (a row for each test, a date in each heading, several worksheets), it
becomes such a table, and the ordinary reader recognises, asks about and reads its columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing, number_shown
from kneerisk.cohort.sheets.cells.decimal_marks import Marks, decimal_commas, numbers_with_marks
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.files.sheet_limits import RECOGNISED, too_much
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.vocabulary import unsided
from kneerisk.cohort.sheets.rows.headings import Heading, Table
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.schema import Quantity

#: What is left of a date and time is the day: `2025-01-10T12:14:33.835Z`, `6/8/2026 10:12 AM`.
_TIME = re.compile(r"(?:T|,?\s+)\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*"
                   r"(?:Z|UTC|[+-]\d\d:?\d\d)?$")  # fmt: skip
#: No date with its time is longer (assumption: the longest with a zone has 40 characters).
_LONGEST_TIME = 60
#: How a protocol says that of several trials the greatest counts, or their mean.
_BEST = re.compile(r"\b(?:best of|greatest|peak)\b", re.IGNORECASE)

NO_NAME = Named((), None, None)


class TidyColumn(NamedTuple):
    """A column of a tidy table: its name for people, and what is known of it beforehand."""

    name: str
    named: Named = NO_NAME
    """What it means; without a match it is left out."""
    why: str | None = None
    """Why it means that, or is left out, for people."""
    question: str | None = None
    """What has to be answered before it is used; the answers are to use it or to leave it out."""
    protocol: tuple[tuple[str, str], ...] = ()
    """What the test says of how it was done, such as `("torque_mode", "isometric")`."""
    other_units: tuple[str, ...] = ()
    """Units that it may be in besides, where that is asked."""
    order_is_open: bool = False
    """Of dates: whether the day or the month comes first has to be asked."""


@dataclass(slots=True)
class TidyRow:
    """One athlete at one date."""

    cells: list[Any]
    sources: list[tuple[int, ...]]
    """The lines that each cell was read from; none where nothing was."""


@dataclass(slots=True)
class TidyTable:
    """One row for each athlete and date."""

    layout: str
    """What the file was recognised as, for people."""
    columns: list[TidyColumn]
    rows: list[TidyRow]
    notes: list[SheetNote] = field(default_factory=list)


class Trial(NamedTuple):
    """One of the entries that belong into one cell, and its line."""

    cell: Any
    line: int


def day_of(cell: Any) -> Any:
    """A date and time as its day; anything else as it is."""
    if isinstance(cell, datetime):
        return cell.date()
    is_short = isinstance(cell, str) and len(cell) <= _LONGEST_TIME
    return _TIME.sub("", cell.strip()) if is_short else cell


def certain(means: str) -> Named:
    """The meaning of a column that is no leg's, beyond doubt."""
    return Named((Match(means, 1.0),), None, None)


def measure_of(named: Named) -> Quantity | None:
    """The quantity that a column most likely holds."""
    measure = unsided().get(named.matches[0].means) if named.matches else None
    return measure if isinstance(measure, Quantity) else None


def takes_best(measure: Quantity | None) -> bool:
    """Whether the greatest of several trials counts, by the measure's protocol; else their mean.

    A protocol that names neither gets the mean, which errs less (assumption).
    """
    return measure is not None and bool(_BEST.search(measure.protocol))


def has_commas(columns: Sequence[Sequence[Any]]) -> list[bool]:
    """Whether each of some columns has decimal commas; one that doesn't say is as most are."""
    surplus = [decimal_commas(numbers_with_marks(cells)) for cells in columns]
    mostly = sum(surplus) > 0
    return [own > 0 or (own == 0 and mostly) for own in surplus]


def one_of(trials: Sequence[Trial], named: Named, *, commas: bool) -> tuple[Any, tuple[int, ...]]:
    """The entry that stands for several trials of one test on one day.

    Parameters
    ----------
    trials
        Every entry with its line; words for "not recorded" count for nothing.
    named
        What the column means, and so whether the best or the mean counts.
    commas
        Whether decimals are written with a comma.

    Returns
    -------
    tuple
        The entry as it stands where there is one, else the best or the mean; and the lines that it
        was read from. Entries that are no number count only where all are such.
    """
    filled = [trial for trial in trials if not is_missing(trial.cell)]
    if len({as_text(trial.cell) for trial in filled}) <= 1:
        kept = filled[:1] or list(trials[:1])
        return (kept[0].cell if kept else ""), tuple(sorted({t.line for t in filled or kept}))
    numbers = [(number_shown(trial.cell, Marks(commas)), trial.line) for trial in filled]
    read = [(number, line) for number, line in numbers if number is not None]
    if not read:
        return filled[0].cell, (filled[0].line,)
    if takes_best(measure_of(named)):
        return max(number for number, _ in read), tuple(sorted({line for _, line in read}))
    return fmean(number for number, _ in read), tuple(sorted({line for _, line in read}))


def refuse_too_large(columns: int, rows: int) -> None:
    """Refuse a table of more than a sheet may have.

    Parameters
    ----------
    columns
        So many columns it would have.
    rows
        So many rows.

    Raises
    ------
    CohortRefused
        Where that is too much.
    """
    if columns > RECOGNISED.columns:
        raise too_much("columns", RECOGNISED.columns)
    if rows >= RECOGNISED.lines:
        raise too_much("lines", RECOGNISED.lines)
    if columns * rows > RECOGNISED.cells:
        raise too_much("cells", RECOGNISED.cells)


def untouched(heading: Heading, table: Table, layout: str) -> TidyTable:
    """A table that has one row for each athlete and date already.

    Parameters
    ----------
    heading
        The names of its columns.
    table
        Its rows.
    layout
        What it is, for people.

    Returns
    -------
    TidyTable
        The same rows.
    """
    columns = [TidyColumn(*pair) for pair in zip(heading.names, heading.meanings, strict=True)]
    rows = [
        TidyRow(list(cells), [(line,) if cell != "" else () for cell in cells])
        for line, cells in zip(table.lines, table.rows, strict=True)
    ]
    return TidyTable(layout, columns, rows)


def is_word(cell: Any) -> bool:
    """Whether a cell is no number, or a yes or no."""
    number = number_shown(cell, Marks(commas=False))
    return number is None or number in {0, 1}
