"""Where the uncertainty about a knee's risk comes from, as variances of its log-odds.

Four parts, taken as independent: how knee pain is defined (the base rate), what studies disagree on
(the sizes of effects), tests that were not done, and the error of tests. The last two follow from
the measurement update along the direction in which the effects of the tables move the risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from kneerisk.evidence import Effect, Range, assumption, sport_base_rates
from kneerisk.evidence.population import Population, row_products
from kneerisk.evidence.risk_factors import LINEAR_CONTRASTS, belongs, risk_factors
from kneerisk.model.feature_columns import factor_columns
from kneerisk.model.features import FeatureMatrix, row_sums, sport_of
from kneerisk.model.imputation import Expected, stated_protocols
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, Columns, FloatArray, category
from kneerisk.schema.columns import rows_by_key

#: The answer about a knee that each contrast is: to which question, and how common it is.
_ANSWERS = {
    "within_12_months": ("prior_knee_injury", "prior_injury_recent_share"),
    "over_12_months_ago": ("prior_knee_injury", "prior_injury_older_share"),
    "yes": ("pain_on_squat_jump", "pain_in_movement_share"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceSources:
    """Variances of the log-odds of the left and the right knee, each of shape (n, 2)."""

    base_rate: FloatArray
    studies: FloatArray
    tests_not_done: FloatArray
    test_error: FloatArray
    untested: FloatArray
    """What tests and history would leave open if nothing of them were known."""

    @property
    def information(self) -> FloatArray:
        """Of what measuring could settle, the share that is settled; shape (n, 2)."""
        could = self.untested - self.test_error
        settled = could - self.tests_not_done
        return np.clip(settled / np.where(could > 0.0, could, 1.0), 0.0, 1.0)


def variance_sources(
    model: RiskModel, data: Columns, expected: Expected, features: FeatureMatrix
) -> VarianceSources | None:
    """Where the uncertainty about each screening comes from.

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

    Returns
    -------
    The variances; None for a model of outcomes alone, which does not tell them apart.
    """
    if model.base_rates is None:
        return None
    sport, directions = sport_of(features), _directions(model.population, data)
    unasked, answers = _answers_variance(data)
    before = _open_before(model.population, directions)
    now = _open_now(model.population, expected, directions, before)
    all_done = _open_after_all(model, stated_protocols(data), directions)
    contrasts = np.nan_to_num(features.pick(factor_columns()))
    return VarianceSources(
        base_rate=_both_knees(model.base_rates.shift(sport).variance),
        studies=row_sums(contrasts**2 * _size_variances())
        + _rate_variances()[_places(sport)][:, None],
        tests_not_done=np.maximum(now - all_done[:, None], 0.0) + unasked,
        test_error=_both_knees(all_done),
        untested=_both_knees(before + answers),
    )


def _both_knees(values: FloatArray) -> FloatArray:
    return np.repeat(values[:, None], len(SIDES), axis=1)


def _own_state(people: Population) -> slice:
    """The measures of the athlete and of a leg itself, which move the risk of its knee."""
    return slice(len(people.athlete) + len(people.leg))


def _open_now(
    people: Population, expected: Expected, directions: FloatArray, before: FloatArray
) -> FloatArray:
    """What the tests done leave open along directions (n, k), of each knee: shape (n, 2).

    ``before`` (n,) is what is open before them.
    """
    own, n = _own_state(people), len(directions)
    by_leg = [gain for gains in expected.gains for gain in gains]
    now = np.empty(2 * n)
    for rows in rows_by_key(map(id, by_leg)).values():
        gain, along = by_leg[rows[0]], directions[rows // 2]
        weights = np.ascontiguousarray(gain.weights[own].T)
        crossed = np.ascontiguousarray(people.covariance[gain.used, own])
        settled = row_products(weights, along) * row_products(crossed, along)
        now[rows] = before[rows // 2] - row_sums(settled)
    return np.maximum(now, 0.0).reshape(n, 2)


def _open_before(people: Population, directions: FloatArray) -> FloatArray:
    """What is open along directions before any test, shape (n,)."""
    own = _own_state(people)
    covariance = np.ascontiguousarray(people.covariance[own, own])
    return row_sums(directions * row_products(covariance, directions))


def _open_after_all(model: RiskModel, protocols: FloatArray, directions: FloatArray) -> FloatArray:
    """What every test together would leave open along directions (n, k), shape (n,)."""
    own, everything = _own_state(model.population), np.arange(model.population.n_measures)
    left = np.empty(len(directions))
    for rows in rows_by_key(map(tuple, protocols.tolist())).values():
        posterior = model.open_variance.posterior(everything, protocols[rows[0]], {})
        covariance = posterior.covariance[own, own]
        along = directions[rows]
        left[rows] = row_sums(along * row_products(np.ascontiguousarray(covariance), along))
    return left


def _range(effect: Effect) -> Range:
    """An effect's size and the range over which studies disagree, in log-odds."""
    return Range(low=effect.low, central=effect.central, high=effect.high)


@cache
def _size_variances() -> FloatArray:
    """The variance over which studies disagree on each effect, in the order of the table."""
    return np.array([_range(effect).triangular_variance for effect in risk_factors()])


@cache
def _mean_size(factor: str) -> float:
    effect = next(effect for effect in risk_factors() if effect.factor == factor)
    return (effect.low + effect.central + effect.high) / 3.0


def _directions(people: Population, data: Columns) -> FloatArray:
    """How the athlete's and a leg's own state moves the log-odds of its knee, shape (n, k)."""
    own = {name: place for place, name in enumerate((*people.athlete, *people.leg))}
    directions = np.zeros((len(data["sex"]), len(own)))
    inside = {name: belongs(name, data) for name in {e.population for e, _ in _sloping_effects()}}
    for effect, slope in _sloping_effects():
        directions[:, own[effect.measure]] += slope * inside[effect.population]
    return directions


@cache
def _sloping_effects() -> tuple[tuple[Effect, float], ...]:
    """The effects that move the log-odds with a true z-score, and by how much for each SD."""
    sloping = (effect for effect in risk_factors() if effect.contrast in LINEAR_CONTRASTS)
    return tuple((e, LINEAR_CONTRASTS[e.contrast] * _mean_size(e.factor)) for e in sloping)


def _answers_variance(data: Columns) -> tuple[FloatArray, FloatArray]:
    """What answers leave open: now about each knee (n, 2), and if nobody had asked (n,)."""
    n = len(data["sex"])
    now, never_asked = np.zeros((n, len(SIDES))), np.zeros(n)
    for effect in risk_factors():
        if effect.contrast in _ANSWERS:
            question, name = _ANSWERS[effect.contrast]
            share = assumption(name)
            variance = share * (1.0 - share) * _mean_size(effect.factor) ** 2
            unasked = np.stack([np.isnan(data[f"{side}_{question}"]) for side in SIDES], axis=1)
            now, never_asked = now + variance * unasked, never_asked + variance
    return now, never_asked


def _places(sport: FloatArray) -> NDArray[np.intp]:
    """The place of each sport in `_rate_variances`; the last where none is stated."""
    return np.where(np.isnan(sport), -1.0, sport).astype(np.intp)


@cache
def _rate_variances() -> FloatArray:
    """What studies of one definition disagree on, as variances of the log-odds by sport.

    A sport that is not stated, the last, counts as the mean of all, as in the base rates.
    """
    rates = [sport_base_rates()[name] for name in category("sport").choices]
    variances = [Range(*(float(logit(end)) for end in rate)).triangular_variance for rate in rates]
    return np.array([*variances, np.mean(variances)])
