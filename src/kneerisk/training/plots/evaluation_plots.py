"""The main plots of an evaluation, drawn without a display and without global state."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from kneerisk.evaluation.calibration.calibration_bins import bins
from kneerisk.evaluation.calibration.calibration_metrics import smooth
from kneerisk.evaluation.decision_curves import decision_curve
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evaluation.metric_table import metric_named
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.training.plots.detail_plots import drivers, imbalance_auc, oracle_gap, slice_forest
from kneerisk.training.plots.instability_plot import instability_plot
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


def plots(evaluation: Evaluation, title: str) -> dict[str, Figure]:
    """Every plot that can be drawn.

    Parameters
    ----------
    evaluation
        Of a model on held-out athletes.
    title
        Which model and cohort, for people.

    Returns
    -------
    Figures by file name, without suffix; empty where nothing was measured.
    """
    scored = evaluation.task_rows
    if len(scored.outcome) == 0:
        return {}
    subtitle = f"{title}\n{_counts(scored)}"
    figures = {"risk_distribution": risk_distribution(scored, subtitle)}
    if 0 < scored.outcome.sum() < len(scored.outcome):
        figures["calibration"] = calibration_plot(evaluation, subtitle)
        figures["roc"] = roc_plot(evaluation, subtitle)
        figures["decision_curve"] = decision_plot(evaluation, subtitle)
    if any(one.is_comparable for one in evaluation.slices):
        figures["slices"] = slice_forest(evaluation, subtitle)
    if "oracle" in evaluation.comparators:
        figures["oracle_gap"] = oracle_gap(evaluation, subtitle)
    if evaluation.instability is not None:
        figures["instability"] = instability_plot(evaluation.instability, title)
    if evaluation.drivers:
        figures["drivers"] = drivers(evaluation, subtitle)
    if any(name.startswith("imbalance_") for name in evaluation.metrics):
        figures["imbalances"] = imbalance_auc(evaluation, subtitle)
    return figures


def _counts(scored: TaskRows) -> str:
    unit = "legs" if scored.sided else "screenings"
    people = len(np.unique(scored.athlete))
    events = int(scored.outcome.sum())
    return f"{people:,} athletes, {len(scored.outcome):,} {unit}, {events:,} with pain"


def _models(evaluation: Evaluation) -> Iterator[tuple[str, TaskRows]]:
    """The model and what it is compared with, by name."""
    yield "model", evaluation.task_rows
    for name in ("logistic", "oracle"):
        other = evaluation.comparators.get(name)
        if other is not None and 0 < other.outcome.sum() < len(other.outcome):
            yield name, other


def calibration_plot(evaluation: Evaluation, subtitle: str) -> Figure:
    """Observed share against predicted risk with 95 % intervals; below, how risks are spread."""
    figure = titled_figure("Do predicted risks come true?", subtitle, (6.2, 6.6))
    grid = figure.add_gridspec(2, 1, height_ratios=(4, 1))
    axes, below = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    label_axes(axes, "", "Observed share with pain, 95 % interval")
    for name, scored in _models(evaluation):
        if name != "oracle":
            _draw_calibration(axes, evaluation, name, scored)
    upper = highest_shown(float(evaluation.task_rows.outcome.mean()))
    axes.plot([0, upper], [0, upper], color=FAINT, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "ideal", (upper * 0.97, upper * 0.90), color=FAINT, fontsize=8, rotation=45,
        ha="right", va="top", rotation_mode="anchor", transform_rotates_text=True,
    )  # fmt: skip
    axes.set(xlim=(0, upper), ylim=(0, upper))
    percent(axes)
    legend(axes, "upper left")
    label_axes(below, "Predicted risk", "Rows")
    edges = np.linspace(0, upper, 41)
    # Risks beyond the last tick are in the last bar.
    counts, _ = np.histogram(np.minimum(evaluation.task_rows.probability, upper), edges)
    below.stairs(counts, edges, fill=True, color=MODEL, alpha=0.75)
    below.set(xlim=(0, upper))
    percent(below, "x")
    return figure


def _draw_calibration(axes: Axes, evaluation: Evaluation, name: str, scored: TaskRows) -> None:
    """One model's bins and curve."""
    label, colour, line = STYLES[name]
    binned = bins(scored)
    model = name == "model"
    slope, prefix = metric_named("calibration_slope"), "" if model else f"{name}_"
    value = evaluation.metrics.get(f"{prefix}{slope.name}")
    label_text = label if value is None else f"{label}, {slope.column} {value:.{slope.digits}f}"
    errors = np.vstack([binned.observed - binned.low, binned.high - binned.observed])
    axes.errorbar(
        binned.predicted, binned.observed, yerr=errors if model else None,
        fmt="o" if model else "s", color=colour, capsize=3, markersize=5 if model else 4,
        label=label_text, zorder=3 if model else 2,
    )  # fmt: skip
    curve = smooth(scored)
    if curve is not None:
        order = np.argsort(scored.probability)
        shown = order[int(0.005 * len(order)) : int(np.ceil(0.995 * len(order)))]
        axes.plot(
            scored.probability[shown], curve[shown], color=colour, linewidth=1.4, linestyle=line
        )


