"""The audit: who did what and when. The database refuses to change or delete a row of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.records.database import Database
from kneerisk.records.tables import Audit, Club

#: Who acts where nobody sent a key: the command line of the machine that holds the records.
COMMAND = "command_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One thing that was done. Its subject is a key or a row's number, never an athlete's id."""

    at: datetime
    club: str | None
    actor: str
    action: str
    subject: str | None


def note(
    session: Session,
    at: datetime,
    club_id: int | None,
    actor: str,
    action: str,
    subject: str | int | None = None,
) -> None:
    """Note what is done, in the transaction that does it.

    Parameters
    ----------
    session
        Of the records, writing.
    at
        The time, with its time zone.
    club_id
        Whose rows it is about; None: everybody's.
    actor
        A key's id, or `COMMAND`.
    action
        What is done, such as ``athlete_erased``.
    subject
        A key's id or a row's number.
    """
    told = None if subject is None else str(subject)
    session.add(Audit(at=at, club_id=club_id, actor=actor, action=action, subject=told))


def audit_lines(database: Database) -> list[AuditLine]:
    """Everything that was done, oldest first."""
    query = select(Audit, Club.name).outerjoin(Club, Audit.club_id == Club.id).order_by(Audit.id)
    with database.reading() as session:
        return [
            AuditLine(at=row.at, club=club, actor=row.actor, action=row.action, subject=row.subject)
            for row, club in session.execute(query).all()
        ]
