"""Probabilities of the five imbalances of a leg; several may be present at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_ndtr, ndtr, ndtri

from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import FloatArray

#: An interval holds the probability at the true values of nine legs in ten.
COVERAGE = 0.90
#: A latent that is known better than this, or a probability nearer to 0 or 1, is taken as this.
LEAST_SD, LEAST_TAIL = 1e-6, 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ImbalanceModel:
    """What the measurement update says of each latent imbalance, corrected where it errs.

    The update takes every reading for a normal one. A grade is none: most legs have grade 0,
    however far below 1 they are. ``trees`` hold, by imbalance, what grades say beyond the update;
    an imbalance that no grade marks has none, and its probability is exact.
    """

    names: tuple[str, ...]
    thresholds: FloatArray
    spread: float
    trees: Mapping[str, BoostedTrees]

    def probabilities(self, legs: FeatureMatrix) -> FloatArray:
        """Probability of each imbalance, shape (n_screenings, 2, n_imbalances)."""
        log_odds = latent_log_odds(legs, self.names, self.thresholds, self.spread)
        for name, trees in self.trees.items():
            place = self.names.index(name)
            log_odds[:, place] = trees.log_odds(legs, log_odds[:, place])
        found = np.clip(expit(log_odds), LEAST_TAIL, 1.0 - LEAST_TAIL)
        return np.asarray(found).reshape(-1, 2, len(self.names))

    def intervals(self, legs: FeatureMatrix, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of what the probability would be if every true value were known, 90 %.

        Of shape (n_screenings, 2, n_imbalances), as ``point``, the probability that the interval
        holds. Known a latent, the probability is that of a threshold with a spread; unknown, the
        latent is normal. The share left out below is a tenth of the point, not always 5 %: where
        the probability is nearly 0, what could be left out below is nearly 0 too, and would be
        bought with a needlessly high upper bound.
        """
        mean, variance = _latents(legs, self.names)
        sd = np.maximum(np.sqrt(variance), LEAST_SD)
        at_point = self.thresholds + self.spread * ndtri(np.clip(point, LEAST_TAIL, 1 - LEAST_TAIL))
        share = ndtr((at_point - mean) / sd)
        below = np.clip((1.0 - COVERAGE) * point, share - COVERAGE, share)
        low, high = (self._at(mean + sd * ndtri(tail)) for tail in (below, below + COVERAGE))
        return np.minimum(low, point), np.maximum(high, point)

    def _at(self, latents: FloatArray) -> FloatArray:
        """Probability of each imbalance where its latent is known."""
        return np.asarray(ndtr((latents - self.thresholds) / self.spread))


def _latents(legs: FeatureMatrix, names: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each latent, each of shape (n_screenings, 2, n_imbalances)."""
    mean = legs.pick(tuple(Column(ColumnKind.IMBALANCE, name) for name in names))
    variance = legs.pick(tuple(Column(ColumnKind.IMBALANCE_VARIANCE, name) for name in names))
    return mean, variance


def latent_log_odds(
    legs: FeatureMatrix, names: tuple[str, ...], thresholds: FloatArray, spread: float
) -> FloatArray:
    """Log-odds that each latent lies beyond its threshold, shape (2 n, n_imbalances).

    A normal latent with known mean and variance exceeds a normal threshold with a probit
    probability.
    """
    mean, variance = _latents(legs, names)
    probit = (mean - thresholds) / np.sqrt(variance + spread**2)
    return np.asarray(log_ndtr(probit) - log_ndtr(-probit)).reshape(-1, len(names))
