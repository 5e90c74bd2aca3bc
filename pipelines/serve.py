"""Serve the champion over HTTP, in the foreground."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kneerisk.model import champion
from pipelines.console import result
from pipelines.services import refuse_taken_port

_ROOT = Path(__file__).resolve().parents[1]


def serve_on(host: str, port: int, models: Path, as_json: bool = False) -> None:
    """Print address and version, then replace this process by the service.

    Parameters
    ----------
    host
        Address to listen on.
    port
        Port to listen on.
    models
        Folder of released bundles with `champion.json`.
    as_json
        Whether to print one JSON object instead of a sentence.

    Raises
    ------
    PortTaken
        If another program listens on the port.
    """
    refuse_taken_port(port, "PORT")
    served = champion.read(models)
    values = {"url": f"http://{host}:{port}", "version": served.version if served else None}
    version = values["version"] or f"no model yet: {models} names no champion"
    result(values, as_json, f"Starting at {values['url']} with {version}")
    sys.stdout.flush()
    os.environ.update(environment(models))
    arguments = [sys.executable, "-m", *service_arguments(host, port)]
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell is wanted


def service_arguments(host: str, port: int) -> tuple[str, ...]:
    """Arguments of `python -m` that start the BentoML service."""
    return (
        "bentoml", "serve", "serving.service:KneeRisk", "--working-dir", str(_ROOT),
        "--host", host, "--port", str(port),
    )  # fmt: skip


def environment(models: Path) -> dict[str, str]:
    """Environment variables of the service.

    BentoML's own files stay beside the models, so that two services share no counters and nothing
    is written to the user's home folder.
    """
    state = models.resolve().parent / ".run" / "bentoml"
    counters = state / "metrics" / str(os.getpid())
    counters.mkdir(parents=True, exist_ok=True)
    return {
        "BENTOML_HOME": str(state),
        "PROMETHEUS_MULTIPROC_DIR": str(counters),
        "KNEERISK_MODELS": str(models.resolve()),
        "BENTOML_DO_NOT_TRACK": "True",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
