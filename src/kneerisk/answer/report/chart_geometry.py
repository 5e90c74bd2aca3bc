"""Where the elements of a chart lie, in per cent of its width; the templates draw them."""

from __future__ import annotations

from dataclasses import dataclass

from kneerisk.answer.answer_schema import Risk
from kneerisk.answer.report.leg_findings import EvidenceRow

#: Right end of every risk axis, in 100: the same for everybody, so that bars compare across
#: athletes and weeks (assumption: nearly all risks of the default model lie below it).
AXIS_END = 40
AXIS_STEPS = (0, 10, 20, 30, 40)
#: Ends of the axis of a measured value, in SDs from what is typical.
SCALE_END = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskBar:
    """A risk with its interval and the base rate, in per cent of the axis."""

    point: float
    low: float
    high: float
    base: float | None
    raised: bool
    beyond: bool
    """Part of it lies right of the axis, and is drawn at its end."""

    @property
    def width(self) -> float:
        """Of the interval; never nothing."""
        return round(max(self.high - self.low, 0.5), 2)


def risk_bar(risk: Risk, base_rate: float | None) -> RiskBar:
    """The bar of a risk, with a mark at the base rate where there is one."""
    low, high = risk.interval
    return RiskBar(
        point=_on_axis(risk.probability),
        low=_on_axis(low),
        high=_on_axis(high),
        base=_on_axis(base_rate) if base_rate else None,
        raised=risk.band in {"above", "well_above"},
        beyond=100 * max(high, risk.probability) > AXIS_END,
    )


def _on_axis(probability: float) -> float:
    return round(100 * min(max(100 * probability / AXIS_END, 0.0), 1.0), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverBar:
    """A driver's bar: where it starts, how long it is, and where zero is, in per cent."""

    zero: float
    start: float
    width: float
    raises: bool


def driver_bar(points: float, lowest: float, highest: float) -> DriverBar:
    """The bar of a driver.

    Parameters
    ----------
    points
        What the driver adds to the risk, in points of 100.
    lowest
        Left end of the axis, in points; at most 0.
    highest
        Right end of the axis, in points.

    Returns
    -------
    Places in per cent of the axis.
    """
    span = highest - lowest
    zero = 100 * -lowest / span
    width = 100 * abs(points) / span
    start = zero if points >= 0 else zero - width
    return DriverBar(
        zero=round(zero, 2), start=round(start, 2), width=round(width, 2), raises=points > 0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueBar:
    """A measured value among typical ones, with the error of a reading, in per cent."""

    point: float
    low: float
    high: float
    typical_low: float
    typical_width: float


def value_bar(row: EvidenceRow) -> ValueBar:
    """Where a value lies, in SDs from what is typical; clamped at the ends."""
    return ValueBar(
        point=_on_scale(row.z),
        low=_on_scale(row.z - row.error),
        high=_on_scale(row.z + row.error),
        typical_low=_on_scale(-1.0),
        typical_width=round(_on_scale(1.0) - _on_scale(-1.0), 2),
    )


def _on_scale(z: float) -> float:
    clamped = min(max(z, -SCALE_END), SCALE_END)
    return round(100 * (clamped + SCALE_END) / (2 * SCALE_END), 2)
