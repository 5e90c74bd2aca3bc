"""The interval around a risk: what error, missing tests and the literature leave open.

Where the truth was known in training: quantiles of the true log-odds given what was measured,
widened until they held on athletes set aside. Where only outcomes were: refits on athletes drawn
with replacement, plus the error of the measured values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kneerisk.model.feature_columns import Column, ColumnKind
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
    slopes = _slopes(margin)
    of_legs = {column.subject for column in legs.columns if column.kind is ColumnKind.DIFFERENCE}
    variance = legs.pick(tuple(Column(ColumnKind.VARIANCE, name) for name in slopes))
    # The mean of both legs moves by half of what one leg does, and by all that the athlete does.
    halves = [1.0 if name in of_legs else 2.0 for name in slopes]
    return row_sums(variance * (np.array(list(slopes.values())) * halves) ** 2)


def _unasked(margin: Margin, legs: FeatureMatrix) -> FloatArray:
    """Variance that facts which were not asked leave: as much as they have among athletes."""
    missing = np.isnan(between_values(legs, margin.between.columns))
    shared = row_sums(missing * margin.between_weights**2)
    return np.repeat(shared[:, None], 2, axis=1)


def _slopes(margin: Margin) -> dict[str, float]:
    """By how much the log-odds of a leg move with an SD of each of its measures."""
    by_column: dict[Column, float] = {}
    between = margin.between_weights / margin.between.spread / 2.0
    within = margin.scale * margin.within_weights / margin.within.spread / 2.0
    columns = (*margin.between.columns, *margin.within.columns)
    for column, slope in zip(columns, (*between, *within), strict=True):
        by_column[column] = by_column.get(column, 0.0) + float(slope)
    slopes: dict[str, float] = {}
    for column, slope in by_column.items():
        measure = _measure_in_sd(column)
        # Factors of one measure are about different athletes: the larger one covers either.
        if measure:
            slopes[measure] = max(slopes.get(measure, 0.0), abs(slope))
    return slopes


def _measure_in_sd(column: Column) -> str | None:
    """The measure whose expected z-score a column is, up to its sign; None if it is none."""
    if column.kind is ColumnKind.EXPECTED:
        return column.subject
    effect = column.effect
    return effect.measure if effect is not None and "per_sd" in effect.contrast else None
