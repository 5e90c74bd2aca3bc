"""The interval around a risk: what error, missing tests and the literature leave open.

Where the truth was known in training: quantiles of the true log-odds given what was measured,
widened until they held on athletes set aside. Where only outcomes were: refits on athletes drawn
with replacement, plus the error of the measured values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kneerisk.model.boosted import Boosted
from kneerisk.model.legs import LegMatrix
from kneerisk.model.margin import Margin
from kneerisk.model.rowwise import row_sums
from kneerisk.schema import FloatArray

#: Coverage that every interval aims at.
COVERAGE = 0.90
#: The two-sided 90 % point of the normal distribution.
NORMAL_90 = 1.6449


class Interval(Protocol):
    """Lower and upper log-odds, each of shape (n, 2), around the model's own."""

    def around(self, legs: LegMatrix, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileInterval:
    """Quantiles of (true minus predicted log-odds), with a conformal widening."""

    quantiles: Boosted
    widening: float

    def around(self, legs: LegMatrix, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds, shape (n, 2) each; the point is always inside."""
        apart = self.quantiles.values(legs).reshape(*log_odds.shape, 2)
        low = log_odds + np.minimum(apart[..., 0] - self.widening, 0.0)
        high = log_odds + np.maximum(apart[..., 1] + self.widening, 0.0)
        return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapInterval:
    """Refitted margins, and how a leg's log-odds move with the error of its expected values."""

    refits: tuple[Margin, ...]
    slope: float

    def around(self, legs: LegMatrix, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds, shape (n, 2) each."""
        drawn = np.stack([refit.log_odds(legs) for refit in self.refits])
        apart = drawn - drawn.mean(axis=0)
        variance = (apart**2).sum(axis=0) / max(len(self.refits) - 1, 1)
        half = NORMAL_90 * self.slope * np.sqrt(variance + self._measurement(legs))
        return log_odds - half, log_odds + half

    def _measurement(self, legs: LegMatrix) -> FloatArray:
        """Variance of the log-odds that the uncertainty of the own leg's true values leaves."""
        first = self.refits[0]
        weight = dict(
            zip(
                first.between.names,
                first.between_weights / first.between.spread / 2.0,
                strict=True,
            )
        )
        for name, apart in zip(
            first.within.names,
            first.scale * first.within_weights / first.within.spread / 2.0,
            strict=True,
        ):
            weight[name] = weight.get(name, 0.0) + apart
        uncertain = tuple(
            name
            for name in weight
            if name.startswith("expected_") and f"spread_{name[9:]}" in legs.names
        )
        spread = legs.pick(tuple(f"spread_{name[9:]}" for name in uncertain))
        gain = np.array([weight[name] for name in uncertain])
        return row_sums(spread * gain**2)
