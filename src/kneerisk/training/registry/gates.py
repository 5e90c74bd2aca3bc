"""The conditions of a promotion: each is met or not, with its numbers in words and a reason code.

Numbers are read where they say most about the next athletes: on whole groups that were left out,
where the cohort has groups; else on the held-out athletes, who were never trained on; or, where
those are too few to show a slope, in cross-validation over all athletes of the cohort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kneerisk.evaluation.internal_external_validation import LEFT_OUT
from kneerisk.evaluation.metrics import loss_difference
from kneerisk.evaluation.run_verdict import SLOPE_HIGH, SLOPE_LOW
from kneerisk.evaluation.slices import rarer_outcomes
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.training.leakage.required_sample_size import FEWEST_EVENTS
from kneerisk.words import text

#: By outcome kind, the AUC above which a model has learnt something else than knees until a person
#: says otherwise. New pain: the true risk itself ranks simulated athletes with 0.728, and the best
#: conducted studies of later injury reach 0.63 to 0.72 (Jauhiainen 2021, doi 10.1055/a-1231-5304;
#: Lovdal 2021, doi 10.1123/ijspp.2020-0518; none validated: Bullock 2022, doi
#: 10.1007/s40279-022-01698-9).
#: What is there already has moved the measures: three independent differences as large as the
#: largest pooled one (0.69 SD, Neal 2019, doi 10.1136/bjsports-2017-098890) give an AUC of
#: Phi(0.69 * sqrt(3 / 2)) = 0.80 (assumption); measured are 0.65 of runners, 0.71 of weightlifters.
AUC_CEILINGS: Mapping[str, float] = {"new_pain": 0.73, "present_pain": 0.80, "past_injury": 0.80}
#: An input is named if it moves risks at least this share as far as the one that moves them most,
#: and so many are named (assumption: one or a few carry a leak).
_NAMED_SHARE, _MOST_NAMED = 0.5, 3


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition of promotion, whether it is met, and the numbers in words.

    ``reason`` is a stable code of why it is not met.
    """

    name: str
    passed: bool
    message: str
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data; the message is called `told`, as in earlier releases."""
        return {"name": self.name, "passed": self.passed, "told": self.message,
                "reason": self.reason}  # fmt: skip


def slope_gate(metrics: Mapping[str, float]) -> Gate:
    """Risks are neither too extreme nor too timid for athletes that the model has not seen.

    Parameters
    ----------
    metrics
        Of the run, by flat name: see `gates_of`.

    Returns
    -------
    The gate, its message with the slope.
    """
    prefix, where, why = "", text("training.gate.where.held_out"), ""
    rarer = rarer_outcomes(metrics)
    if f"{LEFT_OUT}log_loss" in metrics:
        prefix, where = judged_on(metrics)
    elif rarer is not None and rarer < FEWEST_EVENTS and "cv_calibration_slope" in metrics:
        prefix, where = "cv_", text("training.gate.where.cross_validation")
        why = f" ({rarer:.0f} held-out outcomes are too few, it takes {FEWEST_EVENTS:.0f})"
    slope = metrics.get(f"{prefix}calibration_slope")
    allowed = f"allowed: {SLOPE_LOW} to {SLOPE_HIGH}"
    if slope is None:
        message = f"calibration slope {where} can't be measured: too few outcomes; {allowed}"
        return Gate("calibration_slope", passed=False, message=message, reason="not_measured")
    interval = interval_text(metrics, f"{prefix}calibration_slope")
    message = f"calibration slope {where} is {slope:.2f}{interval}{why}; {allowed}"
    passed = SLOPE_LOW <= slope <= SLOPE_HIGH
    if prefix and not passed and f"{prefix}log_loss_over_as_is" in metrics:
        passed, base_message = _no_worse_than_its_base(metrics, prefix)
        message = f"{message}; {base_message}"
    return Gate("calibration_slope", passed, message, "" if passed else "miscalibrated_slope")


def judged_on(metrics: Mapping[str, float]) -> tuple[str, str]:
    """The prefix of the metrics that decide, and in words where they were measured."""
    if f"{LEFT_OUT}log_loss" in metrics:
        groups = f"{metrics.get(f'{LEFT_OUT}groups', 0):.0f}"
        return LEFT_OUT, text("training.gate.where.left_out_groups", groups=groups)
    rarer = rarer_outcomes(metrics)
    if rarer is not None and rarer < FEWEST_EVENTS and "cv_log_loss" in metrics and (
        "cv_log_loss_over_prior" in metrics
    ):  # fmt: skip
        return "cv_", text("training.gate.where.cross_validation")
    return "", text("training.gate.where.held_out")


def auc_gate(
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    accepted: str | None,
    drivers: Callable[[], Sequence[Mapping[str, Any]]],
) -> Gate | None:
    """The model ranks no better than measures of knees can.

    Parameters
    ----------
    params
        Of the run.
    metrics
        Of the run, by flat name.
    accepted
        Why a person takes a higher AUC for real; None where nobody does.
    drivers
        Gives what moves the model's risks most, the strongest first; called on refusal.

    Returns
    -------
    The gate; None where no AUC was measured.
    """
    name, where = "auc", "on held-out athletes"
    rarer = rarer_outcomes(metrics)
    if rarer is not None and rarer < FEWEST_EVENTS and "cv_auc" in metrics:
        name, where = "cv_auc", "in cross-validation by athlete"
    if name not in metrics:
        return None
    kind = params.get("outcome_kind", "new_pain")
    ceiling = AUC_CEILINGS.get(kind, min(AUC_CEILINGS.values()))
    if "data_file" not in params:
        # Of what the simulator draws here the truth is known: it holds no leak, and among few
        # athletes its own AUC is high by chance.
        ceiling = max(ceiling, metrics.get("true_risk_auc", 0.0))
    message = (
        f"AUC {where} is {metrics[name]:.3f}{interval_text(metrics, name, 3)}; allowed for "
        f"{kind.replace('_', ' ')} is {ceiling:.2f}"
    )
    if metrics[name] <= ceiling:
        return Gate("auc", passed=True, message=message)
    if accepted:
        return Gate("auc", passed=True, message=f"{message}; accepted: {accepted}")
    carriers = ", ".join(repr(carrier) for carrier in _strongest(drivers()))
    named = f"; it comes from {carriers}" if carriers else ""
    message += (
        f"{named}. So much is a leak until proven otherwise: was one of the inputs recorded after "
        "the outcome, or from it? Leave it out and train again, or say why it is none with "
        '--accept-auc "why"'
    )
    return Gate("auc", passed=False, message=message, reason="auc_too_high")


def _strongest(drivers: Sequence[Mapping[str, Any]]) -> list[str]:
    most = max((driver["points"] for driver in drivers), default=0.0)
    return [
        str(driver["measure"]) for driver in drivers if driver["points"] >= _NAMED_SHARE * most
    ][:_MOST_NAMED]


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
    return Gate("log_loss", mean <= error, message, "" if mean <= error else "worse_than_champion")


def _no_worse_than_its_base(metrics: Mapping[str, float], prefix: str) -> tuple[bool, str]:
    """Whether an updated version may pass although its slope is outside the limits, and in words.

    Refusing it would leave the version that it corrects in service, whose slope is no better known.
    So it passes where its slope is not shown to be wrong (the interval holds 1) and where, on the
    same left-out athletes, its log loss is no worse than that version's.
    """
    low, high = (metrics.get(f"{prefix}calibration_slope_{end}") for end in ("low", "high"))
    holds = low is not None and high is not None and low <= 1.0 <= high
    difference, error = (metrics[f"{prefix}log_loss_over_as_is{end}"] for end in ("", "_error"))
    message = (
        "an adapted version also passes if that interval contains 1 and its cross-validated log "
        f"loss ({difference:+.5f} from its base) is at most one standard error, {error:.5f}, worse"
    )
    return holds and difference <= error, message


def interval_text(metrics: Mapping[str, float], name: str, digits: int = 2) -> str:
    """The limits of a metric in words.

    Parameters
    ----------
    metrics
        By flat name.
    name
        Of the metric.
    digits
        After the point.

    Returns
    -------
    In brackets, or nothing where it has none.
    """
    low, high = (metrics.get(f"{name}_{end}") for end in ("low", "high"))
    if low is None or high is None:
        return ""
    return f" (95 % interval {low:.{digits}f} to {high:.{digits}f})"
