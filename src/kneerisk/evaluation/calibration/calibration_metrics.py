"""How far predicted risks are from what happens: slope, intercept, curve and integrated index.

Logistic recalibration (Cox 1958; Van Calster et al. 2019, BMC Med 17:230,
doi 10.1186/s12916-019-1466-7), and a smooth curve by restricted cubic splines (Austin & Steyerberg
2019, Stat Med 38:4051, doi 10.1002/sim.8281). A metric that cannot be measured is None.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneerisk.evaluation.calibration.cubic_splines import KNOTS, restricted_cubic_spline
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.model.logistic_calibration import maximum_likelihood_weights
from kneerisk.schema import FloatArray

#: With fewer outcomes of either sort a curve of three parameters follows chance (assumption: ten
#: a parameter).
FEWEST_OUTCOMES = 30.0
#: Beyond this a slope is the sign of separation, not of calibration (assumption).
_LARGEST_SLOPE = 20.0
#: Log-odds that differ by less than this are the same.
_LEAST_SPREAD = 1e-6
#: Knots closer than this in log-odds make a curve without a meaning (assumption).
_CLOSEST_KNOTS = 1e-3


def calibration_intercept(rows: TaskRows) -> float | None:
    """Calibration in the large: the intercept, in log-odds, with the slope held at 1.

    0 is right; above 0 more happens than was predicted. None with one kind of outcome.
    """
    if not rows.has_both_outcomes:
        return None
    ones = np.ones((len(rows.outcome), 1))
    weights = maximum_likelihood_weights(ones, rows.outcome, rows.log_odds, rows.weights)
    return None if weights is None else float(weights[0])


def calibration_intercept_interval(rows: TaskRows) -> tuple[float, float] | None:
    """95 % interval of the intercept, robust to rows of one athlete being alike."""
    if not rows.has_both_outcomes:
        return None
    ones = np.ones((len(rows.outcome), 1))
    return _limits(last_weight(ones, rows.log_odds, rows.outcome, rows.athlete, rows.weights))


def calibration_slope(rows: TaskRows) -> float | None:
    """Slope of the outcome on the log-odds: 1 is right, below 1 risks are too extreme.

    Out-of-fold risks have an intercept for each fold. None with one kind of outcome, the same risk
    for everyone, or a separated outcome.
    """
    design, rows = _slope_design(rows)
    if not rows.has_both_outcomes or _spread(rows) <= _LEAST_SPREAD:
        return None
    weights = maximum_likelihood_weights(design, rows.outcome, np.zeros(len(design)), rows.weights)
    if weights is None or abs(weights[-1]) >= _LARGEST_SLOPE:
        return None
    return float(weights[-1])


def calibration_slope_interval(rows: TaskRows) -> tuple[float, float] | None:
    """95 % interval of the calibration slope, robust to rows of one athlete being alike."""
    if calibration_slope(rows) is None:
        return None
    design, rows = _slope_design(rows)
    return _limits(
        last_weight(design, np.zeros(len(design)), rows.outcome, rows.athlete, rows.weights)
    )


def _limits(estimate: tuple[float, float] | None) -> tuple[float, float] | None:
    if estimate is None:
        return None
    value, error = estimate
    return value - NORMAL_95 * error, value + NORMAL_95 * error


def _slope_design(rows: TaskRows) -> tuple[FloatArray, TaskRows]:
    """An intercept for each fold and the log-odds, and the rows that say something of a slope.

    A fold with one kind of outcome says nothing, and its intercept would have no limit.
    """
    if rows.fold is None:
        return _with_intercept(rows.log_odds), rows
    member = rows.fold[:, None] == np.unique(rows.fold)[None, :]
    share = (member.T @ rows.outcome) / member.sum(axis=0)
    member = member[:, (share > 0.0) & (share < 1.0)]
    rows = rows.take(member.any(axis=1))
    member = member[member.any(axis=1)]
    return np.column_stack([member.astype(np.float64), rows.log_odds]), rows


def _spread(rows: TaskRows) -> float:
    """The largest difference of log-odds between rows of one fold."""
    margin = rows.log_odds
    folds = np.zeros(len(margin), int) if rows.fold is None else rows.fold
    return max((float(np.ptp(margin[folds == number])) for number in np.unique(folds)), default=0.0)


def last_weight(
    design: FloatArray,
    offset: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.intp],
    weight: FloatArray | float = 1.0,
) -> tuple[float, float] | None:
    """The last coefficient of a logistic regression, and its cluster-robust standard error.

    Parameters
    ----------
    design
        Columns, shape (n, p).
    offset
        Log-odds that are added with weight 1, shape (n,).
    outcome
        0 to 1, shape (n,).
    athlete
        The cluster of each row, as codes from 0, shape (n,).
    weight
        Of each row, shape (n,) or one for all; its scale does not matter.

    Returns
    -------
    Coefficient and standard error; None where the outcome is separated.

    References
    ----------
    Liang & Zeger 1986, Biometrika 73:13, doi 10.1093/biomet/73.1.13.
    """
    weights = maximum_likelihood_weights(design, outcome, offset, weight)
    if weights is None:
        return None
    log_odds = design @ weights + offset
    variance = clustered_covariance(design, log_odds, outcome, athlete, weight)
    return float(weights[-1]), float(np.sqrt(variance[-1, -1]))


def clustered_covariance(
    design: FloatArray,
    log_odds: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.intp],
    weight: FloatArray | float = 1.0,
) -> FloatArray:
    """Covariance of the weights of a logistic regression, robust to athletes' rows being alike.

    Parameters
    ----------
    design
        Columns, shape (n, p).
    log_odds
        As fitted, shape (n,).
    outcome
        0 to 1, shape (n,).
    athlete
        The cluster of each row, as codes from 0, shape (n,).
    weight
        Of each row, shape (n,) or one for all; its scale does not matter.

    Returns
    -------
    Shape (p, p).
    """
    fitted = 1.0 / (1.0 + np.exp(-log_odds))
    curvature = weight * (fitted * (1.0 - fitted))
    bread = np.linalg.inv(design.T @ (design * curvature[:, None]))
    scores = design * (weight * (outcome - fitted))[:, None]
    by_athlete = np.column_stack([np.bincount(athlete, weights=column) for column in scores.T])
    return np.asarray(bread @ (by_athlete.T @ by_athlete) @ bread)


def _with_intercept(margin: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(margin)), margin])


def smooth(rows: TaskRows) -> FloatArray | None:
    """The smooth calibration curve: a logistic regression on a spline of the log-odds.

    Parameters
    ----------
    rows
        Of a task.

    Returns
    -------
    What happens at each row's risk, shape (n_rows,); None with too few outcomes or too few
    different risks for a curve.
    """
    rarer = min(rows.effective_outcomes)
    if not rows.has_both_outcomes or rarer < FEWEST_OUTCOMES:
        return None
    margin = rows.log_odds
    knots = np.quantile(margin, KNOTS)
    if np.diff(knots).min() < _CLOSEST_KNOTS:
        return None
    design = restricted_cubic_spline(margin, knots)
    weights = maximum_likelihood_weights(design, rows.outcome, np.zeros(len(margin)), rows.weights)
    if weights is None:
        return None
    return np.asarray(1.0 / (1.0 + np.exp(-design @ weights)))


def integrated_calibration_index(rows: TaskRows) -> float | None:
    """Mean distance between the risk and the smooth calibration curve; None without a curve."""
    curve = smooth(rows)
    return None if curve is None else rows.mean(np.abs(curve - rows.probability))
