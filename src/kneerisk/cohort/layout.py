"""The layout of a cohort file: its columns in order, and how a cell of each kind is read.

A CSV file holds only text. A cell that looks like a number is read as one here; whether a measure
allows it is decided by `kneerisk.schema.Measure.violation`, as for a request.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any, Final, Literal

from kneerisk.schema import columns
from kneerisk.schema.faults import FaultCode
from kneerisk.schema.screening import red_flag_violation
from kneerisk.schema.sections import RED_FLAGS
from kneerisk.words import text

CohortKind = Literal["simulated", "observed", "adapted"]
OutcomeKind = Literal["new_pain", "present_pain", "past_injury"]

COHORT_KINDS: Final[tuple[CohortKind, ...]] = ("simulated", "observed", "adapted")
OUTCOME_KINDS: Final[tuple[OutcomeKind, ...]] = ("new_pain", "present_pain", "past_injury")

ATHLETE_ID = "athlete_id"
SCREENING_DATE = "screening_date"
GROUP = "group"
RED_FLAGS_COLUMN = "red_flags"
OUTCOMES = ("outcome_left", "outcome_right", "outcome_either")
#: How many athletes each outcome stands for, where that differs (`row_weights`).
WEIGHTS = ("weight_left", "weight_right", "weight_either")

#: One value for the whole cohort, repeated on every row so that a file explains itself.
CONSTANTS = ("cohort_kind", "outcome_kind", "horizon_months", "source")
#: A plain decimal number. What Python reads besides (1_000, spaces) is not one.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?", re.ASCII)

#: What spreadsheets take for a formula: these first letters, wide forms too, with more behind them
#: (OWASP, CSV Injection). An apostrophe in front makes it a text.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20].", re.DOTALL)

DATE_ALLOWED = text("cohort.allowed.date")
NO_RED_FLAG = "none"


def guarded(cell: Any) -> Any:
    """A cell for a CSV file: a text that a spreadsheet would run gets an apostrophe in front.

    Numbers stay as they are, and so do cells that are no text. `unguarded` gives it back.
    """
    if not isinstance(cell, str) or NUMBER.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell):
        return cell
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """A cell of a CSV file without the apostrophe that `guarded` put in front."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def row_columns() -> tuple[str, ...]:
    """Columns that differ by row: who and when, the measures, the outcomes and their weights."""
    return (ATHLETE_ID, SCREENING_DATE, GROUP, *columns(), RED_FLAGS_COLUMN, *OUTCOMES, *WEIGHTS)


class NotAllowed(Exception):
    """A cell that breaks a rule: the rule in words, what is allowed, and a stable code."""

    def __init__(self, rule: str, allowed: str, code: str = FaultCode.BAD_CELL) -> None:
        self.rule = rule
        self.allowed = allowed
        self.code = str(code)
        super().__init__(rule)


def as_number(cell: Any, allowed: str) -> Any:
    """The number that a cell holds, or the cell itself where it holds none.

    Parameters
    ----------
    cell
        A cell as it stands in a file.
    allowed
        What the column takes, for the message.

    Returns
    -------
    A float, finite or not; or the cell unchanged, for the caller to refuse.

    Raises
    ------
    NotAllowed
        Where the text is a number but for its decimal comma.
    """
    if isinstance(cell, str):
        if NUMBER.fullmatch(cell) or NOT_FINITE.fullmatch(cell):
            return float(cell)
        if DECIMAL_COMMA.fullmatch(cell):
            raise NotAllowed(
                text("sheet.rule.cohort.decimal_mark"), allowed, FaultCode.DECIMAL_MARK
            )
        return cell
    return cell if isinstance(cell, bool) or not hasattr(cell, "__float__") else float(cell)


def number(cell: Any, allowed: str) -> float:
    """A finite number from a number or its decimal text; `NotAllowed` says why a cell is none."""
    value = as_number(cell, allowed)
    if not isinstance(value, float):
        raise NotAllowed(text("shared.fault.not_a_number"), allowed, FaultCode.NOT_A_NUMBER)
    if not math.isfinite(value):
        raise NotAllowed(text("shared.fault.not_finite"), allowed, FaultCode.NOT_FINITE)
    return value


def moment(cell: Any) -> str:
    """An ISO date, or date and time, as text."""
    moment_text = cell.isoformat() if isinstance(cell, date) else cell
    if not isinstance(moment_text, str) or not DATE.fullmatch(moment_text):
        raise NotAllowed(text("cohort.rule.not_a_date"), DATE_ALLOWED, FaultCode.NOT_A_DATE)
    try:
        datetime.fromisoformat(moment_text)
    except ValueError:
        rule = text("cohort.rule.no_such_day")
        raise NotAllowed(rule, DATE_ALLOWED, FaultCode.NOT_A_DATE) from None
    return moment_text


def flags(cell: Any) -> str:
    """Red flags as codes joined by ';', or 'none'."""
    allowed = text("cohort.allowed.red_flags", none=NO_RED_FLAG, codes=", ".join(RED_FLAGS))
    if not isinstance(cell, str):
        raise NotAllowed(text("shared.fault.not_text"), allowed, FaultCode.NOT_TEXT)
    if cell == NO_RED_FLAG:
        return NO_RED_FLAG
    for violation in map(red_flag_violation, cell.split(";")):
        if violation is not None:
            raise NotAllowed(violation.message, allowed, violation.code)
    return cell


def plain_text(cell: Any) -> str:
    """Text; whole numbers are read as their digits, as spreadsheets turn ids into numbers."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int):
        raise NotAllowed(
            text("shared.fault.not_text"), text("cohort.allowed.text"), FaultCode.NOT_TEXT
        )
    return str(cell)
