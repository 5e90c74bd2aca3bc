"""What a run comes to in a line: better or worse than what it must beat, calibrated or not."""

from __future__ import annotations

from collections.abc import Mapping

from kneerisk.cohort import Cohort
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import loss_difference
from kneerisk.evaluation.task_rows import Risks, own_task, paired_rows

#: What a calibration slope may be (assumption: wide enough for chance, narrow enough that a
#: stated 20 % is not really 10 % or 30 %).
SLOPE_LOW, SLOPE_HIGH = 0.8, 1.25
#: A difference beyond so many standard errors is more than chance (a 95 % interval).
BEYOND_CHANCE = 1.96
#: Whom a run is compared with: the metric of its log loss over that model (with its ``_error``),
#: and what that model is called.
_RIVALS = (
    ("log_loss_over_champion", "the champion"),
    ("cv_log_loss_over_as_is", "the champion as it is"),
    ("log_loss_over_logistic", "logistic regression"),
)


def log_loss_over(cohort: Cohort, model: Risks, other: Risks, name: str) -> dict[str, float]:
    """How much more log loss a row has than with another model; below 0 the model is better.

    Parameters
    ----------
    cohort
        With the outcomes.
    model
        Its risks for every screening.
    other
        The other model's, for the same screenings.
    name
        Of the other model.

    Returns
    -------
    `log_loss_over_<name>` and its standard error (``_error``), which is that of the difference on
    the same rows with athletes as clusters; nothing where there are no rows.
    """
    rows, other_rows = paired_rows(cohort, model, other)
    if len(rows.outcome) == 0:
        return {}
    mean, error = loss_difference(rows, other_rows)
    return {f"log_loss_over_{name}": mean, f"log_loss_over_{name}_error": error}


def training_metrics(cohort: Cohort, model: Risks) -> dict[str, float]:
    """The main metrics on the athletes that the model was fitted to, `train_` before their names.

    Far better than on held-out athletes means that it learnt chance.
    """
    return measure(own_task(cohort, model), "train", "train_")


def verdict(metrics: Mapping[str, float]) -> str:
    """One line: how the model stands to its champion and to logistic regression; calibration."""
    clauses = [
        _against(metrics[name], metrics[f"{name}_error"], rival)
        for name, rival in _RIVALS
        if name in metrics and f"{name}_error" in metrics
    ]
    line = "; ".join([*clauses, calibration_in_words(metrics)])
    return f"{line[:1].upper()}{line[1:]}."


def _against(more: float, error: float, rival: str) -> str:
    difference = f"{abs(more):.4f} {'lower' if more < 0.0 else 'higher'}"
    numbers = f"(log loss {difference}, standard error {error:.4f})"
    if abs(more) <= BEYOND_CHANCE * error:
        return f"not told apart from {rival} {numbers}"
    return f"{'better' if more < 0.0 else 'worse'} than {rival} {numbers}"


def calibration_in_words(metrics: Mapping[str, float]) -> str:
    """Whether stated risks come true, as far as the slope's 95 % interval tells.

    Read from held-out athletes or from cross-validation, wherever the interval is narrower.
    """
    prefixes = [prefix for prefix in ("", "cv_") if f"{prefix}calibration_slope_low" in metrics]
    if not prefixes:
        return "calibration can't be measured: too few outcomes"
    limits = {
        prefix: tuple(metrics[f"{prefix}calibration_slope{end}"] for end in ("_low", "_high"))
        for prefix in prefixes
    }
    prefix = min(prefixes, key=lambda name: limits[name][1] - limits[name][0])
    low, high = limits[prefix]
    slope = metrics[f"{prefix}calibration_slope"]
    numbers = f"slope {slope:.2f}, {low:.2f} to {high:.2f}"
    numbers += ", cross-validated" if prefix else ""
    if low >= SLOPE_LOW and high <= SLOPE_HIGH:
        return f"calibrated ({numbers})"
    if low <= 1.0 <= high:
        return f"calibration not settled ({numbers})"
    way = "too far apart" if slope < 1.0 else "too close together"
    if high > SLOPE_LOW and low < SLOPE_HIGH:
        return f"risks {way}, by how much is not settled ({numbers})"
    return f"not calibrated, risks {way} ({numbers})"