def roc_plot(evaluation: Evaluation, subtitle: str) -> Figure:
    """Sensitivity against one minus specificity, of the model, the baseline and the oracle."""
    figure = titled_figure("How well does it separate those with and without pain?", subtitle)
    axes = label_axes(figure.add_subplot(), "Flagged among those without pain",
                 "Flagged among those with pain")  # fmt: skip
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    for name, scored in reversed(list(_models(evaluation))):
        label, colour, line = STYLES[name]
        prefix = "" if name == "model" else f"{name}_"
        wrong, right, _ = roc_curve(scored.outcome, scored.probability)
        auc = metric_named("auc")
        label_text = f"{label}, {auc.label} {auc.text(evaluation.metrics, prefix)}"
        axes.plot(wrong, right, color=colour, linewidth=1.7, linestyle=line, label=label_text)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    percent(axes)
    legend(axes)
    return figure


def decision_plot(evaluation: Evaluation, subtitle: str) -> Figure:
    """Net benefit by the risk at which one acts, against acting on everyone and on nobody."""
    figure = titled_figure(
        "Is acting on the risk better than treating everyone or nobody?", subtitle
    )
    axes = label_axes(figure.add_subplot(), "Risk at which one acts",
                 "Net benefit, true positives in 100 rows")  # fmt: skip
    share = float(evaluation.task_rows.outcome.mean())
    curve = evaluation.decision_curve
    shown = curve.threshold <= highest_shown(share)
    x = curve.threshold[shown]
    axes.axhline(0.0, color=INK, linewidth=1, label="act on nobody")
    axes.plot(x, 100 * curve.everyone[shown], color=FAINT, linewidth=1.4, linestyle=":",
              label="act on everyone")  # fmt: skip
    for name, scored in reversed(list(_models(evaluation))):
        label, colour, line = STYLES[name]
        model_curve = decision_curve(scored, x)
        axes.plot(
            x, 100 * model_curve.model, color=colour, linestyle=line, linewidth=1.7, label=label
        )
    top = 100 * share
    axes.set(xlim=(0, float(x.max())), ylim=(-0.12 * top, 1.05 * top))
    percent(axes, "x")
    legend(axes, "upper right")
    return figure


def risk_distribution(scored: TaskRows, subtitle: str) -> Figure:
    """How risks are spread among those who came to have pain and those who did not."""
    figure = titled_figure("What risks were predicted for those with and without pain?", subtitle)
    axes = label_axes(figure.add_subplot(), "Predicted risk", "Share of the group")
    top = highest_shown(float(scored.outcome.mean()))
    events = int(min(scored.outcome.sum(), (1.0 - scored.outcome).sum()))
    edges = np.linspace(0.0, top, 1 + int(np.clip(events**0.5, 5, 25)))
    groups = (
        ("without pain", scored.outcome == 0.0, MODEL, "-"),
        ("with pain", scored.outcome == 1.0, WITH_PAIN, "--"),
    )
    for label, rows, colour, line in groups:
        if not rows.any():
            continue
        # Risks beyond the last tick are in the last bin.
        counts, _ = np.histogram(np.minimum(scored.probability[rows], top), edges)
        axes.stairs(
            counts / rows.sum(), edges, color=colour, linewidth=1.8, linestyle=line,
            label=f"{label} (n = {rows.sum():,})",
        )  # fmt: skip
    axes.axvline(float(scored.outcome.mean()), color=FAINT, linestyle=":", linewidth=1,
                 label="observed share, all")  # fmt: skip
    axes.set(xlim=(0, edges[-1]))
    axes.set_ylim(bottom=0)
    percent(axes)
    legend(axes, "upper right")
    return figure
