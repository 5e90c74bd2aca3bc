"""How large a page may be set so that it stays one page: its height, estimated from its words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kneerisk.answer.report.report_page import Page

Setting = Literal["", "dense", "packed"]

#: Millimetres of a line and of a table's row in the largest setting, and the letters that a line
#: of each column holds there; measured in a browser with the style sheet beside this.
LINE, ROW = 4.6, 5.0
WIDE, LEFT, RIGHT, HALF, HEAD = 118, 80, 32, 56, 58
#: Height of an A4 page, less what other fonts may need.
ROOM = 278.0
#: How much of the height the smaller settings need.
DENSE = 0.86


def setting(page: Page) -> Setting:
    """The largest setting that holds the page."""
    height = _top(page) + max(_left(page), _right(page)) + _bottom(page)
    if height <= ROOM:
        return ""
    return "dense" if DENSE * height <= ROOM else "packed"


def _lines(texts: Iterable[str], letters: int) -> float:
    return LINE * sum(math.ceil(len(text) / letters) for text in texts)


def _top(page: Page) -> float:
    asked = [] if page.answer.red_flags_status == "cleared" else [page.flags_line]
    asked += [flag.reason + 100 * "x" for flag in page.flags]
    return 29 + 6.2 * math.ceil(len(page.headline) / HEAD) + _lines([*page.summary, *asked], WIDE)


def _left(page: Page) -> float:
    risk = 14 + 10.5 * len(page.knees or (page.either,))
    risk += _lines([page.risk_text, f"{page.usual} {page.same or ''} {60 * 'x'}"], LEFT)
    rows = sum(1 + len(pattern.rows) for leg in page.legs for pattern in leg.patterns)
    patterns = 10 + ROW * (rows + bool(rows)) + _lines(page.open, LEFT) if page.legs else 0.0
    moves = 0.0
    if page.table:
        moves = 10 + ROW * (2 + sum(1 + len(group.rows) for group in page.table.groups))
    return risk + patterns + moves


def _right(page: Page) -> float:
    rows = 1.4 * ROW * (len(page.differences) + 1) if page.differences else 0.0
    tests = _lines((test.label + 90 * "x" for test in page.tests), RIGHT)
    return 90 + 20 + _lines([page.difference_summary], RIGHT) + rows + tests


def _bottom(page: Page) -> float:
    told = [f"{one.grade} Right leg: {one.text} {one.dose or ''}" for one in page.advice]
    advice = 13 + (_lines(told, HALF) + len(told)) / 2 if told else 0.0
    return advice + 6 + _lines(page.stop_rules, WIDE) + 16 + 12
