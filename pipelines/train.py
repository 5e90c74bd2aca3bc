"""Cohort -> fitted model -> evaluation -> MLflow run -> challenger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle_of
from kneerisk.cohort.splits import divided, held_out, subset
from kneerisk.errors import BundleRefused
from kneerisk.evaluation.baselines import fit_baselines
from kneerisk.evaluation.driver_ranking import drivers
from kneerisk.evaluation.evaluation import (
    Evaluation,
    cross_validated,
    evaluate,
    interval_metrics,
    risks_of,
)
from kneerisk.evaluation.verdict import log_loss_over, on_seen, verdict
from kneerisk.model import bundle
from kneerisk.schema.data_dictionary import json_schema
from kneerisk.schema.fingerprint import fingerprint
from kneerisk.training.card import card
from kneerisk.training.fitting.cross_validation import out_of_fold
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.leakage.leakage_checks import refuse_unsound
from kneerisk.training.leakage.required_sample_size import few_outcomes
from kneerisk.training.plots.evaluation_plots import plots
from kneerisk.training.recording import lineage
from kneerisk.training.recording.lineage import Source
from kneerisk.training.recording.run_note import run_note
from kneerisk.training.registry.environment import environment
from kneerisk.training.tracking import CHAMPION, HELD_OUT, Run, Tracking, registered_name
from pipelines.console import Progress, Table
from pipelines.judged import BESIDE, judged

#: Of the fit: folds and trees. Another seed gives a model that differs by chance alone.
SEED = 0
#: Artifact of a run: metrics, slices and curves.
EVALUATION = "evaluation.json"
#: An observed cohort is small: which athletes are held out would decide the numbers.
CROSS_VALIDATION_SEEDS = range(10)


def train_on(data: Path | None, athletes: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Train on a file, or on simulated athletes; gives `version`, `run_id` and `metrics`."""
    source = Source(path=data.resolve()) if data else Source(athletes=athletes, seed=seed)
    progress("Reading the cohort" if data else f"Simulating {athletes:,} athletes")
    cohort, truth = lineage.load(source)
    unseen = held_out(cohort.frame["athlete_id"])
    train, test = subset(cohort, ~unseen), subset(cohort, unseen)
    progress("Checking that the cohort can be learnt from")
    checked = refuse_unsound(cohort, train, test, true=truth is not None)

    progress("Opening MLflow")
    tracking = Tracking(Path.cwd())
    with tracking.run(title(cohort), tags(cohort)) as run:
        fitted = fit(train, rows(truth, ~unseen), seed=SEED,
                     progress=lambda step: progress(f"Fitting: {step}"))  # fmt: skip
        progress("Judging on athletes it has not seen")
        evaluation = judge(fitted, train, test, rows(truth, unseen), progress)
        evaluation = evaluation.with_metrics(beside_champion(tracking, cohort, test, fitted))
        if truth is None:
            evaluation = evaluation.with_metrics(checked.metrics)
        if cohort.kind != "simulated":
            evaluation = evaluation.with_metrics(cross_validated(
                cohort, out_of_fold(cohort, CROSS_VALIDATION_SEEDS, progress)))  # fmt: skip
        progress("Logging the run")
        version = log(run, source, cohort, fitted, evaluation, truth)
    return {"version": version, "run_id": run.run_id, "metrics": evaluation.metrics}


def judge(
    fitted: Fitted,
    train: Cohort,
    test: Cohort,
    truth: pd.DataFrame | None,
    progress: Progress = lambda _: None,
    beside: Mapping[str, Fitted] | None = None,
) -> Evaluation:
    """The model beside its baselines, and the oracle where there is one, on held-out athletes.

    Other fits to the same athletes stand ``beside`` it as baselines do, under their names.
    """
    data = test.columns()
    prediction = fitted.model.predict(data)
    others = {name: model.predict(data) for name, model in fit_baselines(train, SEED).items()}
    others |= {name: risks_of(one.model.predict(data)) for name, one in (beside or {}).items()}
    best = oracle_of(test, FEWER_POINTS, progress)
    ours = risks_of(prediction)
    found = evaluate(test, ours, others, truth, prediction.imbalances, best)
    for name in ("logistic", *(beside or {})):
        found = found.with_metrics(log_loss_over(test, ours, others[name], name))
    found = replace(found, drivers=drivers(fitted.model, data, found.task_rows))
    return found.with_metrics({
        **interval_metrics(prediction, truth),
        **on_seen(train, risks_of(fitted.model.predict(train.columns()))),
    })  # fmt: skip


