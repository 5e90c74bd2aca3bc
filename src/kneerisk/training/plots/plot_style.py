"""The style of plots: one frame, colours for colour-blind readers, whole per cents."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

#: Risks are figure to so many times the share of outcomes, up to the next of these ends: few are
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

    It depends on the cohort and not on the model, so that two runs have the same axes.
    """
    least = TIMES_THE_SHARE * share
    return next((end for end in _ENDS if end >= least), 1.0)


def titled_figure(headline: str, subtitle: str, size: tuple[float, float] = SIZE_INCHES) -> Figure:
    """An empty figure with a headline and a subtitle.

    Parameters
    ----------
    headline
        The question that the plot answers.
    subtitle
        Which model, and whom the plot is about; at most two lines.
    size
        Width and height in inches.

    Returns
    -------
    The figure, without axes.
    """
    figure = Figure(figsize=size, dpi=130)
    height = size[1]
    figure.set_layout_engine("constrained", rect=(0.0, 0.0, 1.0, 1.0 - _HEADER_INCHES / height))
    figure.text(
        0.02, 1.0 - 0.12 / height, headline, fontsize=11.5, color=INK, weight="bold", va="top"
    )
    figure.text(0.02, 1.0 - 0.38 / height, subtitle, fontsize=8.5, color=INK, va="top")
    return figure


def images(figures: Mapping[str, Figure]) -> dict[str, bytes]:
    """Figures as PNG images, by the same names."""
    return {name: _png(figure) for name, figure in figures.items()}


def _png(figure: Figure) -> bytes:
    # Labels can change their size once the axes have theirs: the layout is right the second time.
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
    image = BytesIO()
    FigureCanvasAgg(figure).print_png(image)  # type: ignore[no-untyped-call]
    return image.getvalue()


def label_axes(axes: Axes, x: str, y: str) -> Axes:
    """Label the axes, with a light grid and no box.

    Parameters
    ----------
    axes
        The axes.
    x
        The label of the x axis.
    y
        The label of the y axis.

    Returns
    -------
    The same axes.
    """
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def percent(axes: Axes, which: Literal["both", "x", "y"] = "both") -> None:
    """Ticks in whole per cents: a tick at 2.5 % would read 2 %."""
    by_name: dict[str, Axis] = {"x": axes.xaxis, "y": axes.yaxis}
    for name, axis in by_name.items():
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
