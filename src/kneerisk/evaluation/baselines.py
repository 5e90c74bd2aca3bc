"""What a model is judged beside: plain logistic regression, confounders alone, the base rate.

The matrices here are the baselines' own, simple on purpose, so that an error in the model's
matrix can't hide in its baseline as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import folds
from kneerisk.evaluation.task_rows import Risks
from kneerisk.schema import (
    SIDES,
    Category,
    Columns,
    FloatArray,
    Measure,
    Side,
    athlete_measures,
    columns,
    leg_measures,
)

#: Weight of the data against the penalty (scikit-learn's C), from shrinking most to least.
_WEIGHTS = (0.0001, 0.001, 0.01, 0.1, 1.0)
#: With more rows than this, the penalty no longer matters and is not searched for.
_ROWS_TO_SEARCH = 25_000
_FOLDS = 5
#: For a finer search: more weights, and with few rows, where how they fall into folds would decide,
#: folds that are dealt several times.
_FINE_WEIGHTS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_FEW_ROWS, _DEALS = 1_000, 3
#: What tells athletes and places apart, but nothing of a knee. A model that does no better
#: than these has learnt who was measured where.
CONFOUNDERS = ("age_years", "sex", "height_cm", "mass_kg", "run_speed_mps")


@dataclass(frozen=True, slots=True)
class Design:
    """Which columns a logistic model reads: named lists, so that it can be logged."""

    athlete: tuple[str, ...]
    leg: tuple[str, ...]

    def of_leg(self, data: Columns, side: Side) -> FloatArray:
        """Athlete measures, and of each leg measure: own, other, own minus other."""
        other: Side = "right" if side == "left" else "left"
        parts = [*self._athlete(data)]
        for name in self.leg:
            own, across = data[f"{side}_{name}"], data[f"{other}_{name}"]
            parts += [own, across, own - across]
        return _stack(parts, data)

    def of_either(self, data: Columns) -> FloatArray:
        """Athlete measures, and of each leg measure: mean of both, absolute difference."""
        parts = [*self._athlete(data)]
        for name in self.leg:
            left, right = (data[f"{side}_{name}"] for side in SIDES)
            parts += [(left + right) / 2.0, np.abs(left - right)]
        return _stack(parts, data)

    def _athlete(self, data: Columns) -> Iterable[FloatArray]:
        for name in self.athlete:
            measure = columns()[name]
            if isinstance(measure, Category) and not measure.ordinal and len(measure.choices) > 2:
                yield from (
                    (data[name] == place).astype(np.float64)
                    for place in range(len(measure.choices))
                )
            else:
                yield data[name]


@dataclass(frozen=True, slots=True)
class Scale:
    """Median, mean and spread of columns: a missing value is the median."""

    median: FloatArray
    mean: FloatArray
    spread: FloatArray

    def apply(self, matrix: FloatArray) -> FloatArray:
        """Standardised values, of the same shape."""
        filled = np.where(np.isnan(matrix), self.median, matrix)
        return np.asarray((filled - self.mean) / self.spread, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted logistic regression with median imputation: what it saw, and its weights."""

    scale: Scale
    weights: FloatArray
    intercept: float

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Probabilities, shape (n_rows,)."""
        margin = self.scale.apply(matrix) @ self.weights + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-margin)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LogisticBaseline:
    """Logistic regressions on what was measured: one for legs, one for either knee."""

    design: Design
    leg: Linear | None
    either: Linear | None

    def predict(self, data: Columns) -> Risks:
        """Risks for coded columns."""
        left, right = (
            self.leg.predict(self.design.of_leg(data, side)) if self.leg else None for side in SIDES
        )
        both = self.either.predict(self.design.of_either(data)) if self.either else None
        return Risks(left=left, right=right, either=both)


@dataclass(frozen=True, slots=True)
class PriorBaseline:
    """The base rate of the athletes trained on, for everyone."""

    leg: float | None
    either: float | None

    def predict(self, data: Columns) -> Risks:
        """The same risks for every screening."""
        n = _n_rows(data)
        leg = None if self.leg is None else np.full(n, self.leg)
        return Risks(leg, leg, None if self.either is None else np.full(n, self.either))


def fit_baselines(cohort: Cohort, seed: int) -> dict[str, LogisticBaseline | PriorBaseline]:
    """All baselines, by the name that prefixes their metrics."""
    return {
        "logistic": fit_logistic(cohort, logistic_design(), seed),
        "control": fit_logistic(cohort, Design(CONFOUNDERS, ()), seed),
        "prior": fit_prior(cohort),
    }


def logistic_design() -> Design:
    """Every measure that may enter a model."""
    return Design(athlete=_inputs(athlete_measures()), leg=_inputs(leg_measures()))


def fit_logistic(cohort: Cohort, design: Design, seed: int) -> LogisticBaseline:
    """Fit on the screenings with an outcome; a task with one kind of outcome has no model."""
    data, outcomes = cohort.columns(), cohort.outcomes()
    athlete = cohort.frame["athlete_id"].astype(str).to_numpy()
    leg = None
    if cohort.has_sides:
        matrix = np.vstack([design.of_leg(data, side) for side in SIDES])
        outcome = np.concatenate([outcomes.left, outcomes.right])
        leg = fit_linear(matrix, outcome, np.tile(athlete, 2), seed)
    return LogisticBaseline(
        design=design,
        leg=leg,
        either=fit_linear(design.of_either(data), outcomes.either, athlete, seed),
    )


def fit_prior(cohort: Cohort) -> PriorBaseline:
    """The share of outcomes that were pain."""
    outcomes = cohort.outcomes()
    legs = np.concatenate([outcomes.left, outcomes.right])
    return PriorBaseline(
        leg=_rate(legs) if cohort.has_sides else None, either=_rate(outcomes.either)
    )


def _rate(outcome: FloatArray) -> float | None:
    known = outcome[np.isfinite(outcome)]
    return float(known.mean()) if len(known) else None


def _inputs(measures: dict[str, Measure]) -> tuple[str, ...]:
    return tuple(name for name, measure in measures.items() if measure.model_input)


def _n_rows(data: Columns) -> int:
    return len(next(iter(data.values())))


def _stack(parts: list[FloatArray], data: Columns) -> FloatArray:
    return np.column_stack(parts) if parts else np.empty((_n_rows(data), 0))


def fit_linear(
    matrix: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.object_],
    seed: int,
    *,
    fine: bool = False,
) -> Linear | None:
    """Logistic regression on rows with an outcome, its penalty chosen in folds of athletes.

    Parameters
    ----------
    matrix, outcome
        Columns (n, p), missing as NaN, and 0 or 1 (n,), NaN where it is not known.
    athlete
        Whom each row is of, shape (n,): no athlete is on both sides of a fold.
    fine
        Search the penalty finely.
    """
    known = np.isfinite(outcome)
    matrix, outcome, athlete = matrix[known], outcome[known], athlete[known]
    if len(np.unique(outcome)) < 2:
        return None
    weight = _WEIGHTS[-1]
    if len(outcome) <= _ROWS_TO_SEARCH:
        deals = _DEALS if fine and len(outcome) <= _FEW_ROWS else 1
        dealt = [folds(athlete, _FOLDS, seed + 1_000 * deal) for deal in range(deals)]
        weight = _best_weight(matrix, outcome, dealt, _FINE_WEIGHTS if fine else _WEIGHTS)
    return _linear(matrix, outcome, weight)


def _best_weight(
    matrix: FloatArray,
    outcome: FloatArray,
    dealt: list[NDArray[np.intp]],
    weights: tuple[float, ...],
) -> float:
    losses = sum(_left_out_losses(matrix, outcome, fold, weights) for fold in dealt)
    return weights[int(np.argmin(losses))]


def _left_out_losses(
    matrix: FloatArray, outcome: FloatArray, fold: NDArray[np.intp], weights: tuple[float, ...]
) -> FloatArray:
    """Log loss of the rows that each fold leaves out, by weight of the data."""
    chance = np.full((len(weights), len(outcome)), outcome.mean())
    for held in range(_FOLDS):
        train = fold != held
        if len(np.unique(outcome[train])) == 2:
            scale = _scale(matrix[train])
            x, left_out = scale.apply(matrix[train]), scale.apply(matrix[~train])
            for place, weight in enumerate(weights):
                told = _fitted(x, outcome[train], weight).predict_proba(left_out)
                chance[place, ~train] = told[:, 1]
    return np.array([log_loss(outcome, one, labels=[0, 1]) for one in chance])


def _linear(matrix: FloatArray, outcome: FloatArray, weight_of_data: float) -> Linear:
    scale = _scale(matrix)
    model = _fitted(scale.apply(matrix), outcome, weight_of_data)
    return Linear(scale, model.coef_[0].copy(), float(model.intercept_[0]))


def _fitted(x: FloatArray, outcome: FloatArray, weight_of_data: float) -> LogisticRegression:
    return LogisticRegression(C=weight_of_data, max_iter=2_000).fit(x, outcome)


def _scale(matrix: FloatArray) -> Scale:
    known = np.isfinite(matrix)
    median = np.array(
        [
            np.median(column[ok]) if ok.any() else 0.0
            for column, ok in zip(matrix.T, known.T, strict=True)
        ]
    )
    filled = np.where(known, matrix, median)
    mean, spread = filled.mean(axis=0), filled.std(axis=0)
    return Scale(median, mean, np.where(spread > 0.0, spread, 1.0))
