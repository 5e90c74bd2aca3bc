"""The middleware before BentoML: which requests may come in, and the shape of what goes out.

The size limit of each body, the allowed methods and the model of the body stand in the table of
routes (`serving.routes`); how a body is read and checked, in `serving.body_validation`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from uuid import uuid4

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.body_validation import check_body, read_body
from serving.champion_holder import ChampionHolder
from serving.logs import LOGGER
from serving.problem import MEDIA_TYPE, REQUEST_ID, Refusal, problem
from serving.prometheus import Metrics
from serving.routes import Route

BODY_SECONDS = 20.0
#: Less than BentoML's own limit, whose answer would have another shape.
ANSWER_SECONDS = 50.0
#: Larger bodies are checked in a thread, so that the event loop stays free.
_THREAD_BYTES = 50_000

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"


class SafeResponse:
    """The response on its way out: adds headers, and holds back any error of another shape."""

    def __init__(self, send: Send) -> None:
        self.request_id = str(uuid4())
        self.status = 0
        self._send = send
        self._held_back = False

    async def send(self, message: Message) -> None:
        """Pass a message of the response on, unless it is an error that is not a problem."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            is_problem = headers.get("content-type") == MEDIA_TYPE
            self._held_back = message["status"] >= 400 and not is_problem
            if self._held_back:
                return
            self.status = message["status"]
            headers["x-request-id"] = self.request_id
            headers.setdefault("content-security-policy", _NO_CONTENT_POLICY)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        if not self._held_back:
            await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a problem, unless an answer is already on its way."""
        if self.status:
            return
        body = problem(refusal, self.request_id)
        content = body.as_json()
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(content))}
        raw = [(k.encode(), v.encode()) for k, v in (headers | refusal.headers).items()]
        await self.send({"type": "http.response.start", "status": body.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": content})


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
        try:
            await self._serve(scope, receive, response)
            if not response.status:
                raise RuntimeError("no answer, or an error that is not a problem")
        except Refusal as refusal:
            await response.refuse(refusal)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets a problem
            LOGGER.exception("request %s failed", response.request_id)
            detail = "The error is on our side; the log has it under the request id."
            await response.refuse(Refusal("internal_error", detail))
        self._record(scope, response, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, response: SafeResponse) -> None:
        route = self._route(scope)
        if route.max_body_bytes:
            receive = await _validated_body(receive, route)
        if route.body is not None:
            # Whatever type a client states, a body is JSON; BentoML would pick a parser by it.
            scope["headers"] = [
                *(header for header in scope["headers"] if header[0] != b"content-type"),
                (b"content-type", b"application/json"),
            ]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._app(scope, receive, response.send)
        except TimeoutError:
            raise Refusal("timeout", "Send fewer screenings, or try again later.") from None

    def _route(self, scope: Scope) -> Route:
        """The route of a request, if it may come in."""
        route = self._routes.get(scope["path"])
        if route is None:
            raise Refusal("not_found", "The addresses are listed in /docs.json.")
        if scope["method"] not in route.allowed_methods:
            allow = {"allow": ", ".join(route.allowed_methods)}
            detail = f"This address accepts {route.method}."
            raise Refusal("method_not_allowed", detail, headers=allow)
        if route.needs_champion and self._champion.bundle is None:
            detail = "Promote a model, or wait until its bundle is loaded."
            raise Refusal("no_champion", detail, headers={"retry-after": "2"})
        return route

    def _record(self, scope: Scope, response: SafeResponse, seconds: float) -> None:
        # Paths and methods are a client's text too: only known ones are written down.
        route = self._routes.get(scope["path"])
        name = (route.metrics_name or route.path) if route else "other"
        self._metrics.request(name, response.status, seconds)
        if route is None or route.logged or response.status >= 500:
            line = "%s answered %d in %.1f ms, request %s"
            LOGGER.info(line, name, response.status, seconds * 1000, response.request_id)


async def _validated_body(receive: Receive, route: Route) -> Receive:
    """Read and check the body, and give a way to read it again."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            content = await read_body(receive, route.max_body_bytes)
    except TimeoutError:
        raise Refusal(
            "incomplete_body", f"The body must arrive within {BODY_SECONDS:g} s."
        ) from None
    if route.body is not None and len(content) > _THREAD_BYTES:
        await to_thread.run_sync(check_body, content, route.body)
    elif route.body is not None:
        check_body(content, route.body)
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
