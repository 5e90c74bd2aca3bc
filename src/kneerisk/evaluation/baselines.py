"""Baselines of a model: logistic regression, plain XGBoost, confounders alone, the base rate.

They read feature matrices of their own, simple on purpose and apart from the model's, so that an
error in that one can't hide in its baselines as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import folds, subset
from kneerisk.evaluation.baseline_classifiers import (
    LinearWeights,
    LogisticModel,
    Trees,
    fit_linear,
    fit_trees,
)
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

#: What differs between athletes but is not about the knee: who was measured where.
CONFOUNDERS = ("age_years", "sex", "height_cm", "mass_kg", "run_speed_mps")
#: Of a logistic regression. Five folds are the usual choice (assumption).
_FOLD_SEED, _FOLDS = 0, 5
#: The classifier of a leg, or of either knee.
Classifier = LogisticModel | LinearWeights | Trees


@dataclass(frozen=True, slots=True)
class Design:
    """Which measures a baseline reads: named lists, so that it can be logged."""

    athlete: tuple[str, ...]
    leg: tuple[str, ...]

    def leg_matrix(self, data: Columns, side: Side) -> FloatArray:
        """Athlete measures, and of each leg measure: own, other, own minus other.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.
        side
            Which leg is its own.

        Returns
        -------
        Shape (n, p), missing as NaN.
        """
        other: Side = "right" if side == "left" else "left"
        matrix = [*self._athlete_columns(data)]
        for name in self.leg:
            own, across = data[f"{side}_{name}"], data[f"{other}_{name}"]
            matrix += [own, across, own - across]
        return _stack(matrix, data)

    def either_matrix(self, data: Columns) -> FloatArray:
        """Athlete measures, and of each leg measure: mean of both legs, absolute difference.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.

        Returns
        -------
        Shape (n, p), missing as NaN.
        """
        matrix = [*self._athlete_columns(data)]
        for name in self.leg:
            left, right = (data[f"{side}_{name}"] for side in SIDES)
            matrix += [(left + right) / 2.0, np.abs(left - right)]
        return _stack(matrix, data)

    def _athlete_columns(self, data: Columns) -> Iterator[FloatArray]:
        for name in self.athlete:
            measure = columns()[name]
            if isinstance(measure, Category) and not measure.ordinal and len(measure.choices) > 2:
                yield from _one_hot(data[name], len(measure.choices)).T
            else:
                yield data[name]


def logistic_design() -> Design:
    """Every measure that may enter a model."""
    return Design(athlete=_inputs(athlete_measures()), leg=_inputs(leg_measures()))


def _one_hot(codes: FloatArray, n_choices: int) -> FloatArray:
    """One column for each choice, shape (n, n_choices); all 0 where the choice is missing."""
    encoder = OneHotEncoder(
        categories=[np.arange(n_choices, dtype=np.float64)],
        handle_unknown="ignore",
        sparse_output=False,
    )
    return np.asarray(encoder.fit_transform(codes[:, None]), dtype=np.float64)


def _inputs(measures: dict[str, Measure]) -> tuple[str, ...]:
    return tuple(name for name, measure in measures.items() if measure.model_input)


def _stack(matrix: list[FloatArray], data: Columns) -> FloatArray:
    return np.column_stack(matrix) if matrix else np.empty((n_screenings(data), 0))


def n_screenings(data: Columns) -> int:
    """How many screenings coded columns are of.

    Parameters
    ----------
    data
        Coded columns, shape (n,) each.

    Returns
    -------
    n
    """
    return len(next(iter(data.values())))


@dataclass(frozen=True, slots=True)
class MeasureBaseline:
    """Classifiers of what was measured: one for legs, one for either knee."""

    design: Design
    leg: Classifier | None
    either: Classifier | None

    def as_data(self) -> dict[str, Any]:
        """The measures that a logistic one reads, and its weights as numbers, for a bundle."""
        models = (("leg", self.leg), ("either", self.either))
        weights = {
            task: asdict(each.weights()) for task, each in models if isinstance(each, LogisticModel)
        }
        return {**asdict(self.design), "weights": weights}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> MeasureBaseline:
        """What `as_data` wrote."""
        weights = {task: LinearWeights(**values) for task, values in data["weights"].items()}
        design = Design(tuple(data["athlete"]), tuple(data["leg"]))
        return cls(design, weights.get("leg"), weights.get("either"))

    def predict(self, data: Columns) -> Risks:
        """Risks of screenings.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.

        Returns
        -------
        Those of the tasks that could be fitted.
        """
        left, right = (
            self.leg.predict(self.design.leg_matrix(data, side)) if self.leg else None
            for side in SIDES
        )
        either = self.either.predict(self.design.either_matrix(data)) if self.either else None
        return Risks(left=left, right=right, either=either)


@dataclass(frozen=True, slots=True)
class PriorBaseline:
    """The base rate of the athletes trained on, for everyone."""

    leg: float | None
    either: float | None

    def predict(self, data: Columns) -> Risks:
        """The same risks for every screening.

        Parameters
        ----------
        data
            Coded columns, shape (n,) each.

        Returns
        -------
        Those of the tasks that have a base rate.
        """
        n = n_screenings(data)
        leg = None if self.leg is None else np.full(n, self.leg)
        return Risks(leg, leg, None if self.either is None else np.full(n, self.either))


def fit_baselines(cohort: Cohort, seed: int) -> dict[str, MeasureBaseline | PriorBaseline]:
    """All baselines, by the name that prefixes their metrics."""
    return {
        "logistic": fit_logistic(cohort, logistic_design(), seed),
        "control": fit_logistic(cohort, Design(CONFOUNDERS, ()), seed),
        "prior": fit_prior(cohort),
    }


def fit_logistic(cohort: Cohort, design: Design, seed: int) -> MeasureBaseline:
    """Logistic regressions of the screenings with an outcome.

    Parameters
    ----------
    cohort
        The athletes to train on.
    design
        Which measures are read.
    seed
        Of the folds in which the penalty is chosen.

    Returns
    -------
    Without a model for a task that has only one kind of outcome.
    """
    data, outcomes = cohort.columns(), cohort.outcomes()
    athlete = cohort.frame["athlete_id"].astype(str).to_numpy()
    leg = None
    if cohort.has_sides:
        matrix = np.vstack([design.leg_matrix(data, side) for side in SIDES])
        outcome = np.concatenate([outcomes.left, outcomes.right])
        leg = fit_linear(matrix, outcome, np.tile(athlete, 2), seed)
    return MeasureBaseline(
        design=design,
        leg=leg,
        either=fit_linear(design.either_matrix(data), outcomes.either, athlete, seed),
    )


def cross_validated_logistic(cohort: Cohort, design: Design | None = None) -> Risks:
    """Logistic regression of the cohort, each athlete predicted by a fit without them."""
    fold = folds(cohort.frame["athlete_id"], _FOLDS, _FOLD_SEED)
    out_of_fold = {task: np.full(len(fold), np.nan) for task in (*SIDES, "either")}
    for number in range(_FOLDS):
        outside = fold != number
        if outside.all() or not outside.any():
            continue
        fitted = fit_logistic(subset(cohort, outside), design or logistic_design(), _FOLD_SEED)
        risks = fitted.predict(subset(cohort, ~outside).columns())
        for task, values in out_of_fold.items():
            predicted = getattr(risks, task)
            values[~outside] = np.nan if predicted is None else predicted
    left, right = (out_of_fold[side] if cohort.has_sides else None for side in SIDES)
    return Risks(left, right, out_of_fold["either"], fold)


def fit_xgboost(cohort: Cohort, seed: int, *, either: bool = True) -> MeasureBaseline:
    """Plain XGBoost of the screenings with an outcome.

    Parameters
    ----------
    cohort
        The athletes to train on.
    seed
        Of the folds and of the trees.
    either
        False leaves out the task of either knee where the cohort has sides.

    Returns
    -------
    Without a classifier for a task that has only one kind of outcome.
    """
    design, data, outcomes = logistic_design(), cohort.columns(), cohort.outcomes()
    athlete = cohort.frame["athlete_id"].astype(str).to_numpy()
    leg = either_trees = None
    if cohort.has_sides:
        matrix = np.vstack([design.leg_matrix(data, side) for side in SIDES])
        outcome = np.concatenate([outcomes.left, outcomes.right])
        leg = fit_trees(matrix, outcome, np.tile(athlete, 2), seed)
    if either or not cohort.has_sides:
        either_trees = fit_trees(design.either_matrix(data), outcomes.either, athlete, seed)
    return MeasureBaseline(design, leg, either_trees)


def fit_prior(cohort: Cohort) -> PriorBaseline:
    """The share of known outcomes that were pain."""
    outcomes = cohort.outcomes()
    legs = np.concatenate([outcomes.left, outcomes.right])
    return PriorBaseline(
        leg=_rate(legs) if cohort.has_sides else None, either=_rate(outcomes.either)
    )


def _rate(outcome: FloatArray) -> float | None:
    return float(np.nanmean(outcome)) if np.isfinite(outcome).any() else None
