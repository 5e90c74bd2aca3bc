"""Whole-file check of a cohort against the schema: every bad cell at once, by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort.layout import (
    ATHLETE_ID,
    OUTCOMES,
    RED_FLAGS_COLUMN,
    SCREENING_DATE,
    NotAllowed,
    as_number,
    flags,
    moment,
    number,
    plain_text,
    row_columns,
)
from kneerisk.errors import CellFault, CohortRefused
from kneerisk.schema import Category, FloatArray, Measure, Quantity, columns, contradictions
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

YES_OR_NO = text("cohort.allowed.outcome")


def check(frame: pd.DataFrame, source: str, first_line: int = 2) -> list[CellFault]:
    """Every cell of a cohort's rows that breaks the schema, in file order.

    Parameters
    ----------
    frame
        Rows of a cohort, without its constant columns; typed, or text as read from a file.
    source
        What the rows came from, for the message of a refusal.
    first_line
        Line of the first row; the others follow without gaps.

    Returns
    -------
    One fault a bad cell; none where the rows are a cohort's.

    Raises
    ------
    CohortRefused
        Where columns are unknown, or the athlete's id is not among them.
    """
    refuse_columns(frame.columns, source)
    return typed(frame, range(first_line, first_line + len(frame)))[1]


def refuse_columns(names: Sequence[str] | pd.Index[str], source: str) -> None:
    """Refuse columns that a cohort does not have, each by name, and a missing athlete id.

    Parameters
    ----------
    names
        The columns of the rows, without the constant ones.
    source
        What the rows came from, for the message.

    Raises
    ------
    CohortRefused
        With every fault of the header.
    """
    known = set(row_columns())
    faults = [
        text("cohort.not_a_cohort.unknown_column", column=repr(name))
        for name in names
        if name not in known
    ]
    if ATHLETE_ID not in set(names):
        faults.append(text("cohort.not_a_cohort.missing_column", column=repr(ATHLETE_ID)))
    refuse_faults(faults, source)


def refuse_faults(faults: Sequence[str], source: str) -> None:
    """Refuse what is not a cohort, with all its faults, if it has any: `CohortRefused`."""
    if faults:
        heading = text("cohort.not_a_cohort.faults", source=source)
        raise CohortRefused("\n  ".join([heading, *faults]))


def typed(frame: pd.DataFrame, lines: Sequence[int]) -> tuple[pd.DataFrame, list[CellFault]]:
    """Check rows against the schema, column by column, and give their cells types.

    Parameters
    ----------
    frame
        Rows of a cohort with known columns; typed, or text as read from a file.
    lines
        The line of each row, for the faults.

    Returns
    -------
    The rows in canonical column order, and the faults in file order. Numbers and outcomes are
    float64 with NaN, text is object with None. A bad cell is missing in the result, so that rules
    between measures are checked on the good ones.
    """
    measures = columns()
    series: dict[str, Any] = {}
    faults: list[CellFault] = []
    for name in (name for name in row_columns() if name in frame.columns):
        measure = measures.get(name)
        is_text = isinstance(measure, Category) or (measure is None and name not in OUTCOMES)
        values, refusals = _column(frame[name], _reader(name, measure), measure, is_text)
        series[name] = pd.Series(values, dtype=values.dtype)
        unit = measure.unit if isinstance(measure, Quantity) else ""
        faults += [
            CellFault(
                line=lines[row], column=name, rule=refusal.rule, allowed=refusal.allowed,
                unit=unit, code=refusal.code,
            )
            for row, refusal in refusals.items()
        ]  # fmt: skip
    # The copy puts the columns together in memory; without it pandas warns of adding any more.
    clean = pd.DataFrame(series, index=pd.RangeIndex(len(frame))).copy()
    faults += _row_faults(clean, lines)
    return clean, sorted(faults, key=lambda fault: fault.line)


def _column(
    cells: pd.Series[Any], read: Callable[[Any], Any], measure: Measure | None, is_text: bool
) -> tuple[Any, dict[int, NotAllowed]]:
    """One column: numbers all at once, then cell by cell what is not plainly good.

    Each distinct cell is read once, since a column of text repeats itself.
    """
    if pd.api.types.is_float_dtype(cells.dtype) and not is_text:
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan).copy()
        rows = np.flatnonzero(~(np.isnan(values) | _plainly_good(values, measure)))
    else:
        empty = np.full(len(cells), None, dtype=object)
        values = empty if is_text else np.full(len(cells), np.nan)
        rows = np.arange(len(cells))
    results: dict[Any, Any] = {}
    refusals: dict[int, NotAllowed] = {}
    column = cells.tolist()
    for row in rows.tolist():
        cell = column[row]
        if _missing(cell):
            continue
        key = (type(cell), cell)
        if key not in results:
            results[key] = _value_or_refusal(read, cell)
        if isinstance(results[key], NotAllowed):
            refusals[row] = results[key]
            values[row] = None if is_text else np.nan
        else:
            values[row] = results[key]
    return values, refusals


def _plainly_good(values: FloatArray, measure: Measure | None) -> NDArray[np.bool_]:
    if isinstance(measure, Quantity):
        return measure.allows(values)
    return np.isin(values, (0.0, 1.0))


def _value_or_refusal(read: Callable[[Any], Any], cell: Any) -> Any:
    try:
        return read(cell)
    except NotAllowed as refused:
        return refused


def _missing(cell: Any) -> bool:
    return cell is None or cell == "" or cell is pd.NaT or cell is pd.NA or cell != cell


def _reader(name: str, measure: Measure | None) -> Callable[[Any], Any]:
    """What reads one cell of a column, or raises `NotAllowed`."""
    if measure is not None:
        return _measure_reader(measure)
    if name in OUTCOMES:
        return _outcome
    return {SCREENING_DATE: moment, RED_FLAGS_COLUMN: flags}.get(name, plain_text)


def _measure_reader(measure: Measure) -> Callable[[Any], Any]:
    allowed = measure.allowed

    def read(cell: Any) -> Any:
        value = as_number(cell, allowed) if isinstance(measure, Quantity) else cell
        violation = measure.violation(value)
        if violation is not None:
            raise NotAllowed(violation.message, allowed, violation.code)
        return value

    return read


def _outcome(cell: Any) -> float:
    value = number(cell, YES_OR_NO)
    if value not in (0.0, 1.0):
        raise NotAllowed(text("cohort.rule.outcome"), YES_OR_NO, FaultCode.NOT_AN_OUTCOME)
    return value


def _row_faults(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    yield from _missing_athletes(clean, lines)
    yield from _repeated_screenings(clean, lines)
    yield from _contradictions(clean, lines)
    yield from _disagreeing_outcomes(clean, lines)


def _missing_athletes(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    for row in np.flatnonzero(clean[ATHLETE_ID].isna()):
        yield CellFault(
            line=lines[int(row)],
            column=ATHLETE_ID,
            rule=text("shared.fault.missing"),
            allowed=text("cohort.allowed.athlete_id"),
            code=FaultCode.MISSING,
        )


def _repeated_screenings(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    keys = [name for name in (ATHLETE_ID, SCREENING_DATE) if name in clean.columns]
    repeated = clean.duplicated(keys) & clean[ATHLETE_ID].notna()
    for row in np.flatnonzero(repeated):
        yield CellFault(
            line=lines[int(row)],
            column=keys[-1],
            rule=text("cohort.rule.repeated"),
            allowed=text("cohort.allowed.one_row"),
            code=FaultCode.REPEATED_SCREENING,
        )


class _Cells:
    """One row at a time of a frame, as the schema's rules read it (None where missing)."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._columns: dict[str, list[Any]] = {}
        self.row = 0

    def get(self, name: str) -> Any:
        """The value of a column in the present row."""
        if name not in self._columns:
            self._columns[name] = self._values(name)
        return self._columns[name][self.row]

    def _values(self, name: str) -> list[Any]:
        if name not in self._frame.columns:
            return [None] * len(self._frame)
        return [None if value != value else value for value in self._frame[name]]


def _contradictions(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    cells = _Cells(clean)
    for row in range(len(clean)):
        cells.row = row
        for contradiction in contradictions(cells):  # type: ignore[arg-type]
            yield CellFault(
                line=lines[row],
                column=contradiction.column,
                rule=contradiction.message,
                allowed=columns()[contradiction.column].allowed,
                code=contradiction.code,
            )


def _disagreeing_outcomes(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    if not set(OUTCOMES) <= set(clean.columns):
        return
    left, right, either = (clean[name].to_numpy() for name in OUTCOMES)
    some_side = (left == 1) | (right == 1)
    no_side = (left == 0) & (right == 0)
    for row in np.flatnonzero((some_side & (either == 0)) | (no_side & (either == 1))):
        yield CellFault(
            line=lines[int(row)],
            column=OUTCOMES[2],
            rule=text("cohort.rule.outcomes_disagree"),
            allowed=text("cohort.allowed.outcome_either"),
            code=FaultCode.OUTCOMES_DISAGREE,
        )
