"""Contrasts of the effects: each risk factor of a leg as the number that is multiplied.

The same function serves the simulator (true values, no variance) and a model (expected values
with their variance), so that both mean the same by "quadriceps one SD weaker".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from kneerisk.evidence import assumption, effects
from kneerisk.evidence.population import age_shift
from kneerisk.evidence.table_models import Effect, Sport
from kneerisk.evidence.table_reader import read_table
from kneerisk.schema import Columns, FloatArray, category
from kneerisk.schema.z_scores import CONDITION_OF, from_z, location_and_scale

#: Contrasts that are a line in the true z-score of their measure, and how it slopes.
LINEAR_CONTRASTS: Mapping[str, float] = {
    "per_sd_lower": -1.0,
    "per_sd_higher": 1.0,
    "per_sd_lower_for_age": -1.0,
}
#: How the contrasts begin that are steps of the true value.
_STEP = "at_least_"


@dataclass(frozen=True, slots=True)
class LegView:
    """One leg of each screening: means and variances of its true z-scores, and what is known.

    ``mean`` and ``variance`` map a measure (the athlete's and the leg's own) to shape (n,);
    ``data`` are the coded columns; ``prior`` and ``episodes`` the leg's history, NaN if not asked;
    ``provoked`` is 1 where the knee hurts in movement, 0 where not, NaN if not tested.
    """

    mean: Mapping[str, FloatArray]
    variance: Mapping[str, FloatArray]
    data: Columns
    prior: FloatArray
    episodes: FloatArray
    provoked: FloatArray


@cache
def risk_factors() -> tuple[Effect, ...]:
    """The effects that carry risk: every one whose range is not null."""
    return tuple(effect for effect in effects().values() if effect.status != "null")


@cache
def factor_measures() -> tuple[str, ...]:
    """The true measures that the contrasts are computed from."""
    return tuple(dict.fromkeys(m for effect in risk_factors() for m in measures_of(effect)))


@cache
def threshold_measures() -> tuple[str, ...]:
    """The measures whose effect begins at a threshold, so that it is a step and no slope."""
    steps = (e.measure for e in risk_factors() if e.contrast.startswith(_STEP))
    return tuple(dict.fromkeys(steps))


@cache
def context_columns() -> tuple[str, ...]:
    """The coded columns that a view needs: whom an effect is about, and how it was measured."""
    protocols = (CONDITION_OF.get(name) for name in factor_measures())
    return ("age_years", "sex", "sport", "level", *dict.fromkeys(p for p in protocols if p))


def contrasts(leg: LegView) -> FloatArray:
    """Each risk factor's contrast, 0 for athletes outside the population of its effect.

    Parameters
    ----------
    leg
        One leg of each of n screenings.

    Returns
    -------
    In the unit of the effect's contrast (SDs, categories, bands), shape (n_factors, n); the factors
    in the order of `risk_factors`.
    """
    parts = _parts_of_factors()
    inside = np.array([belongs(name, leg.data) for name in parts.populations])
    values = np.array([_CONTRASTS[kind](leg, measure) for kind, measure in parts.kinds])
    factors = values[parts.kind_of_each]
    factors *= inside[parts.population_of_each]
    return factors


class _PartsOfFactors(NamedTuple):
    """What the factors are made from: an effect that differs between populations has one contrast.

    ``kinds`` are contrasts, each with the measure that it is of; the last two say for each factor
    which of them, and of the populations, it is made from.
    """

    populations: tuple[str, ...]
    kinds: tuple[tuple[str, str], ...]
    population_of_each: NDArray[np.intp]
    kind_of_each: NDArray[np.intp]


@cache
def _parts_of_factors() -> _PartsOfFactors:
    populations = [effect.population for effect in risk_factors()]
    kinds = [(effect.contrast, effect.measure) for effect in risk_factors()]
    distinct, distinct_kinds = tuple(dict.fromkeys(populations)), tuple(dict.fromkeys(kinds))
    return _PartsOfFactors(
        populations=distinct,
        kinds=distinct_kinds,
        population_of_each=np.array([distinct.index(name) for name in populations]),
        kind_of_each=np.array([distinct_kinds.index(kind) for kind in kinds]),
    )


def contrast(effect: Effect, leg: LegView) -> FloatArray:
    """The contrast of one effect, whatever population the effect is about.

    Parameters
    ----------
    effect
        The effect.
    leg
        One leg of each of n screenings.

    Returns
    -------
    Shape (n,), in the unit of the contrast.
    """
    return _CONTRASTS[effect.contrast](leg, effect.measure)


def measures_of(effect: Effect) -> tuple[str, ...]:
    """The true measures that an effect's contrast is computed from.

    Parameters
    ----------
    effect
        The effect.

    Returns
    -------
    Its own measure, height and mass for the body mass index, or none.
    """
    if effect.contrast in LINEAR_CONTRASTS or effect.contrast.startswith(_STEP):
        return (effect.measure,)
    return ("height_cm", "mass_kg") if effect.contrast == "per_5_kg_m2" else ()


def belongs(name: str, data: Columns) -> FloatArray:
    """Whether athletes belong to the population of an effect.

    Parameters
    ----------
    name
        The population: all, a sex, an age, or sports separated by spaces.
    data
        Coded columns of n screenings: age, sex and sport.

    Returns
    -------
    Shape (n,): 1 inside, 0 outside; the share of athletes who belong where the sex or the sport is
    not known.
    """
    age = data["age_years"]
    match name:
        case "all":
            return np.ones_like(age)
        case "female":
            return female(data)
        case "male":
            return 1.0 - female(data)
        case "age_50_and_over":
            return (age >= 50).astype(float)
        case "age_below_50":
            return (age < 50).astype(float)
        case sports:
            return _plays_one_of(sports, data)


def _plays_one_of(sports: str, data: Columns) -> FloatArray:
    sport = data["sport"]
    plays = _plays(sports)
    # A sport that is not known stands last.
    return plays[np.where(np.isnan(sport), len(plays) - 1, sport).astype(np.intp)]


@cache
def _plays(sports: str) -> FloatArray:
    """Which sports are among those separated by spaces, and the share of athletes who play one."""
    names = frozenset(sports.split())
    share = sum(row.share for row in read_table("sports", Sport) if row.sport in names)
    return np.array([*(float(name in names) for name in category("sport").choices), share])


def female(data: Columns) -> FloatArray:
    """Indicator of women.

    Parameters
    ----------
    data
        Coded columns of n screenings, with ``sex``.

    Returns
    -------
    Shape (n,): 1 for women, 0 for men, one half where the sex is not known.
    """
    return np.where(data["sex"] == 1, 1.0, np.where(data["sex"] == 0, 0.0, 0.5))


def _novice(data: Columns) -> FloatArray:
    return np.where(np.isnan(data["level"]), assumption("novice_share"), data["level"] == 0)


def _prior(leg: LegView, code: int, share: str) -> FloatArray:
    return np.where(np.isnan(leg.prior), assumption(share), leg.prior == code)


def _provoked(leg: LegView) -> FloatArray:
    return np.where(np.isnan(leg.provoked), assumption("pain_in_movement_share"), leg.provoked)


def _probability_above(leg: LegView, name: str, threshold: float) -> FloatArray:
    """Probability that the true value is at least a threshold in the measure's unit."""
    location, scale = location_and_scale(name, leg.data)
    sd = np.sqrt(np.maximum(leg.variance[name], 0.0))
    return _above(leg.mean[name], sd, (threshold - location) / scale)


