"""Starts the service: one process that opens the port, and the workers that answer.

    python -m serving --port 3000 --models models

`bentoml serve` answers the same, but puts a controller without any check on a port of this machine,
through which every local user can run commands as the service. Here the supervisor is uvicorn's
(`serving.supervisor`): it talks to its workers through pipes, starts a worker anew that has died or
no longer responds, and listens to nothing but signals.
"""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil
import uvicorn

from kneerisk.errors import KneeriskError
from kneerisk.words import text
from serving.access import Access, is_local, refuse_open_start
from serving.club_records import ClubRecords
from serving.connections import MAX_HEADER_BYTES, BoundedHttp
from serving.json_log import FORMATS, format_log
from serving.rate_limits import RateLimits
from serving.supervisor import Supervisor
from serving.tracing import require_exporter
from serving.worker_sockets import FOLDER_VARIABLE

LOGGER = logging.getLogger("kneerisk.serving")
#: A worker that does not respond for so long is ended and replaced (assumption).
HEALTH_SECONDS = 15
#: Requests under way have so long to end when the service stops (assumption).
SHUTDOWN_SECONDS = 10
WORKERS = 2

_ENVIRONMENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    # One request is too small to share among threads; they would fight over the cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # With an arena for each thread, glibc keeps what a large request needed.
    "MALLOC_ARENA_MAX": "2",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it; 1 where it may not start."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        state = _set_environment(options)
        format_log()
        _refuse_unclear_switch()
        require_exporter()
        access = Access.from_environment()
        refuse_open_start(options.host, access)
        ClubRecords.from_environment().require_usable()
        RateLimits.from_environment().prepare()
    except KneeriskError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    config = uvicorn.Config(
        "serving.worker_application:application", factory=True,
        host=options.host, port=options.port, workers=options.workers,
        log_config=None, access_log=False, server_header=False,
        loop="serving.connections:new_event_loop", http=BoundedHttp, ws="none", lifespan="on",
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_worker_healthcheck=HEALTH_SECONDS, timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )  # fmt: skip
    if access.key_sha256 is not None:
        LOGGER.info(text("service.start.key", file=os.environ["KNEERISK_KEY_FILE"]))
    if access.key_file is not None:
        LOGGER.info(text("service.start.keys", file=os.environ["KNEERISK_KEYS"]))
    if access.has_club_keys:
        LOGGER.info(text("service.start.records"))
    if not is_local((options.host, options.port)):
        LOGGER.info(text("service.start.open"))
    # A core file of a worker would hold what it was sent.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    supervisor = Supervisor(config, [config.bind_socket()], state)
    supervisor.run()
    if supervisor.has_failed:
        sys.stderr.write(text("service.start.failed") + "\n")
    return int(supervisor.has_failed)


def _parser() -> argparse.ArgumentParser:
    # Without the program's dependencies for training: typer is not installed where it serves.
    parser = argparse.ArgumentParser(
        prog="python -m serving", description=text("help.service.command")
    )
    parser.add_argument("--host", default="127.0.0.1", help=text("help.service.host"))
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--models", type=Path, help=text("help.service.models"))
    parser.add_argument("--workers", type=int, default=WORKERS, help=text("help.service.workers"))
    parser.add_argument("--key-file", type=Path, help=text("help.service.key_file"))
    parser.add_argument("--keys", type=Path, help=text("help.service.keys"))
    for span in ("minute", "day"):
        parser.add_argument(f"--per-{span}", type=int, help=text("help.service.limit"))
    parser.add_argument(
        "--allow-host", action="append", default=[], help=text("help.service.allow_host")
    )
    parser.add_argument(
        "--allow-origin", action="append", default=[], help=text("help.service.allow_origin")
    )
    parser.add_argument("--log-format", choices=FORMATS, help=text("help.service.log_format"))
    parser.add_argument("--fhir", action="store_true", help=text("help.service.fhir"))
    return parser


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _set_environment(options: argparse.Namespace) -> Path:
    """Hand the options to the workers, which inherit the environment; give their folder."""
    stated = {
        "KNEERISK_MODELS": options.models and str(options.models.resolve()),
        "KNEERISK_KEY_FILE": options.key_file and str(options.key_file.resolve()),
        "KNEERISK_KEYS": options.keys and str(options.keys.resolve()),
        "KNEERISK_PER_MINUTE": _text(options.per_minute),
        "KNEERISK_PER_DAY": _text(options.per_day),
        "KNEERISK_HOSTS": ",".join(options.allow_host),
        "KNEERISK_ORIGINS": ",".join(options.allow_origin),
        "KNEERISK_LOG_FORMAT": options.log_format,
        "KNEERISK_FHIR": "yes" if options.fhir else "",
    }
    os.environ.update({name: value for name, value in stated.items() if value})
    state = _state_folder()
    for name, value in (_ENVIRONMENT | {"BENTOML_HOME": str(state)}).items():
        os.environ.setdefault(name, value)
    # Requests are counted there, unless a file is named that outlives the service.
    os.environ.setdefault("KNEERISK_COUNTS", str(state / "counts.sqlite"))
    # The workers add up their counters there.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(state)
    # And reach each other there.
    os.environ[FOLDER_VARIABLE] = str(state)
    return state


def _refuse_unclear_switch() -> None:
    """Refuse a setting that would leave FHIR out without a word."""
    if os.environ.get("KNEERISK_FHIR", "no") not in {"", "yes", "no"}:
        raise KneeriskError(text("service.start.fhir"))


def _state_folder() -> Path:
    """A new private folder, removed at the end; those of services that were killed go now."""
    prefix = "kneerisk-service-"
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        pid = folder.name.removeprefix(prefix).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
    state = tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-")
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    return Path(state)


if __name__ == "__main__":
    sys.exit(main())
