"""Every knee that was told a risk, and what became of it: answers beside the outcomes of records.

The rules are those of `leg_follow_up`; here the rows of the database become their arguments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kneerisk.records.leg_follow_up import (
    LONGEST_SILENCE_DAYS,
    OF_A_KNEE,
    Ended,
    KneeEvent,
    KneeHistory,
    LookOut,
    ReportedDays,
    follow,
)
from kneerisk.records.tables import Answer, Athlete, Outcome, Visit
from kneerisk.schema import SIDES, Side

#: Days of a month on average (365.25 / 12; a year has 365 then).
DAYS_A_MONTH = 30.4375


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedLeg:
    """One knee of one answer, and what became of it.

    Attributes
    ----------
    answer_id
        The answer.
    version
        Which model told it.
    club_id
        Whose athlete it is, by row number.
    athlete_id
        The athlete's row number.
    visit_id
        The visit's row number; several answers may be about one visit.
    side
        Which knee.
    visit_day
        The day of the visit.
    screening
        The visit's body, as it was sent.
    risk
        The probability that was told; None where the knee was not scored.
    interval
        Of the risk, 90 %.
    horizon_days
        How many days after the visit the risk is about.
    at_risk
        Whether new pain could begin: no where the knee hurt at the visit.
    outcome
        1: new pain began within the horizon. 0: followed to the horizon without. None: not known.
    onset
        The first and the last day on which it may have begun.
    followed_until
        The last day that is known to be free of new pain.
    ended
        Why the look-out ended.
    """

    answer_id: str
    version: str
    club_id: int
    athlete_id: int
    visit_id: int
    side: Side
    visit_day: date
    screening: Mapping[str, Any]
    risk: float | None
    interval: tuple[float, float] | None
    horizon_days: int
    at_risk: bool
    outcome: Literal[0, 1] | None
    onset: tuple[date, date] | None
    followed_until: date
    ended: Ended


def followed_legs(
    session: Session,
    club_id: int | None,
    today: date,
    horizon_months: int | None = None,
    longest_silence_days: int = LONGEST_SILENCE_DAYS,
) -> list[FollowedLeg]:
    """Both knees of every answer about new pain, with what became of them.

    Parameters
    ----------
    session
        Of the records.
    club_id
        Whose athletes; None for those of all clubs.
    today
        Nothing of later days is used.
    horizon_months
        How long to look; None for as long as each answer told of.
    longest_silence_days
        Days without a report that a later report bridges.

    Returns
    -------
    By visit day, answer and side. Answers about anything but new pain are not among them.
    """
    histories = _histories(session, club_id)
    legs = []
    for answer, visit, club in session.execute(_answers(club_id)):
        told = answer.told.get("risk", {})
        months = horizon_months or told.get("horizon_months")
        if told.get("outcome_kind") != "new_pain" or not months or visit.day > today:
            continue
        days = days_of_months(months)
        for side in SIDES:
            look_out = LookOut(
                side=side, visit_day=visit.day, last_day=visit.day + timedelta(days=days),
                hurt_at_visit=_hurt(visit.screening, side), today=today,
                longest_silence_days=longest_silence_days,
            )  # fmt: skip
            found = follow(look_out, histories.get(visit.athlete_id, KneeHistory()))
            knee = told.get(side) or {}
            legs.append(FollowedLeg(
                answer_id=answer.id, version=answer.version, club_id=club,
                athlete_id=visit.athlete_id, visit_id=visit.id, side=side, visit_day=visit.day,
                screening=visit.screening, risk=knee.get("probability"),
                interval=tuple(knee["interval"]) if "interval" in knee else None,
                horizon_days=days, at_risk=found.ended != "not_at_risk", outcome=found.outcome,
                onset=found.onset, followed_until=found.followed_until, ended=found.ended,
            ))  # fmt: skip
    return legs


def days_of_months(months: int) -> int:
    """How many days a horizon has: 365 of twelve months."""
    return round(months * DAYS_A_MONTH)


def _answers(club_id: int | None) -> Select[Answer, Visit, int]:
    rows = (
        select(Answer, Visit, Athlete.club_id)
        .join(Visit, Answer.visit_id == Visit.id)
        .join(Athlete, Visit.athlete_id == Athlete.id)
        .order_by(Visit.day, Visit.id, Answer.answered_at, Answer.id)
    )
    return rows if club_id is None else rows.where(Athlete.club_id == club_id)


def _hurt(screening: Mapping[str, Any], side: Side) -> bool | None:
    """Whether a knee hurt at a visit; None where nobody asked."""
    pain = ((screening.get("pain") or {}).get(side) or {}).get("pain_nrs")
    return None if pain is None else pain > 0


def _histories(session: Session, club_id: int | None) -> dict[int, KneeHistory]:
    """What happened to each athlete, by row number."""
    rows = select(Outcome).join(Athlete, Outcome.athlete_id == Athlete.id)
    if club_id is not None:
        rows = rows.where(Athlete.club_id == club_id)
    by_athlete: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in session.scalars(rows.order_by(Outcome.first_day, Outcome.id)):
        by_athlete[outcome.athlete_id].append(outcome)
    return {athlete: history_of(outcomes) for athlete, outcomes in by_athlete.items()}


def history_of(outcomes: Iterable[Outcome]) -> KneeHistory:
    """What the outcomes of an athlete say of the knees.

    Parameters
    ----------
    outcomes
        Rows of one athlete.

    Returns
    -------
    KneeHistory
        Events, check-ins and stated ends.
    """
    outcomes = list(outcomes)
    return KneeHistory(
        events=tuple(_events(outcomes)),
        check_ins=tuple(
            ReportedDays(
                side=one.side, first_day=one.first_day, last_day=one.last_day,
                has_problem=one.details["knee_problem"],
            )
            for one in outcomes
            if one.kind == "check_in" and isinstance(one.details.get("knee_problem"), bool)
        ),
        ends=tuple(one.first_day for one in outcomes if one.kind == "end_of_follow_up"),
        periods=tuple((one.first_day, one.last_day) for one in outcomes if one.kind == "followed"),
    )  # fmt: skip


def _events(outcomes: Iterable[Outcome]) -> Iterator[KneeEvent]:
    for one in outcomes:
        if one.kind not in OF_A_KNEE:
            continue
        began_before = one.details.get("onset_earliest_unknown", False)
        yield KneeEvent(
            kind=one.kind, side=one.side, first_day=None if began_before else one.first_day,
            last_day=one.last_day, last_reported=_day(one.details, "last_reported"),
            free_by=_day(one.details, "free_by"),
        )  # fmt: skip


def _day(details: Mapping[str, Any], name: str) -> date | None:
    value = details.get(name)
    return date.fromisoformat(value) if isinstance(value, str) else None
