"""The day that a cell shows, however a person, a form or a watch wrote it.

`date_forms` tells how a column writes its days, `parse_day` reads one. The forms are formats of
`strptime`; a time of day beside the day is left out, the months of other languages are read by
`calendar_words.csv` (one row a language, to be added to), and a number is a day of Excel's or the
seconds of a clock.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.lexicon.folded_text import fold

_DAY_AND_MONTH = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
#: The days of Excel, a year alone, and the seconds (or thousandths of one) since 1970: forms that
#: `strptime` has not, or reads as 1 January.
EXCEL_DAYS, YEAR, CLOCK = "excel", "%Y", "unix"
#: Dates whose form gives the order; a day and a month in figures are not among them.
_CLEAR_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y",
                "%b %d, %Y", "%d. %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y")  # fmt: skip
_NUMBER_FORMS = ("%Y%m%d", EXCEL_DAYS, CLOCK)
_LETTER = re.compile(r"[^\W\d_]")
#: The parts of a format as `strptime` reads them, in English.
_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
_MONTHS = {name[:3].casefold(): at for at, name in enumerate(_NAMES, start=1)}
_DAY_PARTS = {
    "%Y": r"(?P<Y>\d\d\d\d)",
    "%y": r"(?P<y>\d\d)",
    "%m": r"(?P<m>1[0-2]|0[1-9]|[1-9])",
    "%d": r"(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
    "%B": f"(?P<b>{'|'.join(_NAMES)})",
    "%b": f"(?P<b>{'|'.join(name[:3] for name in _NAMES)})",
    "%H": r"(?:2[0-3]|[0-1]\d|\d)",
    "%M": r"(?:[0-5]\d|\d)",
    "%S": r"(?:[0-5]\d|\d)",
}
#: The formats of a mapping are a handful, and a sheet's dates are of some years (assumptions).
_FORMS_KEPT, _DAYS_KEPT = 64, 20_000
#: The columns of a sheet that may be dates, which are looked at several times; and so many of the
#: different texts of each, evenly spread, tell its forms (assumptions).
_COLUMNS_KEPT, _LOOKED_AT = 64, 300
#: A day alone, and one with its clock and zone, are shorter (assumptions).
_LONGEST_ALONE, _LONGEST_DAY = 40, 80
#: The clock behind a day, with its zone: `T10:15:00Z`, `, 3:24:49 PM`, ` kl. 15.24`.
_CLOCK = re.compile(
    r"(?:T|[\s,]\s*(?:(?:at|um|à|às|a las|las|kl\.?|klo|om|alle|o|o godz\.|ore)\s)?)\s*"
    r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d{1,9})?)?"
    r"(?:\s*(?:[ap]\.?\s?m\.?|uhr))?"
    r"(?:\s*(?:Z|(?:UTC|GMT|CEST|CET|[ECMP][SD]T)?\s?(?:[+-]\d{1,2}(?::?\d{2})?)?))?"
    r"(?:\s*\([^()]*\))?",
    re.IGNORECASE,
)
#: The clock as most programs write it, which most stamps have.
_PLAIN_STAMP = re.compile(r"(\d{1,4}[./-]\d{1,2}[./-]\d{1,4})[T ]\d\d:\d\d(?::\d\d)?Z?", re.ASCII)
_WEEKDAY = re.compile(r"([^\W\d_]+(?:-feira)?)\.?,?\s+")
_OF_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|\.)?[\s/.-]*(?:(?:de|of)\s+)?([^\W\d_]+)\.?[\s,/.-]*"
    r"(?:(?:de|del)\s+)?(\d{4}|\d{2})"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,\s*|\s+)(\d{4})")
#: The first day of Excel's count, with the 29 February 1900 that it has and there was not.
_EXCEL_EPOCH = date(1899, 12, 30)
#: Numbers from 1927 to 2064 as Excel counts days; others are taken for no day (assumption).
_EXCEL_NUMBER = re.compile(r"([1-5]\d{4})(?:[.,]\d+)?", re.ASCII)
#: Seconds from 2001 to 2033, or thousandths of one.
_CLOCK_NUMBER = re.compile(r"(1\d{9})(?:\d{3})?(?:\.\d+)?", re.ASCII)
_YEAR_NUMBER = re.compile(r"(?:19|20)\d\d", re.ASCII)


class DateForms(NamedTuple):
    """How a column writes its dates."""

    formats: list[str]
    share: float
    """The share of entries that are dates of these forms."""
    is_open: bool
    """Whether day and month could be either way round, and were taken as day first."""


def date_forms(cells: Iterable[Any], day_first: bool | None, *, years: bool = False) -> DateForms:
    """The forms of a column's dates; the order of day and month only from what is there.

    Parameters
    ----------
    cells
        The column.
    day_first
        The order of day and month, where a person stated it.
    years
        Whether a year alone is a date, as that of a birth is.

    Returns
    -------
    DateForms
        The formats that occur, and the share of entries that they read.
    """
    return _date_forms(tuple(cells), day_first, years=years)


@lru_cache(maxsize=_COLUMNS_KEPT)
def _date_forms(cells: tuple[Any, ...], day_first: bool | None, *, years: bool) -> DateForms:
    filled = [cell for cell in cells if not is_missing(cell)]
    # A column of dates repeats its days, and each parsing is slow.
    texts = Counter(_without_clock(as_text(c)) for c in filled if not isinstance(c, date))
    forms, is_open = _forms_of(list(texts), day_first, years=years)
    unread = [text for text in texts if not any(_is_day(text, form) for form in forms)]
    if forms and unread:
        others, others_open = _forms_of(unread, day_first, years=years)
        forms, is_open = [*forms, *others], is_open or others_open
        unread = [text for text in unread if not any(_is_day(text, form) for form in others)]
    read = len(filled) - sum(texts[text] for text in unread)
    return DateForms(forms or ["%Y-%m-%d"], read / len(filled) if filled else 0.0, is_open)


def _forms_of(texts: list[str], day_first: bool | None, *, years: bool) -> tuple[list[str], bool]:
    """The forms of some texts out of many, and whether the order of day and month is open."""
    by_mark: dict[str, list[tuple[int, int]]] = {}
    clear = []
    # The order may be told by any of them, the forms by some.
    every = max(len(texts) // _LOOKED_AT, 1)
    for at, text in enumerate(texts):
        figures = [match for days in _readings(text) if (match := _DAY_AND_MONTH.fullmatch(days))]
        for match in figures:
            by_mark.setdefault(match[2], []).append((int(match[1]), int(match[3])))
        clear += [] if figures or at % every else [text]
    formats = _clear_forms(clear, years=years)
    is_open = False
    for mark, pairs in by_mark.items():
        first = _first_is_day(mark, pairs) if day_first is None else day_first
        is_open |= first is None
        order = f"%m{mark}%d{mark}" if first is False else f"%d{mark}%m{mark}"
        formats += [order + "%Y", order + "%y"]
    return [form for form in formats if any(_is_day(text, form) for text in texts)], is_open


def _clear_forms(texts: list[str], *, years: bool) -> list[str]:
    """The forms among which there is no choice of day and month, as far as a text has them."""
    named = [text for text in texts if _LETTER.search(text)]
    numbers = [text for text in texts if text[:1].isdigit() and text[-1:].isdigit()]
    tried = [(form, named if "%b" in form.lower() else texts) for form in _CLEAR_FORMS]
    tried += [(form, numbers) for form in (*_NUMBER_FORMS, *([YEAR] if years else []))]
    return [form for form, own in tried if any(_is_day(text, form) for text in own)]


def _first_is_day(mark: str, pairs: list[tuple[int, int]]) -> bool | None:
    """Points are written day first everywhere; elsewhere a single day above 12 decides."""
    above = (any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs))
    if mark == "." or above == (True, False):
        return True
    return False if above == (False, True) else None


def parse_day(raw: Any, formats: Iterable[str]) -> date | None:
    """The day that a cell shows in one of the formats, or None."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    return next(filter(None, (_day(as_text(raw), form) for form in formats)), None)


