"""The corrections of a champion that a club may support, from the smallest to the largest.

Each is fitted around the one before it, so that with nothing to learn it falls back on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import xgboost as xgb
from scipy.optimize import minimize

from kneerisk.evidence.tables import assumption
from kneerisk.model.calibration import Calibration
from kneerisk.model.feature_columns import monotone_directions
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import DIGITS, BoostedTrees
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.boosting import MAX_BIN, parameters
from kneerisk.training.updating.club_likelihood import Club, shared_places

Step = Literal["as_is", "intercept", "slope", "ridge", "boosting"]
#: Ridge penalties that are tried, of a weight per SD of a column (assumption): from weights that
#: hardly move to weights that move by 0.2 log-odds.
PENALTIES = (3000.0, 1000.0, 300.0, 100.0, 30.0)
#: Rounds of boosting that are tried.
ROUNDS = (10, 20)
#: Degrees of freedom of the prior of a shift, which is Student's (assumption): most clubs are near
#: the champion, and one that counts another kind of pain is far away and must not be held back.
FREEDOM = 4.0
#: Share of the loss below which a step of a fit is the last one: for weights that are kept, and
#: for those that are only compared.
TIGHT, LOOSE = 1e-13, 1e-8
#: How far the slope may go (assumption): a club in which the champion ranks the wrong way round
#: needs another model, not a correction.
SLOPES = (0.1, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is added to a champion: log-odds become intercept + slope * (log-odds + trees) + linear.

    ``shift`` is how far the mean of the club moves. ``weights`` (p,) belong to `Club.columns`;
    ``rounds`` are how many of the booster's rounds come after the champion's own. ``error`` is the
    standard error of the corrected log-odds, as a root mean square over the club's legs.
    """

    step: Step
    intercept: float = 0.0
    slope: float = 1.0
    shift: float = 0.0
    weights: FloatArray | None = None
    booster: xgb.Booster | None = None
    rounds: int = 0
    penalty: float | None = None
    error: float = 0.0

    def log_odds(self, model: RiskModel, club: Club) -> FloatArray:
        """Corrected log-odds of the legs of a club, shape (n, 2)."""
        found = self.intercept + self.slope * club.log_odds
        if self.weights is not None:
            found = found + club.columns @ self.weights
        if self.booster is not None:
            added = _trees(model, self.booster, club.legs) - _trees(
                model, model.boosted.booster, club.legs
            )
            found = found + self.slope * model.calibration.slope * added
        return found


AS_IS = Correction(step="as_is")


def fit_intercept(club: Club) -> Correction:
    """The most likely shift of all log-odds, given how clubs are assumed to differ (MAP)."""
    design = np.ones((*club.log_odds.shape, 1))
    found = _fit(club, club.log_odds, design, np.zeros(1), heavy=assumption("club_intercept_sd"))
    return Correction(step="intercept", intercept=float(found[0]), shift=float(found[0]))


