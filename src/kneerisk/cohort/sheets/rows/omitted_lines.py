"""Which lines below the names of the columns are no athlete's: totals, names again, units, remarks.

A line that begins with `Max` is one of totals or an athlete's first name. It is an athlete's if
anything else in it is a word, or if its numbers are not those that such a line would have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import plain_words
from kneerisk.cohort.sheets.lexicon.units import unit_named
from kneerisk.cohort.sheets.mapping import LeftOut

#: In so many columns a line of totals has the total, give or take what rounding leaves
#: (assumptions).
_LEAST_SHARE, _ROUNDING = 0.6, 0.051
#: Words for totals that may be a name or initials.
_MAY_BE_NAMES: Mapping[str, Callable[[list[float]], float]] = {
    "max": max, "min": min, "sum": sum, "som": sum, "n": len, "mw": fmean, "sd": stdev,
    "ds": stdev, "de": stdev, "dt": stdev, "dp": stdev, "et": stdev, "ka": fmean, "kh": stdev,
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)


def is_units(row: Sequence[Any]) -> bool:
    """Whether a line has nothing but units."""
    filled = [cell for cell in row if cell != ""]
    return bool(filled) and all(isinstance(c, str) and unit_named(c.strip("()[] ")) for c in filled)


class LineReasons:
    """Why lines below the names are no athlete's.

    Parameters
    ----------
    names
        The names of the columns.
    rows
        The lines below them, each as wide as they are.
    """

    def __init__(self, names: Sequence[str], rows: Sequence[list[Any]]) -> None:
        self._names = [_word(name) for name in names]
        self._rows = rows

    def of(self, cells: list[Any]) -> LeftOut | None:
        """Why a line is no athlete's; None where it is one's."""
        filled = [at for at, cell in enumerate(cells) if cell != ""]
        texts = [at for at in filled if isinstance(cells[at], str)]
        first = _word(cells[texts[0]]) if texts else ""
        is_total = first in plain_words("total") and texts[0] <= 2
        if is_total and (first not in _MAY_BE_NAMES or self._has_totals(first, cells)):
            return "totals"
        if len(texts) > 1 and all(_word(cells[at]) == self._names[at] for at in texts):
            return "names_again"
        if len(filled) > 1 and is_units(cells):
            return "units_again"
        if len(filled) == 1 and len(self._names) > 2 and texts[:1] == [0]:
            return "remark"
        return None

    def _has_totals(self, word: str, cells: list[Any]) -> bool:
        """Whether the numbers of a line are such totals of the others; words are an athlete's."""
        words = [cell for cell in cells if isinstance(cell, str) and cell and _number(cell) is None]
        if len(words) > 1:
            return False
        numbers = {
            at: shown for at, cell in enumerate(cells) if (shown := _number(cell)) is not None
        }
        matched = 0
        for at, number in numbers.items():
            column = self._columns[at]
            if len(column) > 1:
                total = float(_MAY_BE_NAMES[word](column))
                matched += abs(number - total) <= _ROUNDING + 0.005 * abs(total)
        return matched >= _LEAST_SHARE * len(numbers)

    @cached_property
    def _columns(self) -> list[list[float]]:
        """The numbers of each column in lines that are surely none of totals."""
        columns: list[list[float]] = [[] for _ in self._names]
        for row in self._rows:
            first = next((_word(cell) for cell in row if isinstance(cell, str)), "")
            if first in plain_words("total"):
                continue
            for at, cell in enumerate(row):
                if (number := _number(cell)) is not None:
                    columns[at].append(number)
        return columns


def _word(cell: str) -> str:
    return fold(cell).rstrip(":. ")


def _number(cell: Any) -> float | None:
    if isinstance(cell, str):
        return float(cell.replace(",", ".")) if _NUMBER.fullmatch(cell) else None
    return float(cell) if isinstance(cell, int | float) else None
