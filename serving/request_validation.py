"""The middleware before BentoML: which requests may come in, and the shape of what goes out.

The size limit of each body, the allowed methods and the model of the body stand in the table of
routes (`serving.routes`); how a body is read and checked, in `serving.body_validation`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import Any
from urllib.parse import parse_qsl

from anyio import to_thread
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kneerisk.records.identifiers import KEY_START
from kneerisk.records.roles import Role
from kneerisk.words import text
from serving.access import Access
from serving.body_validation import check_body, count_values, read_body
from serving.capacity import (
    ANSWER_SECONDS,
    LARGE_ANSWER_SECONDS,
    ClientLeft,
    HeldBodies,
    Lane,
    while_connected,
)
from serving.champion_holder import ChampionHolder
from serving.club_records import ClubRecords
from serving.connections import HEADERS_TOO_LARGE, MAX_HEADER_BYTES
from serving.monitoring import LOGGER, Metrics
from serving.problem import ERROR_FORM, PROBLEM_FORM, REQUEST_ID, Refusal
from serving.rate_limits import RateLimits
from serving.recording import Recording, asked_to_record
from serving.route import Route, find_route, where_else
from serving.safe_response import SafeResponse
from serving.tracing import AnsweredRequest, RequestSpans

BODY_SECONDS = 20.0
#: A body with more keys and values than any honest screening is checked in a thread, so that the
#: event loop stays free: each can be a fault, and a fault takes some 0.1 ms.
_THREAD_VALUES = 600
#: A proxy may go by the other one, and take the rest of a body for a request (smuggling).
_BOTH_LENGTHS = {b"content-length", b"transfer-encoding"}
#: What the log has instead of a status where the client left before the answer, as nginx does.
CLIENT_LEFT = 499


class RequestValidation:
    """ASGI middleware: passes requests to known routes with sound bodies on, refuses the rest.

    Parameters
    ----------
    app
        The application behind it.
    routes
        The table of routes, by path.
    champion
        Whether there is a model to answer with.
    metrics
        Counts every request.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Mapping[str, Route],
        champion: ChampionHolder,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._routes = routes
        self._champion = champion
        self._metrics = metrics
        self._access = Access.from_environment()
        self._records = ClubRecords.from_environment()
        self._limits = RateLimits.from_environment()
        self._spans = RequestSpans.from_environment()
        self._bodies = HeldBodies()
        self._error_forms = {_first_part(path): route.errors for path, route in routes.items()}
        self._lanes = {
            path: Lane(
                route.max_values if route.body else route.max_body_bytes, route.largest_seconds
            )
            for path, route in routes.items()
            if route.largest_seconds
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP passes through.

        Parameters
        ----------
        scope
            The request's method, path and headers.
        receive
            Gives the parts of its body.
        send
            Takes the parts of the answer.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, response = time.perf_counter(), SafeResponse(send)
        REQUEST_ID.set(response.request_id)
        ERROR_FORM.set(self._error_forms.get(_first_part(scope["path"]), PROBLEM_FORM))
        with self._champion.for_request():
            try:
                await self._serve(scope, receive, response)
                if not response.status:
                    raise RuntimeError("no answer, or an error that is not a problem")
            except Refusal as refusal:
                await response.refuse(refusal)
            except ClientLeft:
                response.status = response.status or CLIENT_LEFT
            except Exception:  # noqa: BLE001 - whatever it is, the client gets a problem
                LOGGER.exception("request %s failed", response.request_id)
                detail = text("service.request.internal_error")
                await response.refuse(Refusal("internal_error", detail))
            self._record(scope, response, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, response: SafeResponse) -> None:
        route = self._route(scope)
        await self._admit(route, scope, response)
        with self._bodies.counting() as count:
            content = await _body(receive, route, count) if route.max_body_bytes else b""
            lane, size = self._lanes.get(route.path), _size(content, route)
            most_seconds = LARGE_ANSWER_SECONDS if lane else ANSWER_SECONDS
            async with lane.turn(size) if lane else nullcontext():
                with suppress(TimeoutError):
                    async with asyncio.timeout(most_seconds) as response.deadline:
                        await self._answer(route, content, scope, receive, response)
                if response.is_late:
                    raise Refusal("timeout", text("service.request.timeout"))

    async def _admit(self, route: Route, scope: Scope, response: SafeResponse) -> None:
        """Refuse who may not come in; open the club's records where the request is about them."""
        admitted = self._access.admit(
            scope, needs_key=route.needs_key, for_metrics=route.metrics_key
        )
        headers = Headers(scope=scope)
        asked = asked_to_record(headers, may_record=route.records)
        keeps = asked or (route.keeps_with_key and self._access.is_club_key(headers))
        role = Role.WRITE if keeps else route.role or (Role.READ if admitted.by_club_key else None)
        club = await self._records.open(headers, role) if role else None
        if route.needs_key and not route.metrics_key:
            caller = f"{KEY_START}{club.key_id}" if club else admitted.caller
            response.rate_headers = self._limits.take(caller, admitted.limits)
        recording = Recording(club, asked) if club and asked else None
        scope["state"] = {
            **scope.get("state", {}), "club": club, "recording": recording,
            "records": self._records,
        }  # fmt: skip

    async def _answer(
        self, route: Route, content: bytes, scope: Scope, receive: Receive, response: SafeResponse
    ) -> None:
        """Check the body and pass the request on; a large one for as long as its client waits."""
        if not route.max_body_bytes:
            await self._app(scope, receive, response.send)
            return

        async def answer(remaining: Receive) -> None:
            if route.body is None:
                await self._app(scope, _replayed(content, remaining), response.send)
                return
            _hand_over(scope, await _arguments(content, scope, route, route.body))
            await self._app(scope, remaining, response.send)

        if route.path in self._lanes:
            await while_connected(answer, receive)
        else:
            await answer(receive)

    def _route(self, scope: Scope) -> Route:
        """The route of a request, if it may come in."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            raise Refusal("headers_too_large", HEADERS_TOO_LARGE)
        if {name for name, _ in scope["headers"]} >= _BOTH_LENGTHS:
            detail = text("service.body.both_lengths")
            raise Refusal("malformed_request", detail, headers={"connection": "close"})
        route = find_route(self._routes, scope["path"])
        if route is None:
            raise Refusal("not_found", where_else(self._routes, scope["path"]))
        if scope["method"] not in route.allowed_methods:
            allow = {"allow": ", ".join(route.allowed_methods)}
            detail = text("service.request.method_not_allowed", method=route.method)
            raise Refusal("method_not_allowed", detail, headers=allow)
        if route.needs_champion and self._champion.bundle is None:
            detail = text("service.request.no_champion")
            raise Refusal("no_champion", detail, headers={"retry-after": "2"})
        return route

    def _record(self, scope: Scope, response: SafeResponse, seconds: float) -> None:
        # Paths and methods are a client's text too: only known ones are written down.
        route = find_route(self._routes, scope["path"])
        name = (route.metrics_name or route.path) if route else "other"
        self._metrics.request(name, response.status, seconds)
        if route is None or route.logged or response.status >= 500:
            line = "%s answered %d in %.1f ms, request %s"
            bundle = self._champion.bundle
            method = scope["method"] if route and scope["method"] in route.allowed_methods else ""
            told = AnsweredRequest(
                name, method, response.status, seconds, response.request_id,
                bundle.metadata.version if bundle else "",
            )  # fmt: skip
            LOGGER.info(
                line, name, told.status, seconds * 1000, told.request_id,
                extra={"fields": told._asdict()},
            )  # fmt: skip
            if self._spans:
                self._spans.add(told, Headers(scope=scope))


def _first_part(path: str) -> str:
    """The first part of a path, such as ``v1``."""
    return path.strip("/").partition("/")[0]


async def _body(receive: Receive, route: Route, count: Callable[[int], None]) -> bytes:
    """Read the body in time and within its limits."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            content = await read_body(receive, route.max_body_bytes, count)
    except TimeoutError:
        raise Refusal(
            "incomplete_body", text("service.body.late", seconds=f"{BODY_SECONDS:g}")
        ) from None
    return content


def _size(content: bytes, route: Route) -> int:
    """How many keys and values a JSON body holds at most, if so many may come; else its bytes."""
    if route.body is None:
        return len(content)
    values = count_values(content)
    if values > route.max_values:
        detail = text("service.body.too_many_values", most=f"{route.max_values:,}")
        raise Refusal("too_large", detail)
    return values


async def _checked(content: bytes, model: type[BaseModel]) -> BaseModel:
    if count_values(content) > _THREAD_VALUES:
        return await to_thread.run_sync(check_body, content, model)
    return check_body(content, model)


async def _arguments(
    content: bytes, scope: Scope, route: Route, model: type[BaseModel]
) -> tuple[Any, ...]:
    """What a route's endpoint is given besides the champion: the body, then what else it takes."""
    body, fields = await _checked(content, model), _asked_fields(scope, route)
    return (
        body,
        *((fields,) if route.fields else ()),
        *((scope["state"]["recording"],) if route.records else ()),
        *((scope["state"]["club"],) if route.role or route.keeps_with_key else ()),
    )


def _asked_fields(scope: Scope, route: Route) -> frozenset[str]:
    """The fields of the answer that the address asks for; all of them where it names none."""
    stated = [names for key, names in _query(scope) if key == "fields"]
    asked = frozenset(name.strip() for names in stated for name in names.split(","))
    if not asked <= set(route.fields):
        allowed = ", ".join(route.fields)
        raise Refusal("unknown_field", text("service.request.unknown_field", fields=allowed))
    return asked or frozenset(route.fields)


def _query(scope: Scope) -> list[tuple[str, str]]:
    query = scope.get("query_string", b"")
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else []


def _hand_over(scope: Scope, arguments: tuple[Any, ...]) -> None:
    """Leave what an endpoint is given, parsed and checked, for `serving.registration` to take."""
    scope["state"] = {**scope.get("state", {}), "arguments": arguments}
    # Whatever type a client states, a body is JSON; BentoML would refuse some by it.
    scope["headers"] = [
        *(header for header in scope["headers"] if header[0] != b"content-type"),
        (b"content-type", b"application/json"),
    ]


def _replayed(content: bytes, remaining: Receive) -> Receive:
    """A channel that gives a body that was read, and then what else arrives."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await remaining()

    return receive
