"""A club's own sheet, read through a mapping file into a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneerisk.cohort.bad_rows import BadRows
from kneerisk.cohort.file_validation import typed
from kneerisk.cohort.files import Cohort
from kneerisk.cohort.ingest_result import Ingested
from kneerisk.cohort.layout import ATHLETE_ID, GROUP, RED_FLAGS_COLUMN, SCREENING_DATE
from kneerisk.cohort.sheets.followup import outcomes
from kneerisk.cohort.sheets.mapping import Mapping, MappingRefused, load
from kneerisk.cohort.sheets.mapping_checks import MASS, leg_names, mapping_faults
from kneerisk.cohort.sheets.onerow import SIDE, identical_rows, legs_joined
from kneerisk.cohort.sheets.sheetcells import SheetRows, over_mass
from kneerisk.cohort.sheets.worksheet import Worksheet, read_worksheet
from kneerisk.errors import BadCells, CellFault
from kneerisk.schema import columns


def ingest(sheet: Path, mapping: Path, *, skip_bad_rows: bool = False) -> Ingested:
    """A sheet as an observed cohort.

    With `skip_bad_rows` the rows that have a bad cell are left out and told in `bad_rows`.

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
    table = read_worksheet(sheet, meaning.sheet)
    if faults := mapping_faults(meaning, table.header):
        raise MappingRefused(mapping, faults)
    frame, lines, bad = _screenings(meaning, table)
    cohort_rows, bad = _checked(meaning, frame, lines, bad)
    if bad and not skip_bad_rows:
        raise BadCells(str(sheet), bad)
    faulty = {fault.line for fault in bad}
    good = np.array([faulty.isdisjoint(of) for of in lines], dtype=bool)
    if not good.any():
        raise BadCells(str(sheet), bad)
    left_out = {line for of, is_good in zip(lines, good, strict=True) if not is_good for line in of}
    return Ingested(
        cohort=_cohort(meaning, cohort_rows[good]),
        bad_rows=_bad_rows(table, left_out | faulty, bad),
        dropped={"rows with bad cells": int((~good).sum())} if bad else {},
    )


def _cohort(mapping: Mapping, frame: pd.DataFrame) -> Cohort:
    outcome = mapping.outcome
    return Cohort(
        frame.reset_index(drop=True),
        "observed",
        outcome.kind,
        outcome.horizon_months,
        mapping.source,
    )


def _bad_rows(table: Worksheet, lines: Iterable[int], faults: list[CellFault]) -> BadRows:
    rows = dict(zip(table.lines, table.rows, strict=True))
    return BadRows(table.header, {line: rows[line] for line in lines}, faults)


def _screenings(
    mapping: Mapping, table: Worksheet
) -> tuple[pd.DataFrame, list[list[int]], list[CellFault]]:
    """One row a screening, the lines of the sheet that each comes from, and the bad cells."""
    one_each, conflicts = identical_rows(mapping, table)
    rows = SheetRows(mapping.sheet, one_each.header, one_each.rows, one_each.lines)
    frame = _values(mapping, rows)
    bad = [*table.faults, *conflicts, *rows.faults]
    lines = [[line] for line in one_each.lines]
    if mapping.sides is None:
        return frame, lines, bad
    frame, lines, more = legs_joined(mapping, frame, one_each.lines)
    return frame, lines, [*bad, *more]


def _values(mapping: Mapping, rows: SheetRows) -> pd.DataFrame:
    """Every mapped column by canonical name; legs and their side where a row is a leg."""
    starts: list[date | None] = [None] * len(rows)
    found: dict[str, list[Any]] = {}
    identity = mapping.athlete_id
    ids = rows.texts(identity.column)
    found[ATHLETE_ID] = [None if one is None else identity.prefix + one for one in ids]
    if mapping.screening_date is not None:
        starts = rows.days(mapping.screening_date)
        found[SCREENING_DATE] = [None if day is None else day.isoformat() for day in starts]
    if mapping.group is not None:
        found[GROUP] = rows.texts(mapping.group)
    found |= {name: [value] * len(rows) for name, value in mapping.constants.items()}
    found |= _measured(mapping, rows)
    found |= outcomes(mapping.outcome, rows, starts)
    if mapping.sides is not None:
        found[SIDE] = list(rows.sides(mapping.sides))
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in found.items()})


def _measured(mapping: Mapping, rows: SheetRows) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, cell in mapping.columns.items():
        if name == RED_FLAGS_COLUMN:
            found[name] = rows.flags(cell)
        else:
            found[name] = rows.measured(cell, columns()[name])
    for name, cell in mapping.legs.items():
        found[name] = rows.measured(cell, leg_names()[name])
    for name, cell in (mapping.columns | mapping.legs).items():
        if cell.per_body_mass:
            weighed = rows.cells(mapping.columns[MASS].column)
            found[name] = over_mass(rows, cell.column, found[name], found[MASS], weighed)
    return found


def _checked(
    mapping: Mapping, frame: pd.DataFrame, lines: list[list[int]], bad: list[CellFault]
) -> tuple[pd.DataFrame, list[CellFault]]:
    """Canonical rows, and all bad cells in file order, each named as the sheet names it."""
    clean, faults = typed(frame, list(range(len(frame))))
    named = [_in_sheet(mapping, fault, lines[fault.line]) for fault in faults]
    known = {(fault.line, fault.column) for fault in bad}
    bad = [*bad, *(fault for fault in named if (fault.line, fault.column) not in known)]
    return clean, sorted(bad, key=lambda fault: fault.line)


def _in_sheet(mapping: Mapping, fault: CellFault, lines: list[int]) -> CellFault:
    name = mapping.column_of(fault.column)
    about = "" if name == fault.column else f" (as {fault.column})"
    # Of a screening made of two rows the second is the right leg's.
    is_right = fault.column.startswith(("right_", "outcome_right"))
    return CellFault(
        line=lines[-1] if is_right else lines[0],
        column=name,
        rule=fault.rule + about,
        allowed=fault.allowed,
        unit=fault.unit,
    )
