"""Runs whose process was killed: found by who wrote them, ended, and their versions withdrawn.

Every run says which process writes it. A run is taken for abandoned only where that process is
surely gone; one of another machine is left alone.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from kneerisk.training.tracking.naming import CHALLENGER

#: The beginning of the tag that names a process which writes a run; a study has several.
_PROCESS = "process."
#: The tag of a version whose bundle was logged whole, and that of a trial's run.
BUNDLE_SHA256, TRIAL = "bundle_sha256", "trial"
#: Two processes of one id began further apart than this, whatever the unit (assumption).
_SAME_START = 1.0


def process_tag() -> dict[str, str]:
    """The tag by which this process is known as a run's writer.

    Returns
    -------
    One key, of the process id, and machine, start of the machine and start of the process in turn.
    """
    return {f"{_PROCESS}{os.getpid()}": f"{_machine()} {_started(os.getpid())}"}


def is_abandoned(tags: Mapping[str, str]) -> bool:
    """Whether every process that wrote a run is surely gone.

    Parameters
    ----------
    tags
        Of the run.

    Returns
    -------
    False where nobody is named, or one of them is of another machine.
    """
    writers = {name: value for name, value in tags.items() if name.startswith(_PROCESS)}
    return bool(writers) and all(
        _is_gone(int(name.removeprefix(_PROCESS)), value) for name, value in writers.items()
    )


def close_abandoned(client: Any, experiments: Iterable[str]) -> int:
    """End the runs that a killed process left, and withdraw the versions that are not whole.

    Parameters
    ----------
    client
        Of MLflow.
    experiments
        Their ids.

    Returns
    -------
    How many runs there were.
    """
    abandoned = [run for run in _running(client, list(experiments)) if is_abandoned(run.data.tags)]
    for run in abandoned:
        _close(client, run)
    return len(abandoned)


def _running(client: Any, experiments: list[str]) -> Iterator[Any]:
    token = None
    while experiments:
        page = client.search_runs(experiments, "attributes.status = 'RUNNING'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _close(client: Any, run: Any) -> None:
    run_id = run.info.run_id
    if TRIAL in run.data.tags:
        # The study still has what this run was to show, and writes it anew.
        client.delete_run(run_id)
        return
    versions = list(client.search_model_versions(f"run_id = '{run_id}'"))
    whole = [version for version in versions if _is_challenger(client, version)]
    for version in versions:
        if version not in whole:
            client.delete_model_version(version.name, version.version)
    if not whole:
        _fail_logged_models(client, run)
    # Becoming challenger is the last that happens to a run.
    client.set_terminated(run_id, "FINISHED" if whole else "KILLED")


def _is_challenger(client: Any, version: Any) -> bool:
    """Whether a version was finished: searching does not tell its aliases."""
    found = client.get_model_version(version.name, version.version)
    return BUNDLE_SHA256 in found.tags and CHALLENGER in found.aliases


def _fail_logged_models(client: Any, run: Any) -> None:
    from mlflow.entities.logged_model_status import LoggedModelStatus

    where = f"attributes.source_run_id = '{run.info.run_id}'"
    for model in client.search_logged_models([run.info.experiment_id], where):
        if model.status == LoggedModelStatus.PENDING:
            client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)


def _is_gone(pid: int, writer: str) -> bool:
    machine, _, started = writer.rpartition(" ")
    if machine.split(" ")[0] != _machine().split(" ")[0]:
        return False
    if machine != _machine():
        return True  # the machine was started again since
    try:
        return abs(_started(pid) - float(started)) >= _SAME_START
    except (psutil.AccessDenied, ValueError):
        return False


def _started(pid: int) -> float:
    """When a process began, by a clock that nobody sets; infinity where there is none."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return float("inf")
        with suppress(OSError, ValueError, IndexError):
            # In ticks since the machine was started: field 22 of Linux, 20 after the name.
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
            return float(fields[19])
        return float(process.create_time())
    except psutil.NoSuchProcess:
        return float("inf")


@cache
def _machine() -> str:
    """The machine with its process ids (a container has its own), and its last start if known."""
    with suppress(OSError):
        namespace = Path("/proc/self/ns/pid").readlink()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{platform.node()}/{namespace} {boot}"
    return f"{platform.node()} -"
