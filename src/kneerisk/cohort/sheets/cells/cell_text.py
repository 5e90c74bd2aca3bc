"""What cells show as text: a number or a unit in each; in a column, which forms it uses.

`column_values` tells the decimal mark, the units and the words of a column; days are read by
`cell_dates`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from kneerisk.cohort.layout import NotAllowed, number
from kneerisk.cohort.sheets.cells.decimal_marks import Marks, plain_number
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import plain_words
from kneerisk.cohort.sheets.lexicon.units import unit_named
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
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
#: Thousands parted by blanks or apostrophes, which part nothing else: 41 200, 41'200.
_GAP = re.compile("[ '\u2019\u00a0\u2009\u202f]")
_GAPS = re.compile(f"[+-]?[1-9]\\d{{0,2}}(?:{_GAP.pattern}\\d{{3}})+(?!\\d)", re.ASCII)
#: A day in three figures, which no number with a unit begins with.
_DAY = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d", re.ASCII)
#: Without a letter or a mark there is no unit.
_FIGURES = re.compile(r"[\d.,+-]*", re.ASCII)


def as_text(raw: Any) -> str:
    """A cell as text; spreadsheets turn ids into numbers, so a whole one is its digits."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def with_unit(cell: str) -> tuple[str, str | None]:
    """The number and the unit of a cell that names one (`38°`, `5'11"`), or the cell as it is."""
    # Words, plain numbers and days, which most cells are, need no closer look.
    is_number = cell[:1].isdigit() or cell[:1] in "+-.,"
    if is_number and (gaps := _GAPS.match(cell)):
        cell = _GAP.sub("", gaps[0]) + cell[gaps.end() :]
    if not is_number or _FIGURES.fullmatch(cell) or _DAY.match(cell):
        return cell, None
    if feet := FEET_AND_INCHES.fullmatch(cell):
        return f"{12 * int(feet[1]) + float(feet[2] or 0):g}", "inch"
    match = WITH_UNIT.fullmatch(cell)
    unit = unit_named(match[2]) if match else None
    return (match[1], unit) if match and unit else (cell, None)


def parse_number(raw: Any, words: dict[str, Any], allowed: str, marks: Marks) -> float | None:
    """The number that a cell shows, in whatever unit it is.

    Parameters
    ----------
    raw
        The cell, without its unit; None where nothing was recorded.
    words
        Words, in lower case, that stand for numbers; an empty text is "not recorded".
    allowed
        What may stand there, for the refusal.
    marks
        How decimals and thousands are written.

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
    if isinstance(raw, str) and marks.thousands:
        raw = plain_number(raw, marks)
    elif isinstance(raw, str) and marks.commas:
        if not DECIMAL_COMMA.fullmatch(raw):
            # 1.234 may be a thousand or one and a bit: not for a program to guess.
            code = FaultCode.DECIMAL_MARK if "." in raw else FaultCode.NOT_A_NUMBER
            raise NotAllowed(text("sheet.rule.cohort.no_decimal_comma"), allowed, code)
        raw = raw.replace(",", ".")
    return number(raw, allowed)


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
    marks: Marks
    """How decimals and thousands are written."""
    unit: str | None
    """The unit that most of the numbers carry with them."""


def is_missing(cell: Any) -> bool:
    """Whether a cell has no entry, or a word for "not recorded"."""
    if not isinstance(cell, str) or cell[:1].isdigit():
        return False
    return cell == "" or fold(cell) in plain_words("missing")


def column_values(cells: Iterable[Any], marks: Marks) -> ColumnValues:
    """What a column's cells are: numbers (in the sheet's unit), and words with their counts."""
    numbers: list[float] = []
    words: Counter[str] = Counter()
    units: Counter[str] = Counter()
    recorded = 0
    # Columns repeat their entries: each is looked at once.
    for cell, count in Counter(cells).items():
        if cell == "":
            continue
        value, unit = number_and_unit(cell, marks)
        if value is not None:
            numbers += [value] * count
            units.update({unit: count} if unit else {})
            recorded += count
            continue
        if not isinstance(cell, date):
            words[str(cell)] += count
        recorded += 0 if is_missing(cell) else count
    usual = next((unit for unit, count in units.items() if count * 2 > len(numbers)), None)
    return ColumnValues(recorded, numbers, words, marks, usual)


def number_and_unit(cell: Any, marks: Marks) -> tuple[float | None, str | None]:
    """The number that a cell shows and the unit that it names, None where there is none."""
    if not isinstance(cell, str):
        return (None, None) if isinstance(cell, date) else (float(cell), None)
    text, unit = with_unit(cell)
    text = plain_number(text, marks)
    return (float(text), unit) if _PLAIN.fullmatch(text) else (None, None)


def number_shown(cell: Any, marks: Marks) -> float | None:
    """The number that a cell shows, in whatever unit it is."""
    return None if isinstance(cell, datetime | date) else number_and_unit(cell, marks)[0]
