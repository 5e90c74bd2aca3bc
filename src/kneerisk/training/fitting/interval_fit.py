"""Fit the interval: quantiles of the true risk where it is known, else a bootstrap by athlete."""

from __future__ import annotations

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
from kneerisk.training.fitting.boosting import MAX_BIN, parameters
from kneerisk.training.fitting.fit_inputs import Inputs
from kneerisk.training.fitting.margin_fit import Tuned, fit_margin

QUANTILE_ROUNDS = 60
REFITS = 40


def fit_quantiles(
    inputs: Inputs, log_odds: FloatArray, columns: tuple[Column, ...], aside: np.ndarray
) -> QuantileInterval:
    """Quantiles of true minus predicted log-odds, made exact on the screenings set aside.

    Parameters
    ----------
    log_odds
        The model's log-odds of each leg, shape (n, 2).
    aside
        Which screenings only widen the interval (split conformal), shape (n,).
    """
    apart = (logit(inputs.target) - log_odds).reshape(-1)
    shell = BoostedTrees(columns=columns, fill=column_means(inputs.legs, columns), booster=None)
    rows, known = shell.rows(inputs.legs), ~np.isnan(apart)
    fitted = known & ~np.repeat(aside, 2)
    tail = (1.0 - COVERAGE) / 2.0
    booster = xgb.train(
        {
            **parameters(int(fitted.sum())),
            "objective": "reg:quantileerror",
            "quantile_alpha": [tail, 1.0 - tail],
        },
        xgb.QuantileDMatrix(
            rows[fitted],
            apart[fitted].round(DIGITS),
            feature_names=[column.name for column in columns],
            max_bin=MAX_BIN,
        ),
        QUANTILE_ROUNDS,
    )
    checked = known & np.repeat(aside, 2)
    found = np.asarray(booster.inplace_predict(rows[checked])).reshape(-1, 2)
    outside = np.maximum(found[:, 0] - apart[checked], apart[checked] - found[:, 1])
    rank = min(1.0, np.ceil(COVERAGE * (len(outside) + 1)) / len(outside))
    return QuantileInterval(
        quantiles=BoostedTrees(columns=columns, fill=shell.fill, booster=booster),
        conformal_correction=float(np.quantile(outside, rank)),
    )


def fit_bootstrap(
    inputs: Inputs,
    columns: tuple[Column, ...],
    signs: dict[Column, int],
    tuned: Tuned,
    calibration: Calibration,
    progress: Progress,
) -> BootstrapInterval:
    """Margins refitted on athletes drawn with replacement, with the penalties chosen before."""
    people, member = np.unique(inputs.athletes.astype(str), return_inverse=True)
    rows_of = [np.flatnonzero(member == i) for i in range(len(people))]
    refits: list[Margin] = []
    for number in range(REFITS):
        if number % 10 == 0:
            progress(event("bootstrap", number=number + 1, total=REFITS))
        drawn = np.random.default_rng(number).integers(0, len(people), len(people))
        sample = inputs.take(np.concatenate([rows_of[i] for i in drawn]))
        refits.append(fit_margin(sample, columns, signs, number, tuned)[0])
    return BootstrapInterval(refits=tuple(refits), slope=calibration.slope)
