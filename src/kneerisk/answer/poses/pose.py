"""A person in a pose: limbs of fixed length turn at their joints, so that none is out of place.

A pose gives the angle of each limb; forward kinematics gives the joints. Angles are in degrees,
where 0 points down, 90 to the right, 180 up and 270 to the left. Lengths are in units of the
drawing, which is 200 wide and 150 high, of an adult who is 110 tall: thigh, shank, upper arm and
forearm are shares of stature (Drillis & Contini 1966, as printed in Winter, Biomechanics and Motor
Control of Human Movement); the head is a little larger than life, as in pictograms (assumption).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Angles = tuple[float, float, float]

WIDTH, HEIGHT = 200, 150
STATURE = 110.0
THIGH, SHANK, FOOT = 0.245 * STATURE, 0.246 * STATURE, 0.14 * STATURE
UPPER_ARM, FOREARM = 0.186 * STATURE, 0.16 * STATURE
TRUNK, NECK, HEAD = 0.30 * STATURE, 0.125 * STATURE, 0.078 * STATURE
#: Half the distance between the shoulders and between the hips, seen from the front.
SHOULDERS, HIPS = 0.095 * STATURE, 0.065 * STATURE


class Point(NamedTuple):
    """A place in the drawing; y grows downwards."""

    x: float
    y: float

    def towards(self, angle: float, length: float) -> Point:
        """The place at a distance, in the direction of an angle."""
        turn = math.radians(angle)
        return Point(self.x + length * math.sin(turn), self.y + length * math.cos(turn))


class Pose(BaseModel):
    """One drawing: the person, what they stand on or hold, and where they move.

    ``trunk`` points from the hips to the shoulders; ``near_leg`` and ``far_leg`` are the angles of
    thigh, shank and foot, ``near_arm`` and ``far_arm`` of upper arm and forearm. The ``anchor``
    joint stands at ``at``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: Literal["side", "front"] = "side"
    trunk: float = 180.0
    head: float | None = None
    near_leg: Angles = (0.0, 0.0, 90.0)
    far_leg: Angles = (0.0, 0.0, 90.0)
    near_arm: tuple[float, float] = (0.0, 10.0)
    far_arm: tuple[float, float] = (0.0, 10.0)
    pelvis: float = 90.0
    """The line from the far hip to the near one, seen from the front."""
    anchor: str = "near_ankle"
    at: tuple[float, float] = (100.0, 132.0)
    active: Sequence[Literal["near_leg", "far_leg"]] = ("near_leg",)
    lines: Sequence[Sequence[float]] = ()
    """Edges of walls, steps and couches: x1, y1, x2, y2, and so on."""
    boxes: Sequence[tuple[float, float, float, float]] = ()
    """Left, top, width, height."""
    rounds: Sequence[tuple[float, float, float]] = ()
    """Centre and radius of balls and towels."""
    arrows: Sequence[tuple[float, float, float, float, float, float]] = ()
    """Start, the point that bends it, and end."""
    angle: tuple[float, float, float, float, float] | None = None
    """A measured angle: its corner, its radius, and where it begins and ends."""
    far_shank: float = 1.0
    """How long the far shank looks, as a share of its length: less where it points away."""
    held: float = 0.0
    """Radius of what the near hand holds."""
    pressed: float = 0.0
    """Radius of the device that the near ankle presses against."""
    phone: bool = False
    """A phone lies along the near shank."""
    pelvis_line: bool = False
    """Whether the level of the hips is drawn."""


def joints_of(pose: Pose) -> dict[str, Point]:
    """Where each joint of a pose is."""
    origin = Point(0.0, 0.0)
    joints: dict[str, Point] = {}
    wide = pose.view == "front"
    chest = origin.towards(pose.trunk, TRUNK)
    crown = pose.trunk if pose.head is None else pose.head
    joints |= {"hips": origin, "chest": chest, "neck": chest.towards(crown, NECK)}
    level = pose.trunk - 90.0
    for limb, sign, leg, arm in (
        ("near", 1.0, pose.near_leg, pose.near_arm),
        ("far", -1.0, pose.far_leg, pose.far_arm),
    ):
        hip = origin.towards(pose.pelvis, sign * HIPS) if wide else origin
        shoulder = chest.towards(level, sign * SHOULDERS) if wide else chest
        knee = hip.towards(leg[0], THIGH)
        ankle = knee.towards(leg[1], SHANK * (pose.far_shank if limb == "far" else 1.0))
        elbow = shoulder.towards(arm[0], UPPER_ARM)
        own = {
            "hip": hip, "knee": knee, "ankle": ankle, "toe": ankle.towards(leg[2], FOOT),
            "shoulder": shoulder, "elbow": elbow, "hand": elbow.towards(arm[1], FOREARM),
        }  # fmt: skip
        joints |= {f"{limb}_{name}": place for name, place in own.items()}
    there = joints[pose.anchor]
    dx, dy = pose.at[0] - there.x, pose.at[1] - there.y
    return {name: Point(place.x + dx, place.y + dy) for name, place in joints.items()}


@cache
def poses() -> Mapping[str, Pose]:
    """Every drawing by the name of its exercise or its test."""
    text = files(__package__).joinpath("poses.toml").read_text("utf-8")
    return {name: Pose.model_validate(pose) for name, pose in tomllib.loads(text).items()}
