"""What one connection, one body and one large request may take of a worker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from kneerisk.cohort.sheets.lexicon.units import _units_by_word
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from serving import capacity, connections, sheet_import
from serving.body_validation import count_values
from serving.capacity import ClientLeft, HeldBodies, Lane, short_answer, while_connected
from serving.connections import BoundedHttp, FairEventLoop
from serving.problem import Refusal
from serving.request_examples import EXAMPLE
from serving.routes import ROUTES
from serving.sheet_import import prepare, read_in_child

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
SHORT = 0.05

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads the body and answers in a word."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def over(talk: Callable[[str, int], Awaitable[Any]], app: Any = hello) -> Any:
    """Serve an application on the worker's event loop, and talk to it."""

    async def serve() -> Any:
        config = Config(app, log_config=None, http=BoundedHttp, h11_max_incomplete_event_size=16384)
        config.load()
        loop, state = asyncio.get_running_loop(), ServerState()
        server = await loop.create_server(lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0)
        async with server:
            result = await talk(*server.sockets[0].getsockname())
            for connection in list(state.connections):
                connection.transport.abort()
            return result

    with asyncio.Runner(loop_factory=FairEventLoop) as runner:
        return runner.run(serve())


@asynccontextmanager
async def connected(host: str, port: int) -> AsyncIterator[Stream]:
    """A connection, closed at the end."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def test_the_event_loop_takes_in_what_has_arrived_between_two_answers() -> None:
    rounds, made_in = 0, []

    def count() -> None:
        nonlocal rounds
        rounds += 1
        asyncio.get_running_loop().call_soon(count)

    async def make() -> None:
        async with short_answer():
            made_in.append(rounds)

    async def make_several() -> None:
        count()
        await asyncio.gather(*(make() for _ in range(5)))

    asyncio.run(make_several())
    assert len(set(made_in)) == len(made_in) == 5


def test_the_end_of_an_answer_does_not_wait_for_its_beginning_to_be_confirmed() -> None:
    async def accepted() -> int:
        taken: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

        class Taken(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                taken.set_result(transport)

        # As uvicorn makes it: asyncio does not see that it is one of TCP.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind(("127.0.0.1", 0))
        server = await asyncio.get_running_loop().create_server(Taken, sock=listening)
        async with server, connected(*listening.getsockname()):
            transport = await taken
            own: socket.socket = transport.get_extra_info("socket")
            option = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.close()
            return option

    with asyncio.Runner(loop_factory=FairEventLoop) as runner:
        assert runner.run(accepted())


def sent(*pieces: bytes) -> Callable[[str, int], Awaitable[bytes]]:
    """Send pieces one after the other, and read until the service closes the connection."""

    async def talk(host: str, port: int) -> bytes:
        async with connected(host, port) as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()

    return talk


def code(answer: bytes) -> tuple[int, str]:
    """Status and code of a problem as it came over the wire."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    document = json.loads(body)
    assert document["status"] == int(head.split()[1])
    return document["status"], document["code"]


