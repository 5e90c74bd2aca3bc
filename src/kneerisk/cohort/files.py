"""The canonical cohort file: screenings with their outcomes, as CSV or Parquet.

One row a screening; `kneerisk.cohort.layout` names the columns. An empty outcome is one that
nobody recorded, which is not "no pain".
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kneerisk.cohort.file_rows import RawTable, read_table, suffix_of
from kneerisk.cohort.file_validation import check, coded_cells, refuse_columns, refuse_faults, typed
from kneerisk.cohort.layout import (
    COHORT_KINDS,
    CONSTANTS,
    OUTCOME_KINDS,
    OUTCOMES,
    CohortKind,
    OutcomeKind,
    guarded,
)
from kneerisk.cohort.row_weights import RowWeights, faults_of_weights, row_weights
from kneerisk.errors import BadCells, CohortRefused
from kneerisk.schema import SIDES, FloatArray, whole_columns
from kneerisk.words import text

__all__ = [
    "Cohort",
    "CohortKind",
    "OutcomeKind",
    "Outcomes",
    "check",
    "read",
    "write",
]


class Outcomes(NamedTuple):
    """Outcomes, each of shape (n_screenings,): 1 pain, 0 none, NaN not recorded."""

    left: FloatArray
    right: FloatArray
    either: FloatArray


@dataclass(frozen=True, eq=False)
class Cohort:
    """Screenings with outcomes of one kind."""

    frame: pd.DataFrame
    """One row a screening, canonical columns without the constant ones."""
    kind: CohortKind
    outcome_kind: OutcomeKind
    horizon_months: int | None
    """How long athletes were followed for new pain; None for present pain and past injury."""
    source: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cohort):
            return NotImplemented
        return self.constants == other.constants and self.frame.equals(other.frame)

    __hash__ = None  # type: ignore[assignment]

    @property
    def constants(self) -> dict[str, str | int | None]:
        """What holds for every row, by column name."""
        values = (self.kind, self.outcome_kind, self.horizon_months, self.source)
        return dict(zip(CONSTANTS, values, strict=True))

    @property
    def has_sides(self) -> bool:
        """Whether the outcome is known by leg."""
        return OUTCOMES[0] in self.frame.columns and OUTCOMES[1] in self.frame.columns

    def columns(self) -> dict[str, FloatArray]:
        """Every canonical measure coded as numbers.

        Returns
        -------
        By column, shape (n_screenings,): a quantity in its unit, a category as the position of the
        choice, NaN where it was not measured.
        """
        return coded_cells(self.frame)

    def outcomes(self) -> Outcomes:
        """Outcomes by leg and for either leg; either follows from the legs where both are known.

        Where one leg alone is known, either stays missing: a painful leg would settle it and a leg
        free of pain would not, so that athletes would count only if they have pain. A knee that
        hurts at the screening can't get new pain: it has no such outcome.

        Returns
        -------
        Three arrays of shape (n_screenings,).
        """
        left, right, either = (self._numbers(name) for name in OUTCOMES)
        if self.outcome_kind == "new_pain":
            left_hurts, right_hurts = (self._numbers(f"{side}_pain_nrs") > 0 for side in SIDES)
            left = np.where(left_hurts, np.nan, left)
            right = np.where(right_hurts, np.nan, right)
            either = np.where(left_hurts | right_hurts, np.nan, either)
        return Outcomes(left, right, np.where(np.isnan(either), np.maximum(left, right), either))

    def weights(self) -> RowWeights | None:
        """How many athletes each outcome stands for; None where all count alike."""
        return row_weights(self.frame, self.outcomes())

    def _numbers(self, name: str) -> FloatArray:
        """A column of numbers, shape (n_screenings,); NaN where the cohort has none of it."""
        if name not in self.frame:
            return np.full(len(self.frame), np.nan)
        return self.frame[name].to_numpy(dtype=np.float64)


def read(path: str | Path) -> Cohort:
    """A cohort from its file; both formats give equal cohorts.

    Parameters
    ----------
    path
        A file that ends in .csv or .parquet.

    Returns
    -------
    The cohort, every cell of it checked.

    Raises
    ------
    BadCells
        With every cell that breaks the schema.
    CohortRefused
        Where the file is no cohort: unknown or missing columns, no outcome, no rows.
    """
    path = Path(path)
    raw = read_table(path)
    constants = _constants(raw, str(path))
    rows = raw.frame.drop(columns=list(CONSTANTS))
    refuse_columns(rows.columns, str(path))
    frame, faults = typed(rows, raw.lines)
    if faults:
        raise BadCells(str(path), faults)
    _refuse_without_outcome(frame, str(path))
    return Cohort(frame, **constants)


def write(cohort: Cohort, path: str | Path) -> None:
    """Write a cohort, all of it or nothing.

    Parameters
    ----------
    cohort
        The cohort; it is checked first.
    path
        Where to; the ending, .csv or .parquet, says which format.

    Raises
    ------
    BadCells, CohortRefused
        Where `read` would refuse the file.
    """
    path = Path(path)
    suffix = suffix_of(path)
    frame = checked(cohort).frame
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if suffix == ".csv":
                _write_csv(frame, cohort, unfinished)
            else:
                _write_parquet(frame, cohort, unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        reason = text("cohort.file.unwritable", file=path, reason=error.strerror)
        raise CohortRefused(reason) from None


def checked(cohort: Cohort) -> Cohort:
    """The same cohort in canonical column order and types.

    Parameters
    ----------
    cohort
        A cohort made in memory.

    Returns
    -------
    The cohort as `read` would give it after `write`.

    Raises
    ------
    BadCells, CohortRefused
        Where `read` would refuse its file.
    """
    refuse_columns(cohort.frame.columns, cohort.source)
    frame, faults = typed(cohort.frame, list(range(2, len(cohort.frame) + 2)))
    if faults:
        raise BadCells(cohort.source, faults)
    _refuse_without_outcome(frame, cohort.source)
    constants = {name: _text(value) for name, value in cohort.constants.items()}
    return Cohort(frame, **_read_constants(constants, cohort.source))


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _constants(raw: RawTable, source: str) -> dict[str, Any]:
    absent = [repr(name) for name in CONSTANTS if name not in raw.frame]
    faults = [text("cohort.not_a_cohort.missing_column", column=name) for name in absent]
    if not len(raw.frame):
        faults.append(text("cohort.not_a_cohort.no_rows"))
    constants: dict[str, str] = {}
    for name in CONSTANTS if not faults else ():
        values = {"" if value is None else _digits(value) for value in raw.frame[name]}
        if len(values) > 1:
            faults.append(text("cohort.not_a_cohort.several_values", column=repr(name)))
        constants[name] = values.pop()
    refuse_faults(faults, source)
    return _read_constants(constants, source)


def _digits(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:g}"
    return str(value)


def _read_constants(constants: dict[str, str], source: str) -> dict[str, Any]:
    kind, outcome_kind, months, origin = (constants[name] for name in CONSTANTS)
    faults = []
    if kind not in COHORT_KINDS:
        faults.append(text("cohort.not_a_cohort.cohort_kind", kinds=", ".join(COHORT_KINDS)))
    if outcome_kind not in OUTCOME_KINDS:
        faults.append(text("cohort.not_a_cohort.outcome_kind", kinds=", ".join(OUTCOME_KINDS)))
    if outcome_kind == "new_pain" and not (months.isascii() and months.isdigit() and int(months)):
        faults.append(text("cohort.not_a_cohort.horizon"))
    if outcome_kind != "new_pain" and months:
        faults.append(text("cohort.not_a_cohort.no_horizon"))
    if not origin:
        faults.append(text("cohort.not_a_cohort.source"))
    refuse_faults(faults, source)
    values = (kind, outcome_kind, int(months) if months else None, origin)
    return dict(zip(("kind", "outcome_kind", "horizon_months", "source"), values, strict=True))


def _refuse_without_outcome(frame: pd.DataFrame, source: str) -> None:
    left, right, either = (name in frame.columns for name in OUTCOMES)
    if not len(frame):
        raise CohortRefused(text("cohort.not_a_cohort.without_rows", source=source))
    if left != right or not (left or either):
        raise CohortRefused(text("cohort.not_a_cohort.without_outcome", source=source))
    refuse_faults(list(faults_of_weights(frame.columns)), source)


def _integer_columns(frame: pd.DataFrame) -> list[str]:
    integers = whole_columns() | set(OUTCOMES)
    return [name for name in frame.columns if name in integers]


def _write_csv(frame: pd.DataFrame, cohort: Cohort, path: Path) -> None:
    integers = _integer_columns(frame)
    cells: dict[str, Any] = {
        name: frame[name].astype("Int64") if name in integers else _texts(frame[name])
        for name in frame.columns
    }
    cells |= {name: [guarded(value)] * len(frame) for name, value in cohort.constants.items()}
    # pandas writes a float with as many digits as bring back the same float.
    pd.DataFrame(cells).to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    return column if pd.api.types.is_numeric_dtype(column) else column.map(guarded)


def _write_parquet(frame: pd.DataFrame, cohort: Cohort, path: Path) -> None:
    arrays: dict[str, Any] = {}
    for name in frame.columns:
        numeric = frame[name].dtype == np.float64
        kind = pa.float64() if numeric else pa.string()
        arrays[name] = pa.array(frame[name].to_numpy(), type=kind, from_pandas=True)
    for name, value in cohort.constants.items():
        kind = pa.int64() if name == "horizon_months" else pa.string()
        arrays[name] = pa.array([value] * len(frame), type=kind)
    pq.write_table(pa.table(arrays), path)
