"""Units as sheets write them: what they measure, and conversion to the schema's.

Every unit is a line of `unit_words.csv`: its kind, its size in the SI unit of that kind, and the
ways to write it. A unit that is not there is refused; no text of a person's is ever evaluated.
The sizes are exact by definition (NIST Special Publication 811, appendix B); a year has 365.25
days.

A force or torque that is not divided by body mass yet becomes the schema's unit times kg; a share
of body weight is the kilogram-force that a muscle lifts over the kilograms that the body has.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from kneerisk.cohort.sheets.lexicon.folded_text import without_blanks
from kneerisk.cohort.sheets.lexicon.languages import entries
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
    "% BW": ("kgf", "N", "lbf", "x BW"),
}


#: Feet with the inches behind the point: 5.11 is 5 ft 11 in.
FEET_AND_INCHES = "ft+in"
_FEET_SHOWN = re.compile(r"(\d)(?:[.,](\d{1,2}))?", re.ASCII)


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
    words = {
        without_blanks(word): unit
        for (means, unit), known in entries().items()
        if means == "unit"
        for word in known
    }
    return words | {
        without_blanks(word): row["unit"] for row in _table() for word in row["words"].split("|")
    }


def unit_named(name: str) -> str | None:
    """The unit that people write like this (`lbs`, `°`, `Zoll`); None where it is no unit."""
    if len(name) > _LONGEST_UNIT:
        return None
    units = _units_by_word()
    # Most are written as the table has them.
    return units.get(name) or units.get(without_blanks(name))


def feet_shown(written: str) -> float | None:
    """The feet of `5.11`, read as 5 ft 11 in; None where nothing behind the point is inches."""
    match = _FEET_SHOWN.fullmatch(written)
    inches = int(match[2] or 0) if match else 12
    return int(match[1]) + inches / 12 if match and inches < 12 else None


def usual_units(measure: Quantity) -> tuple[str, ...]:
    """The units that a measure is usually told in, the schema's own first."""
    return (measure.unit, *OTHER_UNITS.get(measure.unit, ()))


def factor(
    measure: Quantity,
    unit: str | None,
    *,
    per_body_mass: bool = False,
    lever_arm_m: float | None = None,
) -> float:
    """What a number is multiplied by to be in a measure's unit.

    Parameters
    ----------
    measure
        The measure.
    unit
        The unit of the number, a name or a word of the table; None: the measure's own.
    per_body_mass
        Whether the result still has to be divided by body mass in kg.
    lever_arm_m
        How far from the joint a force was taken, in m, for a torque.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    UnknownUnit
        Where the table does not have the unit, or it measures something else.
    """
    if lever_arm_m is not None:
        return _by_lever(measure, unit, lever_arm_m)
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


def _by_lever(measure: Quantity, unit: str | None, lever_arm_m: float) -> float:
    """What a force is multiplied by to be a torque, still to be divided by body mass."""
    if unit is None or not needs_lever(measure, unit):
        raise UnknownUnit(text("sheet.unit.no_lever", unit=measure.unit))
    return newtons(unit if unit in _sizes() else str(unit_named(unit))) * lever_arm_m


def needs_lever(measure: Quantity, unit: str) -> bool:
    """Whether numbers in a unit are forces, of a measure that is a torque."""
    name = unit if unit in _sizes() else unit_named(unit)
    return measure.unit == "Nm/kg" and name is not None and kind_of(name) == "force"


def _shortened(unit: str) -> str:
    return repr(unit if len(unit) <= _LONGEST_UNIT else unit[:_LONGEST_UNIT] + "...")


class Unit(NamedTuple):
    """How a column of numbers becomes a measure."""

    name: str | None
    """None: the schema's own."""
    per_body_mass: bool = False


#: Numbers that are in the measure's own unit.
OWN_UNIT = Unit(None)


def unit_of(measure: Quantity, name: str) -> Unit | None:
    """How numbers in a named unit become a measure; None where it measures something else."""
    for per_body_mass in (False, True):
        try:
            factor(measure, name, per_body_mass=per_body_mass)
        except UnknownUnit:
            continue
        return Unit(name, per_body_mass)
    return None


def kind_of(name: str) -> str:
    """What a unit measures; empty where it is unknown or like no other."""
    return _sizes()[name].kind if name in _sizes() else ""
