"""The likelihood of a club's outcomes, given log-odds of its legs.

Outcomes of legs are Bernoulli. Where only "either knee" is recorded, its probability follows from
both legs and their odds ratio (Plackett's bivariate distribution, see `kneerisk.evidence`), so that
clubs without sides can be learnt from too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.row_weights import effective_outcomes, scaled_to_effective
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
    """Screenings of a club with their outcomes, and what one champion predicts for them."""

    legs: FeatureMatrix
    log_odds: FloatArray
    """The champion's log-odds of each leg, shape (n_screenings, 2), left first."""
    columns: FloatArray
    """The champion's linear columns, shape (n_screenings, 2, p): the mean of both legs plus or
    minus half of their difference, in SD of the mean."""
    outcome: FloatArray
    """Of each leg, shape (n_screenings, 2): 1 pain, 0 none, NaN not recorded."""
    either: FloatArray
    """Of either knee where neither leg's is recorded, shape (n_screenings,), else NaN."""
    athletes: np.ndarray
    """The athlete's id of each screening, shape (n_screenings,)."""
    odds_ratio: float
    """Between the outcomes of both legs of an athlete; 1 is independence."""
    weight: FloatArray | None = None
    """Of each leg's outcome, shape (n_screenings, 2): they sum to what all outcomes are worth."""
    either_weight: FloatArray | None = None
    """Of either knee's, shape (n_screenings,), likewise."""

    def take(self, rows: np.ndarray) -> Club:
        """Some of the screenings, by a mask or by positions, shape (n_screenings,) or fewer."""
        return Club(
            legs=self.legs.take(rows),
            log_odds=self.log_odds[rows],
            columns=self.columns[rows],
            outcome=self.outcome[rows],
            either=self.either[rows],
            athletes=self.athletes[rows],
            odds_ratio=self.odds_ratio,
            weight=None if self.weight is None else self.weight[rows],
            either_weight=None if self.either_weight is None else self.either_weight[rows],
        )

    @property
    def events(self) -> int:
        """How many outcomes happened: of legs, and of either knee where no leg is recorded.

        Weighted ones count for what they are worth (Kish).
        """
        return int(self._outcomes[0])

    @property
    def non_events(self) -> int:
        """How many outcomes are recorded as not having happened."""
        return int(self._outcomes[1])

    @property
    def _outcomes(self) -> tuple[float, float]:
        outcome = np.column_stack([self.outcome, self.either])
        weight = None
        if self.weight is not None and self.either_weight is not None:
            weight = np.column_stack([self.weight, self.either_weight])
        return effective_outcomes(outcome, weight)

    @property
    def labels(self) -> FloatArray:
        """Of each leg, or of either knee where no leg's is recorded; shape (n_screenings, 2)."""
        return np.where(np.isnan(self.outcome), self.either[:, None], self.outcome)

    @property
    def informed(self) -> np.ndarray:
        """The legs that an outcome informs, shape (n_screenings, 2)."""
        return ~np.isnan(self.labels)

    def loss(self, log_odds: FloatArray) -> FloatArray:
        """Log loss of each screening, summed over its recorded outcomes.

        Parameters
        ----------
        log_odds
            Of each leg, shape (n_screenings, 2).

        Returns
        -------
        Nats, shape (n_screenings,).
        """
        losses = np.logaddexp(0.0, log_odds) - self.outcome * log_odds
        leg_loss = np.asarray(self._weighted(np.nan_to_num(losses)).sum(axis=1))
        if not self._has_unsided:
            return leg_loss
        chance = self._either(log_odds)
        either_loss = -self.either * np.log(chance) - (1.0 - self.either) * np.log1p(-chance)
        return np.asarray(leg_loss + self._either_weighted(np.nan_to_num(either_loss)))

    def gradient(self, log_odds: FloatArray) -> FloatArray:
        """First derivative of the loss by the log-odds of each leg.

        Parameters
        ----------
        log_odds
            Where it is taken, shape (n_screenings, 2).

        Returns
        -------
        Shape (n_screenings, 2).
        """
        leg_gradient = self._weighted(np.nan_to_num(expit(log_odds) - self.outcome))
        if not self._has_unsided:
            return leg_gradient
        residual = np.nan_to_num(self._either(log_odds) - self.either)
        weight = residual * self._either_weight(log_odds)
        return np.asarray(leg_gradient + weight[:, None] * self._either_slopes(log_odds))

    def curvature(self, log_odds: FloatArray) -> FloatArray:
        """Expected second derivative of the loss by the log-odds of each leg.

        Parameters
        ----------
        log_odds
            Where it is taken, shape (n_screenings, 2).

        Returns
        -------
        Shape (n_screenings, 2), never negative.
        """
        leg_curvature = self._leg_weight(log_odds)
        if not self._has_unsided:
            return leg_curvature
        weight = self._either_weight(log_odds)
        return np.asarray(leg_curvature + weight[:, None] * self._either_slopes(log_odds) ** 2)

    def information(self, design: FloatArray, log_odds: FloatArray) -> FloatArray:
        """Expected (Fisher) information on the weights of a design.

        Parameters
        ----------
        design
            What the weights multiply, shape (n_screenings, 2, k).
        log_odds
            Where it is taken, shape (n_screenings, 2).

        Returns
        -------
        Shape (k, k).
        """
        rows = design.reshape(-1, design.shape[2])
        leg_information = (rows * self._leg_weight(log_odds).reshape(-1, 1)).T @ rows
        if not self._has_unsided:
            return np.asarray(leg_information)
        either_design = (self._either_slopes(log_odds)[:, :, None] * design).sum(axis=1)
        weighted = either_design * self._either_weight(log_odds)[:, None]
        return np.asarray(leg_information + weighted.T @ either_design)

    @property
    def _has_unsided(self) -> bool:
        """Whether any screening has an outcome of either knee alone."""
        return not bool(np.isnan(self.either).all())

    def _leg_weight(self, log_odds: FloatArray) -> FloatArray:
        chance = expit(log_odds)
        return self._weighted(np.where(np.isnan(self.outcome), 0.0, chance * (1.0 - chance)))

    def _weighted(self, of_legs: FloatArray) -> FloatArray:
        return of_legs if self.weight is None else self.weight * of_legs

    def _either_weighted(self, of_either: FloatArray) -> FloatArray:
        return of_either if self.either_weight is None else self.either_weight * of_either

    def _either(self, log_odds: FloatArray) -> FloatArray:
        left, right = expit(log_odds).T
        return np.clip(either_of(left, right, self.odds_ratio), _TINY, 1.0 - _TINY)

    def _either_slopes(self, log_odds: FloatArray) -> FloatArray:
        """Derivative of the chance of either knee by the log-odds of each leg, shape (n, 2)."""
        left, right = expit(log_odds).T
        slopes = np.stack(either_slopes(left, right, self.odds_ratio), axis=1)
        return np.asarray(slopes * expit(log_odds) * (1.0 - expit(log_odds)))

    def _either_weight(self, log_odds: FloatArray) -> FloatArray:
        chance = self._either(log_odds)
        information = np.where(np.isnan(self.either), 0.0, 1.0 / (chance * (1.0 - chance)))
        return self._either_weighted(information)


