"""The rows of a task: who is predicted, at which risk, and with what outcome.

Three tasks are read from one cohort: the model's own (legs, or athletes where there are no sides),
pain in either knee, and which limb hurts where exactly one does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.row_weights import effective_outcomes
from kneerisk.model.prediction import Prediction
from kneerisk.schema import FloatArray

#: Resamples of athletes behind an interval; enough for two digits of a 95 % interval.
RESAMPLES = 500
_SMALLEST = 1e-6


def logit(probability: FloatArray) -> FloatArray:
    """Log-odds; probabilities of exactly 0 and 1 are moved inside by one in a million.

    Parameters
    ----------
    probability
        Any shape.

    Returns
    -------
    Log-odds of the same shape, all finite.
    """
    inside = np.clip(probability, _SMALLEST, 1.0 - _SMALLEST)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Risks:
    """Probabilities of pain, each of shape (n_screenings,), or None where there is no such task.

    Out-of-fold risks also say which screenings one model predicted (``fold``, codes from 0): models
    of different folds have different intercepts, so ranks are compared within a fold alone.
    """

    left: FloatArray | None
    right: FloatArray | None
    either: FloatArray | None
    fold: NDArray[np.intp] | None = None


def risks_of(prediction: Prediction) -> Risks:
    """The probabilities alone of a model's prediction."""
    return Risks(prediction.left, prediction.right, prediction.either)


@dataclass(frozen=True, slots=True)
class TaskRows:
    """Rows of one task that have an outcome and a risk, each array of shape (n_rows,).

    Attributes
    ----------
    probability
        Predicted risk, or any score that rises with it.
    outcome
        0 or 1, or a true probability (a simulated leg): one of 0.3 counts as 0.3 of a row with
        pain and 0.7 of a row without.
    athlete
        Whose row it is, as codes from 0.
    place
        Where a row comes from: the screening's number, and in a task of legs that of its left
        leg, the right legs counted on from there (`n_screenings` of them are before).
    n_screenings
        Of the cohort, with or without an outcome.
    sided
        Whether rows are legs.
    fold
        Which rows one model predicted, as codes; None where one model predicted them all.
    resamples
        Of the athletes, behind an interval that is bootstrapped.
    weight
        How many rows each stands for, above 0; None where all count alike.
    """

    probability: FloatArray
    outcome: FloatArray
    athlete: NDArray[np.intp]
    place: NDArray[np.intp]
    n_screenings: int
    sided: bool
    fold: NDArray[np.intp] | None = None
    resamples: int = RESAMPLES
    weight: FloatArray | None = None

    @property
    def screening(self) -> NDArray[np.intp]:
        """The screening of each row."""
        return np.asarray(self.place % max(self.n_screenings, 1), dtype=np.intp)

    @property
    def weights(self) -> FloatArray:
        """How many rows each stands for, shape (n_rows,)."""
        return np.ones(len(self.outcome)) if self.weight is None else self.weight

    @property
    def size(self) -> float:
        """How many rows these stand for."""
        return float(len(self.outcome)) if self.weight is None else float(self.weight.sum())

    @property
    def effective_outcomes(self) -> tuple[float, float]:
        """How many rows with pain and without it these are worth (Kish)."""
        return effective_outcomes(self.outcome, self.weight)

    def mean(self, values: FloatArray) -> float:
        """The mean over the rows that these stand for.

        Parameters
        ----------
        values
            One for each row, shape (n_rows,).

        Returns
        -------
        Their weighted mean.
        """
        return float(np.average(values, weights=self.weight))

    @property
    def log_odds(self) -> FloatArray:
        """Of the predicted risks, all finite, shape (n_rows,)."""
        return logit(self.probability)

    @property
    def has_both_outcomes(self) -> bool:
        """Whether there is some pain and some absence of it."""
        return bool(len(self.outcome) and self.outcome.min() < 1.0 and self.outcome.max() > 0.0)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> TaskRows:
        """Some of the rows.

        Parameters
        ----------
        rows
            Mask, shape (n_rows,), or positions.

        Returns
        -------
        Those rows, in the same order where it is a mask.
        """
        return replace(
            self,
            probability=self.probability[rows],
            outcome=self.outcome[rows],
            athlete=self.athlete[rows],
            place=self.place[rows],
            fold=None if self.fold is None else self.fold[rows],
            weight=None if self.weight is None else self.weight[rows],
        )


