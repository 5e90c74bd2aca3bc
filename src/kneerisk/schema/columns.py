"""The schema as columns: one row a screening, coded as numbers for a model.

A leg measure has two columns, ``left_<name>`` and ``right_<name>``; every other measure has one
of its own name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from kneerisk.schema.athlete import Athlete
from kneerisk.schema.measure import Category, Measure, Quantity
from kneerisk.schema.own_measures import OwnMeasures, own_measures_in_force, per_schema
from kneerisk.schema.sections import SIDES, Leg, LegPain, Protocol

FloatArray = NDArray[np.float64]
#: Canonical column name to one number a screening; missing is NaN, a category is its code.
Columns = Mapping[str, FloatArray]

_Key = TypeVar("_Key", bound=Hashable)


@cache
def measures_of(section: type[BaseModel]) -> dict[str, Measure]:
    """The measures that one section of a screening declares, in order."""
    return {
        name: declared
        for name, field in section.model_fields.items()
        for declared in field.metadata
        if isinstance(declared, Measure)
    }


@per_schema
def athlete_measures() -> dict[str, Measure]:
    """Measures of the athlete, a club's own last."""
    return measures_of(Athlete) | dict(own_measures_in_force().athlete)


@per_schema
def leg_measures() -> dict[str, Measure]:
    """Measures taken on each leg, a club's own last."""
    return measures_of(Leg) | dict(own_measures_in_force().leg)


@per_schema
def columns() -> dict[str, Measure]:
    """Every canonical column with the measure it holds, in file order."""
    legs = {
        f"{side}_{name}": measure
        for measures in (leg_measures(), measures_of(LegPain))
        for side in SIDES
        for name, measure in measures.items()
    }
    return athlete_measures() | measures_of(Protocol) | legs


@per_schema
def column_locations() -> dict[str, tuple[str, ...]]:
    """Where each canonical column stands in the body of a screening."""
    locations: dict[str, tuple[str, ...]] = {}
    locations |= {name: ("athlete", name) for name in athlete_measures()}
    locations |= {name: ("protocol", name) for name in measures_of(Protocol)}
    for side in SIDES:
        locations |= {f"{side}_{name}": (side, name) for name in leg_measures()}
        locations |= {f"{side}_{name}": ("pain", side, name) for name in measures_of(LegPain)}
    return locations


def location_of(column: str) -> tuple[str, ...]:
    """Where a canonical column stands in the body: ``left_hip_drop_deg`` is left, hip_drop_deg."""
    return column_locations()[column]


@per_schema
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


def with_own_columns(data: Columns, own: OwnMeasures) -> Columns:
    """Coded columns with those of own measures, empty where the screenings came without them.

    Parameters
    ----------
    data
        Coded columns, each of shape (n,).
    own
        The own measures whose columns are wanted.

    Returns
    -------
    The same columns, and the missing ones as NaN.
    """
    names = [*own.athlete, *(f"{side}_{name}" for side in SIDES for name in own.leg)]
    missing = [name for name in names if name not in data]
    empty = np.full(len(data["sex"]), np.nan)
    return {**data, **dict.fromkeys(missing, empty)} if missing else data


def rows_by_place(place: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
    """The rows of each group.

    Parameters
    ----------
    place
        The number of each row's group, shape (n,).
    count
        How many groups there are.

    Returns
    -------
    For each group its rows, in order.
    """
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=count)).tolist()
    return [order[start:end] for start, end in pairwise([0, *ends])]


def rows_by_key(keys: Iterable[_Key]) -> dict[_Key, NDArray[np.intp]]:
    """The rows that share a key: `numpy.unique` would sort them first, which takes longer.

    Parameters
    ----------
    keys
        The key of each row.

    Returns
    -------
    The rows of each key, in order; the keys as they first appear.
    """
    numbers: dict[_Key, int] = {}
    place = [numbers.setdefault(key, len(numbers)) for key in keys]
    groups = rows_by_place(np.array(place, dtype=np.intp), len(numbers))
    return dict(zip(numbers, groups, strict=True))


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


@per_schema
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


@per_schema
def _by_name() -> dict[str, Measure]:
    return athlete_measures() | measures_of(Protocol) | leg_measures() | measures_of(LegPain)


@per_schema
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
