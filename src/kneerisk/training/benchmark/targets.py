"""Targets of the model on published data, set before measuring, and whether it meets them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kneerisk.training.benchmark.contenders import LOGISTIC, MODEL, XGBOOST
from kneerisk.training.benchmark.scoring import TaskScores

#: The calibration slope of a model whose risks are neither too extreme nor too timid (assumption).
SLOPE = (0.8, 1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Targets of a task. A difference is how far the model may lie behind, or must lie ahead."""

    auc: float
    auc_behind_logistic: float
    auc_ahead_of_xgboost: float | None = None
    log_loss_over_logistic: float | None = None


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """One target in words, what was measured, and whether that meets it."""

    task: str
    target: str
    measured: float
    met: bool


#: By task; one without a target has none because no signal is known to be there.
TARGETS = {
    "which_limb": Target(
        auc=0.69, auc_behind_logistic=0.005, auc_ahead_of_xgboost=0.02, log_loss_over_logistic=0.005
    ),
    "weightlifters": Target(auc=0.66, auc_behind_logistic=0.01),
    "weightlifters_without_later": Target(auc=0.60, auc_behind_logistic=0.01),
}


def target_checks(scores: TaskScores) -> list[TargetCheck]:
    """Every target of a task, with what was measured."""
    target = TARGETS.get(scores.task.name)
    if target is None:
        return []
    return [TargetCheck(scores.task.name, *check) for check in _checks(scores, target)]


def _checks(scores: TaskScores, target: Target) -> Iterator[tuple[str, float, bool]]:
    model, logistic, xgboost = (scores.metrics[name] for name in (MODEL, LOGISTIC, XGBOOST))
    yield f"AUC at least {target.auc}", model["auc"], model["auc"] >= target.auc
    ahead = model["auc"] - logistic["auc"]
    yield (f"AUC minus that of logistic at least {-target.auc_behind_logistic}", ahead,
           ahead >= -target.auc_behind_logistic)  # fmt: skip
    if target.auc_ahead_of_xgboost is not None:
        ahead = model["auc"] - xgboost["auc"]
        yield (f"AUC minus that of plain XGBoost at least {target.auc_ahead_of_xgboost}", ahead,
               ahead >= target.auc_ahead_of_xgboost)  # fmt: skip
    if target.log_loss_over_logistic is not None:
        over = model["log_loss"] - logistic["log_loss"]
        yield (f"log loss minus that of logistic at most {target.log_loss_over_logistic}", over,
               over <= target.log_loss_over_logistic)  # fmt: skip
    slope = model["calibration_slope"]
    yield (f"calibration slope {SLOPE[0]} to {SLOPE[1]}", slope,
           SLOPE[0] <= slope <= SLOPE[1])  # fmt: skip
