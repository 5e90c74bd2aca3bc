"""What baselines read: simple matrices of measures, and the rows of legs and of either knee.

Simple on purpose and apart from the model's feature matrix, so that an error in that one can't hide
in its baselines as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder

from kneerisk.cohort import Cohort
from kneerisk.schema import (
    SIDES,
    Category,
    Columns,
    FloatArray,
    Measure,
    Side,
    athlete_measures,
    columns,
    leg_measures,
)


@dataclass(frozen=True, slots=True)
class Design:
    """Which measures a baseline reads: named lists, so that it can be logged."""

    athlete: tuple[str, ...]
    leg: tuple[str, ...]

    def leg_matrix(self, data: Columns, side: Side) -> FloatArray:
        """Athlete measures, and of each leg measure: own, other, own minus other.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.
        side
            Which leg is its own.

        Returns
        -------
        Shape (n, p), missing as NaN.
        """
        other: Side = "right" if side == "left" else "left"
        matrix = [*self._athlete_columns(data)]
        for name in self.leg:
            own, across = data[f"{side}_{name}"], data[f"{other}_{name}"]
            matrix += [own, across, own - across]
        return _stack(matrix, data)

    def either_matrix(self, data: Columns) -> FloatArray:
        """Athlete measures, and of each leg measure: mean of both legs, absolute difference.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.

        Returns
        -------
        Shape (n, p), missing as NaN.
        """
        matrix = [*self._athlete_columns(data)]
        for name in self.leg:
            left, right = (data[f"{side}_{name}"] for side in SIDES)
            matrix += [(left + right) / 2.0, np.abs(left - right)]
        return _stack(matrix, data)

    def _athlete_columns(self, data: Columns) -> Iterator[FloatArray]:
        for name in self.athlete:
            measure = columns()[name]
            if isinstance(measure, Category) and not measure.ordinal and len(measure.choices) > 2:
                yield from _one_hot(data[name], len(measure.choices)).T
            else:
                yield data[name]


def logistic_design() -> Design:
    """Every measure that may enter a model."""
    return Design(athlete=_inputs(athlete_measures()), leg=_inputs(leg_measures()))


def _one_hot(codes: FloatArray, n_choices: int) -> FloatArray:
    """One column for each choice, shape (n, n_choices); all 0 where the choice is missing."""
    encoder = OneHotEncoder(
        categories=[np.arange(n_choices, dtype=np.float64)],
        handle_unknown="ignore",
        sparse_output=False,
    )
    return np.asarray(encoder.fit_transform(codes[:, None]), dtype=np.float64)


def _inputs(measures: dict[str, Measure]) -> tuple[str, ...]:
    return tuple(name for name, measure in measures.items() if measure.model_input)


def _stack(matrix: list[FloatArray], data: Columns) -> FloatArray:
    return np.column_stack(matrix) if matrix else np.empty((n_screenings(data), 0))


def n_screenings(data: Columns) -> int:
    """How many screenings coded columns are of.

    Parameters
    ----------
    data
        Coded columns, shape (n,) each.

    Returns
    -------
    n
    """
    return len(next(iter(data.values())))


class TaskMatrix(NamedTuple):
    """The n rows of a task: p columns (n, p), and outcomes, athletes and weights (n,)."""

    matrix: FloatArray
    outcome: FloatArray
    athlete: NDArray[np.object_]
    weight: FloatArray | None


def task_matrices(cohort: Cohort, design: Design) -> tuple[TaskMatrix | None, TaskMatrix]:
    """The rows of legs, where the cohort has sides, and those of either knee.

    Parameters
    ----------
    cohort
        With outcomes.
    design
        Which measures are read.

    Returns
    -------
    Left legs first, then the right ones; and a row for each screening.
    """
    data, outcomes, weights = cohort.columns(), cohort.outcomes(), cohort.weights()
    athlete = cohort.frame["athlete_id"].astype(str).to_numpy()
    either_weight = None if weights is None else weights.either
    either = TaskMatrix(design.either_matrix(data), outcomes.either, athlete, either_weight)
    if not cohort.has_sides:
        return None, either
    matrix = np.vstack([design.leg_matrix(data, side) for side in SIDES])
    weight = None if weights is None else np.concatenate([weights.left, weights.right])
    legs = np.concatenate([outcomes.left, outcomes.right])
    return TaskMatrix(matrix, legs, np.tile(athlete, 2), weight), either
