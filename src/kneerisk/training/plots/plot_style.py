"""How pictures look: one frame, colours that colour-blind readers tell apart, whole per cents."""

from __future__ import annotations

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

#: Risks are drawn to so many times the share of outcomes, up to the next of these ends: few are
#: higher in this field.
TIMES_THE_SHARE = 3.5
_ENDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
# Okabe & Ito 2008, "Color universal design": told apart by colour-blind readers too.
MODEL, LOGISTIC, ORACLE, WITH_PAIN = "#0072B2", "#E69F00", "#009E73", "#D55E00"
XGBOOST = "#CC79A7"
INK, FAINT, GRID = "#333333", "#8a8a8a", "#eeeeee"
SIZE_INCHES = (6.2, 5.4)
#: Room for a headline and two lines about whom it shows.
_HEADER_INCHES = 0.78
#: Of each model in every picture: its label, colour and line.
STYLES = {
    "model": ("model", MODEL, "-"),
    "logistic": ("logistic baseline", LOGISTIC, "--"),
    "oracle": ("best possible (oracle)", ORACLE, "-."),
}


def highest_shown(share: float) -> float:
    """Where an axis of risks ends in a cohort with such a share of outcomes.

    It hangs on the cohort and not on the model, so that two runs have the same axes.
    """
    wanted = TIMES_THE_SHARE * share
    return next((end for end in _ENDS if end >= wanted), 1.0)


def figure(headline: str, about: str, size: tuple[float, float] = SIZE_INCHES) -> Figure:
    """An empty figure: what is seen as its title, whom it is about below."""
    made = Figure(figsize=size, dpi=130)
    height = size[1]
    made.set_layout_engine("constrained", rect=(0.0, 0.0, 1.0, 1.0 - _HEADER_INCHES / height))
    made.text(
        0.02, 1.0 - 0.12 / height, headline, fontsize=11.5, color=INK, weight="bold", va="top"
    )
    made.text(0.02, 1.0 - 0.38 / height, about, fontsize=8.5, color=INK, va="top")
    return made


def dress(axes: Axes, x: str, y: str) -> Axes:
    """Labels, a light grid and no box."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def percent(axes: Axes, which: Literal["both", "x", "y"] = "both") -> None:
    """Ticks in whole per cents: a tick at 2.5 % would read 2 %."""
    chosen: dict[str, Axis] = {"x": axes.xaxis, "y": axes.yaxis}
    for name, axis in chosen.items():
        if which in ("both", name):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            axis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))


def legend(
    axes: Axes, place: Literal["lower right", "upper right", "upper left"] = "lower right"
) -> None:
    """A legend without a frame, where there is something to name."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, labels, frameon=False, loc=place, fontsize=8.5)
