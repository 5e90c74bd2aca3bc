"""`make down`: stop what `make up` started, and nothing else."""

from __future__ import annotations

from pipelines.console import say
from pipelines.services import stop
from pipelines.up import RUN_FOLDER


def main() -> None:
    """Stop the service and the MLflow UI if they run."""
    for name in ("service", "mlflow"):
        say(f"{name}: {'stopped' if stop(RUN_FOLDER, name) else 'was not running'}")


if __name__ == "__main__":
    main()
