"""How well a column's numbers fit a measure in each unit: how near typical values they are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from kneerisk.cohort.sheets.lexicon.units import (
    FEET_AND_INCHES,
    OTHER_UNITS,
    UNDIVIDED_UNITS,
    Unit,
    factor,
    feet_shown,
    unit_of,
)
from kneerisk.schema import Quantity

#: A column's median further than this from every norm, in its standard deviations, is no typical
#: one; another unit must be nearer by `_CLEARLY_NEARER` to be thought of (assumptions).
_TYPICAL_Z, _CLEARLY_NEARER = 2.0, 1.0
#: Units of countries that write in English (assumption: a sheet in another language is metric).
_IMPERIAL = {"lb", "lbf", "stone", "inch", "ft", "mile", "yard", "mile/h"}
#: An undivided force is thought of up to here, since nothing else tells it from a divided one
#: (assumption).
_POSSIBLE_Z = 3.0
#: Less than this part of a norm is typical of nobody (assumption).
_LEAST_OF_MEAN = 0.05
#: Stands for the athletes' mass until it is known (assumption: halfway between the sexes' norms).
USUAL_MASS_KG = 70.0
#: Units that people write and no device shows.
_WRITTEN_UNITS = {"cm": ("ft",)}


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
    if unit.name == FEET_AND_INCHES:
        numbers = [feet_shown(f"{number:g}") or number for number in numbers]
    values = [number * scale / (mass_kg if unit.per_body_mass else 1.0) for number in numbers]
    if not values:
        return Fit(unit, 1.0, None)
    # What is outside the limits is another slip, and says nothing about the rest.
    within = [value for value in values if measure.low <= value <= measure.high]
    pairs = [norm.of(sex) for norm in measure.norms for sex in ("male", "female")]
    middle = median(within or values)
    distances = [_distance(middle, mean, sd) for mean, sd in filter(None, pairs)]
    return Fit(unit, len(within) / len(values), min(distances, default=None))


def _distance(value: float, mean: float, sd: float) -> float:
    """How far a value is from a norm, in its standard deviations.

    Amounts of running are skewed, so that next to nothing is within two of them.
    """
    distance = abs(value - mean) / sd
    return max(distance, _POSSIBLE_Z) if 0 < value < mean * _LEAST_OF_MEAN else distance


def other_fits(
    measure: Quantity, numbers: Sequence[float], mass_kg: float, *, is_english: bool = True
) -> list[Fit]:
    """The other usual units in which numbers are possible.

    Parameters
    ----------
    measure
        The measure that they may be.
    numbers
        The column's numbers, as they stand.
    mass_kg
        The athletes' usual body mass in kg.
    is_english
        Whether the sheet may come from where pounds, inches and miles are used.

    Returns
    -------
    list of Fit
        The most typical first.
    """
    listed = (*OTHER_UNITS.get(measure.unit, ()), *_WRITTEN_UNITS.get(measure.unit, ()))
    names = [name for name in listed if is_english or name not in _IMPERIAL]
    units = [unit_of(measure, name) for name in names]
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
    typical = [other for other in others if other.is_typical and other.share >= own.share]
    if own.is_typical:
        # Kilometres and miles are too near for the values to tell.
        return [own, *typical] if typical else []
    limit = (own.distance or 0.0) - _CLEARLY_NEARER
    return [other for other in typical if other.distance is None or other.distance < limit]
