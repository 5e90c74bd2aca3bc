"""What may be changed in a what-if: which measures, how far, and which ratios change with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from kneerisk.errors import Fault, ScreeningRefused
from kneerisk.evidence.risk_factors import belongs, risk_factors
from kneerisk.evidence.table_models import Effect
from kneerisk.model import Metadata
from kneerisk.schema import (
    SIDES,
    Columns,
    Quantity,
    Screening,
    coded,
    columns,
    fault_at,
    faults_of,
    to_row,
)
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import detectable_change, error_sd
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.rules import RATIOS, SPIKE_PARTS, same_reading
from kneerisk.words import text, variant

#: A change by just the limit counts, whatever the last digit of the sum is.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedScreening:
    """A screening with other values of some measures.

    Attributes
    ----------
    requested
        Columns that the request names.
    recomputed
        What changes with them: computed ratios, and one reading's column of the other leg.
    before, after
        Flat rows of measured values by canonical column, in the measures' units.
    """

    screening: Screening
    """After the change."""
    requested: tuple[str, ...]
    recomputed: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def direction(self) -> int:
        """Where the published evidence points: 1 higher risk, -1 lower, 0 nowhere or both ways."""
        data = coded([self.screening])
        directions = {
            int(np.sign(self.after[column] - self.before[column])) * direction_of(column, data)
            for column in (*self.requested, *self.recomputed)
        } - {0}
        return directions.pop() if len(directions) == 1 else 0


def change_measures(
    screening: Screening, changes: Mapping[str, float], metadata: Metadata
) -> ChangedScreening:
    """The screening with other values of some measures, and of the ratios made of them.

    Parameters
    ----------
    screening
        The screening as measured.
    changes
        New values by canonical column, in the measures' units.
    metadata
        What is known about the model: a value must lie within the range of its cohort.

    Returns
    -------
    The screening after the change, and what changed.

    Raises
    ------
    ScreeningRefused
        With every fault of the changes.
    """
    before, data = to_row(screening), coded([screening])
    faults_by_column = {column: list(_faults(column, changes[column], before, data, metadata))
                        for column in changes}  # fmt: skip
    faults = [fault for column_faults in faults_by_column.values() for fault in column_faults]
    sound = [column for column in changes if not faults_by_column[column]]
    after: dict[str, Any] = before | {column: changes[column] for column in sound}
    recomputed = [c for c in before if same_reading(c) in sound and c not in changes]
    after |= {column: after[str(same_reading(column))] for column in recomputed}
    for ratio, over, under in _computed_ratios(before):
        components = [column for column in (over, under) if column in sound]
        if components:
            after[ratio] = after[over] / after[under] if after[under] else math.inf
            recomputed.append(ratio)
            faults += _ratio_faults(ratio, components, after[ratio], metadata)
    if faults:
        raise ScreeningRefused(faults)
    return ChangedScreening(
        screening=_with_values(screening, {n: after[n] for n in (*changes, *recomputed)}),
        requested=tuple(changes),
        recomputed=tuple(recomputed),
        before=before,
        after=after,
    )


def unchangeable_faults(column: str) -> Iterator[Fault]:
    """Why a measure can't be changed in any athlete."""
    measure = columns().get(column)
    if measure is None:
        yield _fault(column, "unknown_name")
    elif not measure.modifiable:
        yield _fault(column, "not_modifiable")


def direction_of(column: str, data: Columns) -> int:
    """What more of a measure does to risk by published evidence.

    The direction is that of the schema, or of the published factors about athletes like this one.

    Parameters
    ----------
    column
        Canonical column of the measure.
    data
        Coded columns of one screening, shape (1,).

    Returns
    -------
    1 where more raises risk, -1 where it lowers it, 0 where that is unknown or disputed.
    """
    measure, name = columns()[column], location_of(column)[-1]
    if isinstance(measure, Quantity) and measure.direction:
        return 1 if measure.direction == "raises" else -1
    signs = {
        _sign(effect)
        for effect in risk_factors()
        if _is_about(effect, name) and belongs(effect.population, data)[0]
    }
    return signs.pop() if len(signs) == 1 else 0


def _is_about(effect: Effect, name: str) -> bool:
    # The body mass index has no measure of its own; of its two parts only the mass can change.
    return name == (effect.measure or "mass_kg")


def _sign(effect: Effect) -> int:
    return -effect.sign if effect.contrast.startswith("per_sd_lower") else effect.sign


