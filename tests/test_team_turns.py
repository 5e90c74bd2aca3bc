"""A team's turns: whole while nobody else asks, among others' short answers while they do."""

from __future__ import annotations

import asyncio
import math

import pytest

from kneerisk.answer.compose_answer import PARTS
from kneerisk.model import Bundle
from serving import capacity, team_turns
from serving.capacity import SHORT_ANSWERS, short_answer
from serving.request_examples import EXAMPLE
from serving.team_endpoint import Team, answer_team
from serving.team_turns import MOST_AT_ONCE, TeamTurns


class Clock:
    """Stands for the clock of both modules; it goes on only where a test lets it."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (capacity, team_turns):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def nobody_has_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has an event loop of its own, and so a queue."""
    monkeypatch.setattr(SHORT_ANSWERS, "queue", asyncio.Lock())
    monkeypatch.setattr(SHORT_ANSWERS, "asked_at", -math.inf)


async def one_short_answer() -> None:
    async with short_answer():
        pass


def test_where_nobody_else_asks_many_are_answered_at_once_beside_the_loop(clock: Clock) -> None:
    async def served() -> int:
        await one_short_answer()
        clock.now += 1.0
        async with TeamTurns().turn() as count:
            await one_short_answer()
            return count

    assert asyncio.run(served()) == MOST_AT_ONCE


def test_while_others_ask_a_turn_is_half_as_long_as_the_wait_for_it(clock: Clock) -> None:
    counts = []

    async def turn(turns: TeamTurns, seconds: float) -> None:
        async with turns.turn() as count:
            counts.append(count)
            clock.now += seconds

    async def waited(turns: TeamTurns, seconds: float) -> None:
        async with short_answer():
            waiting = asyncio.create_task(turn(turns, 0.02))
            while not SHORT_ANSWERS.queue._waiters:
                await asyncio.sleep(0)
            clock.now += seconds
        await waiting

    async def served() -> None:
        turns = TeamTurns()
        await one_short_answer()
        await turn(turns, 0.02)
        for seconds in (0.02, 0.13, 5.0):
            await waited(turns, seconds)

    asyncio.run(served())
    # A screening took 20 ms when the second turn had waited for 20 and the third for 130.
    assert counts == [1, 1, 3, MOST_AT_ONCE]


def test_who_waits_already_is_answered_before_the_team() -> None:
    order = []

    async def single(name: str) -> None:
        async with short_answer():
            order.append(name)

    async def team() -> None:
        turns = TeamTurns()
        for name in ("first turn", "second turn"):
            async with turns.turn():
                if name == "first turn":
                    arrived.extend(asyncio.create_task(single(n)) for n in ("a", "b"))
                order.append(name)

    arrived: list[asyncio.Task[None]] = []

    async def served() -> None:
        await one_short_answer()
        await team()
        await asyncio.gather(*arrived)

    asyncio.run(served())
    assert order == ["first turn", "a", "b", "second turn"]


def test_a_team_is_answered_alike_in_whatever_turns(released: Bundle) -> None:
    bodies = [EXAMPLE, {"athlete": {}}, {"athlete": {"age_years": 30, "sex": "male"}}]
    team, fields = Team(screenings=bodies), frozenset(PARTS)

    async def beside_others() -> bytes:
        await one_short_answer()
        return b"".join(await answer_team(released, team, fields))

    alone = b"".join(asyncio.run(answer_team(released, team, fields)))
    assert asyncio.run(beside_others()) == alone
    assert alone.count(b'"index":') == len(bodies)
