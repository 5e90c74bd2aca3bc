"""What a run comes to in a line: better or worse than what it must beat, calibrated or not."""

from __future__ import annotations

from collections.abc import Mapping

from kneerisk.cohort import Cohort
from kneerisk.evaluation.calibration_curves import calibration_index
from kneerisk.evaluation.evaluation import Risks, own_task, paired
from kneerisk.evaluation.metrics import (
    accuracy,
    auc,
    calibration,
    paired_difference,
    row_loss,
)

#: What a calibration slope may be (assumption: wide enough for chance, narrow enough that a
#: stated 20 % is not really 10 % or 30 %).
SLOPE_LOW, SLOPE_HIGH = 0.8, 1.25
#: A difference is told from chance beyond so many standard errors (a 95 % interval).
BEYOND_CHANCE = 1.96
#: Whom a run is compared with, by the metrics that say by how much: the name of the log loss more
#: a row (with its ``_error``), whether it was on held-out athletes, and what it is called.
_RIVALS = (
    ("log_loss_over_champion", "the champion"),
    ("cv_log_loss_over_as_is", "the champion as it is"),
    ("log_loss_over_logistic", "logistic regression"),
)


def log_loss_over(cohort: Cohort, model: Risks, other: Risks, name: str) -> dict[str, float]:
    """How much more log loss a row has than with another model: `log_loss_over_<name>`.

    Both judge the same rows, so the standard error (``_error``) is that of the difference, with
    athletes as clusters. Below 0 the model is better.
    """
    one, two = paired(cohort, model, other)
    if len(one.outcome) == 0:
        return {}
    more = row_loss(one.probability, one.outcome) - row_loss(two.probability, two.outcome)
    mean, error = paired_difference(more, one.athlete)
    return {f"log_loss_over_{name}": mean, f"log_loss_over_{name}_error": error}


def on_seen(cohort: Cohort, model: Risks) -> dict[str, float]:
    """The main metrics on the athletes that the model was fitted to, `train_` before their names.

    Far better than on held-out athletes means that it learnt chance.
    """
    scored = own_task(cohort, model)
    area = auc(scored.probability, scored.outcome)
    found = {
        **({} if area is None else {"auc": area}),
        **accuracy(scored.probability, scored.outcome),
        **calibration(scored.probability, scored.outcome),
        **calibration_index(scored.probability, scored.outcome),
    }
    return {f"train_{name}": value for name, value in found.items()}


def verdict(metrics: Mapping[str, float]) -> str:
    """One line: how the model stands to its champion and to logistic regression; calibration."""
    told = [
        _beside(metrics[name], metrics[f"{name}_error"], called)
        for name, called in _RIVALS
        if name in metrics and f"{name}_error" in metrics
    ]
    line = "; ".join([*told, calibrated(metrics)])
    return f"{line[:1].upper()}{line[1:]}."


def _beside(more: float, error: float, rival: str) -> str:
    apart = f"{abs(more):.4f} {'lower' if more < 0.0 else 'higher'}"
    told = f"(log loss {apart}, standard error {error:.4f})"
    if abs(more) <= BEYOND_CHANCE * error:
        return f"not told apart from {rival} {told}"
    return f"{'better' if more < 0.0 else 'worse'} than {rival} {told}"


def calibrated(metrics: Mapping[str, float]) -> str:
    """Whether stated risks come true, as far as the slope's 95 % interval tells.

    Read from held-out athletes or from cross-validation, wherever it is known better.
    """
    known = [where for where in ("", "cv_") if f"{where}calibration_slope_low" in metrics]
    if not known:
        return "calibration can't be measured: too few outcomes"
    ends = {
        where: tuple(metrics[f"{where}calibration_slope{end}"] for end in ("_low", "_high"))
        for where in known
    }
    where = min(known, key=lambda one: ends[one][1] - ends[one][0])
    low, high = ends[where]
    slope = metrics[f"{where}calibration_slope"]
    told = f"slope {slope:.2f}, {low:.2f} to {high:.2f}"
    told += ", cross-validated" if where else ""
    if low >= SLOPE_LOW and high <= SLOPE_HIGH:
        return f"calibrated ({told})"
    if low <= 1.0 <= high:
        return f"calibration not settled ({told})"
    way = "too far apart" if slope < 1.0 else "too close together"
    if high > SLOPE_LOW and low < SLOPE_HIGH:
        return f"risks {way}, by how much is not settled ({told})"
    return f"not calibrated, risks {way} ({told})"
