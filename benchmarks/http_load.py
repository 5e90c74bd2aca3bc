"""Put load on an address of this machine and time its answers."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

_HEADERS = {"content-type": "application/json"}


@dataclass(slots=True)
class Target:
    """What is measured: an address, the body sent to it, and the process behind it."""

    name: str
    port: int
    path: str
    body: dict[str, Any]
    pid: int = 0
    per_second: list[float] = field(default_factory=list)
    """Requests a second with several clients, one value for each round."""
    milliseconds: list[float] = field(default_factory=list)
    """Time of each request of a single client."""
    crowded_milliseconds: list[float] = field(default_factory=list)
    """Time of each request where several clients ask at once."""
    processor_seconds: float = 0.0
    """What these took of the service's processor time."""


def time_request(target: Target, connection: HTTPConnection, body: bytes) -> float:
    """Send one request and return the seconds until its answer was read.

    Raises a RuntimeError unless the status is 200: a refusal is quick and says nothing about the
    time of an answer.
    """
    started = time.perf_counter()
    connection.request("POST", target.path, body, _HEADERS)
    response = connection.getresponse()
    answer = response.read()
    seconds = time.perf_counter() - started
    if response.status != 200:
        raise RuntimeError(f"{target.name} answered {response.status}: {answer[:300]!r}")
    return seconds


def load_with_one_client(target: Target, requests: int) -> None:
    """Time requests of a single client, one after another."""
    body = json.dumps(target.body).encode()
    connection = HTTPConnection("127.0.0.1", target.port, timeout=30)
    target.milliseconds += [1000 * time_request(target, connection, body) for _ in range(requests)]
    connection.close()


def load_with_many_clients(target: Target, clients: int, seconds: float) -> None:
    """Count the requests of several clients at once, each on a connection of its own."""
    body = json.dumps(target.body).encode()
    counts = [0] * clients
    failures: list[BaseException] = []
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", target.port, timeout=30)
        try:
            while time.perf_counter() < end and not failures:
                target.crowded_milliseconds.append(1000 * time_request(target, connection, body))
                counts[number] += 1
        except (OSError, RuntimeError) as error:
            failures.append(error)
        finally:
            connection.close()

    started = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    target.per_second.append(sum(counts) / (time.perf_counter() - started))
