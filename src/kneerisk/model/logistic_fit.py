"""Penalised logistic regression: the optimum of a convex loss, weights held to known signs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from kneerisk.schema import FloatArray

#: Newton's method needs a handful of steps; more would mean a problem without a solution.
MOST_STEPS = 60
#: Slope of the loss, per unit of weight, at which a fit is done.
SMALL_SLOPE = 1e-8


def fit_penalised_logistic(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    penalty: FloatArray,
    signs: FloatArray,
    prior: FloatArray | float = 0.0,
) -> FloatArray:
    """Ridge logistic weights, held to signs.

    Parameters
    ----------
    x
        Columns, shape ``(n, p)``.
    y
        Outcomes, or probabilities of them, shape ``(n,)``.
    weight
        Weight of each row, shape ``(n,)``.
    penalty
        Ridge penalty of each column, shape ``(p,)``.
    signs
        +1 for a weight that must not be negative, -1 for one that must not be positive, 0 for a
        free one, shape ``(p,)``.
    prior
        The weights that the penalty draws to, shape ``(p,)`` or one for all.

    Returns
    -------
    Weights, shape ``(p,)``.
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
