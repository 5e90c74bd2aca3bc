"""Fit a model to a cohort: linear part, trees, calibration, interval, imbalances, dependence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import logit
from threadpoolctl import threadpool_limits

from kneerisk.cohort.files import Cohort
from kneerisk.evidence.pair_dependence import either as either_of
from kneerisk.evidence.population import Population
from kneerisk.model.calibration import Calibration, fit_calibration
from kneerisk.model.feature_columns import Column, ColumnKind, monotone_directions
from kneerisk.model.intervals import COVERAGE, BootstrapInterval, QuantileInterval
from kneerisk.model.margin import Margin
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import BoostedTrees
from kneerisk.progress import Progress, event, ignore
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.boosting import Rows, fit_boosted
from kneerisk.training.fitting.fit_inputs import (
    Inputs,
    inputs_of,
    inputs_of_label,
    stratified_folds,
    tree_columns,
    usable_columns,
)
from kneerisk.training.fitting.imbalance_trees import fit_imbalance
from kneerisk.training.fitting.interval_fit import fit_bootstrap, fit_quantiles
from kneerisk.training.fitting.margin_fit import Tuned, fit_margin
from kneerisk.training.fitting.population_shrinkage import population_of
from kneerisk.training.fitting.settings import DEFAULTS, Settings

SET_ASIDE = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model and what was chosen on the way."""

    model: RiskModel
    choices: dict[str, float]


def fit(
    cohort: Cohort,
    truth: pd.DataFrame | None = None,
    *,
    seed: int = 0,
    progress: Progress = ignore,
    interval: bool = True,
    settings: Settings = DEFAULTS,
) -> Fitted:
    """Fit a model to a cohort's outcomes, or to the truth of a simulated one.

    Parameters
    ----------
    truth
        True risks and imbalances of the same screenings, in the same order.
    progress
        Told what is being done.
    interval
        False leaves out the interval and the imbalances, where only the risk itself is wanted.
    settings
        What is not chosen inside the fit.

    Raises
    ------
    CohortRefused
        Where the cohort has nothing to learn from.
    """
    # The matrices of a fit are small: threads of the linear algebra would only wait for each other
    # (a solve of 80 measures took 14 ms with two of them on a busy machine, 0.2 ms with one).
    with threadpool_limits(limits=1, user_api="blas"):
        progress(event("measurement_update"))
        population = population_of(cohort, settings)
        inputs = inputs_of(cohort, truth, population)
        return _fit(inputs, population, seed, progress, interval, settings)


