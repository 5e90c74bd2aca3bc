"""How much one worker takes on at once: held bodies, large requests, clients that have left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Receive

from kneerisk.words import text
from serving.problem import Refusal

#: All bodies that a worker holds at once; the largest single one is 10 MB.
MAX_HELD_BYTES = 60_000_000
#: Large requests that wait for their turn; each is answered within seconds (assumption).
MAX_WAITING = 16

_RETRY = {"retry-after": "2"}


class ClientLeft(Exception):
    """The client has closed the connection, so that nobody reads the answer."""


@dataclass(slots=True)
class HeldBodies:
    """Counts the bytes of all bodies that a worker has read and not yet answered."""

    held_bytes: int = 0

    @contextmanager
    def counting(self) -> Iterator[Callable[[int], None]]:
        """Give a function that counts further bytes of one body; at the end they are given back.

        The function raises `Refusal` where the worker would hold too much.
        """
        own_bytes = 0

        def count(size: int) -> None:
            nonlocal own_bytes
            if self.held_bytes + size > MAX_HELD_BYTES:
                raise Refusal("busy", text("service.request.large_bodies"), headers=_RETRY)
            self.held_bytes += size
            own_bytes += size

        try:
            yield count
        finally:
            self.held_bytes -= own_bytes


@dataclass(slots=True)
class Lane:
    """Lets large requests of a kind pass one after the other."""

    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _waiting: int = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn of a request; raises `Refusal` where too many wait already."""
        if self._waiting >= MAX_WAITING:
            raise Refusal("busy", text("service.request.large_requests"), headers=_RETRY)
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()


async def while_connected(answer: Callable[[Receive], Awaitable[None]], receive: Receive) -> None:
    """Answer a request, but no longer than its client waits.

    Parameters
    ----------
    answer
        Answers; it is given a channel on which nothing more arrives.
    receive
        The request's channel, whose body has been read.

    Raises
    ------
    ClientLeft
        Where the client has closed the connection before the answer was complete.
    """

    async def nothing() -> Message:
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    answering = asyncio.ensure_future(answer(nothing))
    watching = asyncio.ensure_future(left())
    try:
        await asyncio.wait((answering, watching), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientLeft
        await answering
    finally:
        for task in (answering, watching):
            task.cancel()
        await asyncio.gather(answering, watching, return_exceptions=True)
