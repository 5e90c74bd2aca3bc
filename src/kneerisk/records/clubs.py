"""Clubs: whose rows they are. A club is made with its first key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.records.database import RecordsFailed
from kneerisk.records.tables import Club
from kneerisk.words import text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


def club_id_of(session: Session, name: str) -> int:
    """The row of a club.

    Parameters
    ----------
    session
        Of the records.
    name
        The club's name.

    Returns
    -------
    The row's number.

    Raises
    ------
    RecordsFailed
        Where there is no such club.
    """
    known = _known(session, name)
    if known is None:
        raise RecordsFailed(text("records.no_club"))
    return known


def clubs_named(session: Session, names: Sequence[str]) -> dict[str, int]:
    """The rows of some clubs.

    Parameters
    ----------
    session
        Of the records.
    names
        Of the clubs; none stands for all of them.

    Returns
    -------
    dict
        Row numbers by name, in order of name.

    Raises
    ------
    RecordsFailed
        Where there is no such club.
    """
    if names:
        return {name: club_id_of(session, name) for name in sorted(set(names))}
    rows = session.execute(select(Club.name, Club.id).order_by(Club.name))
    return {row.name: row.id for row in rows}


def made_club(session: Session, name: str, now: datetime) -> int:
    """The row of a club, made where it is new.

    Parameters
    ----------
    session
        Of the records, writing.
    name
        The club's name.
    now
        The time, with its time zone.

    Returns
    -------
    The row's number.

    Raises
    ------
    RecordsFailed
        Where the name is none.
    """
    if not _NAME.fullmatch(name):
        raise RecordsFailed(text("records.bad_club"))
    known = _known(session, name)
    if known is not None:
        return known
    club = Club(name=name, created_at=now)
    session.add(club)
    session.flush()
    return club.id


def _known(session: Session, name: str) -> int | None:
    known: int | None = session.scalar(select(Club.id).where(Club.name == name))
    return known
