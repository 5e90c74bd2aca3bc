"""What the cells of a column tell by themselves: numbers, decimal marks, units, dates, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.folding import fold
from kneerisk.cohort.sheets.recognise.vocabulary import plain_words
from kneerisk.cohort.sheets.sheetcells import with_unit

_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_POINT = re.compile(r"[+-]?\d*\.\d+", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_DAY_PARTS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
#: Dates whose order is told by their form; a day and a month in figures are not among them.
_CLEAR_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y",
                "%b %d, %Y", "%d. %B %Y", "%d-%b-%Y", "%d-%b-%y", "%Y-%m-%d %H:%M:%S")  # fmt: skip


class Facts(NamedTuple):
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
    texts = [with_unit(cell)[0] for cell in cells if isinstance(cell, str)]
    commas = sum(bool(_COMMA.fullmatch(text)) for text in texts)
    return commas - sum(bool(_POINT.fullmatch(text)) for text in texts)


def facts(cells: Iterable[Any], commas: bool | None, *, else_commas: bool = False) -> Facts:
    """What a column's cells are.

    Without `commas` the column's own cells tell the decimal mark; where they are even it is
    `else_commas`, the mark of the rest of the sheet.
    """
    filled = [cell for cell in cells if cell != ""]
    if commas is None:
        more = decimal_marks(filled)
        commas = more > 0 or (more == 0 and else_commas)
    numbers: list[float] = []
    words: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for cell in filled:
        value, unit = _number(cell, commas=commas)
        if value is not None:
            numbers.append(value)
            own.update([unit] if unit else [])
        elif not isinstance(cell, date):
            words[str(cell)] += 1
    unit = next((one for one, count in own.items() if count * 2 > len(numbers)), None)
    there = sum(not is_missing(cell) for cell in filled)
    return Facts(there, numbers, words, commas, unit)


def _number(cell: Any, *, commas: bool) -> tuple[float | None, str | None]:
    if not isinstance(cell, str):
        return (None, None) if isinstance(cell, date) else (float(cell), None)
    text, unit = with_unit(cell)
    if commas and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return (float(text), unit) if _PLAIN.fullmatch(text) else (None, None)


def number_shown(cell: Any, *, commas: bool) -> float | None:
    """The number that a cell shows, in whatever unit it is."""
    return None if isinstance(cell, datetime | date) else _number(cell, commas=commas)[0]


class Days(NamedTuple):
    """How a column writes its dates."""

    formats: list[str]
    share: float
    """The share of entries that are dates of these forms."""
    is_open: bool
    """Whether day and month could be either way round, and were taken as day first."""


def days(cells: Iterable[Any], day_first: bool | None) -> Days:
    """The forms of a column's dates; the order of day and month only from what is there."""
    filled = [cell for cell in cells if not is_missing(cell)]
    figures = [m for c in filled if isinstance(c, str) and (m := _DAY_PARTS.fullmatch(c))]
    by_mark: dict[str, list[tuple[int, int]]] = {}
    for found in figures:
        by_mark.setdefault(found[2], []).append((int(found[1]), int(found[3])))
    formats = [form for form in _CLEAR_FORMS if any(_is_day(cell, form) for cell in filled)]
    is_open = False
    for mark, pairs in by_mark.items():
        first = _first_is_day(mark, pairs) if day_first is None else day_first
        is_open |= first is None
        order = f"%m{mark}%d{mark}" if first is False else f"%d{mark}%m{mark}"
        formats += [order + "%Y", order + "%y"]
    used = [form for form in formats if any(_is_day(cell, form) for cell in filled)]
    good = sum(isinstance(c, date) or any(_is_day(c, form) for form in used) for c in filled)
    return Days(used or ["%Y-%m-%d"], good / len(filled) if filled else 0.0, is_open)


def _first_is_day(mark: str, pairs: list[tuple[int, int]]) -> bool | None:
    """Points are written day first everywhere; of the others one day above 12 tells."""
    over = (any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs))
    if mark == "." or over == (True, False):
        return True
    return False if over == (False, True) else None


def _is_day(cell: Any, form: str) -> bool:
    if not isinstance(cell, str):
        return False
    try:
        datetime.strptime(cell, form)  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        return False
    return True
