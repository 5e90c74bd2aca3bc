"""Tracked runs -> MLflow's page, in the foreground."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

from kneerisk.training.tracking import ARTIFACTS, tracking_uri
from pipelines.console import say
from pipelines.services import NotStarted, answers, refuse_taken_port

_HOST = "127.0.0.1"
_START_SECONDS = 90.0
#: A page that needs the database, so that it answers only when all of MLflow does.
READY_PATH = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"


def ui_on(port: int) -> None:
    """Run MLflow's page until stopped, or show the one of a tracking server.

    Raises
    ------
    PortTaken
        Where another program listens on the port.
    NotStarted
        Where MLflow ends by itself.
    """
    uri = tracking_uri(Path.cwd())
    if uri.startswith(("http://", "https://")):
        _show(uri)
        return
    refuse_taken_port(port, "MLFLOW_PORT")
    command = [sys.executable, "-m", *ui_arguments(uri, port)]
    process = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT})
    try:
        _show_when_ready(process, f"http://{_HOST}:{port}")
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


#: MLflow opens on its pages for language models; the runs are on those for trained ones.
RUNS = "/#/experiments?workflowType=machine_learning"
#: Without the job queue MLflow is two processes, which stop when told to.
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def _show_when_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if answers(address + READY_PATH):
            _show(address)
            return
        time.sleep(0.3)


def _show(address: str) -> None:
    say(f"MLflow is at {address}{RUNS}")
    if sys.stdout.isatty():
        webbrowser.open(f"{address}{RUNS}")
