"""A club's own sheet, described by a mapping file, as a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.file_validation import typed
from kneerisk.cohort.files import Cohort
from kneerisk.cohort.ingest_result import BadRows, Ingested
from kneerisk.cohort.layout import ATHLETE_ID, GROUP, OUTCOMES, RED_FLAGS_COLUMN, SCREENING_DATE
from kneerisk.cohort.sheets.headings import Table, heading_names, rows_below
from kneerisk.cohort.sheets.mapping import Mapping, MappingRefused, load
from kneerisk.cohort.sheets.mapping_checks import mapping_faults
from kneerisk.cohort.sheets.read_sheet import SheetReading, read_sheet
from kneerisk.cohort.sheets.schema_checks import source_of
from kneerisk.cohort.sheets.sheet_wording import cohort_faults, omitted_counts
from kneerisk.cohort.sheets.visits import Visit
from kneerisk.cohort.sheets.vocabulary import AGE
from kneerisk.cohort.sheets.workbook import described_lines
from kneerisk.errors import BadCells, CellFault, CohortRefused


def ingest(sheet: Path, mapping: Path, *, skip_bad_rows: bool = False) -> Ingested:
    """A sheet as an observed cohort.

    Parameters
    ----------
    sheet
        A CSV, tab-separated or Excel file.
    mapping
        The mapping file (TOML) that says what its columns mean.
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
    table = read_table(sheet, meaning)
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
        | ({"rows with bad cells": int((~is_good).sum())} if faults else {}),
    )


def read_table(sheet: Path, mapping: Mapping) -> Table:
    """The athletes' rows of a sheet in the form that its mapping states.

    Parameters
    ----------
    sheet
        A CSV, tab-separated or Excel file.
    mapping
        Its form, and the kinds of lines that are left out.

    Returns
    -------
    Table
        Rows as wide as the names of the columns.

    Raises
    ------
    CohortRefused
        Where it can't be read, or has no names of columns or no rows.
    """
    form = mapping.sheet
    try:
        lines = described_lines(sheet.read_bytes(), form, sheet.suffix)
    except FileNotFoundError:
        raise CohortRefused(f"{sheet}: there is no such file") from None
    except OSError as error:
        raise CohortRefused(f"{sheet}: can't be read ({type(error).__name__})") from None
    except CohortRefused as refused:
        raise CohortRefused(f"{sheet}: {refused}") from None
    names = heading_names(lines, form.header_row, form.header_rows)
    if not any(names):
        raise CohortRefused(f"{sheet}: has no column names in row {form.header_row}")
    table = rows_below(
        lines,
        names,
        heading_line=form.header_row + form.header_rows - 1,
        last_line=form.last_row,
        leave_out=form.leave_out,
    )
    if not table.rows:
        raise CohortRefused(f"{sheet}: has no rows below its column names")
    return table


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
    suffix = f" (as {fault.column})" if column not in {None, fault.column} else ""
    return CellFault(
        line=row.line,
        column=column or fault.column,
        rule=fault.rule + suffix,
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
