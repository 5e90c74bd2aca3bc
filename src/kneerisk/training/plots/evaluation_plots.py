"""Pictures of an evaluation, drawn without a screen and without global state."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from kneerisk.evaluation.calibration_metrics import bins, smooth
from kneerisk.evaluation.decision_curves import decision_curve
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evaluation.metric_table import metric_named
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.training.plots.detail_plots import drivers, imbalance_auc, oracle_gap, slice_forest
from kneerisk.training.plots.plot_style import (
    FAINT,
    INK,
    MODEL,
    STYLES,
    WITH_PAIN,
    dress,
    figure,
    highest_shown,
    legend,
    percent,
)


def plots(evaluation: Evaluation, title: str) -> dict[str, Figure]:
    """Every picture that can be drawn, by file name."""
    scored = evaluation.task_rows
    if len(scored.outcome) == 0:
        return {}
    about = f"{title}\n{_counts(scored)}"
    drawn = {"risk_distribution": risk_distribution(scored, about)}
    if 0 < scored.outcome.sum() < len(scored.outcome):
        drawn["calibration"] = calibration(evaluation, about)
        drawn["roc"] = roc(evaluation, about)
        drawn["decision_curve"] = decisions(evaluation, about)
    if any(one.is_comparable for one in evaluation.slices):
        drawn["slices"] = slice_forest(evaluation, about)
    if "oracle" in evaluation.comparators:
        drawn["oracle_gap"] = oracle_gap(evaluation, about)
    if evaluation.drivers:
        drawn["drivers"] = drivers(evaluation, about)
    if any(name.startswith("imbalance_") for name in evaluation.metrics):
        drawn["imbalances"] = imbalance_auc(evaluation, about)
    return drawn


def _counts(scored: TaskRows) -> str:
    unit = "legs" if scored.sided else "screenings"
    people = len(np.unique(scored.athlete))
    events = int(scored.outcome.sum())
    return f"{people:,} athletes, {len(scored.outcome):,} {unit}, {events:,} with pain"


def _models(evaluation: Evaluation) -> Iterator[tuple[str, TaskRows]]:
    """The model and what it is drawn beside, by name."""
    yield "model", evaluation.task_rows
    for name in ("logistic", "oracle"):
        other = evaluation.comparators.get(name)
        if other is not None and 0 < other.outcome.sum() < len(other.outcome):
            yield name, other


def calibration(evaluation: Evaluation, about: str) -> Figure:
    """Observed share against predicted risk with 95 % intervals; below, how risks are spread."""
    drawn = figure("Do stated risks come true?", about, (6.2, 6.6))
    grid = drawn.add_gridspec(2, 1, height_ratios=(4, 1))
    axes, below = drawn.add_subplot(grid[0]), drawn.add_subplot(grid[1])
    dress(axes, "", "Observed share with pain, 95 % interval")
    for name, scored in _models(evaluation):
        if name != "oracle":
            _calibration_of(axes, evaluation, name, scored)
    upper = highest_shown(float(evaluation.task_rows.outcome.mean()))
    axes.plot([0, upper], [0, upper], color=FAINT, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "as stated", (upper * 0.97, upper * 0.90), color=FAINT, fontsize=8, rotation=45,
        ha="right", va="top", rotation_mode="anchor", transform_rotates_text=True,
    )  # fmt: skip
    axes.set(xlim=(0, upper), ylim=(0, upper))
    percent(axes)
    legend(axes, "upper left")
    dress(below, "Stated risk", "Rows")
    edges = np.linspace(0, upper, 41)
    # Risks beyond the last tick are in the last bar.
    counts, _ = np.histogram(np.minimum(evaluation.task_rows.probability, upper), edges)
    below.stairs(counts, edges, fill=True, color=MODEL, alpha=0.75)
    below.set(xlim=(0, upper))
    percent(below, "x")
    return drawn


def _calibration_of(axes: Axes, evaluation: Evaluation, name: str, scored: TaskRows) -> None:
    """One model's bins and curve."""
    label, colour, line = STYLES[name]
    found = bins(scored)
    model = name == "model"
    slope, prefix = metric_named("calibration_slope"), "" if model else f"{name}_"
    value = evaluation.metrics.get(f"{prefix}{slope.name}")
    told = label if value is None else f"{label}, {slope.column} {value:.{slope.digits}f}"
    errors = np.vstack([found.observed - found.low, found.high - found.observed])
    axes.errorbar(
        found.predicted, found.observed, yerr=errors if model else None, fmt="o" if model else "s",
        color=colour, capsize=3, markersize=5 if model else 4, label=told, zorder=3 if model else 2,
    )  # fmt: skip
    curve = smooth(scored)
    if curve is not None:
        order = np.argsort(scored.probability)
        shown = order[int(0.005 * len(order)) : int(np.ceil(0.995 * len(order)))]
        axes.plot(
            scored.probability[shown], curve[shown], color=colour, linewidth=1.4, linestyle=line
        )


def roc(evaluation: Evaluation, about: str) -> Figure:
    """Sensitivity against one minus specificity, of the model, the baseline and the oracle."""
    drawn = figure("How well are those with pain told from those without?", about)
    axes = dress(drawn.add_subplot(), "Flagged among those without pain",
                 "Flagged among those with pain")  # fmt: skip
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    for name, scored in reversed(list(_models(evaluation))):
        label, colour, line = STYLES[name]
        prefix = "" if name == "model" else f"{name}_"
        wrong, right, _ = roc_curve(scored.outcome, scored.probability)
        auc = metric_named("auc")
        told = f"{label}, {auc.label} {auc.text(evaluation.metrics, prefix)}"
        axes.plot(wrong, right, color=colour, linewidth=1.7, linestyle=line, label=told)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    percent(axes)
    legend(axes)
    return drawn


def decisions(evaluation: Evaluation, about: str) -> Figure:
    """Net benefit by the risk at which one acts, against acting on everyone and on nobody."""
    drawn = figure("Is acting on the risk better than treating everyone or nobody?", about)
    axes = dress(drawn.add_subplot(), "Risk at which one acts",
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
        of_model = decision_curve(scored, x)
        axes.plot(x, 100 * of_model.model, color=colour, linestyle=line, linewidth=1.7, label=label)
    top = 100 * share
    axes.set(xlim=(0, float(x.max())), ylim=(-0.12 * top, 1.05 * top))
    percent(axes, "x")
    legend(axes, "upper right")
    return drawn


def risk_distribution(scored: TaskRows, about: str) -> Figure:
    """How risks are spread among those who came to have pain and those who did not."""
    drawn = figure("Which risks were those with and without pain told?", about)
    axes = dress(drawn.add_subplot(), "Stated risk", "Share of the group")
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
    return drawn
