"""Pictures of a study: how the search went, and which settings mattered."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from kneerisk.training.drawing import FAINT, INK, LOGISTIC, MODEL, dress, figure, legend
from kneerisk.training.tuning.study import Study

#: Losses far above the defaults' are cut off: how bad the worst trials were is of no interest.
_SHOWN_QUANTILE = 0.85


def pictures(study: Study, title: str) -> dict[str, Figure]:
    """Every picture that can be drawn, by file name."""
    drawn = {}
    if study.best is not None:
        drawn["optimisation_history"] = history(study, title)
    shares = study.importances()
    if shares:
        drawn["parameter_importance"] = importance(study, shares, title)
    return drawn


def history(study: Study, title: str) -> Figure:
    """Loss of each trial, the best so far, and the defaults."""
    trials = study.trials()
    judged = [one for one in trials if one.state == TrialState.COMPLETE]
    pruned = [one for one in trials if one.state == TrialState.PRUNED]
    number = np.array([one.number for one in judged])
    loss = np.array([one.value for one in judged], dtype=np.float64)
    counted = f"{len(judged)} trials judged, {len(pruned)} ended early as worse than the best"
    drawn = figure("Did the search find better settings?", f"{title}\n{counted}")
    axes = dress(drawn.add_subplot(), "Trial", "Cross-validated log loss (lower is better)")
    defaults = study.of_defaults
    top = float(np.quantile(loss, _SHOWN_QUANTILE))
    if defaults is not None and defaults.value is not None:
        top = max(top, defaults.value)
        axes.axhline(defaults.value, color=LOGISTIC, linestyle="--", linewidth=1.4,
                     label=f"default settings, {defaults.value:.5f}")  # fmt: skip
    low = float(loss.min())
    room = max(0.12 * (top - low), 1e-5)
    top, bottom = top + room, low - room
    last = max(one.number for one in judged + pruned)
    axes.step(np.r_[number, last], np.r_[np.minimum.accumulate(loss), low], where="post",
              color=MODEL, linewidth=1.6, label=f"best so far, {low:.5f}")  # fmt: skip
    above = loss > top
    axes.plot(number[~above], loss[~above], "o", color=MODEL, alpha=0.55, markersize=5,
              label="a trial")  # fmt: skip
    if above.any():
        axes.plot(number[above], np.full(above.sum(), top), "^", color=MODEL, alpha=0.55,
                  markersize=6, clip_on=False, label="a trial, off the scale")  # fmt: skip
    if pruned:
        axes.plot([one.number for one in pruned], np.full(len(pruned), bottom), "x", color=FAINT,
                  markersize=5, clip_on=False, label="ended early")  # fmt: skip
    axes.set(xlim=(-0.5, last + 0.5), ylim=(bottom, top))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    legend(axes, "upper right")
    return drawn


def importance(study: Study, shares: dict[str, float], title: str) -> Figure:
    """Share of the spread of losses that each setting explains."""
    judged = sum(one.state == TrialState.COMPLETE for one in study.trials())
    about = f"{title}\nfANOVA over {judged} trials: a rough guide, more so with few trials"
    drawn = figure("Which settings mattered?", about, (6.2, 1.9 + 0.38 * len(shares)))
    axes = dress(drawn.add_subplot(), "Share of the spread of losses between trials", "")
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
    return drawn
