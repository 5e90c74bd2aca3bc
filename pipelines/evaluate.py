"""Model + cohort file with outcomes -> the model beside baselines and the oracle, by task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import ATHLETE_ID
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle_of
from kneerisk.cohort.splits import folds, held_out, subset
from kneerisk.errors import CohortRefused, KneeriskError
from kneerisk.evaluation.baselines import PriorBaseline, fit_logistic, logistic_design
from kneerisk.evaluation.evaluation import (
    Evaluation,
    Risks,
    evaluate,
    interval_metrics,
    risks_of,
)
from kneerisk.model import Metadata
from kneerisk.schema import SIDES
from kneerisk.training.leakage.leakage_checks import plain_id, refuse_other_outcome
from kneerisk.training.recording.lineage import Source, digest, load, load_again
from kneerisk.training.tracking import Tracking
from pipelines.console import Progress, Table
from pipelines.judged import BESIDE, judged
from pipelines.released import has_runs, released

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
    refuse_other_outcome(judged.metadata, cohort)
    progress("Looking for athletes that it was trained on")
    unseen, judged_on = _unseen(judged.metadata, cohort)
    if not unseen.all():
        cohort = subset(cohort, unseen)
        truth = None if truth is None else truth[unseen].reset_index(drop=True)
    progress("Predicting")
    columns = cohort.columns()
    prediction = judged.model.predict(columns)
    progress("Baselines")
    others = {
        "logistic": left_out_logistic(cohort),
        "prior": prior(judged.metadata).predict(columns),
    }
    best = oracle_of(cohort, FEWER_POINTS, progress)
    progress("Judging")
    found = evaluate(cohort, risks_of(prediction), others, truth, prediction.imbalances, best)
    found = found.with_metrics(interval_metrics(prediction, truth))
    return {
        "version": judged.metadata.version,
        "run_id": judged.metadata.run_id,
        "data": str(data),
        "judged_on": judged_on,
        "cohort_kind": cohort.kind,
        "outcome_kind": cohort.outcome_kind,
        "screenings": len(cohort.frame),
        **_by_task(found),
    }


def _unseen(metadata: Metadata, cohort: Cohort) -> tuple[NDArray[np.bool_], str]:
    """Which screenings are of athletes that a model was not trained on, and who they are.

    Raises
    ------
    CohortRefused
        Where there are none.
    """
    ids = cohort.frame[ATHLETE_ID]
    if digest(cohort) == metadata.data_sha256:
        return held_out(ids), "held-out athletes of its own cohort"
    trained = _trained_on(metadata)
    if trained is None:
        return np.ones(len(ids), dtype=bool), "all athletes of the file"
    seen = ids.map(plain_id).isin(trained).to_numpy()
    if seen.all():
        raise CohortRefused(f"{metadata.version} was trained on every athlete of the file")
    left_out = ids[seen].nunique()
    who = f"athletes it was not trained on ({left_out:,} of the file left out)"
    return ~seen, who if left_out else "all athletes of the file, none of whom it was trained on"


def _trained_on(metadata: Metadata) -> set[str] | None:
    """The ids of those a model of people was trained on; None where that is not known here.

    A bundle holds no ids. They are in the file that its run names, if both are still here.
    """
    if metadata.cohort == "simulated" or not has_runs():
        return None
    try:
        params, _ = Tracking(Path.cwd()).logged(metadata.run_id)
        ids = load_again(params)[0].frame[ATHLETE_ID]
    except KneeriskError:
        return None
    return set(ids[~held_out(ids)].map(plain_id))


def prior(metadata: Metadata) -> PriorBaseline:
    """The base rate of the athletes that the model was trained on, for everyone."""
    rates = metadata.base_rates.get("all", {})
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
