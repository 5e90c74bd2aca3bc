"""What the model has to reach on published data, and whether it does; set before measuring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kneerisk.training.benchmark.contenders import LOGISTIC, MODEL, XGBOOST
from kneerisk.training.benchmark.scoring import Judged

#: The slope of a model whose risks are neither too bold nor too timid.
SLOPE = (0.8, 1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Limits of a task. A difference is how far the model may lie behind, or must lie ahead."""

    auc: float
    auc_behind_logistic: float
    auc_ahead_of_xgboost: float | None = None
    log_loss_over_logistic: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One limit: what was asked, in words, what was measured, and whether that is enough."""

    task: str
    asked: str
    measured: float
    met: bool


#: By task; one without a bar has none because nothing is known to be there.
BARS = {
    "which_limb": Bar(
        auc=0.69, auc_behind_logistic=0.005, auc_ahead_of_xgboost=0.02, log_loss_over_logistic=0.005
    ),
    "weightlifters": Bar(auc=0.66, auc_behind_logistic=0.01),
    "weightlifters_without_later": Bar(auc=0.60, auc_behind_logistic=0.01),
}


def checks(judged: Judged) -> list[Check]:
    """Every limit of a task, with what was measured."""
    bar = BARS.get(judged.task.name)
    if bar is None:
        return []
    return [
        Check(judged.task.name, asked, measured, met) for asked, measured, met in _told(judged, bar)
    ]


def _told(judged: Judged, bar: Bar) -> Iterator[tuple[str, float, bool]]:
    model, logistic, xgboost = (judged.metrics[name] for name in (MODEL, LOGISTIC, XGBOOST))
    yield f"AUC at least {bar.auc}", model["auc"], model["auc"] >= bar.auc
    ahead = model["auc"] - logistic["auc"]
    yield (f"AUC minus that of logistic at least {-bar.auc_behind_logistic}", ahead,
           ahead >= -bar.auc_behind_logistic)  # fmt: skip
    if bar.auc_ahead_of_xgboost is not None:
        ahead = model["auc"] - xgboost["auc"]
        yield (f"AUC minus that of plain XGBoost at least {bar.auc_ahead_of_xgboost}", ahead,
               ahead >= bar.auc_ahead_of_xgboost)  # fmt: skip
    if bar.log_loss_over_logistic is not None:
        over = model["log_loss"] - logistic["log_loss"]
        yield (f"log loss minus that of logistic at most {bar.log_loss_over_logistic}", over,
               over <= bar.log_loss_over_logistic)  # fmt: skip
    slope = model["calibration_slope"]
    yield (f"calibration slope {SLOPE[0]} to {SLOPE[1]}", slope,
           SLOPE[0] <= slope <= SLOPE[1])  # fmt: skip
