"""A project folder in which a command is struck by a fault: killed, out of disk, closed to writes.

Each command runs in a child of a server that has imported what is heavy and computed nothing, so
that a fault costs what the command costs. The fault strikes at the n-th write below the folder:
opening a file to write, renaming, making or removing one, syncing, or committing to the database.
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from kneerisk.cohort import write
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.model import bundle
from kneerisk.training import provenance
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.provenance import Source
from kneerisk.training.registry.promotion import promote
from kneerisk.training.tracking import Tracking

MODEL, ATHLETES, SEED = "kneerisk-new_pain-12m", 300, 2

#: Metrics with which every gate is passed.
PASSING = {
    "calibration_slope": 1.0, "calibration_intercept": 0.0,
    "log_loss_over_prior": -0.01, "log_loss_over_prior_error": 0.004,
    "log_loss_over_logistic": -0.001, "log_loss_over_logistic_error": 0.002,
    "net_benefit_over_default": 0.001,
}  # fmt: skip

#: A command that takes so long will not end; the longest takes half a minute.
MOST_SECONDS = 600.0

Fault = Literal["count", "kill", "full", "read-only"]
#: What the audit hook of Python tells of writes.
_WRITES = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate"})
#: What would send a command out of its folder.
_UNSET = frozenset({"KNEERISK_MODELS", "MLFLOW_TRACKING_URI"})
_PRELOADED = [
    "store_faults", "mlflow", "mlflow.store.tracking.sqlalchemy_store", "sqlalchemy",
    "kneerisk.training.registry.promotion", "kneerisk.training.updating.model_updating",
    "kneerisk.training.tuning.winner", "matplotlib.backends.backend_agg", "pipelines.__main__",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), streams, and writes begun."""

    code: int
    out: str
    err: str
    writes: int


def command(folder: Path, *arguments: str, fault: Fault = "count", at: int = 0) -> Ended:
    """Run a command in a folder; the fault strikes at one write, or from it on."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
    child = context.Process(target=_run, args=(str(folder), arguments, fault, at, environment))
    child.start()
    child.join(MOST_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
        raise AssertionError(f"{arguments} did not end within {MOST_SECONDS:g} s")
    told = [(folder.parent / f"{folder.name}.{name}") for name in ("out", "err", "writes")]
    out, err, writes = (
        path.read_text("utf-8", "replace") if path.exists() else "" for path in told
    )
    return Ended(child.exitcode or 0, out, err, len(writes))


def _run(
    folder: str, arguments: Sequence[str], fault: Fault, at: int, environment: dict[str, str]
) -> None:
    # The server of children keeps what was set when the first test of this process started it.
    os.environ.clear()
    os.environ.update(environment)
    beside = [os.open(f"{folder}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
              for name in ("out", "err", "writes")]  # fmt: skip
    os.dup2(beside[0], 1)
    os.dup2(beside[1], 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    sys.argv = ["kneerisk", *arguments]
    _arm(folder, fault, at, beside[2])
    from pipelines.__main__ import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _arm(folder: str, fault: Fault, at: int, tally: int) -> None:
    """Count writes, and strike at one of them."""
    count = 0

    def strike(database: bool = False, removes: bool = False) -> None:
        nonlocal count
        if removes and fault == "full":
            return  # a full disk can be cleared
        count += 1
        os.write(tally, b".")
        if fault == "kill" and count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        if fault in ("full", "read-only") and count >= at:
            _refuse(fault, database)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        written = event in _WRITES or (event == "open" and _is_write(arguments))
        if written and _is_below(folder, arguments[0]):
            strike(removes=event in ("os.remove", "os.rmdir"))

    from sqlalchemy import event as sqlalchemy_event
    from sqlalchemy.engine import Engine

    sqlalchemy_event.listen(Engine, "commit", lambda _: strike(database=True))
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        strike()
        sync(descriptor)

    os.fsync = fsync
    sys.addaudithook(hook)


def _refuse(fault: Fault, database: bool) -> None:
    if database:
        import sqlite3

        from sqlalchemy.exc import OperationalError

        text = {
            "full": "database or disk is full",
            "read-only": "attempt to write a readonly database",
        }
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError(text[fault]))
    number = errno.ENOSPC if fault == "full" else errno.EROFS
    raise OSError(number, os.strerror(number))


def _is_write(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _is_below(folder: str, path: object) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return True
    return os.path.abspath(os.fsdecode(path)).startswith(folder + os.sep)  # noqa: PTH100


def project(folder: Path) -> Path:
    """A store with two released versions, the second served, and a third that waits.

    Parameters
    ----------
    folder
        A new folder.

    Returns
    -------
    The same.
    """
    simulated = simulate(ATHLETES, SEED)
    cohort, fitted = simulated.cohort, fit(simulated.cohort, simulated.truth)
    tracking, sha256 = Tracking(folder), provenance.digest(cohort)
    source = Source(athletes=ATHLETES, seed=SEED).params()
    for number in range(3):
        calibration = fitted.model.calibration
        moved = replace(calibration, intercept=calibration.intercept + number / 1_000)
        with tracking.start_run("a run", {}) as run:
            version = run.register(MODEL, "for a test")
            metadata = metadata_of(cohort, None, fitted, version=str(version), run_id=run.run_id,
                                   git_sha=None, data_sha256=sha256)  # fmt: skip
            run.log_values({**source, "data_sha256": sha256}, PASSING)
            with TemporaryDirectory() as made:
                written = bundle.save(
                    replace(fitted.model, calibration=moved), metadata, Path(made),
                    {"card.md": b"# a card", "plots/roc.png": b"a plot"},
                )  # fmt: skip
                run.log_bundle(Path(made), written)
        if number < 2:
            promote(tracking, folder / "models")
    club = replace(simulate(80, 7).cohort, kind="observed", source="a made-up club")
    write(club, folder / "club.parquet")
    return folder


def copied(template: Path, folder: Path) -> Path:
    """A copy of a project folder, whose store says where its artifacts lie now."""
    import sqlite3

    shutil.copytree(template, folder, dirs_exist_ok=True)
    with sqlite3.connect(folder / "mlflow.db") as database:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri"),
                              ("logged_models", "artifact_location"), ("model_versions", "source"),
                              ("model_versions", "storage_location")):  # fmt: skip
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                (str(template), str(folder)),
            )
    database.close()
    return folder


def left_over(folder: Path) -> list[str]:
    """What a killed command left in the models folder, that nobody needs."""
    return [path.name for path in (folder / "models").iterdir() if path.name.startswith(".")]


def served(folder: Path) -> dict[str, Any] | None:
    """The champion file."""
    path = folder / "models" / "champion.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None
