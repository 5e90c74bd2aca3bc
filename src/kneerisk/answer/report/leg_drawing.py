"""The legs from the front: which muscles a pattern points to, and the ring of each knee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kneerisk.answer.answer_schema import SHOWN, Answer
from kneerisk.answer.report.leg_findings import named_of, phrase
from kneerisk.answer.report.wording import hurts
from kneerisk.evidence import Imbalance
from kneerisk.schema import Side
from kneerisk.words import listed

Paint = Literal["clear", "possible", "open", "plain"]

#: The muscles that an imbalance is about, as the drawing names them.
MUSCLES: dict[Imbalance, tuple[str, ...]] = {
    "hamstring_dominance": ("quads", "hamstrings"),
    "vmo_inhibition": ("vmo",),
    "calf_tightness": ("calf",),
    "adductor_underactivity": ("adductors",),
    "glute_underactivity": ("hip", "band"),
}
#: On each muscle of the right leg, where the line to its number starts.
_SPOTS: dict[Imbalance, tuple[int, int]] = {
    "glute_underactivity": (58, 66),
    "adductor_underactivity": (131, 160),
    "hamstring_dominance": (72, 208),
    "vmo_inhibition": (121, 262),
    "calf_tightness": (73, 396),
}
_ORDER: dict[Paint, int] = {"clear": 3, "possible": 2, "open": 1, "plain": 0}
_STATUS: dict[str, Paint] = {
    "clear": "clear", "possible": "possible", "cannot_tell": "open", "not_supported": "plain",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A number beside a muscle; the list of patterns has the same one."""

    number: int
    x: int
    y: int
    clear: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLeg:
    """One leg: a class for each muscle, the ring of the knee, and the marks."""

    side: Side
    paint: dict[str, Paint]
    ring: Literal["calm", "raised", "high", "hurts", "none"]
    marks: tuple[Mark, ...]


def numbers(answer: Answer) -> dict[tuple[Side, str], int]:
    """A number for each pattern that is shown, counted from the right leg's first."""
    shown = [(side, one.name) for side in SHOWN for one in named_of(answer, side)]
    return {key: at for at, key in enumerate(shown, start=1)}


def drawn(answer: Answer) -> list[DrawnLeg]:
    """Both legs, right first."""
    numbered = numbers(answer)
    return [_leg(answer, side, numbered) for side in SHOWN]


def _leg(answer: Answer, side: Side, numbered: dict[tuple[Side, str], int]) -> DrawnLeg:
    own = [one for one in answer.imbalances or () if one.side == side]
    paint: dict[str, Paint] = {m: "plain" for muscles in MUSCLES.values() for m in muscles}
    marks = []
    for one in own:
        status = _STATUS[one.status]
        for muscle in MUSCLES[one.name]:
            paint[muscle] = max(paint[muscle], status, key=_ORDER.__getitem__)
        if (side, one.name) in numbered:
            x, y = _SPOTS[one.name]
            found = numbered[side, one.name]
            marks.append(Mark(number=found, x=x, y=y, clear=status == "clear"))
    return DrawnLeg(side=side, paint=paint, ring=_ring(answer, side), marks=tuple(marks))


def _ring(answer: Answer, side: Side) -> Literal["calm", "raised", "high", "hurts", "none"]:
    risk = getattr(answer.risk, side)
    if risk is None:
        return "hurts" if hurts(answer, side) else "none"
    if risk.band in {"below", "near"}:
        return "calm"
    return "raised" if risk.band == "above" else "high"


def description(answer: Answer) -> str:
    """The picture in words, for those who don't see it."""
    said = []
    for side in SHOWN:
        own = [one for one in answer.imbalances or () if one.side == side]
        clear = listed([phrase(one.name) for one in own if one.status == "clear"])
        possible = listed([phrase(one.name) for one in own if one.status == "possible"])
        parts = [f"clear: {clear}"] if clear else []
        parts += [f"possible: {possible}"] if possible else []
        said.append(f"{side.capitalize()} leg, {'; '.join(parts) or 'no muscle marked'}.")
    return " ".join(said)
