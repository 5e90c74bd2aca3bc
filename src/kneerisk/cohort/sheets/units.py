"""Units as sheets write them: conversion to the schema's, and which one fits a column.

Every unit is a line of `unit_words.csv`: its kind, its size in the SI unit of that kind, and the
ways to write it. A unit that is not there is refused; no text of a person's is ever evaluated.
The sizes are exact by definition (NIST Special Publication 811, appendix B); a year has 365.25
days.

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

from kneerisk.cohort.sheets.vocabulary import without_blanks
from kneerisk.schema import Quantity
from kneerisk.words import text

#: Units before they are divided by body mass: torque, force, and the weight that a force lifts.
#: One kilogram-force is the weight of one kilogram.
UNDIVIDED_UNITS = {"Nm/kg": "Nm", "N/kg": "N", "% BW": "kgf"}
#: What a scale shows in newtons is the weight of a mass, so many kilograms-force.
_WEIGHT = {("force", "mass"): 9.80665}
#: A share of body weight is the force over the weight of the body's mass, which is so many N/kg.
_FORCE_OVER_WEIGHT = ("N/kg", "% BW", 9.80665)
#: No unit is written longer than this (assumption: the longest in the table has 22 characters), so
#: that a text of a million is not looked at.
_LONGEST_UNIT = 40
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


class _Size(NamedTuple):
    """How large a unit is."""

    kind: str
    """What it measures; empty where nothing else is in the same unit, such as points."""
    si: float
    """In the SI unit of its kind."""


@cache
def _table() -> list[dict[str, str]]:
    content = files(__package__).joinpath("unit_words.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(content.splitlines()))


@cache
def _sizes() -> Mapping[str, _Size]:
    return {row["unit"]: _Size(row["kind"], float(row["si"] or 1.0)) for row in _table()}


def newtons(name: str) -> float:
    """How many newtons one of a unit of force has."""
    return _sizes()[name].si


@cache
def _units_by_word() -> Mapping[str, str]:
    return {
        without_blanks(word): row["unit"] for row in _table() for word in row["words"].split("|")
    }


def unit_named(name: str) -> str | None:
    """The unit that people write like this (`lbs`, `°`, `Zoll`); None where it is no unit."""
    if len(name) > _LONGEST_UNIT:
        return None
    units = _units_by_word()
    # Most are written as the table has them.
    return units.get(name) or units.get(without_blanks(name))


def usual_units(measure: Quantity) -> tuple[str, ...]:
    """The units that a measure is usually told in, the schema's own first."""
    return (measure.unit, *OTHER_UNITS.get(measure.unit, ()))


def factor(measure: Quantity, unit: str | None, *, per_body_mass: bool = False) -> float:
    """What a number is multiplied by to be in a measure's unit.

    Parameters
    ----------
    measure
        The measure.
    unit
        The unit of the number, a name or a word of the table; None: the measure's own.
    per_body_mass
        Whether the result still has to be divided by body mass in kg.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    UnknownUnit
        Where the table does not have the unit, or it measures something else.
    """
    if per_body_mass and measure.unit not in UNDIVIDED_UNITS:
        raise UnknownUnit(text("sheet.unit.not_divided", unit=measure.unit))
    # A share of body weight in percent is 100 times the force in kgf over the mass in kg.
    scale = 100.0 if per_body_mass and measure.unit == "% BW" else 1.0
    if unit is None or (unit == measure.unit and not per_body_mass):
        if per_body_mass:
            raise UnknownUnit(text("sheet.unit.undivided_needed"))
        return 1.0
    target = UNDIVIDED_UNITS[measure.unit] if per_body_mass else measure.unit
    if target not in _sizes() or not _sizes()[target].kind:
        raise UnknownUnit(text("sheet.unit.must_be_in", unit=measure.unit))
    return scale * _converted(measure, unit, target)


def _converted(measure: Quantity, unit: str, target: str) -> float:
    name = unit if unit in _sizes() else unit_named(unit)
    if name is None:
        usual = ", ".join(usual_units(measure))
        raise UnknownUnit(text("sheet.unit.unknown", unit=_shortened(unit), usual=usual))
    start, end = _sizes()[name], _sizes()[target]
    if start.kind == end.kind:
        return start.si / end.si
    if weight := _WEIGHT.get((start.kind, end.kind)):
        return start.si / weight / end.si
    divided, share, gravity = _FORCE_OVER_WEIGHT
    if start.kind == _sizes()[divided].kind and target == share:
        return start.si / gravity / end.si
    raise UnknownUnit(text("sheet.unit.other_kind", unit=repr(name), target=target))


def _shortened(unit: str) -> str:
    return repr(unit if len(unit) <= _LONGEST_UNIT else unit[:_LONGEST_UNIT] + "...")


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
