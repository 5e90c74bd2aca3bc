"""Worlds that differ from the one that the default model learnt: how their athletes are drawn.

A world changes what is true or what is recorded; the model stays as it was trained. Sizes of the
changes are assumptions, large beside what studies report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.special import expit, logit

from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.cohort.simulation.observation import IntArray, observe
from kneerisk.cohort.simulation.simulated_cohort import Simulated, recorded
from kneerisk.cohort.simulation.true_risks import (
    Effects,
    Truth,
    draw_definitions,
    draw_effects,
    draw_outcomes,
    sport_rates,
    true_risk,
)
from kneerisk.evidence import assumption, effects, rates_by_definition
from kneerisk.evidence.pair_dependence import either
from kneerisk.evidence.population import Population, contexts, published
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.schema import SIDES, FloatArray, category, columns
from kneerisk.schema.z_scores import drop_unneeded_protocols

Readings = dict[str, FloatArray]
#: Effects of one truth are so many times as far from their central size as the tables' range.
SPREAD = 1.5
ERROR_SCALE = 1.6
DEGREES_OF_FREEDOM = 4.0
#: SDs of true values by which the norms of every measure are off, up or down.
NORMS_OFF = 0.4
#: Share of the published correlations that other correlations keep; the rest is drawn.
CORRELATION_KEPT, DRAWN_FACTORS = 0.5, 6
#: Heavy tails would make some risks exactly 0 or 1.
POSSIBLE_RISKS = (1e-6, 1.0 - 1e-6)
#: Log-odds a squared SD and a product of two SDs, which count up to so many SDs.
CURVE, INTERACTION, MOST_SD = 0.15, 0.15, 3.0
CURVED = ("quad_torque_nm_kg", "wblt_dorsiflexion_deg", "fppa_deg", "hip_drop_deg")
INTERACTING = (("fppa_deg", "hip_drop_deg"), ("quad_torque_nm_kg", "wblt_dorsiflexion_deg"))
#: Log-odds of a test being left out at a middling risk, and by how much they rise with an SD of it.
GAP_LOG_ODDS, GAP_SLOPE = -1.5, 1.0
#: Share of athletes with an earlier knee injury who say that they had none.
HISTORY_HIDDEN = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What differs from the simulator; ``definition`` is how knee pain is defined.

    It is drawn for each ``athlete`` as in training, is the ``middle`` one, or one for the
    ``world``.
    """

    name: str
    definition: str = "athlete"
    base_odds: float = 1.0
    one_truth: bool = False
    other_correlations: bool = False
    larger_errors: bool = False
    heavy_tails: bool = False
    curves: bool = False
    gaps: bool = False
    norms_off: bool = False
    patterns: bool = True


_ALL = World(
    name="all together", definition="middle", base_odds=2.5, one_truth=True,
    other_correlations=True, larger_errors=True, heavy_tails=True, curves=True, gaps=True,
    norms_off=True,
)  # fmt: skip
ONE_TRUTH = World(name="one truth for a whole world", definition="middle", one_truth=True)
WORLDS = (
    World(name="its own"),
    World(name="base odds x2.5", base_odds=2.5, definition="middle"),
    World(name="base odds x0.4", base_odds=0.4, definition="middle"),
    ONE_TRUTH,
    World(name="other correlations", other_correlations=True),
    World(name="errors x1.6", larger_errors=True),
    World(name="heavy tails", heavy_tails=True),
    World(name="U shapes and interactions", curves=True),
    World(name="gaps not at random, hidden history", gaps=True),
    World(name="norms off by 0.4 SD", norms_off=True),
    _ALL,
    World(name="no patterns", patterns=False),
)
#: The same with a definition of pain drawn for each athlete, and as one for a whole world.
HARDER = (
    World(name="base odds x2.5, definitions mixed", base_odds=2.5),
    World(name="base odds x0.4, definitions mixed", base_odds=0.4),
    replace(_ALL, name="all together but for the base odds", base_odds=1.0),
)