def _is_day(text: str, form: str) -> bool:
    return _day(text, form) is not None


def _day(text: str, form: str) -> date | None:
    # A column of dates repeats itself, and each one is looked at several times.
    if len(text) > _LONGEST_DAY:
        return _parsed_day(text, form)
    return _kept_day(text, form)


@lru_cache(maxsize=_DAYS_KEPT)
def _kept_day(text: str, form: str) -> date | None:
    return next(filter(None, (_parsed_day(reading, form) for reading in _readings(text))), None)


@lru_cache(maxsize=_DAYS_KEPT)
def _readings(text: str) -> tuple[str, ...]:
    """A text, the day in it without the clock, and that day with the month in English."""
    readings = {text: None}
    if text.isdigit() or len(text) > _LONGEST_DAY:
        return (text,)
    text = _without_clock(text)
    if (weekday := _WEEKDAY.match(text)) and fold(weekday[1]) in _weekdays():
        readings[text[weekday.end() :]] = None
    readings[text] = None
    for reading in list(readings):
        month = _OF_MONTH.fullmatch(reading)
        day, name, year = month.groups() if month else (None, None, None)
        if month is None and (month := _MONTH_FIRST.fullmatch(reading)):
            name, day, year = month.groups()
        if name is not None and (number := _months().get(fold(name))):
            readings[f"{day} {_NAMES[number - 1][:3]} {year}"] = None
    return tuple(day for day in readings if len(day) <= _LONGEST_ALONE)


