"""Fit trees from a margin; how many is chosen by grouped cross-validation, none allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xgboost as xgb

from kneerisk.model.feature_columns import Column
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.trees import DIGITS, BoostedTrees, column_means
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.settings import DEFAULTS, Settings

MAX_BIN = 64
#: Fewer rows than this are done before a second thread has started.
ROWS_FOR_TWO_THREADS = 20_000
#: Rounds are counted in steps of this many, so that the choice is not one of a single tree.
STEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of legs to boost on: base log-odds and targets (2 n,) or (2 n, k), fold (2 n,).

    With ``shared`` the trees read the mean of both legs, and leave what sets them apart to the
    base: with few events, trees on rows of legs learn what the legs share and blur the rest.
    """

    legs: FeatureMatrix
    base: FloatArray
    target: FloatArray
    fold: np.ndarray
    columns: tuple[Column, ...]
    signs: dict[Column, int]
    shared: bool = False

    def take(self, rows: np.ndarray) -> Rows:
        """Some of the rows, by a mask of shape (2 n,) that keeps or drops both legs."""
        return replace(
            self,
            legs=self.legs.take(rows[::2]),
            base=self.base[rows],
            target=self.target[rows],
            fold=self.fold[rows],
        )

    @property
    def known(self) -> np.ndarray:
        """Rows whose target is known, shape (2 n,)."""
        missing = np.isnan(self.target.reshape(len(self.target), -1))
        return np.asarray(~missing.any(axis=1))


def parameters(n_rows: int, settings: Settings = DEFAULTS) -> dict[str, object]:
    """What every booster here is trained with; the thread count hangs on the rows alone."""
    return {
        "tree_method": "hist",
        "max_depth": settings.max_depth,
        "eta": settings.step_size,
        "min_child_weight": settings.least_child_weight,
        "lambda": settings.tree_ridge,
        "max_bin": MAX_BIN,
        "nthread": 2 if n_rows >= ROWS_FOR_TWO_THREADS else 1,
        "seed": 0,
    }


def fit_boosted(
    rows: Rows, rounds: int | None = None, settings: Settings = DEFAULTS
) -> tuple[BoostedTrees, int]:
    """Trees on top of the base, and how many rounds; none where trees don't help.

    Parameters
    ----------
    rounds
        Rounds to take over instead of choosing them. A choice above 0 beats no trees by more
        than a standard error.
    settings
        Among them the most rounds to try.
    """
    empty = BoostedTrees(
        columns=rows.columns,
        fill=column_means(rows.legs, rows.columns),
        booster=None,
        shared=rows.shared,
    )
    x = empty.rows(rows.legs)
    chosen = _choose_rounds(rows, x, settings) if rounds is None else rounds
    if chosen == 0:
        return empty, 0
    booster = xgb.train(_parameters(rows, settings), _matrix(rows, x, rows.known), chosen)
    return replace(empty, booster=booster), chosen


def _choose_rounds(rows: Rows, x: np.ndarray, settings: Settings) -> int:
    """The rounds with the least left-out loss, 0 unless the gain exceeds its standard error."""
    steps = range(0, settings.most_rounds + 1, STEP)
    losses = np.zeros((len(steps), len(rows.target)))
    for number in np.unique(rows.fold):
        inside = rows.known & (rows.fold != number)
        outside = rows.known & (rows.fold == number)
        booster = xgb.train(
            _parameters(rows, settings), _matrix(rows, x, inside), settings.most_rounds
        )
        for i, count in enumerate(steps):
            margin = _predict(booster, x[outside], rows.base[outside], count)
            losses[i, outside] = _loss(margin, rows.target[outside])
    best = int(losses.sum(axis=1).argmin())
    gain = (losses[0] - losses[best])[rows.known]
    return steps[best] if gain.sum() > gain.std() * np.sqrt(len(gain)) else 0


def _predict(booster: xgb.Booster, x: np.ndarray, base: FloatArray, rounds: int) -> FloatArray:
    if rounds == 0:
        return base
    found = booster.inplace_predict(
        x, iteration_range=(0, rounds), predict_type="margin", base_margin=base.astype(np.float32)
    )
    return np.asarray(found, dtype=np.float64).reshape(base.shape)


def _loss(log_odds: FloatArray, target: FloatArray) -> FloatArray:
    loss = np.logaddexp(0.0, log_odds) - target * log_odds
    return np.asarray(loss.reshape(len(loss), -1).sum(axis=1))


def _parameters(rows: Rows, settings: Settings) -> dict[str, object]:
    return {
        **parameters(len(rows.target), settings),
        "objective": "binary:logistic",
        "base_score": 0.5,
        "monotone_constraints": tuple(rows.signs.get(column, 0) for column in rows.columns),
    }


def _matrix(rows: Rows, x: np.ndarray, pick: np.ndarray) -> xgb.QuantileDMatrix:
    return xgb.QuantileDMatrix(
        x[pick],
        label=rows.target[pick].round(DIGITS),
        base_margin=rows.base[pick].round(DIGITS),
        feature_names=[column.name for column in rows.columns],
        max_bin=MAX_BIN,
    )
