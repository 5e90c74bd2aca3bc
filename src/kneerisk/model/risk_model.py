"""The fitted model: coded columns of screenings in, risks and imbalances out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from kneerisk.evidence.dependence import either as either_of
from kneerisk.evidence.population import Population
from kneerisk.model.boosted import Boosted
from kneerisk.model.calibration import Calibration
from kneerisk.model.imbalance import ImbalanceModel
from kneerisk.model.interval import BootstrapInterval, QuantileInterval
from kneerisk.model.legs import LegMatrix, averaged, matrix
from kneerisk.model.margin import Margin
from kneerisk.model.posterior import Posterior
from kneerisk.schema import Columns, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A risk with its 90 % interval, each of shape (n,)."""

    probability: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of n screenings.

    ``left`` and ``right`` are None where the cohort had no sides; ``imbalances`` has shape
    (n, 2, 5), left first, and is None where the cohort had no imbalance to learn from.
    """

    left: Bounds | None
    right: Bounds | None
    either: Bounds
    imbalances: FloatArray | None


@dataclass(frozen=True, kw_only=True)
class RiskModel:
    """Everything that turns measured values into risks; plain numbers and boosters."""

    population: Population
    margin: Margin
    boosted: Boosted
    calibration: Calibration
    interval: QuantileInterval | BootstrapInterval
    either_widening: float
    odds_ratio: float | None
    """Odds ratio between the legs' outcomes; None where the cohort had no sides."""
    imbalance: ImbalanceModel | None

    @cached_property
    def posterior(self) -> Posterior:
        """The measurement update, which remembers the patterns of tests it has seen."""
        return Posterior(self.population)

    @property
    def sided(self) -> bool:
        """Whether the model tells the legs apart."""
        return self.odds_ratio is not None

    def legs(self, data: Columns) -> LegMatrix:
        """The leg matrix of n screenings, as this model reads it."""
        legs = matrix(self.posterior, data)
        return legs if self.sided else averaged(legs)

    def log_odds(self, legs: LegMatrix) -> FloatArray:
        """Calibrated log-odds of each leg, shape (n, 2)."""
        base = self.margin.log_odds(legs)
        found = self.boosted.log_odds(legs, base.reshape(-1)).reshape(base.shape)
        return self.calibration.apply(found)

    def predict(self, data: Columns) -> Prediction:
        """Risks and imbalances of n screenings, given as coded columns of shape (n,)."""
        legs = self.legs(data)
        point = self.log_odds(legs)
        low, high = self.interval.around(legs, point)
        imbalances = None if self.imbalance is None else self.imbalance.probabilities(legs)
        if not self.sided:
            whole = _bounds(point[:, 0], low[:, 0], high[:, 0])
            return Prediction(left=None, right=None, either=whole, imbalances=imbalances)
        sides = [_bounds(point[:, i], low[:, i], high[:, i]) for i in (0, 1)]
        return Prediction(
            left=sides[0], right=sides[1], either=self._either(*sides), imbalances=imbalances
        )

    def which_limb(self, data: Columns) -> FloatArray:
        """Probability that it is the left knee, given that it is just one; shape (n,)."""
        return np.asarray(expit(self.margin.which_limb(self.legs(data))))

    def _either(self, left: Bounds, right: Bounds) -> Bounds:
        """Either knee, from both by their fitted dependence; the legs' bounds move together."""
        assert self.odds_ratio is not None
        point, low, high = (
            either_of(getattr(left, part), getattr(right, part), self.odds_ratio)
            for part in ("probability", "low", "high")
        )
        below = np.minimum(_log_odds(low) - self.either_widening, _log_odds(point))
        above = np.maximum(_log_odds(high) + self.either_widening, _log_odds(point))
        return Bounds(probability=point, low=expit(below), high=expit(above))


def _bounds(point: FloatArray, low: FloatArray, high: FloatArray) -> Bounds:
    return Bounds(probability=expit(point), low=expit(low), high=expit(high))


def _log_odds(probability: FloatArray) -> FloatArray:
    return np.asarray(np.log(probability) - np.log1p(-probability))
