"""A club's outcomes beside what the champion says of them: the likelihood of a correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kneerisk.cohort.files import Cohort
from kneerisk.evidence.pair_dependence import either as either_of
from kneerisk.evidence.pair_dependence import either_slopes
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.margin import Margin, between_values, within_values
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import FloatArray

#: Keeps a chance of either knee away from 0 and 1, where a loss has no end.
_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Club:
    """Screenings of a club with their outcomes, as one champion reads them.

    ``log_odds`` and ``outcome`` have shape (n, 2), left first; an outcome is NaN where it is not
    known. ``either`` (n,) is the outcome of either knee where neither leg's is known, else NaN.
    ``columns`` (n, 2, p) are the champion's linear columns: the mean of both legs plus or minus
    half of their difference, in SD of the mean.
    """

    legs: FeatureMatrix
    log_odds: FloatArray
    columns: FloatArray
    outcome: FloatArray
    either: FloatArray
    athletes: np.ndarray
    odds_ratio: float

    def take(self, rows: np.ndarray) -> Club:
        """Some of the screenings, by a mask or by positions."""
        return Club(
            legs=self.legs.take(rows),
            log_odds=self.log_odds[rows],
            columns=self.columns[rows],
            outcome=self.outcome[rows],
            either=self.either[rows],
            athletes=self.athletes[rows],
            odds_ratio=self.odds_ratio,
        )

    @property
    def events(self) -> int:
        """Outcomes that happened: of legs, and of either knee where no leg is known."""
        return int(np.nansum(self.outcome) + np.nansum(self.either))

    @property
    def free(self) -> int:
        """Outcomes that are known not to have happened."""
        return int(np.nansum(1.0 - self.outcome) + np.nansum(1.0 - self.either))

    @property
    def labels(self) -> FloatArray:
        """The outcome of each leg, or of either where neither is known, shape (n, 2)."""
        return np.where(np.isnan(self.outcome), self.either[:, None], self.outcome)

    @property
    def known(self) -> np.ndarray:
        """Legs whose log-odds an outcome says something about, shape (n, 2)."""
        return ~np.isnan(self.labels)

    def loss(self, log_odds: FloatArray) -> FloatArray:
        """Log loss of each screening, summed over its known outcomes, shape (n,)."""
        legs = np.logaddexp(0.0, log_odds) - self.outcome * log_odds
        found = np.asarray(np.nan_to_num(legs).sum(axis=1))
        if not self._unsided:
            return found
        chance = self._either(log_odds)
        either = -self.either * np.log(chance) - (1.0 - self.either) * np.log1p(-chance)
        return np.asarray(found + np.nan_to_num(either))

    def slope(self, log_odds: FloatArray) -> FloatArray:
        """How the loss moves with the log-odds of each leg, shape (n, 2)."""
        found = np.nan_to_num(expit(log_odds) - self.outcome)
        if not self._unsided:
            return found
        off = np.nan_to_num(self._either(log_odds) - self.either)
        weight = off * self._either_weight(log_odds)
        return np.asarray(found + weight[:, None] * self._moves(log_odds))

    def curvature(self, log_odds: FloatArray) -> FloatArray:
        """Expected second derivative of the loss by the log-odds of each leg, shape (n, 2)."""
        found = self._leg_weight(log_odds)
        if not self._unsided:
            return found
        weight = self._either_weight(log_odds)
        return np.asarray(found + weight[:, None] * self._moves(log_odds) ** 2)

    def information(self, design: FloatArray, log_odds: FloatArray) -> FloatArray:
        """Expected information on weights of ``design`` (n, 2, k), shape (k, k)."""
        rows = design.reshape(-1, design.shape[2])
        found = (rows * self._leg_weight(log_odds).reshape(-1, 1)).T @ rows
        if not self._unsided:
            return np.asarray(found)
        moved = (self._moves(log_odds)[:, :, None] * design).sum(axis=1)
        return np.asarray(found + (moved * self._either_weight(log_odds)[:, None]).T @ moved)

    @property
    def _unsided(self) -> bool:
        """Whether of any screening either knee alone is known."""
        return not bool(np.isnan(self.either).all())

    def _leg_weight(self, log_odds: FloatArray) -> FloatArray:
        chance = expit(log_odds)
        return np.where(np.isnan(self.outcome), 0.0, chance * (1.0 - chance))

    def _either(self, log_odds: FloatArray) -> FloatArray:
        left, right = expit(log_odds).T
        return np.clip(either_of(left, right, self.odds_ratio), _TINY, 1.0 - _TINY)

    def _moves(self, log_odds: FloatArray) -> FloatArray:
        """How the chance of either knee moves with the log-odds of each leg, shape (n, 2)."""
        left, right = expit(log_odds).T
        slopes = np.stack(either_slopes(left, right, self.odds_ratio), axis=1)
        return np.asarray(slopes * expit(log_odds) * (1.0 - expit(log_odds)))

    def _either_weight(self, log_odds: FloatArray) -> FloatArray:
        chance = self._either(log_odds)
        return np.where(np.isnan(self.either), 0.0, 1.0 / (chance * (1.0 - chance)))


def club_of(model: RiskModel, cohort: Cohort) -> Club:
    """A cohort as a club of a champion."""
    outcomes = cohort.outcomes()
    legs = model.features(cohort.columns())
    missing = np.full(len(outcomes.either), np.nan)
    if not model.sided:
        outcome, either = np.stack([outcomes.either, missing], axis=1), missing
    else:
        sides = (outcomes.left, outcomes.right) if cohort.has_sides else (missing, missing)
        outcome = np.stack(sides, axis=1)
        unknown = np.isnan(outcome).all(axis=1)
        either = np.where(unknown, outcomes.either, np.nan)
    return Club(
        legs=legs,
        log_odds=model.log_odds(legs),
        columns=tied_columns(model.margin, legs),
        outcome=outcome,
        either=either,
        athletes=cohort.frame["athlete_id"].to_numpy(),
        odds_ratio=model.odds_ratio or 1.0,
    )


def tied_columns(margin: Margin, legs: FeatureMatrix) -> FloatArray:
    """A leg's own columns as the margin reads them, shape (n, 2, n_between).

    An effect of a measure moves the mean of both legs and their difference alike; one weight for
    both is half as much to learn as two.
    """
    level = margin.between.apply(between_values(legs, margin.between.columns))
    half = np.zeros_like(level)
    apart = margin.within.apply(within_values(legs, margin.within.columns))
    here, there, ratio = shared_places(margin)
    half[:, here] = apart[:, there] * ratio / 2.0
    return np.stack([level + half, level - half], axis=1)


def shared_places(margin: Margin) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """Where a column stands in the between part and in the within part, and the ratio of SDs."""
    places = {column: i for i, column in enumerate(margin.within.columns)}
    pairs = [(i, places[c]) for i, c in enumerate(margin.between.columns) if c in places]
    here, there = (np.array([pair[k] for pair in pairs], dtype=int) for k in (0, 1))
    return here, there, margin.within.spread[there] / margin.between.spread[here]
