"""How good a model is on athletes it has not seen: one `Evaluation`, one name a metric.

Names are flat, the same in JSON, MLflow and the card. Unprefixed ones are of the model's own unit
(a leg; the athlete where the cohort has no sides); `either_` is the task of either knee,
`which_limb_` that of the side, `imbalance_<name>_` that of one imbalance. `logistic_`, `control_`
and `prior_` before a name are the same metric of a baseline, `oracle_` that of the best possible
model of a simulated cohort, and `true_` is a comparison with the true risk instead of outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import Oracle
from kneerisk.evaluation.calibration_curves import Bins, bins
from kneerisk.evaluation.decision_curves import (
    DecisionCurve,
    decision_curve,
    decision_metrics,
    workload_metrics,
)
from kneerisk.evaluation.driver_ranking import Driver
from kneerisk.evaluation.metrics import logit
from kneerisk.evaluation.slices import Slice, slices, worst
from kneerisk.evaluation.task_metrics import TaskRows, task_rows_of
from kneerisk.evaluation.truth_comparison import (
    against_oracle,
    against_truth,
    imbalance_metrics,
    true_discrimination,
)
from kneerisk.model.risk_model import Prediction
from kneerisk.schema import SIDES, FloatArray

BASELINES = ("logistic", "control", "prior")


@dataclass(frozen=True, slots=True)
class Risks:
    """Probabilities of pain, each of shape (n_screenings,), or None where there is no such task."""

    left: FloatArray | None
    right: FloatArray | None
    either: FloatArray | None


def risks_of(prediction: Prediction) -> Risks:
    """The probabilities alone of a model's prediction."""
    return Risks(prediction.left, prediction.right, prediction.either)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics by flat name, and the rows they were measured on."""

    metrics: dict[str, float]
    task_rows: TaskRows
    others: Mapping[str, TaskRows]
    """The baselines and the oracle on the model's own task, by name."""
    slices: tuple[Slice, ...]
    truth: FloatArray | None = None
    """Of a simulated cohort, the true risk of each of the scored rows."""
    drivers: tuple[Driver, ...] = ()
    """What moves the risks of the scored rows, where that was looked at."""

    @property
    def worst_slice(self) -> Slice | None:
        """The part of the cohort where the model ranks worst, of those with outcomes enough."""
        return worst(self.slices)

    @property
    def calibration_bins(self) -> Bins:
        """Observed shares by predicted risk."""
        return bins(self.task_rows.probability, self.task_rows.outcome)

    @property
    def decision_curve(self) -> DecisionCurve:
        """Net benefit by threshold."""
        return decision_curve(self.task_rows.probability, self.task_rows.outcome)

    def with_metrics(self, more: Mapping[str, float]) -> Evaluation:
        """The same with more metrics."""
        return replace(self, metrics={**self.metrics, **more})

    def as_dict(self) -> dict[str, Any]:
        """All of it but the rows, as plain data for a file or a page."""
        lowest = self.worst_slice
        return {
            "metrics": self.metrics,
            "worst_slice": lowest.as_dict() if lowest else None,
            "slices": [one.as_dict() for one in self.slices],
            "drivers": [one.as_dict() for one in self.drivers],
            "calibration_curve": self.calibration_bins.as_dict() if self.metrics["rows"] else None,
            "decision_curve": self.decision_curve.as_dict() if self.metrics["rows"] else None,
        }


