"""Pictures of an evaluation, drawn without a screen and without global state."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.metrics import roc_curve

from kneerisk.schema import FloatArray
from kneerisk.training.evaluation import Evaluation, Scored

# Okabe & Ito 2008, "Color universal design": told apart by colour-blind readers too.
_MODEL, _BASELINE, _WITH_PAIN = "#0072B2", "#E69F00", "#D55E00"
_INK, _FAINT = "#333333", "#999999"
_SIZE_INCHES = (5.6, 4.8)
#: Fewer rows than this in a bin would show chance, not calibration.
_ROWS_A_BIN = 30
_BINS = 10
_Z95 = 1.96


def plots(evaluation: Evaluation, title: str) -> dict[str, Figure]:
    """Calibration, ROC and risk distribution, by file name; those that can be drawn."""
    scored = evaluation.scored
    if len(scored.outcome) == 0:
        return {}
    drawn = {"risk_distribution": risk_distribution(scored, title)}
    if 0 < scored.outcome.sum() < len(scored.outcome):
        drawn["calibration"] = calibration(evaluation, title)
        drawn["roc"] = roc(evaluation, title)
    return drawn


def calibration(evaluation: Evaluation, title: str) -> Figure:
    """Observed share against predicted risk, in bins of as many rows each, with 95 % intervals."""
    figure, axes = _figure(title, "Predicted risk", "Observed share with pain")
    scored = evaluation.scored
    predicted, observed, low, high = binned(scored)
    errors = np.vstack([observed - low, high - observed])
    axes.errorbar(
        predicted, observed, yerr=errors, fmt="o-", color=_MODEL, capsize=3, label="model"
    )
    if evaluation.baseline is not None:
        other_predicted, other_observed, _, _ = binned(evaluation.baseline)
        axes.plot(
            other_predicted, other_observed, "s--", color=_BASELINE, markersize=5, zorder=1.5,
            label="logistic baseline",
        )  # fmt: skip
    upper = min(1.0, 1.08 * float(max(high.max(), predicted.max())))
    axes.plot([0, upper], [0, upper], color=_FAINT, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "as predicted", (upper * 0.985, upper * 0.965), color=_FAINT, fontsize=8, rotation=45,
        ha="right", va="top", rotation_mode="anchor", transform_rotates_text=True,
    )  # fmt: skip
    axes.set(xlim=(0, upper), ylim=(0, upper), aspect="equal")
    _percent(axes)
    _note(axes, evaluation, "slope", ("calibration_slope", "logistic_calibration_slope"))
    return figure


def roc(evaluation: Evaluation, title: str) -> Figure:
    """Sensitivity against one minus specificity, of the model and the logistic baseline."""
    figure, axes = _figure(title, "False positives among those without pain", "True positives")
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle=":")
    if evaluation.baseline is not None:
        _curve(axes, evaluation.baseline, _BASELINE, "--", "logistic baseline")
    _curve(axes, evaluation.scored, _MODEL, "-", "model")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    _percent(axes)
    _note(axes, evaluation, "AUC", ("auc", "logistic_auc"))
    return figure


def risk_distribution(scored: Scored, title: str) -> Figure:
    """How risks are spread among those who came to have pain and those who did not."""
    figure, axes = _figure(title, "Predicted risk", "Share of the group")
    top = float(np.quantile(scored.probability, 0.998))
    events = int(min(scored.outcome.sum(), (1.0 - scored.outcome).sum()))
    edges = np.linspace(0.0, max(top, 0.01), 1 + int(np.clip(events**0.5, 5, 25)))
    groups = (
        ("without pain", scored.outcome == 0.0, _MODEL, "-"),
        ("with pain", scored.outcome == 1.0, _WITH_PAIN, "--"),
    )
    for label, rows, colour, line in groups:
        if not rows.any():
            continue
        counts, _ = np.histogram(scored.probability[rows], edges)
        axes.stairs(
            counts / rows.sum(), edges, color=colour, linewidth=1.8, linestyle=line,
            label=f"{label} (n = {rows.sum():,})",
        )  # fmt: skip
    axes.axvline(float(scored.outcome.mean()), color=_FAINT, linestyle=":", linewidth=1)
    axes.annotate(
        "observed share", (float(scored.outcome.mean()), 0.985), xytext=(4, 0), fontsize=8,
        textcoords="offset points", xycoords=("data", "axes fraction"), color=_INK, va="top",
    )  # fmt: skip
    axes.set(xlim=(0, edges[-1]))
    axes.set_ylim(bottom=0)
    _percent(axes)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=9)
    return figure


def binned(scored: Scored) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Mean risk, observed share and its 95 % limits (Wilson 1927), in equally full bins."""
    n_bins = max(2, min(_BINS, len(scored.outcome) // _ROWS_A_BIN))
    order = np.argsort(scored.probability, kind="stable")
    parts = [part for part in np.array_split(order, n_bins) if len(part)]
    predicted = np.array([scored.probability[part].mean() for part in parts])
    share = np.array([scored.outcome[part].mean() for part in parts])
    n = np.array([float(len(part)) for part in parts])
    middle = (share + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 * np.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2)) / (1 + _Z95**2 / n)
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return predicted, share, np.maximum(low, 0.0), np.minimum(high, 1.0)


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE_INCHES, dpi=130, layout="constrained")
    axes = figure.add_subplot()
    figure.suptitle(title, x=0.02, ha="left", fontsize=10, color=_INK)
    axes.set_xlabel(x, color=_INK)
    axes.set_ylabel(y, color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK)
    axes.grid(color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _curve(axes: Axes, scored: Scored, colour: str, line: str, label: str) -> None:
    wrong, right, _ = roc_curve(scored.outcome, scored.probability)
    axes.plot(wrong, right, color=colour, linewidth=1.8, linestyle=line, label=label)


def _percent(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        # Whole per cents only: a tick at 2.5 % would read 2 %.
        axis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))


def _note(axes: Axes, evaluation: Evaluation, word: str, names: tuple[str, str]) -> None:
    """The number that belongs to each line, in its legend entry."""
    handles, labels = axes.get_legend_handles_labels()
    by_label = dict(zip(("model", "logistic baseline"), names, strict=True))
    told = []
    for label in labels:
        value = evaluation.metrics.get(by_label[label])
        told.append(label if value is None else f"{label}, {word} {value:.2f}")
    axes.legend(handles[::-1], told[::-1], frameon=False, loc="lower right", fontsize=9)
