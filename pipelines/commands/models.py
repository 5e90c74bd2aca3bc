"""Commands that train, judge and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import console
from pipelines.commands.options import (
    DEFAULT_ATHLETES,
    DEFAULT_SEED,
    MODELS,
    Athletes,
    CohortFile,
    Json,
    Models,
    Seed,
    examples,
)

PANEL = "Train and judge"
app = typer.Typer()


@app.command(
    rich_help_panel=PANEL,
    epilog=examples("train", "train --data club.parquet", "train --athletes 5000 --json"),
)
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
    console.result(found, as_json, *told(found))


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tune --data club.parquet --trials 40 --study club",
        "tune --athletes 5000 --trials 30 --workers 2",
    ),
)
def tune(
    data: CohortFile = None,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    trials: Annotated[int, typer.Option(min=1, help="Trials of the study in all.")] = 30,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the study.")] = 1,
    study: Annotated[
        str, typer.Option(help="Its name; the same name goes on with it, or joins it.")
    ] = "study",
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Begin no trial after so many seconds.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search for better settings of a fit; the winner is judged on athletes it has not seen.

    Stopped, killed or started twice: the same command goes on with the study, or joins it.
    """
    from pipelines.tune import Plan, told, tune_on

    with console.progress() as progress:
        found = tune_on(data, athletes, seed, Plan(study, trials, workers, timeout), progress)
    console.result(found, as_json, told(found))


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "adapt --data club.parquet",
        "adapt --data club.parquet --model kneerisk-new_pain-12m-v3",
    ),
)
def adapt(
    data: Annotated[
        Path,
        typer.Option(
            "--data", exists=True, dir_okay=False, help="The club's canonical cohort file."
        ),
    ],
    model: Annotated[
        str | None, typer.Option("--model", help="The version to adapt; default: the champion.")
    ] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Correct the champion by a club's outcomes, as far as they support it; never from scratch."""
    from pipelines.adapt import adapt_on, told

    with console.progress() as progress:
        found = adapt_on(data, model, models, progress)
    console.result(found, as_json, *told(found))


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "evaluate --data club.csv",
        "evaluate --model kneerisk-new_pain-12m-v3 --data club.csv",
    ),
)
def evaluate(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A cohort file.")],
    model: Annotated[
        str | None, typer.Option(help="A released or registered version. Default: the champion.")
    ] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Judge a model on athletes with outcomes, beside its baselines; changes nothing."""
    from pipelines.evaluate import evaluate_on, told

    with console.progress() as progress:
        found = evaluate_on(model, data, models, progress)
    console.result(found, as_json, *told(found))


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "compare kneerisk-new_pain-12m-v2 kneerisk-new_pain-12m-v3",
        "compare champion challenger",
        "compare 3f2a9c11 b7710d5e --every-metric",
        "compare --cohort 92117db8 --json",
    ),
)
def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="Beginnings of run ids, versions, `champion` or `challenger`."),
    ] = None,
    cohort: Annotated[
        str | None,
        typer.Option(help="All runs on a cohort, by the beginning of its data_sha256."),
    ] = None,
    every_run: Annotated[
        bool, typer.Option("--all", help="All runs; the 8 best calibrated are shown.")
    ] = False,
    every_metric: Annotated[
        bool, typer.Option("--every-metric", help="Also those of baselines, imbalances, slices.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Metrics of runs side by side, what they were made with, and which is better."""
    from pipelines.compare import compare_runs, told

    found = compare_runs(runs or [], cohort, every_run=every_run, every_metric=every_metric)
    console.result(found.as_dict(), as_json, *told(found))


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "benchmark --ric-metadata run_data_meta.csv --ric-kinematics run_kinematics.csv "
        "--weightlifters wlinj.csv"
    ),
)
def benchmark(
    ric_metadata: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    ric_kinematics: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    weightlifters: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    seeds: Annotated[int, typer.Option(min=1, help="How often folds are dealt anew.")] = 10,
    out: Annotated[
        Path | None, typer.Option(help="A page to write (.md), with pictures beside it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge the method on published data, beside baselines and what must not explain it."""
    from pipelines.benchmark import benchmark_on, told

    with console.progress() as progress:
        found = benchmark_on(ric_metadata, ric_kinematics, weightlifters, seeds, out, progress)
    console.result(found, as_json, told(found))


@app.command(
    rich_help_panel=PANEL,
    epilog=examples("ui", "ui --port 5001 --json"),
)
def ui(
    port: Annotated[int, typer.Option(envvar="MLFLOW_PORT", min=1, max=65_535)] = 5000,
    as_json: Json = False,
) -> None:
    """Open the MLflow page, where runs are compared, until stopped."""
    from pipelines.ui import run_ui

    run_ui(port, as_json)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples("reproduce kneerisk-new_pain-12m-v3", "reproduce --data moved/club.parquet"),
)
def reproduce(
    version: Annotated[str | None, typer.Argument(help="Default: the champion.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The file it was made from, where that was moved."
        ),
    ] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Fit a version again from what its run says; fails where the predictions are others."""
    from pipelines.reproduce import reproduce_version, told

    with console.progress() as progress:
        found = reproduce_version(version, data, models, progress)
    console.result(found.as_dict(), as_json, told(found))
    if not found.agrees:
        raise typer.Exit(1)
