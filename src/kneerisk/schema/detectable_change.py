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

from kneerisk.schema.columns import (
    Columns,
    FloatArray,
    category,
    columns,
    location_of,
    quantities,
    quantity,
)
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import RATIOS, SHARED_READINGS
from kneerisk.schema.z_scores import (
    CONDITION_OF,
    SEXES,
    conditions_of,
    error_variance,
    norm_table,
    places_in_table,
    places_in_tables,
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


@per_schema
def _error_sds_of_all() -> tuple[FloatArray, dict[str, int]]:
    """The same of every quantity, padded to one shape (k, n_conditions, 3), and each one's row."""
    names = list(dict.fromkeys(location_of(column)[-1] for column in quantities(columns())))
    most = max(len(conditions_of(name)) for name in names)
    tables = np.full((len(names), most, len(SEXES)), np.nan)
    for table, name in zip(tables, names, strict=True):
        table[: len(conditions_of(name))] = _error_sds(name)
    return tables, {name: row for row, name in enumerate(names)}


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
    is_log = np.array([quantity(name).log_scale])
    return _detectable(first[:, None], second[:, None], error[:, None], is_log)[:, 0]


def _detectable(
    first: FloatArray, second: FloatArray, error: FloatArray, is_log: BoolArray
) -> FloatArray:
    """The same of k measures, each of shape (n, k); whether each is of a log scale, (k,)."""
    limit = MDC_PER_SEM * error
    detectable = limit + 0.0 * (first + second)
    one, other, limit = first[:, is_log], second[:, is_log], limit[:, is_log]
    detectable[:, is_log] = 2.0 * np.sqrt(one * other) * np.sinh(limit / 2.0)
    return detectable


def compare(pairs: Sequence[Pair]) -> PairComparison:
    """Compare k pairs in each of n screenings, on unrounded values.

    A screening's result does not depend on the other screenings. A measure that only repeats
    others (a ratio computed from two torques of one test, the other side of the pelvis) is no
    comparison of its own: it is beyond chance where it exceeds its own MDC and one of the measures
    that it is computed from is beyond chance.
    """
    first, second = _stacked([p.first for p in pairs]), _stacked([p.second for p in pairs])
    difference = second - first
    repeats = _repeats(pairs, ~np.isnan(difference))
    errors = _errors(pairs, repeats)
    is_log = np.array([quantity(pair.measure).log_scale for pair in pairs])
    scaled = difference.copy()
    scaled[:, is_log] = np.log(second[:, is_log]) - np.log(first[:, is_log])
    # How far apart the readings are, in standard errors of one.
    distance = np.abs(scaled) / errors
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
    return PairComparison(
        difference=difference,
        detectable=_detectable(first, second, errors, is_log),
        beyond_error=beyond_error,
        beyond_chance=beyond_chance,
    )


def _stacked(readings: Sequence[FloatArray]) -> FloatArray:
    """Arrays of shape (n,), k of them, as one of shape (n, k)."""
    return np.array(readings, dtype=np.float64).T


def _errors(pairs: Sequence[Pair], repeats: _Repeats) -> FloatArray:
    """SD of the error of each pair's readings; a computed ratio has that of its two components."""
    names, (tables, row_of) = [pair.measure for pair in pairs], _error_sds_of_all()
    condition, sex = places_in_tables(names, [pair.data for pair in pairs])
    errors = tables[[row_of[name] for name in names], condition, sex]
    for index, (components, is_repeat) in repeats.items():
        if len(components) > 1:
            propagated = np.sqrt((errors[:, components] ** 2).sum(axis=1))
            errors[:, index] = np.where(is_repeat, propagated, errors[:, index])
    return errors


def _false_discoveries_controlled(p_values: FloatArray) -> BoolArray:
    """Which comparisons of each screening remain at the false discovery rate, shape (n, k).

    The step-up procedure of Benjamini & Hochberg: all up to the last one, in the order of their
    p-values, whose p-value is within its rank's share of the rate. NaN is no comparison.
    """
    given = ~np.isnan(p_values)
    row, order = np.arange(len(p_values))[:, None], np.argsort(p_values, axis=1)
    ranked = np.where(given, p_values, np.inf)[row, order]
    count, rank = given.sum(axis=1, keepdims=True), np.arange(1, p_values.shape[1] + 1)
    adjusted = ranked * (np.maximum(count, 1) / rank)
    remains = np.minimum.accumulate(adjusted[:, ::-1], axis=1)[:, ::-1] < FALSE_DISCOVERY_RATE
    significant = np.empty_like(remains)
    significant[row, order] = remains
    return significant


def _repeats(pairs: Sequence[Pair], measured: BoolArray) -> _Repeats:
    """Pairs that only repeat others: by index, the components' indices and where it is so (n,)."""
    indices = {(pair.side, pair.measure): i for i, pair in enumerate(pairs)}
    repeats = {}
    for (side, measure), index in indices.items():
        for components, same_test in _components(side, measure, pairs[index].data):
            if all(component in indices for component in components):
                component_indices = [indices[component] for component in components]
                all_measured = measured[:, component_indices].all(axis=1)
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
