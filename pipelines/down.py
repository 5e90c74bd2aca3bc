"""`make down`: stop what `make up` started, and nothing else."""

from __future__ import annotations

import sys

from kneerisk.errors import KneeriskError
from kneerisk.words import text
from pipelines.console import say
from pipelines.services import stop
from pipelines.up import RUN_FOLDER


def main() -> None:
    """Stop the service and the MLflow UI if they run; ends with 1 if one can't be stopped."""
    failed = False
    for name in ("service", "mlflow"):
        try:
            if stop(RUN_FOLDER, name):
                say(text("command_line.down.stopped", name=name))
            else:
                say(text("command_line.down.not_running", name=name))
        except KneeriskError as error:
            failed = True
            say(f"make down: {error}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
