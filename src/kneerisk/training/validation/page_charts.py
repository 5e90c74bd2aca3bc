"""The charts of a validation page: where lines, bands and marks lie.

Places are computed here and written into SVG by a template, so that a page needs no script.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kneerisk.evaluation.external.validation_report import ValidationReport

#: Size of a square chart's plot, in units of its drawing.
PLOT = 300.0
#: An axis of risks ends at a multiple of this.
_END_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from one value to another, between two places."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; beyond an end it lies at that end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what is written there."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line or an area: its class in the style sheet, and its points."""

    kind: str
    points: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with a whisker."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A square chart."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    areas: tuple[Line, ...] = ()
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()


def calibration_chart(report: ValidationReport) -> Chart:
    """Observed share by predicted risk: groups, the smooth curve with its band, recalibration."""
    top = max([group.observed_high for group in report.groups]
              + [group.predicted for group in report.groups])  # fmt: skip
    end = _end_of_axis(top)
    x, y = Axis(0.0, end, 0.0, PLOT), Axis(0.0, end, PLOT, 0.0)
    curve = [point for point in report.curve if point.risk <= end]
    upper = [(x.at(point.risk), y.at(point.high)) for point in curve]
    lower = [(x.at(point.risk), y.at(point.low)) for point in reversed(curve)]
    middle = [(x.at(point.risk), y.at(point.observed)) for point in curve]
    return Chart(
        x_ticks=_per_cents(x), y_ticks=_per_cents(y),
        areas=(Line("band", svg_points([*upper, *lower])),) if curve else (),
        lines=(
            Line("ideal", svg_points([(x.at(0.0), y.at(0.0)), (x.at(end), y.at(end))])),
            *([Line("model", svg_points(middle))] if curve else []),
        ),
        marks=tuple(
            Mark(x.at(group.predicted), y.at(group.observed), y.at(group.observed_low),
                 y.at(group.observed_high))
            for group in report.groups
        ),
    )  # fmt: skip


def decision_chart(report: ValidationReport) -> Chart | None:
    """Net benefit by the risk at which one acts; None where no cut is without small cells."""
    points = report.decision
    if len(points) < 2:
        return None
    share = report.metrics["observed_share"]
    end = _end_of_axis(points[-1].threshold)
    x, y = Axis(0.0, end, 0.0, PLOT), Axis(-0.25 * share, 1.05 * share, PLOT, 0.0)
    upper = [(x.at(point.threshold), y.at(point.high)) for point in points]
    lower = [(x.at(point.threshold), y.at(point.low)) for point in reversed(points)]
    # Treating everyone is known at every threshold; the axis cuts the line where it leaves it.
    grid = np.linspace(0.0, end, 101)[:-1]
    all_treated = [(t, share - (1.0 - share) * t / (1.0 - t)) for t in grid]
    after = [
        (x.at(point.recalibrated_threshold), y.at(point.recalibrated))
        for point in points
        if point.recalibrated is not None and point.recalibrated_threshold is not None
    ]
    return Chart(
        x_ticks=_per_cents(x),
        y_ticks=tuple(Tick(y.at(value), f"{100 * value:g}") for value in round_steps(y, 6)),
        areas=(Line("band", svg_points([*upper, *lower])),),
        lines=(
            Line("nobody", svg_points([(x.at(0.0), y.at(0.0)), (x.at(end), y.at(0.0))])),
            Line("everyone", svg_points((x.at(t), y.at(v)) for t, v in all_treated if v > y.low)),
            *([Line("after", svg_points(after))] if after else []),
            Line("model", svg_points((x.at(p.threshold), y.at(p.model)) for p in points)),
        ),
        marks=tuple(
            Mark(x.at(p.threshold), y.at(p.model), y.at(p.model), y.at(p.model)) for p in points
        ),
    )  # fmt: skip


def _end_of_axis(highest: float) -> float:
    return min(float(np.ceil(highest / _END_STEP) * _END_STEP), 1.0)


def svg_points(points: Iterable[tuple[float, float]]) -> str:
    """Points as SVG writes them."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _per_cents(axis: Axis) -> tuple[Tick, ...]:
    return tuple(Tick(axis.at(value), f"{100 * value:g}") for value in round_steps(axis, 6))


def round_steps(axis: Axis, most: int) -> list[float]:
    """Round numbers on an axis, at most so many steps apart."""
    span = axis.high - axis.low
    power = 10.0 ** np.floor(np.log10(span / most))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times * most >= span)
    first, last = np.ceil(axis.low / step - 1e-9), np.floor(axis.high / step + 1e-9)
    return [float(round(step * count, 6)) + 0.0 for count in np.arange(first, last + 1)]
