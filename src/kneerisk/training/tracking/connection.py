"""The tracking store: where it is, that it keeps quiet, and why it can't be used."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kneerisk.errors import KneeriskError

#: Without `MLFLOW_TRACKING_URI`: a database and a folder where the command is run.
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"


class TrackingFailed(KneeriskError):
    """The tracking store can't be reached, or does not hold what was asked for."""


def tracking_uri(folder: Path) -> str:
    """Where runs are tracked: `MLFLOW_TRACKING_URI`, else SQLite in a folder."""
    from_environment = os.environ.get("MLFLOW_TRACKING_URI")
    return from_environment or f"sqlite:///{folder.resolve() / DATABASE}"


def has_runs(folder: Path) -> bool:
    """Whether there is a store of runs, so that asking for a run does not make one."""
    return "MLFLOW_TRACKING_URI" in os.environ or (folder / DATABASE).is_file()


def be_quiet() -> None:
    """Nothing is sent anywhere, and stdout is left to the result of a command."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Standard output is for the result of a command.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # Commands show their own progress; a bar for each file that is fetched adds nothing.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # MLflow logs every table that it creates in a new database.
    for name in ("mlflow.store.db.utils", "mlflow.store.model_registry", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def translated_errors(uri: str, message: str | None = None) -> Iterator[None]:
    """Turn MLflow's errors in this block into `TrackingFailed`, with its reason or another one."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise TrackingFailed(message or _reason(uri, error)) from None


def _reason(uri: str, error: Exception) -> str:
    """Why MLflow refused, in one line."""
    return f"MLflow at {uri}: {str(error).splitlines()[0]}"
