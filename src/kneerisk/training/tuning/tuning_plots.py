"""Plots of a study: how the search went, and which settings mattered."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from kneerisk.training.plots.plot_style import INK, LOGISTIC, MODEL, label_axes, titled_figure
from kneerisk.training.tuning.study import Study

#: Losses far above the defaults' are cut off: how bad the worst trials were is of no interest.
_SHOWN_QUANTILE = 0.85


def study_plots(study: Study, title: str) -> dict[str, Figure]:
    """Every plot that can be drawn, by file name."""
    figures = {}
    if study.best is not None:
        figures["optimisation_history"] = history(study, title)
    shares = study.importances()
    if shares:
        figures["parameter_importance"] = importance(study, shares, title)
    return figures


def history(study: Study, title: str) -> Figure:
    """Loss of each trial, the best so far, and the defaults."""
    losses = study.losses()
    complete = {trial.number for trial in study.trials() if trial.state == TrialState.COMPLETE}
    number, loss = np.array(list(losses)), np.array(list(losses.values()))
    is_complete = np.isin(number, list(complete))
    early = f"{(~is_complete).sum()} ended early; the best of many flatters itself"
    counted = f"{is_complete.sum()} trials judged on every fold, {early}"
    figure = titled_figure("How did the search go?", f"{title}\n{counted}")
    axes = label_axes(figure.add_subplot(), "Trial", "Cross-validated log loss (lower is better)")
    defaults = study.default_trial
    low, top = float(loss.min()), float(np.quantile(loss, _SHOWN_QUANTILE))
    if defaults is not None and defaults.value is not None:
        top = max(top, defaults.value)
        axes.axhline(defaults.value, color=LOGISTIC, linestyle="--", linewidth=1.4,
                     label=f"default settings, {defaults.value:.5f}")  # fmt: skip
    margin = max(0.12 * (top - low), 1e-5)
    bottom, top = low - margin, top + margin
    so_far = np.minimum.accumulate(np.where(is_complete, loss, np.inf))
    axes.step(number, so_far, where="post", color=MODEL, linewidth=1.6,
              label=f"best so far, {low:.5f}")  # fmt: skip
    for rows, label, fill in (
        (is_complete, "judged", MODEL),
        (~is_complete, "ended early", "white"),
    ):
        shown, beyond = rows & (loss <= top), rows & (loss > top)
        axes.plot(number[shown], loss[shown], "o", color=MODEL, markerfacecolor=fill,
                  markersize=5, label=label if shown.any() else None)  # fmt: skip
        axes.plot(number[beyond], np.full(beyond.sum(), top), "^", color=MODEL,
                  markerfacecolor=fill, markersize=6, clip_on=False)  # fmt: skip
    if (loss > top).any():
        axes.plot([], [], "^", color=MODEL, markerfacecolor="white", label="off the scale")
    last = int(number.max())
    axes.set(xlim=(-0.5, last + 0.5), ylim=(bottom, top))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    # Trials lie anywhere in the frame: the legend stands below it.
    axes.legend(loc="upper center", bbox_to_anchor=(0.46, -0.13), ncols=3, frameon=False,
                fontsize=8.5)  # fmt: skip
    return figure


def importance(study: Study, shares: dict[str, float], title: str) -> Figure:
    """Share of the spread of losses that each setting explains.

    Parameters
    ----------
    study
        The study.
    shares
        Of each setting, from `Study.importances`.
    title
        Which cohort, for people.

    Returns
    -------
    The figure.
    """
    counted = f"fANOVA over {len(study.losses())} trials: a rough guide, chance may put one first"
    figure = titled_figure(
        "Which settings mattered?", f"{title}\n{counted}", (6.2, 1.9 + 0.38 * len(shares))
    )
    axes = label_axes(figure.add_subplot(), "Share of the spread of losses between trials", "")
    axes.grid(visible=False, axis="y")
    names = sorted(shares, key=lambda name: shares[name])
    values = [shares[name] for name in names]
    axes.barh(range(len(names)), values, color=MODEL, height=0.62)
    for place, value in enumerate(values):
        axes.annotate(f"{100 * value:.0f} %", (value, place), xytext=(4, 0), color=INK,
                      textcoords="offset points", va="center", fontsize=8.5)  # fmt: skip
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1.15 * max(values))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return figure
