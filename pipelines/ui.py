"""Tracked runs -> MLflow's page, in the foreground."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from urllib.request import urlopen

from kneerisk.training.tracking import ARTIFACTS, EXPERIMENTS, page_addresses, tracking_uri
from pipelines.console import result, say
from pipelines.services import NotStarted, answers, refuse_taken_port

_HOST = "127.0.0.1"
_START_SECONDS = 90.0
#: A page that needs the database, so that it answers only when all of MLflow does.
_BY_NAME = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
READY_PATH = f"{_BY_NAME}Default"


def ui_on(port: int, as_json: bool = False) -> None:
    """Run MLflow's page until stopped, or show the one of a tracking server.

    Where it is is told once it answers: on stderr, or as one JSON object on stdout.

    Raises
    ------
    PortTaken
        Where another program listens on the port.
    NotStarted
        Where MLflow ends by itself.
    """
    uri = tracking_uri(Path.cwd())
    if uri.startswith(("http://", "https://")):
        _show(uri, as_json)
        return
    refuse_taken_port(port, "MLFLOW_PORT")
    # Told to stop in any way, it stops MLflow before itself.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = [sys.executable, "-m", *ui_arguments(uri, port)]
    # Standard output is for the result, not for MLflow's log.
    process = subprocess.Popen(command, stdout=sys.stderr, env={**os.environ, **ENVIRONMENT})
    try:
        _show_when_ready(process, f"http://{_HOST}:{port}", as_json)
        process.wait()
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        process.terminate()
        process.wait()
    if process.returncode > 0:
        raise NotStarted(f"MLflow ended with code {process.returncode}")


def ui_arguments(uri: str, port: int) -> tuple[str, ...]:
    """How MLflow's server is started."""
    return (
        "mlflow", "server", "--backend-store-uri", uri, "--host", _HOST, "--port", str(port),
        "--artifacts-destination", str(Path.cwd() / ARTIFACTS), "--workers", "1",
    )  # fmt: skip


#: Without the job queue MLflow is two processes, which stop when told to.
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def runs_page(address: str) -> str:
    """Where the runs of `kneerisk train` are, best calibrated first; all experiments before any."""
    asked = f"{address}{_BY_NAME}{EXPERIMENTS['train']}"
    try:
        with urlopen(asked, timeout=5) as response:  # noqa: S310 - always http
            found = json.load(response)["experiment"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return f"{address}/#/experiments?{page_addresses.TRAINED}"
    return address + page_addresses.runs_page(str(found))


def _show_when_ready(process: subprocess.Popen[bytes], address: str, as_json: bool) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if answers(address + READY_PATH):
            _show(address, as_json)
            return
        time.sleep(0.3)


def _show(address: str, as_json: bool) -> None:
    runs = runs_page(address.rstrip("/"))
    if as_json:
        result({"url": address, "runs": runs}, as_json)
        sys.stdout.flush()
        return
    say(f"MLflow is at {runs}")
    if sys.stdout.isatty():
        webbrowser.open(runs)