def task_rows(
    probability: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.intp] | None = None,
    *,
    sided: bool = False,
    fold: NDArray[np.intp] | None = None,
    weight: FloatArray | None = None,
) -> TaskRows:
    """The rows that have an outcome and a risk.

    Where the model gives no risk (a knee that hurts now) there is nothing to measure.

    Parameters
    ----------
    probability
        Of all screenings, or of all left and then all right legs, shape (n,); NaN is no risk.
    outcome
        0 to 1, shape (n,); NaN is not known.
    athlete
        Codes from 0, shape (n,); by default every row is another athlete's.
    sided
        Whether rows are legs.
    fold
        Of all screenings, shape (n,), or (n / 2,) of legs.
    weight
        How many rows each stands for, shape (n,); None where all count alike.

    Returns
    -------
    In the same order.
    """
    known = np.isfinite(outcome) & np.isfinite(probability)
    n = len(outcome) // 2 if sided else len(outcome)
    athlete = np.arange(len(outcome)) if athlete is None else athlete
    place = np.flatnonzero(known)
    return TaskRows(
        probability[known], outcome[known], athlete[known], place, n, sided,
        None if fold is None else fold[place % n],
        weight=None if weight is None else weight[known],
    )  # fmt: skip


def own_task(cohort: Cohort, predicted: Risks) -> TaskRows:
    """The model's own rows: legs, or athletes where the cohort or the model has no sides."""
    outcomes = cohort.outcomes()
    if predicted.left is None or predicted.right is None or not cohort.has_sides:
        return either_task(cohort, predicted)
    weights = cohort.weights()
    return task_rows(
        np.concatenate([predicted.left, predicted.right]),
        np.concatenate([outcomes.left, outcomes.right]),
        np.tile(athlete_codes(cohort), 2),
        sided=True,
        fold=predicted.fold,
        weight=None if weights is None else np.concatenate([weights.left, weights.right]),
    )


def either_task(cohort: Cohort, predicted: Risks) -> TaskRows:
    """Rows of the task "pain in either knee", one a screening."""
    either = predicted.either
    if either is None:
        either = np.full(len(cohort.frame), np.nan)
    weights = cohort.weights()
    return task_rows(
        either,
        cohort.outcomes().either,
        athlete_codes(cohort),
        fold=predicted.fold,
        weight=None if weights is None else weights.either,
    )


def which_limb_task(cohort: Cohort, predicted: Risks) -> TaskRows | None:
    """Which leg hurts, where exactly one does: the outcome is left, the score left minus right.

    The difference is one of log-odds, since what both legs share then cancels. A pair counts as the
    leg does whose outcome was less likely to be known.
    """
    if predicted.left is None or predicted.right is None or not cohort.has_sides:
        return None
    outcomes = cohort.outcomes()
    one_sided = outcomes.left + outcomes.right == 1.0
    difference = logit(predicted.left) - logit(predicted.right)
    probability = 1.0 / (1.0 + np.exp(-difference))
    left = np.where(one_sided, outcomes.left, np.nan)
    weights = cohort.weights()
    return task_rows(
        probability,
        left,
        athlete_codes(cohort),
        fold=predicted.fold,
        weight=None if weights is None else np.maximum(weights.left, weights.right),
    )


def athlete_codes(cohort: Cohort) -> NDArray[np.intp]:
    """The athlete of each screening.

    Parameters
    ----------
    cohort
        Any cohort.

    Returns
    -------
    Codes from 0, shape (n_screenings,).
    """
    codes, _ = pd.factorize(cohort.frame["athlete_id"])
    return np.asarray(codes, dtype=np.intp)
