"""True risks of simulated athletes from published effect sizes, and outcomes drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.evidence import Range, assumption, rates_by_definition, sport_base_rates
from kneerisk.evidence.imbalance_patterns import imbalance_thresholds
from kneerisk.evidence.pair_dependence import both, either
from kneerisk.evidence.population import published
from kneerisk.evidence.risk_factors import LegView, contrasts, risk_factors
from kneerisk.schema import SIDES, FloatArray, category

#: The cohort that the intercepts are fitted to, so that each sport meets its base rate whatever
#: cohort is drawn later.
REFERENCE_ATHLETES, REFERENCE_SEED = 60_000, 20_260


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of n athletes: risks of shape (n,), imbalances of shape (n, 2, 5)."""

    left: FloatArray
    right: FloatArray
    either: FloatArray
    imbalances: FloatArray
    definition_shift: FloatArray
    """What the definition of knee pain adds to the log-odds, shape (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Log-odds of each risk factor for each athlete, shape (n, factors), and of the base rate."""

    log_odds: FloatArray
    base_shift: FloatArray


def draw_effects(athletes: Athletes, rng: Generator) -> Effects:
    """Effect sizes and base rate for each athlete, from what studies say (triangular)."""
    n = len(athletes)
    drawn = [_triangular(e.low, e.central, e.high, n, rng) for e in risk_factors()]
    shift = np.zeros(n)
    for code, rate in sport_rates().items():
        members = athletes.data["sport"] == code
        base = _triangular(rate.low, rate.central, rate.high, int(members.sum()), rng)
        shift[members] = logit(base) - logit(rate.central)
    return Effects(log_odds=np.column_stack(drawn), base_shift=shift)


def draw_definitions(athletes: Athletes, rng: Generator) -> FloatArray:
    """Draw how each athlete's knee pain is defined: definitions disagree more than studies do.

    Parameters
    ----------
    athletes
        n athletes.
    rng
        Where chance comes from.

    Returns
    -------
    What the definition adds to the log-odds of the base rate, shape (n,).
    """
    sd = np.array([rates_by_definition()[name].log_odds_sd for name in category("sport").choices])
    return np.asarray(sd[athletes.data["sport"].astype(int)] * rng.standard_normal(len(athletes)))


def _triangular(low: float, mode: float, high: float, n: int, rng: Generator) -> FloatArray:
    return rng.triangular(low, mode, high, n) if high > low else np.full(n, mode)


def true_risk(athletes: Athletes, effects: Effects, definitions: FloatArray | float = 0.0) -> Truth:
    """The true risk of each knee and of either, and the true probability of each imbalance.

    Parameters
    ----------
    athletes
        n athletes.
    effects
        Their effect sizes and base rates.
    definitions
        What the definition of knee pain adds to the log-odds, shape (n,); 0 is the middle one.

    Returns
    -------
    The truth about them.
    """
    data = athletes.data
    intercept = np.zeros(len(athletes))
    for code, value in sport_intercepts().items():
        intercept[data["sport"] == code] = value
    left, right = (
        expit(intercept + definitions + effects.base_shift + _log_odds(athletes, effects, side))
        for side in SIDES
    )
    return Truth(
        left=left,
        right=right,
        either=either(left, right, assumption("left_right_pain_odds_ratio")),
        imbalances=np.stack([_imbalance(athletes.latents(side)) for side in SIDES], axis=1),
        definition_shift=np.zeros(len(athletes)) + definitions,
    )


def _log_odds(athletes: Athletes, effects: Effects, side: str) -> FloatArray:
    people = athletes.population
    mean = {name: athletes.z(side, name) for name in (*people.athlete, *people.leg)}
    view = LegView(
        mean=mean,
        variance={name: np.zeros(len(athletes)) for name in mean},
        data=athletes.data,
        prior=athletes.data[f"{side}_prior_knee_injury"],
        episodes=athletes.data[f"{side}_same_side_episodes"],
        provoked=athletes.data[f"{side}_pain_on_squat_jump"],
    )
    factors = np.ascontiguousarray(contrasts(view).T)
    return np.asarray((factors * effects.log_odds).sum(axis=1))


def _imbalance(latents: FloatArray) -> FloatArray:
    """Probability that each imbalance is present, given its latent; shape (n, 5).

    Where an imbalance begins is a judgement: a threshold with a spread.
    """
    thresholds, spread = imbalance_thresholds()
    return np.asarray(ndtr((latents - thresholds) / spread))


def draw_outcomes(truth: Truth, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Draw who gets knee pain.

    Parameters
    ----------
    truth
        True risks of n athletes.
    rng
        Source of randomness.

    Returns
    -------
    New pain of the left and of the right knee, 0 or 1, each of shape ``(n,)``.
    """
    joint = both(truth.left, truth.right, assumption("left_right_pain_odds_ratio"))
    drawn = rng.random(len(joint))
    left = (drawn < truth.left).astype(float)
    right = ((drawn < joint) | ((drawn >= truth.left) & (drawn < truth.either))).astype(float)
    return left, right


@cache
def sport_rates() -> dict[int, Range]:
    """The risk of new pain in either knee, by the code of a sport."""
    sports = category("sport").choices
    return {sports.index(name): rate for name, rate in sport_base_rates().items()}


@cache
def sport_intercepts() -> dict[int, float]:
    """The log-odds by sport at which the mean risk of either knee is the sport's base rate."""
    rng = np.random.default_rng(REFERENCE_SEED)
    athletes = draw_athletes(published(), REFERENCE_ATHLETES, rng)
    effects = draw_effects(athletes, rng)
    shift = effects.base_shift + draw_definitions(athletes, rng)
    legs = [_log_odds(athletes, effects, side) + shift for side in SIDES]
    free = np.all([athletes.data[f"{side}_pain_nrs"] == 0 for side in SIDES], axis=0)
    odds_ratio = assumption("left_right_pain_odds_ratio")

    def excess(intercept: float, members: FloatArray, target: float) -> float:
        left, right = (expit(intercept + leg[members]) for leg in legs)
        return float(either(left, right, odds_ratio).mean() - target)

    intercepts = {}
    for code, rate in sport_rates().items():
        members = (athletes.data["sport"] == code) & free
        root = brentq(excess, -12.0, 3.0, args=(members, rate.central), xtol=1e-14)
        # Machines differ in the last bits of the root: without them, all draw the same risks.
        intercepts[code] = round(float(root), 9)
    return intercepts
