"""Forest plots: the estimate of every club, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kneerisk.evaluation.external.pooled_validation import PooledMetric
from kneerisk.evaluation.pooling import TO_SCALE, Scale
from kneerisk.training.validation.page_charts import Axis, Tick, round_steps, svg_points

#: Where the axis begins and ends, and the height of a row, in units of the drawing.
LEFT, RIGHT, ROW = 190.0, 520.0, 19.0
_LARGEST_SQUARE, _SMALLEST_SQUARE = 11.0, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """A club in a forest plot: its square, its interval, and what is written beside it."""

    label: str
    text: str
    y: float
    x: float
    low: float
    high: float
    side: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """A forest plot, clubs above and what they say together below."""

    rows: tuple[ForestRow, ...]
    ticks: tuple[Tick, ...]
    reference: float
    mean: float
    diamond: str
    prediction: tuple[float, float] | None
    diamond_y: float
    prediction_y: float
    height: float


def forest(
    estimates: Sequence[tuple[str, str, float, float, float]],
    pooled: PooledMetric,
    scale: Scale,
    reference: float,
) -> Forest:
    """The forest plot of a metric.

    Parameters
    ----------
    estimates
        Of each club: its label, its numbers as text, the estimate and the ends of its interval.
    pooled
        What they say together.
    scale
        On which they were pooled; the axis of a ratio is logarithmic.
    reference
        A value of interest, where a line is drawn.

    Returns
    -------
    The plot.
    """
    onto = TO_SCALE["log"] if scale == "log" else TO_SCALE["identity"]
    low, high = _ends(estimates, pooled, reference)
    axis = Axis(onto(low), onto(high), LEFT, RIGHT)
    widths = np.array([onto(high_end) - onto(low_end) for *_, low_end, high_end in estimates])
    sides = np.clip(_LARGEST_SQUARE * widths.min() / widths, _SMALLEST_SQUARE, _LARGEST_SQUARE)
    rows = tuple(
        ForestRow(
            label=label, text=numbers, y=round(ROW * (place + 0.5), 2),
            x=axis.at(onto(value)), low=axis.at(onto(low_end)), high=axis.at(onto(high_end)),
            side=round(float(sides[place]), 2),
        )
        for place, (label, numbers, value, low_end, high_end) in enumerate(estimates)
    )  # fmt: skip
    bottom = ROW * (len(rows) + 0.9)
    left, middle, right = (axis.at(onto(value)) for value in (pooled.low, pooled.mean, pooled.high))
    corners = [(left, bottom), (middle, bottom - 6), (right, bottom), (middle, bottom + 6)]
    prediction = None
    if pooled.prediction_low is not None and pooled.prediction_high is not None:
        limits = (pooled.prediction_low, pooled.prediction_high)
        prediction = (axis.at(onto(limits[0])), axis.at(onto(limits[1])))
    places = _ratio_steps(low, high) if scale == "log" else round_steps(axis, 6)
    return Forest(
        rows=rows, ticks=tuple(Tick(axis.at(onto(place)), f"{place:g}") for place in places),
        reference=axis.at(onto(reference)), mean=middle, diamond=svg_points(corners),
        prediction=prediction, diamond_y=bottom, prediction_y=bottom + ROW,
        height=bottom + 2.0 * ROW,
    )  # fmt: skip


def _ends(
    estimates: Sequence[tuple[str, str, float, float, float]],
    pooled: PooledMetric,
    reference: float,
) -> tuple[float, float]:
    """Where the axis ends: every estimate is on it, and what they say together."""
    inside = [
        reference,
        pooled.low,
        pooled.high,
        *(value for _, _, value, _, _ in estimates),
        *(end for end in (pooled.prediction_low, pooled.prediction_high) if end is not None),
    ]
    # An interval that is far wider than the others must not squeeze them all.
    low = min(*inside, float(np.quantile([low_end for *_, low_end, _ in estimates], 0.1)))
    high = max(*inside, float(np.quantile([high_end for *_, high_end in estimates], 0.9)))
    return low, high


def _ratio_steps(low: float, high: float) -> list[float]:
    """Ratios to write on a logarithmic axis."""
    return [value for value in (0.1, 0.2, 0.33, 0.5, 0.67, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
            if low <= value <= high]  # fmt: skip
