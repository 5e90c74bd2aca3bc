"""What became of every measure of the schema; nothing is assumed silently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kneerisk.answer.contract import Effect, Input, InputStatus, Typical
from kneerisk.answer.reading import Reading
from kneerisk.answer.status import seen_before
from kneerisk.schema import Measure, Quantity, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.standard import CONDITION_OF

#: A single reading is off by no more than this many standard errors in 95 of 100 cases.
READING_95 = 1.96


def inputs_of(reading: Reading, i: int, effects: dict[str, Effect]) -> list[Input]:
    """Every canonical column: used, missing or why not, what is typical, and what it did."""
    return [_input(reading, i, column, effects.get(column)) for column in columns()]


def _input(reading: Reading, i: int, column: str, effect: Effect | None) -> Input:
    measure, value = columns()[column], reading.rows[i].get(column)
    seen = reading.bundle.facts.population.get(column, {})
    status = input_status(measure, value, seen)
    told = effect if status in {"used", "out_of_range"} else None
    if not isinstance(measure, Quantity):
        return Input(column=column, status=status, value=value, effect=told)
    return Input(
        column=column,
        status=status,
        unit=measure.unit,
        value=value,
        typical=typical_of(reading, i, column, measure),
        error=READING_95 * measure.error.sem if measure.error else None,
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


def typical_of(reading: Reading, i: int, column: str, measure: Quantity) -> Typical | None:
    """The norm of a quantity for the athlete's sex, by the protocol that was stated."""
    protocol = CONDITION_OF.get(location_of(column)[-1])
    row = reading.rows[i]
    norm = measure.norm(row.get(protocol) if protocol else None)
    pair = norm.of(row["sex"]) or norm.of(None) if norm else None
    if norm is None or pair is None:
        return None
    return Typical(mean=pair[0], sd=pair[1], source=norm.source)
