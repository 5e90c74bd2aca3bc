"""Fit a model: margin, trees, calibration, dependence, imbalances, interval.

The steps stand in `_fit` in their order. Whatever a later step learns from is predicted out of
fold, unless there is so much to learn from that it makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logit
from threadpoolctl import threadpool_limits

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.splits import subset, truth_subset
from kneerisk.evaluation.model_validation import MOST_TRAINING
from kneerisk.evidence.pair_dependence import either as either_of
from kneerisk.evidence.population import Population
from kneerisk.model.base_rates import BaseRates, published_base_rates
from kneerisk.model.feature_columns import Column, monotone_directions
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.intervals import BootstrapInterval
from kneerisk.model.logistic_calibration import Calibration, fit_calibration
from kneerisk.model.margin import Margin
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import BoostedTrees
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.boosting import BoostingRows, fit_boosted, fit_imbalances
from kneerisk.training.fitting.bootstrap_interval import ResampledFit
from kneerisk.training.fitting.conformal_intervals import with_interval
from kneerisk.training.fitting.fit_columns import tree_columns, usable_columns
from kneerisk.training.fitting.fit_inputs import (
    Inputs,
    inputs_of,
    inputs_of_label,
    stratified_folds,
)
from kneerisk.training.fitting.margin_fit import Penalties, fit_margin
from kneerisk.training.fitting.population_shrinkage import population_of
from kneerisk.training.fitting.settings import DEFAULTS, Settings
from kneerisk.training.fitting.tree_rows import HoldRows, hold_here
from kneerisk.workers.this_process import Workers, in_this_process

#: Folds of the trees; three where there is plenty to learn from (assumption).
FOLDS, FOLDS_OF_PLENTY = 5, 3
#: Odds ratios of pain between the legs that are searched (assumption: from legs that avoid pain of
#: both to legs that nearly always hurt together).
ODDS_RATIOS = (0.2, 50.0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model, what was chosen on the way, and what it read of simulated athletes.

    ``features`` is the feature matrix of the first `MOST_TRAINING` screenings trained on; None of
    measured athletes, of whom a fit may leave out an answer that the model reads.
    """

    model: RiskModel
    choices: dict[str, float]
    features: FeatureMatrix | None


def fit(
    cohort: Cohort,
    truth: pd.DataFrame | None = None,
    *,
    rows: NDArray[np.bool_] | None = None,
    seed: int = 0,
    progress: Progress = ignore,
    interval: bool = True,
    settings: Settings = DEFAULTS,
    workers: Workers = in_this_process,
    hold_rows: HoldRows = hold_here,
) -> Fitted:
    """Fit a model to a cohort's outcomes, or to the truth of a simulated one.

    Parameters
    ----------
    cohort
        With the athletes to train on, n screenings.
    truth
        True risks and imbalances of the same screenings, in the same order.
    rows
        Which of the screenings to train on, a mask of shape (n,); None: all.
    seed
        Of the folds.
    progress
        Called with what is being done.
    interval
        False leaves out the interval and the imbalances, where only the risk itself is wanted.
    settings
        What is not chosen inside the fit.
    workers
        What refits the bootstrap of an interval.
    hold_rows
        What holds the rows of the trees of the risk: this process, or a cluster.

    Returns
    -------
    The model and what was chosen.

    Raises
    ------
    CohortRefused
        Where the cohort has nothing to learn from.
    """
    # The matrices of a fit are small: threads of the linear algebra would only wait for each other
    # (a solve of 80 measures took 14 ms with two of them on a busy machine, 0.2 ms with one).
    with threadpool_limits(limits=1, user_api="blas"):
        progress(event("measurement_update"))
        population, inputs = _inputs_of_rows(cohort, truth, rows, settings)
        return _fit(inputs, population, seed, progress, interval, settings, workers, hold_rows)


def _inputs_of_rows(
    cohort: Cohort,
    truth: pd.DataFrame | None,
    rows: NDArray[np.bool_] | None,
    settings: Settings,
) -> tuple[Population, Inputs]:
    """Population and inputs of some screenings, whose copy is gone before anything is fitted."""
    if rows is not None:
        cohort, truth = subset(cohort, rows), truth_subset(truth, rows)
    population = population_of(cohort, settings)
    return population, inputs_of(cohort, truth, population)