def evaluate(
    cohort: Cohort,
    predicted: Risks,
    baselines: Mapping[str, Risks] | None = None,
    truth: pd.DataFrame | None = None,
    imbalances: FloatArray | None = None,
    oracle: Oracle | None = None,
    *,
    sliced: bool = True,
) -> Evaluation:
    """Judge predictions for every screening of a cohort.

    Parameters
    ----------
    baselines
        Predictions of the baselines for the same screenings, by name (`BASELINES`).
    truth
        Of a simulated cohort, one row a screening in the same order: ``risk_left``,
        ``risk_right``, ``risk_either`` and ``<side>_<imbalance>``, all probabilities.
    imbalances
        Risks, shape (n_screenings, 2, n_imbalances), left first.
    oracle
        Of a simulated cohort, the best possible model's risks of the same screenings.
    sliced
        Also judge each slice.
    """
    scored = own_task(cohort, predicted)
    others = dict(baselines or {})
    if oracle is not None:
        others["oracle"] = Risks(oracle.left, oracle.right, oracle.either)
    rows = {name: own_task(cohort, risks) for name, risks in others.items()}
    metrics = _counts(scored) | _metrics(cohort, predicted, scored, "")
    for name, other in others.items():
        metrics |= _metrics(cohort, other, rows[name], f"{name}_")
    if oracle is not None:
        for name, other in {"": predicted, **(baselines or {})}.items():
            found = against_oracle(*paired(cohort, other, others["oracle"]))
            metrics |= {f"{name}_{key}".removeprefix("_"): value for key, value in found.items()}
    true = battery = None
    if truth is not None:
        true = Risks(*(truth[f"risk_{task}"].to_numpy(np.float64) for task in (*SIDES, "either")))
        battery = truth["battery"].to_numpy() if "battery" in truth else None
        metrics |= _against_truth(cohort, predicted, others, true)
        metrics |= _imbalances(cohort, imbalances, oracle, truth)
    parts = slices(cohort, scored, battery) if sliced else ()
    return Evaluation(metrics | _of_worst(parts), scored, rows, parts,
                      None if true is None else _truth_of(scored, true))  # fmt: skip


def cross_validated(cohort: Cohort, predictions: Iterable[Risks]) -> dict[str, float]:
    """Metrics of out-of-fold predictions, `cv_` before their names: the mean over fold seeds."""
    by_seed = [evaluate(cohort, one, sliced=False).metrics for one in predictions]
    shared = set[str]().union(*by_seed).intersection(*by_seed)
    return {f"cv_{name}": float(np.mean([one[name] for one in by_seed])) for name in shared}


def interval_metrics(prediction: Prediction, truth: pd.DataFrame | None) -> dict[str, float]:
    """Mean width of the 90 % intervals, and how often the true risk, where known, is inside."""
    found: dict[str, float] = {}
    tasks = {"": SIDES, "either_": ("either",)}
    for prefix, names in tasks.items():
        bounds = [prediction.intervals[name] for name in names if name in prediction.intervals]
        if not bounds:
            continue
        low, high = (np.concatenate(ends) for ends in zip(*bounds, strict=True))
        found[f"{prefix}interval_width"] = float(np.nanmean(high - low))
        if truth is not None:
            true = np.concatenate([truth[f"risk_{name}"].to_numpy(np.float64) for name in names])
            inside = (low <= true) & (true <= high)
            found[f"{prefix}interval_coverage"] = float(inside[np.isfinite(true)].mean())
    return found


def own_task(cohort: Cohort, predicted: Risks) -> TaskRows:
    """The model's own rows: legs, or athletes where the cohort or the model has no sides."""
    outcomes = cohort.outcomes()
    if predicted.left is None or predicted.right is None or not cohort.has_sides:
        return either_task(cohort, predicted)
    return task_rows_of(
        np.concatenate([predicted.left, predicted.right]),
        np.concatenate([outcomes.left, outcomes.right]),
        np.tile(athlete_codes(cohort), 2),
        sided=True,
    )


def paired(cohort: Cohort, one: Risks, other: Risks) -> tuple[TaskRows, TaskRows]:
    """Two models' own rows where both give a risk: row i of both is the same leg or athlete."""
    left = _where_both(one.left, other.left)
    right = _where_both(one.right, other.right)
    either = _where_both(one.either, other.either)
    first, second = (
        Risks(*(None if pair is None else pair[place] for pair in (left, right, either)))
        for place in (0, 1)
    )
    return own_task(cohort, first), own_task(cohort, second)


