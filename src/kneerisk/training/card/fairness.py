"""How a version does by sex, age and other parts of the cohort, and where it does worst."""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.evaluation.metric_table import listed, metric_named
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
    columns = listed("card_slices")
    head = [
        f"| by | part | with pain | {' | '.join(metric.column for metric in columns)} |",
        "| --- | --- | ---: |" + "".join(" --- |" if m.interval else " ---: |" for m in columns),
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
        f"{metric_named('auc').text(worst.metrics)}. Race, income and disability are not recorded, "
        "so that nothing is known of fairness by them."
    )


def _row(one: Slice) -> Iterator[str]:
    counts = f"{one.metrics['events']:,.0f} of {one.metrics['rows']:,.0f}"
    cells = [metric.text(one.metrics) for metric in listed("card_slices")]
    yield f"| {' | '.join([one.by, one.name.replace('_', ' '), counts, *cells])} |"
