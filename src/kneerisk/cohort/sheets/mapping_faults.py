"""What is wrong with a mapping file: against the schema, against the sheet, and within itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from kneerisk.cohort.layout import RED_FLAGS_COLUMN
from kneerisk.cohort.sheets.lexicon.units import UnknownUnit, factor
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, MASS, leg_names
from kneerisk.cohort.sheets.mapping import Cell, Mapping, OutcomeMap
from kneerisk.cohort.sheets.rows.headings import Table
from kneerisk.cohort.sheets.rows.read_sheet import constant_faults
from kneerisk.schema import Category, Measure, Quantity, columns
from kneerisk.words import text


def mapping_faults(mapping: Mapping, table: Table) -> list[str]:
    """Every mistake of a mapping: against the schema, against the sheet, and within itself.

    Each is one sentence, which begins with the place in the mapping file.
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
        yield f"sheet.delimiter: {text('sheet.mapping.one_column')}"
    for place, name in mapping.used().items():
        if name in table.references:
            continue
        if count := table.names.count(name):
            fault = text("sheet.mapping.several_columns", count=count, column=repr(name))
        else:
            instead = _instead(name, table.names)
            fault = text("sheet.mapping.no_column", column=repr(name), instead=instead)
        yield f"{place}: {fault}"


def _instead(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return text("sheet.mapping.instead", name=repr(close[0])) if close else ""


def _measure_faults(mapping: Mapping) -> Iterator[str]:
    for section, cells, known in (
        ("columns", mapping.columns, columns()),
        ("legs", mapping.legs, leg_names()),
    ):
        for name, cell in cells.items():
            place = f"{section}.{name}"
            if measure := known.get(name):
                faults = _cell_faults(cell, measure, MASS in mapping.columns)
                yield from (f"{place}: {fault}" for fault in faults)
            elif section == "legs" or name != RED_FLAGS_COLUMN:
                instead = _instead(name, list(known))
                yield f"{place}: {text('sheet.mapping.unknown_measure', instead=instead)}"


def _cell_faults(cell: Cell, measure: Measure, has_mass: bool) -> Iterator[str]:
    if isinstance(measure, Category):
        if cell.unit or cell.per_body_mass or cell.opposite:
            yield text("sheet.mapping.choice_has_no_unit", allowed=measure.allowed)
        allowed = (*measure.choices, "")
        if bad := [repr(w) for w, value in cell.meanings.items() if value not in allowed]:
            words = ", ".join(bad)
            yield text("sheet.mapping.values_must_be", words=words, allowed=measure.allowed)
    if not isinstance(measure, Quantity):
        return
    if bad := [repr(w) for w, value in cell.meanings.items() if isinstance(value, str) and value]:
        yield text("sheet.mapping.values_must_be_numbers", words=", ".join(bad))
    try:
        factor(measure, cell.unit, per_body_mass=cell.per_body_mass, lever_arm_m=cell.lever_arm_m)
    except UnknownUnit as error:
        yield str(error)
    if cell.per_body_mass and not has_mass:
        yield text("sheet.mapping.needs_mass", mass=MASS)


def _constant_faults(mapping: Mapping) -> Iterator[str]:
    if mapping.birth_date and AGE in (mapping.columns | mapping.constants):
        yield f"birth_date: {text('sheet.mapping.age_is_given')}"
    if mapping.birth_date and mapping.screening_date is None:
        yield f"birth_date: {text('sheet.mapping.birth_needs_screening_date')}"
    for name in mapping.constants:
        if name not in columns():
            yield f"constants.{name}: {text('sheet.mapping.unknown_measure', instead='')}"
        elif name in mapping.columns:
            yield f"constants.{name}: {text('sheet.mapping.constant_is_mapped')}"
    for name, fault in constant_faults(mapping.constants):
        if name not in mapping.columns:
            yield f"constants.{name}: {fault.message}"


def _side_faults(mapping: Mapping) -> Iterator[str]:
    if mapping.sides is None:
        if mapping.legs:
            yield f"legs: {text('sheet.mapping.needs_sides')}"
        if mapping.outcome and mapping.outcome.leg:
            yield f"outcome.leg: {text('sheet.mapping.needs_sides')}"
    elif mapping.one_row_per:
        yield f"one_row_per: {text('sheet.mapping.not_with_sides')}"
    for name in mapping.legs:
        for side in ("left", "right"):
            if f"{side}_{name}" in mapping.columns:
                yield f"columns.{side}_{name}: {text('sheet.mapping.mapped_in_legs', name=name)}"


def _outcome_faults(mapping: Mapping, outcome: OutcomeMap) -> Iterator[str]:
    forms = [outcome.words, outcome.leg, outcome.left or outcome.right or outcome.either]
    if sum(form is not None for form in forms) != 1:
        yield f"outcome: {text('sheet.mapping.one_form_of_outcome')}"
    if (outcome.left is None) != (outcome.right is None):
        yield f"outcome: {text('sheet.mapping.both_sides')}"
    for name in ("left", "right", "either", "leg"):
        cell = getattr(outcome, name)
        if cell and any(value not in (0, 1, "") for value in cell.meanings.values()):
            yield f"outcome.{name}: {text('sheet.mapping.outcome_values')}"
    if outcome.lost and any(v not in ("yes", "no", "") for v in outcome.lost.meanings.values()):
        yield f"outcome.lost: {text('sheet.mapping.lost_values')}"
    yield from _plain_faults(mapping)
    yield from _horizon_faults(mapping, outcome)


def _plain_faults(mapping: Mapping) -> Iterator[str]:
    """Outcomes and red flags have no unit and no sign: one that is given would be ignored."""
    for place, cell in mapping.cells().items():
        is_plain = place.startswith("outcome.") or place == f"columns.{RED_FLAGS_COLUMN}"
        if is_plain and (cell.unit or cell.per_body_mass or cell.opposite):
            yield f"{place}: {text('sheet.mapping.no_unit')}"


def _horizon_faults(mapping: Mapping, outcome: OutcomeMap) -> Iterator[str]:
    followed = [n for n in ("date", "follow_up_end", "follow_up_months", "lost")
                if getattr(outcome, n) is not None]  # fmt: skip
    if outcome.kind == "new_pain":
        if outcome.horizon_months is None:
            yield f"outcome.horizon_months: {text('sheet.mapping.needs_horizon')}"
        for name in ("date", "follow_up_end"):
            if name in followed and mapping.screening_date is None:
                yield f"outcome.{name}: {text('sheet.mapping.date_needs_screening_date')}"
    else:
        if outcome.horizon_months is not None:
            yield f"outcome.horizon_months: {text('sheet.mapping.no_horizon', kind=outcome.kind)}"
        fault = text("sheet.mapping.no_follow_up", kind=outcome.kind)
        yield from (f"outcome.{name}: {fault}" for name in followed)
