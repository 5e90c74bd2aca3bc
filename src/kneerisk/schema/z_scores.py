"""From a value to its z-score and back: the norms of the schema, applied to whole columns.

A z-score is taken within sex and within the protocol the value was measured by; quantities on a
log scale are standardised as logarithms (mean and SD of the log from mean and SD of the value).

The SD of a norm is that of readings, so it holds the error of the test: variance of the true values
plus error variance. Z-scores here are in SDs of the true values, so that the error counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.schema.columns import Columns, FloatArray, category, quantity
from kneerisk.schema.measure import Quantity
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import RATIOS
from kneerisk.schema.sections import SIDES

#: Which protocol column decides the norm of a measure.
CONDITION_OF: Mapping[str, str] = {
    "quad_torque_nm_kg": "torque_mode",
    "hamstring_torque_nm_kg": "torque_mode",
    "hip_abduction_torque_nm_kg": "hip_torque_mode",
    "hip_adduction_torque_nm_kg": "hip_torque_mode",
    "fppa_deg": "valgus_task",
    "hip_drop_deg": "hip_drop_task",
}
SEXES = ("male", "female", None)
#: At least this share of the variance of readings is that of true values (assumption). An error
#: that leaves less was measured in another sample than the norm, and the readings vary more.
LEAST_TRUE_SHARE = 0.25


def conditions_of(name: str) -> tuple[str | None, ...]:
    """The protocols of a measure in code order, after None for one that is not stated."""
    protocol = CONDITION_OF.get(name)
    if protocol is None:
        return (None,)
    return (None, *category(protocol).choices)


@per_schema
def norm_table(name: str) -> FloatArray:
    """Mean and SD of a measure's true values by protocol and sex.

    Parameters
    ----------
    name
        A measure, without its side.

    Returns
    -------
    Shape (n_conditions, 3, 2), on the scale of z-scores; NaN where there is no norm.
    """
    measure = quantity(name)
    table = np.empty((len(conditions_of(name)), len(SEXES), 2))
    for row, condition in enumerate(conditions_of(name)):
        norm = measure.norm(condition)
        for column, sex in enumerate(SEXES):
            pair = norm.of(sex) if norm else None
            pair = pair or (norm.of(None) if norm else None)
            table[row, column] = _on_scale(measure, pair) if pair else (np.nan, np.nan)
        table[row, :, 1] *= np.sqrt(true_share(name, row))
    return table


def _on_scale(measure: Quantity, pair: tuple[float, float]) -> tuple[float, float]:
    mean, sd = pair
    if not measure.log_scale:
        return mean, sd
    log_variance = float(np.log1p((sd / mean) ** 2))
    return float(np.log(mean) - log_variance / 2), float(np.sqrt(log_variance))


def location_and_scale(name: str, columns: Columns) -> tuple[FloatArray, FloatArray]:
    """Mean and SD of a measure's true values for each screening, by sex and protocol.

    Parameters
    ----------
    name
        A measure that has a norm, without its side.
    columns
        Coded columns of n screenings: ``sex``, and the protocol that the norm depends on.

    Returns
    -------
    Mean and SD, each of shape (n,): in the measure's unit, or of its logarithm for a measure of a
    log scale.
    """
    norms = norm_table(name)[places_in_table(name, columns)]
    return norms[:, 0], norms[:, 1]


def places_in_table(name: str, columns: Columns) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each screening stands in the table of a measure's norms: its protocol and its sex.

    Parameters
    ----------
    name
        A measure, without its side.
    columns
        Coded columns of n screenings, as for `location_and_scale`.

    Returns
    -------
    The indices of `conditions_of` and of `SEXES`, each of shape (n,).
    """
    protocol = CONDITION_OF.get(name)
    codes = columns.get(protocol) if protocol else None
    sex = _sex_codes(columns)
    return np.zeros(len(sex), dtype=np.intp) if codes is None else _condition_codes(codes), sex


