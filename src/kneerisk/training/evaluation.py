"""How good a model is on athletes it has not seen: one `Evaluation`, one name a metric.

Names are flat, the same in JSON, MLflow and the card. Unprefixed ones are of the model's own unit
(a leg; the athlete where the cohort has no sides); `either_` is the task of either knee,
`imbalance_<name>_` that of one imbalance, and `logistic_`, `control_` and `prior_` are the same
metrics of the baselines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort import Cohort
from kneerisk.evidence import imbalances as imbalance_facts
from kneerisk.model.risk_model import Prediction
from kneerisk.schema import SIDES, FloatArray
from kneerisk.training.metrics import accuracy, calibration, discrimination, logit

BASELINES = ("logistic", "control", "prior")
#: Fixed, so that the same predictions give the same interval.
BOOTSTRAP_SEED = 20_240_117


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
class Scored:
    """Rows of one task that have an outcome, each array of shape (n_rows,)."""

    probability: FloatArray
    outcome: FloatArray
    athlete: NDArray[np.intp]

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """Every metric of these rows that can be measured, under its flat name."""
        found = {
            **discrimination(self.probability, self.outcome, self.athlete, BOOTSTRAP_SEED),
            **accuracy(self.probability, self.outcome),
            **calibration(self.probability, self.outcome),
        }
        return {f"{prefix}{name}": value for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics by flat name, and the rows they were measured on."""

    metrics: dict[str, float]
    scored: Scored
    baseline: Scored | None
    """The logistic baseline on the same rows."""

    def with_metrics(self, more: Mapping[str, float]) -> Evaluation:
        """The same with more metrics."""
        return replace(self, metrics={**self.metrics, **more})


def evaluate(
    cohort: Cohort,
    predicted: Risks,
    baselines: Mapping[str, Risks] | None = None,
    truth: pd.DataFrame | None = None,
    imbalances: FloatArray | None = None,
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
    """
    scored = own_task(cohort, predicted)
    metrics = _counts(scored) | scored.metrics() | _tasks(cohort, predicted, "")
    others = dict(baselines or {})
    for name, other in others.items():
        metrics |= own_task(cohort, other).metrics(f"{name}_") | _tasks(cohort, other, f"{name}_")
    if truth is not None:
        metrics |= _against_truth(cohort, predicted, truth)
        if imbalances is not None:
            metrics |= _imbalances(cohort, imbalances, truth)
    logistic = others.get("logistic")
    baseline = own_task(cohort, logistic) if logistic is not None else None
    return Evaluation(metrics=metrics, scored=scored, baseline=baseline)


def cross_validated(cohort: Cohort, predictions: Iterable[Risks]) -> dict[str, float]:
    """Metrics of out-of-fold predictions, `cv_` before their names: the mean over fold seeds."""
    by_seed = [evaluate(cohort, predicted).metrics for predicted in predictions]
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


def own_task(cohort: Cohort, predicted: Risks) -> Scored:
    """The model's own rows: legs, or athletes where the cohort or the model has no sides."""
    outcomes = cohort.outcomes()
    if predicted.left is None or predicted.right is None or not cohort.has_sides:
        return either_task(cohort, predicted)
    return _scored(
        np.concatenate([predicted.left, predicted.right]),
        np.concatenate([outcomes.left, outcomes.right]),
        np.tile(athlete_codes(cohort), 2),
    )


def paired(cohort: Cohort, one: Risks, other: Risks) -> tuple[Scored, Scored]:
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


def either_task(cohort: Cohort, predicted: Risks) -> Scored:
    """Rows of the task "pain in either knee", one a screening."""
    if predicted.either is None:
        return Scored(np.empty(0), np.empty(0), np.empty(0, dtype=np.intp))
    return _scored(predicted.either, cohort.outcomes().either, athlete_codes(cohort))


def which_limb(cohort: Cohort, predicted: Risks) -> Scored | None:
    """Which leg hurts, where exactly one does: the outcome is left, the score left minus right.

    The difference is one of log-odds, since what both legs share then cancels.
    """
    if predicted.left is None or predicted.right is None or not cohort.has_sides:
        return None
    outcomes = cohort.outcomes()
    one_sided = outcomes.left + outcomes.right == 1.0
    apart = logit(predicted.left) - logit(predicted.right)
    chance = 1.0 / (1.0 + np.exp(-apart))
    return Scored(chance[one_sided], outcomes.left[one_sided], athlete_codes(cohort)[one_sided])


def athlete_codes(cohort: Cohort) -> NDArray[np.intp]:
    """The athlete of each screening as a number from 0, shape (n_screenings,)."""
    codes, _ = pd.factorize(cohort.frame["athlete_id"])
    return np.asarray(codes, dtype=np.intp)


def _scored(probability: FloatArray, outcome: FloatArray, athlete: NDArray[np.intp]) -> Scored:
    # Where the model gives no risk (a knee that hurts now) there is nothing to judge.
    known = np.isfinite(outcome) & np.isfinite(probability)
    return Scored(probability[known], outcome[known], athlete[known])


def _counts(scored: Scored) -> dict[str, float]:
    return {
        "rows": float(len(scored.outcome)),
        "events": float(scored.outcome.sum()),
        "athletes": float(len(np.unique(scored.athlete))),
    }


def _tasks(cohort: Cohort, predicted: Risks, prefix: str) -> dict[str, float]:
    metrics = either_task(cohort, predicted).metrics(f"{prefix}either_")
    limb = which_limb(cohort, predicted)
    if limb is not None:
        found = discrimination(limb.probability, limb.outcome, limb.athlete, BOOTSTRAP_SEED)
        metrics |= {f"{prefix}which_limb_{name}": value for name, value in found.items()}
        if not prefix:
            metrics["which_limb_rows"] = float(len(limb.outcome))
    return metrics


def _against_truth(cohort: Cohort, predicted: Risks, truth: pd.DataFrame) -> dict[str, float]:
    """How far the risk is from the true one, and the AUC that the true risk itself reaches."""
    risks = (truth[f"risk_{task}"].to_numpy(np.float64) for task in (*SIDES, "either"))
    known, true = paired(cohort, predicted, Risks(*risks))
    if len(known.outcome) == 0:
        return {}
    reached = discrimination(true.probability, true.outcome, true.athlete, BOOTSTRAP_SEED)
    recalibrated = calibration(known.probability, true.probability)
    return {
        "true_risk_mae": float(np.abs(known.probability - true.probability).mean()),
        **{f"true_risk_{name}": value for name, value in reached.items()},
        **{f"true_{name}": value for name, value in recalibrated.items()},
    }


def _imbalances(cohort: Cohort, predicted: FloatArray, truth: pd.DataFrame) -> dict[str, float]:
    athlete = np.tile(athlete_codes(cohort), 2)
    metrics: dict[str, float] = {}
    for place, name in enumerate(imbalance_facts()):
        true = np.concatenate([truth[f"{side}_{name}"].to_numpy(np.float64) for side in SIDES])
        chance = np.concatenate([predicted[:, 0, place], predicted[:, 1, place]])
        metrics |= _scored(chance, true, athlete).metrics(f"imbalance_{name}_")
    return metrics
