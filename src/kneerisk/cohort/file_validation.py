"""Whole-file check of a cohort against the schema: every bad cell at once, by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.layout import (
    ATHLETE_ID,
    OUTCOMES,
    SCREENING_DATE,
    WEIGHTS,
    row_columns,
)
from kneerisk.cohort.typed_cells import typed_column
from kneerisk.errors import CellFault, CohortRefused
from kneerisk.schema import Category, FloatArray, Measure, Quantity, columns, contradictions
from kneerisk.schema.faults import FaultCode
from kneerisk.schema.rules import may_contradict
from kneerisk.words import text


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
        values, refusals = typed_column(frame[name], name, measure)
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


def _row_faults(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    yield from _missing_athletes(clean, lines)
    yield from _repeated_screenings(clean, lines)
    yield from _contradictions(clean, lines)
    yield from _disagreeing_outcomes(clean, lines)
    yield from _missing_weights(clean, lines)


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
        yield repeated_screening(lines[int(row)], keys[-1])


def repeated_screening(line: int, column: str) -> CellFault:
    """The fault of a row whose athlete and date stand further up already."""
    return CellFault(
        line=line,
        column=column,
        rule=text("cohort.rule.repeated"),
        allowed=text("cohort.allowed.one_row"),
        code=FaultCode.REPEATED_SCREENING,
    )


def coded_cells(clean: pd.DataFrame) -> dict[str, FloatArray]:
    """Every canonical measure of typed rows coded as numbers.

    Parameters
    ----------
    clean
        Rows as `typed` gives them.

    Returns
    -------
    By column, shape (n_rows,): a quantity in its unit, a category as the position of the choice,
    NaN where it was not measured or the file has no such column.
    """
    absent = np.full(len(clean), np.nan)
    return {
        name: _coded(clean[name], measure) if name in clean.columns else absent
        for name, measure in columns().items()
    }


def _coded(values: pd.Series[Any], measure: Measure) -> FloatArray:
    if not isinstance(measure, Category):
        return np.asarray(values, dtype=np.float64)
    codes = {choice: float(code) for code, choice in enumerate(measure.choices)}
    place, distinct = pd.factorize(values.to_numpy(dtype=object))
    # A missing cell has place -1, that of the last code.
    return np.array([*(codes.get(value, np.nan) for value in distinct), np.nan])[place]


def _contradictions(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    suspected = np.flatnonzero(may_contradict(coded_cells(clean)))
    for row, cells in zip(
        suspected.tolist(), clean.iloc[suspected].to_dict("records"), strict=True
    ):
        values = {name: None if value != value else value for name, value in cells.items()}
        for contradiction in contradictions(values):  # type: ignore[arg-type]
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


def _missing_weights(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    for outcome, weight in zip(OUTCOMES, WEIGHTS, strict=True):
        if outcome not in clean.columns or weight not in clean.columns:
            continue
        for row in np.flatnonzero(clean[outcome].notna() & clean[weight].isna()):
            yield CellFault(
                line=lines[int(row)],
                column=weight,
                rule=text("cohort.rule.no_weight"),
                allowed=text("cohort.allowed.weight"),
                code=FaultCode.NOT_A_WEIGHT,
            )
