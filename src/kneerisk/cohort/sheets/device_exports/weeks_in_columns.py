"""Headings that hold the number of a week: `Week 1 km`, `KW 12`, `semaine 3 (km)`.

They are one thing, the load of an athlete: the mean of the last four weeks counts. Weeks of
the calendar count only where they are before the screening, as days of a training log do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from statistics import fmean
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_dates import date_forms, parse_day
from kneerisk.cohort.sheets.cells.cell_text import is_missing, number_shown
from kneerisk.cohort.sheets.cells.decimal_marks import Marks
from kneerisk.cohort.sheets.columns.agreement import EXACT
from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, Named, read_name
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    TidyColumn,
    TidyRow,
    TidyTable,
    has_commas,
    measure_of,
)
from kneerisk.cohort.sheets.lexicon.folded_text import fold, spaced
from kneerisk.cohort.sheets.lexicon.languages import (
    ENGLISH,
    entries,
    heading_languages,
    tables,
    without_mark,
)
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.units import unit_of
from kneerisk.cohort.sheets.lexicon.vocabulary import DATE
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text

#: The measures of a week (the protocol of running: the mean of the last four).
_OF_WEEKS = frozenset({"weekly_run_km", "training_hours_per_week", "resistance_sessions_per_week"})
_WEEKS = 4
#: A name this alike is likely a measure's (as in `questions`).
_LIKELY = 0.8
#: A calendar week this long before a screening is one of the past, more is one to come (assumption:
#: half a year, since the heading names no year).
_MOST_WEEKS_BEFORE, _WEEKS_A_YEAR = 26, 52


class _Week(NamedTuple):
    """One heading: the number of its week, and what is left of it."""

    number: int
    word: str
    rest: str


@dataclass(frozen=True, slots=True)
class _Series:
    """The columns of one load, week by week, in their order."""

    places: tuple[int, ...]
    numbers: tuple[int, ...]
    is_calendar: bool
    named: Named
    is_asked: bool
    """Whether the headings do not say what was counted."""

    @property
    def is_plain(self) -> bool:
        """Whether the later weeks stand further right, or all of them count anyway."""
        steps = list(zip(self.numbers, self.numbers[1:], strict=False))
        rises = all(later - earlier == 1 or (earlier >= _WEEKS_A_YEAR and later == 1)
                    for earlier, later in steps)  # fmt: skip
        return rises or (len(self.places) <= _WEEKS and not self.is_calendar)


def with_weeks(tidy: TidyTable, layout: str | None = None) -> TidyTable:
    """A table in which the weeks of one load are one column.

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
    for series in _series(tidy.columns):
        _merge(tidy, series)
        tidy.layout = layout or tidy.layout
    return tidy


@cache
def _pattern() -> re.Pattern[str]:
    """The number of a week behind its word, or in front of it with a mark: `12. Woche`."""
    words = {fold(word): enough for key in (("week", ""), ("week", "calendar"))
             for word, enough in entries()[key].items()}  # fmt: skip
    either = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(
        rf"(?<![^\W_])(?:(?P<word>{either})\.?[\s\-#:]*(?:n[ro°º]?\.?\s*)?(?P<number>\d{{1,2}})"
        rf"|(?P<before>\d{{1,2}})(?:\.|ª|º|°|e|è|ème|ere|st|nd|rd|th|:a|:e)\s*(?P<after>{either}))"
        r"(?![\d.,]\d|\w)"
    )


@cache
def _words(choice: str) -> Mapping[str, bool]:
    return {fold(word): enough for word, enough in entries()["week", choice].items()}


def _week(name: str) -> _Week | None:
    if len(name) > LONGEST_NAME:
        return None
    plain = fold(spaced(name))
    match = _pattern().search(plain)
    if match is None:
        return None
    word = match["word"] or match["after"]
    rest = " ".join(f"{plain[: match.start()]} {plain[match.end() :]}".split()).strip(" -,;:/")
    return _Week(int(match["number"] or match["before"]), word, rest)


