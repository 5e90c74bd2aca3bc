"""Which outcomes are kept already: sent or imported again, none is there twice.

An event of a knee is the same by its kind, side and days; with other details it has gone on since,
and what was said last counts. Anything else is the same where all of it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.records.tables import Athlete, Exposure, Outcome

_EVENTS_OF_KNEES = frozenset({"knee_pain", "knee_injury", "surgery"})


class Kept(NamedTuple):
    """The id of an outcome, and whether it is new, was there, or says something else now."""

    id: str
    status: Literal["kept", "known", "updated"]


class KnownOutcomes:
    """The outcomes of one athlete.

    Parameters
    ----------
    session
        Of the records, writing; until its end nobody else writes outcomes of the athlete.
    athlete_id
        The athlete's row number.
    """

    def __init__(self, session: Session, athlete_id: int) -> None:
        self._session = session
        _alone_with(session, athlete_id)
        rows = session.scalars(select(Outcome).where(Outcome.athlete_id == athlete_id))
        self._rows = {same_event(row): row for row in rows}

    def keep(self, row: Outcome) -> Kept:
        """Keep an outcome unless it is there.

        Parameters
        ----------
        row
            Of this athlete, not yet in the session; it gets an id where it is new.

        Returns
        -------
        Its id, and what became of it.
        """
        known = self._rows.get(same_event(row))
        if known is None:
            row.id = str(uuid4())
            self._session.add(row)
            self._rows[same_event(row)] = row
            return Kept(row.id, "kept")
        answer_id = row.answer_id or known.answer_id
        if (known.details, known.answer_id) == (row.details, answer_id):
            return Kept(known.id, "known")
        known.details, known.answer_id, known.reported_at = row.details, answer_id, row.reported_at
        return Kept(known.id, "updated")


class OutcomeLike(Protocol):
    """An outcome of an athlete, in the records or on its way to them."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def side(self) -> str: ...  # noqa: D102
    @property
    def first_day(self) -> date: ...  # noqa: D102
    @property
    def last_day(self) -> date: ...  # noqa: D102
    @property
    def details(self) -> dict[str, Any]: ...  # noqa: D102


def same_event(outcome: OutcomeLike) -> tuple[Any, ...]:
    """What two outcomes of an athlete share that are the same one."""
    where = (outcome.kind, outcome.side, outcome.first_day, outcome.last_day)
    if outcome.kind in _EVENTS_OF_KNEES:
        return where
    return (*where, json.dumps(outcome.details, sort_keys=True))


def keep_minutes(session: Session, athlete_id: int, minutes: Iterable[tuple[date, float]]) -> int:
    """Keep how long an athlete trained, one row a day; other minutes of a day replace its own.

    Parameters
    ----------
    session
        Of the records, writing.
    athlete_id
        The athlete's row number.
    minutes
        Days and minutes; those of one day are added up.

    Returns
    -------
    How many days are new or have other minutes now.
    """
    of_day: dict[date, float] = {}
    for day, more in minutes:
        of_day[day] = of_day.get(day, 0.0) + more
    _alone_with(session, athlete_id)
    rows = session.scalars(select(Exposure).where(Exposure.athlete_id == athlete_id))
    known = {row.day: row for row in rows}
    changed = {
        day: total for day, total in of_day.items()
        if day not in known or known[day].minutes != total
    }  # fmt: skip
    for day, total in changed.items():
        if day in known:
            known[day].minutes = total
        else:
            session.add(Exposure(athlete_id=athlete_id, day=day, minutes=total))
    return len(changed)


def _alone_with(session: Session, athlete_id: int) -> None:
    """Wait for whoever writes of the athlete; a writer of SQLite is alone anyway."""
    alone = select(Athlete.id).where(Athlete.id == athlete_id).with_for_update(key_share=True)
    session.execute(alone)
