"""A club's own sheet, described by a mapping file, as a cohort; a bad cell costs the cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.file_validation import typed
from kneerisk.cohort.files import Cohort
from kneerisk.cohort.ingest_result import BadRows, Blanked, Ingested
from kneerisk.cohort.layout import ATHLETE_ID, GROUP, OUTCOMES, RED_FLAGS_COLUMN, SCREENING_DATE
from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE
from kneerisk.cohort.sheets.mapping import Mapping, load
from kneerisk.cohort.sheets.mapping_faults import mapping_faults
from kneerisk.cohort.sheets.mapping_file import MappingRefused
from kneerisk.cohort.sheets.rows.headings import Table
from kneerisk.cohort.sheets.rows.read_sheet import SheetReading, read_sheet, source_of
from kneerisk.cohort.sheets.rows.visits import HOLDING, Visit, costs_the_visit
from kneerisk.cohort.sheets.several_files.described_table import described_table
from kneerisk.cohort.sheets.sheet_wording import cohort_faults, omitted_counts
from kneerisk.errors import BadCells, CellFault
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
        Whether screenings that can't be used are left out, and listed in `bad_rows`.

    Returns
    -------
    Ingested
        The cohort, one row a screening, and what was left out: a bad cell costs the cell, and is
        listed in `blanked`.

    Raises
    ------
    MappingRefused
        With every mistake of the mapping file.
    BadCells
        With every bad cell of the sheet, where one is of the outcome, of what says whose row it is,
        or of a column that is bad for the most part; also with `skip_bad_rows` where no good row is
        left.
    CohortRefused
        Where the sheet can't be read.
    """
    meaning = load(mapping)
    table = described_table([sheet, *others], meaning)
    if mistakes := mapping_faults(meaning, table):
        raise MappingRefused(mapping, mistakes)
    reading = read_sheet(meaning, table)
    rows, faults, blanked = _checked(meaning, reading)
    if (faults or _mostly_bad(reading)) and not skip_bad_rows:
        raise BadCells(str(sheet), sorted([*faults, *blanked], key=_line))
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
        blanked=[
            Blanked(file=sheet.name, fault=fault) for fault in blanked if fault.line not in left_out
        ],
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


def _checked(
    mapping: Mapping, reading: SheetReading
) -> tuple[pd.DataFrame, list[CellFault], list[CellFault]]:
    """Canonical rows, the faults that cost a visit, and those that cost a cell.

    All are in the order of the sheet, and named as the sheet names them. The reader has checked
    everything that a visit needs; what only a cohort needs (an id, outcomes that agree) is checked
    here.
    """
    holding = _holding(mapping)
    visit_of = {line: visit for visit in reading.visits for line in visit.lines}
    faults: list[CellFault] = []
    blanked: list[CellFault] = []
    for fault in reading.faults:
        costs_visit = costs_the_visit(fault, visit_of.get(fault.lines[0]), holding)
        (faults if costs_visit else blanked).extend(cohort_faults(fault, mapping))
    known = {(fault.line, fault.column) for fault in [*faults, *blanked]}
    rows, of_cohort = typed(_frame(mapping, reading.visits), range(len(reading.visits)))
    for of_row in of_cohort:
        named = _in_sheet(mapping, reading.visits[of_row.line], of_row)
        if (named.line, named.column) not in known:
            faults.append(named)
    return rows, sorted(faults, key=_line), sorted(blanked, key=_line)


def _line(fault: CellFault) -> int:
    return fault.line


def _holding(mapping: Mapping) -> set[str]:
    """The sheet's columns of a cohort's outcome, and those that say whose row it is, and when."""
    return {
        column
        for place, column in mapping.used().items()
        if place.rpartition(".")[2] in HOLDING or not place.startswith(("columns.", "legs."))
    }


def _mostly_bad(reading: SheetReading) -> set[str]:
    """Columns that can't be read for the most part: the mapping is wrong, not a cell."""
    bad = Counter(column for fault in reading.faults if (column := fault.column) is not None)
    table = reading.table
    filled = {
        name: sum(not is_missing(row[at]) for row in table.rows)
        for at, name in enumerate(table.references)
        if name in bad
    }
    return {name for name, count in bad.items() if 2 * count > filled.get(name, 0)}


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
