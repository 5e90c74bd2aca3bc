"""The units that devices show a measure in, for a form: what the sheets' units say, and levers."""

from __future__ import annotations

from typing import NamedTuple

from kneerisk.cohort.sheets.units import OTHER_UNITS, factor, newtons, unit_of
from kneerisk.schema import Quantity

#: What people tell, and no device shows in another unit.
_TOLD = {"years", "weeks", "ratio", "%"}


class OtherUnit(NamedTuple):
    """Another unit that a device shows a measure in, and how it becomes the measure's own."""

    unit: str
    """Its name, as people write it."""
    scale: float
    """What a number in it is multiplied by."""
    per_body_mass: bool
    """Whether it then still has to be divided by body mass in kg."""
    lever_arm: bool
    """Whether it is a force, which first becomes a torque by a lever arm in metres."""


def other_units(measure: Quantity) -> list[OtherUnit]:
    """The other units that a measure's devices show, commonest first.

    A dynamometer shows the force where it is held; times the lever arm it is the torque.
    """
    if measure.unit in _TOLD:
        return []
    shown = []
    for name in OTHER_UNITS.get(measure.unit, ()):
        if unit := unit_of(measure, name):
            scale = factor(measure, unit.name, per_body_mass=unit.per_body_mass)
            shown.append(OtherUnit(name, scale, unit.per_body_mass, lever_arm=False))
    if measure.unit == "Nm/kg":
        shown += [OtherUnit(n, newtons(n), True, lever_arm=True) for n in ("N", "kgf", "lbf")]
    return shown
