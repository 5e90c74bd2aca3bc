"""`kneerisk train`: cohort -> fitted model -> evaluation -> MLflow run -> challenger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import (
    DEFAULT_ATHLETES,
    DEFAULT_REFITS,
    DEFAULT_SEED,
    TRAIN_PANEL,
    Athletes,
    CohortFile,
    Dask,
    Json,
    Measures,
    Refits,
    Seed,
    examples,
)

if TYPE_CHECKING:
    from kneerisk.training.new_versions.run_plan import RunPlan
    from kneerisk.training.new_versions.trained_version import TrainedVersion

app = typer.Typer()


@app.command(
    help=text("help.train.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "train",
        "train --data club.parquet",
        "train --athletes 5000 --name shallow --set max_depth=2 --tag season=2027 --json",
    ),
)
def train(
    data: CohortFile = None,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    measures: Measures = None,
    refits: Refits = DEFAULT_REFITS,
    name: Annotated[str | None, typer.Option(help=text("help.train.name"))] = None,
    tag: Annotated[list[str] | None, typer.Option(help=text("help.train.tag"))] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help=text("help.train.set"))] = None,
    config: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help=text("help.train.config"))
    ] = None,
    dask: Dask = None,
    spread_trees: Annotated[
        bool, typer.Option("--spread-trees", help=text("help.train.spread_trees"))
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a model and print its metrics."""
    from kneerisk.training.new_versions.run_plan import run_plan

    if spread_trees and dask is None:
        raise typer.BadParameter(text("command_line.train.spread_where"))
    plan = run_plan(name, tag or (), setting or (), config)
    with console.own_measures(measures), console.progress() as progress:
        result = train_model(data, athletes, seed, progress, refits, plan, dask, spread_trees)
    console.result(result, as_json, *summary(result))


def train_model(
    data: Path | None,
    athletes: int,
    seed: int,
    progress: Progress,
    refits: int = DEFAULT_REFITS,
    plan: RunPlan | None = None,
    dask: str | None = None,
    spread_trees: bool = False,
) -> dict[str, Any]:
    """Train on a file, or on simulated athletes.

    Parameters
    ----------
    data
        A canonical cohort file; None simulates.
    athletes
        How many to simulate.
    seed
        Of the simulation.
    progress
        Called with what is being done.
    refits
        How often a model of measured athletes is built again.
    plan
        The run's name and tags, and the settings of the fit; None: the defaults.
    dask
        The address of a cluster's scheduler, or `local`; None is this process.
    spread_trees
        Whether the cluster's workers hold the rows of the model's trees.

    Returns
    -------
    `version`, `run_id` and `metrics`; where a gate of `promote` refuses it, the `verdict`, and
    `auc_refused` where the AUC is too high.
    """
    from kneerisk.training.tracking import require_store

    require_store(Path.cwd())
    from kneerisk.training.fitting.rows_on_cluster import rows_held
    from kneerisk.training.new_versions.run_plan import NOTHING_CHOSEN
    from kneerisk.training.new_versions.trained_version import train_version
    from kneerisk.training.provenance import Source, load
    from kneerisk.workers.dask_cluster import scheduler_at, workers_at

    source = Source.of(data, athletes, seed)
    with (
        scheduler_at(dask) as scheduler,
        workers_at(scheduler) as workers,
        rows_held(scheduler if spread_trees else None) as hold_rows,
    ):
        progress(event("reading_cohort") if data else event("simulating", athletes=athletes))
        cohort, truth = load(source)
        trained = train_version(
            source, cohort, truth, refits, progress, plan or NOTHING_CHOSEN, workers, hold_rows
        )
    return _result(trained)


def _result(trained: TrainedVersion) -> dict[str, Any]:
    """What was made, and why `promote` will refuse it, if so."""
    from kneerisk.training.registry.run_record import verdict_on

    verdict = verdict_on(trained.record)
    metrics = trained.record.evaluation.metrics
    result = {"version": trained.version, "run_id": trained.run_id, "metrics": metrics}
    for gate in verdict["gates"]:
        if gate["name"] == "auc" and not gate["passed"]:
            result["auc_refused"] = gate["told"]
    return result if verdict["passes"] else {**result, "verdict": verdict}


def summary(result: dict[str, Any]) -> list[str | console.Table]:
    """The result for a person."""
    from kneerisk.evaluation.run_verdict import verdict
    from kneerisk.training.leakage.required_sample_size import few_outcomes
    from pipelines.console import BASELINES, left_out_table, metrics_table

    metrics = result["metrics"]
    lines: list[str | console.Table] = [
        text("command_line.train.challenger", version=result["version"], run=result["run_id"]),
        verdict(metrics),
        *left_out_table(metrics, {"iecv_": "model"}),
        metrics_table(metrics, BASELINES, text("command_line.table.held_out")),
    ]
    if "cv_log_loss" in metrics:
        title = text("command_line.table.cross_validated")
        rows = {"cv_": "model", "cv_logistic_": "logistic", "cv_prior_": "base_rate"}
        lines.append(metrics_table(metrics, rows, title))
    lines += [
        text("command_line.train.refused", reason=gate["told"])
        for gate in result.get("verdict", {}).get("gates", ())
        if not gate["passed"]
    ]
    events, needed = (metrics.get(name) for name in ("train_events", "events_needed"))
    if events is not None and needed is not None and events < needed:
        lines.append(few_outcomes(events, needed))
    return lines
