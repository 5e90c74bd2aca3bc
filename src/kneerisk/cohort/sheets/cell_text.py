"""What cells show as text: a number, a unit or a day in each; in a column, which forms it uses.

`column_values` tells the decimal mark, the units and the words of a column, `date_forms` the order
of day and month.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from kneerisk.cohort.layout import NotAllowed, number
from kneerisk.cohort.sheets.units import unit_named
from kneerisk.cohort.sheets.vocabulary import fold, plain_words
from kneerisk.schema import Quantity
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?", re.ASCII)
#: A number and what stands behind it; whether that is a unit is looked up.
WITH_UNIT = re.compile(r"([+-]?[\d.,]+)\s*([^\d\s.,].*)", re.ASCII)
#: 5'11", with the marks that keyboards and phones write for it.
FEET_AND_INCHES = re.compile(
    "(\\d)\\s*(?:'|ft|\u2019|\u2032)\\s*(?:(\\d{1,2}(?:\\.\\d+)?)\\s*(?:\"|''|in|\u201d|\u2033)?)?"
)
#: More digits than any measurement has, and fewer than a conversion leaves: 4.8 inches are
#: 12.192 cm, not 12.191999999999998.
_SIGNIFICANT_DIGITS = 10
_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_POINT = re.compile(r"[+-]?\d*\.\d+", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
#: Without a letter or a mark there is no unit.
_FIGURES = re.compile(r"[\d.,+-]*", re.ASCII)
_DAY_AND_MONTH = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
#: Dates whose form gives the order; a day and a month in figures are not among them.
_CLEAR_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y",
                "%b %d, %Y", "%d. %B %Y", "%d-%b-%Y", "%d-%b-%y", "%Y-%m-%d %H:%M:%S")  # fmt: skip
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
_FORMS_KEPT, _DAYS_KEPT, _LONGEST_DAY = 64, 20_000, 40


def as_text(raw: Any) -> str:
    """A cell as text; spreadsheets turn ids into numbers, so a whole one is its digits."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def with_unit(cell: str) -> tuple[str, str | None]:
    """The number and the unit of a cell that names one (`38°`, `5'11"`), or the cell as it is."""
    # Words and plain numbers, which most cells are, need no closer look.
    if not (cell[:1].isdigit() or cell[:1] in "+-.,") or _FIGURES.fullmatch(cell):
        return cell, None
    if feet := FEET_AND_INCHES.fullmatch(cell):
        return f"{12 * int(feet[1]) + float(feet[2] or 0):g}", "inch"
    match = WITH_UNIT.fullmatch(cell)
    unit = unit_named(match[2]) if match else None
    return (match[1], unit) if match and unit else (cell, None)


def parse_number(raw: Any, words: dict[str, Any], allowed: str, *, commas: bool) -> float | None:
    """The number that a cell shows, in whatever unit it is.

    Parameters
    ----------
    raw
        The cell, without its unit; None where nothing was recorded.
    words
        Words, in lower case, that stand for numbers; an empty text is "not recorded".
    allowed
        What may stand there, for the refusal.
    commas
        Whether decimals are written with a comma.

    Returns
    -------
    float or None
        None where nothing was recorded.

    Raises
    ------
    NotAllowed
        Where it is no number.
    """
    if raw is None:
        return None
    if words and (word := as_text(raw).casefold()) in words:
        return None if words[word] == "" else float(words[word])
    if commas and isinstance(raw, str):
        if not DECIMAL_COMMA.fullmatch(raw):
            # 1.234 may be a thousand or one and a bit: not for a program to guess.
            code = FaultCode.DECIMAL_MARK if "." in raw else FaultCode.NOT_A_NUMBER
            raise NotAllowed(text("sheet.rule.cohort.no_decimal_comma"), allowed, code)
        raw = raw.replace(",", ".")
    return number(raw, allowed)


def parse_day(raw: Any, formats: list[str]) -> date | None:
    """The day that a cell shows in one of the formats, or None."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    return next(filter(None, (_day(as_text(raw), form) for form in formats)), None)


def rounded(value: float | None, measure: Quantity) -> float | int | None:
    """A value without the digits that only a conversion adds; a count as a whole number."""
    if value is None:
        return None
    plain = float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    return int(plain) if measure.whole and plain.is_integer() else plain


class ColumnValues(NamedTuple):
    """A column's cells, counted."""

    filled: int
    """Cells with an entry that does not stand for "not recorded"."""
    numbers: list[float]
    words: Counter[str]
    """Entries that are no number, as they stand."""
    commas: bool
    """Decimals are written with a comma."""
    unit: str | None
    """The unit that most of the numbers carry with them."""


