"""Baselines of a model: logistic regression, plain XGBoost, confounders alone, the base rate.

They read feature matrices of their own (`baseline_design`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import folds, subset
from kneerisk.evaluation.baselines.baseline_design import (
    Design,
    TaskMatrix,
    logistic_design,
    n_screenings,
    task_matrices,
)
from kneerisk.evaluation.baselines.plain_xgboost import Trees, fit_trees
from kneerisk.evaluation.baselines.ridge_baseline import LinearWeights, fit_linear
from kneerisk.evaluation.task_rows import Risks
from kneerisk.schema import SIDES, Columns

#: What differs between athletes but is not about the knee: who was measured where.
CONFOUNDERS = ("age_years", "sex", "height_cm", "mass_kg", "run_speed_mps")
#: Of a logistic regression. Five folds are the usual choice (assumption).
_FOLD_SEED, _FOLDS = 0, 5
#: The classifier of a leg, or of either knee.
Classifier = LinearWeights | Trees


@dataclass(frozen=True, slots=True)
class MeasureBaseline:
    """Classifiers of what was measured: one for legs, one for either knee."""

    design: Design
    leg: Classifier | None
    either: Classifier | None

    def as_data(self) -> dict[str, Any]:
        """The measures that a logistic one reads, and its weights as numbers, for a bundle."""
        models = (("leg", self.leg), ("either", self.either))
        weights = {task: asdict(each) for task, each in models if isinstance(each, LinearWeights)}
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
    leg, either = task_matrices(cohort, design)
    return MeasureBaseline(
        design=design,
        leg=None if leg is None else fit_linear(*leg[:3], seed, leg.weight),
        either=fit_linear(*either[:3], seed, either.weight),
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
    design = logistic_design()
    leg, either_task = task_matrices(cohort, design)
    is_wanted = either or leg is None
    return MeasureBaseline(
        design,
        None if leg is None else fit_trees(*leg[:3], seed, row_weight=leg.weight),
        fit_trees(*either_task[:3], seed, row_weight=either_task.weight) if is_wanted else None,
    )


def fit_prior(cohort: Cohort) -> PriorBaseline:
    """The share of known outcomes that were pain."""
    leg, either = task_matrices(cohort, Design((), ()))
    return PriorBaseline(leg=None if leg is None else _rate(leg), either=_rate(either))


def _rate(rows: TaskMatrix) -> float | None:
    known = np.isfinite(rows.outcome)
    if not known.any():
        return None
    if rows.weight is None:
        return float(np.nanmean(rows.outcome))
    return float(np.average(rows.outcome[known], weights=rows.weight[known]))