def club_of(model: RiskModel, cohort: Cohort) -> Club:
    """The screenings and outcomes of a cohort, with the predictions of a champion."""
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
    weight, either_weight = _weights(cohort, outcome, either)
    return Club(
        legs=legs,
        log_odds=model.log_odds(legs),
        columns=tied_columns(model.margin, legs),
        outcome=outcome,
        either=either,
        athletes=cohort.frame["athlete_id"].to_numpy(),
        odds_ratio=model.odds_ratio or 1.0,
        weight=weight,
        either_weight=either_weight,
    )


def _weights(
    cohort: Cohort, outcome: FloatArray, either: FloatArray
) -> tuple[FloatArray | None, FloatArray | None]:
    """The weights of legs (n, 2) and of either knee (n,), together what the outcomes are worth."""
    weights = cohort.weights()
    if weights is None:
        return None, None
    legs = (weights.left, weights.right) if cohort.has_sides else (weights.either,) * 2
    every = np.column_stack([*legs, weights.either])
    known = ~np.isnan(np.column_stack([outcome, either]))
    scaled = scaled_to_effective(every, known)
    return scaled[:, :2], scaled[:, 2]


def tied_columns(margin: Margin, legs: FeatureMatrix) -> FloatArray:
    """The columns of a margin with one weight for both legs' mean and for their difference.

    A measure's effect on a leg moves the mean of both legs and their difference alike; one weight
    for both is half as much to learn as two.

    Parameters
    ----------
    margin
        The champion's linear part.
    legs
        The feature matrix of n screenings.

    Returns
    -------
    In SD of the mean, shape (n_screenings, 2, n_between).
    """
    level = margin.between.apply(between_values(legs, margin.between.columns))
    half = np.zeros_like(level)
    difference = margin.within.apply(within_values(legs, margin.within.columns))
    between, within, ratio = shared_columns(margin)
    half[:, between] = difference[:, within] * ratio / 2.0
    return np.stack([level + half, level - half], axis=1)


def shared_columns(margin: Margin) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """The columns that are in both parts of a margin.

    Parameters
    ----------
    margin
        The champion's linear part.

    Returns
    -------
    Their positions in the between part and in the within part, and the SD in the within part over
    that in the between part, each of shape (n_shared,).
    """
    places = {column: i for i, column in enumerate(margin.within.columns)}
    pairs = [(i, places[c]) for i, c in enumerate(margin.between.columns) if c in places]
    between, within = (np.array([pair[k] for pair in pairs], dtype=int) for k in (0, 1))
    return between, within, margin.within.spread[within] / margin.between.spread[between]
