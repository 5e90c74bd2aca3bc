"""Connections: how a worker takes them, and HTTP on them with limits and errors in our shape.

asyncio gives all waiting connections to the worker that wakes first, and uvicorn waits without end
for the headers of a request, and for the first one of a connection.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any
from uuid import uuid4

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from kneerisk.messages.problem_document import MEDIA_TYPE
from kneerisk.words import text
from serving.monitoring import LOGGER
from serving.problem import SECURITY_HEADERS, Refusal, problem

#: All headers of a request together. A browser's are 1 to 2 kB, and 16 kB is what common servers
#: take at most (nginx: 4 buffers of 8 kB).
MAX_HEADER_BYTES = 16_384
#: From the first byte of a request, or the start of a connection, to the end of its headers;
#: nginx gives 60 s, but a phone on a bad network needs few (assumption).
HEADER_SECONDS = 10.0
HEADERS_TOO_LARGE = text("service.request.headers_too_large", most=f"{MAX_HEADER_BYTES:,}")
#: A client that reads nothing of its answer for so long is cut off (assumption).
READ_SECONDS = 60.0
#: Open connections of one worker; each costs some 20 kB and a file descriptor of 1,024.
MAX_CONNECTIONS = 800
#: Connections that wait until a worker takes them (what the system allows may be less).
_QUEUED_CONNECTIONS = 2_048


class FairEventLoop(asyncio.SelectorEventLoop):
    """Takes one waiting connection at a time.

    asyncio takes all that wait, so the worker that wakes first would get every connection of
    clients that keep them open. One at a time, each goes to the worker with the most time left.
    """

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        """Listen as asyncio does, with a long queue of which one is taken at a time."""
        server = await super().create_server(*arguments, **(options | {"backlog": 1}))
        if sock := options.get("sock"):
            sock.listen(_QUEUED_CONNECTIONS)
            # asyncio does so for sockets of its own. Else the end of an answer waits until the
            # client has confirmed its beginning, up to 40 ms; accepted connections inherit it.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make the event loop of a worker."""
    return FairEventLoop()


class BoundedHttp(H11Protocol):
    """One connection whose headers must arrive in time."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one connection too many; expect the headers of the first request."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            detail = text("service.request.connections")
            self._refuse(Refusal("busy", detail, headers={"retry-after": "2"}))
            return
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that begin a request start the time of its headers."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._headers_arrived()
        elif self._deadline is None and not self.transport.is_closing():
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._headers_arrived()
        self._answer_read()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, or has too large headers."""
        # uvicorn calls this while it handles h11's error, which knows the better status.
        if getattr(sys.exception(), "error_status_hint", 400) == 431:
            self._refuse(Refusal("headers_too_large", HEADERS_TOO_LARGE))
        else:
            self._refuse(Refusal("malformed_request", msg))

    def pause_writing(self) -> None:
        """Wait for a client that does not read its answer, but not without end."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on where the client reads again."""
        self._answer_read()
        super().resume_writing()

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._headers_late)

    def _headers_arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _answer_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _headers_late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            detail = text("service.request.headers_late", seconds=f"{HEADER_SECONDS:g}")
            self._refuse(Refusal("incomplete_request", detail))

    def _refuse(self, refusal: Refusal) -> None:
        """Send a problem and close the connection; only close it where an answer has begun."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        request_id = str(uuid4())
        body = problem(refusal, request_id)
        content = body.as_json()
        headers: list[tuple[str, str]] = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(content))),
            ("connection", "close"),
            ("x-request-id", request_id),
            *SECURITY_HEADERS.items(),
            *refusal.headers.items(),
        ]
        events: tuple[Any, ...] = (
            h11.Response(
                status_code=body.status, headers=headers, reason=STATUS_PHRASES[body.status]
            ),
            h11.Data(data=content),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        LOGGER.info("a connection was answered %d, request %s", body.status, request_id)
