"""What MLflow is kept from: sending usage, printing, and waiting for minutes."""

from __future__ import annotations

import logging
import os


def be_quiet() -> None:
    """Nothing is sent anywhere, and stdout is left to the result of a command."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Standard output is for the result of a command.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # Commands show their own progress; a bar for each file that is fetched adds nothing.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # A server that is gone half-way is asked twice more, not for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    # MLflow logs every table of a new database, and a traceback of what it then raises as well.
    for name in ("mlflow.store.db.utils", "mlflow.store.model_registry", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
