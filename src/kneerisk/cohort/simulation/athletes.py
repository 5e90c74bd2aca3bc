"""Draw simulated athletes: who they are, and the true measures of both legs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kneerisk.evidence import Sport, assumption, read_table
from kneerisk.evidence.population import Population, contexts
from kneerisk.schema import SIDES, FloatArray, category, columns

#: The ages that the simulated cohort holds, and so the ages that its model knows.
YOUNGEST, OLDEST = 16.0, 70.0
#: Mean number of further episodes of a knee that was injured before (assumption).
FURTHER_EPISODES = 0.7

#: Eigenvalues below this share of the largest are those of measures made of others: zero.
_SINGULAR = 1e-10

#: Earlier injuries of other sites than the knee.
ELSEWHERE = (
    "prior_shoulder_injury",
    "prior_back_injury",
    "prior_wrist_injury",
    "prior_hip_injury",
    "prior_ankle_foot_injury",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Athletes:
    """What is true of n athletes: coded columns without error or gaps, and true z-scores.

    ``state`` has shape (n, d): [athlete measures, left leg, right leg, left imbalances, right
    imbalances] in z-scores of the norms, as laid out by the population.
    """

    data: dict[str, FloatArray]
    state: FloatArray
    population: Population

    def __len__(self) -> int:
        return len(self.state)

    def z(self, side: str, name: str) -> FloatArray:
        """True z-scores of a measure.

        Parameters
        ----------
        side
            ``left`` or ``right``; a measure of the athlete is the same for both.
        name
            The measure.

        Returns
        -------
        SD of the norms, shape ``(n,)``.
        """
        people = self.population
        if name in people.athlete:
            return np.asarray(self.state[:, people.athlete.index(name)])
        start = len(people.athlete) + (side == "right") * len(people.leg)
        return np.asarray(self.state[:, start + people.leg.index(name)])

    def latents(self, side: str) -> FloatArray:
        """The five latent imbalances of a leg.

        Parameters
        ----------
        side
            ``left`` or ``right``.

        Returns
        -------
        In SD, shape ``(n, 5)``.
        """
        start = self.population.n_measures
        k = len(self.population.imbalances)
        return self.state[:, start + (side == "right") * k :][:, :k]


def draw_athletes(population: Population, n: int, rng: Generator) -> Athletes:
    """Draw athletes: first who they are, then their true measures given that.

    Parameters
    ----------
    population
        Means and covariance of the true measures.
    n
        How many athletes.
    rng
        Source of randomness; its state alone decides the athletes.

    Returns
    -------
    The athletes.
    """
    data = {name: np.full(n, np.nan) for name in columns()}
    sports, names = read_table("sports", Sport), category("sport").choices
    picked = rng.choice(len(sports), size=n, p=[row.share for row in sports])
    of_sports = np.array(
        [(names.index(s.sport), s.female_share, s.age_mean, s.age_sd) for s in sports]
    )
    data["sport"], female_share, age_mean, age_sd = of_sports.T.take(picked, axis=1)
    data["sex"] = (rng.random(n) < female_share).astype(np.float64)
    age = np.round(rng.normal(age_mean, age_sd))
    data["age_years"] = np.clip(age, YOUNGEST, OLDEST)
    data["level"] = _level(n, rng)
    _draw_history(data, n, rng)
    _draw_pain(data, n, rng)
    own, _ = contexts(data)
    noise = rng.standard_normal((n, len(population.covariance)))
    state = population.means(own) + noise @ _root(population.covariance).T
    return Athletes(data=data, state=state, population=population)


def _root(covariance: FloatArray) -> FloatArray:
    """The symmetric square root of a covariance; a singular one (ratios, tilt) has one too.

    It is unique, so that every machine draws the same athletes; eigenvectors by themselves or a
    pivoted factor are not. An eigenvalue of zero comes out as some 1e-15 of either sign, whose
    root would differ by some 3e-8 between machines.
    """
    values, vectors = np.linalg.eigh(covariance)
    positive = np.where(values > _SINGULAR * values.max(), values, 0.0)
    return np.asarray((vectors * np.sqrt(positive)) @ vectors.T)


def _level(n: int, rng: Generator) -> FloatArray:
    novice, competitive = assumption("novice_share"), assumption("competitive_share")
    return rng.choice(3, size=n, p=[novice, 1 - novice - competitive, competitive]).astype(float)


def _draw_history(data: dict[str, FloatArray], n: int, rng: Generator) -> None:
    recent, older = assumption("prior_injury_recent_share"), assumption("prior_injury_older_share")
    for side in SIDES:
        prior = rng.choice(3, size=n, p=[1 - recent - older, older, recent]).astype(float)
        data[f"{side}_prior_knee_injury"] = prior
        episodes = 1.0 + rng.poisson(FURTHER_EPISODES, n)
        data[f"{side}_same_side_episodes"] = np.where(prior > 0, episodes, 0.0)
    for name in ELSEWHERE:
        data[name] = (rng.random(n) < assumption("elsewhere_injury_share")).astype(np.float64)
    at_60 = assumption("osteoarthritis_share_at_60")
    share = at_60 * np.exp((data["age_years"] - 60.0) / 12.0)
    data["osteoarthritis"] = (rng.random(n) < np.minimum(share, 0.5)).astype(np.float64)


def _draw_pain(data: dict[str, FloatArray], n: int, rng: Generator) -> None:
    """Knees that hurt at the visit; sites are as frequent as in runners' clinics (assumption)."""
    for side in SIDES:
        hurts = rng.random(n) < assumption("present_pain_share")
        site = rng.choice([1.0, 2.0, 3.0, 5.0], size=n, p=[0.6, 0.2, 0.15, 0.05])
        data[f"{side}_pain_nrs"] = np.where(hurts, rng.integers(3, 9, n), 0).astype(float)
        data[f"{side}_pain_site"] = np.where(hurts, site, 0.0)
        data[f"{side}_pain_weeks"] = np.where(hurts, np.round(rng.gamma(2.0, 6.0, n)), np.nan)
        # Movement provokes pain of a knee that hurts anyway, and of others whatever happened
        # before (assumption: the published effect is adjusted for earlier injuries).
        provoked = hurts | (rng.random(n) < assumption("pain_in_movement_share"))
        data[f"{side}_pain_on_squat_jump"] = provoked.astype(np.float64)
