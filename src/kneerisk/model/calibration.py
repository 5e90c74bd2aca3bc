"""Calibration: a slope and an intercept on the log-odds, so that a risk of 10 % happens to 10 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneerisk.model.logistic_fit import logistic_weights
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
    ones = np.ones((len(log_odds), 1))
    intercept, slope = logistic_weights(np.column_stack([ones, log_odds]), target)
    if not SLOPES[0] <= slope <= SLOPES[1]:
        slope = np.clip(slope, *SLOPES)
        [intercept] = logistic_weights(ones, target, offset=slope * log_odds)
    return Calibration(float(intercept), float(slope))
