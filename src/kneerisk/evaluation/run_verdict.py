"""A run's verdict in one line: better or worse than what the model must beat, calibrated or not."""

from __future__ import annotations

from collections.abc import Mapping

from kneerisk.words import text, variant

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
#: The same where whole groups were left out, which then counts.
_RIVALS_OF_GROUPS = (
    ("log_loss_over_champion", "the champion"),
    ("iecv_log_loss_over_as_is", "the champion as it is"),
    ("iecv_log_loss_over_logistic", "logistic regression"),
)


def verdict(metrics: Mapping[str, float]) -> str:
    """One line: whether it travels, how it stands to champion and logistic regression; calibration.

    Where whole groups were left out, all but the comparison with the champion is about these.
    """
    in_groups = "does_not_travel" in metrics
    clauses = [_travel(metrics)] if in_groups else []
    clauses += [
        _against(metrics[name], metrics[f"{name}_error"], rival)
        for name, rival in (_RIVALS_OF_GROUPS if in_groups else _RIVALS)
        if name in metrics and f"{name}_error" in metrics
    ]
    clauses.append(calibration_in_words(metrics))
    if "instability_mape" in metrics:
        points = f"{100.0 * metrics['instability_mape']:.1f}"
        refits = f"{metrics['instability_refits']:.0f}"
        clauses.append(text("training.verdict.instability", points=points, refits=refits))
    line = "; ".join(clauses)
    return f"{line[:1].upper()}{line[1:]}."


def _travel(metrics: Mapping[str, float]) -> str:
    aucs = {
        place: f"{metrics[name]:.2f}" if name in metrics else "?"
        for place, name in (("left_out", "iecv_auc"), ("by_person", "cv_auc"))
    }
    key = "does_not_travel" if metrics["does_not_travel"] else "travels"
    return variant("training.verdict.travel", key, **aucs, groups=f"{metrics['iecv_groups']:.0f}")


def _against(more: float, error: float, rival: str) -> str:
    difference = f"{abs(more):.4f} {'lower' if more < 0.0 else 'higher'}"
    numbers = f"(log loss {difference}, standard error {error:.4f})"
    if abs(more) <= BEYOND_CHANCE * error:
        return f"no clear difference from {rival} {numbers}"
    return f"{'better' if more < 0.0 else 'worse'} than {rival} {numbers}"


def calibration_in_words(metrics: Mapping[str, float]) -> str:
    """Whether stated risks come true, as far as the slope's 95 % interval tells.

    Read from groups that were left out; where there are none, from held-out athletes or from
    cross-validation, wherever the interval is narrower.
    """
    places = ("iecv_",) if "does_not_travel" in metrics else ("", "cv_")
    prefixes = [prefix for prefix in places if f"{prefix}calibration_slope_low" in metrics]
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
    numbers += {"cv_": ", cross-validated", "iecv_": text("training.verdict.left_out")}.get(
        prefix, ""
    )
    if low >= SLOPE_LOW and high <= SLOPE_HIGH:
        return f"calibrated ({numbers})"
    if low <= 1.0 <= high:
        return f"calibration uncertain ({numbers})"
    way = "too far apart" if slope < 1.0 else "too close together"
    if high > SLOPE_LOW and low < SLOPE_HIGH:
        return f"risks {way}, by an uncertain amount ({numbers})"
    return f"not calibrated, risks {way} ({numbers})"
