"""How much of a team is answered in one go, so that others hardly wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from serving.capacity import SHORT_ANSWERS

#: Screenings that are answered in one go at most, some 50 ms: each further one saves less
#: (assumption).
MOST_AT_ONCE = 16
#: Others are taken to go on asking for so long after the latest of their short answers (assumption:
#: one who is at the page or a program that asks one by one).
_OTHERS_ASK_SECONDS = 0.25
#: A turn is so much as long as the wait for it: those who wait for it wait less than they make the
#: team wait (assumption).
_TURN_PER_WAIT = 0.5
#: What arrives while a turn lasts is read, checked and queued in so long (assumption: half of what
#: goes around an answer, some 0.7 ms, comes before it).
_GIVE_WAY_SECONDS = 0.001


def others_ask() -> bool:
    """Whether this worker was asked for a short answer lately."""
    return time.perf_counter() - SHORT_ANSWERS.asked_at <= _OTHERS_ASK_SECONDS


class TeamTurns:
    """The turns of one team, which is answered in a thread.

    A thread and the event loop compete for the interpreter, so that a short answer takes more than
    twice as long beside it. While others ask, a team queues among their short answers instead, and
    a turn is half as long as the wait for it: a single client meets turns of one screening, and
    many clients don't keep a team waiting for ever.
    """

    def __init__(self) -> None:
        self._seconds_each = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Wait for a turn; gives how many screenings to answer in it."""
        if not others_ask():
            with self._learning(MOST_AT_ONCE):
                yield MOST_AT_ONCE
            return
        await asyncio.sleep(_GIVE_WAY_SECONDS)
        since = time.perf_counter()
        async with SHORT_ANSWERS.queue:
            count = self._as_many_as_take(_TURN_PER_WAIT * (time.perf_counter() - since))
            with self._learning(count):
                yield count

    def _as_many_as_take(self, seconds: float) -> int:
        """How many screenings are answered in so long: one at least, and where nothing is known."""
        if not self._seconds_each:
            return 1
        return max(1, min(MOST_AT_ONCE, int(seconds / self._seconds_each)))

    @contextmanager
    def _learning(self, count: int) -> Iterator[None]:
        """Learn what a screening takes from a turn of so many."""
        started = time.perf_counter()
        yield
        self._seconds_each = (time.perf_counter() - started) / count
