"""The verdict on a version: every gate that its own run can be held to, and the reasons.

A verdict is kept with the run and in the bundle; `promote` asks again, and adds the champion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kneerisk.evaluation.decision_curves import GATE_THRESHOLDS
from kneerisk.evaluation.internal_external_validation import (
    DOES_NOT_TRAVEL,
    INTERCEPT_LIMIT,
    LEFT_OUT,
    off_in_a_group,
    travel_faults,
)
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.training.registry.gates import (
    Gate,
    auc_gate,
    interval_text,
    judged_on,
    slope_gate,
)
from kneerisk.words import text, variant

#: What a run of people must say, or it was evaluated before whole groups were left out.
GROUPS_PARAMETER = "left_out_groups"
#: The baselines that a model must not lose to, and the reason of one that does.
_BASELINES = {"prior": "worse_than_base_rate", "logistic": "worse_than_logistic"}


def gates_of(
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    evaluation: Callable[[], Mapping[str, Any]],
    accepted_auc: str | None = None,
) -> tuple[Gate, ...]:
    """Every condition that a run can be held to on its own, without a champion.

    Parameters
    ----------
    params
        Of the run.
    metrics
        Of the run, by flat name: unprefixed ones are of held-out athletes, `cv_` ones of
        cross-validation, `iecv_` ones of groups that were left out.
    evaluation
        Gives the run's evaluation as plain data, of which drivers and the worst slice are named.
    accepted_auc
        Why a person takes an AUC above the ceiling for real; None where nobody does.

    Returns
    -------
    The gates, met or not.
    """
    prefix, where = judged_on(metrics)
    gates = [
        *_travel_gates(params, metrics),
        *(_baseline_gate(metrics, name, prefix, where) for name in _BASELINES),
        slope_gate(metrics),
        _intercept_gate(metrics, prefix, where),
        _net_benefit_gate(metrics, prefix, where),
        *_worst_slice_gate(evaluation(), prefix, where),
        auc_gate(params, metrics, accepted_auc, lambda: evaluation().get("drivers", [])),
    ]
    return tuple(gate for gate in gates if gate is not None)


def verdict_of(gates: Iterable[Gate]) -> dict[str, Any]:
    """The gates as one verdict: `passes`, the `reasons` it does not, and each gate."""
    gates = list(gates)
    reasons = [gate.reason for gate in gates if not gate.passed]
    return {
        "passes": not reasons,
        "reasons": reasons,
        "gates": [gate.as_dict() for gate in gates],
    }


def _travel_gates(params: Mapping[str, str], metrics: Mapping[str, float]) -> list[Gate]:
    """Of groups that were left out: the model holds there as it does among the people it knows."""
    if f"{LEFT_OUT}log_loss" not in metrics:
        of_people = params.get("cohort_kind") in {"observed", "adapted"}
        if not of_people or GROUPS_PARAMETER in params:
            return []
        message = text("training.gate.older_program")
        return [Gate("travels", passed=False, message=message, reason="not_measured")]
    faults = travel_faults(metrics)
    numbers = {
        name: f"{metrics[metric]:.3f}{interval_text(metrics, metric, 3)}"
        if metric in metrics
        else "?"
        for name, metric in (("by_person", "cv_auc"), ("left_out", f"{LEFT_OUT}auc"))
    }
    message = text("training.gate.travels", **numbers)
    if faults:
        shown = "; ".join(variant("training.gate.travel_fault", fault) for fault in faults)
        message = text("training.gate.does_not_travel", **numbers, faults=shown)
    return [Gate("travels", not faults, message, DOES_NOT_TRAVEL if faults else "")]


def _baseline_gate(metrics: Mapping[str, float], name: str, prefix: str, where: str) -> Gate:
    """The log loss is not worse than a baseline's by more than one standard error."""
    metric, gate = f"{prefix}log_loss_over_{name}", f"log_loss_over_{name}"
    rival = variant("training.gate.rival", name)
    if metric not in metrics:
        what = text("training.gate.log_loss_name", rival=rival)
        message = text("training.gate.not_measured", what=what, where=where)
        return Gate(gate, passed=False, message=message, reason="not_measured")
    more, error = metrics[metric], metrics[f"{metric}_error"]
    message = text(
        "training.gate.log_loss", rival=rival, where=where, more=f"{more:+.5f}",
        low=f"{more - NORMAL_95 * error:+.5f}", high=f"{more + NORMAL_95 * error:+.5f}",
        error=f"{error:.5f}",
    )  # fmt: skip
    return Gate(gate, more <= error, message, "" if more <= error else _BASELINES[name])


def _intercept_gate(metrics: Mapping[str, float], prefix: str, where: str) -> Gate | None:
    """Risks are right in the large: not shown to be off by more than the limit."""
    name = f"{prefix}calibration_intercept"
    if name not in metrics:
        # Without an outcome of each sort there is no slope either, which is a gate of its own.
        return None
    value, low, high = (metrics.get(f"{name}{end}") for end in ("", "_low", "_high"))
    off = value is not None and abs(value) > INTERCEPT_LIMIT
    chance = low is not None and high is not None and low <= 0.0 <= high
    group = prefix == LEFT_OUT and off_in_a_group(metrics)
    message = text(
        "training.gate.intercept", where=where, value=f"{value:+.2f}",
        interval=interval_text(metrics, name), limit=f"{INTERCEPT_LIMIT:.2f}",
    )  # fmt: skip
    if prefix == LEFT_OUT:
        extremes = [metrics.get(f"{LEFT_OUT}{end}_group_calibration_intercept", value or 0.0)
                    for end in ("lowest", "highest")]  # fmt: skip
        message += text("training.gate.intercept_by_group", lowest=f"{extremes[0]:+.2f}",
                        highest=f"{extremes[1]:+.2f}")  # fmt: skip
    passed = not group and (not off or chance)
    return Gate("calibration_intercept", passed, message, "" if passed else "miscalibrated_level")


def _net_benefit_gate(metrics: Mapping[str, float], prefix: str, where: str) -> Gate:
    """Acting on the risk is not shown to be worth less than treating everyone, or nobody."""
    name = f"{prefix}net_benefit_over_default"
    if name not in metrics:
        message = text("training.gate.not_measured", where=where,
                       what=text("training.gate.net_benefit_name"))  # fmt: skip
        return Gate("net_benefit", passed=False, message=message, reason="not_measured")
    passed = metrics.get(f"{name}_high", metrics[name]) >= 0.0
    message = text(
        "training.gate.net_benefit", where=where, value=f"{metrics[name]:+.4f}",
        interval=interval_text(metrics, name, 4), first=f"{GATE_THRESHOLDS[0]:.2f}",
        last=f"{GATE_THRESHOLDS[-1]:.2f}",
    )  # fmt: skip
    return Gate("net_benefit", passed, message, "" if passed else "no_net_benefit")


def _worst_slice_gate(evaluation: Mapping[str, Any], prefix: str, where: str) -> list[Gate]:
    """Names the part of the cohort where the model ranks worst; it refuses nothing."""
    worst = evaluation.get("worst_left_out" if prefix == LEFT_OUT else "worst_slice")
    if not worst:
        return []
    auc = f"{worst['metrics']['auc']:.3f}{interval_text(worst['metrics'], 'auc', 3)}"
    if prefix == "cv_":
        where = text("training.gate.where.held_out")
    part = f"{worst['by']} {worst['name'].replace('_', ' ')}"
    message = text("training.gate.worst_slice", part=part, auc=auc, where=where)
    return [Gate("worst_slice", passed=True, message=message)]
