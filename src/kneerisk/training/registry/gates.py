"""The conditions of a promotion: each is met or not, with its numbers in words.

Calibration is read where it can be seen: on the held-out athletes, who were never trained on, or,
where they are too few to show a slope, in cross-validation over all athletes of the cohort.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kneerisk.evaluation.comparison import SLOPE_HIGH, SLOPE_LOW
from kneerisk.evaluation.metrics import loss_difference
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.training.leakage.required_sample_size import FEWEST_EVENTS


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition of promotion, whether it is met, and the numbers in words."""

    name: str
    passed: bool
    message: str


def slope_gate(metrics: Mapping[str, float]) -> Gate:
    """Risks are neither too extreme nor too timid for athletes that the model has not seen.

    Parameters
    ----------
    metrics
        Of the run, by flat name: unprefixed ones are of held-out athletes, `cv_` ones of
        cross-validation.

    Returns
    -------
    The gate, its message with the slope.
    """
    slope, where, why = metrics.get("calibration_slope"), "on held-out athletes", ""
    prefix = ""
    rarer = _rarer(metrics)
    if rarer is not None and rarer < FEWEST_EVENTS and "cv_calibration_slope" in metrics:
        prefix, where = "cv_", "in cross-validation by athlete"
        slope = metrics["cv_calibration_slope"]
        why = f" ({rarer:.0f} held-out outcomes are too few, it takes {FEWEST_EVENTS:.0f})"
    allowed = f"allowed: {SLOPE_LOW} to {SLOPE_HIGH}"
    if slope is None:
        message = f"calibration slope {where} can't be measured: too few outcomes; {allowed}"
        return Gate("calibration_slope", passed=False, message=message)
    message = (
        f"calibration slope {where} is {slope:.2f}{_interval(metrics, prefix)}{why}; {allowed}"
    )
    passed = SLOPE_LOW <= slope <= SLOPE_HIGH
    if prefix and not passed and "cv_log_loss_over_as_is" in metrics:
        passed, base_message = _no_worse_than_its_base(metrics)
        message = f"{message}; {base_message}"
    return Gate("calibration_slope", passed, message)


def loss_gate(challenger: TaskRows, champion: TaskRows, name: str) -> Gate:
    """Log loss is no worse than the champion's by more than one standard error.

    Parameters
    ----------
    challenger
        Held-out rows with the challenger's probabilities.
    champion
        The same rows in the same order, with the champion's.
    name
        Of the champion.

    Returns
    -------
    The gate, its message with both numbers in nats a row.
    """
    mean, error = loss_difference(challenger, champion)
    message = (
        f"log loss minus that of {name} on the same {len(challenger.outcome)} held-out rows is "
        f"{mean:+.5f}; allowed: up to one standard error of the difference, {error:.5f}"
    )
    return Gate("log_loss", mean <= error, message)


def _no_worse_than_its_base(metrics: Mapping[str, float]) -> tuple[bool, str]:
    """Whether an updated version may pass although its slope is outside the limits, and in words.

    Refusing it would leave the version that it corrects in service, whose slope is no better known.
    So it passes where its slope is not shown to be wrong (the interval holds 1) and where, on the
    same left-out athletes, its log loss is no worse than that version's.
    """
    low, high = (metrics.get(f"cv_calibration_slope_{end}") for end in ("low", "high"))
    holds = low is not None and high is not None and low <= 1.0 <= high
    difference, error = (metrics[f"cv_log_loss_over_as_is{end}"] for end in ("", "_error"))
    message = (
        "an adapted version also passes if that interval contains 1 and its cross-validated log "
        f"loss ({difference:+.5f} from its base) is at most one standard error, {error:.5f}, worse"
    )
    return holds and difference <= error, message


def _rarer(metrics: Mapping[str, float]) -> float | None:
    """Held-out outcomes of the rarer sort, where the run has counted them."""
    events, rows = metrics.get("events"), metrics.get("rows")
    return None if events is None or rows is None else min(events, rows - events)


def _interval(metrics: Mapping[str, float], prefix: str) -> str:
    low, high = (metrics.get(f"{prefix}calibration_slope_{end}") for end in ("low", "high"))
    return "" if low is None or high is None else f" (95 % interval {low:.2f} to {high:.2f})"
