"""Gradient-boosted trees on rows of legs: the booster, the columns it reads, what it adds.

XGBoost (Chen & Guestrin 2016, doi 10.1145/2939672.2939785); the trees start from the linear part's
log-odds and are held to the same monotone directions.
"""

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
    """A booster with the columns that it reads; ``booster`` is None where trees don't help."""

    columns: tuple[Column, ...]
    fill: FloatArray
    """The training cohort's mean of each column, which stands for a missing value: so whether
    something was asked is never an input by itself."""
    booster: xgb.Booster | None
    shared: bool = False
    """The trees read the mean of both legs, and so add the same to either."""

    def rows(self, features: FeatureMatrix) -> NDArray[np.float32]:
        """The booster's input.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(2 n, n_columns)``, left and right leg in turn, without missing values.
        """
        values = (averaged(features) if self.shared else features).pick(self.columns)
        rows = values.reshape(-1, len(self.columns))
        return np.where(np.isnan(rows), self.fill, rows).round(DIGITS).astype(np.float32)

    def values(self, features: FeatureMatrix) -> FloatArray:
        """What the trees predict by themselves.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(2 n, n_outputs)``, in the unit of what they were fitted to.

        Raises
        ------
        ValueError
            Where there are no trees.
        """
        if self.booster is None:
            raise ValueError("there are no trees to predict with")
        predicted = self.booster.inplace_predict(self.rows(features))
        return np.asarray(predicted, dtype=np.float64).reshape(len(features.values) * 2, -1)

    def log_odds(self, features: FeatureMatrix, base: FloatArray) -> FloatArray:
        """Log-odds of the trees on top of a base.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        base
            Log-odds that the trees add to, shape ``(2 n, ...)``.

        Returns
        -------
        The shape of ``base``; the base itself where there are no trees.
        """
        if self.booster is None:
            return base
        # XGBoost adds in single precision: the base is added here, so that it keeps its own.
        zero = np.zeros(base.shape, dtype=np.float32)
        added = self.booster.inplace_predict(
            self.rows(features), predict_type="margin", base_margin=zero
        )
        return base + np.asarray(added, dtype=np.float64).reshape(base.shape)


def column_means(features: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """Means of columns in a training cohort, over both legs.

    Parameters
    ----------
    features
        The feature matrix of the cohort.
    columns
        Which of its columns.

    Returns
    -------
    Shape ``(len(columns),)``; 0 for a column without values.
    """
    rows = features.pick(columns).reshape(-1, len(columns))
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))
