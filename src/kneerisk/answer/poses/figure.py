"""A pose as SVG: each limb is the hull of two circles, the far side paler, what works in colour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from xml.etree.ElementTree import Element, tostring

from kneerisk.answer.poses.pose import HEAD, HEIGHT, WIDTH, Point, Pose, joints_of, poses

#: Radii at the two ends of each part of the body.
RADII = {
    "thigh": (7.4, 5.2), "shank": (5.4, 3.4), "foot": (3.4, 2.6), "upper_arm": (4.4, 3.4),
    "forearm": (3.4, 2.6), "trunk": (8.6, 8.2), "neck": (3.4, 3.4),
}  # fmt: skip
#: The parts of a leg and of an arm, each between two joints.
LEG = (("thigh", "hip", "knee"), ("shank", "knee", "ankle"), ("foot", "ankle", "toe"))
ARM = (("upper_arm", "shoulder", "elbow"), ("forearm", "elbow", "hand"))
#: Colours that the page and the sheet set; what stands after each holds without them.
NEAR = "var(--figure, #35514e)"
FAR = "var(--figure-far, #a9bab6)"
ACTIVE = "var(--figure-active, #0b6b6b)"
GROUND = "var(--figure-ground, #ffffff)"
PROP = "var(--figure-prop, #7d8d89)"
#: Width of the pale edge that keeps limbs apart, and of an arrow's head.
EDGE, ARROW_HEAD = 2.4, 8.0

ROUND = {"stroke-linecap": "round", "stroke-linejoin": "round"}
VIEW_BOX = {"viewBox": f"0 0 {WIDTH} {HEIGHT}"}


def _shape(tag: str, **attributes: str | float) -> Element:
    """An element; a number is written with one decimal, and `_` in a name stands for `-`."""
    written = {
        name.replace("_", "-"): entry if isinstance(entry, str) else f"{entry:.1f}"
        for name, entry in attributes.items()
    }
    return Element(tag, written)


def _line(path: str, colour: str, width: float) -> Element:
    return _shape("path", d=path, fill="none", stroke=colour, stroke_width=width, **ROUND)


def figure(pose: Pose) -> list[Element]:
    """The shapes of a drawing, from back to front."""
    joints = joints_of(pose)
    return [
        *_props(pose),
        *_limbs(pose, joints),
        *_devices(pose, joints),
        *(_arrow(arrow) for arrow in pose.arrows),
        *_measured(pose),
    ]


def _limbs(pose: Pose, joints: Mapping[str, Point]) -> Iterator[Element]:
    """The far side, the trunk and the head, the near side."""
    fills = {"near": NEAR, "far": NEAR if pose.view == "front" else FAR}
    for limb in ("far", "near"):
        if limb == "near":
            yield from _trunk(pose, joints)
        fill = ACTIVE if f"{limb}_leg" in pose.active else fills[limb]
        yield from _parts([_limb(joints, limb, *part) for part in LEG], fill)
        yield from _parts([_limb(joints, limb, *part) for part in ARM], fills[limb])


def _limb(joints: Mapping[str, Point], limb: str, part: str, start: str, end: str) -> str:
    return _hull(joints[f"{limb}_{start}"], joints[f"{limb}_{end}"], *RADII[part])


def _parts(paths: Sequence[str], fill: str) -> Iterator[Element]:
    """The parts of a limb; a pale edge under all of them keeps limbs apart that cross."""
    outline = " ".join(paths)
    yield _shape("path", d=outline, fill=GROUND, stroke=GROUND, stroke_width=EDGE)
    yield _shape("path", d=outline, fill=fill)


def _trunk(pose: Pose, joints: Mapping[str, Point]) -> Iterator[Element]:
    chest, hips, neck = joints["chest"], joints["hips"], joints["neck"]
    if pose.view == "side":
        yield from _parts([_hull(chest, hips, *RADII["trunk"])], NEAR)
    else:
        corners = ("far_shoulder", "near_shoulder", "near_hip", "far_hip")
        outline = f"M{'L'.join(_place(joints[name]) for name in corners)}Z"
        yield _shape("path", d=outline, fill=NEAR, stroke=NEAR, stroke_width=9.0, **ROUND)
    yield _shape("path", d=_hull(chest, neck, *RADII["neck"]), fill=NEAR)
    yield _shape("circle", cx=neck.x, cy=neck.y, r=HEAD, fill=NEAR)


def _place(point: Point) -> str:
    return f"{point.x:.1f} {point.y:.1f}"


def _hull(start: Point, end: Point, wide: float, narrow: float) -> str:
    """The path around two circles, whose straight sides touch both."""
    tilt = math.acos((wide - narrow) / math.dist(start, end))
    heading = math.atan2(end.y - start.y, end.x - start.x)
    a, b, c, d = (
        f"{point.x + radius * math.cos(turn):.1f} {point.y + radius * math.sin(turn):.1f}"
        for point, radius, turn in (
            (start, wide, heading + tilt),
            (end, narrow, heading + tilt),
            (end, narrow, heading - tilt),
            (start, wide, heading - tilt),
        )
    )
    return f"M{a}L{b}A{narrow} {narrow} 0 0 0 {c}L{d}A{wide} {wide} 0 1 0 {a}Z"


def _props(pose: Pose) -> Iterator[Element]:
    """What the person stands, sits or lies on, behind them."""
    for points in pose.lines:
        corners = [Point(*pair) for pair in zip(points[::2], points[1::2], strict=True)]
        yield _line(f"M{'L'.join(map(_place, corners))}", PROP, 3.0)
    for left, top, width, height in pose.boxes:
        yield _shape(
            "rect", x=left, y=top, width=width, height=height, rx=2.0, fill=FAR,
            fill_opacity="0.45", stroke=PROP, stroke_width=2.0,
        )  # fmt: skip


def _devices(pose: Pose, joints: Mapping[str, Point]) -> Iterator[Element]:
    """Balls, towels, weights and instruments, in front of the person."""
    rounds = [*pose.rounds]
    for joint, radius in (("near_hand", pose.held), ("near_ankle", pose.pressed)):
        if radius:
            rounds.append((*joints[joint], radius))
    for x, y, radius in rounds:
        yield _shape("circle", cx=x, cy=y, r=radius, fill=GROUND, stroke=PROP, stroke_width=2.5)
    if pose.phone:
        knee, ankle = joints["near_knee"], joints["near_ankle"]
        middle = Point((knee.x + ankle.x) / 2, (knee.y + ankle.y) / 2)
        turn = math.degrees(math.atan2(ankle.y - knee.y, ankle.x - knee.x))
        yield _shape(
            "rect", x=middle.x - 7, y=middle.y - 4, width=14.0, height=8.0, rx=1.5, fill=GROUND,
            stroke=PROP, stroke_width=2.0, transform=f"rotate({turn:.1f} {_place(middle)})",
        )  # fmt: skip
    if pose.pelvis_line:
        near, far = joints["near_hip"], joints["far_hip"]
        yield _line(f"M{_place(far)}L{_place(near)}", GROUND, 2.5)


def _arrow(arrow: tuple[float, float, float, float, float, float]) -> Element:
    """A bent arrow; its head points along its end."""
    start, bend, end = Point(*arrow[:2]), Point(*arrow[2:4]), Point(*arrow[4:])
    heading = math.atan2(end.y - bend.y, end.x - bend.x)
    left, right = (
        Point(
            end.x - ARROW_HEAD * math.cos(heading + turn),
            end.y - ARROW_HEAD * math.sin(heading + turn),
        )
        for turn in (0.5, -0.5)
    )
    shaft = f"M{_place(start)}Q{_place(bend)} {_place(end)}"
    return _line(f"{shaft}M{_place(left)}L{_place(end)}L{_place(right)}", ACTIVE, 3.0)


def _measured(pose: Pose) -> Iterator[Element]:
    if pose.angle is None:
        return
    x, y, radius, begin, end = pose.angle
    first, last = (Point(x, y).towards(turn, radius) for turn in (begin, end))
    arc = f"M{_place(first)}A{radius:g} {radius:g} 0 0 {int(end < begin)} {_place(last)}"
    line = _line(arc, ACTIVE, 2.0)
    line.set("stroke-dasharray", "3 3")
    yield line


def drawing(name: str, label: str) -> str:
    """The drawing of an exercise or a test as an SVG element, named for those who listen."""
    attributes = {"class": "pose", "role": "img", "aria-label": label, **VIEW_BOX}
    return _written("svg", attributes, figure(poses()[name]))


@cache
def sprite() -> str:
    """All drawings in one SVG file, for the page: each a symbol that it uses by name."""
    symbols = []
    for name, pose in poses().items():
        symbol = Element("symbol", {"id": name, **VIEW_BOX})
        symbol.extend(figure(pose))
        symbol.tail = "\n"
        symbols.append(symbol)
    return _written("svg", {"xmlns": "http://www.w3.org/2000/svg"}, symbols) + "\n"


def _written(tag: str, attributes: Mapping[str, str], children: Sequence[Element]) -> str:
    element = Element(tag, dict(attributes))
    element.extend(children)
    return tostring(element, encoding="unicode")
