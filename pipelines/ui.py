"""Show tracked runs in the MLflow UI, in the foreground."""

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
from pipelines.services import NotStarted, refuse_taken_port, responds

_HOST = "127.0.0.1"
_START_SECONDS = 90.0
#: An endpoint that reads the database, so that it responds only once all of MLflow is up.
_EXPERIMENT_BY_NAME = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
READY_PATH = f"{_EXPERIMENT_BY_NAME}Default"


def run_ui(port: int, as_json: bool = False) -> None:
    """Run the MLflow UI until it is stopped, or show that of a tracking server.

    Its address is printed once it responds: on stderr, or as one JSON object on stdout.

    Parameters
    ----------
    port
        Port to listen on.
    as_json
        Whether to print JSON instead of a sentence.

    Raises
    ------
    PortTaken
        If another program listens on the port.
    NotStarted
        If MLflow ends by itself.
    """
    uri = tracking_uri(Path.cwd())
    if uri.startswith(("http://", "https://")):
        _show(uri, as_json)
        return
    refuse_taken_port(port, "MLFLOW_PORT")
    # Whichever signal ends it, MLflow is stopped first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = [sys.executable, "-m", *ui_arguments(uri, port)]
    # Standard output is for the result alone: MLflow's log goes to stderr.
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
    """Arguments of `python -m` that start the MLflow server."""
    return (
        "mlflow", "server", "--backend-store-uri", uri, "--host", _HOST, "--port", str(port),
        "--artifacts-destination", str(Path.cwd() / ARTIFACTS), "--workers", "1",
    )  # fmt: skip


#: Without its job queue MLflow is two processes, which stop on a signal.
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def runs_page(address: str) -> str:
    """URL of the runs of `kneerisk train`, best calibrated first; of all experiments if none."""
    query = f"{address}{_EXPERIMENT_BY_NAME}{EXPERIMENTS['train']}"
    try:
        with urlopen(query, timeout=5) as response:  # noqa: S310 - always http
            experiment_id = json.load(response)["experiment"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return f"{address}/#/experiments?{page_addresses.TRAINED}"
    return address + page_addresses.runs_page(str(experiment_id))


def _show_when_ready(process: subprocess.Popen[bytes], address: str, as_json: bool) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if responds(address + READY_PATH):
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
