"""The schema as columns: one row a screening, coded as numbers for a model.

A leg measure has two columns, ``left_<name>`` and ``right_<name>``; every other measure has one
of its own name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from kneerisk.schema.athlete import Athlete
from kneerisk.schema.measure import Category, Measure, Quantity
from kneerisk.schema.sections import SIDES, Leg, LegPain, Protocol

FloatArray = NDArray[np.float64]
#: Canonical column name to one number a screening; missing is NaN, a category is its code.
Columns = Mapping[str, FloatArray]


@cache
def measures_of(section: type[BaseModel]) -> dict[str, Measure]:
    """The measures that one section of a screening declares, in order."""
    return {
        name: declared
        for name, field in section.model_fields.items()
        for declared in field.metadata
        if isinstance(declared, Measure)
    }


def athlete_measures() -> dict[str, Measure]:
    """Measures of the athlete."""
    return measures_of(Athlete)


def leg_measures() -> dict[str, Measure]:
    """Measures taken on each leg."""
    return measures_of(Leg)


@cache
def columns() -> dict[str, Measure]:
    """Every canonical column with the measure it holds, in file order."""
    legs = {
        f"{side}_{name}": measure
        for section in (Leg, LegPain)
        for side in SIDES
        for name, measure in measures_of(section).items()
    }
    return measures_of(Athlete) | measures_of(Protocol) | legs


@cache
def column_locations() -> dict[str, tuple[str, ...]]:
    """Where each canonical column stands in the body of a screening."""
    locations: dict[str, tuple[str, ...]] = {}
    locations |= {name: ("athlete", name) for name in measures_of(Athlete)}
    locations |= {name: ("protocol", name) for name in measures_of(Protocol)}
    for side in SIDES:
        locations |= {f"{side}_{name}": (side, name) for name in measures_of(Leg)}
        locations |= {f"{side}_{name}": ("pain", side, name) for name in measures_of(LegPain)}
    return locations


def location_of(column: str) -> tuple[str, ...]:
    """Where a canonical column stands in the body: ``left_hip_drop_deg`` is left, hip_drop_deg."""
    return column_locations()[column]


@cache
def _columns_by_location() -> dict[tuple[int | str, ...], str]:
    return {location: column for column, location in column_locations().items()}


def column_of(location: tuple[int | str, ...]) -> str:
    """The canonical column of a place in the body; the inverse of `location_of`."""
    if column := _columns_by_location().get(location):
        return column
    section, *rest = [str(part) for part in location] or [""]
    if section == "pain":
        return "_".join(rest)
    return "_".join([section, *rest]) if section in {"left", "right"} else "_".join(rest)


def code(measure: Measure, value: Any) -> float:
    """A value as the number a model reads: NaN where missing, a choice's position."""
    if value is None:
        return float("nan")
    if isinstance(measure, Category):
        return float(measure.choices.index(value))
    return float(value)


def quantities(measures: Mapping[str, Measure]) -> dict[str, Quantity]:
    """Only the measures that are numbers with a unit."""
    return {name: m for name, m in measures.items() if isinstance(m, Quantity)}


@cache
def whole_columns() -> frozenset[str]:
    """The canonical columns of whole numbers."""
    return frozenset(name for name, m in columns().items() if isinstance(m, Quantity) and m.whole)


def category(name: str) -> Category:
    """The category of this name without a side: a measure of the athlete, of a leg, or a protocol.

    A name of no measure raises KeyError, that of a quantity TypeError.
    """
    measure = _by_name()[name]
    if not isinstance(measure, Category):
        raise TypeError(f"{name} is no category")
    return measure


def quantity(name: str) -> Quantity:
    """The quantity of this name without a side: a measure of the athlete or of a leg.

    A name of no measure raises KeyError, that of a category TypeError.
    """
    measure = _by_name()[name]
    if not isinstance(measure, Quantity):
        raise TypeError(f"{name} is no quantity")
    return measure


@cache
def _by_name() -> dict[str, Measure]:
    return measures_of(Athlete) | measures_of(Protocol) | measures_of(Leg) | measures_of(LegPain)


@cache
def fingerprint() -> str:
    """A hash of all that a model's numbers depend on in the schema: 16 hexadecimal digits.

    Units, limits, norms, errors and choices count; labels and wording don't.
    """
    declarations = {name: _declaration(measure) for name, measure in columns().items()}
    return hashlib.sha256(json.dumps(declarations, sort_keys=True).encode()).hexdigest()[:16]


def _declaration(measure: Measure) -> list[object]:
    if not isinstance(measure, Quantity):
        return [list(getattr(measure, "choices", ())), measure.model_input]
    norms = [[norm.condition, norm.male, norm.female] for norm in measure.norms]
    sem = measure.error.sem if measure.error else None
    return [measure.unit, measure.low, measure.high, norms, sem, measure.log_scale,
            measure.direction, measure.model_input]  # fmt: skip