def fit_slope(club: Club) -> Correction:
    """The most likely shift and stretch of the log-odds around their mean (MAP)."""
    centre = float(club.log_odds[club.known].mean())
    design = np.stack([np.ones_like(club.log_odds), club.log_odds - centre], axis=2)
    precision = np.array([0.0, _precision("club_slope_sd")])
    limits = [(None, None), (SLOPES[0] - 1.0, SLOPES[1] - 1.0)]
    shift, stretch = _fit(club, club.log_odds, design, precision, limits,
                          heavy=assumption("club_intercept_sd"))  # fmt: skip
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

    A weight whose direction is supported by evidence keeps it.
    """
    offset = start.log_odds(model, club)
    design = np.concatenate([np.ones((*offset.shape, 1)), club.columns], axis=2)
    precision = np.r_[1e-9, np.full(club.columns.shape[2], penalty)]
    limits = [(None, None), *_limits(model, start.slope)]
    found = _fit(club, offset, design, precision, limits, tolerance)
    return replace(start, step="ridge", intercept=start.intercept + float(found[0]),
                   weights=found[1:], penalty=penalty)  # fmt: skip


def fit_trees(model: RiskModel, club: Club, start: Correction, rounds: int) -> Correction:
    """Trees after the champion's own, on what a slope has left."""
    boosted = model.boosted
    scale = start.slope * model.calibration.slope
    base = start.log_odds(model, club) / scale - _trees(model, boosted.booster, club.legs)

    def gradients(found: np.ndarray, _: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
        log_odds = scale * np.asarray(found, dtype=np.float64).reshape(-1, 2)
        slope, curvature = club.slope(log_odds), club.curvature(log_odds)
        return (scale * slope).reshape(-1), (scale**2 * curvature).reshape(-1)

    signs = monotone_directions(model.population)
    booster = xgb.train(
        {
            **parameters(base.size),
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
    much: float,
    tolerance: float = TIGHT,
) -> Correction:
    """A correction around a slope: itself, a ridge with its penalty, or so many rounds."""
    if step == "ridge":
        return fit_ridge(model, club, slope, much, tolerance)
    if step == "boosting":
        return fit_trees(model, club, slope, int(much))
    return slope


def shortened(model: RiskModel, correction: Correction, rounds: int) -> Correction:
    """The same trees, stopped after fewer rounds."""
    if correction.booster is None:
        raise ValueError("there are no trees to shorten")
    before = model.boosted.booster.num_boosted_rounds() if model.boosted.booster else 0
    return replace(correction, booster=correction.booster[: before + rounds], rounds=rounds)


def standard_error(club: Club, correction: Correction, log_odds: FloatArray) -> float:
    """Root mean square of the standard errors of corrected log-odds in the club (Laplace)."""
    known = club.log_odds[club.known]
    parts = [np.ones((*log_odds.shape, 1))]
    scale = assumption("club_intercept_sd")
    precision = [(FREEDOM + 1.0) / (FREEDOM * scale**2 + correction.shift**2)]
    if correction.step != "intercept":
        parts.append((club.log_odds - known.mean())[:, :, None])
        precision.append(_precision("club_slope_sd"))
    if correction.weights is not None and correction.penalty is not None:
        parts.append(club.columns)
        precision += [correction.penalty] * club.columns.shape[2]
    design = np.concatenate(parts, axis=2)
    covariance = np.linalg.inv(club.information(design, log_odds) + np.diag(precision))
    rows = design[club.known]
    return float(np.sqrt(((rows @ covariance) * rows).sum(axis=1).mean()))


def corrected(model: RiskModel, correction: Correction) -> RiskModel:
    """The champion with a correction, as one model of the same make."""
    slope = correction.slope * model.calibration.slope
    shift = correction.intercept + correction.slope * model.calibration.intercept
    margin, boosted = model.margin, model.boosted
    if correction.weights is not None:
        here, there, ratio = shared_places(margin)
        within = margin.scale * margin.within_weights
        within[there] += correction.weights[here] * ratio / slope
        between = margin.between_weights + correction.weights / slope
        margin = replace(margin, scale=1.0, within_weights=within, between_weights=between)
    if correction.booster is not None:
        boosted = replace(boosted, booster=correction.booster)
    parts = {name: getattr(model, name) for name in RiskModel.__dataclass_fields__}
    return RiskModel(
        **(parts | {"margin": margin, "boosted": boosted, "calibration": Calibration(shift, slope)})
    )


def _fit(
    club: Club,
    offset: FloatArray,
    design: FloatArray,
    precision: FloatArray,
    limits: list[tuple[float | None, float | None]] | None = None,
    tolerance: float = TIGHT,
    heavy: float | None = None,
) -> FloatArray:
    """Weights (k,) of ``design`` (n, 2, k) that are likeliest, with normal priors around 0.

    ``heavy`` is the scale of a Student prior of the first weight.
    """
    rows = design.reshape(-1, design.shape[2])

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        log_odds = offset + (rows @ weights).reshape(offset.shape)
        value = club.loss(log_odds).sum() + (precision * weights**2).sum() / 2.0
        slope = rows.T @ club.slope(log_odds).reshape(-1) + precision * weights
        if heavy is not None:
            spread = FREEDOM * heavy**2
            value += (FREEDOM + 1.0) / 2.0 * np.log1p(weights[0] ** 2 / spread)
            slope[0] += (FREEDOM + 1.0) * weights[0] / (spread + weights[0] ** 2)
        return float(value), slope

    found = minimize(loss, np.zeros(design.shape[2]), jac=True, method="L-BFGS-B", bounds=limits,
                     options={"maxiter": 500, "ftol": tolerance, "gtol": 1e-7})  # fmt: skip
    return np.asarray(found.x, dtype=np.float64)


def _precision(name: str) -> float:
    return float(assumption(name) ** -2)


def _limits(model: RiskModel, slope: float) -> list[tuple[float | None, float | None]]:
    """How far the weight of each column may move before its direction turns."""
    margin, signs = model.margin, monotone_directions(model.population)
    scale = slope * model.calibration.slope
    room = np.abs(margin.between_weights) * scale
    here, there, ratio = shared_places(margin)
    apart = np.abs(margin.scale * margin.within_weights[there]) * scale / ratio
    room[here] = np.minimum(room[here], apart)
    found: list[tuple[float | None, float | None]] = []
    for column, left in zip(margin.between.columns, room, strict=True):
        sign = signs.get(column, 0)
        found.append((-left if sign > 0 else None, left if sign < 0 else None))
    return found


def _trees(model: RiskModel, booster: xgb.Booster | None, legs: FeatureMatrix) -> FloatArray:
    """What a booster adds in the champion's columns, shape (n, 2)."""
    shell: BoostedTrees = replace(model.boosted, booster=booster)
    return shell.log_odds(legs, np.zeros(2 * len(legs.values))).reshape(-1, 2)
