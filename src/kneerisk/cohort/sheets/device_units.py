"""The units that devices show a measure in, for a form: what the sheets' units say, and levers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from kneerisk.cohort.sheets.lexicon.units import OTHER_UNITS, factor, newtons, unit_of
from kneerisk.schema import Quantity

#: What people tell, and no device shows in another unit.
_TOLD = {"years", "weeks", "ratio", "%"}


class ShownUnit(BaseModel):
    """Another unit that devices show a measure in."""

    model_config = ConfigDict(frozen=True)

    unit: str
    """Its name, as people write it."""
    scale: float
    """What a number in it is multiplied by."""
    per_body_mass: bool
    """Whether it then still has to be divided by body mass in kg."""
    lever_arm: bool
    """Whether it is a force, which first becomes a torque by a lever arm in metres."""


def other_units(measure: Quantity) -> list[ShownUnit]:
    """The other units that a measure's devices show, commonest first.

    A dynamometer shows the force where it is held; times the lever arm it is the torque.
    """
    if measure.unit in _TOLD:
        return []
    shown = []
    for name in OTHER_UNITS.get(measure.unit, ()):
        if unit := unit_of(measure, name):
            scale = factor(measure, unit.name, per_body_mass=unit.per_body_mass)
            of_mass = unit.per_body_mass
            shown.append(ShownUnit(unit=name, scale=scale, per_body_mass=of_mass, lever_arm=False))
    if measure.unit == "Nm/kg":
        shown += [
            ShownUnit(unit=name, scale=newtons(name), per_body_mass=True, lever_arm=True)
            for name in ("N", "kgf", "lbf")
        ]
    return shown
