"""Commas and points in a column's numbers: which of them parts decimals, and which thousands.

`42,195` may be forty-two or forty-two thousand. Other numbers of the column tell, or the values in
the measure's unit; where neither does, it is asked.
"""

from __future__ import annotations

import re
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


def _numbers(cells: Iterable[Any]) -> list[str]:
    with_mark = (cell for cell in cells if isinstance(cell, str) and ("," in cell or "." in cell))
    return [match[0] for match in map(_NUMBER.match, with_mark) if match]


def decimal_commas(cells: Iterable[Any]) -> int:
    """How many more decimals are written with a comma than with a point.

    Those that may be thousands count for neither.
    """
    surplus = 0
    for written in _numbers(cells):
        if not (_BY_COMMA.fullmatch(written) or _BY_POINT.fullmatch(written)):
            surplus += bool(_COMMA.fullmatch(written)) - bool(_POINT.fullmatch(written))
    return surplus


def marks_of(cells: Sequence[Any], *, commas: bool, may_be_foreign: bool) -> list[Marks]:
    """How a column may write its numbers.

    Parameters
    ----------
    cells
        The column.
    commas
        Whether the rest of the sheet has decimal commas, which holds where the column says nothing.
    may_be_foreign
        Whether points may part thousands, as they do where decimals have commas.

    Returns
    -------
    list of Marks
        One where that is certain, else two.
    """
    surplus, written = decimal_commas(cells), _numbers(cells)
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
    return Marks(commas, thousands=any(map(pattern.fullmatch, _numbers(cells))))
