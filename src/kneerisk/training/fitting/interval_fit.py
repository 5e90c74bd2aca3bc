"""Fit the interval around a risk.

Where the true risk is known, its quantiles given what was measured (quantile regression by boosted
trees) with a conformal correction; otherwise a bootstrap by athlete (Efron & Tibshirani 1993, An
Introduction to the Bootstrap).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xgboost as xgb
from scipy.special import logit

from kneerisk.model.calibration import Calibration
from kneerisk.model.feature_columns import Column
from kneerisk.model.intervals import COVERAGE, BootstrapInterval, QuantileInterval
from kneerisk.model.margin import Margin
from kneerisk.model.trees import DIGITS, BoostedTrees, column_means
from kneerisk.progress import Progress, event
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.boosting import MAX_BIN, booster_parameters
from kneerisk.training.fitting.conformal import conformal_correction
from kneerisk.training.fitting.fit_inputs import Inputs
from kneerisk.training.fitting.margin_fit import Penalties, fit_margin

#: Rounds of the quantiles (assumption).
QUANTILE_ROUNDS = 60
#: Resamples of athletes behind the interval (assumption).
REFITS = 40


def fit_quantiles(
    inputs: Inputs, log_odds: FloatArray, columns: tuple[Column, ...], aside: np.ndarray
) -> QuantileInterval:
    """Quantiles of true minus predicted log-odds, with a conformal correction.

    Parameters
    ----------
    inputs
        Of a fit, with the true risks of n screenings.
    log_odds
        The model's log-odds of each leg, shape (n, 2).
    columns
        Columns of the feature matrix that the quantiles read.
    aside
        Which screenings are kept for the conformal step, shape (n,).

    Returns
    -------
    The interval of a leg.
    """
    error = (logit(inputs.target) - log_odds).reshape(-1)
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
    return QuantileInterval(
        quantiles=replace(trees, booster=booster),
        conformal_correction=conformal_correction(low, high, error[checked]),
    )


def fit_bootstrap(
    inputs: Inputs,
    columns: tuple[Column, ...],
    signs: dict[Column, int],
    penalties: Penalties,
    calibration: Calibration,
    progress: Progress,
) -> BootstrapInterval:
    """Margins refitted on athletes drawn with replacement, with the penalties chosen before.

    Parameters
    ----------
    inputs
        Of the fit.
    columns
        Columns of the feature matrix that the margin reads.
    signs
        Their supported directions.
    penalties
        Of the margin.
    calibration
        Of the model, whose slope the interval takes over.
    progress
        Called with the number of the refit.

    Returns
    -------
    The interval of a leg.
    """
    athletes, member = np.unique(inputs.athletes.astype(str), return_inverse=True)
    rows_of = [np.flatnonzero(member == i) for i in range(len(athletes))]
    refits: list[Margin] = []
    for number in range(REFITS):
        if number % 10 == 0:
            progress(event("bootstrap", number=number + 1, total=REFITS))
        drawn = np.random.default_rng(number).integers(0, len(athletes), len(athletes))
        sample = inputs.take(np.concatenate([rows_of[i] for i in drawn]))
        refits.append(fit_margin(sample, columns, signs, number, penalties)[0])
    return BootstrapInterval(refits=tuple(refits), slope=calibration.slope)
