"""What a person may ask for: all that is kept of them, and that it is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from kneerisk.records.audit import note
from kneerisk.records.database import Database, RecordsFailed
from kneerisk.records.tables import Answer, Athlete, Exposure, Outcome, Visit
from kneerisk.records.visit_records import athlete_of
from kneerisk.words import text


def everything_about(session: Session, club_id: int, athlete: str) -> dict[str, Any] | None:
    """All that is kept of an athlete, as plain data.

    Parameters
    ----------
    session
        Of the records.
    club_id
        Whose athlete it is.
    athlete
        The club's id of the athlete.

    Returns
    -------
    None where the club has no such athlete.
    """
    found = athlete_of(session, club_id, athlete)
    if found is None:
        return None
    answers: dict[int, list[dict[str, Any]]] = {}
    of_athlete = select(Answer).join(Visit, Answer.visit_id == Visit.id)
    ordered = of_athlete.where(Visit.athlete_id == found.id).order_by(Answer.answered_at, Answer.id)
    for answer in session.scalars(ordered):
        answers.setdefault(answer.visit_id, []).append({
            "id": answer.id, "version": answer.version, "bundle_sha256": answer.bundle_sha256,
            "answered_at": answer.answered_at.isoformat(), "told": answer.told,
        })  # fmt: skip
    visits = session.scalars(
        select(Visit).where(Visit.athlete_id == found.id).order_by(Visit.day, Visit.id)
    )
    outcomes = session.scalars(
        select(Outcome).where(Outcome.athlete_id == found.id)
        .order_by(Outcome.first_day, Outcome.reported_at, Outcome.id)
    )  # fmt: skip
    exposure = session.scalars(
        select(Exposure).where(Exposure.athlete_id == found.id).order_by(Exposure.day, Exposure.id)
    )
    return {
        "athlete": found.code,
        "visits": [_visit(visit, answers.get(visit.id, [])) for visit in visits],
        "outcomes": [_outcome(outcome) for outcome in outcomes],
        "exposure": [{"day": row.day.isoformat(), "minutes": row.minutes} for row in exposure],
    }


def read_athlete(
    session: Session, club_id: int, athlete: str, actor: str, now: datetime
) -> dict[str, Any] | None:
    """All that is kept of an athlete, for somebody who reads it: the audit notes who.

    Parameters
    ----------
    session
        Of the records, writing.
    club_id
        Whose athlete it is.
    athlete
        The club's id of the athlete.
    actor
        The id of the key that was sent.
    now
        The time, with its time zone.

    Returns
    -------
    None where the club has no such athlete.
    """
    found = athlete_of(session, club_id, athlete)
    if found is not None:
        note(session, now, club_id, actor, "athlete_read", found.id)
    return everything_about(session, club_id, athlete)


def require_known(kept: dict[str, Any] | None) -> dict[str, Any]:
    """What is kept of an athlete; raises where the club has no such one."""
    if kept is None:
        raise RecordsFailed(text("records.no_athlete"))
    return kept


def erase_athlete(
    database: Database, club_id: int, athlete: str, actor: str, now: datetime
) -> None:
    """Delete all that is kept of an athlete; the audit keeps that it happened.

    Parameters
    ----------
    database
        The records.
    club_id
        Whose athlete it is.
    athlete
        The club's id of the athlete.
    actor
        The id of the key that was sent, or `COMMAND`.
    now
        The time, with its time zone.

    Raises
    ------
    RecordsFailed
        Where the club has no such athlete, or its rows can't be overwritten yet.
    """
    with database.writing() as session:
        found = athlete_of(session, club_id, athlete)
        if found is None:
            raise RecordsFailed(text("records.no_athlete"))
        note(session, now, club_id, actor, "athlete_erased", found.id)
        session.execute(delete(Athlete).where(Athlete.id == found.id))
    database.empty_deleted()


def older_athletes(session: Session, club_id: int, before: date) -> list[int]:
    """The athletes of whom nothing is as young as a day.

    Parameters
    ----------
    session
        Of the records.
    club_id
        Whose athletes they are.
    before
        The first day that is young enough.

    Returns
    -------
    Their row numbers.
    """
    young = [
        exists().where(Visit.athlete_id == Athlete.id, Visit.day >= before),
        exists().where(Outcome.athlete_id == Athlete.id, Outcome.last_day >= before),
        exists().where(Exposure.athlete_id == Athlete.id, Exposure.day >= before),
    ]
    old = select(Athlete.id).where(Athlete.club_id == club_id)
    for younger in young:
        old = old.where(~younger)
    return list(session.scalars(old))


def erase_older(
    database: Database, club_ids: Iterable[int], before: date, actor: str, now: datetime
) -> int:
    """Delete athletes of whom nothing is as young as a day: the retention policy.

    Parameters
    ----------
    database
        The records.
    club_ids
        Whose athletes they are.
    before
        The first day that is young enough.
    actor
        Who asks.
    now
        The time, with its time zone.

    Returns
    -------
    How many were deleted.
    """
    count = 0
    with database.writing() as session:
        for club_id in club_ids:
            ids = older_athletes(session, club_id, before)
            for athlete_id in ids:
                note(session, now, club_id, actor, "athlete_expired", athlete_id)
            session.execute(delete(Athlete).where(Athlete.id.in_(ids)))
            count += len(ids)
    if count:
        database.empty_deleted()
    return count


def _visit(visit: Visit, answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "day": visit.day.isoformat(),
        "recorded_at": visit.recorded_at.isoformat(),
        "schema_fingerprint": visit.schema_fingerprint,
        "screening": visit.screening,
        "answers": answers,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    answer = {} if outcome.answer_id is None else {"answer_id": outcome.answer_id}
    return {
        "id": outcome.id,
        **answer,
        "kind": outcome.kind,
        "side": outcome.side,
        "first_day": outcome.first_day.isoformat(),
        "last_day": outcome.last_day.isoformat(),
        "details": outcome.details,
        "reported_at": outcome.reported_at.isoformat(),
    }
