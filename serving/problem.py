"""Problems as RFC 9457 has them: the shape of every answer that is not a success."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.responses import Response

from kneerisk.errors import Fault
from kneerisk.messages.problem_document import MEDIA_TYPE, Problem
from kneerisk.words import plural, variant

#: More faults than any honest body can have; it bounds the answer to a hostile one.
MAX_FAULTS = 500

#: What every answer has, unless it says something of its own.
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}

#: The id of the request that is being served.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

#: Stable code of a problem: its HTTP status.
STATUS_BY_CODE = {
    "malformed_request": 400,
    "malformed_json": 400,
    "duplicate_key": 400,
    "malformed_upload": 400,
    "bad_header": 400,
    "bad_query": 400,
    "key_required": 401,
    "key_refused": 401,
    "key_ended": 401,
    "foreign_origin": 403,
    "role_needed": 403,
    "not_found": 404,
    "no_such_athlete": 404,
    "nothing_to_monitor": 404,
    "method_not_allowed": 405,
    "incomplete_request": 408,
    "incomplete_body": 408,
    "prefetch_missing": 412,
    "too_large": 413,
    "unknown_host": 421,
    "unknown_field": 422,
    "invalid_body": 422,
    "unreadable_sheet": 422,
    "idempotency_key_used": 422,
    "too_many_requests": 429,
    "headers_too_large": 431,
    "internal_error": 500,
    "no_records": 501,
    "records_unavailable": 503,
    "no_champion": 503,
    "busy": 503,
    "timeout": 504,
}


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How a problem is written for those who call an address."""

    media_type: str
    content: Callable[[Problem], bytes]


PROBLEM_FORM = ErrorForm(MEDIA_TYPE, Problem.as_json)
#: The form of the request that is being served.
ERROR_FORM: ContextVar[ErrorForm] = ContextVar("error_form", default=PROBLEM_FORM)


@dataclass(slots=True)
class Refusal(Exception):
    """A request that gets a problem instead of an answer."""

    code: str
    detail: str
    faults: list[Fault] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def problem(refusal: Refusal, request_id: str | None = None) -> Problem:
    """The problem document of a refusal."""
    status = STATUS_BY_CODE[refusal.code]
    return Problem(
        type=f"urn:kneerisk:problem:{refusal.code.replace('_', '-')}",
        title=variant("service.problem", refusal.code),
        status=status,
        code=refusal.code,
        detail=refusal.detail,
        instance=f"urn:uuid:{request_id}" if request_id else None,
        request_id=request_id,
        faults=refusal.faults[:MAX_FAULTS] or None,
    )


def invalid_body(faults: list[Fault]) -> Refusal:
    """The refusal of a body that breaks the schema, with all its faults."""
    return Refusal("invalid_body", plural("service.faults", len(faults)), faults)


def refused_with(refusal: Refusal) -> Response:
    """A refusal as the answer of a handler: BentoML would make a 500 of it if it were raised."""
    body, form = problem(refusal, REQUEST_ID.get()), ERROR_FORM.get()
    return Response(form.content(body), body.status, refusal.headers, form.media_type)