def draw(world: World, athletes: int, seed: int) -> tuple[Simulated, Athletes]:
    """Draw a world's athletes, their truth and what a club would record of them."""
    rng = np.random.default_rng(seed)
    drawn = _athletes(world, athletes, rng)
    truth = draw_truth(world, drawn, rng)
    outcomes = draw_outcomes(truth, rng)
    data, battery = _observed(world, drawn, truth, rng)
    return recorded(drawn, truth, outcomes, data, battery, name=f"world-{seed}"), drawn


def draw_truth(world: World, athletes: Athletes, rng: Generator) -> Truth:
    """Draw the true risks of athletes in a world.

    Parameters
    ----------
    world
        The world.
    athletes
        n athletes.
    rng
        Source of randomness.

    Returns
    -------
    Risks of shape (n,) by knee.
    """
    n = len(athletes)
    if world.definition == "athlete":
        definitions = draw_definitions(athletes, rng)
    else:
        middle = world.definition == "middle"
        definitions = (0.0 if middle else rng.standard_normal()) * _definition_sd(athletes)
    if world.one_truth:
        sizes = _nulls(rng)
        more = {side: _null_log_odds(athletes, side, sizes) for side in SIDES}
        truth = true_risk(athletes, _one_truth(athletes, rng), definitions)
    else:
        more = {side: np.zeros(n) for side in SIDES}
        truth = true_risk(athletes, draw_effects(athletes, rng), definitions)
    if world.curves:
        more = {side: more[side] + _curves(athletes, side) for side in SIDES}
    left, right = (
        np.clip(expit(logit(risk) + more[side] + np.log(world.base_odds)), *POSSIBLE_RISKS)
        for side, risk in zip(SIDES, (truth.left, truth.right), strict=True)
    )
    joint = either(left, right, assumption("left_right_pain_odds_ratio"))
    return replace(truth, left=left, right=right, either=joint)


def _definition_sd(athletes: Athletes) -> FloatArray:
    sports = category("sport").choices
    sd = np.array([rates_by_definition()[name].log_odds_sd for name in sports])
    return np.asarray(sd[athletes.data["sport"].astype(int)])


def _one_truth(athletes: Athletes, rng: Generator) -> Effects:
    """One size of each effect, and one base rate of a sport, for all athletes."""
    sizes = []
    for effect in risk_factors():
        low = effect.central - SPREAD * (effect.central - effect.low)
        high = effect.central + SPREAD * (effect.high - effect.central)
        sizes.append(rng.triangular(low, effect.central, high) if high > low else low)
    shift = np.zeros(len(athletes))
    for code, rate in sport_rates().items():
        base = rng.triangular(rate.low, rate.central, rate.high)
        shift[athletes.data["sport"] == code] = logit(base) - logit(rate.central)
    return Effects(log_odds=np.tile(sizes, (len(athletes), 1)), base_shift=shift)


def _nulls(rng: Generator) -> dict[str, float]:
    """A size for each effect that is null as published, from the range that its note allows."""
    sizes = {}
    for effect in effects().values():
        stated = re.search(r"sensitivity (-?[\d.]+) to (-?[\d.]+)", effect.note)
        if effect.status == "null" and stated:
            low, high = float(stated[1]), float(stated[2])
            sign = 1.0 if effect.contrast == "per_sd_higher" else -1.0
            sizes[effect.measure] = sign * float(rng.uniform(low, high))
    return sizes


def _null_log_odds(athletes: Athletes, side: str, sizes: dict[str, float]) -> FloatArray:
    terms = [size * athletes.z(side, measure) for measure, size in sizes.items()]
    return np.asarray(_centred(np.sum(terms, axis=0)))


def _curves(athletes: Athletes, side: str) -> FloatArray:
    """U shapes, interactions of measures, and of weakness with an earlier injury; mean zero."""
    z = {name: np.clip(athletes.z(side, name), -MOST_SD, MOST_SD) for name in CURVED}
    injured = athletes.data[f"{side}_prior_knee_injury"] > 0
    total = CURVE * np.sum([z[name] ** 2 for name in CURVED], axis=0)
    total += INTERACTION * np.sum([z[a] * z[b] for a, b in INTERACTING], axis=0)
    return _centred(total - INTERACTION * z["quad_torque_nm_kg"] * injured)


