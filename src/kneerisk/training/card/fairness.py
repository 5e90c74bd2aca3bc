"""Performance of a version by sex, age and other slices of the cohort, and where it is worst."""

from __future__ import annotations

from kneerisk.evaluation.metric_table import listed, metric_named
from kneerisk.evaluation.slices import FEWEST_EVENTS, Slice
from kneerisk.training.card.card_context import CardContext

#: What people are born with, or grow into, before what they do.
ORDER = ("sex", "age", "sport", "side", "battery")


def fairness(context: CardContext) -> str:
    """The table of slices, the worst one named, and the plot."""
    slices = context.evaluation.slices
    if not slices:
        return ""
    rows = [_row(each) for by in ORDER for each in slices if each.by == by]
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
    plot = context.plot("slices", "AUC and calibration slope of each part, with 95 % intervals")
    return "\n\n".join([_worst(context), "\n".join([*head, *rows]), note, *plot])


def _worst(context: CardContext) -> str:
    worst = context.evaluation.worst_slice
    if worst is None:
        return "No part has outcomes enough to be judged by itself."
    return (
        f"It ranks worst for **{worst.by}: {worst.name.replace('_', ' ')}**, with an AUC of "
        f"{metric_named('auc').text(worst.metrics)}. Race, income and disability are not recorded, "
        "so that nothing is known of fairness by them."
    )


def _row(row: Slice) -> str:
    counts = f"{row.metrics['events']:,.0f} of {row.metrics['rows']:,.0f}"
    cells = [metric.text(row.metrics) for metric in listed("card_slices")]
    return f"| {' | '.join([row.by, row.name.replace('_', ' '), counts, *cells])} |"
