"""The service while its model changes and while its processes are killed.

`make test` runs the short forms, `make harness` the long ones.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import psutil
import pytest
from http_client import Client, Request
from published_bodies import Generator
from served import Served, free_port, served
from store_faults import command, project

from kneerisk.answer import answer
from kneerisk.model import bundle, champion
from kneerisk.schema import Screening
from pipelines import services
from pipelines.services import ProcessRecord, Service
from serving.request_examples import EXAMPLE

pytestmark = pytest.mark.slow

START_SECONDS = 120.0
PREDICT = "/v1/predict"


def bodies(count: int) -> list[bytes]:
    """Valid screenings, the first of them the documents' example."""
    made = Generator(Screening.model_json_schema(), random.Random(3))
    valid: list[bytes] = [json.dumps(EXAMPLE).encode()]
    while len(valid) < count:
        body = json.dumps(made.body(0.3)).encode()
        with suppress(ValueError):
            Screening.model_validate_json(body)
            valid.append(body)
    return valid


def expected(models: Path, version: str, sent: list[bytes]) -> list[bytes]:
    """What a released version answers to each body, byte for byte."""
    released = bundle.load(models / version)
    screenings = [Screening.model_validate_json(body) for body in sent]
    return [answer(released, s).model_dump_json(exclude_none=True).encode() for s in screenings]


