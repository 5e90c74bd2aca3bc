"""A team that several workers answer: the same bytes, whoever answers, and whoever does not."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Thread, get_native_id
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kneerisk.answer.compose_answer import PARTS
from kneerisk.model import Bundle
from kneerisk.schema.own_measures import NO_OWN_MEASURES
from serving import team_shares
from serving.capacity import SHORT_ANSWERS
from serving.champion_holder import Champion, ChampionHolder
from serving.monitoring import Metrics
from serving.request_examples import EXAMPLE
from serving.team_endpoint import SHARED_FROM, Team, answer_team, results_of
from serving.team_shares import Shares, take_shares
from serving.team_turns import MOST_AT_ONCE
from serving.worker_sockets import FOLDER_VARIABLE, ask, listen, other_workers

#: Of some the answer is whole, of some little is known, one has a fault.
BODIES = [EXAMPLE, {"athlete": {}}, {"athlete": {"age_years": "old"}}, *[{"athlete": {}}] * 60]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that workers find each other in; nobody has asked this one."""
    folder = tmp_path_factory.mktemp("w")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setattr(SHORT_ANSWERS, "queue", asyncio.Lock())
    monkeypatch.setattr(SHORT_ANSWERS, "asked_at", float("-inf"))
    return folder


def as_another_worker(start: Callable[[], None]) -> None:
    """Start listening as if this were another process."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(os, "getpid", lambda: 1)
        start()


def team(bundle: Bundle) -> bytes:
    return b"".join(asyncio.run(answer_team(bundle, Team(screenings=BODIES), frozenset(PARTS))))


@pytest.fixture(scope="module")
def alone(released: Bundle) -> bytes:
    return team(released)


@pytest.fixture
def shares_taken(
    folder: Path,
    released: Bundle,
) -> list[int]:
    """Another worker with this champion; the places of the shares that it answers."""
    taken: list[int] = []

    def counted(bundle: Bundle, some: Any, fields: Any, start: int) -> bytes:
        taken.append(start)
        return results_of(bundle, some, fields, start)

    champion = ChampionHolder(Metrics())
    champion.served = Champion(released, NO_OWN_MEASURES)
    as_another_worker(lambda: take_shares(champion, counted))
    return taken


def test_a_shared_team_has_the_bytes_of_one_that_is_not(
    released: Bundle, alone: bytes, shares_taken: list[int]
) -> None:
    assert len(other_workers()) == 1
    assert team(released) == alone
    assert shares_taken
    assert alone.count(b'"index":') == len(BODIES) > SHARED_FROM


def test_a_worker_that_was_asked_lately_takes_no_share(
    released: Bundle, alone: bytes, shares_taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_shares, "others_ask", lambda: True)
    assert team(released) == alone
    assert not shares_taken


def test_a_worker_with_another_model_takes_no_share(
    released: Bundle, alone: bytes, shares_taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = team_shares._model
    models = iter(range(1_000))
    monkeypatch.setattr(team_shares, "_model", lambda bundle: asked(bundle) | {"n": next(models)})
    assert team(released) == alone
    assert not shares_taken


def _dead(path: Path) -> None:
    """What a worker that was killed leaves behind: its socket, which nobody listens on."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def _dying(path: Path) -> None:
    """A worker that ends when it has read what it was asked."""
    listener = Listener(str(path), "AF_UNIX")

    def end() -> None:
        with listener, listener.accept() as connection:
            connection.recv_bytes()

    Thread(target=end, daemon=True).start()


def _faulty(_: Path) -> None:
    """A worker in which an answer fails."""
    as_another_worker(lambda: listen(lambda _: b""))


@pytest.mark.parametrize("worker", [_dead, _dying, _faulty])
def test_what_another_worker_does_not_answer_is_answered_all_the_same(
    released: Bundle, alone: bytes, folder: Path, worker: Callable[[Path], None]
) -> None:
    worker(folder / "1.worker")
    assert len(other_workers()) == 1
    assert team(released) == alone


def test_a_fault_of_ours_in_another_worker_is_not_its_end(
    released: Bundle, alone: bytes, folder: Path
) -> None:
    def fails(*_: Any) -> bytes:
        raise ZeroDivisionError

    champion = ChampionHolder(Metrics())
    champion.served = Champion(released, NO_OWN_MEASURES)
    as_another_worker(lambda: take_shares(champion, fails))
    assert len(list(folder.iterdir())) == 1
    assert [team(released) for _ in range(2)] == [alone, alone]


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness of its own")
def test_who_answers_another_worker_does_so_after_others(folder: Path) -> None:
    def niceness(_: bytes) -> bytes:
        return str(os.getpriority(os.PRIO_PROCESS, get_native_id())).encode()

    as_another_worker(lambda: listen(niceness))
    assert int(ask(folder / "1.worker", b"")) > os.getpriority(os.PRIO_PROCESS, get_native_id())


def test_without_a_folder_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    listen(lambda _: b"")
    assert not other_workers()


def test_a_folder_whose_path_is_too_long_for_a_socket_shares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    listen(lambda _: b"")
    assert not other_workers()


@given(st.integers(0, 200), st.data())
def test_each_screening_is_taken_once_whatever_is_given_back(count: int, data: Any) -> None:
    shares, taken = Shares(list(range(count))), []
    while shares.are_left:
        places = shares.take(data.draw(st.integers(1, MOST_AT_ONCE)))
        if data.draw(st.integers(0, 3)) == 0:
            shares.give_back(places)
        else:
            taken += shares.screenings(places)
    assert sorted(taken) == list(range(count))
    assert not shares.take(1)
