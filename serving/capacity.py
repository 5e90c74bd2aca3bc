"""How much one worker takes on at once: held bodies, large requests, clients that have left."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Receive

from kneerisk.words import text
from serving.problem import Refusal

#: All bodies that a worker holds at once; the largest single one is 10 MB.
MAX_HELD_BYTES = 60_000_000
#: Large requests that wait for their turn (assumption).
MAX_WAITING = 16
#: From a request to the beginning of its answer; proxies commonly wait for 60 s (nginx's
#: `proxy_read_timeout`).
ANSWER_SECONDS = 50.0
#: From the turn of a large request, which is expected to take less than the time above: what has
#: begun is not thrown away where the machine is busier than it was (assumption).
LARGE_ANSWER_SECONDS = 150.0
#: What each large request takes whatever its size, as a share of the largest's (assumption).
_SHARE_OF_EACH = 0.005

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
    """Lets large requests of a kind pass one after the other; refuses what would come too late.

    One that comes while no other is there is always let through.

    Attributes
    ----------
    largest
        The size of the largest request, in whatever unit sizes are given.
    largest_seconds
        How long it takes; learnt from what passes.
    """

    largest: int
    largest_seconds: float
    _ahead_seconds: float = 0.0
    """What those that wait and the one that is being answered are expected to take."""
    _waiting: int = 0
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncIterator[None]:
        """Wait for the turn of a request; raises `Refusal` where it would not come in time."""
        share = size / self.largest + _SHARE_OF_EACH
        expected_seconds = share * self.largest_seconds
        late = self._ahead_seconds + expected_seconds > ANSWER_SECONDS
        if self._ahead_seconds and (late or self._waiting >= MAX_WAITING):
            raise _busy(self._ahead_seconds)
        self._ahead_seconds += expected_seconds
        try:
            await self._wait()
            with self._learning(share):
                yield
        finally:
            self._ahead_seconds -= expected_seconds

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise _busy(self._ahead_seconds) from None
        finally:
            self._waiting -= 1

    @contextmanager
    def _learning(self, share: float) -> Iterator[None]:
        """Give the turn back, and learn from how long it took, the more the larger it was."""
        started, is_whole = time.perf_counter(), False
        try:
            yield
            is_whole = True
        finally:
            self._turn.release()
            more_seconds = time.perf_counter() - started - share * self.largest_seconds
            # One that was refused or left says only that it takes no less.
            if is_whole or more_seconds > 0:
                self.largest_seconds += more_seconds


@dataclass(slots=True)
class ShortAnswers:
    """The queue of a worker's short answers: they are made one after the other, as asked for.

    ``asked_at`` is when the latest was asked for, in seconds of `time.perf_counter`.
    """

    queue: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked_at: float = -math.inf


SHORT_ANSWERS = ShortAnswers()


@asynccontextmanager
async def short_answer(is_made: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
    """Make a short answer on the event loop, which takes in what has arrived before the next.

    Many that are made in one go keep new connections waiting, of which each go takes one. Where
    ``is_made`` says that another's turn has made it already, the next turn begins at once.
    """
    SHORT_ANSWERS.asked_at = time.perf_counter()
    async with SHORT_ANSWERS.queue:
        if not is_made():
            await asyncio.sleep(0)
        yield


def _busy(seconds: float) -> Refusal:
    retry = {"retry-after": f"{max(2, math.ceil(seconds))}"}
    return Refusal("busy", text("service.request.large_requests"), headers=retry)


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
