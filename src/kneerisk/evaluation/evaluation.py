"""How good a model is on athletes it has not seen: one `Evaluation`, one name a metric.

Names are flat, the same in JSON, MLflow and the card (`metric_table`). Unprefixed ones are of the
model's own task (a leg; the athlete where the cohort has no sides); `either_` is the task of either
knee, `which_limb_` that of the side, `imbalance_<name>_` that of one imbalance. `logistic_`,
`control_` and `prior_` before a name are the same metric of a baseline, `oracle_` that of the best
possible model of a simulated cohort, and `true_` is a comparison with the true risk instead of
outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.oracle import Oracle
from kneerisk.evaluation.calibration.calibration_bins import Bins, bins
from kneerisk.evaluation.decision_curves import DecisionCurve, decision_curve
from kneerisk.evaluation.driver_ranking import Driver
from kneerisk.evaluation.instability import Instability
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import log_loss_over
from kneerisk.evaluation.paired_rows import paired_rows
from kneerisk.evaluation.slices import Slice, slices_of, worst_of
from kneerisk.evaluation.task_rows import (
    Risks,
    TaskRows,
    athlete_codes,
    either_task,
    own_task,
    which_limb_task,
)
from kneerisk.evaluation.truth_comparison import (
    against_oracle,
    against_truth,
    imbalance_metrics,
    true_discrimination,
)
from kneerisk.model.prediction import Prediction
from kneerisk.schema import SIDES, FloatArray

#: Metrics of the worst slice that the evaluation repeats, `worst_slice_` before their names.
_OF_WORST_SLICE = ("auc", "auc_low", "auc_high", "calibration_slope", "events")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics by flat name, and the rows they were measured on.

    Attributes
    ----------
    metrics
        By flat name.
    task_rows
        Of the model's own task.
    comparators
        The same rows as the baselines and the oracle predict them, by name.
    slices
        Parts of the cohort with their own metrics.
    truth
        Of a simulated cohort, the true risk of each of the rows, shape (n_rows,).
    drivers
        What moves the risks of the rows, where that was looked at.
    groups
        Groups that were left out, each with its own metrics (internal-external validation).
    worst_left_out
        Where the model ranks worst with groups left out.
    baseline
        The logistic regression of the training cohort, as plain data.
    instability
        How far risks move when the model is built again, where that was done.
    """

    metrics: dict[str, float]
    task_rows: TaskRows
    comparators: Mapping[str, TaskRows]
    slices: tuple[Slice, ...]
    truth: FloatArray | None = None
    drivers: tuple[Driver, ...] = ()
    groups: tuple[Slice, ...] = ()
    worst_left_out: Slice | None = None
    baseline: Mapping[str, Any] | None = None
    instability: Instability | None = None

    @property
    def worst_slice(self) -> Slice | None:
        """The part of the cohort where the model ranks worst, of those with outcomes enough."""
        return worst_of(self.slices)

    @property
    def calibration_bins(self) -> Bins:
        """Observed shares by predicted risk."""
        return bins(self.task_rows)

    @property
    def decision_curve(self) -> DecisionCurve:
        """Net benefit by threshold."""
        return decision_curve(self.task_rows)

    def with_metrics(self, more: Mapping[str, float]) -> Evaluation:
        """The same with more metrics."""
        return replace(self, metrics={**self.metrics, **more})

    def with_instability(self, instability: Instability | None) -> Evaluation:
        """The same with how far risks move when the model is built again, where that is known."""
        if instability is None:
            return self
        return replace(self.with_metrics(instability.metrics), instability=instability)

    def as_dict(self) -> dict[str, Any]:
        """All of it but the rows, as plain data for a file or a page."""
        worst, worst_left_out = self.worst_slice, self.worst_left_out
        left_out = {
            "worst_left_out": worst_left_out.as_dict() if worst_left_out else None,
            "groups": [group.as_dict() for group in self.groups],
        }
        return {
            "metrics": self.metrics,
            "worst_slice": worst.as_dict() if worst else None,
            **(left_out if self.groups else {}),
            "slices": [piece.as_dict() for piece in self.slices],
            "drivers": [driver.as_dict() for driver in self.drivers],
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
    """Evaluate predictions for every screening of a cohort.

    Parameters
    ----------
    cohort
        Screenings with outcomes, none of which the model was fitted to.
    predicted
        Risks of its screenings in the same order.
    baselines
        Predictions of the baselines for the same screenings, by name.
    truth
        Of a simulated cohort, one row a screening in the same order: ``risk_left``,
        ``risk_right``, ``risk_either`` and ``<side>_<imbalance>``, all probabilities.
    imbalances
        Probabilities, shape (n_screenings, 2, n_imbalances), left first.
    oracle
        Of a simulated cohort, the best possible model's risks of the same screenings.
    sliced
        Also evaluate each slice.

    Returns
    -------
    Metrics that could be measured, and the rows.
    """
    rows = own_task(cohort, predicted)
    comparators = dict(baselines or {})
    if oracle is not None:
        comparators["oracle"] = Risks(oracle.left, oracle.right, oracle.either)
    comparator_rows = {name: own_task(cohort, risks) for name, risks in comparators.items()}
    metrics = measure(rows, "counts") | _task_metrics(cohort, predicted, rows)
    limb = which_limb_task(cohort, predicted)
    if limb is not None:
        metrics["which_limb_rows"] = float(len(limb.outcome))
    for name, risks in comparators.items():
        metrics |= _task_metrics(cohort, risks, comparator_rows[name], f"{name}_")
    if oracle is not None:
        for prefix, risks in _by_prefix(predicted, baselines or {}).items():
            distance = against_oracle(*paired_rows(cohort, risks, comparators["oracle"]))
            metrics |= {f"{prefix}{name}": value for name, value in distance.items()}
    true = battery = None
    if truth is not None:
        true = Risks(*(truth[f"risk_{task}"].to_numpy(np.float64) for task in (*SIDES, "either")))
        battery = truth["battery"].to_numpy() if "battery" in truth else None
        metrics |= _truth_metrics(cohort, predicted, comparators, true)
        if imbalances is not None:
            best = None if oracle is None else oracle.imbalances
            metrics |= imbalance_metrics(athlete_codes(cohort), imbalances, best, truth)
    slices = slices_of(cohort, rows, battery) if sliced else ()
    return Evaluation(metrics | _worst_slice_metrics(slices), rows, comparator_rows, slices,
                      None if true is None else _true_risks(rows, true))  # fmt: skip


def cross_validated(
    cohort: Cohort,
    predictions: Iterable[Risks],
    others: Mapping[str, Sequence[Risks]] | None = None,
) -> dict[str, float]:
    """Metrics of out-of-fold predictions, `cv_` before their names: the mean over deals of folds.

    Parameters
    ----------
    cohort
        With outcomes.
    predictions
        Of the model, one for each deal.
    others
        Those of other models in the same folds, by name.

    Returns
    -------
    Those that can be measured in each deal, also of how much more log loss the model has.
    """
    by_deal = []
    for deal, risks in enumerate(predictions):
        beside = {name: deals[deal] for name, deals in (others or {}).items()}
        metrics = evaluate(cohort, risks, beside, sliced=False).metrics
        for name, other in beside.items():
            metrics = metrics | log_loss_over(cohort, risks, other, name)
        by_deal.append(metrics)
    shared = set[str]().union(*by_deal).intersection(*by_deal)
    return {f"cv_{name}": float(np.mean([metrics[name] for metrics in by_deal])) for name in shared}


def interval_metrics(prediction: Prediction, truth: pd.DataFrame | None) -> dict[str, float]:
    """Mean width of the 90 % intervals, and how often the true risk, where known, is inside.

    Parameters
    ----------
    prediction
        With its intervals.
    truth
        ``risk_left``, ``risk_right`` and ``risk_either`` of the same screenings.

    Returns
    -------
    `interval_width` and `interval_coverage`, `either_` before those of either knee.
    """
    metrics: dict[str, float] = {}
    tasks = {"": SIDES, "either_": ("either",)}
    for prefix, names in tasks.items():
        bounds = [prediction.intervals[name] for name in names if name in prediction.intervals]
        if not bounds:
            continue
        low, high = (np.concatenate(ends) for ends in zip(*bounds, strict=True))
        metrics[f"{prefix}interval_width"] = float(np.nanmean(high - low))
        if truth is not None:
            true = np.concatenate([truth[f"risk_{name}"].to_numpy(np.float64) for name in names])
            inside = (low <= true) & (true <= high)
            metrics[f"{prefix}interval_coverage"] = float(inside[np.isfinite(true)].mean())
    return metrics


def _task_metrics(
    cohort: Cohort, predicted: Risks, rows: TaskRows, prefix: str = ""
) -> dict[str, float]:
    """All metrics of one model's outcomes: its own task, either knee, and which limb."""
    limb = which_limb_task(cohort, predicted)
    return {
        **measure(rows, "own", prefix),
        **measure(either_task(cohort, predicted), "either", f"{prefix}either_"),
        **(measure(limb, "which_limb", f"{prefix}which_limb_") if limb is not None else {}),
    }


def _by_prefix(predicted: Risks, comparators: Mapping[str, Risks]) -> dict[str, Risks]:
    return {"": predicted, **{f"{name}_": risks for name, risks in comparators.items()}}


def _truth_metrics(
    cohort: Cohort, predicted: Risks, comparators: Mapping[str, Risks], true: Risks
) -> dict[str, float]:
    metrics = true_discrimination(paired_rows(cohort, predicted, true)[1])
    for prefix, risks in _by_prefix(predicted, comparators).items():
        distance = against_truth(*paired_rows(cohort, risks, true))
        metrics |= {f"{prefix}{name}": value for name, value in distance.items()}
    return metrics


def _true_risks(rows: TaskRows, true: Risks) -> FloatArray | None:
    """The true risk of each row."""
    if not rows.sided:
        return None if true.either is None else true.either[rows.place]
    if true.left is None or true.right is None:
        return None
    return np.concatenate([true.left, true.right])[rows.place]


def _worst_slice_metrics(slices: tuple[Slice, ...]) -> dict[str, float]:
    worst = worst_of(slices)
    metrics = {} if worst is None else worst.metrics
    return {f"worst_slice_{name}": metrics[name] for name in _OF_WORST_SLICE if name in metrics}