def _without_clock(text: str) -> str:
    """A day without the clock behind it."""
    if match := _PLAIN_STAMP.fullmatch(text):
        return match[1]
    # The clock may stand behind the day, or, seldom, in front of the year.
    clocks = () if text.isdigit() or len(text) > _LONGEST_DAY else _CLOCK.finditer(text)
    behind = (match.start() for match in clocks if match.end() == len(text))
    return text[: next(behind, None)].rstrip(", ") if clocks else text


@cache
def _calendar() -> tuple[dict[str, str], ...]:
    table = files(__package__).joinpath("calendar_words.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(table.splitlines()))


@cache
def _months() -> dict[str, int]:
    """The folded names of months, and their short forms, in every language."""
    return {
        fold(word): month
        for row in _calendar()
        for month in range(1, 13)
        for word in row[str(month)].split("|")
    }


@cache
def _weekdays() -> frozenset[str]:
    return frozenset(fold(word) for row in _calendar() for word in row["weekdays"].split("|"))


def _parsed_day(text: str, form: str) -> date | None:
    """The day that a text shows in a format; None where it is none."""
    try:
        if form in _NUMBERED:
            return _NUMBERED[form](text)
        pattern = _day_pattern(form)
        if pattern is None:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 -- a day has no zone
        match = pattern.match(text)
        # As strptime does: what is left behind the first match makes it none.
        if match is None or match.end() != len(text):
            return None
        shown = match.groupdict()
        month = _MONTHS[shown["b"].casefold()[:3]] if "b" in shown else int(shown["m"])
        year = int(shown["Y"]) if "Y" in shown else _full_year(int(shown["y"]))
        return date(year, month, int(shown["d"]))
    except (ValueError, re.error):
        # A mapping may name a part of a date twice, which `strptime` passes on to its patterns.
        return None


def _excel_day(text: str) -> date | None:
    match = _EXCEL_NUMBER.fullmatch(text)
    return _EXCEL_EPOCH + timedelta(days=int(match[1])) if match else None


def _clock_day(text: str) -> date | None:
    match = _CLOCK_NUMBER.fullmatch(text)
    return datetime.fromtimestamp(int(match[1]), UTC).date() if match else None


def _year(text: str) -> date | None:
    """The middle of a year, so that an age is off by half a year at most (assumption)."""
    return date(int(text), 7, 1) if _YEAR_NUMBER.fullmatch(text) else None


_NUMBERED = {EXCEL_DAYS: _excel_day, CLOCK: _clock_day, YEAR: _year}


def _full_year(year: int) -> int:
    """The year of two digits, as POSIX reads it: 69 to 99 are of the last century."""
    return year + (1900 if year >= 69 else 2000)


@lru_cache(maxsize=_FORMS_KEPT)
def _day_pattern(form: str) -> re.Pattern[str] | None:
    """The shape of a format; None where it has a part that only `strptime` knows.

    `strptime` tells by an error that a text is no day, and forgets all but five formats: a sheet of
    dates took half a minute.
    """
    pieces = re.split(r"(%.|\s+)", form)
    parts = [piece for piece in pieces if piece[:1] == "%"]
    names = ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"})
    is_day = all(len(which.intersection(parts)) == 1 for which in names)
    if not is_day or len(set(parts)) < len(parts) or not _DAY_PARTS.keys() >= set(parts):
        return None
    shapes = [
        r"\s+" if piece.isspace() else _DAY_PARTS.get(piece) or re.escape(piece) for piece in pieces
    ]
    return re.compile("".join(shapes), re.IGNORECASE)
