"""Model + cohort file with outcomes -> the model beside baselines and the oracle, by task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kneerisk.cohort import Cohort
from kneerisk.cohort.oracle import FEWER_POINTS, oracle_of
from kneerisk.model import Facts
from kneerisk.schema import SIDES
from kneerisk.training.baselines import PriorBaseline, fit_logistic, logistic_design
from kneerisk.training.evaluation import Evaluation, Risks, evaluate, interval_metrics, risks_of
from kneerisk.training.guards import refuse_other_outcome
from kneerisk.training.lineage import Source, digest, load
from kneerisk.training.splits import folds, held_out, subset
from pipelines.console import Progress, Table
from pipelines.judged import BESIDE, judged
from pipelines.released import released

SEED = 0
FOLDS = 5


def evaluate_on(
    version: str | None, data: Path, models: Path, progress: Progress
) -> dict[str, Any]:
    """Judge a released or registered version on a cohort file; gives `metrics` by task.

    Raises
    ------
    BadCells, CohortRefused
        Where the file is no cohort, or its outcome is another one than the model's.
    BundleRefused
        Where there is no such version, or its bundle is not sound.
    """
    progress("Loading the model")
    judged = released(models, version)
    progress(f"Reading {data}")
    cohort, truth = load(Source(path=data))
    refuse_other_outcome(judged.facts, cohort)
    unseen = np.ones(len(cohort.frame), dtype=bool)
    if seen := digest(cohort) == judged.facts.data_sha256:
        unseen = held_out(cohort.frame["athlete_id"])
        cohort = subset(cohort, unseen)
        truth = None if truth is None else truth[unseen].reset_index(drop=True)
    progress("Predicting")
    columns = cohort.columns()
    prediction = judged.model.predict(columns)
    progress("Baselines")
    others = {"logistic": left_out_logistic(cohort), "prior": prior(judged.facts).predict(columns)}
    best = oracle_of(cohort, FEWER_POINTS, progress)
    progress("Judging")
    found = evaluate(cohort, risks_of(prediction), others, truth, prediction.imbalances, best)
    found = found.with_metrics(interval_metrics(prediction, truth))
    return {
        "version": judged.facts.version,
        "run_id": judged.facts.run_id,
        "data": str(data),
        "judged_on": "held-out athletes of its own cohort" if seen else "all athletes of the file",
        "cohort_kind": cohort.kind,
        "outcome_kind": cohort.outcome_kind,
        "screenings": len(cohort.frame),
        **_by_task(found),
    }


def prior(facts: Facts) -> PriorBaseline:
    """The base rate of the athletes that the model was trained on, for everyone."""
    rates = facts.base_rates.get("all", {})
    return PriorBaseline(leg=rates.get("leg"), either=rates.get("either"))


def left_out_logistic(cohort: Cohort) -> Risks:
    """A logistic regression of the file's own athletes, each told by a fit without them."""
    fold = folds(cohort.frame["athlete_id"], FOLDS, SEED)
    told = {name: np.full(len(fold), np.nan) for name in (*SIDES, "either")}
    for number in range(FOLDS):
        outside = fold != number
        if outside.all() or not outside.any():
            continue
        fitted = fit_logistic(subset(cohort, outside), logistic_design(), SEED)
        risks = fitted.predict(subset(cohort, ~outside).columns())
        for name, values in told.items():
            part = getattr(risks, name)
            values[~outside] = np.nan if part is None else part
    left, right = (told[side] if cohort.has_sides else None for side in SIDES)
    return Risks(left, right, told["either"])


def _by_task(found: Evaluation) -> dict[str, Any]:
    """The evaluation as plain data, its metrics under the task that they are of."""
    tasks: dict[str, dict[str, float]] = {"risk": {}}
    for name, value in found.metrics.items():
        tasks.setdefault(_task(name), {})[name] = value
    return {**found.as_dict(), "metrics": tasks}


def _task(name: str) -> str:
    if "which_limb" in name:
        return "which_limb"
    if "imbalance_" in name:
        return "imbalances"
    plain = name.removeprefix("logistic_").removeprefix("prior_")
    return "oracle" if plain.startswith(("oracle_", "true_", "auc_below")) else "risk"


def told(found: Mapping[str, Any]) -> list[str | Table]:
    """The result for a person."""
    tasks = found["metrics"]
    metrics = {name: value for task in tasks.values() for name, value in task.items()}
    counts = (
        f"{metrics['rows']:,.0f} rows of {metrics['athletes']:,.0f} athletes, "
        f"{metrics['events']:,.0f} with pain."
    )
    lines = ["(The logistic regression is fitted to this file, each athlete left out.)"]
    lines += [
        f"{name} {metrics[name]:.4f}"
        for name in ("oracle_mae", "auc_below_oracle", "true_calibration_slope",
                     "interval_coverage")
        if name in metrics
    ]  # fmt: skip
    lines += [f"{name} {value:.4f}" for name, value in tasks.get("imbalances", {}).items()
              if name.endswith(("_auc", "_below_oracle"))]  # fmt: skip
    if lowest := found["worst_slice"]:
        lines.append(f"Lowest AUC: {lowest['by']} {lowest['name']}, {lowest['metrics']['auc']:.3f}")
    return [
        judged(metrics, BESIDE, f"{found['version']} on {found['judged_on']}: {counts}"),
        "\n".join(lines),
    ]
