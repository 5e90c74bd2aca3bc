"""Plots of slices, drivers and imbalances, and of the distance to the oracle."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from kneerisk.evaluation.driver_ranking import Driver
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evaluation.metric_table import metric_named
from kneerisk.evaluation.slices import Slice
from kneerisk.evidence import imbalances
from kneerisk.training.plots.plot_style import (
    FAINT,
    INK,
    MODEL,
    STYLES,
    WITH_PAIN,
    highest_shown,
    label_axes,
    legend,
    percent,
    titled_figure,
)

#: Least height of a plot of slices, and the height of each row, in inches.
_FRAME_INCHES, _ROW_INCHES = 1.9, 0.27
#: The same in every picture, so that runs compare at a glance; an interval that is longer says
#: that nothing is known, and what lies beyond is marked at the edge.
AUC_SHOWN, SLOPE_SHOWN = (0.4, 1.0), (0.0, 2.0)
#: Measures in one plot, and the letters of a label.
MOST_DRIVERS, LONGEST_LABEL = 15, 44
#: A shorter axis would make much of hundredths of a point.
LEAST_AXIS = 0.5
#: The share of rows that had a measure is shown where it is below this.
NEARLY_ALL = 0.94
#: How far below the model's mark the oracle's is, so that neither hides the other.
BELOW = 0.28
#: Labels and colours of the bars, by which values raise the risk.
DIRECTIONS = {
    "higher": ("higher values raise it", WITH_PAIN),
    "lower": ("lower values raise it", MODEL),
    "mixed": ("by category, or no one direction", FAINT),
}


def slice_forest(evaluation: Evaluation, subtitle: str) -> Figure:
    """AUC and calibration slope of every slice, with 95 % intervals; the worst one marked."""
    slices = [each for each in evaluation.slices if "auc" in each.metrics]
    rows = _rows(slices)
    size = (9.2, _FRAME_INCHES + _ROW_INCHES * len(rows))
    figure = titled_figure("Does it work as well for everyone?", subtitle, size)
    left, right = figure.subplots(1, 2, sharey=True)
    lowest = evaluation.worst_slice
    for axes, name in ((left, "auc"), (right, "calibration_slope")):
        label = metric_named(name).column
        label_axes(axes, f"{label[:1].upper()}{label[1:]}, 95 % interval", "")
        axes.grid(visible=False, axis="y")
        whole = evaluation.metrics.get(name)
        if whole is not None:
            axes.axvline(whole, color=FAINT, linewidth=1, linestyle=":")
        for place, one in enumerate(rows):
            if isinstance(one, Slice):
                colour = WITH_PAIN if one is lowest else MODEL if one.is_comparable else FAINT
                _interval(axes, place, one, name, colour)
    left.axvline(0.5, color=INK, linewidth=0.8)
    right.axvline(1.0, color=INK, linewidth=0.8)
    left.set_xlim(*AUC_SHOWN)
    right.set_xlim(*SLOPE_SHOWN)
    left.set_yticks(range(len(rows)), [_label(one, lowest) for one in rows], fontsize=8.5)
    left.set_ylim(len(rows) - 0.4, -0.6)
    left.tick_params(axis="y", length=0)
    for text, one in zip(left.get_yticklabels(), rows, strict=True):
        text.set_weight("bold" if isinstance(one, str) else "normal")
    figure.supxlabel("Numbers: rows with pain, of how many. Dotted: all of them together. "
                    "Grey: fewer than 30 with pain. Orange: the lowest AUC.",
                    fontsize=8, color=INK)  # fmt: skip
    return figure


def _rows(slices: list[Slice]) -> list[Slice | str]:
    """Slices with a heading before those of each kind."""
    rows: list[Slice | str] = []
    for each in slices:
        if not any(isinstance(row, Slice) and row.by == each.by for row in rows):
            rows.append(each.by)
        rows.append(each)
    return rows


def _label(one: Slice | str, lowest: Slice | None) -> str:
    if isinstance(one, str):
        return one
    mark = " (lowest)" if one is lowest else ""
    events, rows = one.metrics["events"], one.metrics["rows"]
    return f"{one.name.replace('_', ' ')}{mark}  {events:,.0f} of {rows:,.0f}"


def _interval(axes: Axes, place: int, one: Slice, name: str, colour: str) -> None:
    if name not in one.metrics:
        return
    low, high = one.metrics.get(f"{name}_low"), one.metrics.get(f"{name}_high")
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], color=colour, linewidth=1.6)
    shown = AUC_SHOWN if name == "auc" else SLOPE_SHOWN
    inside = min(max(one.metrics[name], shown[0]), shown[1])
    mark = "o" if inside == one.metrics[name] else ">" if inside == shown[1] else "<"
    axes.plot(inside, place, mark, color=colour, markersize=5, clip_on=False)


def drivers(evaluation: Evaluation, subtitle: str) -> Figure:
    """The measures that move risks most, by how far and in which direction."""
    shown = evaluation.drivers[:MOST_DRIVERS]
    figure = titled_figure("Which measures move the risk?", subtitle, (7.4, 5.4))
    note = "in brackets: share of rows with the measure, if not nearly all"
    axis_label = f"Mean absolute effect on the risk, points of 100\n({note})"
    axes = label_axes(figure.add_subplot(), axis_label, "")
    axes.grid(visible=False, axis="y")
    for direction, (label, colour) in DIRECTIONS.items():
        rows = [place for place, one in enumerate(shown) if one.direction == direction]
        if rows:
            axes.barh(rows, [shown[place].points for place in rows], color=colour, height=0.66,
                      label=label)  # fmt: skip
    longest = max(one.points for one in shown)
    for place, one in enumerate(shown):
        axes.annotate(f"{one.points:.2f}", (one.points + 0.01 * longest, place), va="center",
                      fontsize=8, color=INK)  # fmt: skip
    axes.set_yticks(range(len(shown)), [_measured(one) for one in shown], fontsize=8.5)
    axes.set(ylim=(MOST_DRIVERS - 0.4, -0.6), xlim=(0.0, 1.1 * max(longest, LEAST_AXIS)))
    axes.tick_params(axis="y", length=0)
    legend(axes, "lower right")
    return figure


def _measured(one: Driver) -> str:
    """A measure's label, and how many rows had it where not nearly all do."""
    label = (
        one.label if len(one.label) <= LONGEST_LABEL else f"{one.label[: LONGEST_LABEL - 1]}\u2026"
    )
    return label if one.measured >= NEARLY_ALL else f"{label} ({one.measured:.0%})"


