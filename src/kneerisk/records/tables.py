"""The tables of the records, as `migrations` makes them.

Every row belongs to a club. An athlete is an id that the club made up, never a name; whatever is
kept of a person hangs on that row and goes with it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

#: Characters of a club's name, of an athlete's id, and of short codes.
NAME, CODE, ANSWER_ID = 100, 40, 36


class Moment(TypeDecorator[datetime]):
    """A point in time, kept as UTC: SQLite has no time zones."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC, without saying so."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Say that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar = {datetime: Moment(), dict[str, Any]: JSON()}


class Club(Table):
    """Whose rows they are. A key opens one club and no other."""

    __tablename__ = "club"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME), unique=True)
    created_at: Mapped[datetime]


class Key(Table):
    """A key of a club. Its secret is kept as a hash alone."""

    __tablename__ = "key"

    id: Mapped[str] = mapped_column(String(CODE), primary_key=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"), index=True)
    role: Mapped[str] = mapped_column(String(CODE))
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Athlete(Table):
    """A person, by the id that the club uses."""

    __tablename__ = "athlete"
    # The audit names an erased athlete by this row's number: no other one may get it.
    __table_args__ = (UniqueConstraint("club_id", "code"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"))
    code: Mapped[str] = mapped_column(String(NAME))
    created_at: Mapped[datetime]


class Visit(Table):
    """A screening as it was sent, of one day."""

    __tablename__ = "visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    athlete_id: Mapped[int] = mapped_column(
        ForeignKey("athlete.id", ondelete="CASCADE"), index=True
    )
    day: Mapped[date]
    screening: Mapped[dict[str, Any]]
    schema_fingerprint: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime]


class Answer(Table):
    """What was told about a visit: its numbers, not its words."""

    __tablename__ = "answer"

    id: Mapped[str] = mapped_column(String(ANSWER_ID), primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    version: Mapped[str] = mapped_column(String(NAME))
    bundle_sha256: Mapped[str] = mapped_column(String(64))
    told: Mapped[dict[str, Any]]
    answered_at: Mapped[datetime]


class Outcome(Table):
    """What happened to an athlete: an event, or a report that covers some days."""

    __tablename__ = "outcome"

    id: Mapped[str] = mapped_column(String(ANSWER_ID), primary_key=True)
    athlete_id: Mapped[int] = mapped_column(
        ForeignKey("athlete.id", ondelete="CASCADE"), index=True
    )
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("answer.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(CODE))
    side: Mapped[str] = mapped_column(String(CODE))
    first_day: Mapped[date]
    last_day: Mapped[date]
    details: Mapped[dict[str, Any]]
    reported_at: Mapped[datetime]


class Exposure(Table):
    """How long an athlete trained or played on a day, in minutes."""

    __tablename__ = "exposure"

    id: Mapped[int] = mapped_column(primary_key=True)
    athlete_id: Mapped[int] = mapped_column(
        ForeignKey("athlete.id", ondelete="CASCADE"), index=True
    )
    day: Mapped[date]
    minutes: Mapped[float] = mapped_column(Double)


class Sent(Table):
    """A request that was done, by the key that its sender gave it: sent again, it is not redone."""

    __tablename__ = "sent"
    __table_args__ = (UniqueConstraint("club_id", "idempotency_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"))
    idempotency_key: Mapped[str] = mapped_column(String(NAME))
    athlete_id: Mapped[int] = mapped_column(
        ForeignKey("athlete.id", ondelete="CASCADE"), index=True
    )
    body_sha256: Mapped[str] = mapped_column(String(64))
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"))
    sent_at: Mapped[datetime]


class Audit(Table):
    """Who did what, and when: rows are added, never changed. It names no athlete."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    club_id: Mapped[int | None] = mapped_column(ForeignKey("club.id"))
    actor: Mapped[str] = mapped_column(String(NAME))
    action: Mapped[str] = mapped_column(String(CODE))
    subject: Mapped[str | None] = mapped_column(String(NAME))
