"""The one way out of the service: every answer has our headers, every error our shape."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

from starlette.types import Message, Send

from serving.connections import READ_SECONDS
from serving.problem import ERROR_FORM, SECURITY_HEADERS, Refusal, problem

_Headers = list[tuple[bytes, bytes]]
#: BentoML names itself and the service there; the id is ours.
_NEVER_PASSED_ON = {b"server", b"x-request-id"}


class SafeResponse:
    """The response on its way out: adds headers, and holds back any error of another shape."""

    def __init__(self, send: Send) -> None:
        self.request_id = str(uuid4())
        self.status = 0
        self.rate_headers: dict[str, str] = {}
        """Where the caller stands with its limits."""
        self.deadline: asyncio.Timeout | None = None
        """Set anew when the answer begins: its client has a time of its own to read it."""
        self._send = send
        self._held_back = False

    @property
    def is_late(self) -> bool:
        """Whether the time for the answer is over."""
        return self.deadline is not None and self.deadline.expired()

    async def send(self, message: Message) -> None:
        """Pass a message of the response on, unless it is late or an error that is no problem."""
        if message["type"] == "http.response.start":
            stated = list(message.get("headers", ()))
            media_type = dict(stated).get(b"content-type", b"")
            is_problem = media_type == ERROR_FORM.get().media_type.encode()
            self._held_back = (self.is_late or message["status"] >= 400) and not is_problem
            if self._held_back:
                return
            self.status = message["status"]
            if self.deadline and self.status < 400:
                self.deadline.reschedule(asyncio.get_running_loop().time() + READ_SECONDS)
            message["headers"] = self._completed(stated)
        if not self._held_back:
            await self._send(message)

    def _completed(self, stated: _Headers) -> _Headers:
        """The headers of an answer, and those that every answer has, unless it states its own."""
        kept = [header for header in stated if header[0] not in _NEVER_PASSED_ON]
        names = {name for name, _ in kept}
        added = [*_SECURITY_HEADERS, *_encoded(self.rate_headers)]
        own_id = (b"x-request-id", self.request_id.encode())
        return [*kept, own_id, *(header for header in added if header[0] not in names)]

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a problem, unless an answer is already on its way."""
        if self.status:
            return
        body = problem(refusal, self.request_id)
        form = ERROR_FORM.get()
        content, status = form.content(body), body.status
        headers = {"content-type": form.media_type, "content-length": str(len(content))}
        raw = _encoded(headers | refusal.headers)
        # A client that does not read its problem is not waited for longer than one of an answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await self.send({"type": "http.response.start", "status": status, "headers": raw})
                await self.send({"type": "http.response.body", "body": content})


def _encoded(headers: Mapping[str, str]) -> _Headers:
    """Headers as ASGI has them."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]


_SECURITY_HEADERS = _encoded(SECURITY_HEADERS)
