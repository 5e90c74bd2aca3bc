"""Columns of a test that was done again, beside those of the first time: `KTW L`, `KTW re-test L`.

With a date of their own they are a later visit. Without one nobody knows of which day they are: in
a sheet with a date of screening they are left out with the reason, and where no date stands at all
it is asked, once for each pair, whether the later value counts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.columns.column_names import (
    LONGEST_NAME,
    Named,
    beside_its_other,
    read_name,
)
from kneerisk.cohort.sheets.columns.own_legs import own_legs_of
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    NO_NAME,
    TidyColumn,
    TidyRow,
    TidyTable,
    refuse_too_large,
)
from kneerisk.cohort.sheets.lexicon.languages import heading_languages
from kneerisk.cohort.sheets.lexicon.leg_words import codes_of
from kneerisk.cohort.sheets.lexicon.visit_words import NamedVisit, visit_named
from kneerisk.cohort.sheets.lexicon.vocabulary import DATE, leg_names
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text

#: A name this alike is likely a measure's (as in `questions`).
_LIKELY = 0.8

Key = tuple[str, Any]
"""What a column means, and of which leg."""


class _Again(NamedTuple):
    """The columns of two visits, by what they mean."""

    first: dict[Key, int]
    later: dict[Key, int]
    named: Mapping[int, Named]
    """What the columns with a word for a visit mean without it."""


def with_visits(tidy: TidyTable, layout: str | None = None) -> TidyTable:
    """A table in which tests that were done again are visits of their own, or told.

    Parameters
    ----------
    tidy
        One row for each athlete and date; it is changed in place.
    layout
        What a table is called of which nothing else was to be said; None leaves it.

    Returns
    -------
    TidyTable
        The same table.
    """
    again = _again(tidy)
    if not again.later:
        return tidy
    tidy.layout = layout or tidy.layout
    has_day = _day(again.first)
    if has_day and _day(again.later):
        _as_visits(tidy, again)
    else:
        _told(tidy, again, has_day=has_day)
    return tidy


def _day(columns: Mapping[Key, int]) -> bool:
    return (DATE, None) in columns


def _again(tidy: TidyTable) -> _Again:
    visits = {at: visit for at, column in enumerate(tidy.columns)
              if column.question is None and (visit := visit_named(column.name))}  # fmt: skip
    named = _named(visits, tidy)
    first: dict[Key, int] = {}
    later: dict[Key, int] = {}
    for at, column in enumerate(tidy.columns):
        key = _key(named.get(at, column.named))
        if key is not None:
            of = later if at in named and visits[at].visit == "later" else first
            of.setdefault(key, at)
    # The day alone is no test that was done again.
    if not set(later) - {(DATE, None)}:
        later = {}
    return _Again(first, later, named)


def _named(visits: Mapping[int, NamedVisit], tidy: TidyTable) -> dict[int, Named]:
    rests = {at: visit.rest[:LONGEST_NAME] for at, visit in visits.items() if visit.rest}
    short = list(rests.values())
    languages = heading_languages(column.name[:LONGEST_NAME] for column in tidy.columns)
    readings = [
        beside_its_other(rest, leg) or read_name(rest, code)
        for rest, code, leg in zip(
            short, codes_of(short, languages), own_legs_of(short), strict=True
        )
    ]
    return {at: reading for at, reading in zip(rests, readings, strict=True) if _key(reading)}


def _key(named: Named) -> Key | None:
    match = named.matches[0] if named.matches else None
    if match is None or match.likeness < _LIKELY:
        return None
    if match.means == DATE:
        return DATE, None
    is_leg = match.means in leg_names()
    return (match.means, named.side or named.own_leg) if is_leg else None


def _as_visits(tidy: TidyTable, again: _Again) -> None:
    """A row for each visit of an athlete, with what was measured then."""
    dropped = {at for key, at in again.later.items() if key in again.first}
    kept = [at for at in range(len(tidy.columns)) if at not in dropped]
    of_first = set(again.first.values())
    later_of = {again.first.get(key, at): at for key, at in again.later.items()}
    rows: list[TidyRow] = []
    undated: set[int] = set()
    for row in tidy.rows:
        places = [at if at not in later_of or at in of_first else None for at in kept]
        rows.append(_taken(row, places))
        later = [later_of.get(at, None if at in of_first else at) for at in kept]
        measured = [at for key, at in again.later.items() if key != (DATE, None)]
        filled = [at for at in measured if not is_missing(row.cells[at])]
        if filled and not is_missing(row.cells[again.later[DATE, None]]):
            rows.append(_taken(row, later))
        else:
            undated.update(line for at in filled for line in row.sources[at])
        refuse_too_large(len(kept), len(rows))
    tidy.rows[:] = rows
    tidy.columns[:] = [_column(tidy.columns[at], again.named.get(at)) for at in kept]
    tidy.notes.append(SheetNote(code="visits", message=text("sheet.note.visits")))
    if undated:
        message = text("sheet.note.visits_undated")
        tidy.notes.append(SheetNote(code="visits_undated", message=message, lines=sorted(undated)))


def _taken(row: TidyRow, places: list[int | None]) -> TidyRow:
    return TidyRow(
        ["" if at is None else row.cells[at] for at in places],
        [() if at is None else row.sources[at] for at in places],
    )


def _column(column: TidyColumn, named: Named | None) -> TidyColumn:
    return column if named is None else column._replace(named=named)


def _told(tidy: TidyTable, again: _Again, *, has_day: bool) -> None:
    """Tests that were done again on a day that nothing tells."""
    for at, column in enumerate(tidy.columns):
        tidy.columns[at] = _column(column, again.named.get(at))
    for key, at in again.later.items():
        column = tidy.columns[at]
        if key == (DATE, None) or key not in again.first:
            continue
        first = repr(tidy.columns[again.first[key]].name)
        if has_day:
            why = text("sheet.test.no_day", first=first)
            tidy.columns[at] = TidyColumn(column.name, NO_NAME, why)
        else:
            asked = text("sheet.test.later_asked", name=repr(column.name), first=first)
            tidy.columns[at] = column._replace(question=asked)
