"""Logistic regression with a ridge penalty, offsets and signs, and the calibration made by it.

Without constraints SciPy finds it by a trust region on the exact Hessian (Conn, Gould & Toint 2000,
doi 10.1137/1.9780898719857). Weights that are held to signs are fitted by a projected Newton method
(Bertsekas 1982, doi 10.1137/0320018) of our own: choosing penalties by cross-validation takes some
500 such fits, and SciPy's bounded method, L-BFGS-B, makes a fit to a club's sheet 1.6 times slower.

Calibration is a slope and an intercept on the log-odds, so that a risk of 10 % happens to 10 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kneerisk.schema import FloatArray

#: Newton's method needs a handful of steps; more would mean a problem without a solution.
MOST_STEPS = 60
#: How often a step is halved that does not lower the loss.
MOST_HALVINGS = 30
#: Slope of the loss, per unit of row weight, at which a fit is done.
SMALL_SLOPE = 1e-8
#: Added to the Hessian of constrained weights, so that columns which are the same share a weight.
RIDGE = 1e-9
#: Rows whose part of a Hessian is worked out together (assumption: what stays in the processor's
#: cache takes half as long, and of a large cohort a copy of all would be gigabytes).
BLOCK = 8_000
#: From the end of SciPy's search so many Newton steps reach the last digits.
LAST_STEPS = 3
#: A last Newton step above this means weights that grow without end.
UNLIMITED_STEP = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """The penalised log loss of a logistic regression; arrays as `logistic_weights` has them."""

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    offset: FloatArray
    penalty: FloatArray
    prior: FloatArray

    def loss(self, b: FloatArray) -> tuple[float, FloatArray]:
        """The loss and its gradient (p,)."""
        log_odds = self.offset + self.x @ b
        difference = b - self.prior
        value = (self.weight * (np.logaddexp(0.0, log_odds) - self.y * log_odds)).sum()
        value += (self.penalty * difference * difference).sum() / 2
        residual = self.weight * (expit(log_odds) - self.y)
        return float(value), self.x.T @ residual + self.penalty * difference

    def hessian(
        self, b: FloatArray, free: NDArray[np.bool_] | slice = slice(None), ridge: float = 0.0
    ) -> FloatArray:
        """The Hessian of the loss, of the free weights alone where they are given."""
        probability = expit(self.offset + self.x @ b)
        root = np.sqrt(self.weight * probability * (1.0 - probability))
        hessian = np.zeros((len(self.penalty[free]),) * 2)
        for start in range(0, len(self.x), BLOCK):
            rows = slice(start, start + BLOCK)
            # A matrix times itself: BLAS then works out one half of the product.
            scaled = self.x[rows][:, free] * root[rows, None]
            hessian += scaled.T @ scaled
        hessian[np.diag_indices_from(hessian)] += self.penalty[free] + ridge
        return hessian


def logistic_weights(
    x: FloatArray,
    y: FloatArray,
    *,
    weight: FloatArray | float = 1.0,
    offset: FloatArray | float = 0.0,
    penalty: FloatArray | float = 0.0,
    prior: FloatArray | float = 0.0,
) -> FloatArray:
    """Weights of a logistic regression that minimise its penalised log loss.

    Parameters
    ----------
    x
        Columns, shape ``(n, p)``.
    y
        Outcomes, or probabilities of them, shape ``(n,)``.
    weight
        Weight of each row, shape ``(n,)`` or one for all.
    offset
        Log-odds that are added to each row's, shape ``(n,)`` or one for all.
    penalty
        Ridge penalty of each weight, shape ``(p,)`` or one for all.
    prior
        The weights that the penalty draws to, shape ``(p,)`` or one for all.

    Returns
    -------
    Log-odds per unit of each column, shape ``(p,)``. Where a separated outcome lets a weight grow
    without end, some large value.
    """
    return _free_weights(_problem(x, y, weight, offset, penalty, prior))[0]


def maximum_likelihood_weights(
    x: FloatArray,
    y: FloatArray,
    offset: FloatArray | float = 0.0,
    weight: FloatArray | float = 1.0,
) -> FloatArray | None:
    """Weights of a logistic regression without a penalty, if there are any.

    Parameters
    ----------
    x
        Columns, shape ``(n, p)``.
    y
        Outcomes, or probabilities of them, shape ``(n,)``.
    offset
        Log-odds that are added to each row's, shape ``(n,)`` or one for all.
    weight
        Weight of each row, shape ``(n,)`` or one for all.

    Returns
    -------
    Shape ``(p,)``; None where a separated outcome makes the weights grow without end.
    """
    weights, last_step = _free_weights(_problem(x, y, weight, offset, 0.0, 0.0))
    return weights if last_step < UNLIMITED_STEP else None


def sign_constrained_weights(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    penalty: FloatArray,
    signs: FloatArray,
    prior: FloatArray | float = 0.0,
) -> FloatArray:
    """Ridge logistic weights that are held to signs.

    Parameters
    ----------
    x
        Columns, shape ``(n, p)``.
    y
        Outcomes, or probabilities of them, shape ``(n,)``.
    weight
        Weight of each row, shape ``(n,)``.
    penalty
        Ridge penalty of each weight, shape ``(p,)``.
    signs
        +1 for a weight that must not be negative, -1 for one that must not be positive, 0 for a
        free one, shape ``(p,)``.
    prior
        The weights that the penalty draws to, shape ``(p,)`` or one for all.

    Returns
    -------
    Log-odds per unit of each column, shape ``(p,)``.
    """
    problem = _problem(x, y, weight, 0.0, penalty, prior)
    b = np.zeros(x.shape[1])
    loss, slope = problem.loss(b)
    for _ in range(MOST_STEPS):
        # Held at zero: where the sign allows no step downhill.
        free = (b != 0.0) | (signs * slope <= 0.0)
        if not free.any() or np.abs(slope[free]).max() <= SMALL_SLOPE * max(weight.sum(), 1.0):
            break
        step = np.zeros_like(b)
        step[free] = np.linalg.solve(problem.hessian(b, free, RIDGE), slope[free])
        lower = _lower_point(problem, signs, b, step, loss)
        if lower is None:
            break
        b, loss, slope = lower
    return b


def _problem(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray | float,
    offset: FloatArray | float,
    penalty: FloatArray | float,
    prior: FloatArray | float,
) -> _Problem:
    n, p = x.shape
    return _Problem(
        x=x,
        y=y,
        weight=np.broadcast_to(weight, n),
        offset=np.broadcast_to(offset, n),
        penalty=np.broadcast_to(penalty, p),
        prior=np.broadcast_to(prior, p),
    )


def _free_weights(problem: _Problem) -> tuple[FloatArray, float]:
    """The weights without constraints, and the length of the last Newton step.

    Newton steps after the search take the weights to the last digits: machines that end the search
    elsewhere would otherwise differ in the seventh. Where columns are the same the step is the
    shortest one.
    """
    from scipy.optimize import minimize  # takes a fifth of a second to load

    slope = SMALL_SLOPE * max(float(problem.weight.sum()), 1.0)
    optimum = minimize(
        problem.loss, np.zeros(problem.x.shape[1]), jac=True, hess=problem.hessian,
        method="trust-exact", options={"gtol": slope},
    )  # fmt: skip
    b: FloatArray = np.asarray(optimum.x, dtype=np.float64)
    step = np.zeros_like(b)
    for _ in range(LAST_STEPS):
        shortest = np.linalg.lstsq(problem.hessian(b), problem.loss(b)[1], rcond=None)[0]
        step = np.asarray(shortest, dtype=np.float64)
        b = b - step
    return b, float(np.abs(step).max(initial=0.0))


def _lower_point(
    problem: _Problem, signs: FloatArray, b: FloatArray, step: FloatArray, loss: float
) -> tuple[FloatArray, float, FloatArray] | None:
    """Weights after the first of ever shorter steps that lowers the loss, its loss and slope."""
    for halving in range(MOST_HALVINGS):
        shorter = b - step * 0.5**halving
        shorter[signs * shorter < 0.0] = 0.0
        value, slope = problem.loss(shorter)
        if value < loss:
            return shorter, value, slope
    return None


#: The slope is kept between these: with few events it is a noisy number (assumption).
SLOPES = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A line on the log-odds."""

    intercept: float = 0.0
    slope: float = 1.0

    def apply(self, log_odds: FloatArray) -> FloatArray:
        """Calibrate log-odds.

        Parameters
        ----------
        log_odds
            Log-odds of any shape.

        Returns
        -------
        Calibrated log-odds, of the same shape.
        """
        return self.intercept + self.slope * log_odds


def fit_calibration(
    log_odds: FloatArray, target: FloatArray, weight: FloatArray | float = 1.0
) -> Calibration:
    """Logistic recalibration (Cox 1958, doi 10.1093/biomet/45.3-4.562) of left-out log-odds.

    Parameters
    ----------
    log_odds
        Log-odds of rows that the model was not fitted to, shape ``(n,)``.
    target
        Their outcomes, or true risks, shape ``(n,)``.
    weight
        Weight of each row, shape ``(n,)`` or one for all.

    Returns
    -------
    The calibration, with its slope inside `SLOPES` and the mean risk equal to the mean target.
    """
    ones = np.ones((len(log_odds), 1))
    intercept, slope = logistic_weights(np.column_stack([ones, log_odds]), target, weight=weight)
    if not SLOPES[0] <= slope <= SLOPES[1]:
        slope = np.clip(slope, *SLOPES)
        [intercept] = logistic_weights(ones, target, offset=slope * log_odds, weight=weight)
    return Calibration(float(intercept), float(slope))
