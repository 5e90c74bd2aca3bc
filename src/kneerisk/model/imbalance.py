"""Probabilities of the five imbalances of a leg; several may be present at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kneerisk.model.boosted import Boosted
from kneerisk.model.calibration import Calibration
from kneerisk.model.legs import LegMatrix
from kneerisk.schema import FloatArray


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


def latent_log_odds(
    legs: LegMatrix, names: tuple[str, ...], thresholds: FloatArray, spread: float
) -> FloatArray:
    """Log-odds that each latent lies beyond its threshold, shape (2 n, n_imbalances).

    A normal latent with known mean and variance exceeds a threshold of known spread with a probit
    probability; 1.702 turns it into log-odds to within 0.01 (Bowling 2009).
    """
    mean = legs.pick(tuple(f"imbalance_{name}" for name in names))
    variance = legs.pick(tuple(f"imbalance_spread_{name}" for name in names))
    probit = (mean - thresholds) / np.sqrt(variance + spread**2)
    return np.asarray(1.702 * probit).reshape(-1, len(names))
