"""When two readings of a measure differ by more than the test's error alone would show.

One reading lies within 1.96 standard errors of measurement (SEM) of the truth, 95 %; two readings
of the same truth within 2.772 SEM of each other, the minimal detectable change (MDC). Errors are
those of `standard.error_variance`, so that this rule, the model and the simulator share them. Of
many measures some pass their own limit by chance; `Compared.beyond_chance` is the stricter rule
for all of them at once (Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc
from scipy.stats import false_discovery_control

from kneerisk.schema.columns import Columns, FloatArray, category, quantity
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.rules import OPPOSITES, RATIOS
from kneerisk.schema.z_scores import (
    CONDITION_OF,
    conditions_of,
    error_variance,
    location_and_scale,
)

BoolArray = NDArray[np.bool_]
_Repeats = dict[int, tuple[list[int], BoolArray]]

#: What a pair's data must have: the norms and errors of measures depend on these.
CONDITIONS = ("sex", *sorted(set(CONDITION_OF.values())))
#: Half the width of a 95 % interval of a normal error, in its SDs.
READING_PER_SEM = 1.96
#: How often an athlete in whom nothing changed may be told of any change.
FALSE_CALLS = 0.05
#: Variance of what recording in whole steps adds: uniform over one step.
STEP_VARIANCE = 1.0 / 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two readings of one measure in n screenings: two visits, or the two legs.

    ``first`` and ``second`` have shape (n,), in the measure's unit, missing is NaN. ``data`` has
    the `CONDITIONS` of the screenings. ``side`` tells apart the pairs that are compared
    together; it is empty where the readings are of an athlete, or of two legs.
    """

    measure: str
    first: FloatArray
    second: FloatArray
    data: Columns
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What became of k pairs in n screenings; arrays of shape (n, k).

    ``difference`` is second minus first and ``detectable`` the MDC between these two values, both
    in the measure's unit; NaN where not measured twice, or where no error is published.
    ``beyond_error`` is beyond the measure's own MDC, ``beyond_chance`` also beyond what error
    would show in any of the measures that were compared.
    """

    difference: FloatArray
    detectable: FloatArray
    beyond_error: BoolArray
    beyond_chance: BoolArray


def error_sd(name: str, data: Columns) -> FloatArray:
    """SD of the error of one reading, shape (n,), on the scale that z-scores are taken on.

    That is the measure's unit, or the logarithm for measures of a log scale. NaN where no error
    is published.
    """
    _, scale = location_and_scale(name, data)
    stated = data.get(CONDITION_OF.get(name, ""))
    codes = np.zeros(len(scale), int)
    if stated is not None:
        codes = np.nan_to_num(stated + 1.0, nan=0.0).astype(int)
    known = [error_variance(name, code) for code in range(len(conditions_of(name)))]
    variance = np.array(known)[codes] * scale**2
    steps = STEP_VARIANCE if quantity(name).whole else 0.0
    return np.where(variance > 0.0, np.sqrt(variance + steps), np.nan)


def reading_error(name: str, values: FloatArray, data: Columns) -> FloatArray:
    """What one reading is off by at most, 95 %, in the measure's unit, shape (n,)."""
    limit = READING_PER_SEM * error_sd(name, data)
    return np.asarray(values * np.sinh(limit)) if quantity(name).log_scale else limit


def detectable_change(
    name: str, first: FloatArray, second: FloatArray, error: FloatArray
) -> FloatArray:
    """The MDC between two values, in the measure's unit, shape (n,).

    ``error`` is the SD of one reading, as `error_sd` gives it. On a log scale it is a share of the
    value; the limit is given at the geometric mean of the two, where comparing in the unit and
    comparing the logarithms is one and the same.
    """
    limit = MDC_PER_SEM * error
    if not quantity(name).log_scale:
        return limit + 0.0 * (first + second)
    return np.asarray(2.0 * np.sqrt(first * second) * np.sinh(limit / 2.0))


