"""How one cell of a cohort file is read, or why it is not allowed."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any

from kneerisk.schema.history import RED_FLAGS

#: A plain decimal number. What Python reads besides (1_000, nan, spaces) is not one.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?", re.ASCII)

DATE_ALLOWED = "an ISO date such as 2024-05-31, or with a time, 2024-05-31T13:22"
NO_RED_FLAG = "none"


class NotAllowed(Exception):
    """A cell that breaks a rule: the rule in words, what is allowed, and a stable code."""

    def __init__(self, rule: str, allowed: str, code: str = "bad_cell") -> None:
        self.rule = rule
        self.allowed = allowed
        self.code = code
        super().__init__(rule)


def number(cell: Any, allowed: str) -> float:
    """A finite number from a number or its decimal text."""
    if isinstance(cell, str):
        if not NUMBER.fullmatch(cell):
            comma = DECIMAL_COMMA.fullmatch(cell)
            told = "has a decimal comma" if comma else "is not a number"
            raise NotAllowed(told, allowed, "decimal_mark" if comma else "not_a_number")
    elif isinstance(cell, bool) or not hasattr(cell, "__float__"):
        raise NotAllowed("is not a number", allowed, "not_a_number")
    value = float(cell)
    if not math.isfinite(value):
        raise NotAllowed("is not a finite number", allowed, "not_a_number")
    return value


def moment(cell: Any) -> str:
    """An ISO date, or date and time, as text."""
    text = cell.isoformat() if isinstance(cell, date) else cell
    if not isinstance(text, str) or not DATE.fullmatch(text):
        raise NotAllowed("is not an ISO date", DATE_ALLOWED)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise NotAllowed("is not a day of the calendar", DATE_ALLOWED) from None
    return text


def flags(cell: Any) -> str:
    """Red flags as codes joined by ';', or 'none'."""
    allowed = f"{NO_RED_FLAG}, or codes joined by ';' out of {', '.join(RED_FLAGS)}"
    if cell == NO_RED_FLAG:
        return NO_RED_FLAG
    codes = cell.split(";") if isinstance(cell, str) else [""]
    if not set(codes) <= set(RED_FLAGS):
        raise NotAllowed("holds a word that is not a red flag", allowed, "unknown_word")
    if len(set(codes)) < len(codes):
        raise NotAllowed("names a red flag twice", allowed)
    return ";".join(codes)


def plain_text(cell: Any) -> str:
    """Text; whole numbers are read as their digits, as spreadsheets turn ids into numbers."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int):
        raise NotAllowed("is not text", "text")
    return str(cell)
