"""Visits with what became of both knees, ready to be rows of a cohort."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from pydantic import ValidationError
from scipy.special import logit
from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.records.cohort_of_records.watched_weeks import Watch
from kneerisk.records.database import RecordsFailed
from kneerisk.records.followed_legs import FollowedLeg, followed_legs
from kneerisk.records.tables import Athlete, Club, Exposure
from kneerisk.schema import SIDES, FloatArray, to_row
from kneerisk.schema.screening import Screening
from kneerisk.words import text

#: A sport or club of fewer visits has no column of its own (assumption).
FEWEST_OF_A_KIND = 20
#: Pain that was told of on the day on which the other knee was last followed comes first.
_ON_ONE_DAY = ("pain", "free", "lost")


class NoVisits(RecordsFailed):
    """No visit can be learnt from yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVisit:
    """A visit whose horizon is over, and what became of the left knee and of the right one."""

    club: str
    athlete: str
    athlete_id: int
    screening: Screening
    legs: tuple[FollowedLeg, FollowedLeg]

    @property
    def day(self) -> date:
        """The day of the visit."""
        return self.legs[0].visit_day

    def row(self) -> dict[str, Any]:
        """What was measured, by canonical column."""
        return to_row(self.screening)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVisits:
    """The visits of clubs, and how many were left aside.

    Attributes
    ----------
    visits
        By day and row number.
    horizon_days
        How many days each knee was looked at.
    too_recent
        Visits whose horizon is not over.
    repeated
        Visits that another one of the same athlete and day came after.
    unreadable
        Visits whose screening this program's schema does not allow.
    """

    visits: tuple[RecordedVisit, ...]
    horizon_days: int
    too_recent: int
    repeated: int
    unreadable: int


def recorded_visits(
    session: Session, club_ids: Sequence[int], today: date, horizon_months: int | None
) -> RecordedVisits:
    """The visits of some clubs that a cohort can be made of.

    A visit whose horizon is not over says nothing yet: pain in it is known before its absence is.

    Parameters
    ----------
    session
        Of the records.
    club_ids
        Which clubs, by row number.
    today
        Nothing of later days is used.
    horizon_months
        How long to look; None for as long as the answers told of.

    Returns
    -------
    RecordedVisits
        With both knees of each.

    Raises
    ------
    RecordsFailed
        Where answers told of several horizons and none was chosen.
    NoVisits
        Where no visit's horizon is over.
    """
    legs = [leg for club in club_ids for leg in followed_legs(session, club, today, horizon_months)]
    horizons = {leg.horizon_days for leg in legs}
    if len(horizons) > 1:
        raise RecordsFailed(text("records.several_horizons"))
    if not legs:
        raise NoVisits(text("records.no_visits"))
    [horizon] = horizons
    by_day = _by_day(legs)
    names = _names(session)
    visits, too_recent, unreadable = [], 0, 0
    for (athlete, day), of_day in by_day.items():
        sides = of_day[max(of_day)]
        if day + timedelta(days=horizon) > today:
            too_recent += 1
            continue
        screening = _read(sides["left"])
        if screening is None:
            unreadable += 1
            continue
        club, code = names[athlete]
        visits.append(RecordedVisit(
            club=club, athlete=code, athlete_id=athlete, screening=screening,
            legs=(sides["left"], sides["right"]),
        ))  # fmt: skip
    if not visits:
        raise NoVisits(text("records.no_visits"))
    return RecordedVisits(
        visits=tuple(sorted(visits, key=lambda visit: (visit.day, visit.athlete_id))),
        horizon_days=horizon, too_recent=too_recent,
        repeated=sum(len(of_day) - 1 for of_day in by_day.values()), unreadable=unreadable,
    )  # fmt: skip


def _by_day(
    legs: Sequence[FollowedLeg],
) -> dict[tuple[int, date], dict[int, dict[str, FollowedLeg]]]:
    """Knees by athlete and day, then by visit, then by side."""
    by_day: dict[tuple[int, date], dict[int, dict[str, FollowedLeg]]] = defaultdict(dict)
    for leg in legs:
        # Of several answers about a visit the first is what was told.
        of_day = by_day[leg.athlete_id, leg.visit_day]
        of_day.setdefault(leg.visit_id, {}).setdefault(leg.side, leg)
    return dict(by_day)