def _series(columns: Sequence[TidyColumn]) -> list[_Series]:
    """The columns of one load with different weeks, two at least."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    weeks = [_week(column.name) for column in columns]
    for at, week in enumerate(weeks):
        if week is not None:
            found.setdefault((week.word, week.rest), {}).setdefault(week.number, at)
    letters = _letters([column.name for column in columns]) if found else frozenset()
    series = []
    for (word, rest), by_number in found.items():
        named, is_asked = _load(rest)
        is_word = word in _words("calendar") or _words("").get(word, False)
        # A letter beside nothing that names a load may be a test's: `T1`, `V2`.
        if (
            len(by_number) < 2
            or named is None
            or (not is_word and (is_asked or word not in letters))
        ):
            continue
        places, numbers = tuple(by_number.values()), tuple(by_number)
        series.append(_Series(places, numbers, word in _words("calendar"), named, is_asked))
    return series


def _letters(names: Sequence[str]) -> frozenset[str]:
    """The letters that are short for a week in English or in the language of the headings."""
    languages = heading_languages(name[:LONGEST_NAME] for name in names) | ENGLISH
    return frozenset(
        fold(without_mark(word)) for one in languages for word in tables()[one]["week", ""]
    )


def _load(rest: str) -> tuple[Named | None, bool]:
    """What is counted in each week, and whether that has to be asked."""
    readings = [read_name(f"{rest} {word}".strip()) for word in entries()["week", "per"]]
    fitting = [
        (match, reading._replace(matches=(match,))) for reading in readings
        for match in reading.matches if match.means in _OF_WEEKS and match.likeness >= _LIKELY
    ]  # fmt: skip
    # A phrase may have the unit with it: `km per week`.
    fitting = [(match, one) for match, one in fitting
               if match.is_whole or one.unit is None or _of_a_week(one)]  # fmt: skip
    best = max(fitting, key=lambda pair: _worth(pair[0]), default=None)
    if best is None:
        return None, False
    match, reading = best
    unit = _of_a_week(reading)
    # `Week 1` alone does not say what was counted, and a word more may say that it is another load.
    is_asked = match.likeness < EXACT or (match.needs_unit and unit is None)
    certain = Match(match.means, 1.0)
    return reading._replace(matches=(certain,), unit=unit), is_asked


def _worth(match: Match) -> tuple[float, bool]:
    return round(match.likeness, 2), not match.needs_unit


def _of_a_week(reading: Named) -> str | None:
    """The unit of a reading, where its measure can be in it: hours of a week are hours a week."""
    measure = measure_of(reading)
    for unit in (reading.unit, f"{reading.unit}/week"):
        if measure and reading.unit and unit_of(measure, str(unit)):
            return unit
    return None


def _merge(tidy: TidyTable, series: _Series) -> None:
    """One column in the place of the first week, with the mean of the last four."""
    names = [tidy.columns[at].name for at in series.places]
    name = text("sheet.test.weeks", first=names[0], last=names[-1])
    kept, dropped = series.places[0], set(series.places[1:])
    days, is_open = _days(tidy) if series.is_calendar else (None, False)
    commas = has_commas([[row.cells[at] for row in tidy.rows for at in series.places]])[0]
    unread: set[int] = set()
    for number, row in enumerate(tidy.rows):
        places = _counted(series, days[number] if days else None)
        cell, sources = _mean(row, places, Marks(commas), unread)
        row.cells[kept], row.sources[kept] = cell, sources
        row.cells[:] = [cell for at, cell in enumerate(row.cells) if at not in dropped]
        row.sources[:] = [own for at, own in enumerate(row.sources) if at not in dropped]
    question = None
    # Dates that can be read both ways do not say which weeks are before them.
    if series.is_asked or not series.is_plain or is_open:
        question = text("sheet.test.weeks_asked", name=repr(name))
    why = text("sheet.test.weeks_why", count=min(_WEEKS, len(names)))
    columns = [
        TidyColumn(name, series.named, why, question) if at == kept else column
        for at, column in enumerate(tidy.columns)
        if at not in dropped
    ]
    tidy.columns[:] = columns
    message = text("sheet.note.weeks", column=repr(name), count=len(names))
    tidy.notes.append(SheetNote(code="weeks", message=message))
    if unread:
        message = text("sheet.note.weeks_unread", column=repr(name))
        tidy.notes.append(SheetNote(code="weeks_unread", message=message, lines=sorted(unread)))


def _counted(series: _Series, screened: date | None) -> list[int]:
    """The last four weeks; those of the calendar before the week of the screening."""
    if not series.is_plain:
        return list(series.places)
    if screened is None:
        return list(series.places[-_WEEKS:])
    week = screened.isocalendar().week
    before = [
        ((week - number) % (_WEEKS_A_YEAR + 1), at)
        for number, at in zip(series.numbers, series.places, strict=True)
    ]
    past = sorted(own for own in before if 1 <= own[0] <= _MOST_WEEKS_BEFORE)
    return [at for _, at in past[:_WEEKS]]


def _days(tidy: TidyTable) -> tuple[list[date | None] | None, bool]:
    """The day of each row's screening, if a column says it, and whether it can be read two ways."""
    dated = [at for at, c in enumerate(tidy.columns)
             if c.named.matches and c.named.matches[0][:2] == (DATE, 1.0)]  # fmt: skip
    if not dated:
        return None, False
    cells = [row.cells[dated[0]] for row in tidy.rows]
    forms = date_forms(cells, None)
    days = [None if is_missing(cell) else parse_day(cell, forms.formats) for cell in cells]
    return days, forms.is_open


def _mean(
    row: TidyRow, places: Sequence[int], marks: Marks, unread: set[int]
) -> tuple[Any, tuple[int, ...]]:
    filled = [at for at in places if not is_missing(row.cells[at])]
    numbers = [(number_shown(row.cells[at], marks), at) for at in filled]
    read = [(number, at) for number, at in numbers if number is not None]
    for number, at in numbers:
        if number is None:
            unread.update(row.sources[at])
    lines = tuple(sorted({line for _, at in read for line in row.sources[at]}))
    return (fmean(number for number, _ in read), lines) if read else ("", ())
