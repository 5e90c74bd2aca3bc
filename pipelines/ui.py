"""`kneerisk ui`: tracked runs -> MLflow's page, in the foreground."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kneerisk.words import text
from pipelines import console
from pipelines.options import TRAIN_PANEL, Json, examples

app = typer.Typer()
_START_SECONDS = 90.0


@app.command(
    help=text("help.ui.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples("ui", "ui --port 5001 --json"),
)
def ui(
    port: Annotated[int, typer.Option(envvar="MLFLOW_PORT", min=1, max=65_535)] = 5000,
    as_json: Json = False,
) -> None:
    """Start MLflow's server and wait for it to end."""
    from kneerisk.training.tracking import tracking_uri
    from pipelines.services import (
        HOST,
        MLFLOW_ENVIRONMENT,
        NotStarted,
        mlflow_arguments,
        refuse_taken_port,
    )

    uri = tracking_uri(Path.cwd())
    if uri.startswith(("http://", "https://")):
        _show(uri, as_json)
        return
    refuse_taken_port(port, "MLFLOW_PORT")
    # Whichever signal ends it, MLflow is stopped first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = [sys.executable, "-m", *mlflow_arguments(uri, port)]
    environment = {**os.environ, **MLFLOW_ENVIRONMENT}
    # Standard output is for the result alone: MLflow's log goes to stderr.
    process = subprocess.Popen(command, stdout=sys.stderr, env=environment)
    try:
        _show_when_ready(process, f"http://{HOST}:{port}", as_json)
        process.wait()
    except KeyboardInterrupt:
        console.say(text("command_line.ui.stopped"))
    finally:
        process.terminate()
        process.wait()
    if process.returncode > 0:
        raise NotStarted(text("command_line.ui.ended", code=process.returncode))


def _show_when_ready(process: subprocess.Popen[bytes], address: str, as_json: bool) -> None:
    from pipelines.services import MLFLOW_READY_PATH, responds

    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if responds(address + MLFLOW_READY_PATH):
            _show(address, as_json)
            return
        time.sleep(0.3)


def _show(address: str, as_json: bool) -> None:
    """Say where the page is: on stderr, or as one JSON object on stdout."""
    import webbrowser

    from pipelines.services import runs_address

    runs = runs_address(address.rstrip("/"))
    if as_json:
        console.result({"url": address, "runs": runs}, as_json)
        sys.stdout.flush()
        return
    console.say(text("command_line.ui.ready", address=runs))
    if sys.stdout.isatty():
        webbrowser.open(runs)
