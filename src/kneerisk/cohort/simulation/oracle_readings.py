"""What a simulated screening's recorded values say, as values or bounds of what was read.

A reading is a true z-score plus the test's error, before it was rounded and clipped. Most are
recorded finely enough to count as known. A whole grade, a value at a limit and the leg that is not
the shorter one only bound their reading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneerisk.cohort.simulation.observation import decimals
from kneerisk.evidence.population import Population
from kneerisk.schema import SIDES, Columns, FloatArray, category, quantity
from kneerisk.schema.rules import RATIOS
from kneerisk.schema.z_scores import (
    CONDITION_OF,
    conditions_of,
    error_variance,
    location_and_scale,
    to_z,
)

#: Steps of recording wider than this many SDs are bounds, not values (assumption: the widest of
#: the others is 0.045, a thousandth of what a test's error adds to the variance).
COARSE_SD = 0.25
DEFICIT = "leg_length_deficit_cm"
TILT = "lateral_pelvic_tilt_deg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Readings of n screenings in z-scores, shape (n, measures of the state), left leg first.

    ``value`` is a reading that is known, ``low`` and ``high`` bound one that is not; all three are
    NaN where nothing was recorded. ``noise`` is the variance of the test's error, with that of
    rounding where the test has none.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    noise: FloatArray


def readings(people: Population, data: Columns) -> Readings:
    """The readings behind the coded columns of n simulated screenings."""
    parts = [_reading(name, data[name], data) for name in people.athlete]
    for side in SIDES:
        parts += [_leg_reading(name, f"{side}_", data) for name in people.leg]
    value, low, high, noise = (np.column_stack(column) for column in zip(*parts, strict=True))
    found = Readings(value=value, low=low, high=high, noise=noise)
    _bound_the_longer_leg(people, found, data)
    _forget_the_other_tilt(people, found)
    return found


def _leg_reading(name: str, prefix: str, data: Columns) -> tuple[FloatArray, ...]:
    """A leg's reading; a ratio that was computed from its parts says nothing more than they do."""
    recorded = data[prefix + name]
    for rule in RATIOS:
        if rule.ratio == name:
            modes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
            parts = data[prefix + rule.over] + data[prefix + rule.under]
            computed = np.isin(data[rule.protocol], modes) & ~np.isnan(parts)
            recorded = np.where(computed, np.nan, recorded)
    return _reading(name, recorded, data)


def _reading(name: str, recorded: FloatArray, data: Columns) -> tuple[FloatArray, ...]:
    """Value, bounds and noise of one measure's readings, each of shape (n,)."""
    measure = quantity(name)
    half = 0.5 * 10.0 ** -decimals(measure)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = to_z(name, recorded, data)
        low = _bound(name, np.where(recorded <= measure.low, -np.inf, recorded - half), data)
        high = _bound(name, np.where(recorded >= measure.high, np.inf, recorded + half), data)
    known = ~np.isnan(recorded)
    coarse = known & ~(high - low < COARSE_SD)
    return (
        np.where(coarse, np.nan, z),
        np.where(coarse, low, np.nan),
        np.where(coarse, high, np.nan),
        _noise(name, data),
    )


def _bound(name: str, values: FloatArray, data: Columns) -> FloatArray:
    """A bound in the measure's unit as z-scores; nothing is below zero on a log scale."""
    location, scale = location_and_scale(name, data)
    if quantity(name).log_scale:
        values = np.log(np.maximum(values, 0.0))
    return np.asarray((values - location) / scale)


def _noise(name: str, data: Columns) -> FloatArray:
    """Variance of the error, (n,); that of rounding (a uniform step's) where there is no error.

    Where there is, rounding would add less than a thousandth to it.
    """
    protocol = CONDITION_OF.get(name)
    by_code = np.array([error_variance(name, code) for code in range(len(conditions_of(name)))])
    if not by_code.any():
        (scale,) = location_and_scale(name, {"sex": np.array([np.nan])})[1]
        return np.full(len(data["sex"]), (10.0 ** -decimals(quantity(name)) / scale) ** 2 / 12.0)
    if protocol is None:
        return np.full(len(data["sex"]), by_code[0])
    return np.asarray(by_code[np.nan_to_num(data[protocol] + 1.0, nan=0.0).astype(int)])


def _bound_the_longer_leg(people: Population, found: Readings, data: Columns) -> None:
    """Blocks go under one leg: the other's reading was below its, and both zero means none.

    (Two positive readings alike to the last digit are zeros too: one case in a hundred of these.)
    """
    a, m, place = len(people.athlete), len(people.leg), people.leg.index(DEFICIT)
    half = 0.5 * 10.0 ** -decimals(quantity(DEFICIT))
    left, right = (data[f"{side}_{DEFICIT}"] for side in SIDES)
    for start, own, other in ((a, left, right), (a + m, right, left)):
        longer = (own == 0.0) & (other > 0.0)
        below = _bound(DEFICIT, other - half, data)
        column = start + place
        found.high[longer, column] = below[longer]
        found.low[longer, column] = -np.inf
        found.value[longer, column] = np.nan


def _forget_the_other_tilt(people: Population, found: Readings) -> None:
    """One tilt is measured and written down for both legs, with opposite signs."""
    column = len(people.athlete) + len(people.leg) + people.leg.index(TILT)
    for part in (found.value, found.low, found.high):
        part[:, column] = np.nan
