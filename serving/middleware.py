"""The door of the service: what may come in, and the shape of everything that goes out."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import body_validation as body
from serving.champion_holder import ChampionHolder
from serving.logs import LOGGER
from serving.problem import MEDIA_TYPE, REQUEST_ID, Refusal, problem
from serving.prometheus import Metrics
from serving.routes import ROUTES, Route

BODY_SECONDS = 20.0
#: Less than BentoML's own limit, whose answer would have another shape.
ANSWER_SECONDS = 50.0
#: Bodies above this many bytes are checked beside the event loop, not on it.
_LARGE = 50_000

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Reply:
    """The way out: adds headers, and turns any foreign error into a problem."""

    def __init__(self, send: Send) -> None:
        self.request_id = str(uuid4())
        self.status = 0
        self._send = send
        self._foreign = False

    async def send(self, message: Message) -> None:
        """Pass a message of the answer on; hold back an error that is not one of our problems."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            self._foreign = message["status"] >= 400 and headers.get("content-type") != MEDIA_TYPE
            if self._foreign:
                return
            self.status = message["status"]
            headers["x-request-id"] = self.request_id
            headers.setdefault("content-security-policy", _NO_CONTENT_POLICY)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        if not self._foreign:
            await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a problem, unless an answer is already on its way."""
        if self.status:
            return
        told = problem(refusal, self.request_id)
        content = told.as_json()
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(content))}
        raw = [(k.encode(), v.encode()) for k, v in (headers | refusal.headers).items()]
        await self.send({"type": "http.response.start", "status": told.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": content})


class Door:
    """Lets known requests with sound bodies in; everything else is refused here."""

    def __init__(self, app: ASGIApp, champion: ChampionHolder, metrics: Metrics) -> None:
        self._app = app
        self._champion = champion
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, reply = time.perf_counter(), Reply(send)
        REQUEST_ID.set(reply.request_id)
        try:
            await self._serve(scope, receive, reply)
            if not reply.status:
                raise RuntimeError("no answer, or one in a foreign shape")
        except Refusal as refusal:
            await reply.refuse(refusal)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets a problem
            LOGGER.exception("request %s failed", reply.request_id)
            await reply.refuse(_mistake())
        self._note(scope, reply, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        route = self._admitted(scope)
        if route.limit:
            receive = await _whole_body(receive, route)
        if route.body is not None:
            # Whatever type a client states, a body is JSON; BentoML would pick a parser by it.
            scope["headers"] = [
                *(header for header in scope["headers"] if header[0] != b"content-type"),
                (b"content-type", b"application/json"),
            ]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._app(scope, receive, reply.send)
        except TimeoutError:
            raise Refusal("timeout", "Send fewer screenings, or try again later.") from None

    def _admitted(self, scope: Scope) -> Route:
        route = ROUTES.get(scope["path"])
        if route is None:
            raise Refusal("not_found", "The addresses are listed in /docs.json.")
        if scope["method"] not in _methods(route):
            told = f"This address takes {route.method}."
            allow = {"allow": ", ".join(_methods(route))}
            raise Refusal("method_not_allowed", told, headers=allow)
        if route.needs_champion and self._champion.bundle is None:
            told = "Promote a model, or wait until its bundle is loaded."
            raise Refusal("no_champion", told, headers={"retry-after": "2"})
        return route

    def _note(self, scope: Scope, reply: Reply, seconds: float) -> None:
        # Paths and methods are a client's text too: only known ones are written down.
        route = ROUTES.get(scope["path"])
        name = (route.name or scope["path"]) if route else "other"
        self._metrics.request(name, reply.status, seconds)
        if route is None or route.watched or reply.status >= 500:
            told = (name, reply.status, seconds * 1000, reply.request_id)
            LOGGER.info("%s answered %d in %.1f ms, request %s", *told)


def _methods(route: Route) -> list[str]:
    return ["GET", "HEAD"] if route.method == "GET" else [route.method]


async def _whole_body(receive: Receive, route: Route) -> Receive:
    """Read and check the body, and give a way to read it again."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            content = await body.read(receive, route.limit)
    except TimeoutError:
        raise Refusal("incomplete_body", f"A body has {BODY_SECONDS:g} s to arrive.") from None
    if route.body is not None and len(content) > _LARGE:
        await to_thread.run_sync(body.check, content, route.body)
    elif route.body is not None:
        body.check(content, route.body)
    parts: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def again() -> Message:
        return parts.pop() if parts else await receive()

    return again


def _mistake() -> Refusal:
    return Refusal("internal_error", "The mistake is ours; the log has it under the request id.")
