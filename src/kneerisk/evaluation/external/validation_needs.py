"""How many athletes a file would need to validate a model to a stated precision, and what it has.

Legs of one athlete are alike, so that a row says less than an independent one: the design effect
(Kish 1965, Survey Sampling, 8.2) is how many times more rows that takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import numpy as np

from kneerisk.evaluation.external import validation_sample_size as size
from kneerisk.evaluation.external.validation_report import DecisionPoint, Need
from kneerisk.evaluation.metrics import paired_difference
from kneerisk.evaluation.task_rows import TaskRows

#: The risk at which one acts, for the row about net benefit: among those that are always reported.
THRESHOLD = 0.10


def design_effect(rows: TaskRows) -> float:
    """How many times more rows it takes than if each were another athlete's; at least 1."""
    residual = rows.outcome - rows.probability
    robust = paired_difference(residual, rows.athlete, rows.weight)[1] ** 2
    independent = float(residual.var()) / len(residual)
    return max(robust / independent, 1.0) if independent > 0.0 else 1.0


def needs(
    rows: TaskRows, metrics: Mapping[str, float], decision: tuple[DecisionPoint, ...]
) -> tuple[Need, ...]:
    """What each metric needs, at this file's share of outcomes and spread of risks.

    Parameters
    ----------
    rows
        Of a task.
    metrics
        Of the model on them, with the limits of their intervals.
    decision
        Net benefit with its interval.

    Returns
    -------
    One for each metric for which it can be said.
    """
    share, spread = rows.mean(rows.outcome), np.ptp(rows.log_odds) > 0.0
    needed: dict[str, tuple[float, int | None]] = {
        "observed_to_expected": (size.OE_WIDTH, size.rows_for_observed_to_expected(share)),
        "calibration_slope": (
            size.SLOPE_WIDTH, size.rows_for_slope(rows.log_odds) if spread else None,
        ),
        "auc": (size.AUC_WIDTH, _rows_for_auc(metrics, share)),
        "net_benefit": (
            size.NET_BENEFIT_WIDTH, size.rows_for_net_benefit(rows.log_odds, THRESHOLD),
        ),
    }  # fmt: skip
    effect = design_effect(rows)
    athletes_a_row = len(np.unique(rows.athlete)) / len(rows.outcome)
    return tuple(
        Need(
            metric=name,
            width=width,
            width_here=_width_here(name, metrics, decision, share),
            rows=ceil(independent * effect),
            events=ceil(independent * effect * share),
            athletes=ceil(independent * effect * athletes_a_row),
        )
        for name, (width, independent) in needed.items()
        if independent is not None
    )


def _rows_for_auc(metrics: Mapping[str, float], share: float) -> int | None:
    """None where the AUC is so good or bad that the formula, which needs 0 < AUC < 1, has none."""
    auc = metrics.get("auc")
    return None if auc is None or not 0.0 < auc < 1.0 else size.rows_for_auc(auc, share)


def _width_here(
    name: str, metrics: Mapping[str, float], decision: tuple[DecisionPoint, ...], share: float
) -> float | None:
    if name == "net_benefit":
        at = [point for point in decision if point.threshold == THRESHOLD]
        return (at[0].high - at[0].low) / share if at else None
    if f"{name}_low" not in metrics:
        return None
    return metrics[f"{name}_high"] - metrics[f"{name}_low"]
