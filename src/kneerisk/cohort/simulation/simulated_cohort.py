"""Simulated cohorts: true risks from published effect sizes, then outcomes drawn from them.

The truth of the same athletes is kept beside the cohort that a club would have recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

from kneerisk.cohort.files import Cohort, checked
from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.cohort.simulation.observation import IntArray, batteries, observe
from kneerisk.evidence import Range, assumption, rates_by_definition, sport_base_rates
from kneerisk.evidence.imbalance_patterns import imbalance_thresholds
from kneerisk.evidence.pair_dependence import both, either
from kneerisk.evidence.population import published
from kneerisk.evidence.risk_factors import LegView, contrasts, risk_factors
from kneerisk.schema import SIDES, Category, FloatArray, Side, category, columns

HORIZON_MONTHS = 12
SOURCE = "kneerisk simulator"
#: The cohort that the intercepts are fitted to, so that each sport meets its base rate whatever
#: cohort is drawn later.
REFERENCE_ATHLETES, REFERENCE_SEED = 20_000, 20_260


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A cohort as a club would have recorded it, and what is true of the same athletes.

    ``truth`` has one row a screening, in the cohort's order: ``athlete_id``, ``battery``,
    ``definition_shift`` (what the definition of pain adds to the log-odds), ``risk_left``,
    ``risk_right`` and ``risk_either`` (missing for a knee that hurts already), and
    ``left_<imbalance>``, ``right_<imbalance>`` probabilities.
    """

    cohort: Cohort
    truth: pd.DataFrame


def truth_beside(cohort_file: Path) -> Path:
    """Where the truth of a simulated cohort file is: ``cohort-truth.csv`` of ``cohort.csv``."""
    return cohort_file.with_name(f"{cohort_file.stem}-truth{cohort_file.suffix}")


def simulate(athletes: int, seed: int) -> Simulated:
    """Draw a cohort; the same seed gives the same bytes.

    Effect sizes are drawn for each athlete from their published ranges; an effect whose
    prospective evidence is null has none here.
    """
    rng = np.random.default_rng(seed)
    drawn = draw_athletes(published(), athletes, rng)
    effects = draw_effects(drawn, rng)
    truth = true_risk(drawn, effects, draw_definitions(drawn, rng))
    outcomes = draw_outcomes(truth, rng)
    data, battery = observe(drawn, rng)
    return recorded(drawn, truth, outcomes, data, battery, name=f"sim-{seed}")


def recorded(
    athletes: Athletes,
    truth: Truth,
    outcomes: tuple[FloatArray, FloatArray],
    data: dict[str, FloatArray],
    battery: IntArray,
    *,
    name: str,
) -> Simulated:
    """What a club would have recorded.

    Parameters
    ----------
    athletes
        n athletes.
    truth
        What is true of them.
    outcomes
        New pain of the left and of the right knee, 0 or 1, each of shape (n,).
    data
        Coded columns of what was recorded, each of shape (n,).
    battery
        The place of each athlete's battery, shape (n,).
    name
        Begins the identifiers.

    Returns
    -------
    The cohort and the truth beside it: no outcome and no risk for a knee that hurts already.
    """
    left, right = outcomes
    ids = np.array([f"{name}-{number:06d}" for number in range(len(athletes))])
    free = {side: athletes.data[f"{side}_pain_nrs"] == 0 for side in SIDES}
    frame = _frame(data, ids)
    frame["outcome_left"] = np.where(free["left"], left, np.nan)
    frame["outcome_right"] = np.where(free["right"], right, np.nan)
    cohort = checked(Cohort(frame, "simulated", "new_pain", HORIZON_MONTHS, SOURCE))
    return Simulated(cohort=cohort, truth=_truth(athletes, truth, ids, battery, free))


def _frame(data: dict[str, FloatArray], ids: np.ndarray) -> pd.DataFrame:
    """Coded columns as the canonical frame has them: categories as text."""
    decoded: dict[str, object] = {"athlete_id": ids}
    for name, measure in columns().items():
        values = data[name]
        if np.isnan(values).all():
            continue
        if isinstance(measure, Category):
            texts = np.array([*measure.choices, None], dtype=object)
            decoded[name] = texts[np.nan_to_num(values, nan=len(texts) - 1).astype(int)]
        else:
            decoded[name] = values
    return pd.DataFrame(decoded)


def _truth(
    athletes: Athletes,
    truth: Truth,
    ids: np.ndarray,
    battery: IntArray,
    free: Mapping[Side, np.ndarray],
) -> pd.DataFrame:
    names = np.array([row.battery for row in batteries()])
    table: dict[str, object] = {
        "athlete_id": ids,
        "battery": names[battery],
        "definition_shift": truth.definition_shift,
        "risk_left": np.where(free["left"], truth.left, np.nan),
        "risk_right": np.where(free["right"], truth.right, np.nan),
        "risk_either": np.where(free["left"] & free["right"], truth.either, np.nan),
    }
    for i, side in enumerate(SIDES):
        for k, name in enumerate(athletes.population.imbalances):
            table[f"{side}_{name}"] = truth.imbalances[:, i, k]
    return pd.DataFrame(table)


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
    factors = np.column_stack(list(contrasts(view).values()))
    return np.asarray((factors * effects.log_odds).sum(axis=1))


def _imbalance(latents: FloatArray) -> FloatArray:
    """Probability that assessors call each imbalance present, given its latent; shape (n, 5).

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
