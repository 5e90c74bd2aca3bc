"""Pictures of the parts of a cohort, and of how near a model comes to the best possible one."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from kneerisk.training.drawing import FAINT, INK, MODEL, WITH_PAIN, dress, figure, percent
from kneerisk.training.evaluation import Evaluation
from kneerisk.training.slices import Slice

#: Least height of a picture of slices, and what each adds, in inches.
_FRAME_INCHES, _ROW_INCHES = 1.9, 0.27
#: No tick label is needed beyond these: an interval that long says that nothing is known.
_SLOPE_SHOWN = (0.0, 2.0)


def slice_forest(evaluation: Evaluation, about: str) -> Figure:
    """AUC and calibration slope of every slice, with 95 % intervals; the worst one marked."""
    parts = [one for one in evaluation.slices if "auc" in one.metrics]
    rows = _rows(parts)
    size = (9.2, _FRAME_INCHES + _ROW_INCHES * len(rows))
    drawn = figure("Does it work as well for everyone?", about, size)
    left, right = drawn.subplots(1, 2, sharey=True)
    lowest = evaluation.worst_slice
    for axes, name, label in ((left, "auc", "AUC"), (right, "calibration_slope", "Slope")):
        dress(axes, f"{label}, 95 % interval", "")
        axes.grid(visible=False, axis="y")
        whole = evaluation.metrics.get(name)
        if whole is not None:
            axes.axvline(whole, color=FAINT, linewidth=1, linestyle=":")
        for place, one in enumerate(rows):
            if isinstance(one, Slice):
                colour = WITH_PAIN if one is lowest else MODEL if one.is_judged else FAINT
                _interval(axes, place, one, name, colour)
    left.axvline(0.5, color=INK, linewidth=0.8)
    right.axvline(1.0, color=INK, linewidth=0.8)
    right.set_xlim(*_SLOPE_SHOWN)
    left.set_yticks(range(len(rows)), [_label(one, lowest) for one in rows], fontsize=8.5)
    left.set_ylim(len(rows) - 0.4, -0.6)
    left.tick_params(axis="y", length=0)
    for text, one in zip(left.get_yticklabels(), rows, strict=True):
        text.set_weight("bold" if isinstance(one, str) else "normal")
    drawn.supxlabel("Numbers: rows with pain, of how many. Dotted: all of them together. "
                    "Grey: fewer than 30 with pain. Orange: the lowest AUC.",
                    fontsize=8, color=INK)  # fmt: skip
    return drawn


def _rows(parts: list[Slice]) -> list[Slice | str]:
    """Slices with a heading before those of each kind."""
    rows: list[Slice | str] = []
    for one in parts:
        if not any(isinstance(row, Slice) and row.by == one.by for row in rows):
            rows.append(one.by)
        rows.append(one)
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
    axes.plot(one.metrics[name], place, "o", color=colour, markersize=5)


def oracle_gap(evaluation: Evaluation, about: str) -> Figure:
    """The model's risk of each leg or athlete against the best possible one."""
    drawn = figure("How near is the model to the best that can be said?", about)
    axes = dress(drawn.add_subplot(), "Best possible risk (oracle)", "The model's risk")
    ours, best = evaluation.scored, evaluation.others["oracle"]
    place, here, there = np.intersect1d(ours.place, best.place, return_indices=True)
    x, y = best.probability[there], ours.probability[here]
    top = 1.02 * float(np.quantile(np.concatenate([x, y]), 0.999)) if len(place) else 1.0
    density = axes.hexbin(
        x, y, gridsize=60, extent=(0, top, 0, top), mincnt=1, cmap="cividis", norm=LogNorm()
    )
    axes.plot([0, top], [0, top], color=WITH_PAIN, linewidth=1)
    told = {"mean distance": "oracle_mae", "AUC below the oracle's": "auc_below_oracle"}
    lines = [f"{label} {evaluation.metrics[name]:.4f}" for label, name in told.items()
             if name in evaluation.metrics]  # fmt: skip
    axes.annotate("\n".join(lines), (0.04, 0.96), xycoords="axes fraction", va="top", fontsize=9,
                  color=INK)  # fmt: skip
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    percent(axes)
    drawn.colorbar(density, ax=axes, label="rows", shrink=0.8)
    return drawn
