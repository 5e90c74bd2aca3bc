"""The linear part of the risk: a penalised logistic model in two steps.

Within: how the legs of one athlete differ, fitted on athletes of whom just one leg has the
outcome (a conditional likelihood, free of everything the legs share). Between: everything else,
on all leg rows, with the within part as one more column. An outcome may be a probability, so that
a simulated cohort's true risks are fitted as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kneerisk.model.feature_columns import Column
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.rowwise import row_sums
from kneerisk.schema import FloatArray

#: Newton's method needs a handful of steps; more would mean a problem without a solution.
MOST_STEPS = 60
#: Slope of the loss, per unit of weight, at which a fit is done.
SMALL_SLOPE = 1e-8
#: Values beyond this many SDs of the training cohort count as this many.
FARTHEST_SD = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """Centre and spread of columns in the training cohort; a missing value is the centre."""

    columns: tuple[Column, ...]
    centre: FloatArray
    spread: FloatArray

    def apply(self, values: FloatArray) -> FloatArray:
        """Standardised values, of the same shape (..., len(columns))."""
        z = (np.where(np.isnan(values), self.centre, values) - self.centre) / self.spread
        return np.clip(z, -FARTHEST_SD, FARTHEST_SD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A fitted linear part; coefficients are per SD of the training cohort."""

    within: Scaler
    between: Scaler
    within_weights: FloatArray
    between_weights: FloatArray
    scale: float
    intercept: float

    def log_odds(self, legs: FeatureMatrix) -> FloatArray:
        """Log-odds of each leg, shape (n_screenings, 2)."""
        half = self.which_limb(legs) / 2.0 * self.scale
        level = self.between.apply(between_values(legs, self.between.columns))
        shared = row_sums(level * self.between_weights) + self.intercept
        return np.stack([shared + half, shared - half], axis=1)

    def which_limb(self, legs: FeatureMatrix) -> FloatArray:
        """Log-odds that it is the left leg, given that it is just one; shape (n_screenings,)."""
        apart = self.within.apply(within_values(legs, self.within.columns))
        return row_sums(apart * self.within_weights)


def within_values(legs: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """Left minus right, shape (n, len(columns)); what is not known does not differ."""
    sides = legs.pick(columns)
    return np.nan_to_num(sides[:, 0] - sides[:, 1])


def between_values(legs: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """The mean of both legs, shape (n, len(columns)); of an athlete's column, its value."""
    sides = legs.pick(columns)
    return np.asarray((sides[:, 0] + sides[:, 1]) / 2.0)


def scaler(
    columns: tuple[Column, ...],
    values: FloatArray,
    *,
    centred: bool,
    least: FloatArray | float = 0.0,
) -> Scaler:
    """Centre and spread of columns, shape (n, len(columns)); columns that never vary are left out.

    A difference between legs is not centred, so that swapping the legs swaps the answer. A spread
    below ``least`` counts as that.
    """
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0.0).sum(axis=0) / count if centred else np.zeros(len(columns))
    apart = np.where(known, values - centre, 0.0)
    spread = np.sqrt((apart**2).sum(axis=0) / count)
    kept = spread > 1e-9
    spread = np.maximum(spread, least)
    varying = tuple(column for column, keep in zip(columns, kept, strict=True) if keep)
    return Scaler(columns=varying, centre=centre[kept], spread=spread[kept])


def fit_logistic(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    penalty: FloatArray,
    signs: FloatArray,
    prior: FloatArray | float = 0.0,
) -> FloatArray:
    """Ridge logistic weights, shape (p,), with signs held where ``signs`` is not 0.

    Parameters
    ----------
    x, y, weight
        Columns (n, p), outcomes as probabilities (n,), and row weights (n,).
    penalty
        Ridge penalty of each column, shape (p,).
    signs
        +1 for a weight that must not be negative, -1 for one that must not be positive, 0 free.
    prior
        The weights that the penalty draws to.
    """
    b = np.zeros(x.shape[1])

    def penalised(b: FloatArray) -> tuple[float, FloatArray]:
        return _loss(x, y, weight, penalty, b, b - prior)

    loss, slope = penalised(b)
    for _ in range(MOST_STEPS):
        # Held at zero: where the sign allows no step downhill (projected Newton, Bertsekas 1982,
        # doi 10.1137/0320018).
        free = (b != 0.0) | (signs * slope <= 0.0)
        if not free.any() or np.abs(slope[free]).max() <= SMALL_SLOPE * max(weight.sum(), 1.0):
            break
        part = x[:, free]
        chance = expit(x @ b)
        curvature = (part * (weight * chance * (1.0 - chance))[:, None]).T @ part
        curvature[np.diag_indices_from(curvature)] += penalty[free] + 1e-9
        step = np.zeros_like(b)
        step[free] = np.linalg.solve(curvature, slope[free])
        found = _shorter_step(penalised, signs, b, step, loss)
        if found is None:
            break
        b, loss, slope = found
    return b


def _shorter_step(
    penalised: Callable[[FloatArray], tuple[float, FloatArray]],
    signs: FloatArray,
    b: FloatArray,
    step: FloatArray,
    loss: float,
) -> tuple[FloatArray, float, FloatArray] | None:
    """The first of ever shorter steps that lowers the loss, with its loss and slope; else None."""
    for halving in range(30):
        tried = b - step * 0.5**halving
        tried[signs * tried < 0.0] = 0.0
        value, slope = penalised(tried)
        if value < loss:
            return tried, value, slope
    return None


def _loss(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    penalty: FloatArray,
    b: FloatArray,
    away: FloatArray,
) -> tuple[float, FloatArray]:
    """Log loss with a penalty on how far ``away`` the weights are, and its slope."""
    margin = x @ b
    value = (weight * (np.logaddexp(0.0, margin) - y * margin)).sum()
    value += (penalty * away * away).sum() / 2
    slope = x.T @ (weight * (expit(margin) - y)) + penalty * away
    return float(value), slope


def pairs(y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """For outcomes (n, 2): the chance that just one leg has it (n,), and that it is the left."""
    left, right = np.nan_to_num(y[:, 0]), np.nan_to_num(y[:, 1])
    known = ~np.isnan(y).any(axis=1)
    one_left, one_right = left * (1.0 - right), right * (1.0 - left)
    just_one = np.where(known, one_left + one_right, 0.0)
    return just_one, one_left / np.where(just_one > 0, just_one, 1.0)
