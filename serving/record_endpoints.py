"""What a club's key opens: outcomes are reported, and all that is kept of an athlete is read.

Each endpoint is given the records of the one club whose key was sent, and so sees that club's rows
alone (`serving.club_records`).
"""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kneerisk.messages.recorded_athletes import (
    KeptOutcome,
    ListedAthlete,
    ListedAthletes,
    OutcomesKept,
)
from kneerisk.records.follow_up_states import (
    MOST_OF_A_PAGE,
    PAGE,
    STATES,
    CheckInState,
    page_of_athletes,
)
from kneerisk.records.identifiers import ATHLETE_CODE, pattern_schema
from kneerisk.records.outcome_report import OutcomeReports
from kneerisk.words import text, variant
from serving.club_records import OpenClub
from serving.problem import Refusal, invalid_body, refused_with

#: What a list of athletes may be asked for.
ATHLETES_QUERY: dict[str, dict[str, Any]] = {
    "follow_up": {"type": "array", "items": {"enum": list(STATES)}, "minItems": 1},
    "after": {"type": "string", **pattern_schema(ATHLETE_CODE)},
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_OF_A_PAGE, "default": PAGE},
}


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


async def athletes(request: Request) -> Response:
    """List the club's athletes with when each was heard of; the audit notes that they were."""
    from kneerisk.records.audit import note
    from kneerisk.records.weekly_follow_up import heard_of

    club: OpenClub = request.state.club
    today = datetime.now(UTC).date()

    try:
        states, after, limit = _asked_athletes(request)
        everybody = await club.read(lambda session, club_id: heard_of(session, club_id, today))
        # Apart, since a federation's list takes longer than a writer should be alone.
        await club.write(
            lambda session, club_id, actor, now: note(
                session, now, club_id, actor, "athletes_listed"
            )
        )
        page = page_of_athletes(everybody, states, after, limit)
    except Refusal as refusal:
        return refused_with(refusal)
    shown = ListedAthletes(
        day=today, counts=page.counts, next=page.last,
        athletes=[ListedAthlete(**asdict(one)) for one in page.athletes],
    )  # fmt: skip
    return Response(shown.model_dump_json(exclude_none=True), media_type="application/json")


def _asked_athletes(request: Request) -> tuple[set[CheckInState], str, int]:
    """The states, the id and the number that an address asks for; refuses all that are none."""
    asked = request.query_params
    named = asked.get("follow_up")
    states = {state for state in STATES if named and state in named.split(",")}
    after, limit = asked.get("after"), asked.get("limit", str(PAGE))
    faults = ["follow_up"] if named is not None and set(named.split(",")) != states else []
    faults += ["after"] if after is not None and not ATHLETE_CODE.fullmatch(after) else []
    is_number = re.fullmatch("[0-9]{1,4}", limit) and 1 <= int(limit) <= MOST_OF_A_PAGE
    faults += [] if is_number else ["limit"]
    if faults:
        values = {"states": ", ".join(STATES), "most": f"{MOST_OF_A_PAGE:,}"}
        told = "; ".join(variant("service.records.query", name, **values) for name in faults)
        raise Refusal("bad_query", text("service.records.bad_query", faults=told))
    return states, after or "", int(limit)


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
    return Response(found.model_dump_json(), media_type="application/json")
