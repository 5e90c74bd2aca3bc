"""Where the parts of a chart lie, in per cent of its width; the templates draw them."""

from __future__ import annotations

from dataclasses import dataclass

from kneerisk.answer.answer_schema import Risk
from kneerisk.answer.report.leg_findings import Evidence

#: Right end of every risk axis, in 100: the same for everybody, so that bars compare across
#: athletes and weeks (assumption: nearly all risks of the default model lie below it).
AXIS_END = 40
AXIS_STEPS = (0, 10, 20, 30, 40)
#: Ends of the axis of a measured value, in SDs from what is typical.
STRIP_END = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
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


def bar(risk: Risk, base: float | None) -> Bar:
    """The bar of a risk."""
    low, high = risk.interval
    return Bar(
        point=_on_axis(risk.probability),
        low=_on_axis(low),
        high=_on_axis(high),
        base=_on_axis(base) if base else None,
        raised=risk.band in {"above", "well_above"},
        beyond=100 * max(high, risk.probability) > AXIS_END,
    )


def _on_axis(probability: float) -> float:
    return round(100 * min(max(100 * probability / AXIS_END, 0.0), 1.0), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A driver's bar: from where and how long, and where zero is, in per cent."""

    zero: float
    start: float
    width: float
    raises: bool


def push(points: float, lowest: float, highest: float) -> Push:
    """The bar of some risk points on an axis from ``lowest`` (at most 0) to ``highest``."""
    span = highest - lowest
    zero = 100 * -lowest / span
    width = 100 * abs(points) / span
    start = zero if points >= 0 else zero - width
    return Push(zero=round(zero, 2), start=round(start, 2), width=round(width, 2),
                raises=points > 0)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A measured value among typical ones, with the error of a reading, in per cent."""

    point: float
    low: float
    high: float
    typical_low: float
    typical_width: float


def strip(evidence: Evidence) -> Strip:
    """Where a value lies, in SDs from what is typical; clamped at the ends."""
    return Strip(
        point=_on_strip(evidence.z),
        low=_on_strip(evidence.z - evidence.error),
        high=_on_strip(evidence.z + evidence.error),
        typical_low=_on_strip(-1.0),
        typical_width=round(_on_strip(1.0) - _on_strip(-1.0), 2),
    )


def _on_strip(z: float) -> float:
    clamped = min(max(z, -STRIP_END), STRIP_END)
    return round(100 * (clamped + STRIP_END) / (2 * STRIP_END), 2)
