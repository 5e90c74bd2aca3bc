"""Keeps visits, what was told about them, and what happened afterwards.

Each function takes the club of the caller and sees that club's rows alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kneerisk.records.audit import note
from kneerisk.records.database import RecordsFailed
from kneerisk.records.identifiers import ATHLETE_CODE, IDEMPOTENCY_KEY
from kneerisk.records.known_outcomes import Kept, KnownOutcomes, keep_minutes
from kneerisk.records.tables import Answer, Athlete, Club, Outcome, Sent, Visit
from kneerisk.words import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a model told about a screening: its numbers, and which model it was."""

    version: str
    bundle_sha256: str
    numbers: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A screening of an athlete on a day, as it was sent."""

    athlete: str
    day: date
    screening: dict[str, Any]
    schema_fingerprint: str

    def sha256(self) -> str:
        """Of everything that was sent: two requests with it are the same."""
        sent = json.dumps([self.athlete, self.day.isoformat(), self.screening], sort_keys=True)
        return hashlib.sha256(sent.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """An outcome: an event, or a report that covers the days from the first to the last."""

    athlete: str
    kind: str
    side: str
    first_day: date
    last_day: date
    answer_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """How long an athlete trained or played on a day."""

    athlete: str
    day: date
    minutes: float


class SentBefore(RecordsFailed):
    """An idempotency key that was used for another request."""


def record_answer(
    session: Session,
    club_id: int,
    actor: str,
    screened: Screened,
    told: Told,
    now: datetime,
    idempotency_key: str | None = None,
) -> str:
    """Keep a visit and what was told about it.

    Parameters
    ----------
    session
        Of the records, writing.
    club_id
        Whose athlete it is.
    actor
        The id of the key that was sent.
    screened
        The screening.
    told
        The answer.
    now
        The time, with its time zone.
    idempotency_key
        Sent again with the same screening, nothing is kept twice.

    Returns
    -------
    The id of the answer; where it was kept before, that one's.

    Raises
    ------
    SentBefore
        Where the key was used for another screening, or the model has changed since.
    """
    before = _sent_before(session, club_id, screened, told, idempotency_key)
    if before is not None:
        return before
    athlete = _athlete(session, club_id, screened.athlete, now)
    visit = Visit(
        athlete_id=athlete.id, day=screened.day, screening=screened.screening,
        schema_fingerprint=screened.schema_fingerprint, recorded_at=now,
    )  # fmt: skip
    session.add(visit)
    session.flush()
    answer = Answer(
        id=str(uuid4()), visit_id=visit.id, version=told.version,
        bundle_sha256=told.bundle_sha256, told=told.numbers, answered_at=now,
    )  # fmt: skip
    session.add(answer)
    session.flush()
    if idempotency_key is not None:
        session.add(Sent(
            club_id=club_id, idempotency_key=idempotency_key, athlete_id=athlete.id,
            body_sha256=screened.sha256(), answer_id=answer.id, sent_at=now,
        ))  # fmt: skip
    note(session, now, club_id, actor, "answer_recorded", visit.id)
    return answer.id


def _sent_before(
    session: Session, club_id: int, screened: Screened, told: Told, key: str | None
) -> str | None:
    if key is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise SentBefore(text("records.bad_idempotency_key"))
    # The same request may come twice at once: the second one waits for the first.
    session.execute(select(Club.id).where(Club.id == club_id).with_for_update(key_share=True))
    sent = session.scalar(select(Sent).where(Sent.club_id == club_id, Sent.idempotency_key == key))
    if sent is None:
        return None
    answer = session.get(Answer, sent.answer_id) if sent.answer_id else None
    if sent.body_sha256 != screened.sha256() or answer is None:
        raise SentBefore(text("records.sent_before"))
    if answer.bundle_sha256 != told.bundle_sha256:
        raise SentBefore(text("records.model_changed"))
    return answer.id


def record_outcomes(
    session: Session, club_id: int, actor: str, reported: Sequence[Reported], now: datetime
) -> list[Kept]:
    """Keep what happened to athletes; one that has no visit yet is made.

    Parameters
    ----------
    session
        Of the records, writing.
    club_id
        Whose athletes they are.
    actor
        The id of the key that was sent.
    reported
        The outcomes.
    now
        The time, with its time zone.

    Returns
    -------
    The id of each, in the same order; one that was there has the id that it had.

    Raises
    ------
    RecordsFailed
        Where an outcome belongs to an answer that is not of that athlete, or ends before it begins.
    """
    athletes = _athletes(session, club_id, (one.athlete for one in reported), now)
    outcomes = {code: KnownOutcomes(session, athlete.id) for code, athlete in athletes.items()}
    kept = []
    for one in reported:
        athlete = athletes[one.athlete]
        if one.last_day < one.first_day:
            raise RecordsFailed(text("records.days_upside_down"))
        if one.answer_id is not None and not _is_answer_of(session, one.answer_id, athlete):
            raise RecordsFailed(text("records.no_answer"))
        row = Outcome(
            athlete_id=athlete.id, answer_id=one.answer_id, kind=one.kind, side=one.side,
            first_day=one.first_day, last_day=one.last_day, details=one.details, reported_at=now,
        )  # fmt: skip
        kept.append(outcomes[one.athlete].keep(row))
    note(session, now, club_id, actor, "outcomes_recorded", len(kept))
    session.flush()
    return kept


def record_exposure(
    session: Session, club_id: int, actor: str, exposure: Sequence[Minutes], now: datetime
) -> int:
    """Keep how long athletes trained or played; other minutes of a day replace those it had.

    Parameters
    ----------
    session
        Of the records, writing.
    club_id
        Whose athletes they are.
    actor
        The id of the key that was sent.
    exposure
        Days and minutes; those of one day are added up.
    now
        The time, with its time zone.

    Returns
    -------
    How many days are new or have other minutes now.
    """
    changed = 0
    for code, athlete in _athletes(
        session, club_id, (one.athlete for one in exposure), now
    ).items():
        of_athlete = [(one.day, one.minutes) for one in exposure if one.athlete == code]
        changed += keep_minutes(session, athlete.id, of_athlete)
    note(session, now, club_id, actor, "exposure_recorded", len(exposure))
    return changed


def athlete_of(session: Session, club_id: int, athlete: str) -> Athlete | None:
    """The row of an athlete of a club.

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
    found: Athlete | None = session.scalar(
        select(Athlete).where(Athlete.club_id == club_id, Athlete.code == athlete)
    )
    return found


def _athletes(
    session: Session, club_id: int, codes: Iterable[str], now: datetime
) -> dict[str, Athlete]:
    """The rows of athletes, in one order, so that two writers never wait for each other."""
    return {code: _athlete(session, club_id, code, now) for code in sorted(set(codes))}


def _athlete(session: Session, club_id: int, athlete: str, now: datetime) -> Athlete:
    """The row of an athlete, made where it is new; another writer may make it meanwhile."""
    if not ATHLETE_CODE.fullmatch(athlete):
        raise RecordsFailed(text("records.bad_athlete"))
    known = athlete_of(session, club_id, athlete)
    if known is not None:
        return known
    try:
        with session.begin_nested():
            made = Athlete(club_id=club_id, code=athlete, created_at=now)
            session.add(made)
            session.flush()
    except IntegrityError:
        known = athlete_of(session, club_id, athlete)
        if known is None:
            raise
        return known
    return made


def _is_answer_of(session: Session, answer_id: str, athlete: Athlete) -> bool:
    of_athlete = select(Answer.id).join(Visit, Answer.visit_id == Visit.id)
    wanted = of_athlete.where(Answer.id == answer_id, Visit.athlete_id == athlete.id)
    return session.scalar(wanted) is not None
