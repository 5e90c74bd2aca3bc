"""What an answer must say of itself first: refer, pain now, outside what the model has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kneerisk.answer.answer_schema import Flag, Reason
from kneerisk.answer.predictions import Predictions
from kneerisk.answer.red_flags import must_refer
from kneerisk.model import Metadata
from kneerisk.schema import SIDES, Category, Measure, Quantity, Screening, Side, columns

#: The answer says little when its interval is at least this share of the one that age, sex and
#: sport alone give.
LITTLE_GAIN = 0.9


def reasons_of(predictions: Predictions, i: int, flags: list[Flag]) -> list[Reason]:
    """Every reason that applies to screening i, the most serious first."""
    screening, metadata = predictions.screenings[i], predictions.metadata
    found = [
        Reason(code="refer", message=f"{flag.urgency}: {flag.reason}")
        for flag in flags
        if must_refer([flag])
    ]
    for side in hurting(screening, metadata):
        message = f"the {side} knee hurts now, so a risk of new pain in it has no meaning"
        found.append(Reason(code="current_pain", message=message, column=f"{side}_pain_nrs"))
    found += _outside(predictions.rows[i], metadata)
    if predictions.width[i] >= LITTLE_GAIN * predictions.plain_width[i]:
        message = "the interval is nearly as wide as with age, sex and sport alone"
        found.append(Reason(code="low_information", message=message))
    return found


def hurting(screening: Screening, metadata: Metadata) -> list[Side]:
    """The knees that hurt now, where the model is about new pain."""
    if metadata.outcome_kind != "new_pain":
        return []
    return [side for side in SIDES if side in screening.pain.sides]


def _outside(row: Mapping[str, Any], metadata: Metadata) -> Iterator[Reason]:
    """Values outside what the model has seen, and answers that it never saw."""
    for column, value in row.items():
        measure, seen = columns()[column], metadata.population.get(column)
        if not seen or not measure.model_input or seen_before(measure, value, seen):
            continue
        if isinstance(measure, Quantity):
            range_seen = f"{seen['low']:g} to {seen['high']:g} {measure.unit}"
            message = f"{measure.label} lies outside what the model has seen, {range_seen}"
        else:
            message = f"{measure.label}: the model has seen {', '.join(seen['choices'])} only"
        yield Reason(code="out_of_population", message=message, column=column)


#: An unspecified sex is read as the average of both, which a model has always seen.
_AVERAGE = "unspecified"


def seen_before(measure: Measure, value: Any, seen: Mapping[str, Any]) -> bool:
    """Whether a value lies inside what the model's cohort held of its measure."""
    if isinstance(measure, Category):
        return value == _AVERAGE or value in seen["choices"]
    return bool(seen["low"] <= value <= seen["high"])
