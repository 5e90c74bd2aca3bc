"""The interval around a risk: what errors, missing tests and the literature leave open.

Where the truth was known in training: quantiles of the true log-odds given what was measured, with
a split conformal correction on athletes set aside (conformalized quantile regression: Romano 2019,
arXiv 1905.03222). Where only outcomes were: the linear part refitted to athletes drawn with
replacement (bootstrap: Efron 1979, doi 10.1214/aos/1176344552) plus the variance of true values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kneerisk.evidence.normal_points import NORMAL_90
from kneerisk.model.base_rates import BaseShift
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix, row_sums
from kneerisk.model.margin import Margin, between_values
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import FloatArray

#: Coverage that every interval aims at (assumption: the usual 90 %).
COVERAGE = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileInterval:
    """Quantiles of true minus predicted log-odds, and their conformal correction, in log-odds."""

    quantiles: BoostedTrees
    conformal_correction: float
    base_scale: float = 1.0
    """What the half-width of the base rate is multiplied by, so that both together cover."""

    def bounds(
        self, features: FeatureMatrix, log_odds: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds; the point is always inside.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        log_odds
            The model's log-odds of each leg, shape ``(n, 2)``.

        Returns
        -------
        Lower and upper bounds, each of shape ``(n, 2)``.
        """
        quantiles = self.quantiles.values(features).reshape(*log_odds.shape, 2)
        low = log_odds + np.minimum(quantiles[..., 0] - self.conformal_correction, 0.0)
        high = log_odds + np.maximum(quantiles[..., 1] + self.conformal_correction, 0.0)
        return low, high

    def bounds_with_base(
        self, features: FeatureMatrix, centred: FloatArray, base: BaseShift
    ) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds where the base rate is open too.

        The two are independent, so half-widths add as standard deviations do.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        centred
            Log-odds of each leg at the middle of the definitions, shape ``(n, 2)``.
        base
            What the base rate adds to them.

        Returns
        -------
        Lower and upper bounds, each of shape ``(n, 2)``.
        """
        none = np.zeros_like(centred)
        open_bounds = self.bounds(features, none)
        low, high = combined_bounds(*open_bounds, base, self.base_scale)
        return centred + low, centred + high


def combined_bounds(
    low: FloatArray, high: FloatArray, base: BaseShift, scale: float
) -> tuple[FloatArray, FloatArray]:
    """Bounds of the sum of two independent parts, from the bounds of each.

    Parameters
    ----------
    low
        Lower bound of what measurements and effects leave open, shape ``(n, 2)``.
    high
        Its upper bound, likewise.
    base
        The bounds of what the base rate adds.
    scale
        What the half-widths of the base rate are multiplied by.

    Returns
    -------
    Lower and upper bounds in log-odds, each of shape ``(n, 2)``.
    """
    middle, half = (low + high) / 2.0, (high - low) / 2.0
    below, above = base.median - base.low, base.high - base.median
    centre = middle + base.median[:, None]
    return (
        centre - np.hypot(half, scale * below[:, None]),
        centre + np.hypot(half, scale * above[:, None]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapInterval:
    """Linear parts refitted to resampled athletes; ``slope`` is that of the calibration.

    The slope acts on what a refit says of one athlete against others, not on how often it happens.
    """

    refits: tuple[Margin, ...]
    slope: float

    def bounds(
        self, features: FeatureMatrix, log_odds: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Bounds of each leg's log-odds.

        Parameters
        ----------
        features
            The feature matrix of n screenings.
        log_odds
            The model's log-odds of each leg, shape ``(n, 2)``.

        Returns
        -------
        Lower and upper bounds, each of shape ``(n, 2)``.
        """
        refitted = np.stack([refit.log_odds(features) for refit in self.refits])
        levels = np.array([refit.intercept for refit in self.refits])[:, None, None]
        level = levels - levels.mean()
        # Calibration draws risks together where there is little to find; how often it happens is
        # as uncertain as before.
        deviation = level + self.slope * (refitted - refitted.mean(axis=0) - level)
        variance = (deviation**2).sum(axis=0) / max(len(self.refits) - 1, 1)
        margin = self.refits[0]
        unknown = _measurement_variance(margin, features) + _unasked_variance(margin, features)
        half = NORMAL_90 * np.sqrt(variance + self.slope**2 * unknown)
        return log_odds - half, log_odds + half

    def stretched(self, by: float) -> BootstrapInterval:
        """The same, so many times as wide around every risk."""
        mean = float(np.mean([refit.intercept for refit in self.refits]))
        refits = tuple(
            replace(refit, intercept=mean + by * (refit.intercept - mean)) for refit in self.refits
        )
        return BootstrapInterval(refits=refits, slope=by * self.slope)


def _measurement_variance(margin: Margin, features: FeatureMatrix) -> FloatArray:
    """Variance of the log-odds that the uncertainty of the own leg's true values leaves, (n, 2)."""
    slopes = _slopes(margin)
    of_legs = {c.subject for c in features.columns if c.kind is ColumnKind.DIFFERENCE}
    variance = features.pick(tuple(Column(ColumnKind.VARIANCE, name) for name in slopes))
    # The mean of both legs moves by half of what one leg does, and by all that the athlete does.
    halves = [1.0 if name in of_legs else 2.0 for name in slopes]
    return row_sums(variance * (np.array(list(slopes.values())) * halves) ** 2)


def _unasked_variance(margin: Margin, features: FeatureMatrix) -> FloatArray:
    """Variance that unanswered questions leave: as much as their answers have among athletes."""
    missing = np.isnan(between_values(features, margin.between.columns))
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
