"""Background programs: start them, find them again, stop them.

Each has its own process group, and a log and a record of its process in `.run/`. A process is taken
for ours only if both its id and its start time are those recorded, since ids are reused.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from kneerisk.errors import KneeriskError, PortTaken

_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.2
_HOST = "127.0.0.1"
#: Tolerance for a start time that was rounded on its way through JSON.
_SAME_START_SECONDS = 1.0


class NotStarted(KneeriskError):
    """A program that ended early or does not respond in time."""


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
        """Its URL."""
        return f"http://{_HOST}:{self.port}"

    def running(self, folder: Path) -> ProcessRecord | None:
        """The record of its process, if that still runs."""
        record = ProcessRecord.read(folder, self.name)
        return record if record is not None and record.process() is not None else None

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        """Start it in its own process group and write its output to a log.

        Parameters
        ----------
        folder
            Where the log and the record of the process go.

        Returns
        -------
        Popen
            The process.

        Raises
        ------
        PortTaken
            If another program listens on the port.
        """
        refuse_taken_port(self.port, self.port_variable)
        folder.mkdir(exist_ok=True)
        with (folder / f"{self.name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment}, start_new_session=True,
            )  # fmt: skip
        started = psutil.Process(process.pid).create_time()
        ProcessRecord(self.name, self.port, process.pid, started).write(folder)
        return process

    def wait(self, folder: Path, deadline: float) -> None:
        """Wait until it responds.

        Parameters
        ----------
        folder
            Where the log and the record of the process are.
        deadline
            Time on the clock of `time.monotonic`, in seconds, after which waiting ends.

        Raises
        ------
        NotStarted
            If it ended or the deadline passed; the message holds the last lines of the log.
        """
        while not responds(self.address + self.ready_path):
            ended = self.running(folder) is None
            if ended or time.monotonic() > deadline:
                log = folder / f"{self.name}.log"
                why = "ended" if ended else "does not answer"
                raise NotStarted(f"{self.name} {why}; the end of {log}:\n{_tail(log)}")
            time.sleep(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that was started here: enough to recognise it, and to leave any other alone."""

    name: str
    port: int
    pid: int
    started: float

    @classmethod
    def read(cls, folder: Path, name: str) -> ProcessRecord | None:
        """Read the record of a program; None if there is none or it is damaged."""
        try:
            return cls(**json.loads((folder / f"{name}.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Write the record, which `make down` reads."""
        (folder / f"{self.name}.json").write_text(json.dumps(asdict(self)) + "\n", "utf-8")

    def process(self) -> psutil.Process | None:
        """The process, if it is still the one that was started."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def stop(folder: Path, name: str) -> bool:
    """Stop a program that was started here, with its children; tells whether it was running."""
    record = ProcessRecord.read(folder, name)
    process = record.process() if record is not None else None
    if process is not None:
        processes = [process, *process.children(recursive=True)]
        _signal_group(process.pid, signal.SIGTERM)
        _, alive = psutil.wait_procs(processes, timeout=_STOP_SECONDS)
        if alive:
            _signal_group(process.pid, signal.SIGKILL)
            psutil.wait_procs(alive, timeout=_STOP_SECONDS)
    (folder / f"{name}.json").unlink(missing_ok=True)
    return process is not None


def refuse_taken_port(port: int, variable: str) -> None:
    """Check that nothing listens on a port of this machine.

    Parameters
    ----------
    port
        The port.
    variable
        Environment variable that chooses another, for the message.

    Raises
    ------
    PortTaken
        If another program listens on it.
    """
    with socket.socket() as probe:
        # As servers do: closed connections that linger don't make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            raise PortTaken(
                f"port {port} is taken by another program; choose another with {variable}=<port>"
            ) from None


def responds(address: str) -> bool:
    """Whether a GET request to an address is answered with 200."""
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
