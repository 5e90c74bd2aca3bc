"""`kneerisk train`: cohort -> fitted model -> evaluation -> MLflow run -> challenger."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kneerisk.progress import Progress, event, within
from kneerisk.words import text
from pipelines import console
from pipelines.options import (
    DEFAULT_ATHLETES,
    DEFAULT_REFITS,
    DEFAULT_SEED,
    TRAIN_PANEL,
    Athletes,
    CohortFile,
    Json,
    Measures,
    Refits,
    Seed,
    examples,
)

if TYPE_CHECKING:
    from kneerisk.cohort import Cohort
    from kneerisk.evaluation.evaluation import Evaluation
    from kneerisk.model.risk_model import RiskModel
    from kneerisk.training.registry.run_record import RunRecord

app = typer.Typer()
#: An observed cohort is small: which athletes are held out would decide the numbers, so folds are
#: dealt several times (assumption: ten settle the mean).
CROSS_VALIDATION_SEEDS = range(10)


@app.command(
    help=text("help.train.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples("train", "train --data club.parquet", "train --athletes 5000 --json"),
)
def train(
    data: CohortFile = None,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    measures: Measures = None,
    refits: Refits = DEFAULT_REFITS,
    as_json: Json = False,
) -> None:
    """Train a model and print its metrics."""
    with console.own_measures(measures), console.progress() as progress:
        result = train_model(data, athletes, seed, progress, refits)
    console.result(result, as_json, *summary(result))


def train_model(
    data: Path | None, athletes: int, seed: int, progress: Progress, refits: int = DEFAULT_REFITS
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

    Returns
    -------
    `version`, `run_id` and `metrics`; where a gate of `promote` refuses it, the `verdict`, and
    `auc_refused` where the AUC is too high.
    """
    from kneerisk.training.tracking import Tracking, require_store

    require_store(Path.cwd())
    from kneerisk.cohort.splits import held_out, train_test_split, truth_subset
    from kneerisk.evaluation.model_validation import evaluate_model
    from kneerisk.training.fitting.fit import fit
    from kneerisk.training.fitting.fitted_metadata import metadata_of
    from kneerisk.training.fitting.settings import SEED
    from kneerisk.training.leakage.leakage_checks import refuse_unsound
    from kneerisk.training.provenance import Source, load, truth_digest
    from kneerisk.training.registry import run_record, versions

    source = Source.of(data, athletes, seed)
    progress(event("reading_cohort") if data else event("simulating", athletes=athletes))
    cohort, truth = load(source)
    unseen = held_out(cohort.frame["athlete_id"])
    train, test = train_test_split(cohort)
    train_truth, test_truth = truth_subset(truth, ~unseen), truth_subset(truth, unseen)
    progress(event("checking_cohort"))
    leakage = refuse_unsound(cohort, train, test, true=truth is not None)
    progress(event("opening_mlflow"))
    tracking, tags = Tracking(Path.cwd()), run_record.run_tags(cohort, "train")
    with tracking.start_run(run_record.cohort_title(cohort), tags) as run:
        fitted = fit(train, train_truth, seed=SEED, progress=within("fitting", progress))
        progress(event("evaluating_held_out"))
        judged = evaluate_model(fitted.model, train, test, test_truth, seed=SEED, progress=progress)
        metrics = versions.log_loss_over_champion(tracking, fitted.model, test)
        judged = _left_out_and_refitted(judged, cohort, fitted.model, refits, progress)
        progress(event("logging_run"))
        record = run_record.RunRecord(
            source=source, data=cohort, cohort=cohort, model=fitted.model,
            evaluation=judged.with_metrics(metrics | (leakage.metrics if truth is None else {})),
            parameters={"truth_sha256": truth_digest(truth), **fitted.choices},
        )  # fmt: skip
        metadata = partial(metadata_of, train, train_truth, fitted)
        version = run_record.log_version(run, record, metadata)
    return _result(version, run.run_id, record)


def _left_out_and_refitted(
    judged: Evaluation, cohort: Cohort, model: RiskModel, refits: int, progress: Progress
) -> Evaluation:
    """The evaluation with left-out groups and people, and how far refits move risks."""
    from kneerisk.cohort.splits import train_test_split
    from kneerisk.training.fitting.cross_validation import evaluate_people, refit_people

    judged = evaluate_people(cohort, CROSS_VALIDATION_SEEDS, progress).beside(judged)
    train, _ = train_test_split(cohort)
    return judged.with_instability(refit_people(train, model, refits, progress))


def _result(version: str, run_id: str, record: RunRecord) -> dict[str, Any]:
    """What was made, and why `promote` will refuse it, if so."""
    from kneerisk.training.registry.run_record import verdict_on

    verdict = verdict_on(record)
    result = {"version": version, "run_id": run_id, "metrics": record.evaluation.metrics}
    for gate in verdict["gates"]:
        if gate["name"] == "auc" and not gate["passed"]:
            result["auc_refused"] = gate["told"]
    return result if verdict["passes"] else {**result, "verdict": verdict}


def summary(result: dict[str, Any]) -> list[str | console.Table]:
    """The result for a person."""
    from kneerisk.evaluation.comparison import verdict
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
