"""Programs that run on after a command: started, found again, and stopped.

Each has its own process group, and a log and a note of what it is in `.run/`. A process is ours
only where its id and its start time are both those noted, since ids are used again.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from kneerisk.errors import KneeriskError, PortTaken

_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.2
_HOST = "127.0.0.1"
#: A noted start time is read back with rounding.
_SAME_START_SECONDS = 1.0


class NotStarted(KneeriskError):
    """A program that ended, or does not answer in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program that listens on a port of this machine."""

    name: str
    port: int
    port_variable: str
    arguments: tuple[str, ...]
    ready_path: str
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{_HOST}:{self.port}"

    def running(self, folder: Path) -> Note | None:
        """The note of its process, if that still runs."""
        note = Note.read(folder, self.name)
        return note if note is not None and note.process() is not None else None

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        """Start it in its own process group, its output in a log.

        Raises
        ------
        PortTaken
            Where another program listens on the port.
        """
        refuse_taken_port(self.port, self.port_variable)
        folder.mkdir(exist_ok=True)
        with (folder / f"{self.name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment}, start_new_session=True,
            )  # fmt: skip
        Note(self.name, self.port, process.pid, psutil.Process(process.pid).create_time()).write(
            folder
        )
        return process

    def wait(self, folder: Path, deadline: float) -> None:
        """Return when it answers.

        Raises
        ------
        NotStarted
            Where it ended or the deadline (of `time.monotonic`) passed; with the log's end.
        """
        while not answers(self.address + self.ready_path):
            ended = self.running(folder) is None
            if ended or time.monotonic() > deadline:
                log = folder / f"{self.name}.log"
                why = "ended" if ended else "does not answer"
                raise NotStarted(f"{self.name} {why}; the end of {log}:\n{_tail(log)}")
            time.sleep(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Note:
    """What was started: enough to find it again, and to leave anything else alone."""

    name: str
    port: int
    pid: int
    started: float

    @classmethod
    def read(cls, folder: Path, name: str) -> Note | None:
        """The note of a program, if there is one that can be read."""
        try:
            return cls(**json.loads((folder / f"{name}.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Keep it for `make down`."""
        found = {"name": self.name, "port": self.port, "pid": self.pid, "started": self.started}
        (folder / f"{self.name}.json").write_text(json.dumps(found) + "\n", "utf-8")

    def process(self) -> psutil.Process | None:
        """The process, if it is still the one that was started."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def stop(folder: Path, name: str) -> bool:
    """Stop a program that was started here, and its children; whether it was running."""
    note = Note.read(folder, name)
    process = note.process() if note is not None else None
    if process is not None:
        family = [process, *process.children(recursive=True)]
        _signal_group(process.pid, signal.SIGTERM)
        _, left = psutil.wait_procs(family, timeout=_STOP_SECONDS)
        if left:
            _signal_group(process.pid, signal.SIGKILL)
            psutil.wait_procs(left, timeout=_STOP_SECONDS)
    (folder / f"{name}.json").unlink(missing_ok=True)
    return process is not None


def refuse_taken_port(port: int, variable: str) -> None:
    """Nothing else listens on a port of this machine.

    Raises
    ------
    PortTaken
        Where something does.
    """
    with socket.socket() as trial:
        # As servers do: a port is free although closed connections to it linger.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_HOST, port))
        except OSError:
            raise PortTaken(
                f"port {port} is taken by another program; choose another with {variable}=<port>"
            ) from None


def answers(address: str) -> bool:
    """Whether a request to an address is answered well."""
    try:
        with urlopen(address, timeout=5) as response:  # noqa: S310 - always http to this machine
            return bool(response.status == 200)
    except (URLError, OSError, ValueError):
        return False


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-lines:])