def _age_shift(leg: LegView, name: str) -> FloatArray:
    return age_shift(name, leg.data["age_years"])


def _above(mean: FloatArray, sd: FloatArray, threshold: FloatArray) -> FloatArray:
    certain = (mean >= threshold - 1e-9).astype(float)
    z = (mean - threshold) / np.where(sd > 1e-4, sd, 1.0)
    return np.where(sd > 1e-4, ndtr(z), certain)


def _bmi(leg: LegView) -> FloatArray:
    height = from_z("height_cm", leg.mean["height_cm"], leg.data)
    mass = from_z("mass_kg", leg.mean["mass_kg"], leg.data)
    return np.asarray(mass / (height / 100.0) ** 2)


#: How each contrast of the effects table is computed from a leg and the effect's measure.
_CONTRASTS: Mapping[str, Callable[[LegView, str], FloatArray]] = {
    "per_sd_lower": lambda leg, measure: -leg.mean[measure],
    "per_sd_higher": lambda leg, measure: leg.mean[measure],
    "per_sd_lower_for_age": lambda leg, measure: _age_shift(leg, measure) - leg.mean[measure],
    "within_12_months": lambda leg, _: _prior(leg, 2, "prior_injury_recent_share"),
    "over_12_months_ago": lambda leg, _: _prior(leg, 1, "prior_injury_older_share"),
    "per_further_episode": lambda leg, _: np.maximum(np.nan_to_num(leg.episodes) - 1.0, 0.0),
    "yes": lambda leg, _: _provoked(leg),
    "at_least_1_cm": lambda leg, measure: _probability_above(leg, measure, 1.0),
    "per_decade_over_40": lambda leg, _: np.maximum(leg.data["age_years"] - 40.0, 0.0) / 10.0,
    "per_5_kg_m2": lambda leg, _: (_bmi(leg) - 23.0) / 5.0,
    "novice": lambda leg, _: _novice(leg.data),
    "female": lambda leg, _: female(leg.data),
}
