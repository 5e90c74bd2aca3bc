"""Simulated clubs whose base rate and effects differ from those of the champion's training data.

A club's true log-odds are those of the simulator, stretched by a slope around their mean, moved by
a change of every published effect, and shifted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.athletes import draw_athletes
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.simulation.true_risks import Truth, draw_outcomes
from kneerisk.cohort.splits import subset
from kneerisk.evidence import assumption
from kneerisk.evidence.pair_dependence import either
from kneerisk.evidence.population import published
from kneerisk.evidence.risk_factors import LegView, contrasts
from kneerisk.schema import SIDES, FloatArray


@dataclass(frozen=True, slots=True)
class ClubVariation:
    """How far clubs differ from the simulator, in log-odds.

    SD of the shift, mean and SD of the slope, and SD of the change of each effect per contrast.
    """

    name: str
    shift_sd: float
    slope_mean: float
    slope_sd: float
    effect_sd: float


#: The last one is the world in which the champion was trained.
VARIATIONS = (
    ClubVariation("different", 0.7, 0.9, 0.3, 0.15),
    ClubVariation("a little different", 0.35, 1.0, 0.15, 0.1),
    ClubVariation("the same", 0.0, 1.0, 0.0, 0.0),
)


@dataclass(frozen=True, slots=True)
class ClubEffects:
    """How one club differs: shift and slope of its log-odds, and changes of effects, shape (f,)."""

    shift: float
    slope: float
    effect_changes: FloatArray

    @classmethod
    def draw(
        cls, variation: ClubVariation, n_factors: int, rng: np.random.Generator
    ) -> ClubEffects:
        """Draw one club.

        Parameters
        ----------
        variation
            How far clubs differ.
        n_factors
            Number of published effects.
        rng
            Source of chance.

        Returns
        -------
        ClubEffects
            With a slope between 0.2 and 2, so that no club reverses what is published.
        """
        return cls(
            shift=float(rng.normal(0.0, variation.shift_sd)),
            slope=float(np.clip(rng.normal(variation.slope_mean, variation.slope_sd), 0.2, 2.0)),
            effect_changes=rng.normal(0.0, variation.effect_sd, n_factors),
        )


@dataclass(frozen=True)
class AthletePool:
    """Simulated athletes from whom clubs are drawn, as a cohort, with what is true of them.

    ``log_odds`` (n, 2) are the true ones, NaN for a knee that hurts already; ``factors`` (n, 2, f)
    are the contrasts that published effects multiply.
    """

    cohort: Cohort
    log_odds: FloatArray
    factors: FloatArray

    @classmethod
    def draw(cls, athletes: int, seed: int) -> AthletePool:
        """Simulate athletes; `simulate` draws the same ones first, so their true values match."""
        simulated = simulate(athletes, seed)
        drawn = draw_athletes(published(), athletes, np.random.default_rng(seed))
        names = (*drawn.population.athlete, *drawn.population.leg)
        sides = []
        for side in SIDES:
            view = LegView(
                mean={name: drawn.z(side, name) for name in names},
                variance={name: np.zeros(athletes) for name in names},
                data=drawn.data,
                prior=drawn.data[f"{side}_prior_knee_injury"],
                episodes=drawn.data[f"{side}_same_side_episodes"],
                provoked=drawn.data[f"{side}_pain_on_squat_jump"],
            )
            sides.append(contrasts(view).T)
        risks = simulated.truth[["risk_left", "risk_right"]].to_numpy(np.float64)
        cohort = replace(simulated.cohort, kind="observed", source="a simulated club")
        return cls(cohort=cohort, log_odds=logit(risks), factors=np.stack(sides, axis=1))

    def true_risks(self, club: ClubEffects) -> FloatArray:
        """True risks (n, 2) of the athletes' legs if they belonged to a club."""
        centre = np.nanmean(self.log_odds)
        changed = (self.factors - self.factors.mean(axis=(0, 1))) @ club.effect_changes
        log_odds = centre + club.slope * (self.log_odds - centre) + changed
        return np.asarray(expit(log_odds + club.shift))

    def with_outcomes(
        self, rows: NDArray[np.int64], risks: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, Cohort]:
        """Draw outcomes for the athletes of one club.

        Parameters
        ----------
        rows
            Positions of the club's athletes in the pool, shape (m,).
        risks
            True risks of their legs, shape (m, 2).
        rng
            Source of chance.

        Returns
        -------
        tuple
            Outcomes (m, 2) in the order of ``rows``, NaN where a knee hurts already, and the
            club's cohort in the order of the pool.
        """
        # A knee that hurts has no risk of new pain, and takes none from the other knee.
        left, right = np.nan_to_num(risks).T
        joint = either(left, right, assumption("left_right_pain_odds_ratio"))
        none = np.zeros(len(risks))
        truth = Truth(left=left, right=right, either=joint, imbalances=risks, definition_shift=none)
        drawn = draw_outcomes(truth, rng)
        outcome = np.where(np.isnan(risks), np.nan, np.stack(drawn, axis=1))
        members = subset(self.cohort, np.isin(np.arange(len(self.log_odds)), rows))
        order = np.argsort(rows)
        frame = members.frame.assign(
            outcome_left=outcome[order, 0], outcome_right=outcome[order, 1]
        )
        return outcome, replace(members, frame=frame)
