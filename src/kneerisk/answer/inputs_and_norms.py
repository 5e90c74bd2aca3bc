"""What became of every measure of the schema, and what is typical of it.

A column is used, missing, or left out for a stated reason; nothing is assumed. Its norm and the
error of one reading are those of the athlete's sex and the protocol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from kneerisk.answer.answer_schema import Effect, Input, InputStatus
from kneerisk.answer.little_known import Flags
from kneerisk.answer.pattern_schema import Typical
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.status_rules import RangesSeen
from kneerisk.schema import Quantity, code, columns, quantity
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import error_sd, reading_error
from kneerisk.schema.own_measures import per_schema, per_schema_at_most
from kneerisk.schema.z_scores import (
    CONDITION_OF,
    conditions_of,
    location_and_scale,
    true_share,
)

#: The protocols that norms depend on.
PROTOCOLS = tuple(sorted(set(CONDITION_OF.values())))
#: So many combinations of sex and protocols are remembered (assumption: more than a team has).
MOST_COMBINATIONS = 64


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
    row = predictions.rows[i]
    protocols = tuple(row.get(protocol) for protocol in PROTOCOLS)
    known = _known_columns(row["sex"], protocols, predictions.ranges_seen)
    inputs = {column: facts.missing for column, facts in known.items()}
    for column, value in row.items():
        facts = known[column]
        status = _status(facts, predictions.outside.get(column), i)
        inputs[column] = _measured(facts, value, status, effects.get(column))
    return list(inputs.values())


class _KnownColumn(NamedTuple):
    """What is known of a column before it is measured: it as an input, its norm, who reads it."""

    missing: Input
    norm: Norm | None
    model_input: bool


def _status(facts: _KnownColumn, outside: Flags | None, i: int) -> InputStatus:
    """What the model makes of a value."""
    if not facts.model_input:
        return "recorded_only"
    if outside is None:
        return "unknown_to_model"
    return "out_of_range" if outside[i] else "used"


def _measured(facts: _KnownColumn, value: Any, status: InputStatus, effect: Effect | None) -> Input:
    """A column with its value, and what that did."""
    if status == "recorded_only" and effect is not None and effect.moves:
        # Pain now is no column of the model, but a knee that hurts makes both legs' strength lower.
        status = "used"
    missing, norm = facts.missing, facts.norm
    return Input(
        column=missing.column,
        status=status,
        unit=missing.unit,
        value=value if isinstance(value, str) else float(value),
        typical=missing.typical,
        error=_error(norm, value) if norm and missing.typical else None,
        range_seen=missing.range_seen,
        effect=effect if status in {"used", "out_of_range"} else None,
    )


def _error(norm: Norm, value: float) -> float | None:
    """The error of one reading; None where none is published."""
    error = norm.error(value)
    return None if math.isnan(error) else error


@per_schema_at_most(MOST_COMBINATIONS)
def _known_columns(
    sex: str, protocols: tuple[str | None, ...], ranges: RangesSeen
) -> Mapping[str, _KnownColumn]:
    """Every column as one that was not measured: most are, and alike for a sex and protocols."""
    stated, known = dict(zip(PROTOCOLS, protocols, strict=True)), dict[str, _KnownColumn]()
    for column, seen in zip(columns(), ranges, strict=True):
        protocol = stated.get(CONDITION_OF.get(location_of(column)[-1], ""))
        known[column] = _known_column(column, sex, protocol, seen)
    return known


@per_schema
def _known_column(
    column: str, sex: str, protocol: str | None, seen: tuple[float, float] | None
) -> _KnownColumn:
    """A column that was not measured: its norm hangs on the one protocol of its own."""
    measure, name = columns()[column], location_of(column)[-1]
    if not isinstance(measure, Quantity):
        missing, norm = Input(column=column, status="missing"), None
    else:
        row = {"sex": sex, CONDITION_OF.get(name, ""): protocol}
        norm = norm_of(name, row) if measure.norms else None
        missing = Input(
            column=column,
            status="missing",
            unit=measure.unit,
            typical=norm.typical if norm else None,
            range_seen=seen,
        )
    return _KnownColumn(missing, norm, measure.model_input)


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What is typical of a measure for a sex and a protocol.

    Attributes
    ----------
    measure
        Name of the measure without its side.
    quantity
        What the schema says of it.
    typical
        Mean and SD in uninjured adults, in the measure's unit; None where the schema has no norm,
        and the numbers are then NaN.
    location
        Mean on the scale of z-scores: the unit, or the logarithm for measures of a log scale.
    scale
        SD of readings on the same scale.
    true_scale
        SD of the true values on the same scale: without the error of the test.
    error_sd
        SD of the error of one reading on the same scale; NaN where no error is published.
    error_per
        Error of one reading, 95 %, in the unit; on a log scale per unit of the value.
    """

    measure: str
    quantity: Quantity
    typical: Typical | None
    location: float
    scale: float
    true_scale: float
    error_sd: float
    error_per: float

    def scaled(self, value: float) -> float:
        """A value on the scale of z-scores."""
        return math.log(value) if self.quantity.log_scale else value

    def value_at(self, z: float) -> float:
        """The value at a z-score of the true values, in the measure's unit."""
        scaled = self.location + self.true_scale * z
        return math.exp(scaled) if self.quantity.log_scale else scaled

    def error(self, value: float) -> float:
        """The error of one reading of this value, 95 %, in the measure's unit."""
        return self.error_per * (value if self.quantity.log_scale else 1.0)


def norm_of(measure: str, row: Mapping[str, Any]) -> Norm:
    """The norm of a measure for the sex and the protocol of a flat row of values."""
    return _norm(measure, row["sex"], row.get(CONDITION_OF.get(measure, "")))


@per_schema
def _norm(measure: str, sex: str, protocol: str | None) -> Norm:
    data = {"sex": np.array([code(columns()["sex"], sex)])}
    condition = CONDITION_OF.get(measure)
    if condition:
        data[condition] = np.array([code(columns()[condition], protocol)])
    location, true_scale = location_and_scale(measure, data)
    norm = quantity(measure).norm(protocol)
    share = true_share(measure, conditions_of(measure).index(protocol if condition else None))
    pair = (norm.of(sex) or norm.of(None)) if norm else None
    return Norm(
        measure=measure,
        quantity=quantity(measure),
        typical=Typical(mean=pair[0], sd=pair[1], source=norm.source) if norm and pair else None,
        location=float(location[0]),
        scale=float(true_scale[0]) / math.sqrt(share),
        true_scale=float(true_scale[0]),
        error_sd=float(error_sd(measure, data)[0]),
        error_per=float(reading_error(measure, np.array([1.0]), data)[0]),
    )
