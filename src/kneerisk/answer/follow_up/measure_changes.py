"""Which measures really changed between visits, and whether for the better."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from kneerisk.answer.follow_up.follow_up_request import Visit
from kneerisk.answer.follow_up.follow_up_schema import (
    DatedReading,
    Direction,
    MeasureChange,
    Verdict,
)
from kneerisk.evidence.population import marks
from kneerisk.schema import (
    SIDES,
    Columns,
    Quantity,
    Side,
    athlete_measures,
    coded,
    columns,
    leg_measures,
    quantities,
    quantity,
)
from kneerisk.schema.columns import location_of
from kneerisk.schema.detectable_change import (
    CONDITIONS,
    Pair,
    PairComparison,
    compare,
    reading_error,
)
from kneerisk.words import plural

#: Of measures compared by their own limit alone, so many in 100 pass it by chance: the limit
#: is that of 95 %.
PASS_BY_CHANCE = 5


def changes_of(visits: Sequence[Visit]) -> list[MeasureChange]:
    """Every number that was measured at two visits or more, right leg before left.

    Age is left out: it changes by itself.
    """
    data = coded([visit.screening for visit in visits])
    measured = {column: np.flatnonzero(~np.isnan(data[column])).tolist() for column in _order()}
    repeated = {column: places for column, places in measured.items() if len(places) > 1}
    if not repeated:
        return []
    comparison = compare([_pair(column, places, data) for column, places in repeated.items()])
    return [
        _change(column, comparison, k, places, visits, data)
        for k, (column, places) in enumerate(repeated.items())
    ]


def by_chance(changes: Sequence[MeasureChange]) -> str | None:
    """How many possible changes error alone would show, in words; None where there is none."""
    compared = sum(change.verdict != "no_error_known" for change in changes)
    possible = sum(change.verdict == "possible" for change in changes)
    if not possible:
        return None
    expected = f"{compared * PASS_BY_CHANCE / 100:.1f}"
    return plural(
        "answer.follow_up.by_chance",
        possible,
        per_100=PASS_BY_CHANCE,
        expected=expected,
        compared=compared,
    )


def side_of(column: str) -> Side | None:
    """The leg that a column is of; None for the athlete."""
    return next((side for side in SIDES if side in location_of(column)), None)


@cache
def _order() -> tuple[str, ...]:
    """Columns that are numbers, in the schema's order, right leg before left."""
    sided = [f"{s}_{name}" for name in quantities(leg_measures()) for s in reversed(SIDES)]
    pain = [
        f"{side}_{location_of(column)[-1]}"
        for column, measure in columns().items()
        if location_of(column)[:2] == ("pain", "left") and isinstance(measure, Quantity)
        for side in reversed(SIDES)
    ]
    athlete = [name for name in quantities(athlete_measures()) if name != "age_years"]
    return (*athlete, *sided, *pain)


def _conditions_at(data: Columns, places: list[int]) -> Columns:
    """Sex and protocols at some visits."""
    return {name: data[name][places] for name in CONDITIONS}


def _pair(column: str, places: list[int], data: Columns) -> Pair:
    """First and last reading; their protocols are the same, or the body was refused."""
    return Pair(
        measure=location_of(column)[-1],
        side=side_of(column) or "",
        first=data[column][places[:1]],
        second=data[column][places[-1:]],
        data=_conditions_at(data, places[:1]),
    )


def _change(
    column: str,
    comparison: PairComparison,
    k: int,
    places: list[int],
    visits: Sequence[Visit],
    data: Columns,
) -> MeasureChange:
    name, side = location_of(column)[-1], side_of(column)
    measure, values = quantity(name), data[column][places]
    errors = reading_error(name, values, _conditions_at(data, places))
    change = float(comparison.difference[0, k])
    verdict = _verdict(comparison, k)
    return MeasureChange(
        column=column,
        measure=name,
        side=side,
        label=measure.label,
        unit=measure.unit,
        first=float(values[0]),
        last=float(values[-1]),
        change=change,
        detectable=None if verdict == "no_error_known" else float(comparison.detectable[0, k]),
        verdict=verdict,
        direction="neither" if verdict == "within_error" else direction_of(name, change),
        series=[
            DatedReading(
                date=visits[i].date,
                value=float(value),
                error=None if np.isnan(error) else float(error),
            )
            for i, value, error in zip(places, values, errors, strict=True)
        ],
    )


def _verdict(comparison: PairComparison, k: int) -> Verdict:
    if np.isnan(comparison.detectable[0, k]):
        return "no_error_known"
    if comparison.beyond_chance[0, k]:
        return "changed"
    return "possible" if comparison.beyond_error[0, k] else "within_error"


def direction_of(measure: str, change: float) -> Direction:
    """Whether a change is for the better, by the published effect on risk.

    Where the evidence supports none, away from the imbalances that the measure marks is better.
    A measure that marks two of them in opposite directions has no better side.
    """
    supported = quantity(measure).direction
    if supported is not None:
        worse = {1 if supported == "raises" else -1}
    else:
        worse = {signs[measure] for signs in marks().values() if measure in signs}
    if change == 0.0 or len(worse) != 1:
        return "neither"
    return "worse" if change * worse.pop() > 0.0 else "better"
