"""What a simulated screening's recorded values say: readings, and the update that they bring.

A reading is a true z-score plus the test's error, before it was rounded and clipped. Most are
recorded finely enough to count as known, and condition the Gaussian state in closed form. A whole
grade, a value at a limit and the leg that is not the shorter one only bound their reading, and the
oracle draws it inside its bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from kneerisk.cohort.simulation.observation import decimals
from kneerisk.cohort.simulation.oracle_points import JITTER, lower_factor
from kneerisk.evidence.population import Population
from kneerisk.schema import SIDES, Columns, FloatArray, category, quantity
from kneerisk.schema.rules import RATIOS, SHARED_READINGS
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


def readings_of(people: Population, data: Columns) -> Readings:
    """The readings behind recorded values.

    Parameters
    ----------
    people
        The population, whose state the readings are of.
    data
        The screenings as coded columns in the schema's units, each of shape ``(n,)``.

    Returns
    -------
    Readings of shape ``(n, n_measures)``.
    """
    by_measure = [_reading(name, data[name], data) for name in people.athlete]
    for side in SIDES:
        by_measure += [_leg_reading(name, f"{side}_", data) for name in people.leg]
    value, low, high, noise = (np.column_stack(part) for part in zip(*by_measure, strict=True))
    all_readings = Readings(value=value, low=low, high=high, noise=noise)
    _bound_the_longer_leg(people, all_readings, data)
    _drop_repeated_readings(people, all_readings)
    return all_readings


def _leg_reading(name: str, prefix: str, data: Columns) -> tuple[FloatArray, ...]:
    """A leg's reading; a ratio that was computed from its parts says nothing more than they do."""
    recorded = data[prefix + name]
    for rule in RATIOS:
        if rule.ratio == name:
            modes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
            torques = data[prefix + rule.over] + data[prefix + rule.under]
            computed = np.isin(data[rule.protocol], modes) & ~np.isnan(torques)
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


def _bound_the_longer_leg(people: Population, readings: Readings, data: Columns) -> None:
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
        readings.high[longer, column] = below[longer]
        readings.low[longer, column] = -np.inf
        readings.value[longer, column] = np.nan


def _drop_repeated_readings(people: Population, readings: Readings) -> None:
    """A reading of both legs is written down for either: one of them says nothing more."""
    start = len(people.athlete) + len(people.leg)
    columns = [start + people.leg.index(name) for name in SHARED_READINGS]
    for values in (readings.value, readings.low, readings.high):
        values[:, columns] = np.nan


@dataclass(frozen=True, slots=True)
class Gain:
    """The solve for one pattern of readings; t wanted true values, c bounded readings.

    ``known`` and ``bounded`` are places in the state. ``weights`` (c + t, n_known) is how far the
    bounded readings and the wanted values move with the known readings, ``bounded_factor`` (c, c)
    a lower factor of the bounded readings' covariance, ``wanted_factor`` (t, c) how the wanted
    values move with the standard numbers behind it, and ``rest`` (t, t) their covariance then.
    """

    known: np.ndarray
    bounded: np.ndarray
    weights: FloatArray
    bounded_factor: FloatArray
    wanted_factor: FloatArray
    rest: FloatArray


def solve(
    covariance: FloatArray,
    wanted: np.ndarray,
    known: np.ndarray,
    bounded: np.ndarray,
    noise: FloatArray,
) -> Gain:
    """Condition the state on known readings, and factor what they leave.

    Parameters
    ----------
    covariance
        Covariance of the state, shape ``(d, d)``.
    wanted
        Places of the wanted true values, shape ``(t,)``.
    known
        Places of the readings that are known.
    bounded
        Places of the readings that are only bounded.
    noise
        Error variance of each measure of the state, shape ``(n_measures,)``.

    Returns
    -------
    The gain, with those of the bounded readings that have to do with what is wanted.
    """
    bounded = _related(covariance, wanted, bounded)
    targets = np.concatenate([bounded, wanted])
    own_noise = np.concatenate([noise[bounded], np.zeros(len(wanted))])
    after = covariance[np.ix_(targets, targets)] + np.diag(own_noise)
    weights = np.zeros((len(targets), len(known)))
    if len(known):
        observed = covariance[np.ix_(known, known)] + np.diag(noise[known] + JITTER)
        crossed = covariance[np.ix_(known, targets)]
        weights = cho_solve(cho_factor(observed), crossed).T
        after = after - weights @ crossed
    c = len(bounded)
    bounded_factor = lower_factor(after[:c, :c])
    wanted_factor = solve_triangular(bounded_factor, after[:c, c:], lower=True).T
    rest = after[c:, c:] - wanted_factor @ wanted_factor.T
    return Gain(known, bounded, weights, bounded_factor, wanted_factor, rest)


def _related(covariance: FloatArray, wanted: np.ndarray, bounded: np.ndarray) -> np.ndarray:
    """Bounded readings that are correlated with what is wanted or with each other."""
    among = np.abs(covariance[np.ix_(bounded, np.concatenate([wanted, bounded]))])
    return np.asarray(
        bounded[(among > JITTER).sum(axis=1) > (~np.isin(bounded, wanted)).astype(int)]
    )


@dataclass(slots=True)
class OracleUpdate:
    """The measurement update of a simulated cohort: one solve for each pattern of readings."""

    people: Population
    wanted: np.ndarray
    readings: Readings
    _gains: dict[bytes, Gain] = field(default_factory=dict)

    def gain(self, row: int) -> Gain:
        """The gain of a screening's pattern of readings."""
        readings = self.readings
        value, low, noise = readings.value[row], readings.low[row], readings.noise[row]
        known, bounded = ~np.isnan(value), ~np.isnan(low)
        key = known.tobytes() + bounded.tobytes() + np.where(known | bounded, noise, 0.0).tobytes()
        gain = self._gains.get(key)
        if gain is None:
            places = np.flatnonzero(known), np.flatnonzero(bounded)
            gain = self._gains[key] = solve(self.people.covariance, self.wanted, *places, noise)
        return gain