def compare(pairs: Sequence[Pair]) -> Compared:
    """Compare k pairs in each of n screenings, unrounded and strictly.

    A screening's verdicts don't hang on the other screenings. Measures that only repeat others
    (a ratio computed from two torques of one test, the other side of the pelvis) don't count as
    one more comparison; they are beyond chance where they are beyond their own error and one
    that they are made of is beyond chance.
    """
    repeats = _repeats(pairs)
    errors = _errors(pairs, repeats)
    away = np.column_stack([_distance(p, e) for p, e in zip(pairs, errors, strict=True)])
    beyond_error = away > MDC_PER_SEM
    # Chance that error alone makes two readings differ so much: the SD of a difference is
    # sqrt(2) SEM.
    chance = erfc(away / 2.0)
    for at, (_, told) in repeats.items():
        chance[told, at] = np.nan
    beyond_chance = beyond_error & _false_discoveries_controlled(chance)
    for at, (parts, told) in repeats.items():
        made_of = beyond_chance[:, parts].any(axis=1)
        beyond_chance[told, at] = (beyond_error[:, at] & made_of)[told]
    detectable = [
        detectable_change(p.measure, p.first, p.second, e)
        for p, e in zip(pairs, errors, strict=True)
    ]
    return Compared(
        difference=np.column_stack([pair.second - pair.first for pair in pairs]),
        detectable=np.column_stack(detectable),
        beyond_error=beyond_error,
        beyond_chance=beyond_chance,
    )


def _errors(pairs: Sequence[Pair], repeats: _Repeats) -> list[FloatArray]:
    """SD of the error of each pair's readings; a computed ratio has that of its two parts."""
    errors = [error_sd(pair.measure, pair.data) for pair in pairs]
    for at, (parts, told) in repeats.items():
        if len(parts) > 1:
            of_parts = np.sqrt(sum(errors[part] ** 2 for part in parts))
            errors[at] = np.where(told, of_parts, errors[at])
    return errors


def _distance(pair: Pair, error: FloatArray) -> FloatArray:
    """How far apart the readings are, in standard errors of one, shape (n,)."""
    first, second = pair.first, pair.second
    if quantity(pair.measure).log_scale:
        first, second = np.log(first), np.log(second)
    return np.asarray(np.abs(second - first) / error)


def _false_discoveries_controlled(chance: FloatArray) -> BoolArray:
    found = np.zeros(chance.shape, dtype=bool)
    for row, values in enumerate(chance):
        given = ~np.isnan(values)
        if given.any():
            found[row, given] = false_discovery_control(values[given]) < FALSE_CALLS
    return found


def _repeats(pairs: Sequence[Pair]) -> _Repeats:
    """Which pairs only repeat others: by place, the places they are made of, and where (n,)."""
    place = {(pair.side, pair.measure): i for i, pair in enumerate(pairs)}
    measured = [~np.isnan(pair.second - pair.first) for pair in pairs]
    found = {}
    for (side, measure), at in place.items():
        for parts, same_test in _made_of(side, measure, pairs[at].data):
            if all(part in place for part in parts):
                places = [place[part] for part in parts]
                told = same_test & np.all([measured[i] for i in places], axis=0)
                found[at] = (places, told)
    return found


def _made_of(
    side: str, measure: str, data: Columns
) -> list[tuple[list[tuple[str, str]], BoolArray]]:
    """What a measure may be made of, and in which screenings it is."""
    found = []
    for rule in RATIOS:
        if measure == rule.ratio:
            modes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
            same_test = np.isin(data[rule.protocol], modes)
            found.append(([(side, rule.over), (side, rule.under)], same_test))
    if side == "right" and measure in OPPOSITES:
        # One side of the pelvis is higher by what the other is lower: one reading, not two.
        found.append(([("left", measure)], np.ones(len(data["sex"]), dtype=bool)))
    return found
