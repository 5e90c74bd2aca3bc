"""What became of every measure of the schema; nothing is assumed silently."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from kneerisk.answer.answer_schema import Effect, Input, InputStatus
from kneerisk.answer.norms import norm_of
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.status import seen_before
from kneerisk.schema import Measure, Quantity, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.z_scores import CONDITION_OF


def inputs_of(predictions: Predictions, i: int, effects: dict[str, Effect]) -> list[Input]:
    """Every canonical column: used, missing or why not, what is typical, and what it did."""
    return [_input(predictions, i, column, effects.get(column)) for column in columns()]


def _input(predictions: Predictions, i: int, column: str, effect: Effect | None) -> Input:
    measure, row = columns()[column], predictions.rows[i]
    value, seen = row.get(column), predictions.metadata.population.get(column, {})
    if value is None:
        protocol = row.get(CONDITION_OF.get(location_of(column)[-1], ""))
        return _missing(column, row["sex"], protocol, _range(seen))
    status = input_status(measure, value, seen)
    told = effect if status in {"used", "out_of_range"} else None
    if not isinstance(measure, Quantity):
        return Input(column=column, status=status, value=value, effect=told)
    norm = norm_of(location_of(column)[-1], row) if measure.norms else None
    error = norm.error(value) if norm else math.nan
    return Input(
        column=column,
        status=status,
        unit=measure.unit,
        value=value,
        typical=norm.typical if norm else None,
        error=None if math.isnan(error) else error,
        range_seen=_range(seen),
        effect=told,
    )


@cache
def _missing(
    column: str, sex: str, protocol: str | None, range_seen: tuple[float, float] | None
) -> Input:
    """A column that was not measured: most are, and alike for all of a sex and protocol."""
    measure, name = columns()[column], location_of(column)[-1]
    if not isinstance(measure, Quantity):
        return Input(column=column, status="missing")
    row = {"sex": sex, CONDITION_OF.get(name, ""): protocol}
    norm = norm_of(name, row) if measure.norms else None
    return Input(
        column=column,
        status="missing",
        unit=measure.unit,
        typical=norm.typical if norm else None,
        range_seen=range_seen,
    )


def _range(seen: Mapping[str, Any]) -> tuple[float, float] | None:
    return (seen["low"], seen["high"]) if "low" in seen else None


def input_status(measure: Measure, value: object, seen: Mapping[str, Any]) -> InputStatus:
    """What a model makes of a value, from what its cohort held of the measure."""
    if value is None:
        return "missing"
    if not measure.model_input:
        return "recorded_only"
    if not seen:
        return "unknown_to_model"
    return "used" if seen_before(measure, value, seen) else "out_of_range"