def _where_both(
    one: FloatArray | None, other: FloatArray | None
) -> tuple[FloatArray, FloatArray] | None:
    if one is None or other is None:
        return None
    both = np.isfinite(one) & np.isfinite(other)
    return np.where(both, one, np.nan), np.where(both, other, np.nan)


def either_task(cohort: Cohort, predicted: Risks) -> TaskRows:
    """Rows of the task "pain in either knee", one a screening."""
    either = predicted.either
    if either is None:
        either = np.full(len(cohort.frame), np.nan)
    return task_rows_of(either, cohort.outcomes().either, athlete_codes(cohort), sided=False)


def which_limb(cohort: Cohort, predicted: Risks) -> TaskRows | None:
    """Which leg hurts, where exactly one does: the outcome is left, the score left minus right.

    The difference is one of log-odds, since what both legs share then cancels.
    """
    if predicted.left is None or predicted.right is None or not cohort.has_sides:
        return None
    outcomes = cohort.outcomes()
    one_sided = outcomes.left + outcomes.right == 1.0
    apart = logit(predicted.left) - logit(predicted.right)
    chance = 1.0 / (1.0 + np.exp(-apart))
    left = np.where(one_sided, outcomes.left, np.nan)
    return task_rows_of(chance, left, athlete_codes(cohort), sided=False)


def athlete_codes(cohort: Cohort) -> NDArray[np.intp]:
    """The athlete of each screening as a number from 0, shape (n_screenings,)."""
    codes, _ = pd.factorize(cohort.frame["athlete_id"])
    return np.asarray(codes, dtype=np.intp)


def _counts(scored: TaskRows) -> dict[str, float]:
    return {
        "rows": float(len(scored.outcome)),
        "events": float(scored.outcome.sum()),
        "athletes": float(len(np.unique(scored.athlete))),
    }


def _metrics(cohort: Cohort, predicted: Risks, scored: TaskRows, prefix: str) -> dict[str, float]:
    """All metrics of one model's outcomes: its own task, either knee, and which limb."""
    found = scored.metrics() | decision_metrics(scored.probability, scored.outcome)
    either = either_task(cohort, predicted)
    of_either = either.metrics() | workload_metrics(either.probability, either.outcome)
    found |= {f"either_{name}": value for name, value in of_either.items()}
    limb = which_limb(cohort, predicted)
    if limb is not None:
        found |= limb.metrics("which_limb_")
        if not prefix:
            found["which_limb_rows"] = float(len(limb.outcome))
    return {f"{prefix}{name}": value for name, value in found.items()}


def _against_truth(
    cohort: Cohort, predicted: Risks, others: Mapping[str, Risks], true: Risks
) -> dict[str, float]:
    known, same = paired(cohort, predicted, true)
    metrics = against_truth(known, same) | true_discrimination(same)
    for name, other in others.items():
        found = against_truth(*paired(cohort, other, true))
        metrics |= {f"{name}_{key}": value for key, value in found.items()}
    return metrics


def _truth_of(scored: TaskRows, true: Risks) -> FloatArray | None:
    """The true risk of each scored row."""
    if not scored.sided:
        return None if true.either is None else true.either[scored.place]
    if true.left is None or true.right is None:
        return None
    return np.concatenate([true.left, true.right])[scored.place]


def _imbalances(
    cohort: Cohort, predicted: FloatArray | None, oracle: Oracle | None, truth: pd.DataFrame
) -> dict[str, float]:
    if predicted is None:
        return {}
    best = None if oracle is None else oracle.imbalances
    return imbalance_metrics(athlete_codes(cohort), predicted, best, truth)


def _of_worst(parts: tuple[Slice, ...]) -> dict[str, float]:
    lowest = worst(parts)
    kept = ("auc", "auc_low", "auc_high", "calibration_slope", "events")
    found = {} if lowest is None else lowest.metrics
    return {f"worst_slice_{name}": found[name] for name in kept if name in found}
