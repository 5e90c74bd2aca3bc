"""What became of every measure of the schema: used, missing, or why not. Nothing is assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from kneerisk.answer.answer_schema import Effect, Input, InputStatus
from kneerisk.answer.norms import norm_of
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.risk import within_population
from kneerisk.schema import Measure, Quantity, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.z_scores import CONDITION_OF


def inputs_of(predictions: Predictions, i: int, effects: Mapping[str, Effect]) -> list[Input]:
    """Every canonical column: used, missing or why not, what is typical, and what it did.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    effects
        What each column did to the risk of the knees; columns may be absent.

    Returns
    -------
    One input for each column of the schema, in its order.
    """
    return [_input(predictions, i, column, effects.get(column)) for column in columns()]


def _input(predictions: Predictions, i: int, column: str, effect: Effect | None) -> Input:
    measure, row = columns()[column], predictions.rows[i]
    value, population = row.get(column), predictions.metadata.population.get(column, {})
    if value is None:
        protocol = row.get(CONDITION_OF.get(location_of(column)[-1], ""))
        return _missing(column, row["sex"], protocol, _range_seen(population))
    status = input_status(measure, value, population)
    effect_used = effect if status in {"used", "out_of_range"} else None
    if not isinstance(measure, Quantity):
        return Input(column=column, status=status, value=value, effect=effect_used)
    norm = norm_of(location_of(column)[-1], row) if measure.norms else None
    error = norm.error(value) if norm else math.nan
    return Input(
        column=column,
        status=status,
        unit=measure.unit,
        value=value,
        typical=norm.typical if norm else None,
        error=None if math.isnan(error) else error,
        range_seen=_range_seen(population),
        effect=effect_used,
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


def _range_seen(population: Mapping[str, Any]) -> tuple[float, float] | None:
    return (population["low"], population["high"]) if "low" in population else None


def input_status(measure: Measure, value: object, population: Mapping[str, Any]) -> InputStatus:
    """What a model makes of a value, from what its cohort held of the measure.

    Parameters
    ----------
    measure
        The measure.
    value
        Its value, None where it was not measured.
    population
        What the model's cohort held of it; empty where it held nothing.

    Returns
    -------
    The status that the answer gives.
    """
    if value is None:
        return "missing"
    if not measure.model_input:
        return "recorded_only"
    if not population:
        return "unknown_to_model"
    return "used" if within_population(measure, value, population) else "out_of_range"