def imbalance_auc(evaluation: Evaluation, subtitle: str) -> Figure:
    """AUC of each imbalance with its 95 % interval, beside the oracle's."""
    metrics = evaluation.metrics
    named = {name: facts.label for name, facts in imbalances().items()
             if f"imbalance_{name}_auc" in metrics}  # fmt: skip
    figure = titled_figure("How well is each muscle imbalance detected?", subtitle, (7.4, 4.0))
    axes = label_axes(figure.add_subplot(), "AUC over legs, 95 % interval", "")
    axes.grid(visible=False, axis="y")
    for place, name in enumerate(named):
        ends = [metrics[f"imbalance_{name}_auc{end}"] for end in ("_low", "_high")
                if f"imbalance_{name}_auc{end}" in metrics]  # fmt: skip
        axes.plot(ends, [place] * len(ends), color=MODEL, linewidth=1.8)
    for prefix, mark, apart, (label, colour, _) in (
        ("", "o", 0.0, STYLES["model"]), ("oracle_", "D", BELOW, STYLES["oracle"]),
    ):  # fmt: skip
        reached = {place: metrics[f"{prefix}imbalance_{name}_auc"]
                   for place, name in enumerate(named)
                   if f"{prefix}imbalance_{name}_auc" in metrics}  # fmt: skip
        if reached:
            axes.plot(list(reached.values()), [place + apart for place in reached], mark,
                      color=colour, markersize=6, label=label)  # fmt: skip
    axes.set_yticks(range(len(named)), list(named.values()), fontsize=9)
    axes.set(xlim=AUC_SHOWN, ylim=(len(named) - 0.5, -0.6))
    axes.axvline(0.5, color=INK, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    legend(axes, "upper right")
    return figure


def oracle_gap(evaluation: Evaluation, subtitle: str) -> Figure:
    """The model's risk of each leg or athlete against the best possible one."""
    figure = titled_figure("How close is the model to the best possible?", subtitle)
    axes = label_axes(figure.add_subplot(), "Best possible risk (oracle)", "The model's risk")
    model_rows, oracle_rows = evaluation.task_rows, evaluation.comparators["oracle"]
    _, in_model, in_oracle = np.intersect1d(
        model_rows.place, oracle_rows.place, return_indices=True
    )
    x, y = oracle_rows.probability[in_oracle], model_rows.probability[in_model]
    top = highest_shown(float(model_rows.outcome.mean()))
    density = axes.hexbin(
        x, y, gridsize=60, extent=(0, top, 0, top), mincnt=1, cmap="cividis", norm=LogNorm()
    )
    axes.plot([0, top], [0, top], color=WITH_PAIN, linewidth=1)
    labels = {"mean distance": ("oracle_mae", 4), "AUC of the model": ("auc", 3),
            "AUC of the oracle": ("oracle_auc", 3)}  # fmt: skip
    lines = [f"{label} {evaluation.metrics[name]:.{digits}f}"
             for label, (name, digits) in labels.items() if name in evaluation.metrics]  # fmt: skip
    axes.annotate("\n".join(lines), (0.04, 0.96), xycoords="axes fraction", va="top", fontsize=9,
                  color=INK)  # fmt: skip
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    percent(axes)
    figure.colorbar(density, ax=axes, label="rows", shrink=0.8)
    return figure
