"""What a client raises: a refusal with all its faults, or that there was no answer."""

from __future__ import annotations

import httpx
from pydantic import ValidationError

from kneerisk.errors import Fault, KneeriskError
from kneerisk.messages.problem_document import MEDIA_TYPE, Problem
from kneerisk.words import text

_TOO_MANY_REQUESTS, _FIRST_OF_THE_SERVER = 429, 500


class NoAnswer(KneeriskError):
    """The service can't be reached, or an answer broke off."""


class NotUnderstood(KneeriskError):
    """An answer that is not the service's: a proxy's page, or that of another version."""


class Refused(KneeriskError):
    """A problem instead of an answer; `problem` has all that the service said."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__("\n".join([_heading(problem), *map(_line, self.faults)]))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """The stable code of the problem, such as ``invalid_body``."""
        return self.problem.code

    @property
    def faults(self) -> list[Fault]:
        """All that is wrong with the body, each with its JSON pointer and its own code."""
        return self.problem.faults or []


class Unavailable(Refused):
    """A problem of the service, or too many requests: later it may answer."""


def refusal(response: httpx.Response) -> Refused | NotUnderstood:
    """What to raise for a response that is no success.

    Parameters
    ----------
    response
        With its content.

    Returns
    -------
    The error.
    """
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind == MEDIA_TYPE:
        try:
            problem = Problem.model_validate_json(response.content)
        except ValidationError:
            return NotUnderstood(text("client.bad_problem", status=response.status_code))
        is_later = problem.status == _TOO_MANY_REQUESTS or problem.status >= _FIRST_OF_THE_SERVER
        return Unavailable(problem) if is_later else Refused(problem)
    return NotUnderstood(text("client.no_problem", status=response.status_code, kind=kind or "?"))


def _heading(problem: Problem) -> str:
    return text(
        "client.refused",
        title=problem.title,
        code=problem.code,
        status=problem.status,
        detail=problem.detail,
        request=problem.request_id or "?",
    )


def _line(fault: Fault) -> str:
    allowed = text("client.allowed", allowed=fault.allowed) if fault.allowed else ""
    return f"  {fault.pointer}: {fault.message}{allowed}"
