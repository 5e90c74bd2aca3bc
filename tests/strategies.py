"""Hypothesis strategies derived from the schema: whatever they make is a valid screening."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from kneerisk.schema import SIDES, Category, Measure, Quantity, Screening, columns
from kneerisk.schema.columns import column_locations
from kneerisk.schema.rules import NEEDS, RATIOS, SPIKE_PARTS
from kneerisk.schema.sections import RED_FLAGS

MUST = ("age_years", "sex")
OPTIONAL = tuple(name for name in columns() if name not in MUST)


def values(measure: Measure) -> SearchStrategy[Any]:
    """Any value that the measure allows on its own."""
    if isinstance(measure, Category):
        return st.sampled_from(measure.choices)
    assert isinstance(measure, Quantity)
    if measure.whole:
        return st.integers(int(measure.low), int(measure.high))
    return st.floats(measure.low, measure.high)


def subsets() -> SearchStrategy[tuple[str, ...]]:
    """Any choice of columns besides age and sex, none and all among them."""
    some = st.lists(st.sampled_from(OPTIONAL), unique=True, max_size=40).map(tuple)
    return st.one_of(st.just(()), some, st.just(OPTIONAL))


@st.composite
def rows(draw: DrawFn, names: SearchStrategy[tuple[str, ...]] | None = None) -> dict[str, Any]:
    """A flat row (canonical column to value) that keeps the rules between measures."""
    chosen = draw(names if names is not None else subsets())
    row = {name: draw(values(columns()[name])) for name in (*MUST, *chosen)}
    for need in NEEDS:
        given = [f"{side}_{m}" in row for side in SIDES for m in need.measures]
        if any(given) and need.protocol not in row:
            row[need.protocol] = draw(values(columns()[need.protocol]))
    _agree(row, *SPIKE_PARTS)
    for rule in RATIOS:
        if row.get(rule.protocol) in rule.modes:
            for side in SIDES:
                _agree(row, *(f"{side}_{name}" for name in (rule.ratio, rule.over, rule.under)))
    if row.get("left_leg_length_deficit_cm") and "right_leg_length_deficit_cm" in row:
        row["right_leg_length_deficit_cm"] = 0.0
    if "left_lateral_pelvic_tilt_deg" in row and "right_lateral_pelvic_tilt_deg" in row:
        row["right_lateral_pelvic_tilt_deg"] = -row["left_lateral_pelvic_tilt_deg"]
    return row


def _agree(row: dict[str, Any], ratio: str, over: str, under: str) -> None:
    """Make a ratio the one of its parts, or leave it out where that is outside its limits."""
    if not {ratio, over, under} <= set(row):
        return
    limits = columns()[ratio]
    assert isinstance(limits, Quantity)
    agreed = row[over] / row[under] if row[under] else float("inf")
    if limits.low <= agreed <= limits.high:
        row[ratio] = agreed
    else:
        del row[ratio]


def red_flags() -> SearchStrategy[list[str] | None]:
    """Not asked, none, or some."""
    return st.none() | st.lists(st.sampled_from(RED_FLAGS), unique=True)


@st.composite
def bodies(draw: DrawFn, names: SearchStrategy[tuple[str, ...]] | None = None) -> dict[str, Any]:
    """The JSON body of a valid screening; ``names`` limits which columns are in it."""
    body: dict[str, Any] = {}
    for column, value in draw(rows(names)).items():
        part = body
        *sections, name = column_locations()[column]
        for section in sections:
            part = part.setdefault(section, {})
        part[name] = value
    flags = draw(red_flags())
    return body if flags is None else {**body, "red_flags": flags}


def screenings(names: SearchStrategy[tuple[str, ...]] | None = None) -> SearchStrategy[Screening]:
    """Valid screenings; ``names`` limits which columns are measured."""
    return bodies(names).map(Screening.model_validate)
