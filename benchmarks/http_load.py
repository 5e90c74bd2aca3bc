"""Load on one address of this machine: many requests, and how long each took."""

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
    """What is measured: an address, the body it gets, and the process behind it."""

    name: str
    port: int
    path: str
    body: dict[str, Any]
    pid: int = 0
    per_second: list[float] = field(default_factory=list)
    """Requests a second with several clients, one number a round."""
    milliseconds: list[float] = field(default_factory=list)
    """Each request of a client that is alone."""


def ask(target: Target, connection: HTTPConnection, text: bytes) -> float:
    """One request; how long it took, in seconds.

    Raises
    ------
    RuntimeError
        Where it was not answered with 200: a refusal is quick, and no measure of an answer.
    """
    started = time.perf_counter()
    connection.request("POST", target.path, text, _HEADERS)
    response = connection.getresponse()
    told = response.read()
    taken = time.perf_counter() - started
    if response.status != 200:
        raise RuntimeError(f"{target.name} answered {response.status}: {told[:300]!r}")
    return taken


def alone(target: Target, requests: int) -> None:
    """One client, one request after the other."""
    text = json.dumps(target.body).encode()
    connection = HTTPConnection("127.0.0.1", target.port, timeout=30)
    target.milliseconds += [1000 * ask(target, connection, text) for _ in range(requests)]
    connection.close()


def together(target: Target, clients: int, seconds: float) -> None:
    """Several clients at once, each with a connection that it keeps, for some seconds."""
    text = json.dumps(target.body).encode()
    counts = [0] * clients
    failures: list[BaseException] = []
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", target.port, timeout=30)
        try:
            while time.perf_counter() < until and not failures:
                ask(target, connection, text)
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
