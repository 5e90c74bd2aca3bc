"""Calibration: a slope and an intercept on the log-odds, so that a risk of 10 % happens to 10 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kneerisk.schema import FloatArray

#: The slope is kept between these: with few events it is a noisy number (assumption).
SLOPES = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A line on the log-odds."""

    intercept: float = 0.0
    slope: float = 1.0

    def apply(self, log_odds: FloatArray) -> FloatArray:
        """Calibrate log-odds.

        Parameters
        ----------
        log_odds
            Log-odds of any shape.

        Returns
        -------
        Calibrated log-odds, of the same shape.
        """
        return self.intercept + self.slope * log_odds


def fit_calibration(log_odds: FloatArray, target: FloatArray) -> Calibration:
    """Logistic recalibration (Cox 1958, doi 10.1093/biomet/45.3-4.562) of left-out log-odds.

    Parameters
    ----------
    log_odds
        Log-odds of rows that the model was not fitted to, shape ``(n,)``.
    target
        Their outcomes, or true risks, shape ``(n,)``.

    Returns
    -------
    The calibration, with its slope inside `SLOPES` and the mean risk equal to the mean target.
    """
    weights = np.array([0.0, 1.0])
    x = np.column_stack([np.ones_like(log_odds), log_odds])
    for _ in range(50):
        chance = expit(x @ weights)
        curvature = (x * (chance * (1.0 - chance))[:, None]).T @ x + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, x.T @ (chance - target))
        weights -= np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    slope = float(np.clip(weights[1], *SLOPES))
    return Calibration(_intercept(slope * log_odds, target), slope)


def _intercept(log_odds: FloatArray, target: FloatArray) -> float:
    """The shift at which the mean risk is the mean target."""
    shift = 0.0
    for _ in range(50):
        chance = expit(log_odds + shift)
        step = float((chance - target).sum() / ((chance * (1.0 - chance)).sum() + 1e-12))
        shift -= float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-10:
            break
    return shift
