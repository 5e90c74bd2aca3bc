"""Plots of the benchmark: a forest of scores and controls, and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneerisk.evaluation.calibration.calibration_bins import bins
from kneerisk.evaluation.task_rows import task_rows
from kneerisk.training.benchmark.contenders import LOGISTIC, MODEL, PRIOR, XGBOOST
from kneerisk.training.benchmark.scoring import TaskScores
from kneerisk.training.plots import plot_style
from kneerisk.training.plots.plot_style import (
    FAINT,
    INK,
    WITH_PAIN,
    label_axes,
    percent,
    titled_figure,
)

COLOURS = {MODEL: plot_style.MODEL, XGBOOST: plot_style.XGBOOST, LOGISTIC: plot_style.LOGISTIC}
NAMES = {MODEL: "kneerisk", XGBOOST: "plain XGBoost", LOGISTIC: "logistic regression",
         PRIOR: "base rate alone"}  # fmt: skip
_WIDTH, _FRAME_INCHES, _ROW_INCHES, _TASK_INCHES = 8.6, 1.9, 0.26, 0.42
_SHOWN_AUC = (0.34, 0.84)


def name_of(contender: str) -> str:
    """A contender's name for people: `control: site and year`."""
    return NAMES.get(contender, contender.replace("control ", "control: "))


def forest(tasks: Sequence[TaskScores]) -> Figure:
    """AUC of every contender by task, 95 % intervals; hollow where a control reaches it."""
    counts = [len(_shown(scores)) for scores in tasks]
    height = _FRAME_INCHES + sum(_TASK_INCHES + _ROW_INCHES * count for count in counts)
    drawn = titled_figure(
        "What can be predicted about the knees of real people?",
        "AUC of out-of-fold predictions, mean over the fold seeds, grouped by person; line: 95 % "
        "interval over people,\nthick: range over the seeds. Filled: beyond chance, and no control "
        "reaches its interval. Hollow: no evidence of a signal.",
        (_WIDTH, height),
    )
    ratios = [1 + count for count in counts]
    grid = drawn.subplots(
        len(tasks), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": ratios}
    )
    for scores, axes in zip(tasks, grid[:, 0], strict=True):
        _panel(axes, scores)
    grid[-1, 0].set_xlabel("AUC (0.5 is chance)", color=INK)
    return drawn


def _shown(scores: TaskScores) -> list[str]:
    return [name for name in scores.metrics if name != PRIOR]


def _panel(axes: Axes, scores: TaskScores) -> None:
    label_axes(axes, "", "")
    axes.grid(visible=False, axis="y")
    names = _shown(scores)
    for place, name in enumerate(names):
        metrics = scores.metrics[name]
        hollow = scores.is_chance(name) or bool(scores.reached_by.get(name))
        _row(axes, place, metrics, COLOURS.get(name, WITH_PAIN), hollow=hollow,
             mark="o" if name in COLOURS else "D")  # fmt: skip
        axes.annotate(f"{metrics['auc']:.2f}", (1.01, place), xycoords=("axes fraction", "data"),
                      va="center", fontsize=9, color=INK)  # fmt: skip
    axes.axvline(0.5, color=FAINT, linewidth=1)
    axes.set_yticks(range(len(names)), [name_of(name) for name in names], fontsize=9)
    axes.set(xlim=_SHOWN_AUC, ylim=(len(names) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    counts = scores.counts
    size = f"{counts['rows']:,.0f} visits of {counts['athletes']:,.0f} people"
    if counts["rows"] == counts["athletes"]:
        size = f"{counts['athletes']:,.0f} people"
    axes.set_title(scores.task.title, loc="left", fontsize=9.5, color=INK, weight="bold")
    axes.set_title(size, loc="right", fontsize=8.5, color=INK)


def _row(
    axes: Axes, place: int, metrics: Mapping[str, float], colour: str, *, hollow: bool, mark: str
) -> None:
    axes.plot(
        [metrics["auc_low"], metrics["auc_high"]], [place, place], color=colour, linewidth=1.3
    )
    seeds = [metrics["auc_lowest_seed"], metrics["auc_highest_seed"]]
    axes.plot(seeds, [place, place], color=colour, linewidth=4.5, alpha=0.35, solid_capstyle="butt")
    axes.plot(
        metrics["auc"], place, mark, color=colour, markersize=6.5, markeredgewidth=1.6,
        markerfacecolor="white" if hollow else colour,
    )  # fmt: skip


def calibration(tasks: Sequence[TaskScores]) -> Figure:
    """Observed share by stated risk, out of fold, of the model and of logistic regression."""
    drawn = titled_figure(
        "Do stated risks come true?",
        "Out-of-fold risks (mean over the fold seeds) in equally full bins; 95 % intervals of the "
        "observed share.",
        (4.4 * len(tasks), 5.4),
    )
    for scores, axes in zip(tasks, drawn.subplots(1, len(tasks), squeeze=False)[0], strict=True):
        _calibration(axes, scores)
    return drawn


def _calibration(axes: Axes, scores: TaskScores) -> None:
    label_axes(axes, "Stated risk", "Observed share")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    highest = 0.0
    for name, mark in ((LOGISTIC, "s"), (MODEL, "o")):
        rows = task_rows(scores.probability[name], scores.label)
        observed, metrics = bins(rows), scores.metrics[name]
        highest = max(highest, observed.high.max(), observed.predicted.max())
        errors = np.vstack([observed.observed - observed.low, observed.high - observed.observed])
        value, low, high = (metrics[f"calibration_slope{end}"] for end in ("", "_low", "_high"))
        axes.errorbar(
            observed.predicted, observed.observed, yerr=errors if name == MODEL else None,
            fmt=f"{mark}-" if name == MODEL else f"{mark}--", color=COLOURS[name], linewidth=1.2,
            elinewidth=1, capsize=3, markersize=5, zorder=3,
            label=f"{name_of(name)}, slope {value:.2f} ({low:.2f} to {high:.2f})",
        )  # fmt: skip
    top = min(1.0, 1.05 * highest)
    axes.set(xlim=(0, top), ylim=(0, top))
    percent(axes)
    axes.set_title(scores.task.title, loc="left", fontsize=9.5, color=INK, weight="bold")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False, loc="lower right", fontsize=8.5)
