"""Plain XGBoost: what a data scientist would train first, to be beaten or else used instead.

It reads what the logistic baseline reads, missing values as they are. Depth and number of rounds
are chosen by grouped cross-validation with early stopping; nothing is monotone, calibrated or
known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import folds
from kneerisk.evaluation.baselines import Design, logistic_design
from kneerisk.evaluation.task_rows import Risks
from kneerisk.schema import SIDES, Columns, FloatArray

#: What is not searched for: the shares of rows and columns that most guides give.
SETTINGS = {
    "objective": "binary:logistic",
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "nthread": 1,
}
DEPTHS = (2, 3, 5)
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How long steps are, how many there may be, and how many in vain end the search."""

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
        """Probabilities, shape (n_rows,)."""
        return np.asarray(self.booster.inplace_predict(matrix), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class XGBoostBaseline:
    """XGBoost on what was measured: one classifier for legs, one for either knee."""

    design: Design
    leg: Trees | None
    either: Trees | None

    def predict(self, data: Columns) -> Risks:
        """Risks for coded columns."""
        left, right = (
            self.leg.predict(self.design.of_leg(data, side)) if self.leg else None for side in SIDES
        )
        both = self.either.predict(self.design.of_either(data)) if self.either else None
        return Risks(left=left, right=right, either=both)


def fit_xgboost(cohort: Cohort, seed: int, *, either: bool = True) -> XGBoostBaseline:
    """Fit on the screenings with an outcome; a task with one kind of outcome has no classifier.

    Parameters
    ----------
    either
        False leaves out the task of either knee where the cohort has sides.
    """
    design, data, outcomes = logistic_design(), cohort.columns(), cohort.outcomes()
    athlete = cohort.frame["athlete_id"].astype(str).to_numpy()
    leg = both = None
    if cohort.has_sides:
        matrix = np.vstack([design.of_leg(data, side) for side in SIDES])
        outcome = np.concatenate([outcomes.left, outcomes.right])
        leg = fit_trees(matrix, outcome, np.tile(athlete, 2), seed)
    if either or not cohort.has_sides:
        both = fit_trees(design.of_either(data), outcomes.either, athlete, seed)
    return XGBoostBaseline(design, leg, both)


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
    matrix, outcome
        Columns (n, p), missing as NaN, and 0 or 1 (n,), NaN where it is not known.
    athlete
        Whom each row is of, shape (n,): no athlete is on both sides of a fold.
    """
    known = np.isfinite(outcome)
    if len(np.unique(outcome[known])) < 2:
        return None
    rows = xgb.DMatrix(matrix[known], outcome[known], nthread=1)
    fold = folds(athlete[known], _FOLDS, seed)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    tried = [(*_rounds(rows, depth, splits, seed, search), depth) for depth in DEPTHS]
    _, rounds, depth = min(tried)
    return Trees(xgb.train(_parameters(depth, seed, search), rows, rounds), depth, rounds)


def _rounds(
    rows: xgb.DMatrix,
    depth: int,
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    seed: int,
    search: Search,
) -> tuple[float, int]:
    """The least log loss of left-out rows at a depth, and after how many rounds it is."""
    found = xgb.cv(
        _parameters(depth, seed, search), rows, search.most_rounds, folds=splits,
        metrics="logloss", early_stopping_rounds=search.patience, as_pandas=False,
    )  # fmt: skip
    losses = np.asarray(found["test-logloss-mean"])
    return float(losses.min()), int(losses.argmin()) + 1


def _parameters(depth: int, seed: int, search: Search) -> dict[str, object]:
    return {**SETTINGS, "eta": search.step_size, "max_depth": depth, "seed": seed}
