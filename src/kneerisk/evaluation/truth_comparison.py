"""How near a model of a simulated cohort is to the true risks, and to the best possible model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.evaluation.auc_bootstrap import auc_interval
from kneerisk.evaluation.calibration.calibration_metrics import (
    calibration_intercept,
    calibration_slope,
)
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import auc, log_loss
from kneerisk.evaluation.task_rows import TaskRows, task_rows
from kneerisk.evidence import imbalances
from kneerisk.schema import SIDES, FloatArray


def against_truth(rows: TaskRows, true: TaskRows) -> dict[str, float]:
    """How far risks are from the true ones: `true_risk_mae`, and metrics with them as outcomes.

    Row i of both is the same leg or athlete; the probability of `true` is its true risk.
    """
    if len(rows.outcome) == 0:
        return {}
    against = replace(rows, outcome=true.probability)
    metrics = {
        "true_risk_mae": float(np.abs(rows.probability - true.probability).mean()),
        "true_log_loss": log_loss(against),
        "true_calibration_intercept": calibration_intercept(against),
        "true_calibration_slope": calibration_slope(against),
    }
    return {name: value for name, value in metrics.items() if value is not None}


def true_discrimination(true: TaskRows) -> dict[str, float]:
    """The AUC that the true risk itself reaches: `true_risk_auc`, with its interval."""
    area, limits = auc(true), auc_interval(true)
    if area is None:
        return {}
    if limits is None:
        return {"true_risk_auc": area}
    return {
        "true_risk_auc": area, "true_risk_auc_low": limits[0], "true_risk_auc_high": limits[1],
    }  # fmt: skip


def against_oracle(rows: TaskRows, oracle: TaskRows) -> dict[str, float]:
    """`oracle_mae`, mean distance from the oracle's risk, and `auc_below_oracle`.

    Row i of both is the same leg or athlete.
    """
    if len(rows.outcome) == 0:
        return {}
    metrics = {"oracle_mae": float(np.abs(rows.probability - oracle.probability).mean())}
    below = _auc_below(rows, oracle)
    return metrics if below is None else metrics | {"auc_below_oracle": below}


def imbalance_metrics(
    athlete: NDArray[np.intp],
    predicted: FloatArray,
    best: FloatArray | None,
    truth: pd.DataFrame,
) -> dict[str, float]:
    """Metrics of each imbalance, the oracle's AUC, and how far below it the model stays.

    Parameters
    ----------
    athlete
        The athlete of each screening, shape (n,).
    predicted
        The model's probabilities, shape (n, 2, n_imbalances), left first.
    best
        The oracle's, of the same shape; NaN where it was not asked.
    truth
        ``<side>_<imbalance>``, true probabilities of the same screenings, and maybe ``battery``.

    Returns
    -------
    By flat name: `imbalance_<name>_<metric>`, `oracle_imbalance_<name>_auc`,
    `imbalance_<name>_auc_below_oracle`, and that of the worst battery.
    """
    battery = truth["battery"].to_numpy() if "battery" in truth else None
    metrics: dict[str, float] = {}
    for place, name in enumerate(imbalances()):
        true = np.concatenate([truth[f"{side}_{name}"].to_numpy(np.float64) for side in SIDES])
        model = _legs(predicted[:, :, place], true, athlete)
        metrics |= measure(model, "imbalance", f"imbalance_{name}_")
        if best is None:
            continue
        oracle = _legs(best[:, :, place], true, athlete)
        area = auc(oracle)
        if area is not None:
            metrics[f"oracle_imbalance_{name}_auc"] = area
        asked = np.where(np.isnan(best[:, :, place]), np.nan, predicted[:, :, place])
        beside = _legs(asked, true, athlete)
        below = _auc_below(beside, oracle)
        if below is not None:
            metrics[f"imbalance_{name}_auc_below_oracle"] = below
        if battery is not None:
            by_battery = _auc_below_by_battery(beside, oracle, battery)
            if np.isfinite(by_battery).any():
                metrics[f"imbalance_{name}_auc_below_oracle_worst_battery"] = float(
                    np.nanmax(by_battery)
                )
    return metrics


def _legs(predicted: FloatArray, true: FloatArray, athlete: NDArray[np.intp]) -> TaskRows:
    """Rows of one imbalance, from probabilities of shape (n, 2)."""
    return task_rows(predicted.T.reshape(-1), true, np.tile(athlete, 2), sided=True)


def _auc_below_by_battery(model: TaskRows, oracle: TaskRows, battery: np.ndarray) -> FloatArray:
    """By how much the model's AUC is below the oracle's in each battery; NaN where it has none."""
    done = battery[model.screening]
    gaps = [
        _auc_below(model.take(done == name), oracle.take(done == name)) for name in np.unique(done)
    ]
    return np.array([np.nan if gap is None else gap for gap in gaps])


def _auc_below(model: TaskRows, oracle: TaskRows) -> float | None:
    own, best = auc(model), auc(oracle)
    return None if own is None or best is None else best - own
