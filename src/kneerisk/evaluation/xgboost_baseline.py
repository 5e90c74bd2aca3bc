"""Plain XGBoost (Chen & Guestrin 2016): what a data scientist would train first.

It reads what the logistic baseline reads, missing values as they are. Depth and number of rounds
are chosen by grouped cross-validation with early stopping; nothing is monotone, calibrated or
known beforehand. A model that does not beat it should be replaced by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import folds
from kneerisk.evaluation.baseline_features import Design, logistic_design
from kneerisk.evaluation.task_rows import Risks
from kneerisk.schema import SIDES, Columns, FloatArray

#: What is not searched for (assumption: the shares of rows and columns that most guides give).
SETTINGS = {
    "objective": "binary:logistic",
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "nthread": 1,
}
#: Depths that are tried (assumption).
DEPTHS = (2, 3, 5)
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How rounds are searched: shrinkage of a tree, most rounds, and early stopping.

    Attributes
    ----------
    step_size
        Shrinkage of each tree.
    most_rounds
        Most rounds to try.
    patience
        Rounds without a gain after which the search ends.
    """

    step_size: float = 0.1
    most_rounds: int = 300
    patience: int = 20


#: The usual one, and one of smaller steps, which gains a little where there are few rows.
USUAL, FINE = Search(), Search(step_size=0.05, most_rounds=500, patience=40)


@dataclass(frozen=True, slots=True)
class Trees:
    """A fitted XGBoost classifier of one plain matrix."""

    booster: xgb.Booster
    depth: int
    rounds: int

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Probabilities of the outcome.

        Parameters
        ----------
        matrix
            Columns as fitted, shape (n, p), missing as NaN.

        Returns
        -------
        Shape (n,).
        """
        return np.asarray(self.booster.inplace_predict(matrix), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class XGBoostBaseline:
    """XGBoost on what was measured: one classifier for legs, one for either knee."""

    design: Design
    leg: Trees | None
    either: Trees | None

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


def fit_xgboost(cohort: Cohort, seed: int, *, either: bool = True) -> XGBoostBaseline:
    """Fit on the screenings with an outcome.

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
    return XGBoostBaseline(design, leg, either_trees)


def fit_trees(
    matrix: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.object_],
    seed: int,
    search: Search = USUAL,
) -> Trees | None:
    """XGBoost on rows with an outcome, its depth and rounds chosen in folds of athletes.

    Parameters
    ----------
    matrix
        Columns, shape (n, p), missing as NaN.
    outcome
        0 or 1, shape (n,), NaN where it is not known.
    athlete
        Whom each row is of, shape (n,): no athlete is on both sides of a fold.
    seed
        Of the folds and of the trees.
    search
        How rounds are searched.

    Returns
    -------
    None where there is only one kind of outcome.
    """
    known = np.isfinite(outcome)
    if len(np.unique(outcome[known])) < 2:
        return None
    rows = xgb.DMatrix(matrix[known], outcome[known], nthread=1)
    fold = folds(athlete[known], _FOLDS, seed)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    results = [(*_rounds(rows, depth, splits, seed, search), depth) for depth in DEPTHS]
    _, rounds, depth = min(results)
    return Trees(xgb.train(_parameters(depth, seed, search), rows, rounds), depth, rounds)


def _rounds(
    rows: xgb.DMatrix,
    depth: int,
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    seed: int,
    search: Search,
) -> tuple[float, int]:
    """The least log loss of left-out rows at a depth, and after how many rounds it is."""
    history = xgb.cv(
        _parameters(depth, seed, search), rows, search.most_rounds, folds=splits,
        metrics="logloss", early_stopping_rounds=search.patience, as_pandas=False,
    )  # fmt: skip
    losses = np.asarray(history["test-logloss-mean"])
    return float(losses.min()), int(losses.argmin()) + 1


def _parameters(depth: int, seed: int, search: Search) -> dict[str, object]:
    return {**SETTINGS, "eta": search.step_size, "max_depth": depth, "seed": seed}
