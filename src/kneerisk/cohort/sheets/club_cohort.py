"""A club's own sheet, described by a mapping file: the mapping checked, the rows as a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.file_validation import typed
from kneerisk.cohort.files import Cohort
from kneerisk.cohort.ingest_result import BadRows, Ingested
from kneerisk.cohort.layout import ATHLETE_ID, GROUP, OUTCOMES, RED_FLAGS_COLUMN, SCREENING_DATE
from kneerisk.cohort.sheets.headings import Table
from kneerisk.cohort.sheets.mapping import Cell, Mapping, MappingRefused, OutcomeMap, load
from kneerisk.cohort.sheets.read_sheet import SheetReading, constant_faults, read_sheet, source_of
from kneerisk.cohort.sheets.several_files.described_table import described_table
from kneerisk.cohort.sheets.sheet_wording import cohort_faults, omitted_counts
from kneerisk.cohort.sheets.units import UnknownUnit, factor
from kneerisk.cohort.sheets.visits import Visit
from kneerisk.cohort.sheets.vocabulary import AGE, MASS, leg_names
from kneerisk.errors import BadCells, CellFault
from kneerisk.schema import Category, Measure, Quantity, columns
from kneerisk.words import text


def ingest(sheet: Path, mapping: Path, *others: Path, skip_bad_rows: bool = False) -> Ingested:
    """A sheet as an observed cohort.

    Parameters
    ----------
    sheet
        A CSV, tab-separated or Excel file.
    mapping
        The mapping file (TOML) that says what its columns mean.
    *others
        The other files of the squad, where the mapping puts several together.
    skip_bad_rows
        Whether screenings with a bad cell are left out, and listed in `bad_rows`.

    Returns
    -------
    Ingested
        The cohort, one row a screening, and what was left out.

    Raises
    ------
    MappingRefused
        With every mistake of the mapping file.
    BadCells
        With every bad cell of the sheet; also with `skip_bad_rows` where no good row is left.
    CohortRefused
        Where the sheet can't be read.
    """
    meaning = load(mapping)
    table = described_table([sheet, *others], meaning)
    if mistakes := mapping_faults(meaning, table):
        raise MappingRefused(mapping, mistakes)
    reading = read_sheet(meaning, table)
    rows, faults = _checked(meaning, reading)
    if faults and not skip_bad_rows:
        raise BadCells(str(sheet), faults)
    faulty = {fault.line for fault in faults}
    is_good = np.array([faulty.isdisjoint(visit.lines) for visit in reading.visits], dtype=bool)
    if not is_good.any():
        raise BadCells(str(sheet), faults)
    left_out = {
        line
        for visit in reading.visits
        for line in visit.lines
        if not faulty.isdisjoint(visit.lines)
    }
    return Ingested(
        cohort=_cohort(meaning, rows[is_good]),
        bad_rows=_bad_rows(table, left_out | faulty, faults),
        dropped=omitted_counts(table)
        | ({text("sheet.left_out.bad_rows"): int((~is_good).sum())} if faults else {}),
    )


def _cohort(mapping: Mapping, frame: pd.DataFrame) -> Cohort:
    outcome = mapping.outcome
    if outcome is None or mapping.source is None:
        raise ValueError("a cohort needs a source and an outcome")
    return Cohort(
        frame.reset_index(drop=True),
        "observed",
        outcome.kind,
        outcome.horizon_months,
        mapping.source,
    )


def _bad_rows(table: Table, lines: Iterable[int], faults: list[CellFault]) -> BadRows:
    rows = dict(zip(table.lines, table.rows, strict=True))
    return BadRows(table.names, {line: rows[line] for line in lines}, faults)


def _checked(mapping: Mapping, reading: SheetReading) -> tuple[pd.DataFrame, list[CellFault]]:
    """Canonical rows, and all faults in the order of the sheet, named as the sheet names them.

    The reader has checked everything that a visit needs; what only a cohort needs (an id, outcomes
    that agree) is checked here.
    """
    faults = [cell for fault in reading.faults for cell in cohort_faults(fault, mapping)]
    known = {(fault.line, fault.column) for fault in faults}
    rows, of_cohort = typed(_frame(mapping, reading.visits), range(len(reading.visits)))
    for fault in of_cohort:
        named = _in_sheet(mapping, reading.visits[fault.line], fault)
        if (named.line, named.column) not in known:
            faults.append(named)
    return rows, sorted(faults, key=lambda fault: fault.line)


def _in_sheet(mapping: Mapping, visit: Visit, fault: CellFault) -> CellFault:
    row, column = source_of(mapping, visit, fault.column)
    rule = fault.rule
    if column not in {None, fault.column}:
        rule = text("sheet.rule.in_cohort", rule=rule, name=fault.column)
    return CellFault(
        line=row.line,
        column=column or fault.column,
        rule=rule,
        allowed=fault.allowed,
        unit=fault.unit,
    )


def _frame(mapping: Mapping, visits: list[Visit]) -> pd.DataFrame:
    """The visits as rows of a cohort; every mapped column is there, though it may be empty."""
    columns: dict[str, list[Any]] = {ATHLETE_ID: [visit.athlete for visit in visits]}
    if mapping.screening_date is not None:
        columns[SCREENING_DATE] = [visit.first.date for visit in visits]
    for name in _mapped(mapping):
        columns[name] = [visit.values.get(name) for visit in visits]
    if RED_FLAGS_COLUMN in columns:
        columns[RED_FLAGS_COLUMN] = [
            None if codes is None else ";".join(codes) or "none"
            for codes in columns[RED_FLAGS_COLUMN]
        ]
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def _mapped(mapping: Mapping) -> list[str]:
    """The canonical columns of a mapping besides athlete and date."""
    outcome = mapping.outcome
    names = [GROUP] if mapping.group is not None else []
    names += [*mapping.constants, *mapping.columns]
    names += [AGE] if mapping.birth_date is not None else []
    names += [f"{side}_{name}" for name in mapping.legs for side in ("left", "right")]
    if outcome is None:
        return names
    if outcome.words is not None:
        return [*names, *OUTCOMES]
    by_column = dict(zip(OUTCOMES, (outcome.left, outcome.right, outcome.either), strict=True))
    if outcome.leg is not None:
        return [*names, *OUTCOMES[:2]]
    return [*names, *(name for name, cell in by_column.items() if cell is not None)]


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
