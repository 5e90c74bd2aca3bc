"""A whole team in one request: each screening is answered, or refused, by itself."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from kneerisk.answer import Answer, answers
from kneerisk.model.bundle import Bundle
from kneerisk.schema import Screening, faults_of
from serving.problem import Problem, invalid_body, problem

MAX_SCREENINGS = 1_000
#: So many are answered in one go: some 0.3 s and 25 MB.
_AT_ONCE = 20


def _at_most_the_limit(screenings: list[Any]) -> list[Any]:
    if len(screenings) > MAX_SCREENINGS:
        raise PydanticCustomError("too_many", f"must have at most {MAX_SCREENINGS:,} screenings")
    return screenings


class Team(BaseModel):
    """Up to 1,000 screenings. Each is checked later, so that a bad one leaves the others alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    screenings: Annotated[list[Any], AfterValidator(_at_most_the_limit)]


class Result(BaseModel):
    """What became of one screening: an answer or a problem, never both."""

    model_config = ConfigDict(frozen=True)

    index: int
    answer: Answer | None = None
    problem: Problem | None = None


class TeamAnswer(BaseModel):
    """One result for each screening, in the order they were sent."""

    model_config = ConfigDict(frozen=True)

    results: list[Result]


async def answer_team(bundle: Bundle, team: Team) -> bytes:
    """Answer every valid screening of a team, and name the faults of every other one.

    A few at a time, in a thread: between them the request can be ended, and of those done only the
    JSON is held.

    Returns
    -------
    bytes
        A `TeamAnswer` as JSON.
    """
    starts = range(0, len(team.screenings), _AT_ONCE)
    results = [await to_thread.run_sync(_results, bundle, team, start) for start in starts]
    return b'{"results":[' + b",".join(results) + b"]}"


def _results(bundle: Bundle, team: Team, start: int) -> bytes:
    """The JSON of some results of a team, from one of its screenings on."""
    valid: dict[int, Screening] = {}
    results: dict[int, Result] = {}
    for index, body in enumerate(team.screenings[start : start + _AT_ONCE], start):
        try:
            valid[index] = Screening.model_validate(body)
        except ValidationError as error:
            refusal = invalid_body(faults_of(error))
            results[index] = Result(index=index, problem=problem(refusal))
    for index, result in zip(valid, answers(bundle, list(valid.values())), strict=True):
        results[index] = Result(index=index, answer=result)
    # What is not known is absent, not null; a value of the wrong type is a mistake.
    texts = [
        results[index].model_dump_json(exclude_none=True, warnings="error")
        for index in sorted(results)
    ]
    return ",".join(texts).encode()
