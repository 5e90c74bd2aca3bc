"""The legs from the front: which muscles a pattern points to, and the ring of each knee.

The outlines stand in ``leg_drawing.toml``, once for the report's template and for the page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from kneerisk.answer.answer_schema import SHOWN, Answer
from kneerisk.answer.report.leg_findings import named_patterns, phrase
from kneerisk.answer.report.wording import hurts
from kneerisk.schema import Side
from kneerisk.words import listed, text, variant

Paint = Literal["clear", "possible", "open", "plain"]
Ring = Literal["calm", "raised", "high", "hurts", "none"]

_ORDER: dict[Paint, int] = {"clear": 3, "possible": 2, "open": 1, "plain": 0}
_PAINT_OF_STATUS: dict[str, Paint] = {
    "clear": "clear", "possible": "possible", "cannot_tell": "open", "not_supported": "plain",
}  # fmt: skip


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
        leg = variant("common.leg_title", side)
        sentences.append(text("report.drawing.leg", leg=leg, muscles=muscles))
    return " ".join(sentences)