def _faults(
    column: str, target: float, row: Mapping[str, Any], data: Columns, metadata: Metadata
) -> Iterator[Fault]:
    """The first thing wrong with one change, in the order in which a person would ask."""
    unchangeable = list(unchangeable_faults(column))
    if unchangeable:
        yield from unchangeable
        return
    measure = columns()[column]
    computed = _computed_ratios(row)
    is_component = any(column in names[1:] for names in computed)
    if not is_component and not (measure.model_input and column in metadata.population):
        yield _fault(column, "not_an_input")
    elif column not in row:
        yield _fault(column, "not_measured")
    elif any(column == names[0] for names in computed):
        over, under = next(names[1:] for names in computed if column == names[0])
        yield _fault(column, "computed_from_parts", over=over, under=under)
    elif isinstance(measure, Quantity):
        yield from _bad_target(column, measure, target, row[column], data, metadata)


def _bad_target(
    column: str, measure: Quantity, target: float, value: float, data: Columns, metadata: Metadata
) -> Iterator[Fault]:
    population = metadata.population.get(column)
    violation = measure.violation(target)
    if violation is not None:
        fault = fault_at(violation.code, ("changes", column), violation.message)
        yield replace(fault, allowed=measure.allowed)
    elif (
        measure.model_input and population and not population["low"] <= target <= population["high"]
    ):
        yield _fault(column, "outside_range_seen", _range_of(population, measure))
    elif not _is_detectable(column, value, target, data):
        least = _least_change(location_of(column)[-1], measure, data)
        yield _fault(column, "within_error", least)


def minimal_detectable_change(
    column: str, value: float, target: float, data: Columns
) -> float | None:
    """The minimal detectable change between two values of a measure.

    Parameters
    ----------
    column
        Canonical column of the measure.
    value
        Value as measured, in the measure's unit.
    target
        Value as changed, in the same unit.
    data
        Coded columns of one screening, shape (1,).

    Returns
    -------
    The change in the measure's unit, 95 %; None where no error is published.
    """
    name = location_of(column)[-1]
    values = np.array([value]), np.array([target])
    limit = float(detectable_change(name, *values, error_sd(name, data))[0])
    return None if math.isnan(limit) else limit


def _is_detectable(column: str, value: float, target: float, data: Columns) -> bool:
    limit = minimal_detectable_change(column, value, target, data)
    return target != value and abs(target - value) >= (limit or 0.0) * (1.0 - ROUNDING)


def _least_change(name: str, measure: Quantity, data: Columns) -> str:
    """The least change that counts, without any value of the athlete, since errors are logged."""
    limit = MDC_PER_SEM * float(error_sd(name, data)[0])
    if math.isnan(limit):
        return text("answer.what_if.allowed.any")
    if measure.log_scale:
        more, less = _up(100 * math.expm1(limit), 1), _up(-100 * math.expm1(-limit), 1)
        return text("answer.what_if.allowed.percent", more=f"{more:g}", less=f"{less:g}")
    least = f"{_up(limit, 3):g}"
    return text("answer.what_if.allowed.change", least=least, unit=measure.unit)


def _up(number: float, decimals: int) -> float:
    """Rounded up, so that what is said to be enough is enough."""
    return float(math.ceil(10**decimals * number) / 10**decimals)


def _computed_ratios(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Ratios that are given together with the two parts that they are computed from."""
    rules = [SPIKE_PARTS]
    rules += [
        (f"{side}_{rule.ratio}", f"{side}_{rule.over}", f"{side}_{rule.under}")
        for rule in RATIOS
        for side in SIDES
        if row.get(rule.protocol) in rule.modes
    ]
    return [names for names in rules if all(name in row for name in names)]


def _ratio_faults(
    ratio: str, components: Sequence[str], value: float, metadata: Metadata
) -> Iterator[Fault]:
    measure = columns()[ratio]
    if not isinstance(measure, Quantity):
        return
    bounds = {"low": measure.low, "high": measure.high}
    if measure.model_input:
        bounds = metadata.population.get(ratio, bounds)
    if bounds["low"] <= value <= bounds["high"]:
        return
    allowed = f"{ratio}: {_range_of(bounds, measure)}"
    for column in components:
        yield _fault(column, "ratio_outside_range", allowed, ratio=ratio)


def _range_of(bounds: Mapping[str, float], measure: Quantity) -> str:
    low, high = f"{bounds['low']:g}", f"{bounds['high']:g}"
    return text("schema.allowed.number.any", low=low, high=high, unit=measure.unit)


def _fault(column: str, code: str, allowed: str | None = None, **values: str) -> Fault:
    message = variant("answer.what_if.faults", code, **values)
    return replace(fault_at(code, ("changes", column), message), allowed=allowed)


def _with_values(screening: Screening, values: Mapping[str, float]) -> Screening:
    body = screening.model_dump()
    for column, value in values.items():
        *sections, name = location_of(column)
        target = body
        for section in sections:
            target = target[section]
        target[name] = value
    try:
        return Screening.model_validate(body)
    except ValidationError as error:
        raise ScreeningRefused(faults_of(error)) from None
