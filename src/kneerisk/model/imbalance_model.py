"""Probabilities of the five imbalances of a leg; several may be present at once.

An imbalance is a normal latent variable that has crossed a threshold (a liability threshold model:
Falconer 1965, doi 10.1111/j.1469-1809.1965.tb00500.x). The measurement update gives its mean and
variance, and both together a probit probability; trees correct it where grades mark the imbalance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, log_ndtr, ndtr, ndtri

from kneerisk.model.feature_columns import Column, ColumnKind, ColumnSet
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import FloatArray

#: An interval holds the probability at the true values of nine legs in ten (assumption, as for
#: the risks).
COVERAGE = 0.90
#: A latent that is known better than this, or a probability nearer to 0 or 1, counts as this: a
#: normal quantile has to stay finite (assumption).
LEAST_SD, LEAST_TAIL = 1e-6, 1e-12
#: The columns that hold the mean and the variance of a latent.
_LATENT = (ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImbalanceModel:
    """What the measurement update says of each latent imbalance, corrected where it errs.

    The update takes every value as normal. A grade is not: most legs have grade 0, however far
    below 1 they are. ``trees`` hold, by imbalance, what grades say beyond the update; an imbalance
    that no grade marks has none, and its probability is exact. ``thresholds`` (n_imbalances,) are
    where each begins, in SD of its latent, and ``spread`` is how far that is open, as an SD.
    """

    names: tuple[str, ...]
    thresholds: FloatArray
    spread: float
    trees: Mapping[str, BoostedTrees]

    def probabilities(self, features: FeatureMatrix) -> FloatArray:
        """Probability of each imbalance.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(n, 2, n_imbalances)``, left leg first.
        """
        log_odds = latent_log_odds(features, self.names, self.thresholds, self.spread)
        for name, trees in self.trees.items():
            place = self.names.index(name)
            log_odds[:, place] = trees.log_odds(features, log_odds[:, place])
        probabilities = np.clip(expit(log_odds), LEAST_TAIL, 1.0 - LEAST_TAIL)
        return np.asarray(probabilities).reshape(-1, 2, len(self.names))

    def intervals(
        self, features: FeatureMatrix, point: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Bounds of what each probability would be if every true value were known, 90 %.

        With the latent known, the probability is that of a threshold with a spread; unknown, the
        latent is normal. The share left out below is a tenth of the point, not always 5 %: where
        the probability is nearly 0, what could be left out below is nearly 0 too, and would cost a
        needlessly high upper bound.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        point
            The probabilities that the intervals are around, shape ``(n, 2, n_imbalances)``.

        Returns
        -------
        Lower and upper bounds, each of the shape of ``point``, which lies inside.
        """
        mean, variance = _latents(features, self.names)
        sd = np.maximum(np.sqrt(variance), LEAST_SD)
        at_point = self.thresholds + self.spread * ndtri(np.clip(point, LEAST_TAIL, 1 - LEAST_TAIL))
        share = ndtr((at_point - mean) / sd)
        below = np.clip((1.0 - COVERAGE) * point, share - COVERAGE, share)
        low, high = (
            self._probability_at(mean + sd * ndtri(tail)) for tail in (below, below + COVERAGE)
        )
        return np.minimum(low, point), np.maximum(high, point)

    def _probability_at(self, latents: FloatArray) -> FloatArray:
        """Probability of each imbalance where its latent is known."""
        return np.asarray(ndtr((latents - self.thresholds) / self.spread))


def _latents(features: FeatureMatrix, names: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each latent, each of shape (n_screenings, 2, n_imbalances)."""
    means, variances = (_columns_of(kind, names) for kind in _LATENT)
    return features.pick(means), features.pick(variances)


@lru_cache
def _columns_of(kind: ColumnKind, names: tuple[str, ...]) -> ColumnSet:
    """The column of a kind of each latent."""
    return ColumnSet(Column(kind, name) for name in names)


def latent_log_odds(
    features: FeatureMatrix, names: tuple[str, ...], thresholds: FloatArray, spread: float
) -> FloatArray:
    """Log-odds that each latent lies beyond its threshold.

    A normal latent with known mean and variance exceeds a normal threshold with a probit
    probability.

    Parameters
    ----------
    features
        The feature matrix of n screenings.
    names
        The imbalances.
    thresholds
        Mean threshold of each, in SD of its latent, shape ``(len(names),)``.
    spread
        SD of the thresholds.

    Returns
    -------
    Shape ``(2 n, len(names))``, left and right leg in turn.
    """
    mean, variance = _latents(features, names)
    return _log_odds(mean, variance, thresholds, spread).reshape(-1, len(names))


def probit_log_odds(mean: FloatArray, variance: FloatArray, model: ImbalanceModel) -> FloatArray:
    """Log-odds of each imbalance from its latent alone, without what grades add.

    Parameters
    ----------
    mean
        Expected latents in SD, shape ``(..., n_imbalances)``.
    variance
        What is open of each, shape ``(n_imbalances,)``.
    model
        With the thresholds.

    Returns
    -------
    Shape of ``mean``.
    """
    return _log_odds(mean, variance, model.thresholds, model.spread)


def _log_odds(
    mean: FloatArray, variance: FloatArray, thresholds: FloatArray, spread: float
) -> FloatArray:
    probit = (mean - thresholds) / np.sqrt(variance + spread**2)
    return np.asarray(log_ndtr(probit) - log_ndtr(-probit))
