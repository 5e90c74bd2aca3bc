"""Conformal prediction intervals of the risk: quantiles, widened on athletes set aside.

Where the true risk is known, its quantiles given what was measured are fitted by boosted trees and
widened by a split conformal step (conformalised quantile regression: Romano, Patterson & Candès
2019, arXiv 1905.03222); elsewhere the interval is a bootstrap by athlete. Everything is
in log-odds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from scipy.special import logit

from kneerisk.model.base_rates import BaseShift
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.intervals import (
    COVERAGE,
    BootstrapInterval,
    QuantileInterval,
)
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import DIGITS, BoostedTrees
from kneerisk.progress import Progress, event
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.boosting import MAX_BIN, booster_parameters
from kneerisk.training.fitting.bootstrap_interval import ResampledFit, fit_bootstrap
from kneerisk.training.fitting.fit_columns import column_means
from kneerisk.training.fitting.fit_inputs import Inputs
from kneerisk.workers.this_process import Workers

#: Rounds of the quantiles (assumption).
QUANTILE_ROUNDS = 60
#: One screening in so many is set aside (assumption: enough to know a 90 % point, while the
#: quantiles keep most of the cohort).
ONE_IN = 4
#: Columns that say nothing of a leg's risk interval that its expected values don't say.
_DERIVED = frozenset({
    ColumnKind.DIFFERENCE, ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE,
})  # fmt: skip


def with_interval(
    model: RiskModel, resampled: ResampledFit, progress: Progress, workers: Workers
) -> RiskModel:
    """The model with its interval; that of either knee has a conformal step of its own.

    Parameters
    ----------
    model
        Fitted but for its interval.
    resampled
        The same fit, which the bootstrap repeats.
    progress
        Called with what is being done.
    workers
        What does the refits of the bootstrap.

    Returns
    -------
    The whole model.
    """
    inputs = resampled.inputs
    progress(event("intervals"))
    model = replace(model, interval=_interval_of_leg(model, resampled, progress, workers))
    if not inputs.true or not inputs.sided:
        return model
    aside = conformal_rows(len(inputs.target)) & ~np.isnan(inputs.either)
    low, high = (logit(end) for end in model.risks(inputs.legs.take(aside)).intervals["either"])
    correction = either_conformal_correction(low, high, logit(inputs.either[aside]))
    return replace(model, either_conformal_correction=correction)


def _interval_of_leg(
    model: RiskModel, resampled: ResampledFit, progress: Progress, workers: Workers
) -> QuantileInterval | BootstrapInterval:
    """In log-odds: conformal where the true risks are known, else a bootstrap."""
    inputs = resampled.inputs
    if inputs.true:
        read = tuple(column for column in resampled.columns if column.kind not in _DERIVED)
        return fit_quantiles(inputs, model, read, conformal_rows(len(inputs.target)))
    return fit_bootstrap(resampled, model.calibration, progress, workers)


def fit_quantiles(
    inputs: Inputs, model: RiskModel, columns: tuple[Column, ...], aside: np.ndarray
) -> QuantileInterval:
    """Quantiles of true minus predicted log-odds, with a conformal correction.

    The definition of pain, known here, is left out: its part follows from `BaseRates`.

    Parameters
    ----------
    inputs
        Of a fit, with the true risks of n screenings.
    model
        Fitted but for its interval.
    columns
        Columns of the feature matrix that the quantiles read.
    aside
        Which screenings are kept for the conformal step, shape (n,).

    Returns
    -------
    The interval of a leg.
    """
    centred, definition_shift, base = _base_of(inputs, model)
    error = (logit(inputs.target) - definition_shift[:, None] - centred).reshape(-1)
    trees = BoostedTrees(columns=columns, fill=column_means(inputs.legs, columns), booster=None)
    rows, known = trees.rows(inputs.legs), ~np.isnan(error)
    fitted = known & ~np.repeat(aside, 2)
    tail = (1.0 - COVERAGE) / 2.0
    booster = xgb.train(
        {
            **booster_parameters(int(fitted.sum())),
            "objective": "reg:quantileerror",
            "quantile_alpha": [tail, 1.0 - tail],
        },
        xgb.QuantileDMatrix(
            rows[fitted],
            error[fitted].round(DIGITS),
            feature_names=[column.name for column in columns],
            max_bin=MAX_BIN,
        ),
        QUANTILE_ROUNDS,
    )
    checked = known & np.repeat(aside, 2)
    low, high = np.asarray(booster.inplace_predict(rows[checked])).reshape(-1, 2).T
    interval = QuantileInterval(
        quantiles=replace(trees, booster=booster),
        conformal_correction=conformal_correction(low, high, error[checked]),
    )
    if model.base_rates is None:
        return interval
    rows_aside = aside & known.reshape(-1, 2).any(axis=1)
    bounds = interval.bounds(inputs.legs.take(rows_aside), np.zeros_like(centred[rows_aside]))
    total = error.reshape(-1, 2) + definition_shift[:, None]
    return replace(interval, base_scale=_base_scale(bounds, total, base, rows_aside))


def _base_scale(
    bounds: tuple[FloatArray, FloatArray], true: FloatArray, base: BaseShift, rows: np.ndarray
) -> float:
    """What the base rate's half-width is multiplied by so that legs set aside are covered.

    A conformal step whose score is the scale from which on a leg's interval holds the truth. The
    bounds are those of the rows set aside alone.
    """
    middle, half = (bounds[0] + bounds[1]) / 2.0, (bounds[1] - bounds[0]) / 2.0
    away = true[rows] - middle - base.median[rows, None]
    reach = np.where(away < 0.0, (base.median - base.low)[rows, None],
                     (base.high - base.median)[rows, None])  # fmt: skip
    scores = np.sqrt(np.maximum(away**2 - half**2, 0.0)) / reach
    scores = scores[~np.isnan(scores)]
    rank = min(1.0, np.ceil(COVERAGE * (len(scores) + 1)) / len(scores))
    return float(np.quantile(scores, rank))


def _base_of(inputs: Inputs, model: RiskModel) -> tuple[FloatArray, FloatArray, BaseShift]:
    """Log-odds at the middle of the definitions (n, 2), true shifts (n,), and their spread."""
    log_odds = model.log_odds(inputs.legs)
    if model.base_rates is None or inputs.definition_shift is None:
        none = np.zeros(len(log_odds))
        return log_odds, none, BaseShift(none, none, none, none)
    sport = inputs.sport
    return (
        model.base_rates.centred(log_odds, sport),
        inputs.definition_shift,
        model.base_rates.shift(sport),
    )


def conformal_rows(n_screenings: int) -> NDArray[np.bool_]:
    """Which screenings are set aside for the conformal step.

    Parameters
    ----------
    n_screenings
        Of the cohort.

    Returns
    -------
    Mask of shape (n_screenings,).
    """
    return np.asarray(np.arange(n_screenings) % ONE_IN == 0)


def conformal_correction(low: FloatArray, high: FloatArray, true: FloatArray) -> float:
    """By how much both ends move out so that the interval covers `COVERAGE` of the rows.

    The quantile has the finite-sample rank, with which coverage of new rows is guaranteed.

    Parameters
    ----------
    low
        Lower end of each row set aside, shape (n,).
    high
        Upper end, shape (n,).
    true
        What the interval should hold, shape (n,).

    Returns
    -------
    Log-odds; below 0 the interval is too wide and becomes narrower.
    """
    scores = _conformity_scores(low, high, true)
    rank = min(1.0, np.ceil(COVERAGE * (len(scores) + 1)) / len(scores))
    return float(np.quantile(scores, rank))


def either_conformal_correction(low: FloatArray, high: FloatArray, true: FloatArray) -> float:
    """The same for either knee, whose ends are those of the legs taken together.

    The legs' intervals have their finite-sample correction: here the plain quantile is taken.

    Parameters
    ----------
    low
        Lower end of each screening set aside, shape (n,).
    high
        Upper end, shape (n,).
    true
        True log-odds of either knee, shape (n,).

    Returns
    -------
    Log-odds.
    """
    return float(np.quantile(_conformity_scores(low, high, true), COVERAGE))


def _conformity_scores(low: FloatArray, high: FloatArray, true: FloatArray) -> FloatArray:
    """How far the truth lies outside of the interval; below 0 it lies inside."""
    return np.asarray(np.maximum(low - true, true - high))
