"""`kneerisk evaluate`: model + cohort with outcomes -> metrics by task, baselines and oracle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.hazard_lines import hazard_lines
from pipelines.options import MODELS, TRAIN_PANEL, Json, Measures, Models, Weeks, examples

if TYPE_CHECKING:
    from kneerisk.cohort import Cohort
    from kneerisk.model import Bundle

app = typer.Typer()
_OF_TRUTH = ("oracle_mae", "auc_below_oracle", "true_calibration_slope", "interval_coverage")


@app.command(
    help=text("help.evaluate.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "evaluate --data club.csv",
        "evaluate --model kneerisk-new_pain-12m-v3 --data club.csv",
        "evaluate --data club.parquet --weeks weeks.parquet",
    ),
)
def evaluate(
    data: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help=text("help.evaluate.data"))
    ],
    model: Annotated[str | None, typer.Option(help=text("help.evaluate.model"))] = None,
    weeks: Weeks = None,
    measures: Measures = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Evaluate a version and print its metrics."""
    with console.own_measures(measures), console.progress() as progress:
        result = evaluate_version(model, data, models, progress, weeks)
    console.result(result, as_json, *summary(result))


def evaluate_version(
    version: str | None,
    data: Path,
    models: Path,
    progress: Progress,
    weeks: Path | None = None,
) -> dict[str, Any]:
    """Evaluate a released or registered version on a cohort file.

    Parameters
    ----------
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    data
        A canonical cohort file.
    models
        The folder of released models.
    progress
        Called with what is being done.
    weeks
        The file of the cohort's weeks, where follow-up was weekly.

    Returns
    -------
    `metrics` by task, and what they are of; with weeks the `hazard` by week beside.
    """
    from kneerisk.evaluation.model_validation import metrics_by_task, validate
    from kneerisk.training.leakage.leakage_checks import refuse_other_outcome
    from kneerisk.training.provenance import Source, load
    from kneerisk.training.registry.versions import load_version, without_training_athletes

    progress(event("loading_model"))
    bundle = load_version(models, version)
    progress(event("reading_file", file=data))
    with bundle.model.own.also_in_force():
        cohort, truth = load(Source(path=data))
        refuse_other_outcome(bundle.metadata, cohort)
        progress(event("finding_training_athletes"))
        whole = cohort
        cohort, truth, athletes = without_training_athletes(
            bundle.metadata, cohort, truth, Path.cwd()
        )
        evaluation = validate(bundle, cohort, truth, progress)
        hazard = {} if weeks is None else _hazard(bundle, whole, cohort, weeks)
    return {
        "version": bundle.metadata.version,
        "run_id": bundle.metadata.run_id,
        "data": str(data),
        "judged_on": athletes,
        "cohort_kind": cohort.kind,
        "outcome_kind": cohort.outcome_kind,
        "screenings": len(cohort.frame),
        **metrics_by_task(evaluation),
        **hazard,
    }


def _hazard(bundle: Bundle, whole: Cohort, cohort: Cohort, weeks: Path) -> dict[str, Any]:
    """The hazard by week beside the version's risks, of the screenings that are judged."""
    from kneerisk.cohort.knee_weeks import read_weeks
    from kneerisk.training.updating.hazard_beside import compare_hazard, proposal

    metrics = compare_hazard(bundle.model, cohort, read_weeks(weeks, whole, cohort))
    return {"hazard": {"proposed": proposal(metrics), "metrics": metrics}}


def summary(result: Mapping[str, Any]) -> list[str | console.Table]:
    """The result for a person."""
    from pipelines.console import BASELINES, metrics_table

    tasks = result["metrics"]
    metrics = {name: value for task in tasks.values() for name, value in task.items()}
    travels = "logistic_log_loss" in metrics
    lines = [
        text("command_line.evaluate.logistic") if travels
        else text("command_line.evaluate.no_logistic")
    ]  # fmt: skip
    lines += [f"{name} {metrics[name]:.4f}" for name in _OF_TRUTH if name in metrics]
    lines += [f"{name} {value:.4f}" for name, value in tasks.get("imbalances", {}).items()
              if name.endswith(("_auc", "_below_oracle"))]  # fmt: skip
    if lowest := result["worst_slice"]:
        auc = f"{lowest['metrics']['auc']:.3f}"
        lines.append(text(
            "command_line.evaluate.lowest_auc", by=lowest["by"], part=lowest["name"], auc=auc
        ))  # fmt: skip
    title = text(
        "command_line.table.evaluated", version=result["version"], athletes=result["judged_on"],
        rows=f"{metrics['rows']:,.0f}", people=f"{metrics['athletes']:,.0f}",
        events=f"{metrics['events']:,.0f}",
    )  # fmt: skip
    if "hazard" in result:
        lines += hazard_lines(result["hazard"]["metrics"], result["hazard"]["proposed"])
    return [metrics_table(metrics, BASELINES, title), "\n".join(lines)]
