"""Minimal detectable change: when two readings differ by more than measurement error would show.

With 95 % probability one reading lies within 1.96 standard errors of measurement (SEM) of the true
value, and two readings of one true value within 2.772 SEM of each other, which is the minimal
detectable change (MDC). The errors are those of `z_scores.error_variance`, which the model and the
simulator use too. Of many measures some exceed their own MDC by chance, so that
`PairComparison.beyond_chance` controls the false discovery rate over all of them
(Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from kneerisk.schema.columns import Columns, FloatArray, category, quantity
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import RATIOS, SHARED_READINGS
from kneerisk.schema.z_scores import (
    CONDITION_OF,
    conditions_of,
    error_variance,
    norm_table,
    places_in_table,
)

BoolArray = NDArray[np.bool_]
_Repeats = dict[int, tuple[list[int], BoolArray]]

#: The columns that a pair's data must have: norms and errors of measures depend on them.
CONDITIONS = ("sex", *sorted(set(CONDITION_OF.values())))
#: Half the width of a 95 % interval of a normal error, in its SDs.
READING_PER_SEM = 1.96
#: False discovery rate: how often an athlete in whom nothing changed may be told of any change
#: (assumption: the usual 5 %).
FALSE_DISCOVERY_RATE = 0.05
#: Variance that rounding to whole steps adds: that of a uniform distribution over one step.
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
class PairComparison:
    """The comparison of k pairs in n screenings; arrays have shape (n, k).

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
    """SD of the measurement error of one reading.

    Parameters
    ----------
    name
        A measure, without its side.
    data
        Coded columns of n screenings, with the `CONDITIONS` among them.

    Returns
    -------
    Shape (n,): in the measure's unit, or of its logarithm for a measure of a log scale. NaN where
    no error is published.
    """
    return _error_sds(name)[places_in_table(name, data)]


@per_schema
def _error_sds(name: str) -> FloatArray:
    """SD of the error of one reading by protocol and sex, shape (n_conditions, 3)."""
    relative = [error_variance(name, code) for code in range(len(conditions_of(name)))]
    variance = np.array(relative)[:, None] * norm_table(name)[:, :, 1] ** 2
    steps = STEP_VARIANCE if quantity(name).whole else 0.0
    return np.where(variance > 0.0, np.sqrt(variance + steps), np.nan)


def reading_error(name: str, values: FloatArray, data: Columns) -> FloatArray:
    """Half the width of the 95 % interval of one reading's error.

    Parameters
    ----------
    name
        A measure, without its side.
    values
        The readings in its unit, shape (n,).
    data
        Coded columns of the same screenings, with the `CONDITIONS` among them.

    Returns
    -------
    Shape (n,), in the measure's unit; NaN where no error is published.
    """
    limit = READING_PER_SEM * error_sd(name, data)
    return np.asarray(values * np.sinh(limit)) if quantity(name).log_scale else limit


def detectable_change(
    name: str, first: FloatArray, second: FloatArray, error: FloatArray
) -> FloatArray:
    """The minimal detectable change between two values.

    On a log scale the error is a share of the value; the MDC is given at the geometric mean of the
    two values, where comparing in the unit and comparing the logarithms come to the same.

    Parameters
    ----------
    name
        A measure, without its side.
    first
        The earlier value, or that of one leg, in its unit, shape (n,).
    second
        The value to compare with it, shape (n,).
    error
        SD of the error of one reading, shape (n,), as `error_sd` gives it.

    Returns
    -------
    Shape (n,), in the measure's unit; NaN where a value or the error is missing.
    """
    limit = MDC_PER_SEM * error
    if not quantity(name).log_scale:
        return limit + 0.0 * (first + second)
    return np.asarray(2.0 * np.sqrt(first * second) * np.sinh(limit / 2.0))


