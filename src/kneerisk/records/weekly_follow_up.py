"""When each athlete of a club was heard of, summed up by the database.

Heard of is whoever was screened or told of the knees: a check-in, an event of a knee, a stated
period of follow-up. Training minutes say nothing of knees.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Integer, case, func, select
from sqlalchemy.orm import Session

from kneerisk.records.follow_up_states import HeardOf, follow_up_state
from kneerisk.records.followed_legs import days_of_months
from kneerisk.records.leg_follow_up import OF_A_KNEE
from kneerisk.records.tables import Answer, Athlete, Outcome, Visit

_REPORTS = ("check_in", "followed", *sorted(OF_A_KNEE))


class _NewestVisit(NamedTuple):
    """Its day, and the last day that its risk is about."""

    day: date | None = None
    until: date | None = None


class _LastReport(NamedTuple):
    """The last days of a check-in, of any report, of an event that went on, and the stated end."""

    check_in: date | None = None
    told: date | None = None
    reported: date | None = None
    ended: date | None = None


def heard_of(session: Session, club_id: int, today: date) -> list[HeardOf]:
    """When each athlete of a club was heard of.

    Parameters
    ----------
    session
        Of the records.
    club_id
        Whose athletes.
    today
        The day of the look.

    Returns
    -------
    One entry for each, in no order.
    """
    athletes = session.execute(select(Athlete.id, Athlete.code).where(Athlete.club_id == club_id))
    visits, reports = _newest_visits(session, club_id), _last_reports(session, club_id)
    return [
        _heard_of(code, visits.get(row, _NewestVisit()), reports.get(row, _LastReport()), today)
        for row, code in athletes
    ]


def _heard_of(athlete: str, visit: _NewestVisit, report: _LastReport, today: date) -> HeardOf:
    days = [day for day in (visit.day, report.told, report.reported) if day is not None]
    last = max(days, default=None)
    silent_days = None if last is None else max((today - last).days, 0)
    is_ended = bool(visit.day and report.ended and visit.day <= report.ended)
    is_past = visit.until is not None and visit.until < today
    return HeardOf(
        athlete=athlete, last_visit=visit.day, last_check_in=report.check_in, heard_of=last,
        silent_days=silent_days,
        follow_up=follow_up_state(visit.day, silent_days, is_over=is_ended or is_past),
    )  # fmt: skip


def _newest_visits(session: Session, club_id: int) -> dict[int, _NewestVisit]:
    """By athlete."""
    months = Answer.told["risk"]["horizon_months"].as_integer()
    rows = (
        select(Visit.athlete_id, Visit.day, func.max(months, type_=Integer()))
        .join(Athlete, Visit.athlete_id == Athlete.id)
        .outerjoin(Answer, Answer.visit_id == Visit.id)
        .where(Athlete.club_id == club_id)
        .group_by(Visit.athlete_id, Visit.day)
        .order_by(Visit.day)
    )
    return {
        athlete_id: _NewestVisit(
            day, day + timedelta(days=days_of_months(horizon)) if horizon else None
        )
        for athlete_id, day, horizon in session.execute(rows)
    }


def _last_reports(session: Session, club_id: int) -> dict[int, _LastReport]:
    """By athlete."""

    def latest(day: Any, *kinds: str) -> Any:
        return func.max(case((Outcome.kind.in_(kinds), day)))

    rows = (
        select(
            Outcome.athlete_id,
            latest(Outcome.last_day, "check_in"),
            latest(Outcome.last_day, *_REPORTS),
            func.max(Outcome.details["last_reported"].as_string()),
            latest(Outcome.first_day, "end_of_follow_up"),
        )
        .join(Athlete, Outcome.athlete_id == Athlete.id)
        .where(Athlete.club_id == club_id)
        .group_by(Outcome.athlete_id)
    )
    return {
        athlete_id: _LastReport(
            check_in, told, date.fromisoformat(reported) if reported else None, ended
        )
        for athlete_id, check_in, told, reported, ended in session.execute(rows)
    }
