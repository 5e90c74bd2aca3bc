"""A simulated club whose reports stop for some of its athletes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from benchmarks.simulated_clubs import AthletePool, ClubEffects
from kneerisk.cohort import Cohort
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model.risk_model import RiskModel
from kneerisk.records.cohort_of_records.recorded_visits import RecordedVisit, RecordedVisits
from kneerisk.records.cohort_of_records.watched_weeks import first_day_of, minutes_before
from kneerisk.records.followed_legs import FollowedLeg
from kneerisk.schema import SIDES, FloatArray, Screening, columns, from_row

Loss = Literal["given the inputs", "by the pain itself"]
HORIZON_DAYS, WEEKS = 365, 53
#: Of the knees' outcomes, as many are lost (assumption).
SHARE_LOST = 0.30
#: What loss given the inputs hangs on, in log-odds a week: the told log-odds, and the training of
#: the four weeks before, per SD (assumptions).
BY_RISK, BY_TRAINING = 1.0, -0.7
#: Of those who get pain, so many stop to report and never tell of it (assumption).
SILENT_WITH_PAIN = 0.4
#: Knees of the club hurt more often than the champion says, in log-odds (assumption).
SHIFT = 0.3
VISIT = date(2024, 9, 2)
#: Weeks of training before the visit.
_BEFORE = 5


class CensoredClub:
    """Simulated athletes, what a champion tells them, and how much they train."""

    def __init__(self, model: RiskModel, athletes: int, seed: int) -> None:
        self.model, self.pool = model, AthletePool.draw(athletes, seed)
        frame = self.pool.cohort.frame
        self.risks = risks_of(model.predict(self.pool.cohort.columns()))
        self.told_risk = np.stack(
            [np.asarray(self.risks.left), np.asarray(self.risks.right)], axis=1
        )
        self.hurts = np.stack([frame[f"{side}_pain_nrs"] > 0 for side in SIDES], axis=1)
        self.screenings = [_screening(row) for row in frame.to_dict("records")]
        rng = np.random.default_rng(seed)
        # A median of an hour a week (assumption).
        usual = rng.lognormal(np.log(60.0), 0.5, athletes)
        self.minutes = {i: _training(usual[i], rng) for i in range(athletes)}
        days = [first_day_of(VISIT, week) for week in range(1, WEEKS + 1)]
        load = np.log1p([[minutes_before(self.minutes[i])(day) for day in days]
                         for i in range(athletes)])  # fmt: skip
        self.training = (load - load.mean()) / load.std()
        self.told = np.nan_to_num(_row_means(logit(self.told_risk)))

    def outcomes(self, rng: np.random.Generator) -> tuple[Cohort, FloatArray]:
        """Draw what becomes of the knees.

        Parameters
        ----------
        rng
            Source of chance.

        Returns
        -------
        tuple
            The whole cohort, and the day on which each knee begins to hurt, shape (n, 2), NaN
            where it does not.
        """
        rows = np.arange(len(self.screenings))
        effects = ClubEffects(SHIFT, 1.0, np.zeros(self.pool.factors.shape[2]))
        outcome, cohort = self.pool.with_outcomes(rows, self.pool.true_risks(effects), rng)
        day = rng.integers(1, HORIZON_DAYS, outcome.shape).astype(np.float64)
        return cohort, np.where(outcome == 1.0, day, np.nan)

    def last_weeks(
        self, loss: Loss, onset: FloatArray, rng: np.random.Generator
    ) -> NDArray[np.intp]:
        """Draw when athletes stop to report, so that `SHARE_LOST` of the outcomes are lost.

        Parameters
        ----------
        loss
            Why they stop.
        onset
            The day on which each knee begins to hurt, shape (n, 2).
        rng
            Source of chance.

        Returns
        -------
        NDArray
            The last week with a report, shape (n,); `WEEKS` of those who stay.
        """
        chance = rng.random(self.training.shape)
        pain_week = np.nan_to_num(_week(np.fmin(onset[:, 0], onset[:, 1])), nan=np.inf)
        drawn = rng.random(len(onset)) < SILENT_WITH_PAIN
        by_pain = loss == "by the pain itself"
        slope = 0.0 if by_pain else BY_RISK * self.told[:, None] + BY_TRAINING * self.training
        limit = np.where(drawn & by_pain, pain_week - 1.0, np.inf)

        def last(level: float) -> NDArray[np.intp]:
            leaves = chance < expit(level + slope)
            own = np.where(leaves.any(axis=1), leaves.argmax(axis=1), WEEKS)
            return np.minimum(own, limit).astype(np.intp)

        def too_many(level: float) -> float:
            weeks = last(level)[:, None]
            known = (_week(onset) <= weeks) | (weeks >= WEEKS)
            return float(1.0 - known[~self.hurts].mean()) - SHARE_LOST

        return last(float(brentq(too_many, -12.0, 0.0, xtol=1e-3)))

    def recorded(self, onset: FloatArray, last: NDArray[np.intp]) -> RecordedVisits:
        """What the records of the club say.

        Parameters
        ----------
        onset
            The day on which each knee begins to hurt, shape (n, 2).
        last
            The last week with a report, shape (n,).

        Returns
        -------
        RecordedVisits
            One visit an athlete.
        """
        visits = []
        for i, screening in enumerate(self.screenings):
            left, right = (self._leg(i, side, onset[i, side], int(last[i])) for side in (0, 1))
            visits.append(RecordedVisit(club="club", athlete=str(i), athlete_id=i,
                                        screening=screening, legs=(left, right)))  # fmt: skip
        return RecordedVisits(
            visits=tuple(visits), horizon_days=HORIZON_DAYS, too_recent=0, repeated=0, unreadable=0
        )

    def _leg(self, athlete: int, side: int, onset: float, last: int) -> FollowedLeg:
        """A knee as the records have it: pain is told of in the report of its week."""
        risk, at_risk = self.told_risk[athlete, side], not self.hurts[athlete, side]
        week = _week(np.array(onset))
        outcome: Literal[0, 1] | None = 0 if last >= WEEKS else None
        days, span = min(7 * last, HORIZON_DAYS), None
        if week <= last:
            outcome, days = 1, int(7 * (week - 1))
            span = (VISIT + timedelta(days + 1), VISIT + timedelta(days + 7))
        return FollowedLeg(
            answer_id=str(athlete), version="v1", club_id=1, athlete_id=athlete, visit_id=athlete,
            side=SIDES[side], visit_day=VISIT, screening={}, interval=None,
            risk=float(risk) if np.isfinite(risk) else None, horizon_days=HORIZON_DAYS,
            at_risk=at_risk, outcome=outcome if at_risk else None, onset=span if at_risk else None,
            followed_until=VISIT + timedelta(days),
            ended="not_at_risk" if not at_risk else "pain" if outcome == 1
            else "horizon" if outcome == 0 else "lost",
        )  # fmt: skip


def _week(day: FloatArray) -> FloatArray:
    """The week of a day after the visit, from 1."""
    return np.asarray(np.ceil(day / 7.0))


def _row_means(values: FloatArray) -> FloatArray:
    """The mean of each athlete's knees less that of all, NaN where both hurt."""
    known = np.isfinite(values)
    mean = np.where(known, values, 0.0).sum(axis=1) / np.where(
        known.any(axis=1), known.sum(axis=1), np.nan
    )
    return np.asarray(mean - np.nanmean(mean))


def _training(usual: float, rng: np.random.Generator) -> dict[date, float]:
    """Minutes on the first day of each week, from before the visit to the horizon."""
    weeks = range(1 - _BEFORE, WEEKS + 1)
    drawn = rng.gamma(4.0, usual / 4.0, len(weeks))
    return {first_day_of(VISIT, week): float(m) for week, m in zip(weeks, drawn, strict=True)}


def _screening(row: Mapping[Hashable, Any]) -> Screening:
    measured = {name: row[name] for name in columns() if name in row and row[name] is not None}
    known = {name: value for name, value in measured.items() if value == value}
    return from_row({name: _plain(value) for name, value in known.items()})


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
