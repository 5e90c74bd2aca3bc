"""Units as sheets write them, and their conversion to the schema's, by pint.

A force or torque that is not divided by body mass yet becomes the schema's unit times kg; a share
of body weight is the kilogram-force that a muscle lifts over the kilograms that the body has.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import pint

from kneerisk.cohort.sheets.vocabulary import without_blanks
from kneerisk.schema import Quantity

#: The schema's units in pint's words. A unit that is not here has no other to convert from.
PINT_UNITS = {
    "years": "year",
    "weeks": "week",
    "ms": "millisecond",
    "s": "second",
    "cm": "centimeter",
    "mm": "millimeter",
    "km": "kilometer",
    "kg": "kilogram",
    "m/s": "meter / second",
    "deg": "degree",
    "%": "percent",
    "ratio": "dimensionless",
    "h/week": "hour / week",
    "h/day": "hour / day",
    "steps/min": "step / minute",
    "sessions/week": "session / week",
    "Nm/kg": "newton * meter / kilogram",
    "N/kg": "newton / kilogram",
    "% BW": "percent",
}
#: The same quantities before they are divided by body mass: torque, force, and the weight that a
#: force lifts. One kilogram-force is the weight of one kilogram.
UNDIVIDED_UNITS = {
    "Nm/kg": "newton * meter",
    "N/kg": "newton",
    "% BW": "kilogram_force",
}
#: Spellings that pint reads as something else (`Nm` as a count times metres).
SPELLINGS = {
    "Nm": "newton * meter",
    "N*m": "newton * meter",
    "Nm/kg": "newton * meter / kilogram",
    "steps/min": "step / minute",
    "spm": "step / minute",
    "% BW": "percent",
    "km/h": "kilometer / hour",
    "km/week": "kilometer",
    "miles/week": "mile",
    "ratio": "dimensionless",
}

#: What a scale shows in newtons is the weight of a mass, so many kilograms-force.
WEIGHT = {"kilogram": "kilogram_force"}


class UnknownUnit(ValueError):
    """A unit that can't become the schema's; the message says why."""


@cache
def _units_by_word() -> Mapping[str, str]:
    text = files(__package__).joinpath("unit_words.csv").read_text(encoding="utf-8")
    return {
        without_blanks(word): row["unit"]
        for row in csv.DictReader(text.splitlines())
        for word in row["words"].split("|")
    }


def unit_named(text: str) -> str | None:
    """The unit that people write like this (`lbs`, `°`, `Zoll`); None where it is no unit."""
    return _units_by_word().get(without_blanks(text))


@cache
def _registry() -> pint.UnitRegistry[float]:
    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    registry.define("step = [step]")
    registry.define("session = [session]")
    return registry


def factor(measure: Quantity, unit: str | None, *, per_body_mass: bool = False) -> float:
    """What a number is multiplied by to be in a measure's unit.

    Parameters
    ----------
    measure
        The measure.
    unit
        The unit of the number, in the words of pint or of `SPELLINGS`; None: the measure's own.
    per_body_mass
        Whether the result still has to be divided by body mass in kg.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    UnknownUnit
        Where pint does not know the unit, or it measures something else.
    """
    targets = UNDIVIDED_UNITS if per_body_mass else PINT_UNITS
    if per_body_mass and measure.unit not in targets:
        raise UnknownUnit(f"is not divided by body mass (its unit is {measure.unit})")
    # A share of body weight in percent is 100 times the force in kgf over the mass in kg.
    scale = 100.0 if per_body_mass and measure.unit == "% BW" else 1.0
    if unit is None or (unit == measure.unit and not per_body_mass):
        if per_body_mass:
            raise UnknownUnit("needs the unit that it has before it is divided by body mass")
        return 1.0
    if measure.unit not in targets:
        raise UnknownUnit(f"can't be converted, it must be in {measure.unit}")
    return scale * _converted(unit, targets[measure.unit])


@cache
def _converted(unit: str, target: str) -> float:
    registry = _registry()
    try:
        start = registry.Quantity(1.0, SPELLINGS.get(unit, unit))
        if target in WEIGHT and start.is_compatible_with(WEIGHT[target]):
            return float(start.to(WEIGHT[target]).magnitude)
        return float(start.to(target).magnitude)
    except pint.DimensionalityError:
        raise UnknownUnit(f"can't be converted from {unit!r}, which is no {target}") from None
    # A unit that can't be parsed ends in whatever the parser stumbled on.
    except (pint.PintError, AssertionError, AttributeError, TypeError, ValueError, SyntaxError):
        raise UnknownUnit(f"has a unit that is not known, {unit!r}") from None
