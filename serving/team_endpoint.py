"""The endpoint of a team: each valid screening is answered, the faults of the others are named."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Annotated, Any

from anyio import to_thread
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError
from starlette.responses import Response, StreamingResponse

from kneerisk.answer import answers
from kneerisk.messages.team_answer import Result
from kneerisk.model.bundle import Bundle
from kneerisk.schema import Screening, faults_of
from kneerisk.words import text
from serving.problem import invalid_body, problem
from serving.team_shares import Shares, share_with
from serving.team_turns import MOST_AT_ONCE, TeamTurns
from serving.worker_sockets import other_workers

MAX_SCREENINGS = 1_000
#: A team that is done in a turn or two is not worth sharing.
SHARED_FROM = 2 * MOST_AT_ONCE
#: A longer answer is sent in pieces; that to a page's 25 screenings is sent at once, so that a slow
#: reader does not hold up the next team.
_PIECES_FROM_BYTES = 4_000_000


def _at_most_the_limit(screenings: list[Any]) -> list[Any]:
    if len(screenings) > MAX_SCREENINGS:
        raise PydanticCustomError(
            "too_many", text("service.body.too_many_screenings", most=f"{MAX_SCREENINGS:,}")
        )
    return screenings


class Team(BaseModel):
    """Up to 1,000 screenings. Each is checked later, so that a bad one leaves the others alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    screenings: Annotated[list[Any], AfterValidator(_at_most_the_limit)]


async def answer_team(bundle: Bundle, team: Team, fields: frozenset[str]) -> deque[bytes]:
    """Answer every valid screening of a team, and name the faults of every other one.

    A few at a time, in a thread: between them others are answered and the request can be ended, and
    of those done only the JSON is held. Other workers that nobody asks answer some of them.

    Parameters
    ----------
    bundle
        The champion.
    team
        Its screenings, not yet checked.
    fields
        The fields of the answers that are asked for.

    Returns
    -------
    deque of bytes
        The pieces of a `TeamAnswer` as JSON.
    """
    shares = Shares(team.screenings)
    is_shared = len(team.screenings) > SHARED_FROM
    helping = [
        asyncio.ensure_future(share_with(worker, shares, bundle, fields))
        for worker in (other_workers() if is_shared else ())
    ]
    try:
        await _answer_own(bundle, shares, fields)
        await asyncio.gather(*helping)
    finally:
        for task in helping:
            task.cancel()
    # What another worker gave back at the very end.
    await _answer_own(bundle, shares, fields)
    return _in_order(shares.made)


async def _answer_own(bundle: Bundle, shares: Shares, fields: frozenset[str]) -> None:
    turns = TeamTurns()
    while shares.are_left:
        async with turns.turn() as count:
            places = shares.take(count)
            if places:
                shares.made[places.start] = await to_thread.run_sync(
                    results_of, bundle, shares.screenings(places), fields, places.start
                )


def _in_order(made: Mapping[int, bytes]) -> deque[bytes]:
    pieces = deque([b'{"results":['])
    for start in sorted(made):
        if start:
            pieces.append(b",")
        pieces.append(made[start])
    pieces.append(b"]}")
    return pieces


def results_of(
    bundle: Bundle, screenings: Sequence[Any], fields: Collection[str], start: int
) -> bytes:
    """The JSON of the results of some screenings of a team.

    Parameters
    ----------
    bundle
        The champion.
    screenings
        The screenings, not yet checked.
    fields
        The fields of the answers that are asked for.
    start
        The place of the first of them in the team.

    Returns
    -------
    bytes
        Results, separated by commas.
    """
    valid: dict[int, Screening] = {}
    results: dict[int, Result] = {}
    for index, body in enumerate(screenings, start):
        try:
            valid[index] = Screening.model_validate(body)
        except ValidationError as error:
            refusal = invalid_body(faults_of(error))
            results[index] = Result(index=index, problem=problem(refusal))
    for index, result in zip(valid, answers(bundle, list(valid.values()), fields), strict=True):
        results[index] = Result(index=index, answer=result)
    # What is not known is absent, not null; a value of the wrong type is a mistake.
    shown: Any = {"index": True, "problem": True, "answer": dict.fromkeys(fields, True)}
    texts = [
        results[index].model_dump_json(include=shown, exclude_none=True, warnings="error")
        for index in sorted(results)
    ]
    return ",".join(texts).encode()


async def predict_team(bundle: Bundle, team: Team, fields: frozenset[str]) -> Response:
    """Answer the valid screenings of a team and name the faults of the others."""
    pieces = await answer_team(bundle, team, fields)
    size = sum(map(len, pieces))
    if size < _PIECES_FROM_BYTES:
        return Response(b"".join(pieces), media_type="application/json")
    headers = {"content-length": str(size)}
    return StreamingResponse(_released(pieces), headers=headers, media_type="application/json")


async def _released(pieces: deque[bytes]) -> AsyncIterator[bytes]:
    """Give the pieces one after the other, and hold none that was given."""
    while pieces:
        yield pieces.popleft()
