"""The club of the simulated season: whom it may screen, and how often their knees really hurt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from benchmarks.season_diary import Season
from benchmarks.simulated_clubs import AthletePool
from kneerisk.cohort.splits import subset
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, FloatArray

ATHLETES = 200
#: A team is screened each year.
TEAMS = "ABC"
#: Men of two jumping sports who have had a knee injury: the default model tells them about 21 % of
#: either knee, as much as a club of 200 needs for an alarm in half a season
#: (`benchmarks.calibration_alarm`). Football players, who are told 13 %, would need more athletes.
SPORTS, SEX, AGES = ("basketball", "volleyball"), "male", (16, 35)
#: How many times as frequent as told new pain is.
TIMES_AS_FREQUENT = 2.0
#: Athletes from whom the club's are chosen.
POOL, POOL_SEED = 60_000, 9_016


@dataclass(frozen=True, eq=False)
class ClubPool:
    """Simulated athletes who might belong to the club, and how often their knees really hurt.

    ``told_risk`` and ``true_risk`` have shape (n, 2), ``told_either`` shape (n,).
    """

    pool: AthletePool
    told_risk: FloatArray
    told_either: FloatArray
    true_risk: FloatArray

    @classmethod
    def draw(cls, model: RiskModel) -> ClubPool:
        """Draw the athletes, and make new pain so many times as frequent as the model says."""
        everyone = AthletePool.draw(POOL, POOL_SEED)
        rows = _eligible(everyone)
        pool = AthletePool(subset(everyone.cohort, rows), everyone.log_odds[rows],
                           everyone.factors[rows])  # fmt: skip
        told = risks_of(model.predict(pool.cohort.columns()))
        of_knees = np.stack([np.asarray(told.left), np.asarray(told.right)], axis=1)
        wanted = TIMES_AS_FREQUENT * of_knees.mean()
        shift = brentq(lambda move: expit(pool.log_odds + move).mean() - wanted, -5.0, 5.0)
        return cls(pool, of_knees, np.asarray(told.either), expit(pool.log_odds + shift))

    def season(self, number: int, team: str, first_day: date) -> Season:
        """The year of some of its athletes; no athlete is in two teams.

        Parameters
        ----------
        number
            Which year is drawn.
        team
            One of `TEAMS`.
        first_day
            Of the screening of all.

        Returns
        -------
        Season
            Of `ATHLETES`.
        """
        order = np.random.default_rng([number, 0]).permutation(len(self.true_risk))
        place = ATHLETES * TEAMS.index(team)
        rows = np.sort(order[place : place + ATHLETES])
        rng = np.random.default_rng([number, 1, place])
        outcome, cohort = self.pool.with_outcomes(rows, self.true_risk[rows], rng)
        names = tuple(f"{team}{number:03d}" for number in range(1, ATHLETES + 1))
        return Season.draw(names, cohort, self.true_risk[rows], outcome == 1.0, first_day, rng)


def _eligible(pool: AthletePool) -> NDArray[np.bool_]:
    frame = pool.cohort.frame
    injured = [frame[f"{side}_prior_knee_injury"] != "none" for side in SIDES]
    wanted = (
        frame["sport"].isin(SPORTS), frame["sex"] == SEX, frame["age_years"].between(*AGES),
        injured[0] | injured[1], np.isfinite(pool.log_odds).all(axis=1),
    )  # fmt: skip
    columns = np.column_stack([np.asarray(one, dtype=np.bool_) for one in wanted])
    return np.asarray(columns.all(axis=1), dtype=np.bool_)


def level_off(told: FloatArray, true: FloatArray) -> float:
    """Calibration in the large against true risks: by how much log-odds have to be moved.

    Parameters
    ----------
    told
        Told risks, shape (n,).
    true
        True risks, shape (n,).

    Returns
    -------
    Log-odds; 0 where the mean told risk is the mean true one, above 0 where too little is told.
    """
    log_odds, wanted = logit(told), true.mean()
    return float(brentq(lambda move: expit(log_odds + move).mean() - wanted, -8.0, 8.0))