@dataclass
class Load:
    """Clients that ask all the time, each on a connection of its own."""

    url: str
    sent: list[bytes]
    right: dict[bytes, tuple[int, str]]
    """The answers that may come: which body they are for, and of which version."""
    versions: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    wrong: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _ask(self, first: int) -> None:
        client = Client(self.url)
        for index in cycle((*range(first, len(self.sent)), *range(first))):
            if self._ended.is_set():
                break
            try:
                reply = client.ask(Request("POST", PREDICT, (), self.sent[index]))
                self._note(index, reply.status, reply.body)
            except Exception as error:  # noqa: BLE001 - each is a failed request
                with self._lock:
                    self.failed.append(f"{type(error).__name__}: {error}")
        client.close()

    def _note(self, index: int, status: int, body: bytes) -> None:
        of, version = self.right.get(body, (-1, ""))
        with self._lock:
            if status != 200:
                self.failed.append(f"status {status}")
            elif of != index:
                self.wrong += 1
            else:
                self.versions[version] += 1

    @contextmanager
    def running(self, clients: int) -> Iterator[None]:
        """Ask with so many clients."""
        threads = [
            threading.Thread(target=self._ask, args=(number % len(self.sent),))
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


def answers_of(models: Path, versions: list[str], sent: list[bytes]) -> dict[bytes, Any]:
    return {
        body: (index, version)
        for version in versions
        for index, body in enumerate(expected(models, version, sent))
    }


def is_served(running: Served, version: str) -> Callable[[], bool]:
    """Whether every worker answers with a version: both are asked by several connections."""

    def all_workers() -> bool:
        return all(
            running.post(PREDICT, EXAMPLE).json()["model"]["version"] == version for _ in range(6)
        )

    return all_workers


def test_each_answer_under_swaps_is_one_of_its_version(
    champion_models: Path, tmp_path: Path
) -> None:
    models, sent = tmp_path / "models", bodies(6)
    shutil.copytree(champion_models, models)
    named = champion.read(models)
    assert named is not None
    first, second = named.version, f"{named.version}-again"
    released = bundle.load(named.folder)
    moved = replace(released.model.calibration, intercept=released.model.calibration.intercept + 1)
    other = replace(released.model, calibration=moved)
    digests = {
        first: named.sha256,
        second: bundle.save(other, replace(released.metadata, version=second), models / second),
    }
    with served(tmp_path, KNEERISK_MODELS=str(models)) as running:
        running.until(lambda: running.alive("/readyz"))
        load = Load(running.url, sent, answers_of(models, [first, second], sent))
        with load.running(8):
            for version in (second, first):
                champion.write(models, version, digests[version], None)
                running.until(is_served(running, version), START_SECONDS)
    assert (load.failed, load.wrong) == ([], 0)
    assert set(load.versions) == {first, second}


@pytest.mark.harness
def test_promotions_and_rollbacks_under_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, sent = project(tmp_path / "project"), bodies(12)
    back, new = (f"kneerisk-new_pain-12m-v{number}" for number in (2, 3))
    # Released once, so that its answers are known, and taken back.
    for arguments in (("promote", new), ("rollback",)):
        assert command(folder, *arguments).code == 0
    with served(tmp_path, KNEERISK_MODELS=str(folder / "models")) as running:
        running.until(lambda: running.alive("/readyz"))
        load = Load(running.url, sent, answers_of(folder / "models", [back, new], sent))
        started = time.monotonic()
        with load.running(32):
            for number in range(20):
                arguments, version = (("promote", new), new) if number % 2 == 0 else (
                    ("rollback",), back)  # fmt: skip
                ended = command(folder, *arguments)
                assert ended.code == 0, ended.err
                running.until(is_served(running, version), 120)
            running.until(lambda: time.monotonic() - started > 60, 120)
        seconds = time.monotonic() - started
    tried = load.versions.total() + len(load.failed) + load.wrong
    with capsys.disabled():
        print(  # noqa: T201
            f"\nswaps: tried {tried} answers of 32 clients in {seconds:.0f} s, "
            f"10 promotions and 10 rollbacks, faults {len(load.failed) + load.wrong}"
        )
    assert (load.failed[:5], load.wrong) == ([], 0)
    assert set(load.versions) == {back, new}


#: What is killed with kill -9 before the service is stopped.
KILLED = ("supervisor", "a worker", "all workers", "nothing", "supervisor and a worker")


def killed(record: ProcessRecord, what: str) -> list[int]:
    """The ids of the processes of a running service to kill."""
    supervisor = psutil.Process(record.pid)
    workers = [
        child.pid
        for child in supervisor.children()
        if "spawn_main" in " ".join(child.cmdline()) or child.children()
    ]
    assert workers
    return {
        "supervisor": [record.pid], "a worker": workers[:1], "all workers": workers,
        "nothing": [], "supervisor and a worker": [record.pid, workers[0]],
    }[what]  # fmt: skip


def stopped_after(folder: Path, models: Path, what: str) -> list[str]:
    """Start the service, load it, kill something, stop it; what is left of it."""
    port = free_port()
    service = Service(
        name="service", port=port, port_variable="PORT", ready_path="/readyz", environment={},
        arguments=services.service_arguments(port, models),
    )  # fmt: skip
    with service.start(folder) as process:
        try:
            service.wait(folder, time.monotonic() + START_SECONDS)
            record = ProcessRecord.read(folder, "service")
            assert record is not None
            load = Load(service.address, bodies(2), {})
            with load.running(4):
                while not load.wrong:  # an answer has come
                    assert not load.failed
                    threading.Event().wait(0.02)
                for pid in killed(record, what):
                    os.kill(pid, signal.SIGKILL)
                services.stop(folder, "service")
        finally:
            # Else the block would wait for it without end.
            process.kill()
        process.wait(30)
    faults = [f"after {what}: {left.name()} is left" for left in record.processes()]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            faults.append(f"after {what}: the port is taken")
    if (folder / "service.json").exists():
        faults.append(f"after {what}: its record is left")
    return faults


@pytest.mark.parametrize("what", KILLED[:2])
def test_nothing_is_left_of_a_stopped_service(
    champion_models: Path, tmp_path: Path, what: str
) -> None:
    assert stopped_after(tmp_path / ".run", champion_models, what) == []


@pytest.mark.harness
def test_nothing_is_left_in_twenty_rounds(
    champion_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = [
        fault
        for number in range(20)
        for fault in stopped_after(tmp_path / ".run", champion_models, KILLED[number % len(KILLED)])
    ]
    with capsys.disabled():
        print(f"\nprocesses: tried 20 rounds, faults {len(faults)}")  # noqa: T201
    assert faults == []
