"""The interval around a risk: what error, missing tests and the literature leave open.

Where the truth was known in training: quantiles of the true log-odds given what was measured,
widened until they held on athletes set aside. Where only outcomes were: refits on athletes drawn
with replacement, plus the error of the measured values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.margin import Margin, between_values
from kneerisk.model.rowwise import row_sums
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import FloatArray

#: Coverage that every interval aims at.
COVERAGE = 0.90
#: The two-sided 90 % point of the normal distribution.
NORMAL_90 = 1.6449


class Interval(Protocol):
    """Lower and upper log-odds, each of shape (n, 2), around the model's own."""

    def around(self, legs: FeatureMatrix, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileInterval:
    """Quantiles of (true minus predicted log-odds), with a conformal correction."""

    quantiles: BoostedTrees
    conformal_correction: float

    def around(self, legs: FeatureMatrix, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds, shape (n, 2) each; the point is always inside."""
        apart = self.quantiles.values(legs).reshape(*log_odds.shape, 2)
        low = log_odds + np.minimum(apart[..., 0] - self.conformal_correction, 0.0)
        high = log_odds + np.maximum(apart[..., 1] + self.conformal_correction, 0.0)
        return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapInterval:
    """Refitted margins, and how a leg's log-odds move with what is not known of it."""

    refits: tuple[Margin, ...]
    slope: float

    def around(self, legs: FeatureMatrix, log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds, shape (n, 2) each."""
        drawn = np.stack([refit.log_odds(legs) for refit in self.refits])
        apart = drawn - drawn.mean(axis=0)
        variance = (apart**2).sum(axis=0) / max(len(self.refits) - 1, 1)
        unknown = _measurement(self.refits[0], legs) + _unasked(self.refits[0], legs)
        half = NORMAL_90 * self.slope * np.sqrt(variance + unknown)
        return log_odds - half, log_odds + half


def _measurement(margin: Margin, legs: FeatureMatrix) -> FloatArray:
    """Variance of the log-odds that the uncertainty of the own leg's true values leaves, (n, 2)."""
    gain = _gains(margin)
    measures = tuple(name for name in gain if f"spread_{name}" in legs.names)
    spread = legs.pick(tuple(f"spread_{name}" for name in measures))
    # The mean of both legs moves by half of what one leg does, and by all that the athlete does.
    halves = [1.0 if f"difference_{name}" in legs.names else 2.0 for name in measures]
    return row_sums(spread * (np.array([gain[name] for name in measures]) * halves) ** 2)


def _unasked(margin: Margin, legs: FeatureMatrix) -> FloatArray:
    """Variance that facts which were not asked leave: as much as they have among athletes."""
    missing = np.isnan(between_values(legs, margin.between.names))
    shared = row_sums(missing * margin.between_weights**2)
    return np.repeat(shared[:, None], 2, axis=1)


def _gains(margin: Margin) -> dict[str, float]:
    """By how much the log-odds of a leg move with an SD of each of its measures."""
    slopes: dict[str, float] = {}
    between = margin.between_weights / margin.between.spread / 2.0
    within = margin.scale * margin.within_weights / margin.within.spread / 2.0
    names = (*margin.between.names, *margin.within.names)
    for name, slope in zip(names, (*between, *within), strict=True):
        slopes[name] = slopes.get(name, 0.0) + float(slope)
    measure = {f"factor_{e.factor}": e.measure for e in risk_factors() if "per_sd" in e.contrast}
    gain: dict[str, float] = {}
    for name, slope in slopes.items():
        moved = (
            name.removeprefix("expected_") if name.startswith("expected_") else measure.get(name)
        )
        # Factors of one measure are about different athletes: the larger one covers either.
        if moved:
            gain[moved] = max(gain.get(moved, 0.0), abs(slope))
    return gain