def fit_label(
    cohort: Cohort, label: FloatArray, *, seed: int = 0, settings: Settings = DEFAULTS
) -> RiskModel:
    """The same model of another label than an outcome, one that athletes have and legs don't.

    Parameters
    ----------
    cohort
        The athletes to train on, n screenings.
    label
        1, 0, or NaN where it is not known, of each screening, shape (n,).
    seed
        Of the folds.
    settings
        What is not chosen inside the fit.

    Returns
    -------
    A model whose ``either`` is the probability of the label; its interval means nothing.

    Raises
    ------
    CohortRefused
        Where there are too few of either sort.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        population = population_of(cohort, settings)
        inputs = inputs_of_label(cohort, label, population)
        return _fit(
            inputs, population, seed, ignore, False, settings, in_this_process, hold_here
        ).model


def _fit(
    inputs: Inputs,
    population: Population,
    seed: int,
    progress: Progress,
    interval: bool,
    settings: Settings,
    workers: Workers,
    hold_rows: HoldRows,
) -> Fitted:
    columns, signs = usable_columns(inputs), monotone_directions(population)
    progress(event("linear_part"))
    margin, penalties = fit_margin(inputs, columns, signs, seed, settings=settings)
    base, fold = _out_of_fold_margin(inputs, margin, columns, signs, penalties, seed)
    progress(event("trees"))
    boosted, rounds, log_odds = _fit_trees(inputs, signs, base, fold, settings, hold_rows)
    calibration = _calibrate(inputs, log_odds)
    model = RiskModel(
        population=population,
        margin=margin,
        boosted=boosted,
        calibration=calibration,
        interval=BootstrapInterval(refits=(margin,), slope=1.0),
        either_conformal_correction=0.0,
        odds_ratio=_fit_odds_ratio(inputs, calibration.apply(log_odds)),
        imbalance=fit_imbalances(inputs, fold, progress) if interval else None,
        base_rates=_base_rates(inputs),
    )
    if interval:
        resampled = ResampledFit(inputs, columns, signs, penalties)
        model = with_interval(model, resampled, progress, workers)
    choices = {
        **settings.numbers(),
        **penalties.numbers(),
        "boosting_rounds": float(rounds),
        "calibration_slope_applied": calibration.slope,
        "left_right_odds_ratio": model.odds_ratio or 0.0,
    }
    return Fitted(model, choices, _features_to_evaluate(inputs))


def _features_to_evaluate(inputs: Inputs) -> FeatureMatrix | None:
    """The first rows, by positions and so copied: a slice would keep all of a large cohort."""
    first = np.arange(min(MOST_TRAINING, len(inputs.target)))
    return inputs.legs.take(first) if inputs.true else None


def _out_of_fold_margin(
    inputs: Inputs,
    margin: Margin,
    columns: tuple[Column, ...],
    signs: dict[Column, int],
    penalties: Penalties,
    seed: int,
) -> tuple[FloatArray, np.ndarray]:
    """The margin (n, 2) of each screening from the folds it is not in, and its fold (n,).

    Where there is plenty to learn from, the margin fitted to everybody serves.
    """
    fold = stratified_folds(inputs, FOLDS_OF_PLENTY if inputs.plenty else FOLDS, seed + 1)
    if inputs.plenty:
        return margin.log_odds(inputs.legs), fold
    base = np.zeros_like(inputs.target)
    for number in np.unique(fold):
        outside = fold != number
        inner = fit_margin(inputs.take(outside), columns, signs, seed, penalties)[0]
        base[~outside] = inner.log_odds(inputs.take(~outside).legs)
    return base, fold


def _fit_trees(
    inputs: Inputs,
    signs: dict[Column, int],
    base: FloatArray,
    fold: np.ndarray,
    settings: Settings,
    hold_rows: HoldRows,
) -> tuple[BoostedTrees, int, FloatArray]:
    """Trees from the margin, their number, and out-of-fold log-odds (n, 2) of both together."""
    rows = BoostingRows(
        legs=inputs.legs,
        base=base.reshape(-1),
        target=inputs.target.reshape(-1),
        fold=np.repeat(fold, 2),
        columns=tree_columns(inputs),
        signs=signs,
        shared=not inputs.plenty,
        weight=None if inputs.weight is None else inputs.weight.reshape(-1),
    )
    boosted, rounds = fit_boosted(rows, settings=settings, hold_rows=hold_rows)
    log_odds = base.copy()
    for number in np.unique(fold) if rounds else ():
        outside = fold != number
        inner, _ = fit_boosted(rows.take(np.repeat(outside, 2)), rounds, settings, hold_rows)
        # Not named: until the next fold's rows are there, a name would keep these.
        log_odds[~outside] = inner.log_odds(
            inputs.legs.take(~outside), base[~outside].reshape(-1)
        ).reshape(-1, 2)
    return boosted, rounds, log_odds


def _calibrate(inputs: Inputs, log_odds: FloatArray) -> Calibration:
    known = ~np.isnan(inputs.target)
    return fit_calibration(log_odds[known], inputs.target[known], inputs.weights[known])


def _base_rates(inputs: Inputs) -> BaseRates | None:
    """The published base rates, where the truth tells what definitions add to each risk."""
    if inputs.definition_shift is None:
        return None
    centred, sport = logit(inputs.either) - inputs.definition_shift, inputs.sport
    within = [centred[sport == code] for code in np.unique(sport[~np.isnan(sport)])]
    return published_base_rates(float(np.sqrt(np.mean([np.nanvar(values) for values in within]))))


def _fit_odds_ratio(inputs: Inputs, log_odds: FloatArray) -> float | None:
    """The odds ratio between the legs with which the outcomes of either knee are likeliest."""
    if not inputs.sided:
        return None
    known = ~np.isnan(inputs.target).any(axis=1) & ~np.isnan(inputs.either)
    left, right = (1.0 / (1.0 + np.exp(-log_odds[known, i])) for i in (0, 1))
    target = inputs.either[known]
    weight = 1.0 if inputs.either_weight is None else inputs.either_weight[known]

    def loss(log_ratio: float) -> float:
        risk = np.clip(either_of(left, right, float(np.exp(log_ratio))), 1e-9, 1 - 1e-9)
        return float(-(weight * (target * np.log(risk) + (1 - target) * np.log1p(-risk))).sum())

    low, high = (float(np.log(ratio)) for ratio in ODDS_RATIOS)
    optimum = minimize_scalar(loss, bounds=(low, high), method="bounded")
    return float(np.exp(optimum.x))