def compare(pairs: Sequence[Pair]) -> PairComparison:
    """Compare k pairs in each of n screenings, on unrounded values.

    A screening's result does not depend on the other screenings. A measure that only repeats
    others (a ratio computed from two torques of one test, the other side of the pelvis) is no
    comparison of its own: it is beyond chance where it exceeds its own MDC and one of the measures
    that it is computed from is beyond chance.
    """
    repeats = _repeats(pairs)
    errors = _errors(pairs, repeats)
    distance = np.column_stack([_distance(p, e) for p, e in zip(pairs, errors, strict=True)])
    beyond_error = distance > MDC_PER_SEM
    # Chance that error alone makes two readings differ so much: the SD of a difference is
    # sqrt(2) SEM.
    p_values = erfc(distance / 2.0)
    for index, (_, is_repeat) in repeats.items():
        p_values[is_repeat, index] = np.nan
    beyond_chance = beyond_error & _false_discoveries_controlled(p_values)
    for index, (components, is_repeat) in repeats.items():
        component_changed = beyond_chance[:, components].any(axis=1)
        changed = beyond_error[:, index] & component_changed
        beyond_chance[is_repeat, index] = changed[is_repeat]
    detectable = [
        detectable_change(p.measure, p.first, p.second, e)
        for p, e in zip(pairs, errors, strict=True)
    ]
    return PairComparison(
        difference=np.column_stack([pair.second - pair.first for pair in pairs]),
        detectable=np.column_stack(detectable),
        beyond_error=beyond_error,
        beyond_chance=beyond_chance,
    )


def _errors(pairs: Sequence[Pair], repeats: _Repeats) -> list[FloatArray]:
    """SD of the error of each pair's readings; a computed ratio has that of its two components."""
    errors = [error_sd(pair.measure, pair.data) for pair in pairs]
    for index, (components, is_repeat) in repeats.items():
        if len(components) > 1:
            propagated = np.sqrt(sum(errors[component] ** 2 for component in components))
            errors[index] = np.where(is_repeat, propagated, errors[index])
    return errors


def _distance(pair: Pair, error: FloatArray) -> FloatArray:
    """How far apart the readings are, in standard errors of one, shape (n,)."""
    first, second = pair.first, pair.second
    if quantity(pair.measure).log_scale:
        first, second = np.log(first), np.log(second)
    return np.asarray(np.abs(second - first) / error)


def _false_discoveries_controlled(p_values: FloatArray) -> BoolArray:
    """Which comparisons of each screening remain at the false discovery rate, shape (n, k)."""
    from scipy.stats import false_discovery_control  # takes half a second to load

    significant = np.zeros(p_values.shape, dtype=bool)
    for row, values in enumerate(p_values):
        given = ~np.isnan(values)
        if given.any():
            adjusted = false_discovery_control(values[given])
            significant[row, given] = adjusted < FALSE_DISCOVERY_RATE
    return significant


def _repeats(pairs: Sequence[Pair]) -> _Repeats:
    """Pairs that only repeat others: by index, the components' indices and where it is so (n,)."""
    indices = {(pair.side, pair.measure): i for i, pair in enumerate(pairs)}
    measured = [~np.isnan(pair.second - pair.first) for pair in pairs]
    repeats = {}
    for (side, measure), index in indices.items():
        for components, same_test in _components(side, measure, pairs[index].data):
            if all(component in indices for component in components):
                component_indices = [indices[component] for component in components]
                all_measured = np.all([measured[i] for i in component_indices], axis=0)
                repeats[index] = (component_indices, same_test & all_measured)
    return repeats


def _components(
    side: str, measure: str, data: Columns
) -> list[tuple[list[tuple[str, str]], BoolArray]]:
    """The measures that a measure may be computed from, and in which screenings it is, (n,)."""
    components = []
    for rule in RATIOS:
        if measure == rule.ratio:
            modes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
            same_test = np.isin(data[rule.protocol], modes)
            components.append(([(side, rule.over), (side, rule.under)], same_test))
    if side == "right" and measure in SHARED_READINGS:
        # Written down for both legs, and still one reading.
        components.append(([("left", measure)], np.ones(len(data["sex"]), dtype=bool)))
    return components