def _names(session: Session) -> dict[int, tuple[str, str]]:
    """Club and id of each athlete, by row number."""
    rows = select(Athlete.id, Athlete.code, Club.name).join(Club, Athlete.club_id == Club.id)
    return {athlete: (club, code) for athlete, code, club in session.execute(rows)}


def _read(leg: FollowedLeg) -> Screening | None:
    try:
        return Screening.model_validate(leg.screening)
    except ValidationError:
        return None


def leg_watch(leg: FollowedLeg) -> Watch | None:
    """How long a knee was watched; None where it could get no new pain."""
    if not leg.at_risk:
        return None
    if leg.onset is not None:
        days = (leg.onset[1] - leg.visit_day).days
        return Watch(visit_day=leg.visit_day, days=days, state="pain")
    if leg.outcome == 0:
        return Watch(visit_day=leg.visit_day, days=leg.horizon_days, state="free")
    days = (leg.followed_until - leg.visit_day).days
    return Watch(visit_day=leg.visit_day, days=days, state="lost")


def either_watch(left: Watch | None, right: Watch | None) -> Watch | None:
    """How long both knees of an athlete were watched for the first pain of either.

    Parameters
    ----------
    left
        How long the left knee was watched.
    right
        How long the right one was.

    Returns
    -------
    Watch | None
        Pain of one knee counts where the other was still watched when it was told of. None where
        one could get no new pain.
    """
    if left is None or right is None:
        return None
    return min((left, right), key=lambda watch: (watch.days, _ON_ONE_DAY.index(watch.state)))


def known_at_visits(visits: Sequence[RecordedVisit], sides: Sequence[int | None]) -> FloatArray:
    """What was known at visits that says who leaves: who they are, and what they were told.

    Parameters
    ----------
    visits
        n of them.
    sides
        Of each, 0 for its left knee, 1 for its right one, None for both.

    Returns
    -------
    FloatArray
        Age, sex, earlier pain, the told risk in log-odds (that of all where none was told), and the
        commonest sports and clubs; shape (n, p).
    """
    rows = [visit.row() for visit in visits]
    sports = _common([row.get("sport") for row in rows])
    clubs = _common([visit.club for visit in visits])
    columns = [
        [
            row["age_years"],
            float(row.get("sex") == "male"),
            float(any(row.get(name, "none") != "none" for name in _earlier_pain(side))),
            _told(visit, side),
            *(float(row.get("sport") == sport) for sport in sports),
            *(float(visit.club == club) for club in clubs),
        ]
        for visit, row, side in zip(visits, rows, sides, strict=True)
    ]  # fmt: skip
    table = np.array(columns, dtype=np.float64).reshape(len(visits), 4 + len(sports) + len(clubs))
    told = table[:, 3]
    table[:, 3] = np.where(np.isnan(told), np.nanmean(told) if (told == told).any() else 0.0, told)
    return table


def _earlier_pain(side: int | None) -> list[str]:
    sides = SIDES if side is None else (SIDES[side],)
    return [f"{name}_prior_knee_injury" for name in sides]


def _told(visit: RecordedVisit, side: int | None) -> float:
    legs = visit.legs if side is None else (visit.legs[side],)
    risks = [leg.risk for leg in legs if leg.risk is not None and 0.0 < leg.risk < 1.0]
    return float(np.mean(logit(risks))) if risks else np.nan


def _common(values: Sequence[str | None]) -> list[str]:
    """Values that enough have, but for the commonest, which the others are compared with."""
    counts = Counter(value for value in values if value is not None)
    return [value for value, count in counts.most_common()[1:] if count >= FEWEST_OF_A_KIND]


def minutes_by_athlete(session: Session, athletes: Sequence[int]) -> dict[int, dict[date, float]]:
    """The minutes that athletes trained, by day.

    Parameters
    ----------
    session
        Of the records.
    athletes
        Their row numbers.

    Returns
    -------
    dict
        By row number; who has none recorded is absent.
    """
    wanted, minutes = set(athletes), defaultdict[int, dict[date, float]](dict)
    rows = select(Exposure.athlete_id, Exposure.day, Exposure.minutes).order_by(Exposure.id)
    for athlete, day, trained in session.execute(rows):
        if athlete in wanted:
            minutes[athlete][day] = trained
    return dict(minutes)
