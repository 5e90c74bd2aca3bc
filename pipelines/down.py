"""`make down`: stops what `make up` started, and nothing else."""

from __future__ import annotations

from pipelines.console import say
from pipelines.services import stop
from pipelines.up import RUN_FOLDER


def main() -> None:
    """Stop both programs, where they run."""
    for name in ("service", "mlflow"):
        say(f"{name}: {'stopped' if stop(RUN_FOLDER, name) else 'was not running'}")


if __name__ == "__main__":
    main()