class TestConnection:
    @pytest.mark.parametrize("begun", [b"", b"GE", GET, GET + b"X: y"])
    def test_headers_that_do_not_arrive_are_given_up(
        self, begun: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "HEADER_SECONDS", SHORT)
        assert code(over(sent(begun))) == (408, "incomplete_request")

    def test_so_are_those_of_a_second_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "HEADER_SECONDS", SHORT)

        async def talk(host: str, port: int) -> bytes:
            async with connected(host, port) as (reader, writer):
                writer.write(GET + b"\r\n")
                await reader.readuntil(b"hello")
                writer.write(GET)
                return await reader.read()

        assert code(over(talk)) == (408, "incomplete_request")

    def test_a_slow_body_is_not_the_header_s_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "HEADER_SECONDS", SHORT)

        async def talk(host: str, port: int) -> bytes:
            async with connected(host, port) as (reader, writer):
                writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 4 * SHORT)
                writer.write(b"b")
                return await reader.readuntil(b"hello")

        assert over(talk).startswith(b"HTTP/1.1 200")

    @pytest.mark.parametrize("size", [20_000, 60_000])
    def test_too_large_headers_are_refused(self, size: int) -> None:
        assert code(over(sent(GET + b"X: " + b"y" * size))) == (431, "headers_too_large")

    @pytest.mark.parametrize(
        "text",
        [
            b"\x00\x01\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\n:\r\n\r\n",
            GET + b"Content-Length: x\r\n\r\n",
            GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ],
    )
    def test_what_is_not_http_is_a_problem_too(self, text: bytes) -> None:
        assert code(over(sent(text))) == (400, "malformed_request")

    def test_a_body_that_breaks_off_into_nonsense_ends_the_connection(self) -> None:
        chunked = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        assert code(over(sent(chunked))) == (400, "malformed_request")

    def test_too_many_connections_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)

        async def talk(host: str, port: int) -> bytes:
            async with connected(host, port), connected(host, port):
                return await sent()(host, port)

        assert code(over(talk)) == (503, "busy")

    def test_a_client_that_does_not_read_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "READ_SECONDS", SHORT)
        ended = asyncio.Event()

        async def flood(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            piece = {"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True}
            for _ in range(100):
                await send(piece)
            ended.set()

        async def talk(host: str, port: int) -> None:
            async with connected(host, port) as (_, writer):
                writer.write(GET + b"\r\n")
                await asyncio.wait_for(ended.wait(), 30)

        over(talk, flood)


class TestCapacity:
    def test_large_requests_pass_one_after_the_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capacity, "MAX_WAITING", 2)
        order: list[str] = []

        async def request(lane: Lane, name: str) -> None:
            try:
                async with lane.turn(1):
                    order.append(f"{name} begins")
                    await asyncio.sleep(0)
                    order.append(f"{name} ends")
            except Refusal as refusal:
                order.append(f"{name} {refusal.code}")

        async def requests() -> None:
            lane = Lane(largest=1_000, largest_seconds=1)
            await asyncio.gather(*(request(lane, name) for name in "abcd"))
            await request(lane, "e")

        asyncio.run(requests())
        turns = [f"{name} {what}" for name in "abce" for what in ("begins", "ends")]
        assert order == [turns[0], "d busy", *turns[1:]]

    def test_a_large_request_that_would_come_too_late_is_refused_at_once(self) -> None:
        told: dict[int, str] = {}

        async def request(lane: Lane, size: int, ended: asyncio.Event) -> None:
            try:
                async with lane.turn(size):
                    told[size] = "answered"
                    await ended.wait()
            except Refusal as refusal:
                told[size] = f"{refusal.code} for {refusal.headers['retry-after']} s"

        async def requests() -> None:
            lane, ended = Lane(largest=100, largest_seconds=40), asyncio.Event()
            sent = [asyncio.ensure_future(request(lane, size, ended)) for size in (99, 20, 30)]
            while 30 not in told:
                await asyncio.sleep(0)
            assert told == {99: "answered", 30: "busy for 48 s"}
            ended.set()
            await asyncio.gather(*sent)
            # Whatever it may take, one that comes alone is tried.
            await request(Lane(largest=100, largest_seconds=1_000), 100, ended)

        asyncio.run(requests())
        assert told == {99: "answered", 20: "answered", 30: "busy for 48 s", 100: "answered"}

    def test_a_large_request_waits_no_longer_than_an_answer_may_take(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(capacity, "ANSWER_SECONDS", 0.01)

        async def requests() -> None:
            lane = Lane(largest=1, largest_seconds=0.001)
            async with lane.turn(1):
                with pytest.raises(Refusal, match="busy"):
                    async with lane.turn(1):
                        pass
            async with lane.turn(1):
                pass

        asyncio.run(requests())

    def test_what_large_requests_take_is_learnt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(capacity, "time", SimpleNamespace(perf_counter=lambda: clock.now))
        lane = Lane(largest=100, largest_seconds=40)

        async def takes(size: int, seconds: float, fails: bool = False) -> float:
            with suppress(ClientLeft):
                async with lane.turn(size):
                    clock.now += seconds
                    if fails:
                        raise ClientLeft
            return round(lane.largest_seconds, 1)

        async def requests() -> list[float]:
            return [
                await takes(100, 10), await takes(100, 0, fails=True), await takes(1, 0.15),
                await takes(100, 30, fails=True),
            ]  # fmt: skip

        assert asyncio.run(requests()) == [9.8, 9.8, 9.8, 30.0]

    def test_held_bodies_are_counted_and_given_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capacity, "MAX_HELD_BYTES", 10)
        held = HeldBodies()
        with held.counting() as first, held.counting() as second:
            first(6)
            with pytest.raises(Refusal, match="busy"):
                second(5)
            second(4)
        assert held.held_bytes == 0

    def test_an_answer_ends_with_its_client(self) -> None:
        ended: list[str] = []

        async def answer(_: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("answer")

        async def leave() -> Any:
            return {"type": "http.disconnect"}

        with pytest.raises(ClientLeft):
            asyncio.run(while_connected(answer, leave))
        assert ended == ["answer"]

    def test_a_mistake_in_an_answer_is_raised(self) -> None:
        async def answer(_: Any) -> None:
            raise ValueError("ours")

        async def stay() -> Any:
            await asyncio.Event().wait()

        with pytest.raises(ValueError, match="ours"):
            asyncio.run(while_connected(answer, stay))

    def test_a_full_body_has_far_fewer_values_than_its_limit(self) -> None:
        assert count_values(json.dumps(EXAMPLE).encode()) * 20 < ROUTES["/v1/predict"].max_values


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that are started to read a sheet."""
    started: list[Any] = []
    start = sheet_import._start

    def noted(*what: Any) -> Any:
        connection, process = start(*what)
        started.append(process)
        return connection, process

    monkeypatch.setattr(sheet_import, "_start", noted)
    return started


def _is_built() -> bool:
    """Whether this process, or the one it was forked from, has read a sheet to warm up."""
    return "serving.warm_sheet_reader" in sys.modules


def tell_what_is_built(connection: Any) -> None:
    """In a child: whether its server has read a sheet, and whether units are at hand."""
    connection.send((_is_built(), _units_by_word.cache_info().currsize > 0))


def ask_a_child() -> Any:
    """What a child says is built, and whether the worker took part in it."""
    prepare()
    ours, theirs = sheet_import._context.Pipe()
    process = sheet_import._context.Process(target=tell_what_is_built, args=(theirs,))
    process.start()
    told = ours.recv()
    process.join()
    return told, _is_built()


class TestSheetProcess:
    SHEET = b"Name,Age,Sex\nA,27,f\n"
    FILES = (SquadFile("club.csv", SHEET),)

    def test_a_sheet_is_read_in_a_child_that_ends(self, children: list[Any]) -> None:
        answer = json.loads(asyncio.run(read_in_child(self.FILES, None)))
        assert answer["counts"]["ready"] == 1
        assert [process.exitcode is None for process in children] == [False]

    def test_a_child_that_dies_is_a_clear_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        start = sheet_import._start

        def killed(_: Any, *what: Any) -> Any:
            large = SquadFile("club.csv", b"Name,Age\n" + b"A,1\n" * 100_000)
            connection, process = start([large], *what)
            os.kill(process.pid or 0, signal.SIGKILL)
            return connection, process

        monkeypatch.setattr(sheet_import, "_start", killed)
        with pytest.raises(Refusal) as refused:
            asyncio.run(read_in_child(self.FILES, None))
        assert refused.value.code == "unreadable_sheet"
        assert "stopped" in refused.value.detail

    def test_one_that_takes_too_long_is_ended(
        self, children: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sheet_import, "WALL_SECONDS", 0.0)
        with pytest.raises(Refusal) as refused:
            asyncio.run(read_in_child(self.FILES, None))
        assert "too long" in refused.value.detail
        assert children[0].exitcode is not None

    def test_one_whose_client_has_left_is_ended(self, children: list[Any]) -> None:
        async def leave() -> None:
            reading = asyncio.ensure_future(read_in_child(self.FILES, None))
            while not children:
                await asyncio.sleep(0.01)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

        asyncio.run(leave())
        assert children[0].exitcode is not None

    def test_it_finds_built_what_its_reader_needs(self) -> None:
        # In a process of its own, since a server of children starts only once.
        code = "from test_http_limits import ask_a_child as ask; print(ask())"
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "((True, True), False)\n"

    def test_its_limits_are_set_before_it_reads(self) -> None:
        # In a process of its own, since they can't be taken back.
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            import resource

            sheet_import._limit_itself()
            limits = [resource.getrlimit(kind)[0] for kind in
                      (resource.RLIMIT_CORE, resource.RLIMIT_CPU, resource.RLIMIT_AS)]  # fmt: skip
            os.write(writes, json.dumps(limits).encode())
            os._exit(0)
        os.waitpid(child, 0)
        core, processor_seconds, memory = json.loads(os.read(reads, 1_000))
        assert (core, processor_seconds) == (0, 15)
        assert psutil.Process().memory_info().vms < memory < 2**40
        assert threading.active_count() < 50
