"""The two programs that answer HTTP, BentoML's service and MLflow's page: how each is started."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.request import urlopen

_ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
#: A page that needs the database, so that it answers only when all of MLflow does.
_BY_NAME = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
MLFLOW_READY_PATH = f"{_BY_NAME}Default"
#: Without the job queue MLflow is two processes, which stop when told to.
MLFLOW_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def service_arguments(host: str, port: int) -> tuple[str, ...]:
    """How BentoML is started."""
    return (
        "bentoml", "serve", "serving.service:KneeRisk", "--working-dir", str(_ROOT),
        "--host", host, "--port", str(port),
    )  # fmt: skip


def service_environment(models: Path) -> dict[str, str]:
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


def mlflow_arguments(uri: str, port: int) -> tuple[str, ...]:
    """How MLflow's server is started."""
    from kneerisk.training.tracking import ARTIFACTS

    return (
        "mlflow", "server", "--backend-store-uri", uri, "--host", HOST, "--port", str(port),
        "--artifacts-destination", str(Path.cwd() / ARTIFACTS), "--workers", "1",
    )  # fmt: skip


def runs_address(address: str) -> str:
    """Where the runs of `kneerisk train` are, best calibrated first; all experiments before any."""
    from kneerisk.training.tracking import EXPERIMENTS, page_addresses

    experiment = f"{address}{_BY_NAME}{EXPERIMENTS['train']}"
    try:
        with urlopen(experiment, timeout=5) as response:  # noqa: S310 - always http
            experiment_id = json.load(response)["experiment"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return f"{address}/#/experiments?{page_addresses.TRAINED}"
    return address + page_addresses.runs_page(str(experiment_id))