def places_in_tables(
    names: Sequence[str], columns: Sequence[Columns]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """`places_in_table` of several measures at once.

    Parameters
    ----------
    names
        k measures, without their side.
    columns
        For each of them the coded columns of its n screenings.

    Returns
    -------
    The indices of `conditions_of` and of `SEXES`, each of shape (n, k).
    """
    sex = _sex_codes({"sex": np.array([data["sex"] for data in columns]).T})
    condition = np.zeros(sex.shape, dtype=np.intp)
    for k, (name, data) in enumerate(zip(names, columns, strict=True)):
        if name in CONDITION_OF:
            condition[:, k] = _condition_codes(data[CONDITION_OF[name]])
    return condition, sex


def _sex_codes(columns: Columns) -> NDArray[np.intp]:
    # `fmin` and `fmax` pass over NaN: a sex that is not stated is the last of `SEXES`.
    return np.fmin(columns["sex"], 2.0).astype(np.intp)


def _condition_codes(protocol: FloatArray) -> NDArray[np.intp]:
    return np.fmax(protocol, -1.0).astype(np.intp) + 1


def to_z(name: str, values: FloatArray, columns: Columns) -> FloatArray:
    """Values as z-scores of the norm; missing stays missing.

    Parameters
    ----------
    name
        A measure that has a norm, without its side.
    values
        Its values in its unit, shape (n,).
    columns
        Coded columns of the same screenings, as for `location_and_scale`.

    Returns
    -------
    Z-scores, shape (n,).
    """
    if np.isnan(values).all():
        return values
    location, scale = location_and_scale(name, columns)
    if quantity(name).log_scale:
        values = np.log(values)
    return (values - location) / scale


def to_z_of_all(names: tuple[str, ...], values: FloatArray, columns: Columns) -> FloatArray:
    """`to_z` of several measures at once.

    Parameters
    ----------
    names
        Measures that have norms, without their side.
    values
        Their values, each in its unit, shape (n, len(names)).
    columns
        Coded columns of the same screenings, as for `location_and_scale`.

    Returns
    -------
    Z-scores, shape (n, len(names)).
    """
    layout = _layout(names)
    codes = [np.zeros(len(values), dtype=np.intp)]
    codes += [_condition_codes(columns[protocol]) for protocol in layout.protocols]
    condition = np.stack(codes, axis=1)[:, layout.protocol]
    norms = layout.tables[np.arange(len(names)), condition, _sex_codes(columns)[:, None]]
    scaled = values.copy()
    scaled[:, layout.log] = np.log(values[:, layout.log])
    return np.asarray((scaled - norms[..., 0]) / norms[..., 1])


class _Layout(NamedTuple):
    """The tables of several measures, padded to one shape (k, n_conditions, 3, 2).

    ``protocol`` (k,) is 0 where a measure has none, else one more than its place in ``protocols``.
    """

    tables: FloatArray
    protocols: tuple[str, ...]
    protocol: NDArray[np.intp]
    log: NDArray[np.bool_]


@per_schema
def _layout(names: tuple[str, ...]) -> _Layout:
    protocol_of_each = [CONDITION_OF.get(name) for name in names]
    protocols = tuple(dict.fromkeys(protocol for protocol in protocol_of_each if protocol))
    most = max(len(conditions_of(name)) for name in names)
    padded = [
        np.pad(norm_table(name), ((0, most - len(norm_table(name))), (0, 0), (0, 0)), mode="edge")
        for name in names
    ]
    positions = [0 if p is None else 1 + protocols.index(p) for p in protocol_of_each]
    return _Layout(
        tables=np.stack(padded),
        protocols=protocols,
        protocol=np.array(positions, dtype=np.intp),
        log=np.array([quantity(name).log_scale for name in names]),
    )


def from_z(name: str, z: FloatArray, columns: Columns) -> FloatArray:
    """Z-scores as values in the measure's unit; the inverse of `to_z`.

    Parameters
    ----------
    name
        A measure that has a norm, without its side.
    z
        Its z-scores, shape (n,).
    columns
        Coded columns of the same screenings, as for `location_and_scale`.

    Returns
    -------
    Values, shape (n,).
    """
    location, scale = location_and_scale(name, columns)
    values = location + scale * z
    return np.exp(values) if quantity(name).log_scale else values


@per_schema
def error_variance(name: str, condition: int = 0) -> float:
    """Variance of the measurement error in units of the true values' variance, sexes averaged."""
    return _error_share(name, condition) / true_share(name, condition)


@per_schema
def true_share(name: str, condition: int = 0) -> float:
    """Share of the norm's variance that is that of true values, at least `LEAST_TRUE_SHARE`."""
    return max(1.0 - _error_share(name, condition), LEAST_TRUE_SHARE)


def _error_share(name: str, condition: int) -> float:
    """Variance of the measurement error over the norm's variance, sexes averaged."""
    measure = quantity(name)
    norm = measure.norm(conditions_of(name)[condition])
    pair = norm.of(None) if norm else None
    if measure.error is None or pair is None:
        return 0.0
    mean, sd = pair
    sem = measure.error.sem
    if measure.log_scale:
        return float((sem / mean) ** 2 / np.log1p((sd / mean) ** 2))
    return float((sem / sd) ** 2)


def drop_unneeded_protocols(data: dict[str, FloatArray]) -> None:
    """Remove a protocol where none of its measures is recorded, in place.

    Parameters
    ----------
    data
        Coded columns, each of shape ``(n,)``.
    """
    for protocol in sorted(set(CONDITION_OF.values())):
        needing = [name for name, needed in CONDITION_OF.items() if needed == protocol]
        needing += [rule.ratio for rule in RATIOS if rule.protocol == protocol == "hip_torque_mode"]
        given = [~np.isnan(data[f"{side}_{name}"]) for name in needing for side in SIDES]
        data[protocol] = np.where(np.any(given, axis=0), data[protocol], np.nan)