def _centred(log_odds: FloatArray) -> FloatArray:
    return np.asarray(log_odds - log_odds.mean())


def _athletes(world: World, n: int, rng: Generator) -> Athletes:
    population = published()
    if world.other_correlations:
        population = _with_other_correlations(population, rng)
    if not world.patterns:
        population = without_patterns(population)
    drawn = draw_athletes(population, n, rng)
    if not world.heavy_tails:
        return drawn
    # A multivariate t with the variance of the normal distribution.
    own, _ = contexts(drawn.data)
    mean, df = population.means(own), DEGREES_OF_FREEDOM
    stretch = np.sqrt((df - 2.0) / rng.chisquare(df, n))
    return replace(drawn, state=mean + (drawn.state - mean) * stretch[:, None])


def _with_other_correlations(population: Population, rng: Generator) -> Population:
    """Half of every correlation, and the rest from drawn factors; variances stay."""
    sd = np.sqrt(np.diag(population.covariance))
    loadings = rng.standard_normal((len(sd), DRAWN_FACTORS))
    other = loadings @ loadings.T + DRAWN_FACTORS * np.eye(len(sd))
    scale = np.sqrt(np.diag(other))
    mixed = CORRELATION_KEPT * population.covariance
    mixed += (1.0 - CORRELATION_KEPT) * other / np.outer(scale, scale) * np.outer(sd, sd)
    return replace(population, covariance=mixed)


def without_patterns(population: Population) -> Population:
    """The population whose measures know nothing of the imbalances, with the same variances."""
    n = population.n_measures
    covariance = population.covariance.copy()
    across = covariance[:n, n:]
    rest = covariance[:n, :n] - across @ np.linalg.solve(covariance[n:, n:], across.T)
    stretch = np.sqrt(np.diag(covariance)[:n] / np.maximum(np.diag(rest), 1e-9))
    covariance[:n, :n] = rest * np.outer(stretch, stretch)
    covariance[:n, n:] = 0.0
    covariance[n:, :n] = 0.0
    return replace(population, covariance=covariance)


def _observed(
    world: World, athletes: Athletes, truth: Truth, rng: Generator
) -> tuple[Readings, IntArray]:
    scale = ERROR_SCALE if world.larger_errors else 1.0
    seen = athletes
    if world.norms_off:
        people = athletes.population
        of_leg = rng.choice([-NORMS_OFF, NORMS_OFF], len(people.leg))
        of_athlete = rng.choice([-NORMS_OFF, NORMS_OFF], len(people.athlete))
        off = np.zeros(athletes.state.shape[1])
        off[: people.n_measures] = np.concatenate([of_athlete, of_leg, of_leg])
        seen = replace(athletes, state=athletes.state + off)

    def errors(n: int) -> FloatArray:
        if not world.heavy_tails:
            return scale * rng.standard_normal(n)
        df = DEGREES_OF_FREEDOM
        return np.asarray(scale * rng.standard_t(df, n) * np.sqrt((df - 2.0) / df))

    data, battery = observe(seen, rng, errors)
    if world.gaps:
        _leave_gaps(data, truth, rng)
    return data, battery


def _leave_gaps(data: Readings, truth: Truth, rng: Generator) -> None:
    """Leave out tests where risk is high, and hide earlier injuries, in place."""
    log_odds = logit(truth.either)
    z = (log_odds - log_odds.mean()) / log_odds.std()
    for test in sorted({m.test for m in columns().values() if m.test != "interview"}):
        missing = rng.random(len(z)) < expit(GAP_LOG_ODDS + GAP_SLOPE * z)
        for name, measure in columns().items():
            if measure.test == test:
                data[name] = np.where(missing, np.nan, data[name])
    for side in SIDES:
        hidden = rng.random(len(z)) < HISTORY_HIDDEN
        for name in ("prior_knee_injury", "same_side_episodes"):
            column = f"{side}_{name}"
            data[column] = np.where(hidden & ~np.isnan(data[column]), 0.0, data[column])
    drop_unneeded_protocols(data)
