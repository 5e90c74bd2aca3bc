"""Writes what outcome logs say into the records of a club: all of it or none, and once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kneerisk.errors import CohortRefused
from kneerisk.records.audit import COMMAND, note
from kneerisk.records.clubs import club_id_of
from kneerisk.records.database import Database
from kneerisk.records.identifiers import ATHLETE_CODE
from kneerisk.records.known_outcomes import same_event
from kneerisk.records.outcome_logs.event_table import check_in_row, event_row
from kneerisk.records.outcome_logs.outcome_events import CheckIn, OutcomeEvent, OutcomeLog
from kneerisk.records.tables import Athlete, Visit
from kneerisk.records.visit_records import Minutes, Reported, record_exposure, record_outcomes
from kneerisk.words import text

#: What the columns of the records hold already, and what only the import itself needs.
_NO_DETAILS = frozenset({
    "athlete_id", "event", "side", "onset_earliest", "onset_latest", "covers_from", "covers_to",
    "file", "line", "lines",
})  # fmt: skip
#: Whether a knee troubled, by what a report says; a report may leave it open.
_KNEE_PROBLEM = {"nothing_new": False, "problem": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLog:
    """How many of each were written, and whom the records did not know."""

    events: int
    check_ins: int
    followed: int
    exposure_days: int
    """Days of exposure, whether new or there before."""
    known: int
    """Of the events, check-ins and periods, those that were there before."""
    updated: int
    """Of the events, those that were there and say something else now."""
    changed_days: int
    """Of the days of exposure, those that are new or have other minutes now."""
    athletes: int
    unknown_athletes: int
    """Of the athletes, those without a visit in the records."""

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def record_log(database: Database, club: str, log: OutcomeLog, now: datetime) -> RecordedLog:
    """Keep what outcome logs say, in one transaction; written again, nothing is doubled.

    Parameters
    ----------
    database
        The records.
    club
        The club's name.
    log
        A log without open questions.
    now
        The time, with its time zone.

    Returns
    -------
    What was written.

    Raises
    ------
    CohortRefused
        With the place of every id in the files that can't be one in the records.
    RecordsFailed
        Where there is no such club, or the records can't be written.
    """
    _refuse_bad_ids(log)
    followed = [
        Reported(athlete=period.athlete, kind="followed", side="both", first_day=period.start,
                 last_day=period.end)
        for period in log.followed
        if period.start and period.end and period.start <= period.end
    ]  # fmt: skip
    reported = _distinct([*map(_event, log.events), *map(_check_in, log.check_ins), *followed])
    exposure = [Minutes(athlete=e.athlete, day=e.day, minutes=e.minutes) for e in log.exposure]
    athletes = {one.athlete for one in reported} | {one.athlete for one in exposure}
    with database.writing() as session:
        club_id = club_id_of(session, club)
        screened = _screened(session, club_id)
        kept = record_outcomes(session, club_id, COMMAND, reported, now) if reported else []
        changed = record_exposure(session, club_id, COMMAND, exposure, now) if exposure else 0
        note(session, now, club_id, COMMAND, "outcomes_imported", len(log.files))
    kinds = [one.kind for one in reported]
    check_ins, periods = kinds.count("check_in"), kinds.count("followed")
    return RecordedLog(
        events=len(kinds) - check_ins - periods, check_ins=check_ins, followed=periods,
        exposure_days=len({(one.athlete, one.day) for one in exposure}), changed_days=changed,
        known=sum(one.status == "known" for one in kept),
        updated=sum(one.status == "updated" for one in kept),
        athletes=len(athletes), unknown_athletes=len(athletes - screened),
    )  # fmt: skip


def _screened(session: Session, club_id: int) -> set[str]:
    """The ids of the club's athletes who have a visit."""
    rows = select(Athlete.code).join(Visit, Visit.athlete_id == Athlete.id)
    return set(session.scalars(rows.where(Athlete.club_id == club_id).distinct()))


def _event(event: OutcomeEvent) -> Reported:
    details = _details(event_row(event))
    if event.onset_earliest is None:
        details["onset_earliest_unknown"] = True
    return Reported(
        athlete=event.athlete, kind=event.kind, side=event.side,
        first_day=event.onset_earliest or event.onset_latest, last_day=event.onset_latest,
        details=details,
    )  # fmt: skip


def _check_in(check_in: CheckIn) -> Reported:
    details = _details(check_in_row(check_in))
    if check_in.says in _KNEE_PROBLEM:
        details["knee_problem"] = _KNEE_PROBLEM[check_in.says]
    return Reported(
        athlete=check_in.athlete, kind="check_in", side=check_in.side,
        first_day=check_in.covers_from, last_day=check_in.covers_to, details=details,
    )  # fmt: skip


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v is not None and k not in _NO_DETAILS}


def _distinct(reported: list[Reported]) -> list[Reported]:
    """Each outcome once: two files may tell of one event, whose details are then joined."""
    found: dict[tuple[Any, ...], Reported] = {}
    for one in reported:
        key = (one.athlete, *same_event(one))
        known = found.get(key)
        details = one.details if known is None else known.details | one.details
        found[key] = replace(one, details=details)
    return list(found.values())


def _refuse_bad_ids(log: OutcomeLog) -> None:
    """Ids that may be names; the places of their first rows are told, never they themselves."""
    places: dict[str, str] = {}
    for athlete, file, line in _rows(log):
        if not ATHLETE_CODE.fullmatch(athlete):
            places.setdefault(athlete, f"{file}:{line}" if line else file)
    if places:
        raise CohortRefused(
            text("outcome_log.record.bad_ids", count=len(places), places=", ".join(places.values()))
        )


def _rows(log: OutcomeLog) -> Iterator[tuple[str, str, int]]:
    for event in log.events:
        yield event.athlete, event.file, min(event.lines, default=0)
    for report in log.check_ins:
        yield report.athlete, report.file, report.line
    for day in log.exposure:
        yield day.athlete, day.file, day.line
    for period in log.followed:
        yield period.athlete, log.files[0].name, 0
