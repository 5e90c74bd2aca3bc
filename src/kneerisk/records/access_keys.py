"""Keys: each opens the records of one club, for reading, for writing or for everything.

A key is `kr_<id>_<secret>`; only a hash of the secret is kept (`kneerisk.records.bearer_keys`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.records.audit import COMMAND, note
from kneerisk.records.bearer_keys import has_secret, id_of, new_key
from kneerisk.records.clubs import made_club
from kneerisk.records.database import Database, RecordsFailed
from kneerisk.records.identifiers import KEY_START
from kneerisk.records.roles import Role
from kneerisk.records.tables import Club, Key
from kneerisk.words import text


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a key belongs to."""

    club_id: int
    key_id: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """A key as it is listed: everything but its secret."""

    key_id: str
    club: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def has_ended(self, now: datetime) -> bool:
        """Whether it opens nothing any more."""
        return _has_ended(self.expires_at, self.revoked_at, now)


def add_key(
    database: Database, club: str, role: Role, now: datetime, expires_at: datetime | None = None
) -> str:
    """Make a key of a club, and the club where it is new.

    Parameters
    ----------
    database
        The records.
    club
        The club's name.
    role
        What the key may do.
    now
        The time, with its time zone.
    expires_at
        When the key ends; None: never.

    Returns
    -------
    The key, which is told this once.

    Raises
    ------
    RecordsFailed
        Where the name is none, or the key would have ended already.
    """
    if expires_at is not None and expires_at <= now:
        raise RecordsFailed(text("records.ended_already"))
    made = new_key(KEY_START)
    with database.writing() as session:
        club_id = made_club(session, club, now)
        session.add(Key(
            id=made.key_id, club_id=club_id, role=role.value, secret_sha256=made.secret_sha256,
            created_at=now, expires_at=expires_at,
        ))  # fmt: skip
        note(session, now, club_id, COMMAND, "key_added", made.key_id)
    return made.key


def list_keys(database: Database) -> list[KeyState]:
    """Every key, by club and time."""
    query = select(Key, Club.name).join(Club, Key.club_id == Club.id)
    with database.reading() as session:
        rows = session.execute(query.order_by(Club.name, Key.created_at, Key.id)).all()
        return [
            KeyState(
                key_id=key.id, club=club, role=Role(key.role), created_at=key.created_at,
                expires_at=key.expires_at, revoked_at=key.revoked_at,
            )
            for key, club in rows
        ]  # fmt: skip


def revoke_key(database: Database, key_id: str, now: datetime) -> None:
    """End a key now, for good.

    Parameters
    ----------
    database
        The records.
    key_id
        The twelve characters after ``kr_``.
    now
        The time, with its time zone.

    Raises
    ------
    RecordsFailed
        Where there is no such key.
    """
    with database.writing() as session:
        key = session.get(Key, key_id)
        if key is None:
            raise RecordsFailed(text("records.no_key"))
        if key.revoked_at is None:
            key.revoked_at = now
            note(session, now, key.club_id, COMMAND, "key_revoked", key_id)


def caller_of(session: Session, key: str, now: datetime) -> Caller | None:
    """Whom a key belongs to.

    Parameters
    ----------
    session
        Of the records.
    key
        As it was sent.
    now
        The time, with its time zone.

    Returns
    -------
    None where there is no such key, or it has ended.
    """
    known = _with_secret(session, key)
    if known is None or _has_ended(known.expires_at, known.revoked_at, now):
        return None
    return Caller(known.club_id, known.id, Role(known.role))


def is_known(session: Session, key: str) -> bool:
    """Whether there is such a key at all, ended or not; only its holder can ask."""
    return _with_secret(session, key) is not None


def _with_secret(session: Session, key: str) -> Key | None:
    key_id = id_of(KEY_START, key)
    known = session.get(Key, key_id) if key_id else None
    return known if has_secret(KEY_START, key, known.secret_sha256 if known else None) else None


def _has_ended(expires_at: datetime | None, revoked_at: datetime | None, now: datetime) -> bool:
    return revoked_at is not None or (expires_at is not None and expires_at <= now)
