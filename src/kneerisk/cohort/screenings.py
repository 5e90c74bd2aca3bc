"""Rows of a file or a frame as screenings, outcomes or none: what a model is asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pydantic import ValidationError

from kneerisk.cohort.cells import NO_RED_FLAG
from kneerisk.cohort.file_validation import refuse_columns, typed
from kneerisk.cohort.layout import CONSTANTS, OUTCOMES, RED_FLAGS_COLUMN
from kneerisk.cohort.raw_table import read_table
from kneerisk.errors import BadCells, CellFault
from kneerisk.schema import Screening, columns, faults_of, from_row


class Screenings(NamedTuple):
    """The rows of a file without their outcomes, and each as a screening."""

    frame: pd.DataFrame
    screenings: list[Screening]


def read_screenings(path: str | Path) -> Screenings:
    """The rows of a cohort file, or of one with canonical columns alone, and their screenings.

    Parameters
    ----------
    path
        A file that ends in .csv or .parquet; outcomes are not needed, and left aside.

    Returns
    -------
    The rows without outcomes, and one screening a row.

    Raises
    ------
    BadCells
        With every cell that breaks the schema.
    CohortRefused
        Where the file can't be read or has columns that a cohort does not have.
    """
    path = Path(path)
    raw = read_table(path)
    return _checked(raw.frame, list(raw.lines), str(path))


def screenings_of(frame: pd.DataFrame) -> list[Screening]:
    """The screenings of a frame with canonical columns, in its order.

    Parameters
    ----------
    frame
        One row a screening; outcomes and the constant columns of a cohort are left aside.

    Returns
    -------
    One screening a row.

    Raises
    ------
    BadCells
        With every cell that breaks the schema; lines are counted as in a file with a header.
    CohortRefused
        Where the frame has columns that a cohort does not have.
    """
    return _checked(frame, list(range(2, len(frame) + 2)), "the frame").screenings


def _checked(rows: pd.DataFrame, lines: list[int], source: str) -> Screenings:
    frame = rows.drop(columns=[*CONSTANTS, *OUTCOMES], errors="ignore")
    refuse_columns(frame.columns, source)
    frame, faults = typed(frame, lines)
    screenings: list[Screening] = []
    for line, row in zip(lines, frame.to_dict("records"), strict=True):
        try:
            screenings.append(_screening(row))
        except ValidationError as error:
            faults += _missing(error, line, {(fault.line, fault.column) for fault in faults})
    if faults:
        raise BadCells(source, sorted(faults, key=lambda fault: fault.line))
    return Screenings(frame, screenings)


def _screening(row: dict[Any, Any]) -> Screening:
    measured = {name: row[name] for name in columns() if name in row and not pd.isna(row[name])}
    cell = row.get(RED_FLAGS_COLUMN)
    flags = None if pd.isna(cell) else [f for f in str(cell).split(";") if f != NO_RED_FLAG]
    return from_row(measured, flags)


def _missing(error: ValidationError, line: int, known: set[tuple[int, str]]) -> Iterator[CellFault]:
    """Faults that the check of the whole file does not report: a missing age or sex."""
    for fault in faults_of(error):
        column = fault.pointer.rsplit("/", 1)[-1]
        if (line, column) not in known:
            allowed = fault.allowed or "a value"
            yield CellFault(
                line=line, column=column, rule=fault.message, allowed=allowed, code=fault.code
            )
