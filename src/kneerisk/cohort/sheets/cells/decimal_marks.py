"""Commas and points in a column's numbers: which of them parts decimals, and which thousands.

`42,195` may be forty-two or forty-two thousand. Other numbers of the column tell, or the values in
the measure's unit; where neither does, it is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

#: Thousands parted by commas, and by points, with decimals behind the other mark.
_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(\.\d+)?", re.ASCII)
_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(,\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_POINT = re.compile(r"[+-]?\d*\.\d+", re.ASCII)
#: The number that a cell begins with, whatever unit is behind it.
_NUMBER = re.compile(r"[+-]?[\d.,]*\d", re.ASCII)


class Marks(NamedTuple):
    """How a column writes its numbers."""

    commas: bool
    """Decimals are written with a comma."""
    thousands: bool = False
    """The other mark parts thousands."""


def plain_number(written: str, marks: Marks) -> str:
    """A number as Python writes it; a text in another form stays as it is."""
    if marks.thousands and (_BY_POINT if marks.commas else _BY_COMMA).fullmatch(written):
        written = written.replace("." if marks.commas else ",", "")
    if marks.commas and _COMMA.fullmatch(written):
        written = written.replace(",", ".")
    return written


def numbers_with_marks(cells: Iterable[Any]) -> Counter[str]:
    """The different numbers of a column with a comma or a point, and how often each stands."""
    texts = Counter(
        cell for cell in cells if isinstance(cell, str) and ("," in cell or "." in cell)
    )
    numbers: Counter[str] = Counter()
    for written, count in texts.items():
        if ("," in written or "." in written) and (match := _NUMBER.match(written)):
            numbers[match[0]] += count
    return numbers


def decimal_commas(numbers: Counter[str]) -> int:
    """How many more decimals are written with a comma than with a point.

    Those that may be thousands count for neither.
    """
    surplus = 0
    for written, count in numbers.items():
        if not (_BY_COMMA.fullmatch(written) or _BY_POINT.fullmatch(written)):
            is_comma, is_point = _COMMA.fullmatch(written), _POINT.fullmatch(written)
            surplus += count * (bool(is_comma) - bool(is_point))
    return surplus


def marks_of(numbers: Counter[str], *, commas: bool, may_be_foreign: bool) -> list[Marks]:
    """How a column may write its numbers.

    Parameters
    ----------
    numbers
        The numbers of the column that have a mark.
    commas
        Whether the rest of the sheet has decimal commas, which holds where the column says nothing.
    may_be_foreign
        Whether points may part thousands, as they do where decimals have commas.

    Returns
    -------
    list of Marks
        One where that is certain, else two.
    """
    surplus, written = decimal_commas(numbers), list(numbers)
    by_comma = [match for match in map(_BY_COMMA.fullmatch, written) if match]
    by_point = [match for match in map(_BY_POINT.fullmatch, written) if match]
    if by_comma and surplus <= 0:
        is_sure = surplus < 0 or any(match[1] or match[0].count(",") > 1 for match in by_comma)
        return [Marks(False, True)] if is_sure else [Marks(False, True), Marks(True)]
    if by_point and surplus >= 0 and len(by_point) == sum("." in number for number in written):
        if any(match[1] or match[0].count(".") > 1 for match in by_point):
            return [Marks(True, True)]
        if may_be_foreign or surplus > 0:
            return [Marks(False), Marks(True, True)]
        return [Marks(False)]
    return [Marks(surplus > 0 or (surplus == 0 and commas))]


def marks_stated(cells: Sequence[Any], decimal: str) -> Marks:
    """How a column writes its numbers where a person stated its decimal mark."""
    commas = decimal == "comma"
    pattern = _BY_POINT if commas else _BY_COMMA
    return Marks(commas, thousands=any(map(pattern.fullmatch, numbers_with_marks(cells))))