def beside_champion(
    tracking: Tracking, cohort: Cohort, test: Cohort, fitted: Fitted
) -> dict[str, float]:
    """How much more log loss the model has than the champion of its kind, on held-out athletes.

    Nothing where there is no champion, or one of another schema: it can't read these screenings.
    """
    served = tracking.alias(registered_name(cohort.outcome_kind, cohort.horizon_months), CHAMPION)
    if served is None:
        return {}
    with TemporaryDirectory() as folder:
        try:
            champion = bundle.load(tracking.bundle(served, Path(folder))).model
        except BundleRefused:
            return {}
    data = test.columns()
    ours, theirs = (risks_of(model.predict(data)) for model in (fitted.model, champion))
    return log_loss_over(test, ours, theirs, "champion")


def log(
    run: Run,
    source: Source,
    cohort: Cohort,
    fitted: Fitted,
    evaluation: Evaluation,
    truth: pd.DataFrame | None,
) -> str:
    """Everything about a version in one run; gives its name."""
    train, _ = divided(cohort)
    version = run.register(
        registered_name(cohort.outcome_kind, cohort.horizon_months), title(cohort)
    )
    seen = rows(truth, ~held_out(cohort.frame["athlete_id"]))
    metadata = metadata_of(
        train, seen, fitted, version=str(version), run_id=run.run_id,
        git_sha=lineage.git_sha(), data_sha256=lineage.digest(cohort),
    )  # fmt: skip
    pictures = log_judged(run, source, cohort, fitted, evaluation, truth)
    described = card(metadata, cohort, evaluation, pictures)
    run.card(described)
    run.note(run_note(run, evaluation.metrics, described, lineage.digest(cohort)))
    run.text(json_schema(), "screening.schema.json")
    with TemporaryDirectory() as folder:
        run.bundle(Path(folder), bundle.save(fitted.model, metadata, Path(folder)))
    return str(version)


def log_judged(
    run: Run,
    source: Source,
    cohort: Cohort,
    fitted: Fitted,
    evaluation: Evaluation,
    truth: pd.DataFrame | None,
) -> list[str]:
    """A fit and how good it is, whether it becomes a version or not; gives the plots' names."""
    train, test = divided(cohort)
    sha256 = lineage.digest(cohort)
    made_from = {**source.params(), "truth_sha256": lineage.truth_digest(truth)}
    run.dataset(train, "training", lineage.digest(train), source.params())
    run.dataset(test, HELD_OUT, lineage.digest(test), source.params())
    run.numbers({**params(cohort, sha256), **made_from, **fitted.choices}, evaluation.metrics)
    drawn = plots(evaluation, f"{title(cohort)}, held-out athletes")
    run.figures(drawn)
    run.text(json.dumps(evaluation.as_dict()), EVALUATION)
    return list(drawn)


def params(cohort: Cohort, data_sha256: str) -> dict[str, Any]:
    """What identifies a run: the data, the schema, the seed, and what it was fitted with."""
    return {
        "cohort_kind": cohort.kind,
        "outcome_kind": cohort.outcome_kind,
        "horizon_months": cohort.horizon_months or "none",
        "source": cohort.source,
        "athletes": cohort.frame["athlete_id"].nunique(),
        "screenings": len(cohort.frame),
        "data_sha256": data_sha256,
        "schema": fingerprint(),
        "seed": SEED,
        **environment(),
    }


def tags(cohort: Cohort) -> dict[str, str]:
    """By what runs are found."""
    return {
        "cohort_kind": cohort.kind,
        "outcome_kind": cohort.outcome_kind,
        "mlflow.source.name": "kneerisk train",
        "mlflow.source.git.commit": lineage.git_sha() or "",
    }


def title(cohort: Cohort) -> str:
    """A name for people: `new pain in 12 months, simulated, 50,000 athletes`."""
    horizon = f" in {cohort.horizon_months} months" if cohort.horizon_months else ""
    outcome = cohort.outcome_kind.replace("_", " ") + horizon
    return f"{outcome}, {cohort.kind}, {cohort.frame['athlete_id'].nunique():,} athletes"


def rows(truth: pd.DataFrame | None, chosen: NDArray[np.bool_]) -> pd.DataFrame | None:
    """Some rows of the truth, numbered anew."""
    return None if truth is None else truth[chosen].reset_index(drop=True)


def told(found: dict[str, Any]) -> list[str | Table]:
    """The result for a person."""
    metrics = found["metrics"]
    parts: list[str | Table] = [
        f"{found['version']} is challenger (run {found['run_id']}).",
        verdict(metrics),
        judged(metrics, BESIDE, "On held-out athletes"),
    ]
    if "cv_log_loss" in metrics:
        parts.append(judged(metrics, {"cv_": "model"}, "Cross-validated by athlete"))
    events, needed = (metrics.get(key) for key in ("train_events", "events_needed"))
    if events is not None and needed is not None and events < needed:
        parts.append(few_outcomes(events, needed))
    return parts
