"""Plain XGBoost of one plain matrix, as baselines take it.

Plain XGBoost (Chen & Guestrin 2016), what a data scientist would train first, reads missing values
as they are; depth and number of rounds are chosen by grouped cross-validation with early stopping,
and nothing is monotone, calibrated or known beforehand. A model that does not beat it should be
replaced by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.cohort.row_weights import scaled_to_effective
from kneerisk.cohort.splits import folds
from kneerisk.evaluation.baselines.ridge_baseline import Split
from kneerisk.schema import FloatArray

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


def fit_trees(
    matrix: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.object_],
    seed: int,
    search: Search = USUAL,
    row_weight: FloatArray | None = None,
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
    row_weight
        How many rows each stands for, shape (n,); None where all count alike.

    Returns
    -------
    None where there is only one kind of outcome.
    """
    known = np.isfinite(outcome)
    if len(np.unique(outcome[known])) < 2:
        return None
    own = None if row_weight is None else scaled_to_effective(row_weight, known)[known]
    rows = xgb.DMatrix(matrix[known], outcome[known], weight=own, nthread=1)
    fold = folds(athlete[known], _FOLDS, seed)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    results = [(*_rounds(rows, depth, splits, seed, search), depth) for depth in DEPTHS]
    _, rounds, depth = min(results)
    return Trees(xgb.train(_parameters(depth, seed, search), rows, rounds), depth, rounds)


def _rounds(
    rows: xgb.DMatrix,
    depth: int,
    splits: list[Split],
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
