"""Units as sheets write them: conversion to the schema's by pint, and which one fits a column.

A force or torque that is not divided by body mass yet becomes the schema's unit times kg; a share
of body weight is the kilogram-force that a muscle lifts over the kilograms that the body has.
Whether a column's numbers can be in a unit is seen from how near typical values they then are.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from statistics import median
from typing import NamedTuple

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
#: Other units that sheets use for a measure of this unit, commonest first.
OTHER_UNITS = {
    "kg": ("lb", "N", "stone"),
    "cm": ("inch", "m", "mm"),
    "mm": ("cm", "inch"),
    "km": ("mile", "m"),
    "m/s": ("km/h", "mile/h"),
    "years": ("months",),
    "weeks": ("months", "days", "years"),
    "s": ("ms",),
    "ms": ("s",),
    "ratio": ("%",),
    "%": ("ratio",),
    "Nm/kg": ("Nm",),
    "N/kg": ("N", "kgf", "lbf"),
    "% BW": ("kgf", "N", "lbf", "ratio"),
}
#: A column's median further than this from every norm, in its standard deviations, is no typical
#: one; another unit must be nearer by `_CLEARLY_NEARER` to be thought of (assumptions).
_TYPICAL_Z, _CLEARLY_NEARER = 2.0, 1.0
#: An undivided force is thought of up to here, since nothing else tells it from a divided one
#: (assumption).
_POSSIBLE_Z = 3.0
#: Stands for the athletes' mass until it is known (assumption: halfway between the sexes' norms).
USUAL_MASS_KG = 70.0


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


class Unit(NamedTuple):
    """How a column of numbers becomes a measure."""

    name: str | None
    """None: the schema's own."""
    per_body_mass: bool = False


#: Numbers that are in the measure's own unit.
OWN_UNIT = Unit(None)


class Fit(NamedTuple):
    """How well numbers in a unit fit a measure."""

    unit: Unit
    share: float
    """Of the numbers, within the measure's limits."""
    distance: float | None
    """Of the median from the nearest norm, in standard deviations; None without a norm."""

    @property
    def is_possible(self) -> bool:
        """Whether most numbers are within the limits."""
        return self.share >= 0.5

    @property
    def is_typical(self) -> bool:
        """Possible, and no further from the norms than people are."""
        return self.is_possible and (self.distance is None or self.distance <= _TYPICAL_Z)


def unit_of(measure: Quantity, name: str) -> Unit | None:
    """How numbers in a named unit become a measure; None where it measures something else."""
    for per_body_mass in (False, True):
        try:
            factor(measure, name, per_body_mass=per_body_mass)
        except UnknownUnit:
            continue
        return Unit(name, per_body_mass)
    return None


def fit(measure: Quantity, unit: Unit, numbers: Sequence[float], mass_kg: float) -> Fit:
    """How well numbers in a unit fit a measure.

    Parameters
    ----------
    measure
        The measure that they may be.
    unit
        The unit that they may be in.
    numbers
        The column's numbers, in that unit; with none at all nothing speaks against it.
    mass_kg
        The athletes' usual body mass in kg, for forces and torques still to be divided by it.

    Returns
    -------
    Fit
        The share within the limits, and the distance of the median from the norms.
    """
    scale = factor(measure, unit.name, per_body_mass=unit.per_body_mass)
    values = [number * scale / (mass_kg if unit.per_body_mass else 1.0) for number in numbers]
    if not values:
        return Fit(unit, 1.0, None)
    within = sum(measure.low <= value <= measure.high for value in values)
    pairs = [norm.of(sex) for norm in measure.norms for sex in ("male", "female")]
    middle = median(values)
    distances = [abs(middle - mean) / sd for mean, sd in filter(None, pairs)]
    return Fit(unit, within / len(values), min(distances, default=None))


def other_fits(measure: Quantity, numbers: Sequence[float], mass_kg: float) -> list[Fit]:
    """The other usual units in which numbers are possible.

    Parameters
    ----------
    measure
        The measure that they may be.
    numbers
        The column's numbers, as they stand.
    mass_kg
        The athletes' usual body mass in kg.

    Returns
    -------
    list of Fit
        The most typical first.
    """
    units = [unit_of(measure, name) for name in OTHER_UNITS.get(measure.unit, ())]
    fits = [fit(measure, unit, numbers, mass_kg) for unit in units if unit is not None]
    possible = [candidate for candidate in fits if candidate.is_possible]
    return sorted(possible, key=lambda candidate: (-candidate.share, candidate.distance or 0.0))


def rival_units(measure: Quantity, own: Fit, others: Sequence[Fit]) -> list[Fit]:
    """Units that have to be asked about before the schema's own is taken without a word for it.

    Parameters
    ----------
    measure
        The measure that the column may be.
    own
        How well the numbers fit in the schema's unit.
    others
        How well they fit in others.

    Returns
    -------
    list of Fit
        Those of the others that may be meant instead.
    """
    if not own.is_possible:
        return [other for other in others if other.share > own.share]
    if measure.unit in UNDIVIDED_UNITS:
        return [other for other in others if (other.distance or 0.0) <= _POSSIBLE_Z]
    if own.is_typical:
        return []
    limit = (own.distance or 0.0) - _CLEARLY_NEARER
    return [o for o in others if o.is_typical and o.distance is not None and o.distance < limit]
