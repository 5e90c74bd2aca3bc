"""Whether a mapping fits the schema and the sheet: every mistake at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from kneerisk.cohort.layout import RED_FLAGS_COLUMN
from kneerisk.cohort.sheets.headings import Table
from kneerisk.cohort.sheets.mapping import Cell, Mapping, OutcomeMap
from kneerisk.cohort.sheets.schema_checks import constant_faults
from kneerisk.cohort.sheets.units import UnknownUnit, factor
from kneerisk.cohort.sheets.vocabulary import AGE, MASS, leg_names
from kneerisk.schema import Category, Measure, Quantity, columns


def mapping_faults(mapping: Mapping, table: Table) -> list[str]:
    """Every mistake of a mapping: against the schema, against the sheet, and within itself.

    Parameters
    ----------
    mapping
        The mapping, its form checked.
    table
        The sheet.

    Returns
    -------
    list of str
        One sentence each, which begins with the place in the mapping file.
    """
    return [
        *_header_faults(mapping, table),
        *_measure_faults(mapping),
        *_constant_faults(mapping),
        *_side_faults(mapping),
        *(_outcome_faults(mapping, mapping.outcome) if mapping.outcome else ()),
    ]


def _header_faults(mapping: Mapping, table: Table) -> Iterator[str]:
    if len(table.names) == 1:
        yield "sheet.delimiter: the sheet has one column only, so the delimiter may be another"
    for place, name in mapping.used().items():
        if name in table.references:
            continue
        if count := table.names.count(name):
            yield f"{place}: the sheet has {count} columns {name!r}"
        else:
            yield f"{place}: the sheet has no column {name!r}{_instead(name, table.names)}"


def _instead(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _measure_faults(mapping: Mapping) -> Iterator[str]:
    for section, cells, known in (
        ("columns", mapping.columns, columns()),
        ("legs", mapping.legs, leg_names()),
    ):
        for name, cell in cells.items():
            place = f"{section}.{name}"
            if measure := known.get(name):
                yield from _cell_faults(place, cell, measure, MASS in mapping.columns)
            elif section == "legs" or name != RED_FLAGS_COLUMN:
                yield f"{place}: is not a measure of the schema{_instead(name, list(known))}"


def _cell_faults(place: str, cell: Cell, measure: Measure, has_mass: bool) -> Iterator[str]:
    if isinstance(measure, Category):
        if cell.unit or cell.per_body_mass or cell.opposite:
            yield f"{place}: is {measure.allowed}, so it has no unit and no sign"
        allowed = (*measure.choices, "")
        bad = [f"{word!r}" for word, value in cell.meanings.items() if value not in allowed]
        if bad:
            yield f"{place}: the values of {', '.join(bad)} must be {measure.allowed}"
    if not isinstance(measure, Quantity):
        return
    bad = [f"{word!r}" for word, value in cell.meanings.items() if isinstance(value, str) and value]
    if bad:
        yield f"{place}: the values of {', '.join(bad)} must be numbers"
    try:
        factor(measure, cell.unit, per_body_mass=cell.per_body_mass)
    except UnknownUnit as error:
        yield f"{place}: {error}"
    if cell.per_body_mass and not has_mass:
        yield f"{place}: per_body_mass needs columns.{MASS}"


def _constant_faults(mapping: Mapping) -> Iterator[str]:
    if mapping.birth_date and AGE in (mapping.columns | mapping.constants):
        yield "birth_date: the age is given too, so that one of the two would be ignored"
    if mapping.birth_date and mapping.screening_date is None:
        yield "birth_date: needs screening_date, to which the age is counted"
    for name in mapping.constants:
        if name not in columns():
            yield f"constants.{name}: is not a measure of the schema"
        elif name in mapping.columns:
            yield f"constants.{name}: is mapped to a column too"
    for name, fault in constant_faults(mapping.constants):
        if name not in mapping.columns:
            yield f"constants.{name}: {fault.message}"


def _side_faults(mapping: Mapping) -> Iterator[str]:
    if mapping.sides is None:
        if mapping.legs:
            yield "legs: needs [sides], which names the column that tells the legs apart"
        if mapping.outcome and mapping.outcome.leg:
            yield "outcome.leg: needs [sides], which names the column that tells the legs apart"
    elif mapping.one_row_per:
        yield "one_row_per: can't be used with [sides], where an athlete has a row for each leg"
    for name in mapping.legs:
        for side in ("left", "right"):
            if f"{side}_{name}" in mapping.columns:
                yield f"columns.{side}_{name}: is mapped in legs.{name} too"


def _outcome_faults(mapping: Mapping, outcome: OutcomeMap) -> Iterator[str]:
    forms = [outcome.words, outcome.leg, outcome.left or outcome.right or outcome.either]
    if sum(form is not None for form in forms) != 1:
        yield "outcome: needs one of words, leg, or left and right (or either)"
    if (outcome.left is None) != (outcome.right is None):
        yield "outcome: left and right go together"
    for name in ("left", "right", "either", "leg"):
        cell = getattr(outcome, name)
        if cell and any(value not in (0, 1, "") for value in cell.meanings.values()):
            yield f"outcome.{name}: values must be 0, 1 or empty (not recorded)"
    if outcome.lost and any(v not in ("yes", "no", "") for v in outcome.lost.meanings.values()):
        yield "outcome.lost: values must be yes, no or empty"
    yield from _plain_faults(mapping)
    yield from _horizon_faults(mapping, outcome)


def _plain_faults(mapping: Mapping) -> Iterator[str]:
    """Outcomes and red flags have no unit and no sign: one that is given would be ignored."""
    for place, cell in mapping.cells().items():
        is_plain = place.startswith("outcome.") or place == f"columns.{RED_FLAGS_COLUMN}"
        if is_plain and (cell.unit or cell.per_body_mass or cell.opposite):
            yield f"{place}: has no unit and no sign"


def _horizon_faults(mapping: Mapping, outcome: OutcomeMap) -> Iterator[str]:
    followed = [n for n in ("date", "follow_up_end", "follow_up_months", "lost")
                if getattr(outcome, n) is not None]  # fmt: skip
    if outcome.kind == "new_pain":
        if outcome.horizon_months is None:
            yield "outcome.horizon_months: must be given for new_pain"
        for name in ("date", "follow_up_end"):
            if name in followed and mapping.screening_date is None:
                yield f"outcome.{name}: needs screening_date, from which it is counted"
    else:
        if outcome.horizon_months is not None:
            yield f"outcome.horizon_months: {outcome.kind} has none"
        yield from (f"outcome.{name}: {outcome.kind} has no follow-up" for name in followed)
