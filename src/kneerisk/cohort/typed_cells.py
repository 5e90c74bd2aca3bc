"""Cells of a column as a file has them, checked against the schema and given their type.

A column is read at once where all of it is plainly good, so that a million rows take seconds; what
is not is read cell by cell by the same rules, which say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kneerisk.cohort.layout import (
    OUTCOMES,
    RED_FLAGS_COLUMN,
    SCREENING_DATE,
    WEIGHTS,
    NotAllowed,
    as_number,
    flags,
    moment,
    number,
    plain_text,
)
from kneerisk.schema import Category, FloatArray, Measure, Quantity
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

YES_OR_NO = text("cohort.allowed.outcome")
ABOVE_ZERO = text("cohort.allowed.weight")


def typed_column(
    cells: pd.Series[Any], name: str, measure: Measure | None
) -> tuple[Any, dict[int, NotAllowed]]:
    """Give the cells of one column their type.

    Numbers are read all at once, then cell by cell what is not plainly good. Each distinct cell is
    read once, since a column of text repeats itself.

    Parameters
    ----------
    cells
        The column as it stands in the file.
    name
        Its name.
    measure
        The measure that it holds; None where it holds none.

    Returns
    -------
    Values, missing where a cell is bad: float64 with NaN, or of a column of text objects with None.
    The rows of bad cells, and why each is bad.
    """
    read = _reader(name, measure)
    is_text = isinstance(measure, Category) or (
        measure is None and name not in (*OUTCOMES, *WEIGHTS)
    )
    if is_text and _holds_texts(cells):
        return _distinct_texts(cells, read)
    numbers = None if is_text else _numbers(cells)
    if numbers is not None:
        values = numbers
        rows = np.flatnonzero(~(np.isnan(values) | _plainly_good(values, name, measure)))
    else:
        empty = np.full(len(cells), None, dtype=object)
        values = empty if is_text else np.full(len(cells), np.nan)
        rows = np.arange(len(cells))
    column = cells.tolist() if len(rows) else []
    results: dict[Any, Any] = {}
    refusals: dict[int, NotAllowed] = {}
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


def _holds_texts(cells: pd.Series[Any]) -> bool:
    """Whether a column has nothing but texts and what is missing."""
    if isinstance(cells.dtype, pd.ArrowDtype):
        return bool(pa.types.is_string(cells.dtype.pyarrow_dtype))
    if isinstance(cells.dtype, pd.StringDtype):
        return True
    return {*map(type, cells.tolist())} <= {str, type(None)}


def _distinct_texts(
    cells: pd.Series[Any], read: Callable[[Any], Any]
) -> tuple[Any, dict[int, NotAllowed]]:
    """A column of nothing but texts, of which each distinct one is read once."""
    place, distinct = pd.factorize(cells)
    found = [_value_or_refusal(read, cell) if cell else None for cell in distinct.tolist()]
    refused = {at: value for at, value in enumerate(found) if isinstance(value, NotAllowed)}
    # A missing cell has place -1, that of the last value.
    values = np.empty(len(found) + 1, dtype=object)
    values[:-1] = [None if at in refused else value for at, value in enumerate(found)]
    rows = np.flatnonzero(np.isin(place, list(refused))).tolist()
    return values[place], {row: refused[int(place[row])] for row in rows}


def _numbers(cells: pd.Series[Any]) -> FloatArray | None:
    """A column of numbers, or of plain decimal texts, as numbers; None where it holds more."""
    if pd.api.types.is_float_dtype(cells.dtype):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    if not _holds_texts(cells):
        return None
    is_plain = cells.dtype == object
    written = pa.array(cells.tolist() if is_plain else cells.array, pa.string(), from_pandas=True)
    written = pc.if_else(pc.equal(written, ""), None, written)
    try:
        values = np.array(pc.cast(written, pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return None
    # Arrow reads plain decimals, and besides them the words for what is no finite number.
    if np.isinf(values).any() or np.isnan(values).sum() != written.null_count:
        return None
    return values


def _plainly_good(values: FloatArray, name: str, measure: Measure | None) -> NDArray[np.bool_]:
    if isinstance(measure, Quantity):
        return measure.allows(values)
    if name in WEIGHTS:
        return np.isfinite(values) & (values > 0.0)
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
    if name in WEIGHTS:
        return _weight
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


def _weight(cell: Any) -> float:
    value = number(cell, ABOVE_ZERO)
    if value <= 0.0:
        raise NotAllowed(text("cohort.rule.weight"), ABOVE_ZERO, FaultCode.NOT_A_WEIGHT)
    return value
