"""Probabilities of the five imbalances of a leg; several may be present at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr, ndtri

from kneerisk.model.boosted import Boosted
from kneerisk.model.calibration import Calibration
from kneerisk.model.legs import LegMatrix
from kneerisk.schema import FloatArray

#: An interval holds the probability at the true values of nine legs in ten.
COVERAGE = 0.90
#: A latent that is known better than this, or a probability nearer to 0 or 1, is taken as this.
LEAST_SD, LEAST_TAIL = 1e-6, 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ImbalanceModel:
    """Boosting from what the measurement update says of each latent imbalance."""

    names: tuple[str, ...]
    thresholds: FloatArray
    spread: float
    boosted: Boosted
    calibrations: tuple[Calibration, ...]

    def probabilities(self, legs: LegMatrix) -> FloatArray:
        """Calibrated probability of each imbalance, shape (n_screenings, 2, n_imbalances)."""
        base = latent_log_odds(legs, self.names, self.thresholds, self.spread)
        found = self.boosted.log_odds(legs, base)
        calibrated = [c.apply(found[:, k]) for k, c in enumerate(self.calibrations)]
        return np.asarray(expit(np.column_stack(calibrated))).reshape(-1, 2, len(self.names))

    def intervals(self, legs: LegMatrix, point: FloatArray) -> tuple[FloatArray, FloatArray]:
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


def _latents(legs: LegMatrix, names: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each latent, each of shape (n_screenings, 2, n_imbalances)."""
    mean = legs.pick(tuple(f"imbalance_{name}" for name in names))
    return mean, legs.pick(tuple(f"imbalance_spread_{name}" for name in names))


def latent_log_odds(
    legs: LegMatrix, names: tuple[str, ...], thresholds: FloatArray, spread: float
) -> FloatArray:
    """Log-odds that each latent lies beyond its threshold, shape (2 n, n_imbalances).

    A normal latent with known mean and variance exceeds a threshold of known spread with a probit
    probability; 1.702 turns it into log-odds to within 0.01 (Bowling 2009).
    """
    mean, variance = _latents(legs, names)
    probit = (mean - thresholds) / np.sqrt(variance + spread**2)
    return np.asarray(1.702 * probit).reshape(-1, len(names))
