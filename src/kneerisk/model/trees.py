"""Trees on rows of legs: boosting from a margin, and the columns it reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.model.feature_columns import Column
from kneerisk.model.features import FeatureMatrix, averaged
from kneerisk.schema import FloatArray

#: Digits of what trees read and are fitted to. Machines differ in the last bits of a sum, and a
#: split or a single-precision number next to them would fall differently; these digits they share.
DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostedTrees:
    """A booster with its columns; a value that is missing is the training cohort's mean.

    So that whether something was asked is never an input by itself.
    """

    columns: tuple[Column, ...]
    fill: FloatArray
    booster: xgb.Booster | None
    shared: bool = False
    """The trees read the mean of both legs, and so add the same to either."""

    def rows(self, legs: FeatureMatrix) -> NDArray[np.float32]:
        """The booster's input, shape (2 n_screenings, n_columns)."""
        found = (averaged(legs) if self.shared else legs).pick(self.columns)
        rows = found.reshape(-1, len(self.columns))
        return np.where(np.isnan(rows), self.fill, rows).round(DIGITS).astype(np.float32)

    def values(self, legs: FeatureMatrix) -> FloatArray:
        """What the trees predict by themselves, shape (2 n_screenings, n_outputs)."""
        if self.booster is None:
            raise ValueError("there are no trees to predict with")
        found = self.booster.inplace_predict(self.rows(legs))
        return np.asarray(found, dtype=np.float64).reshape(len(legs.values) * 2, -1)

    def log_odds(self, legs: FeatureMatrix, base: FloatArray) -> FloatArray:
        """What the trees add to ``base`` of shape (2 n, ...), in the same shape."""
        if self.booster is None:
            return base
        # XGBoost adds in single precision: the base is added here, so that it keeps its own.
        zero = np.zeros(base.shape, dtype=np.float32)
        found = self.booster.inplace_predict(
            self.rows(legs), predict_type="margin", base_margin=zero
        )
        return base + np.asarray(found, dtype=np.float64).reshape(base.shape)


def fill_of(legs: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """Column means of a training cohort, shape (n_columns,); 0 for a column without values."""
    rows = legs.pick(columns).reshape(-1, len(columns))
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))
