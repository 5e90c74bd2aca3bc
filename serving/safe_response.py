"""The one way out of the service: every answer has our headers, every error our shape."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from serving.connections import READ_SECONDS
from serving.problem import ERROR_FORM, SECURITY_HEADERS, Refusal, problem


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
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            is_problem = headers.get("content-type") == ERROR_FORM.get().media_type
            self._held_back = (self.is_late or message["status"] >= 400) and not is_problem
            if self._held_back:
                return
            self.status = message["status"]
            if self.deadline and self.status < 400:
                self.deadline.reschedule(asyncio.get_running_loop().time() + READ_SECONDS)
            headers["x-request-id"] = self.request_id
            # BentoML names itself and the service there.
            del headers["server"]
            for name, value in (SECURITY_HEADERS | self.rate_headers).items():
                headers.setdefault(name, value)
        if not self._held_back:
            await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a problem, unless an answer is already on its way."""
        if self.status:
            return
        body = problem(refusal, self.request_id)
        form = ERROR_FORM.get()
        content, status = form.content(body), body.status
        headers = {"content-type": form.media_type, "content-length": str(len(content))}
        raw = [(k.encode(), v.encode()) for k, v in (headers | refusal.headers).items()]
        # A client that does not read its problem is not waited for longer than one of an answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await self.send({"type": "http.response.start", "status": status, "headers": raw})
                await self.send({"type": "http.response.body", "body": content})
