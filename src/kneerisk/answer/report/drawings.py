"""The drawings of a report: where the elements of a chart lie, and the legs from the front.

Places in a chart are in per cent of its width. The outlines of a leg stand in ``leg_drawing.toml``,
once for the report's template and for the page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from kneerisk.answer.answer_schema import SHOWN, Answer, Risk, UncertaintySource
from kneerisk.answer.report.leg_findings import EvidenceRow, named_patterns, phrase
from kneerisk.answer.report.wording import hurts
from kneerisk.answer.summary import withheld
from kneerisk.schema import Side
from kneerisk.words import listed, text, variant

Paint = Literal["clear", "possible", "open", "plain"]
Ring = Literal["calm", "raised", "high", "hurts", "none"]

_ORDER: dict[Paint, int] = {"clear": 3, "possible": 2, "open": 1, "plain": 0}
_PAINT_OF_STATUS: dict[str, Paint] = {
    "clear": "clear", "possible": "possible", "cannot_tell": "open", "not_supported": "plain",
}  # fmt: skip
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
class WidthPart:
    """What one source adds to the width of an interval: its share, and its place in the bar.

    Shares and places are in per cent.
    """

    source: UncertaintySource
    share: int
    start: float
    width: float


def width_parts(risk: Risk) -> tuple[WidthPart, ...]:
    """The bar of an interval's sources, in their order; empty where they are not told apart."""
    parts: list[WidthPart] = []
    start = 0.0
    for source, share in (risk.interval_from or {}).items():
        width = round(100 * share, 2)
        parts.append(
            WidthPart(source=source, share=round(width), start=round(start, 2), width=width)
        )
        start += width
    return tuple(parts)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMark:
    """A number beside a muscle; the list of patterns has the same one."""

    number: int
    x: int
    y: int
    clear: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLeg:
    """One leg: a colour for each muscle, the ring of the knee, and the numbers."""

    side: Side
    paint: dict[str, Paint]
    ring: Ring
    marks: tuple[NumberMark, ...]


@cache
def outlines() -> Mapping[str, Any]:
    """The drawing of one leg: its size, the knee, the muscles of each imbalance, and the shapes."""
    source = files(__package__).joinpath("leg_drawing.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(source))


def pattern_numbers(answer: Answer) -> dict[tuple[Side, str], int]:
    """A number for each pattern that is shown, counted from the right leg's first."""
    patterns = [(side, imb.name) for side in SHOWN for imb in named_patterns(answer, side)]
    return {pattern: number for number, pattern in enumerate(patterns, start=1)}


def drawn_legs(answer: Answer) -> list[DrawnLeg]:
    """Both legs, right first."""
    numbers = pattern_numbers(answer)
    return [_leg(answer, side, numbers) for side in SHOWN]


def _leg(answer: Answer, side: Side, numbers: Mapping[tuple[Side, str], int]) -> DrawnLeg:
    drawing = outlines()["imbalances"]
    paint: dict[str, Paint] = {m: "plain" for drawn in drawing.values() for m in drawn["muscles"]}
    marks = []
    for imbalance in answer.imbalances or ():
        if imbalance.side != side:
            continue
        status = _PAINT_OF_STATUS[imbalance.status]
        for muscle in drawing[imbalance.name]["muscles"]:
            paint[muscle] = max(paint[muscle], status, key=_ORDER.__getitem__)
        number = numbers.get((side, imbalance.name))
        if number:
            x, y = drawing[imbalance.name]["labels"][0]
            marks.append(NumberMark(number=number, x=x, y=y, clear=status == "clear"))
    return DrawnLeg(side=side, paint=paint, ring=_ring(answer, side), marks=tuple(marks))


def _ring(answer: Answer, side: Side) -> Ring:
    risk = getattr(answer.risk, side)
    if risk is None:
        return "hurts" if hurts(answer, side) else "none"
    unsure = any(reason.code == "out_of_population" for reason in answer.risk.reasons)
    if risk.band == "not_assessed" or unsure or withheld(answer):
        return "none"
    if risk.band in {"below", "near"}:
        return "calm"
    return "raised" if risk.band == "above" else "high"


def description(answer: Answer) -> str:
    """The picture in words, for those who don't see it."""
    sentences = []
    for side in SHOWN:
        phrases: dict[str, list[str]] = {"clear": [], "possible": []}
        for imbalance in answer.imbalances or ():
            if imbalance.side == side and imbalance.status in phrases:
                phrases[imbalance.status].append(phrase(imbalance.name))
        marked = []
        if phrases["clear"]:
            marked.append(text("report.drawing.clear", phrases=listed(phrases["clear"])))
        if phrases["possible"]:
            marked.append(text("report.drawing.possible", phrases=listed(phrases["possible"])))
        muscles = "; ".join(marked) or text("report.drawing.none")
        leg = variant("shared.leg_title", side)
        sentences.append(text("report.drawing.leg", leg=leg, muscles=muscles))
    return " ".join(sentences)
