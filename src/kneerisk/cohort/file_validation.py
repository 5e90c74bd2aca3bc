"""Whole-file check of a cohort against the schema: every bad cell at once, by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.cells import NotAllowed, flags, moment, number, plain_text
from kneerisk.cohort.layout import (
    ATHLETE_ID,
    OUTCOMES,
    RED_FLAGS_COLUMN,
    SCREENING_DATE,
    row_columns,
)
from kneerisk.errors import CellFault, CohortRefused
from kneerisk.schema import Category, FloatArray, Measure, Quantity, columns, contradictions

YES_OR_NO = "0, 1 or empty"


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

    Raises
    ------
    CohortRefused
        Where columns are unknown, or the athlete's id is not among them.
    """
    refuse_columns(frame.columns, source)
    return typed(frame, range(first_line, first_line + len(frame)))[1]


def refuse_columns(names: Sequence[str] | pd.Index[str], source: str) -> None:
    """Refuse columns that a cohort does not have, each by name, and a missing athlete id.

    Raises
    ------
    CohortRefused
        With every fault of the header.
    """
    known = set(row_columns())
    faults = [f"unknown column {name!r}" for name in names if name not in known]
    if ATHLETE_ID not in set(names):
        faults.append(f"column {ATHLETE_ID!r} is missing")
    if faults:
        raise CohortRefused("\n".join([f"{source} is not a cohort:", *(f"  {f}" for f in faults)]))


def typed(frame: pd.DataFrame, lines: Sequence[int]) -> tuple[pd.DataFrame, list[CellFault]]:
    """Rows with typed cells, in canonical column order, and the faults of those that are not.

    Numbers and outcomes become float64 with NaN, text becomes object with None. A bad cell is
    missing in the result, so that rules between measures are checked on the good ones.
    """
    measures = columns()
    done: dict[str, Any] = {}
    faults: list[CellFault] = []
    for name in (name for name in row_columns() if name in frame.columns):
        measure = measures.get(name)
        text = _is_text(name, measure)
        parsed, bad = _column(frame[name], _reader(name, measure), measure, text)
        done[name] = pd.Series(parsed, dtype=parsed.dtype)
        unit = measure.unit if isinstance(measure, Quantity) else ""
        faults += [
            CellFault(line=lines[int(row)], column=name, rule=rule, allowed=allowed, unit=unit)
            for row, rule, allowed in bad
        ]
    # The copy puts the columns together in memory; without it pandas warns of adding any more.
    clean = pd.DataFrame(done, index=pd.RangeIndex(len(frame))).copy()
    faults += _row_faults(clean, lines)
    return clean, sorted(faults, key=lambda fault: fault.line)


def _column(
    cells: pd.Series[Any], read: Callable[[Any], Any], measure: Measure | None, text: bool
) -> tuple[Any, list[tuple[int, str, str]]]:
    """One column: numbers all at once, then cell by cell what is not plainly good.

    Each distinct cell is read once, since a column of text repeats itself.
    """
    if pd.api.types.is_float_dtype(cells.dtype) and not text:
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan).copy()
        rows = np.flatnonzero(~(np.isnan(values) | _plainly_good(values, measure)))
    else:
        values = np.full(len(cells), None if text else np.nan, dtype=object if text else np.float64)
        rows = np.arange(len(cells))
    known: dict[Any, Any] = {}
    bad: list[tuple[int, str, str]] = []
    column = cells.tolist()
    for row in rows:
        cell = column[row]
        if _missing(cell):
            continue
        key = (type(cell), cell)
        if key not in known:
            known[key] = _try(read, cell)
        if isinstance(found := known[key], NotAllowed):
            bad.append((int(row), found.rule, found.allowed))
            found = None
        values[row] = found
    return values, bad


def _plainly_good(values: FloatArray, measure: Measure | None) -> Any:
    if not isinstance(measure, Quantity):
        return (values == 0.0) | (values == 1.0)
    within = (values >= measure.low) & (values <= measure.high)
    return within & (values == np.round(values)) if measure.whole else within


def _try(read: Callable[[Any], Any], cell: Any) -> Any:
    try:
        return read(cell)
    except NotAllowed as refused:
        return refused


def _missing(cell: Any) -> bool:
    return cell is None or cell == "" or cell is pd.NaT or cell is pd.NA or cell != cell


def _is_text(name: str, measure: Measure | None) -> bool:
    return isinstance(measure, Category) or (measure is None and name not in OUTCOMES)


def _reader(name: str, measure: Measure | None) -> Callable[[Any], Any]:
    """What reads one cell of a column, or raises `NotAllowed`."""
    if isinstance(measure, Quantity):
        return _quantity(measure)
    if isinstance(measure, Category):
        return _category(measure)
    if name in OUTCOMES:
        return _outcome
    return {SCREENING_DATE: moment, RED_FLAGS_COLUMN: flags}.get(name, plain_text)


def _quantity(measure: Quantity) -> Callable[[Any], float]:
    allowed = measure.allowed

    def read(cell: Any) -> float:
        value = number(cell, allowed)
        if not measure.low <= value <= measure.high:
            raise NotAllowed("is outside the limits", allowed)
        if measure.whole and value != round(value):
            raise NotAllowed("is not a whole number", allowed)
        return value

    return read


def _category(measure: Category) -> Callable[[Any], str]:
    def read(cell: Any) -> str:
        if cell not in measure.choices:
            raise NotAllowed("is not one of the choices", measure.allowed)
        return str(cell)

    return read


def _outcome(cell: Any) -> float:
    value = number(cell, YES_OR_NO)
    if value not in (0.0, 1.0):
        raise NotAllowed("is neither 0 nor 1", YES_OR_NO)
    return value


def _row_faults(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    yield from _without_athlete(clean, lines)
    yield from _repeats(clean, lines)
    yield from _against_rules(clean, lines)
    yield from _outcomes_that_disagree(clean, lines)


def _without_athlete(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    for row in np.flatnonzero(clean[ATHLETE_ID].isna()):
        yield CellFault(
            line=lines[int(row)], column=ATHLETE_ID, rule="is missing", allowed="the athlete's id"
        )


def _repeats(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    keys = [name for name in (ATHLETE_ID, SCREENING_DATE) if name in clean.columns]
    again = clean.duplicated(keys) & clean[ATHLETE_ID].notna()
    for row in np.flatnonzero(again):
        yield CellFault(
            line=lines[int(row)],
            column=keys[-1],
            rule="repeats an athlete and date of an earlier line",
            allowed="one row for each athlete and date (and time, where a day has several)",
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


def _against_rules(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    cells = _Cells(clean)
    for row in range(len(clean)):
        cells.row = row
        for found in contradictions(cells):  # type: ignore[arg-type]
            allowed = columns()[found.column].allowed
            yield CellFault(
                line=lines[int(row)], column=found.column, rule=found.message, allowed=allowed
            )


def _outcomes_that_disagree(clean: pd.DataFrame, lines: Sequence[int]) -> Iterator[CellFault]:
    if not set(OUTCOMES) <= set(clean.columns):
        return
    left, right, either = (clean[name].to_numpy() for name in OUTCOMES)
    one = (left == 1) | (right == 1)
    none = (left == 0) & (right == 0)
    for row in np.flatnonzero((one & (either == 0)) | (none & (either == 1))):
        yield CellFault(
            line=lines[int(row)],
            column=OUTCOMES[2],
            rule="disagrees with the two sides",
            allowed="1 where a side is 1, 0 where both are 0",
        )
