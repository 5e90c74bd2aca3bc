"""The rows of a file as screenings, every bad cell told at once.

A model is asked about screenings; their file may have outcomes, which are left aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from kneerisk.cohort.file_rows import read_table
from kneerisk.cohort.file_validation import refuse_columns, typed
from kneerisk.cohort.layout import CONSTANTS, NO_RED_FLAG, OUTCOMES, RED_FLAGS_COLUMN, WEIGHTS
from kneerisk.errors import BadCells, CellFault
from kneerisk.schema import Screening, columns, faults_of, from_row
from kneerisk.schema.sections import RED_FLAGS
from kneerisk.words import text

#: What no screening may lack.
_NEEDED = ("age_years", "sex")


class Screenings(NamedTuple):
    """The rows of a file without their outcomes, and each as a screening."""

    frame: pd.DataFrame
    screenings: list[Screening]


class CheckedRows(NamedTuple):
    """The rows of a file without their outcomes, typed, and every fault of them in file order."""

    frame: pd.DataFrame
    faults: list[CellFault]


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
    return _screenings(_checked(raw.frame, list(raw.lines), str(path)))


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
    return _screenings(frame_rows(frame)).screenings


def frame_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The same as typed rows.

    Parameters
    ----------
    frame
        One row a screening; outcomes and the constant columns of a cohort are left aside.

    Returns
    -------
    The rows without outcomes, every cell checked; rows are numbered from 0.

    Raises
    ------
    BadCells, CohortRefused
        As of `screenings_of`.
    """
    return _checked(
        frame.reset_index(drop=True), list(range(2, len(frame) + 2)), text("cohort.frame")
    )


def _checked(rows: pd.DataFrame, lines: list[int], source: str) -> pd.DataFrame:
    frame, faults = checked_rows(rows, lines, source)
    if faults:
        raise BadCells(source, faults)
    return frame


def _screenings(frame: pd.DataFrame) -> Screenings:
    return Screenings(frame, [_screening(row) for row in frame.to_dict("records")])


def checked_rows(rows: pd.DataFrame, lines: list[int], source: str) -> CheckedRows:
    """Check rows as screenings, column by column.

    Parameters
    ----------
    rows
        Cells as they stand in a file; outcomes and the constant columns are left aside.
    lines
        The line of each row.
    source
        What is read, for the message of a refusal.

    Returns
    -------
    The typed rows, and the faults of all of them.

    Raises
    ------
    CohortRefused
        Where there are columns that a cohort does not have.
    """
    frame = rows.drop(columns=[*CONSTANTS, *OUTCOMES, *WEIGHTS], errors="ignore")
    refuse_columns(frame.columns, source)
    frame, faults = typed(frame, lines)
    known = {(fault.line, fault.column) for fault in faults}
    # What a check by columns does not see, such as a missing age, a screening of its own says.
    suspected = np.flatnonzero(_incomplete(frame)).tolist()
    for row, cells in zip(suspected, frame.iloc[suspected].to_dict("records"), strict=True):
        try:
            _screening(cells)
        except ValidationError as error:
            faults += _missing(error, lines[row], known)
    return CheckedRows(frame, sorted(faults, key=lambda fault: fault.line))


def _incomplete(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows lack what every screening has, or have more red flags than there are."""
    incomplete = np.zeros(len(frame), dtype=bool)
    for name in _NEEDED:
        incomplete |= frame[name].isna().to_numpy() if name in frame else True
    if RED_FLAGS_COLUMN in frame:
        cells = frame[RED_FLAGS_COLUMN].tolist()
        many = {cell for cell in set(cells) if cell and cell.count(";") >= len(RED_FLAGS)}
        if many:
            incomplete |= np.array([cell in many for cell in cells])
    return incomplete


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
            allowed = fault.allowed or text("cohort.allowed.value")
            yield CellFault(
                line=line, column=column, rule=fault.message, allowed=allowed, code=fault.code
            )
