"""What became of every measure of the schema; nothing is assumed silently."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kneerisk.answer.contract import Effect, Input, InputStatus
from kneerisk.answer.norms import norm_of
from kneerisk.answer.reading import Reading
from kneerisk.answer.status import seen_before
from kneerisk.schema import Measure, Quantity, columns
from kneerisk.schema.columns import location_of


def inputs_of(reading: Reading, i: int, effects: dict[str, Effect]) -> list[Input]:
    """Every canonical column: used, missing or why not, what is typical, and what it did."""
    return [_input(reading, i, column, effects.get(column)) for column in columns()]


def _input(reading: Reading, i: int, column: str, effect: Effect | None) -> Input:
    measure, value = columns()[column], reading.rows[i].get(column)
    seen = reading.facts.population.get(column, {})
    status = input_status(measure, value, seen)
    told = effect if status in {"used", "out_of_range"} else None
    if not isinstance(measure, Quantity):
        return Input(column=column, status=status, value=value, effect=told)
    norm = norm_of(location_of(column)[-1], reading.rows[i]) if measure.norms else None
    error = norm.error(value) if norm and value is not None else math.nan
    return Input(
        column=column,
        status=status,
        unit=measure.unit,
        value=value,
        typical=norm.typical if norm else None,
        error=None if math.isnan(error) else error,
        range_seen=(seen["low"], seen["high"]) if "low" in seen else None,
        effect=told,
    )


def input_status(measure: Measure, value: object, seen: Mapping[str, Any]) -> InputStatus:
    """What a model makes of a value, from what its cohort held of the measure."""
    if value is None:
        return "missing"
    if not measure.model_input:
        return "recorded_only"
    if not seen:
        return "unknown_to_model"
    return "used" if seen_before(measure, value, seen) else "out_of_range"
