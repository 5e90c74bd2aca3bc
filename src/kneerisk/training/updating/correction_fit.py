"""The corrections of a champion that a club may support, from the smallest to the largest.

Model updating (Steyerberg et al. 2004, Stat Med 23:2567, doi 10.1002/sim.1844): intercept, then
slope, then new weights or trees. Each is a maximum a posteriori fit around the one before it, so
that with nothing to learn it falls back on that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xgboost as xgb
from scipy.optimize import minimize

from kneerisk.evidence import assumption
from kneerisk.model.feature_columns import monotone_directions
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import DIGITS
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.boosting import MAX_BIN, booster_parameters
from kneerisk.training.updating.club_likelihood import Club, shared_columns
from kneerisk.training.updating.corrections import Correction, Step, tree_log_odds

#: Ridge penalties that are tried, of a weight per SD of a column (assumption): from weights that
#: hardly move to weights that move by 0.2 log-odds.
PENALTIES = (3000.0, 1000.0, 300.0, 100.0, 30.0)
#: Rounds of boosting that are tried.
ROUNDS = (10, 20)
#: Degrees of freedom of the Student prior of a shift (assumption): most clubs are near the
#: champion, and one that counts another kind of pain is far away and must not be held back.
DEGREES_OF_FREEDOM = 4.0
#: Relative change of the loss at which a fit has converged: for weights that are used, and for
#: those that are only compared.
TIGHT, LOOSE = 1e-13, 1e-8
#: Limits of the slope (assumption): a club in which the champion ranks the wrong way round needs
#: another model, not a correction.
SLOPE_LIMITS = (0.1, 3.0)


def fit_intercept(club: Club) -> Correction:
    """The most likely shift of all log-odds, given how clubs are assumed to differ (MAP)."""
    design = np.ones((*club.log_odds.shape, 1))
    scale = assumption("club_intercept_sd")
    shift = float(_fit(club, club.log_odds, design, np.zeros(1), student_scale=scale)[0])
    return Correction(step="intercept", intercept=shift, shift=shift)


def fit_slope(club: Club) -> Correction:
    """The most likely shift and stretch of the log-odds around their mean (MAP)."""
    centre = float(club.log_odds[club.informed].mean())
    design = np.stack([np.ones_like(club.log_odds), club.log_odds - centre], axis=2)
    precision = np.array([0.0, _precision("club_slope_sd")])
    limits = [(None, None), (SLOPE_LIMITS[0] - 1.0, SLOPE_LIMITS[1] - 1.0)]
    shift, stretch = _fit(club, club.log_odds, design, precision, limits,
                          student_scale=assumption("club_intercept_sd"))  # fmt: skip
    return Correction(
        step="slope",
        intercept=float(shift - stretch * centre),
        slope=float(1.0 + stretch),
        shift=float(shift),
    )


def fit_ridge(
    model: RiskModel, club: Club, start: Correction, penalty: float, tolerance: float = TIGHT
) -> Correction:
    """Weights of the champion's linear columns, moved from where a slope has put them.

    A weight whose direction is supported by evidence keeps its sign.

    Parameters
    ----------
    model
        The champion.
    club
        Of the same champion.
    start
        The correction of intercept and slope.
    penalty
        Of the square of each weight.
    tolerance
        Relative change of the loss at which the fit has converged.

    Returns
    -------
    A correction of the step ``ridge``.
    """
    offset = start.log_odds(model, club)
    design = np.concatenate([np.ones((*offset.shape, 1)), club.columns], axis=2)
    precision = np.r_[1e-9, np.full(club.columns.shape[2], penalty)]
    limits = [(None, None), *_limits(model, start.slope)]
    weights = _fit(club, offset, design, precision, limits, tolerance)
    return replace(start, step="ridge", intercept=start.intercept + float(weights[0]),
                   weights=weights[1:], penalty=penalty)  # fmt: skip


def fit_trees(model: RiskModel, club: Club, start: Correction, rounds: int) -> Correction:
    """Trees after the champion's own, on what a slope has left.

    Parameters
    ----------
    model
        The champion.
    club
        Of the same champion.
    start
        The correction of intercept and slope.
    rounds
        How many trees.

    Returns
    -------
    A correction of the step ``boosting``.
    """
    boosted = model.boosted
    scale = start.slope * model.calibration.slope
    base = start.log_odds(model, club) / scale - tree_log_odds(model, boosted.booster, club.legs)

    def gradients(margin: np.ndarray, _: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
        log_odds = scale * np.asarray(margin, dtype=np.float64).reshape(-1, 2)
        gradient, curvature = club.gradient(log_odds), club.curvature(log_odds)
        return (scale * gradient).reshape(-1), (scale**2 * curvature).reshape(-1)

    signs = monotone_directions(model.population)
    booster = xgb.train(
        {
            **booster_parameters(base.size),
            "objective": "binary:logistic",
            "base_score": 0.5,
            "disable_default_eval_metric": 1,
            "monotone_constraints": tuple(signs.get(column, 0) for column in boosted.columns),
        },
        xgb.QuantileDMatrix(
            boosted.rows(club.legs),
            label=np.zeros(base.size),
            base_margin=base.reshape(-1).round(DIGITS),
            feature_names=[column.name for column in boosted.columns],
            max_bin=MAX_BIN,
        ),
        rounds,
        obj=gradients,
        xgb_model=boosted.booster,
    )
    return replace(start, step="boosting", booster=booster, rounds=rounds)


def fit_step(
    model: RiskModel,
    club: Club,
    slope: Correction,
    step: Step,
    amount: float,
    tolerance: float = TIGHT,
) -> Correction:
    """A correction around a slope: the slope itself, a ridge, or trees.

    Parameters
    ----------
    model
        The champion.
    club
        Of the same champion.
    slope
        The correction of intercept and slope.
    step
        Which correction.
    amount
        The penalty of a ridge, or the rounds of trees.
    tolerance
        Relative change of the loss at which a ridge has converged.

    Returns
    -------
    The correction.
    """
    if step == "ridge":
        return fit_ridge(model, club, slope, amount, tolerance)
    if step == "boosting":
        return fit_trees(model, club, slope, int(amount))
    return slope


def standard_error(club: Club, correction: Correction, log_odds: FloatArray) -> float:
    """Standard error of corrected log-odds, by Laplace's approximation of the posterior.

    Parameters
    ----------
    club
        What the correction was fitted to.
    correction
        The correction.
    log_odds
        Corrected by it, shape (n_screenings, 2).

    Returns
    -------
    Root mean square over the legs that an outcome informs.
    """
    informed = club.log_odds[club.informed]
    blocks = [np.ones((*log_odds.shape, 1))]
    scale = assumption("club_intercept_sd")
    freedom = DEGREES_OF_FREEDOM
    precision = [(freedom + 1.0) / (freedom * scale**2 + correction.shift**2)]
    if correction.step != "intercept":
        blocks.append((club.log_odds - informed.mean())[:, :, None])
        precision.append(_precision("club_slope_sd"))
    if correction.weights is not None and correction.penalty is not None:
        blocks.append(club.columns)
        precision += [correction.penalty] * club.columns.shape[2]
    design = np.concatenate(blocks, axis=2)
    covariance = np.linalg.inv(club.information(design, log_odds) + np.diag(precision))
    rows = design[club.informed]
    return float(np.sqrt(((rows @ covariance) * rows).sum(axis=1).mean()))


def _fit(
    club: Club,
    offset: FloatArray,
    design: FloatArray,
    precision: FloatArray,
    limits: list[tuple[float | None, float | None]] | None = None,
    tolerance: float = TIGHT,
    student_scale: float | None = None,
) -> FloatArray:
    """The likeliest weights (k,) of ``design`` (n, 2, k), with normal priors around 0.

    ``student_scale`` is the scale of a Student prior of the first weight, in log-odds.
    """
    rows = design.reshape(-1, design.shape[2])

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        log_odds = offset + (rows @ weights).reshape(offset.shape)
        value = club.loss(log_odds).sum() + (precision * weights**2).sum() / 2.0
        gradient = rows.T @ club.gradient(log_odds).reshape(-1) + precision * weights
        if student_scale is not None:
            freedom = DEGREES_OF_FREEDOM
            spread = freedom * student_scale**2
            value += (freedom + 1.0) / 2.0 * np.log1p(weights[0] ** 2 / spread)
            gradient[0] += (freedom + 1.0) * weights[0] / (spread + weights[0] ** 2)
        return float(value), gradient

    fitted = minimize(loss, np.zeros(design.shape[2]), jac=True, method="L-BFGS-B", bounds=limits,
                     options={"maxiter": 500, "ftol": tolerance, "gtol": 1e-7})  # fmt: skip
    return np.asarray(fitted.x, dtype=np.float64)


def _precision(name: str) -> float:
    return float(assumption(name) ** -2)


def _limits(model: RiskModel, slope: float) -> list[tuple[float | None, float | None]]:
    """How far the weight of each column may move before its direction turns."""
    margin, signs = model.margin, monotone_directions(model.population)
    scale = slope * model.calibration.slope
    largest = np.abs(margin.between_weights) * scale
    in_between, in_within, ratio = shared_columns(margin)
    within = np.abs(margin.scale * margin.within_weights[in_within]) * scale / ratio
    largest[in_between] = np.minimum(largest[in_between], within)
    limits: list[tuple[float | None, float | None]] = []
    for column, limit in zip(margin.between.columns, largest, strict=True):
        sign = signs.get(column, 0)
        limits.append((-limit if sign > 0 else None, limit if sign < 0 else None))
    return limits
