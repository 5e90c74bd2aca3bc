"""Champion -> HTTP service, in the foreground."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kneerisk.model import champion
from pipelines.console import result
from pipelines.services import refuse_taken_port

_ROOT = Path(__file__).resolve().parents[1]


def serve_on(host: str, port: int, models: Path, as_json: bool = False) -> None:
    """Tell where and what, then become the service; it ends when it is stopped.

    Raises
    ------
    PortTaken
        Where another program listens on the port.
    """
    refuse_taken_port(port, "PORT")
    served = champion.read(models)
    found = {"url": f"http://{host}:{port}", "version": served.version if served else None}
    version = found["version"] or f"no model yet: {models} names no champion"
    result(found, as_json, f"Starting at {found['url']} with {version}")
    sys.stdout.flush()
    os.environ.update(environment(models))
    arguments = [sys.executable, "-m", *service_arguments(host, port)]
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell is wanted


def service_arguments(host: str, port: int) -> tuple[str, ...]:
    """How BentoML is started."""
    return (
        "bentoml", "serve", "serving.service:KneeRisk", "--working-dir", str(_ROOT),
        "--host", host, "--port", str(port),
    )  # fmt: skip


def environment(models: Path) -> dict[str, str]:
    """What the service reads from its environment.

    BentoML's own files stay beside the models: two services share no counts, no home is written.
    """
    state = models.resolve().parent / ".run" / "bentoml"
    counts = state / "metrics" / str(os.getpid())
    counts.mkdir(parents=True, exist_ok=True)
    return {
        "BENTOML_HOME": str(state),
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
        "KNEERISK_MODELS": str(models.resolve()),
        "BENTOML_DO_NOT_TRACK": "True",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
