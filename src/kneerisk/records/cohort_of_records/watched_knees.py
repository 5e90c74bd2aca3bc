"""The weeks in which knees were watched for new pain, with the training before each.

Where a club asks every week, what became of a knee is known by the week and not just by the
horizon. A week's training is that of the four weeks before it: nothing of the week itself or of a
later one enters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.cohort.knee_weeks import KneeWeeks
from kneerisk.records.cohort_of_records.recorded_visits import RecordedVisit, RecordedVisits
from kneerisk.records.cohort_of_records.watched_weeks import (
    DAYS_A_WEEK,
    first_day_of,
    minutes_before,
)
from kneerisk.records.followed_legs import FollowedLeg
from kneerisk.records.tables import Outcome

#: Reports are weekly where no more than so many days lie between two of an athlete, at the median
#: (assumption: a week and a late answer).
WEEKLY_DAYS = 10.0


def weekly_follow_up(
    session: Session, found: RecordedVisits, minutes: Mapping[int, Mapping[date, float]]
) -> KneeWeeks | None:
    """The weeks of visits whose athletes were asked about once a week.

    Parameters
    ----------
    session
        Of the records.
    found
        The visits.
    minutes
        Minutes trained by day, by the athlete's row number; who has none recorded is absent.

    Returns
    -------
    In the order of the cohort that the visits make; None where follow-up was not weekly.
    """
    athletes = [visit.athlete_id for visit in found.visits]
    return knee_weeks(found, minutes) if reports_are_weekly(session, athletes) else None


def knee_weeks(found: RecordedVisits, minutes: Mapping[int, Mapping[date, float]]) -> KneeWeeks:
    """The weeks of both knees of some visits.

    Parameters
    ----------
    found
        The visits.
    minutes
        Minutes trained by day, by the athlete's row number; who has none recorded is absent.

    Returns
    -------
    By visit, side and week; a knee that could get no new pain has none.
    """
    every = -(-found.horizon_days // DAYS_A_WEEK)
    last = found.horizon_days - DAYS_A_WEEK * (every - 1)
    load = np.array([_minutes_by_week(visit, minutes, every) for visit in found.visits])
    legs = [(place, side, leg) for place, visit in enumerate(found.visits)
            for side, leg in enumerate(visit.legs) if leg.at_risk]  # fmt: skip
    spans = [_free_and_watched_weeks(leg) for _, _, leg in legs]
    counts = np.array([watched for _, watched in spans], dtype=np.intp)
    knee = np.repeat(np.arange(len(legs)), counts)
    week = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    visit = np.array([place for place, _, _ in legs], dtype=np.intp)[knee]
    return KneeWeeks(
        visit=visit,
        side=np.array([side for _, side, _ in legs], dtype=np.intp)[knee],
        week=week,
        days=np.where(week == every, float(last), float(DAYS_A_WEEK)),
        may_hurt=week > np.array([free for free, _ in spans], dtype=np.intp)[knee],
        minutes=load.reshape(-1, every)[visit, week - 1],
        minutes_at_visit=load.reshape(-1, every)[:, 0],
        horizon_days=found.horizon_days,
    )


def reports_are_weekly(session: Session, athletes: Iterable[int]) -> bool:
    """Whether athletes were asked about once a week.

    Parameters
    ----------
    session
        Of the records.
    athletes
        Their row numbers.

    Returns
    -------
    Whether so much time lies between two reports of an athlete, at the median; no where nobody
    reported twice.
    """
    wanted, days = set(athletes), defaultdict[int, set[int]](set)
    rows = select(Outcome.athlete_id, Outcome.last_day).where(Outcome.kind == "check_in")
    for athlete, day in session.execute(rows):
        if athlete in wanted:
            days[athlete].add(day.toordinal())
    gaps = [np.diff(sorted(of_athlete)) for of_athlete in days.values()]
    between = np.concatenate(gaps) if gaps else np.array([])
    return bool(between.size) and float(np.median(between)) <= WEEKLY_DAYS


def _minutes_by_week(
    visit: RecordedVisit, minutes: Mapping[int, Mapping[date, float]], weeks: int
) -> list[float]:
    """Minutes trained before each week after a visit; NaN where none were recorded."""
    if visit.athlete_id not in minutes:
        return [np.nan] * weeks
    before = minutes_before(minutes[visit.athlete_id])
    return [before(first_day_of(visit.day, week)) for week in range(1, weeks + 1)]


def _free_and_watched_weeks(leg: FollowedLeg) -> tuple[int, int]:
    """How many weeks are known to be free of new pain, and how many were watched in all.

    Whoever is lost within a week is watched for those that were whole.
    """
    if leg.onset is not None:
        first, last = ((day - leg.visit_day).days for day in leg.onset)
        return (first - 1) // DAYS_A_WEEK, (last - 1) // DAYS_A_WEEK + 1
    if leg.outcome == 0:
        weeks = -(-leg.horizon_days // DAYS_A_WEEK)
        return weeks, weeks
    weeks = (leg.followed_until - leg.visit_day).days // DAYS_A_WEEK
    return weeks, weeks
