"""Background programs: start them, find them again, stop them.

Each has a log and a record in `.run/`. Process ids are reused and children outlive their parents,
so each program gets a random token in its environment, which all its descendants inherit: whatever
process has the token is ours, and nothing else is.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from kneerisk.errors import KneeriskError, PortTaken
from kneerisk.words import text, variant

_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.2
_KILL_ROUNDS = 3
HOST = "127.0.0.1"
#: An endpoint that reads the database, so that it responds only once all of MLflow is up.
_EXPERIMENT_BY_NAME = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
MLFLOW_READY_PATH = f"{_EXPERIMENT_BY_NAME}Default"
#: Without its job queue MLflow is two processes, which stop on a signal.
MLFLOW_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
#: Environment variable that holds the token of a program.
_FAMILY_VARIABLE = "KNEERISK_FAMILY"


class NotStarted(KneeriskError):
    """A program that ended early or does not respond in time."""


class NotStopped(KneeriskError):
    """A program that can't be ended."""


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
        return f"http://{HOST}:{self.port}"

    def running(self, folder: Path) -> ProcessRecord | None:
        """The record of its first process, if that still runs."""
        record = ProcessRecord.read(folder, self.name)
        return record if record is not None and record.leads() else None

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        """Start it in a session of its own and write its output to a log.

        What a killed one has left running is stopped first.

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
        stop(folder, self.name)
        refuse_taken_port(self.port, self.port_variable)
        folder.mkdir(exist_ok=True)
        record = ProcessRecord(self.name, self.port, 0, secrets.token_hex(16))
        # Before the start, so that nothing runs without a record, whenever this process is ended.
        record.write(folder)
        with (folder / f"{self.name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, _FAMILY_VARIABLE: record.token},
                start_new_session=True,
            )  # fmt: skip
        replace(record, pid=process.pid).write(folder)
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
                why = "ended" if ended else "no_answer"
                raise NotStarted(
                    variant(
                        "command_line.not_started", why, name=self.name, log=log, end=_tail(log)
                    )
                )
            time.sleep(_POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A program that was started here: enough to know its processes, and to leave others alone."""

    name: str
    port: int
    pid: int
    token: str

    @classmethod
    def read(cls, folder: Path, name: str) -> ProcessRecord | None:
        """Read the record of a program; None if there is none or it is damaged."""
        try:
            return cls(**json.loads((folder / f"{name}.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Write the record, which `make down` reads."""
        new = folder / f"{self.name}.json.new"
        new.write_text(json.dumps(asdict(self)) + "\n", "utf-8")
        new.replace(folder / f"{self.name}.json")

    def leads(self) -> bool:
        """Whether its first process still runs."""
        return any(process.pid == self.pid for process in self.processes())

    def processes(self) -> list[psutil.Process]:
        """All its processes that still run, whether or not their parents do."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            # Only of one's own processes may the environment be read.
            if process.uids().real != os.getuid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            environment = process.environ()
            # For a moment after its start a program has none yet.
            own: bool = process.pid == self.pid and not environment
            return own or environment.get(_FAMILY_VARIABLE) == self.token
        except (psutil.Error, OSError):
            return False


def stop(folder: Path, name: str) -> bool:
    """Stop a program that was started here, with all its processes; tells whether any ran.

    Parameters
    ----------
    folder
        Where the record of the program is.
    name
        Its name.

    Returns
    -------
    bool
        False if nothing of it was running.

    Raises
    ------
    NotStopped
        If a process outlives even the signal that can't be refused.
    """
    record = ProcessRecord.read(folder, name)
    processes = record.processes() if record is not None else []
    if record is not None and processes:
        _signal(processes, signal.SIGTERM)
        psutil.wait_procs(processes, timeout=_STOP_SECONDS)
        # Those that did not listen, and those that were started meanwhile.
        for _ in range(_KILL_ROUNDS):
            alive = record.processes()
            if not alive:
                break
            _signal(alive, signal.SIGKILL)
            psutil.wait_procs(alive, timeout=_STOP_SECONDS)
        if alive := record.processes():
            ids = ", ".join(str(process.pid) for process in alive)
            raise NotStopped(text("command_line.services.not_ended", name=name, ids=ids))
    (folder / f"{name}.json").unlink(missing_ok=True)
    return bool(processes)


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
            probe.bind((HOST, port))
        except OSError:
            raise PortTaken(
                text("command_line.services.port_taken", port=port, variable=variable)
            ) from None


def responds(address: str) -> bool:
    """Whether a GET request to an address is answered with 200."""
    try:
        with urlopen(address, timeout=5) as response:  # noqa: S310 - always http to this machine
            return bool(response.status == 200)
    except (URLError, OSError, ValueError):
        return False


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # psutil sends nothing to a process that has got the id of one that ended.
        with suppress(psutil.Error):
            process.send_signal(number)


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-lines:])


def service_arguments(port: int, models: Path) -> tuple[str, ...]:
    """Arguments of `python -m` that start the service with the champion of a models folder."""
    return ("serving", "--port", str(port), "--models", str(models.resolve()))


def mlflow_arguments(uri: str, port: int) -> tuple[str, ...]:
    """Arguments of `python -m` that start the MLflow server."""
    from kneerisk.training.tracking import ARTIFACTS
    from kneerisk.training.tracking.mlflow_page import APP_NAME

    # No other name, which a web page could point here, and no page of another site is answered.
    names = [f"{name}:{port}" for name in (HOST, "localhost")]
    return (
        "mlflow", "server", "--app-name", APP_NAME, "--backend-store-uri", uri,
        "--host", HOST, "--port", str(port),
        "--allowed-hosts", ",".join(names),
        "--cors-allowed-origins", ",".join(f"http://{name}" for name in names),
        "--artifacts-destination", str(Path.cwd() / ARTIFACTS), "--workers", "1",
    )  # fmt: skip


def runs_address(address: str) -> str:
    """URL of the runs of `kneerisk train`, best calibrated first; of all experiments if none."""
    from kneerisk.training.tracking import EXPERIMENTS, naming, shared_views

    experiment = f"{address}{_EXPERIMENT_BY_NAME}{EXPERIMENTS['train']}"
    try:
        with urlopen(experiment, timeout=5) as response:  # noqa: S310 - always http
            experiment_id = json.load(response)["experiment"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return f"{address}/#/experiments?{naming.TRAINED_MODELS}"
    return address + shared_views.view_address(str(experiment_id), shared_views.FIRST_VIEW)
