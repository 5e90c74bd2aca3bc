"""What may be changed in a what-if: which measures, how far, and what has to follow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
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
from kneerisk.schema.rules import RATIOS, SPIKE_PARTS

#: A change by just the limit counts, whatever the last digit of the sum is.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A screening before and after, and the columns of it that differ.

    ``asked`` are those that were named, ``followed`` ratios that are computed from them;
    ``before`` and ``after`` are flat rows.
    """

    screening: Screening
    asked: tuple[str, ...]
    followed: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def direction(self) -> int:
        """Where the published evidence points: 1 higher risk, -1 lower, 0 nowhere or both ways."""
        data = coded([self.screening])
        moves = {
            int(np.sign(self.after[column] - self.before[column])) * direction_of(column, data)
            for column in (*self.asked, *self.followed)
        } - {0}
        return moves.pop() if len(moves) == 1 else 0


def changed(screening: Screening, changes: Mapping[str, float], metadata: Metadata) -> Changed:
    """The screening with other values of some measures, and the ratios that are made of them.

    Raises
    ------
    ScreeningRefused
        With every fault of the changes.
    """
    before, data = to_row(screening), coded([screening])
    wrong = {column: list(_faults(column, changes[column], before, data, metadata))
             for column in changes}  # fmt: skip
    faults = [fault for found in wrong.values() for fault in found]
    after: dict[str, Any] = before | {name: changes[name] for name in changes if not wrong[name]}
    followed = []
    for ratio, over, under in _computed_ratios(before):
        parts = [part for part in (over, under) if part in changes and not wrong[part]]
        if parts:
            after[ratio] = after[over] / after[under] if after[under] else math.inf
            followed.append(ratio)
            faults += _ratio_faults(ratio, parts, after[ratio], metadata)
    if faults:
        raise ScreeningRefused(faults)
    return Changed(
        screening=_with_values(screening, {n: after[n] for n in (*changes, *followed)}),
        asked=tuple(changes),
        followed=tuple(followed),
        before=before,
        after=after,
    )


def plain_faults(column: str) -> Iterator[Fault]:
    """Why a measure can't be changed, whoever the athlete is."""
    measure = columns().get(column)
    if measure is None:
        yield _fault(column, "unknown_name", "is not a measure of the schema")
    elif not measure.modifiable:
        yield _fault(column, "not_modifiable", "is not a measure that can be changed")


def direction_of(column: str, data: Columns) -> int:
    """What more of a measure does to risk by published evidence: 1 raises, -1 lowers, 0 unknown.

    The schema says so, or a published factor that is about athletes like this one; ``data`` are
    coded columns of one screening.
    """
    measure, name = columns()[column], location_of(column)[-1]
    if isinstance(measure, Quantity) and measure.direction:
        return 1 if measure.direction == "raises" else -1
    found = {_sign(e) for e in risk_factors() if _about(e, name) and belongs(e.population, data)[0]}
    return found.pop() if len(found) == 1 else 0


def _about(effect: Effect, name: str) -> bool:
    # The body mass index has no measure of its own; of its two parts only the mass can change.
    return name == (effect.measure or "mass_kg")


def _sign(effect: Effect) -> int:
    raises = 1 if effect.high > 0 else -1
    return -raises if effect.contrast == "per_sd_lower" else raises


def _faults(
    column: str, target: float, row: Mapping[str, Any], data: Columns, metadata: Metadata
) -> Iterator[Fault]:
    """The first thing wrong with one change, in the order in which a person would ask."""
    plain = list(plain_faults(column))
    if plain:
        yield from plain
        return
    measure = columns()[column]
    computed = _computed_ratios(row)
    part = any(column in names[1:] for names in computed)
    if not part and not (measure.model_input and column in metadata.population):
        yield _fault(column, "not_an_input", "is no input of this model, so that nothing follows")
    elif column not in row:
        yield _fault(column, "not_measured", "was not measured, so that there is no change from it")
    elif any(column == names[0] for names in computed):
        parts = next(f"{over} or {under}" for ratio, over, under in computed if ratio == column)
        yield _fault(column, "computed_from_parts", f"is computed here: change {parts}")
    elif isinstance(measure, Quantity):
        yield from _bad_target(column, measure, target, row[column], data, metadata)


def _bad_target(
    column: str, measure: Quantity, target: float, value: float, data: Columns, metadata: Metadata
) -> Iterator[Fault]:
    seen = metadata.population.get(column)
    if not measure.low <= target <= measure.high:
        yield _fault(column, "outside_limits", "must be within its limits", measure.allowed)
    elif measure.whole and target != int(target):
        yield _fault(column, "not_a_number", "must be a whole number", measure.allowed)
    elif measure.model_input and seen and not seen["low"] <= target <= seen["high"]:
        message = "lies outside what the model has seen"
        yield _fault(column, "outside_range_seen", message, _range_of(seen, measure))
    elif not _detectable(column, value, target, data):
        message = "is nearer to the measured value than two readings of one truth may be"
        allowed = _least_change(location_of(column)[-1], measure, data)
        yield _fault(column, "within_error", message, allowed)


def detectable(column: str, value: float, target: float, data: Columns) -> float | None:
    """The minimal detectable change between two values; None where no error is published."""
    name = location_of(column)[-1]
    values = np.array([value]), np.array([target])
    limit = float(detectable_change(name, *values, error_sd(name, data))[0])
    return None if math.isnan(limit) else limit


def _detectable(column: str, value: float, target: float, data: Columns) -> bool:
    limit = detectable(column, value, target, data)
    return target != value and abs(target - value) >= (limit or 0.0) * (1.0 - ROUNDING)


def _least_change(name: str, measure: Quantity, data: Columns) -> str:
    """The least change in words that hold for anybody: no value of the athlete is in them."""
    limit = MDC_PER_SEM * float(error_sd(name, data)[0])
    if math.isnan(limit):
        return "any other value"
    if measure.log_scale:
        more, less = _up(100 * math.expm1(limit), 1), _up(-100 * math.expm1(-limit), 1)
        return f"at least {more:g} % more or {less:g} % less"
    return f"at least {_up(limit, 3):g} {measure.unit} more or less"


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
    ratio: str, parts: list[str], value: float, metadata: Metadata
) -> Iterator[Fault]:
    measure = columns()[ratio]
    if not isinstance(measure, Quantity):
        return
    bounds = {"low": measure.low, "high": measure.high}
    if measure.model_input:
        bounds = metadata.population.get(ratio, bounds)
    if bounds["low"] <= value <= bounds["high"]:
        return
    for part in parts:
        message = f"takes {ratio}, which is computed from it, outside what the model has seen"
        allowed = f"{ratio}: {_range_of(bounds, measure)}"
        yield _fault(part, "ratio_outside_range", message, allowed)


def _range_of(bounds: Mapping[str, float], measure: Quantity) -> str:
    return f"a number from {bounds['low']:g} to {bounds['high']:g} {measure.unit}"


def _fault(column: str, code: str, message: str, allowed: str | None = None) -> Fault:
    return replace(fault_at(code, ("changes", column), message), allowed=allowed)


def _with_values(screening: Screening, values: Mapping[str, float]) -> Screening:
    body = screening.model_dump()
    for column, value in values.items():
        *sections, name = location_of(column)
        part = body
        for section in sections:
            part = part[section]
        part[name] = value
    try:
        return Screening.model_validate(body)
    except ValidationError as error:
        raise ScreeningRefused(faults_of(error)) from None
