"""How the prediction service and the MLflow UI are started, and where the UI shows the runs."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

HOST = "127.0.0.1"
#: An endpoint that reads the database, so that it responds only once all of MLflow is up.
_EXPERIMENT_BY_NAME = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
MLFLOW_READY_PATH = f"{_EXPERIMENT_BY_NAME}Default"
#: Without its job queue MLflow is two processes, which stop on a signal.
MLFLOW_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def service_arguments(host: str, port: int, models: Path) -> tuple[str, ...]:
    """Arguments of `python -m` that start the service with the champion of a models folder."""
    return (
        "serving", "--host", host, "--port", str(port), "--models", str(models.resolve()),
    )  # fmt: skip


def mlflow_arguments(uri: str, port: int) -> tuple[str, ...]:
    """Arguments of `python -m` that start the MLflow server."""
    from kneerisk.training.tracking import ARTIFACTS

    return (
        "mlflow", "server", "--backend-store-uri", uri, "--host", HOST, "--port", str(port),
        "--artifacts-destination", str(Path.cwd() / ARTIFACTS), "--workers", "1",
    )  # fmt: skip


def runs_address(address: str) -> str:
    """URL of the runs of `kneerisk train`, best calibrated first; of all experiments if none."""
    from kneerisk.training.tracking import EXPERIMENTS, naming

    experiment = f"{address}{_EXPERIMENT_BY_NAME}{EXPERIMENTS['train']}"
    try:
        with urlopen(experiment, timeout=5) as response:  # noqa: S310 - always http
            experiment_id = json.load(response)["experiment"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return f"{address}/#/experiments?{naming.TRAINED_MODELS}"
    return address + naming.runs_page(str(experiment_id))
