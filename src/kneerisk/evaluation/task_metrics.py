"""Rows of a task with their outcomes and risks, and every metric of them under its flat name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.calibration_curves import brier_parts, calibration_index
from kneerisk.evaluation.metrics import accuracy, calibration, discrimination, slope_interval
from kneerisk.schema import FloatArray

#: Fixed, so that the same predictions give the same interval.
BOOTSTRAP_SEED = 20_240_117


@dataclass(frozen=True, slots=True)
class TaskRows:
    """Rows of one task that have an outcome, each array of shape (n_rows,).

    ``place`` is where a row comes from: the screening's number, and in a task of legs that of its
    left leg, the right legs counted on from there (`n_screenings` of them are before).
    """

    probability: FloatArray
    outcome: FloatArray
    athlete: NDArray[np.intp]
    place: NDArray[np.intp]
    n_screenings: int
    sided: bool

    @property
    def screening(self) -> NDArray[np.intp]:
        """The screening of each row."""
        return np.asarray(self.place % max(self.n_screenings, 1), dtype=np.intp)

    def take(self, rows: NDArray[np.bool_]) -> TaskRows:
        """Some of the rows."""
        return TaskRows(
            self.probability[rows], self.outcome[rows], self.athlete[rows], self.place[rows],
            self.n_screenings, self.sided,
        )  # fmt: skip

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """Every metric of these rows that can be measured, under its flat name."""
        found = {
            **discrimination(self.probability, self.outcome, self.athlete, BOOTSTRAP_SEED),
            **accuracy(self.probability, self.outcome),
            **brier_parts(self.probability, self.outcome),
            **calibration(self.probability, self.outcome),
            **slope_interval(self.probability, self.outcome, self.athlete),
            **calibration_index(self.probability, self.outcome),
        }
        return {f"{prefix}{name}": value for name, value in found.items()}


def task_rows_of(
    probability: FloatArray, outcome: FloatArray, athlete: NDArray[np.intp], *, sided: bool
) -> TaskRows:
    """The rows that have an outcome and a risk, of all screenings or of all left and right legs.

    Where the model gives no risk (a knee that hurts now) there is nothing to judge.
    """
    known = np.isfinite(outcome) & np.isfinite(probability)
    n = len(outcome) // 2 if sided else len(outcome)
    return TaskRows(
        probability[known], outcome[known], athlete[known],
        np.flatnonzero(known), n, sided,
    )  # fmt: skip
