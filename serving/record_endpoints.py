"""What a club's key opens: outcomes are reported, and all that is kept of an athlete is read.

Each endpoint is given the records of the one club whose key was sent, and so sees that club's rows
alone (`serving.club_records`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kneerisk.records.outcome_report import OutcomeReports
from kneerisk.words import text
from serving.club_records import OpenClub
from serving.problem import Refusal, invalid_body, refused_with

_FROZEN = ConfigDict(frozen=True)


class KeptOutcome(BaseModel):
    """An outcome that the records hold: new, there before, or changed by what was sent."""

    model_config = _FROZEN

    id: str
    status: Literal["kept", "known", "updated"]


class OutcomesKept(BaseModel):
    """One entry for each outcome, in the order they were sent."""

    model_config = _FROZEN

    outcomes: list[KeptOutcome]


class RecordedAnswer(BaseModel):
    """What was told about a visit: its numbers under the answer's own names."""

    model_config = _FROZEN

    id: str
    version: str
    bundle_sha256: str
    answered_at: datetime
    told: dict[str, Any]


class RecordedVisit(BaseModel):
    """A screening as it was sent."""

    model_config = _FROZEN

    day: date
    recorded_at: datetime
    schema_fingerprint: str
    screening: dict[str, Any]
    answers: list[RecordedAnswer]


class RecordedOutcome(BaseModel):
    """An event, or a check-in that covers some days."""

    model_config = _FROZEN

    id: str
    answer_id: str | None = None
    kind: str
    side: str
    first_day: date
    last_day: date
    details: dict[str, Any]
    reported_at: datetime


class RecordedMinutes(BaseModel):
    """How long the athlete trained or played on a day."""

    model_config = _FROZEN

    day: date
    minutes: float


class RecordedAthlete(BaseModel):
    """All that the club's records hold of an athlete, by day."""

    model_config = _FROZEN

    athlete: str
    visits: list[RecordedVisit]
    outcomes: list[RecordedOutcome]
    exposure: list[RecordedMinutes]


async def outcomes(reports: OutcomeReports, club: OpenClub) -> OutcomesKept:
    """Keep what happened to athletes, all of it or none.

    Parameters
    ----------
    reports
        The outcomes.
    club
        The records of the club whose key was sent.

    Returns
    -------
    The id of each.

    Raises
    ------
    Refusal
        Where an answer is not of the club, or the records can't be used.
    """
    from kneerisk.records.reported_outcomes import OutcomesRefused, keep_reports

    try:
        kept = await club.write(
            lambda session, club_id, actor, now: keep_reports(
                session, club_id, actor, reports.outcomes, now
            )
        )
    except OutcomesRefused as error:
        raise invalid_body(error.faults) from None
    return OutcomesKept(outcomes=[KeptOutcome(id=one.id, status=one.status) for one in kept])


async def athlete(request: Request) -> Response:
    """Give all that the club's records hold of an athlete; the audit notes that it was read."""
    from kneerisk.records.personal_data import read_athlete

    club: OpenClub = request.state.club
    code = request.path_params["athlete"]
    try:
        found = await club.write(
            lambda session, club_id, actor, now: read_athlete(session, club_id, code, actor, now)
        )
        if found is None:
            raise Refusal("no_such_athlete", text("records.no_athlete"))
    except Refusal as refusal:
        return refused_with(refusal)
    return JSONResponse(found)


async def monitoring(request: Request) -> Response:
    """Say how what was told to the club's athletes compares with what happened, and what to do."""
    from kneerisk.monitoring.monitored_club import monitored_club

    club: OpenClub = request.state.club
    champion, today = request.app.state.champion.current(), datetime.now(UTC).date()
    try:
        found = await club.read(
            lambda session, club_id: monitored_club(session, club_id, today, champion)
        )
        if found is None:
            raise Refusal("nothing_to_monitor", text("monitoring.no_answers"))
    except Refusal as refusal:
        return refused_with(refusal)
    return JSONResponse(found)