def fit_label(
    cohort: Cohort, label: FloatArray, *, seed: int = 0, settings: Settings = DEFAULTS
) -> RiskModel:
    """The same model of something else than an outcome, that athletes have and legs don't.

    Its ``either`` is then the probability of the label; it has no interval worth the name.

    Parameters
    ----------
    label
        1, 0, or NaN where it is not known, of each screening, shape (n,).

    Raises
    ------
    CohortRefused
        Where there are too few of either sort.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        population = population_of(cohort, settings)
        inputs = inputs_of_label(cohort, label, population)
        return _fit(inputs, population, seed, ignore, False, settings).model


def _fit(
    inputs: Inputs,
    population: Population,
    seed: int,
    progress: Progress,
    interval: bool,
    settings: Settings,
) -> Fitted:
    columns, signs = usable_columns(inputs), monotone_directions(population)
    progress(event("linear_part"))
    margin, tuned = fit_margin(inputs, columns, signs, seed, settings=settings)
    base, fold = _left_out_base(inputs, margin, columns, signs, tuned, seed)
    progress(event("trees"))
    boosted, rounds, scores = _boost(inputs, signs, base, fold, settings)
    calibration = _calibrate(inputs, scores)
    shell = RiskModel(
        population=population,
        margin=margin,
        boosted=boosted,
        calibration=calibration,
        interval=BootstrapInterval(refits=(margin,), slope=1.0),
        either_conformal_correction=0.0,
        odds_ratio=_odds_ratio(inputs, calibration.apply(scores)),
        imbalance=fit_imbalance(inputs, fold, progress) if interval else None,
    )
    around = _interval(inputs, shell, columns, signs, tuned, progress) if interval else None
    model = _with_interval(shell, inputs, around) if around else shell
    choices = {
        **settings.numbers(),
        "within_penalty": tuned.within,
        "between_penalty": tuned.between,
        "within_stretch": tuned.stretch,
        "boosting_rounds": float(rounds),
        "calibration_slope_applied": calibration.slope,
        "left_right_odds_ratio": model.odds_ratio or 0.0,
    }
    return Fitted(model, choices)


def _left_out_base(
    inputs: Inputs,
    margin: Margin,
    columns: tuple[Column, ...],
    signs: dict[Column, int],
    tuned: Tuned,
    seed: int,
) -> tuple[FloatArray, np.ndarray]:
    """The linear log-odds (n, 2) of each screening from the folds it is not in, and the folds.

    Where there is plenty to learn from, the whole fit serves.
    """
    fold = stratified_folds(inputs, 3 if inputs.plenty else 5, seed + 1)
    if inputs.plenty:
        return margin.log_odds(inputs.legs), fold
    base = np.zeros_like(inputs.target)
    for number in np.unique(fold):
        outside = fold != number
        inner = fit_margin(inputs.take(outside), columns, signs, seed, tuned)[0]
        base[~outside] = inner.log_odds(inputs.take(~outside).legs)
    return base, fold


def _boost(
    inputs: Inputs,
    signs: dict[Column, int],
    base: FloatArray,
    fold: np.ndarray,
    settings: Settings,
) -> tuple[BoostedTrees, int, FloatArray]:
    """Trees from the linear part, their number, and left-out log-odds (n, 2) of both together."""
    rows = Rows(
        legs=inputs.legs,
        base=base.reshape(-1),
        target=inputs.target.reshape(-1),
        fold=np.repeat(fold, 2),
        columns=tree_columns(inputs),
        signs=signs,
        shared=not inputs.plenty,
    )
    boosted, rounds = fit_boosted(rows, settings=settings)
    scores = base.copy()
    for number in np.unique(fold) if rounds else ():
        outside = fold != number
        inner, _ = fit_boosted(rows.take(np.repeat(outside, 2)), rounds, settings)
        left_out = inputs.take(~outside).legs
        scores[~outside] = inner.log_odds(left_out, base[~outside].reshape(-1)).reshape(-1, 2)
    return boosted, rounds, scores


def _calibrate(inputs: Inputs, scores: FloatArray) -> Calibration:
    known = ~np.isnan(inputs.target)
    return fit_calibration(scores[known], inputs.target[known])


def _odds_ratio(inputs: Inputs, scores: FloatArray) -> float | None:
    """The odds ratio between the legs that makes the outcomes of either knee likeliest."""
    if not inputs.sided:
        return None
    known = ~np.isnan(inputs.target).any(axis=1) & ~np.isnan(inputs.either)
    left, right = (1.0 / (1.0 + np.exp(-scores[known, i])) for i in (0, 1))
    target = inputs.either[known]

    def loss(log_ratio: float) -> float:
        chance = np.clip(either_of(left, right, float(np.exp(log_ratio))), 1e-9, 1 - 1e-9)
        return float(-(target * np.log(chance) + (1 - target) * np.log1p(-chance)).sum())

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(50.0)), method="bounded")
    return float(np.exp(found.x))


def _interval(
    inputs: Inputs,
    model: RiskModel,
    columns: tuple[Column, ...],
    signs: dict[Column, int],
    tuned: Tuned,
    progress: Progress,
) -> QuantileInterval | BootstrapInterval:
    progress(event("intervals"))
    if inputs.true:
        derived = {
            ColumnKind.DIFFERENCE, ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE,
        }  # fmt: skip
        read = tuple(column for column in columns if column.kind not in derived)
        return fit_quantiles(inputs, model.log_odds(inputs.legs), read, _aside(inputs))
    return fit_bootstrap(inputs, columns, signs, tuned, model.calibration, progress)


def _aside(inputs: Inputs) -> np.ndarray:
    return np.asarray(np.arange(len(inputs.target)) % SET_ASIDE == 0)


def _with_interval(
    shell: RiskModel, inputs: Inputs, interval: QuantileInterval | BootstrapInterval
) -> RiskModel:
    """The model with its interval; that of either knee is widened on the athletes set aside."""
    parts = {name: getattr(shell, name) for name in RiskModel.__dataclass_fields__}
    model = RiskModel(**(parts | {"interval": interval}))
    if not inputs.true or not inputs.sided:
        return model
    aside = _aside(inputs) & ~np.isnan(inputs.either)
    part = {name: values[aside] for name, values in inputs.data.items()}
    low, high = (logit(bound) for bound in model.predict(part).intervals["either"])
    true = logit(inputs.either[aside])
    outside = np.maximum(low - true, true - high)
    return RiskModel(
        **(
            parts
            | {
                "interval": interval,
                "either_conformal_correction": float(np.quantile(outside, COVERAGE)),
            }
        )
    )
