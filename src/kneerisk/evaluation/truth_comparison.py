"""How near a model of a simulated cohort is to what is true, and to the best that can be said."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.evaluation.metrics import accuracy, auc, calibration, discrimination
from kneerisk.evaluation.task_metrics import BOOTSTRAP_SEED, TaskRows, task_rows_of
from kneerisk.evidence import imbalances
from kneerisk.schema import SIDES, FloatArray


def against_truth(known: TaskRows, true: TaskRows) -> dict[str, float]:
    """How far risks are from the true ones; row i of both is the same leg or athlete."""
    if len(known.outcome) == 0:
        return {}
    recalibrated = calibration(known.probability, true.probability)
    return {
        "true_risk_mae": float(np.abs(known.probability - true.probability).mean()),
        "true_log_loss": accuracy(known.probability, true.probability)["log_loss"],
        **{f"true_{name}": value for name, value in recalibrated.items()},
    }


def true_discrimination(true: TaskRows) -> dict[str, float]:
    """The AUC that the true risk itself reaches: `true_risk_auc`, with its interval."""
    reached = discrimination(true.probability, true.outcome, true.athlete, BOOTSTRAP_SEED)
    return {f"true_risk_{name}": value for name, value in reached.items()}


def against_oracle(known: TaskRows, best: TaskRows) -> dict[str, float]:
    """`oracle_mae`, mean distance from the oracle's risk, and `auc_below_oracle`."""
    if len(known.outcome) == 0:
        return {}
    found = {"oracle_mae": float(np.abs(known.probability - best.probability).mean())}
    reached = [auc(one.probability, one.outcome) for one in (known, best)]
    if reached[0] is not None and reached[1] is not None:
        found["auc_below_oracle"] = reached[1] - reached[0]
    return found


def imbalance_metrics(
    athlete: NDArray[np.intp],
    predicted: FloatArray,
    best: FloatArray | None,
    truth: pd.DataFrame,
) -> dict[str, float]:
    """Each imbalance by its name, the oracle's beside it, and how far below the model stays.

    Parameters
    ----------
    athlete
        The athlete of each screening, shape (n,).
    predicted, best
        The model's and the oracle's chances, shape (n, 2, n_imbalances), left first.
    """
    battery = truth["battery"].to_numpy() if "battery" in truth else None
    metrics: dict[str, float] = {}
    for place, name in enumerate(imbalances()):
        true = np.concatenate([truth[f"{side}_{name}"].to_numpy(np.float64) for side in SIDES])
        model = _legs(predicted, place, true, athlete)
        metrics |= model.metrics(f"imbalance_{name}_")
        if best is None:
            continue
        oracle = _legs(best, place, true, athlete)
        reached = auc(oracle.probability, oracle.outcome)
        if reached is not None:
            metrics[f"oracle_imbalance_{name}_auc"] = reached
        metrics |= _below(f"imbalance_{name}_auc_below_oracle", model, oracle, battery)
    return metrics


def _legs(chances: FloatArray, place: int, true: FloatArray, athlete: NDArray[np.intp]) -> TaskRows:
    both = np.concatenate([chances[:, 0, place], chances[:, 1, place]])
    return task_rows_of(both, true, np.tile(athlete, 2), sided=True)


def _below(
    name: str, model: TaskRows, oracle: TaskRows, battery: np.ndarray | None
) -> dict[str, float]:
    """By how much the model's AUC is below the oracle's, over all and in its worst battery."""
    found = {name: _gap(model, oracle)}
    if battery is not None:
        done = battery[model.screening]
        by_battery = [
            _gap(model.take(done == one), oracle.take(done == one)) for one in np.unique(done)
        ]
        found[f"{name}_worst_battery"] = float(np.nanmax(by_battery))
    return {key: value for key, value in found.items() if np.isfinite(value)}


def _gap(model: TaskRows, oracle: TaskRows) -> float:
    ours, best = (auc(one.probability, one.outcome) for one in (model, oracle))
    return float("nan") if ours is None or best is None else best - ours
