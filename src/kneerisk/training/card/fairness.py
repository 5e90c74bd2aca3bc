"""How a version does by sex, age and other parts of the cohort, and where it does worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kneerisk.evaluation.slices import FEWEST_EVENTS, Slice
from kneerisk.training.card.card_context import About

#: What people are born with, or grow into, before what they do.
ORDER = ("sex", "age", "sport", "side", "battery")


def fairness(about: About) -> str:
    """The table by part, the worst one named, and the picture."""
    parts = about.evaluation.slices
    if not parts:
        return ""
    rows = [row for by in ORDER for one in parts if one.by == by for row in _row(one)]
    head = [
        "| by | part | with pain | observed to stated | AUC | log loss | Brier | slope |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: | --- |",
    ]
    note = (
        f"A part with fewer than {FEWEST_EVENTS:.0f} outcomes of either sort is shown and not "
        "judged. *Observed to stated* above 1: more pain than was stated. Every number of a part, "
        "net benefit and the highest risks among them, is in `evaluation.json` of the run."
    )
    shown = about.picture("slices", "AUC and calibration slope of each part, with 95 % intervals")
    return "\n\n".join([_worst(about), "\n".join([*head, *rows]), note, *shown])


def _worst(about: About) -> str:
    worst = about.evaluation.worst_slice
    if worst is None:
        return "No part has outcomes enough to be judged by itself."
    return (
        f"It ranks worst for **{worst.by}: {worst.name.replace('_', ' ')}**, with an AUC of "
        f"{_within(worst.metrics, 'auc', 3)}. Race, income and disability are not recorded, so "
        "that nothing is known of fairness by them."
    )


def _row(one: Slice) -> Iterator[str]:
    told = one.metrics
    counts = f"{told['events']:,.0f} of {told['rows']:,.0f}"
    cells = [one.by, one.name.replace("_", " "), counts,
             _number(told, "observed_to_expected", 2), _within(told, "auc", 3),
             _number(told, "log_loss", 4), _number(told, "brier", 4),
             _within(told, "calibration_slope", 2)]  # fmt: skip
    yield f"| {' | '.join(cells)} |"


def _number(told: Mapping[str, float], name: str, digits: int) -> str:
    return f"{told[name]:.{digits}f}" if name in told else "not measurable"


def _within(told: Mapping[str, float], name: str, digits: int) -> str:
    low, high = told.get(f"{name}_low"), told.get(f"{name}_high")
    if name not in told or low is None or high is None:
        return _number(told, name, digits)
    return f"{told[name]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
