"""Where the uncertainty about a knee's risk comes from, as variances of its log-odds.

Four parts, taken as independent: how knee pain is defined (the base rate), what studies disagree on
(the sizes of effects), tests that were not done, and the error of tests. The last two follow from
the measurement update along the direction in which the effects of the tables move the risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import logit

from kneerisk.evidence import Effect, Range, assumption, sport_base_rates
from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import belongs, risk_factors
from kneerisk.model.feature_columns import factor_columns
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected, stated_protocols
from kneerisk.model.risk_model import RiskModel, sport_of
from kneerisk.schema import SIDES, Columns, FloatArray, category

#: Contrasts that move with the true z-score, and their direction.
_SLOPES = {"per_sd_lower": -1.0, "per_sd_lower_for_age": -1.0, "per_sd_higher": 1.0}
#: The answer about a knee that each contrast is: to which question, and how common it is.
_ANSWERS = {
    "within_12_months": ("prior_knee_injury", "prior_injury_recent_share"),
    "over_12_months_ago": ("prior_knee_injury", "prior_injury_older_share"),
    "yes": ("pain_on_squat_jump", "pain_in_movement_share"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceSources:
    """Variances of the log-odds of the left and the right knee, each of shape (2,)."""

    base_rate: FloatArray
    studies: FloatArray
    tests_not_done: FloatArray
    test_error: FloatArray
    untested: FloatArray
    """What tests and history would leave open if nothing of them were known."""

    @property
    def information(self) -> FloatArray:
        """Of what measuring could settle, the share that is settled; shape (2,)."""
        could = self.untested - self.test_error
        settled = could - self.tests_not_done
        return np.clip(settled / np.where(could > 0.0, could, 1.0), 0.0, 1.0)


def variance_sources(
    model: RiskModel, data: Columns, expected: Expected, features: FeatureMatrix, row: int
) -> VarianceSources | None:
    """Where the uncertainty about one screening comes from.

    Parameters
    ----------
    model
        The model.
    data
        Coded columns of n screenings.
    expected
        Their expected true values.
    features
        Their feature matrix.
    row
        Which of the screenings.

    Returns
    -------
    The variances; None for a model of outcomes alone, which does not tell them apart.
    """
    if model.base_rates is None:
        return None
    own = {name: values[row : row + 1] for name, values in data.items()}
    legs, people = features.take(slice(row, row + 1)), model.population
    sport, directions = sport_of(legs), _directions(people, own)
    protocols = stated_protocols(own)[0]

    def open_variance(used: np.ndarray) -> FloatArray:
        return model.open_variance.posterior(used, protocols, {}).variance(directions)

    unasked, answers = _answers_variance(own)
    now = open_variance(expected.gains[row][0].used)
    all_done = open_variance(np.arange(people.n_measures))
    contrasts = legs.pick(factor_columns())[0]
    spread = np.array([_range(e).triangular_variance for e in risk_factors()])
    return VarianceSources(
        base_rate=np.repeat(model.base_rates.shift(sport).variance, 2),
        studies=(np.nan_to_num(contrasts) ** 2 * spread).sum(axis=1) + _rate_variance(sport[0]),
        tests_not_done=np.maximum(now - all_done, 0.0) + unasked,
        test_error=all_done,
        untested=open_variance(np.arange(0)) + answers,
    )


def _range(effect: Effect) -> Range:
    """An effect's size and the range over which studies disagree, in log-odds."""
    return Range(low=effect.low, central=effect.central, high=effect.high)


@cache
def _mean_size(factor: str) -> float:
    effect = next(effect for effect in risk_factors() if effect.factor == factor)
    return (effect.low + effect.central + effect.high) / 3.0


def _directions(people: Population, own: Columns) -> FloatArray:
    """How the left leg's state moves the log-odds of each knee, shape (d, 2)."""
    directions = np.zeros((len(people.covariance), len(SIDES)))
    a, m = len(people.athlete), len(people.leg)
    for effect in risk_factors():
        sign = _SLOPES.get(effect.contrast)
        if sign is None:
            continue
        size = sign * _mean_size(effect.factor) * belongs(effect.population, own)[0]
        for side in range(len(SIDES)):
            if effect.measure in people.athlete:
                place = people.athlete.index(effect.measure)
            else:
                place = a + side * m + people.leg.index(effect.measure)
            directions[place, side] += size
    return directions


def _answers_variance(own: Columns) -> tuple[FloatArray, FloatArray]:
    """What answers about each knee leave open: now, and if nobody had asked; each (2,)."""
    now, never_asked = np.zeros(len(SIDES)), np.zeros(len(SIDES))
    for effect in risk_factors():
        if effect.contrast in _ANSWERS:
            question, name = _ANSWERS[effect.contrast]
            share = assumption(name)
            variance = share * (1.0 - share) * _mean_size(effect.factor) ** 2
            unasked = np.array([np.isnan(own[f"{side}_{question}"][0]) for side in SIDES])
            now, never_asked = now + variance * unasked, never_asked + variance
    return now, never_asked


def _rate_variance(sport: float) -> float:
    """What studies of one definition disagree on, as a variance of the log-odds.

    A sport that is not stated counts as the mean of all, as in the base rates.
    """
    names = category("sport").choices
    rates = [sport_base_rates()[name] for name in names]
    variances = [Range(*(float(logit(end)) for end in rate)).triangular_variance for rate in rates]
    return float(np.mean(variances)) if np.isnan(sport) else variances[int(sport)]
