"""A row of the table of routes, and how the row of an address is found.

From a row follow the registration with BentoML or Starlette (`serving.registration`), the largest
size of a body and the allowed methods (`serving.request_validation`), the validation of the body,
the addresses that the metrics count, and the OpenAPI document (`serving.openapi`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from starlette.routing import compile_path

from kneerisk.records.roles import Role
from kneerisk.words import text
from serving.problem import PROBLEM_FORM, ErrorForm

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address: what it takes, what it answers, and how it is described."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    operation: str
    """Its name in the OpenAPI document, and so in clients that are generated from it, and on the
    service class."""
    summary: str
    endpoint: Callable[..., Any] | None = None
    """The function that answers; None where BentoML or the page's static files do."""
    body: type[BaseModel] | None = None
    """The model of a JSON body; a route that needs the champion gets its bundle first."""
    upload: type[BaseModel] | None = None
    """The model of the JSON part beside an uploaded file."""
    most_files: int = 1
    """So many files may come together in one upload."""
    max_body_bytes: int = 0
    """The largest size of a body; 0 where the route takes none."""
    max_values: int = 2_000
    """The most keys and values of a JSON body; a full screening has some 220."""
    query: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What may stand behind the ``?`` of its address, each with its JSON Schema."""
    fields: tuple[str, ...] = ()
    """The fields of the answer of which some may be asked for alone: ``?fields=risk,likely``."""
    largest_seconds: float = 0.0
    """How long its largest request takes, at first guess, beside other work; such requests pass one
    after the other (`serving.capacity.Lane`). 0 where none takes seconds."""
    answer: type[BaseModel] | None = None
    """The model of a JSON answer; other media types have none."""
    media_type: str = "application/json"
    refusals: tuple[str, ...] = ()
    """Codes of its problems (`serving.problem.STATUS_BY_CODE`) besides those of every body."""
    examples: dict[str, Any] = field(default_factory=dict)
    """Example bodies by name."""
    needs_champion: bool = False
    needs_key: bool = True
    """Whether callers need the key, where the service has one."""
    metrics_key: bool = False
    """Whether a key for the metrics alone opens it; its requests are not counted against limits."""
    records: bool = False
    """Whether the answer is kept in a club's records where a header asks for it."""
    errors: ErrorForm = PROBLEM_FORM
    """How its problems are written; the same for all addresses below one first part."""
    role: Role | None = None
    """What a club's key has to allow, where the route works on the club's records; they come after
    the body."""
    keeps_with_key: bool = False
    """Whether it keeps what it is sent where a club's key that may write comes with it; the club's
    records, or None, come after the body."""
    on_event_loop: bool = False
    """Whether it runs on the event loop, as coroutines do, not in a thread of its own."""
    count: Callable[[Any], int] | None = None
    """How many screenings a body holds, for the metrics; None: one."""
    has_etag: bool = False
    """Whether it answers 304 to a browser that has it already."""
    logged: bool = True
    """False for addresses that machines poll; they are kept out of the log."""
    tag: str = "answers"
    """The chapter of the OpenAPI document that it stands in (``[tag]`` of the service's texts), as
    the table gives it; empty where it is left out, as files of the page are."""
    metrics_name: str = ""
    """Its name in metrics and log; the path where empty."""

    @property
    def allowed_methods(self) -> tuple[str, ...]:
        """The HTTP methods that it answers."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


def find_route(routes: Mapping[str, Route], path: str) -> Route | None:
    """The route that answers a path; a name in braces stands for any one part of it."""
    if path in routes:
        return routes[path]
    templates = (route for route in routes.values() if "{" in route.path)
    return next((route for route in templates if _pattern(route.path).match(path)), None)


def where_else(routes: Mapping[str, Route], path: str) -> str:
    """Where to look for an address that there is not."""
    meant = find_route(routes, path.rstrip("/"))
    if meant is None:
        return text("service.request.not_found")
    return text("service.request.slash_at_end", path=meant.path)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return compile_path(template)[0]
