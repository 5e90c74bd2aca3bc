"""Risks of refitted models against the model's own (Riley & Collins 2023, PMC10952221)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from kneerisk.evaluation.instability import Instability
from kneerisk.schema import FloatArray
from kneerisk.training.plots.plot_style import (
    FAINT,
    INK,
    MODEL,
    WITH_PAIN,
    highest_shown,
    label_axes,
    legend,
    percent,
    titled_figure,
)

#: Most dots; of more a part is drawn, the same each time.
MOST_DOTS = 20_000
#: A curve is a running mean over this share of the rows: smooth, and still a curve.
WINDOW = 0.1


def instability_plot(instability: Instability, title: str) -> Figure:
    """Every refitted risk against the model's own, with smoothed 2.5 and 97.5 % curves.

    Parameters
    ----------
    instability
        Of a model that was built again.
    title
        Which model and cohort, for people.

    Returns
    -------
    The figure.
    """
    refits, rows = instability.refitted.shape
    subtitle = f"{title}\nbuilt again in {refits} bootstrap samples, {rows:,} rows trained on"
    figure = titled_figure("Would the model say the same, built again?", subtitle)
    axes = label_axes(figure.add_subplot(), "The model's risk", "Risk by a model built again")
    top = highest_shown(float(instability.predicted.mean()))
    x, y = np.tile(instability.predicted, refits), instability.refitted.reshape(-1)
    if len(x) > MOST_DOTS:
        drawn = np.random.default_rng(0).choice(len(x), MOST_DOTS, replace=False)
        x, y = x[drawn], y[drawn]
    axes.plot(x, y, ".", color=MODEL, alpha=0.15, markersize=2, markeredgewidth=0, rasterized=True)
    axes.plot([0, top], [0, top], color=INK, linewidth=0.9, label="the same risk")
    order = np.argsort(instability.predicted)
    for curve, label in zip(instability.band, ("95 % of refits", None), strict=True):
        axes.plot(instability.predicted[order], _smooth(curve[order]), color=WITH_PAIN,
                  linewidth=1.6, label=label)  # fmt: skip
    mean = f"mean change of a risk (MAPE) {100 * instability.mape.mean():.1f} points of 100"
    axes.annotate(mean, (0.97, 0.03), xycoords="axes fraction", ha="right", fontsize=9, color=FAINT)
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    percent(axes)
    legend(axes, "upper left")
    return figure


def _smooth(values: FloatArray) -> FloatArray:
    """The running mean of n values in order, over fewer of them towards the ends."""
    half = max(1, int(WINDOW * len(values) / 2.0))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    reach = np.minimum(half, np.minimum(place, len(values) - 1 - place))
    return np.asarray((sums[place + reach + 1] - sums[place - reach]) / (2 * reach + 1))