def is_missing(cell: Any) -> bool:
    """Whether a cell has no entry, or a word for "not recorded"."""
    if not isinstance(cell, str) or cell[:1].isdigit():
        return False
    return cell == "" or fold(cell) in plain_words("missing")


def decimal_marks(cells: Iterable[Any]) -> int:
    """How many more decimals are written with a comma than with a point."""
    surplus = 0
    for cell in cells:
        if isinstance(cell, str) and ("," in cell or "." in cell):
            text = with_unit(cell)[0]
            surplus += bool(_COMMA.fullmatch(text)) - bool(_POINT.fullmatch(text))
    return surplus


def column_values(cells: Iterable[Any], *, commas: bool) -> ColumnValues:
    """What a column's cells are: numbers (in the unit of the sheet), and words with their counts.

    With `commas`, decimals are written with a comma.
    """
    filled = [cell for cell in cells if cell != ""]
    numbers: list[float] = []
    words: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for cell in filled:
        value, unit = number_and_unit(cell, commas=commas)
        if value is not None:
            numbers.append(value)
            units.update([unit] if unit else [])
        elif not isinstance(cell, date):
            words[str(cell)] += 1
    usual = next((unit for unit, count in units.items() if count * 2 > len(numbers)), None)
    recorded = sum(not is_missing(cell) for cell in filled)
    return ColumnValues(recorded, numbers, words, commas, usual)


def number_and_unit(cell: Any, *, commas: bool) -> tuple[float | None, str | None]:
    """The number that a cell shows and the unit that it names, None where there is none."""
    if not isinstance(cell, str):
        return (None, None) if isinstance(cell, date) else (float(cell), None)
    text, unit = with_unit(cell)
    if commas and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return (float(text), unit) if _PLAIN.fullmatch(text) else (None, None)


def number_shown(cell: Any, *, commas: bool) -> float | None:
    """The number that a cell shows, in whatever unit it is."""
    return None if isinstance(cell, datetime | date) else number_and_unit(cell, commas=commas)[0]


class DateForms(NamedTuple):
    """How a column writes its dates."""

    formats: list[str]
    share: float
    """The share of entries that are dates of these forms."""
    is_open: bool
    """Whether day and month could be either way round, and were taken as day first."""


def date_forms(cells: Iterable[Any], day_first: bool | None) -> DateForms:
    """The forms of a column's dates; the order of day and month only from what is there."""
    filled = [cell for cell in cells if not is_missing(cell)]
    # A column of dates repeats itself, and each parsing is slow.
    texts = Counter(cell for cell in filled if isinstance(cell, str))
    by_mark: dict[str, list[tuple[int, int]]] = {}
    for match in filter(None, map(_DAY_AND_MONTH.fullmatch, texts)):
        by_mark.setdefault(match[2], []).append((int(match[1]), int(match[3])))
    clear = [text for text in texts if not _DAY_AND_MONTH.fullmatch(text)]
    named = [text for text in clear if _LETTER.search(text)]
    formats = [
        form for form in _CLEAR_FORMS
        if any(_is_day(text, form) for text in (named if "%b" in form.lower() else clear))
    ]  # fmt: skip
    is_open = False
    for mark, pairs in by_mark.items():
        first = _first_is_day(mark, pairs) if day_first is None else day_first
        is_open |= first is None
        order = f"%m{mark}%d{mark}" if first is False else f"%d{mark}%m{mark}"
        formats += [order + "%Y", order + "%y"]
    used = [form for form in formats if any(_is_day(text, form) for text in texts)]
    read = sum(isinstance(cell, date) for cell in filled)
    if used:
        read += sum(n for text, n in texts.items() if any(_is_day(text, form) for form in used))
    return DateForms(used or ["%Y-%m-%d"], read / len(filled) if filled else 0.0, is_open)


def _first_is_day(mark: str, pairs: list[tuple[int, int]]) -> bool | None:
    """Points are written day first everywhere; elsewhere a single day above 12 decides."""
    above = (any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs))
    if mark == "." or above == (True, False):
        return True
    return False if above == (False, True) else None


def _is_day(text: str, form: str) -> bool:
    return _day(text, form) is not None


def _day(text: str, form: str) -> date | None:
    # A column of dates repeats itself, and each one is looked at several times.
    return _kept_day(text, form) if len(text) <= _LONGEST_DAY else _parsed_day(text, form)


def _parsed_day(text: str, form: str) -> date | None:
    """The day that a text shows in a format of `strptime`; None where it is none."""
    pattern = _day_pattern(form)
    try:
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


_kept_day = lru_cache(maxsize=_DAYS_KEPT)(_parsed_day)


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
