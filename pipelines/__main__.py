"""The command `kneerisk`. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from kneerisk import __version__
from kneerisk.errors import KneeriskError
from kneerisk.words import text
from pipelines import (
    adapt,
    benchmark,
    compare,
    console,
    doctor,
    evaluate,
    ingest,
    keys,
    monitor,
    outcomes,
    pool,
    promote,
    records,
    report,
    reproduce,
    retrain,
    runs,
    score,
    serve,
    simulate,
    testpack,
    train,
    tune,
    ui,
    validate,
)
from pipelines.options import COHORT_PANEL, RECORDS_PANEL

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)
# In the order of the help. Without a name a command stands by itself: `kneerisk train`.
COMMANDS = (
    simulate, train, tune, adapt, evaluate, validate, pool, runs, compare, benchmark, ui, reproduce,
    promote, score, report, testpack, serve, doctor,
)  # fmt: skip
for _command in COMMANDS:
    app.add_typer(_command.app)
    if _command is simulate:
        app.add_typer(ingest.app, name="ingest", rich_help_panel=COHORT_PANEL)
app.add_typer(keys.app, name="keys", rich_help_panel=RECORDS_PANEL)
app.add_typer(monitor.app)
app.add_typer(retrain.app)
app.add_typer(outcomes.app, name="outcomes", rich_help_panel=RECORDS_PANEL)
app.add_typer(records.app, name="records", rich_help_panel=RECORDS_PANEL)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"kneerisk {__version__}\n")
        raise typer.Exit


@app.callback(help=text("help.kneerisk"))
def kneerisk(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help=text("help.version")),
    ] = False,
) -> None:
    """Run before every command."""


def main() -> None:
    """Run a command; a person's mistake ends with its message, no traceback."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # Our matrices are small: threads of the linear algebra would only wait for each other, and a
    # sum that several of them share has other last digits.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        app(prog_name="kneerisk")
    except KneeriskError as error:
        console.say(f"kneerisk: {error}")
        sys.exit(1)
    except OSError as error:
        reason = error.strerror or str(error)
        console.say(f"kneerisk: {f'{error.filename}: ' if error.filename else ''}{reason}")
        sys.exit(1)


if __name__ == "__main__":
    main()
