"""The command `kneerisk`. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kneerisk.errors import KneeriskError
from pipelines import console

DEFAULT_ATHLETES = 30_000
DEFAULT_SEED = 1

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Risk of knee pain and the likely muscle imbalance, per knee. Not a medical device.",
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write, .csv or .parquet.")]
CohortFile = Annotated[Path | None, typer.Option(
    "--data", exists=True, dir_okay=False, help="A canonical cohort file; without it, simulate.",
)]  # fmt: skip
Models = Annotated[Path, typer.Option(
    envvar="KNEERISK_MODELS", help="The folder of released models.",
)]  # fmt: skip
Athletes = Annotated[int, typer.Option(min=10, help="How many athletes to simulate.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")]


@app.command(epilog="Example: `kneerisk simulate --athletes 5000 --out cohort.parquet`")
def simulate(
    out: Out,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    truth: Annotated[Path | None, typer.Option(help="The true risks; default: beside OUT.")] = None,
    as_json: Json = False,
) -> None:
    """Write a simulated cohort, drawn from published effect sizes."""
    from pipelines.simulate import simulate_to

    with console.progress() as progress:
        found = simulate_to(out, athletes, seed, truth, progress)
    lines = f"{found['screenings']:,} simulated screenings in {out}, the truth in {found['truth']}"
    console.result(found, as_json, lines)


@app.command(epilog="Example: `kneerisk train --data club.parquet`, then `kneerisk promote`")
def train(
    data: CohortFile = None,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    as_json: Json = False,
) -> None:
    """Fit a model, judge it on athletes it has not seen, log it and make it challenger."""
    from pipelines.train import told, train_on

    with console.progress() as progress:
        found = train_on(data, athletes, seed, progress)
    console.result(found, as_json, told(found))


@app.command(epilog="Example: `kneerisk adapt --data club.parquet`, then `kneerisk promote`")
def adapt(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            exists=True,
            dir_okay=False,
            help="The club's canonical cohort file.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="The version to adapt; default: the champion.",
        ),
    ] = None,
    models: Models = Path("models"),
    as_json: Json = False,
) -> None:
    """Correct the champion by a club's outcomes, as far as they support it; never from scratch."""
    from pipelines.adapt import adapt_on, told

    with console.progress() as progress:
        found = adapt_on(data, model, models, progress)
    console.result(found, as_json, told(found))


@app.command(epilog="Example: `kneerisk evaluate --model kneerisk-new_pain-12m-v3 --data club.csv`")
def evaluate(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A cohort file.")],
    model: Annotated[
        str | None, typer.Option(help="A released or registered version. Default: the champion.")
    ] = None,
    models: Models = Path("models"),
    as_json: Json = False,
) -> None:
    """Judge a model on athletes with outcomes, beside its baselines; changes nothing."""
    from pipelines.evaluate import evaluate_on, told

    with console.progress() as progress:
        found = evaluate_on(model, data, models, progress)
    console.result(found, as_json, told(found))


@app.command(epilog="Example: `kneerisk promote kneerisk-new_pain-12m-v3`")
def promote(
    version: Annotated[str | None, typer.Argument(help="Default: the only challenger.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The file it was trained on, where that was moved."
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Also replace a champion of another outcome kind.")
    ] = False,
    models: Models = Path("models"),
    as_json: Json = False,
) -> None:
    """Make a challenger champion, if it passes the gates, and release it to be served."""
    from pipelines.promote import promote_to

    found, lines = promote_to(models, version, data, serve=serve)
    console.result(found, as_json, lines)


@app.command(epilog="Example: `kneerisk rollback`")
def rollback(models: Models = Path("models"), as_json: Json = False) -> None:
    """Serve again what the champion replaced."""
    from pipelines.rollback import rollback_in

    found, lines = rollback_in(models)
    console.result(found, as_json, lines)


@app.command(epilog="Example: `kneerisk score club.csv --out answers.csv`")
def score(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Screenings.")],
    out: Out,
    models: Models = Path("models"),
    as_json: Json = False,
) -> None:
    """Answer every screening of a file, with the numbers that the service gives."""
    from pipelines.score import score_to

    with console.progress() as progress:
        found = score_to(file, out, models, progress)
    lines = f"{found['screenings']:,} screenings answered by {found['version']} in {out}"
    console.result(found, as_json, lines)


@app.command(epilog="Example: `kneerisk report club.csv --athlete A17 --out a17.html`")
def report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Screenings.")],
    athlete: Annotated[str, typer.Option(help="The athlete_id; the last screening is taken.")],
    date: Annotated[str | None, typer.Option(help="Another screening, such as 2026-03-01.")] = None,
    out: Annotated[Path | None, typer.Option(help="Default: the athlete_id, here.")] = None,
    kind: Annotated[
        Literal["html", "md"] | None,
        typer.Option("--format", help="Default: by the suffix of OUT, else html."),
    ] = None,
    models: Models = Path("models"),
    as_json: Json = False,
) -> None:
    """Write one athlete's answer as a page to print; the browser makes a PDF of it."""
    from pipelines.report import report_to

    with console.progress() as progress:
        found = report_to(file, athlete, date, out, kind, models, progress)
    console.result(found, as_json, f"The report is in {found['file']}: open it and print it")


@app.command(epilog="Example: `kneerisk serve --port 8080`")
def serve(
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65_535)] = 3000,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 is everywhere.")] = (
        "127.0.0.1"
    ),
    models: Models = Path("models"),
) -> None:
    """Answer over HTTP until stopped."""
    from pipelines.serve import serve_on

    serve_on(host, port, models)


@app.command(epilog="Example: `MLFLOW_TRACKING_URI=sqlite:///club.db kneerisk ui`")
def ui(port: Annotated[int, typer.Option(envvar="MLFLOW_PORT", min=1, max=65_535)] = 5000) -> None:
    """Open the MLflow page, where runs are compared, until stopped."""
    from pipelines.ui import ui_on

    ui_on(port)


def main() -> None:
    """Run a command; a person's mistake ends with its message, no traceback."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # Our matrices are small: threads of the linear algebra would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        _with_ingest()
        app(prog_name="kneerisk")
    except KneeriskError as error:
        console.say(f"kneerisk: {error}")
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        console.say(f"kneerisk: {error.filename}: {error.strerror}")
        sys.exit(1)


def _with_ingest() -> None:
    from pipelines.ingest import app as ingest

    app.add_typer(ingest, name="ingest")


if __name__ == "__main__":
    main()
