"""One cell as text: the unit that it carries, and the number or the day that it shows."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from kneerisk.cohort.cells import NotAllowed, number
from kneerisk.cohort.sheets.units import unit_named
from kneerisk.schema import Quantity
from kneerisk.schema.faults import FaultCode

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


def as_text(raw: Any) -> str:
    """A cell as text; spreadsheets turn ids into numbers, so a whole one is its digits."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def with_unit(cell: str) -> tuple[str, str | None]:
    """The number and the unit of a cell that names one (`38°`, `5'11"`), or the cell as it is."""
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
    word = as_text(raw).casefold()
    if word in words:
        return None if words[word] == "" else float(words[word])
    if commas and isinstance(raw, str):
        if not DECIMAL_COMMA.fullmatch(raw):
            # 1.234 may be a thousand or one and a bit: not for a program to guess.
            code = FaultCode.DECIMAL_MARK if "." in raw else FaultCode.NOT_A_NUMBER
            raise NotAllowed("is not a number with a decimal comma", allowed, code)
        raw = raw.replace(",", ".")
    return number(raw, allowed)


def parse_day(raw: Any, formats: list[str]) -> date | None:
    """The day that a cell shows in one of the formats, or None."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    for form in formats:
        try:
            return datetime.strptime(as_text(raw), form).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            continue
    return None


def rounded(value: float | None, measure: Quantity) -> float | int | None:
    """A value without the digits that only a conversion adds; a count as a whole number."""
    if value is None:
        return None
    plain = float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    return int(plain) if measure.whole and plain.is_integer() else plain
