"""The rows of a CSV or Parquet file: raw cells with their lines, or checked as screenings.

A model is asked about screenings; their file may have outcomes, which are left aside.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from kneerisk.cohort.file_validation import refuse_columns, typed
from kneerisk.cohort.layout import CONSTANTS, NO_RED_FLAG, OUTCOMES, RED_FLAGS_COLUMN, unguarded
from kneerisk.errors import BadCells, CellFault, CohortRefused
from kneerisk.schema import Screening, columns, faults_of, from_row
from kneerisk.words import text

SUFFIXES = (".csv", ".parquet")


class RawTable(NamedTuple):
    """Cells as they stand in a file, and the line each row starts on (the header is line 1)."""

    frame: pd.DataFrame
    lines: list[int]


def read_table(path: Path) -> RawTable:
    """A CSV or Parquet file, cells unchanged (text for CSV, empty text where empty).

    Parameters
    ----------
    path
        A file that ends in .csv or .parquet.

    Returns
    -------
    Its cells, and the line of each row.

    Raises
    ------
    CohortRefused
        Where the file is absent, of another format, or broken.
    """
    suffix = suffix_of(path)
    try:
        return _read_csv(path) if suffix == ".csv" else _read_parquet(path)
    except FileNotFoundError:
        raise CohortRefused(text("cohort.file.no_such_file", file=path)) from None
    except UnicodeDecodeError:
        raise CohortRefused(text("cohort.file.not_utf8", file=path)) from None
    except (OSError, csv.Error, pa.ArrowException) as error:
        raise CohortRefused(
            text("cohort.file.unreadable", file=path, reason=type(error).__name__)
        ) from None


def suffix_of(path: Path) -> str:
    """The format of a cohort file, by its name.

    Parameters
    ----------
    path
        The file's path; the file need not exist.

    Returns
    -------
    The ending in lower case: .csv or .parquet.

    Raises
    ------
    CohortRefused
        Where the name ends otherwise.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CohortRefused(text("cohort.file.suffix", file=path))
    return suffix


def _read_csv(path: Path) -> RawTable:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return rows_of(csv.reader(file, strict=True), str(path))


def rows_of(reader: Any, source: str) -> RawTable:
    """The rows of an open csv reader; blank lines are left out, ragged rows are a fault.

    Parameters
    ----------
    reader
        A reader of the csv module, before its header.
    source
        What is read, for the message.

    Returns
    -------
    The rows below the header, and the line that each starts on.

    Raises
    ------
    CohortRefused
        Where there is no header, a header twice, or a row of another length.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    for row in reader:
        if row:
            rows.append(list(map(unguarded, row)))
            lines.append(start)
        start = reader.line_num + 1
    if not rows:
        raise CohortRefused(text("cohort.file.empty", file=source))
    header = rows.pop(0)
    faults = _repeated(header)
    faults += [
        text("cohort.file.ragged", line=line, cells=len(row), columns=len(header))
        for line, row in zip(lines[1:], rows, strict=True)
        if len(row) != len(header)
    ]
    _refuse(source, faults)
    frame = pd.DataFrame(rows, columns=pd.Index(header, dtype=object), dtype=object)
    return RawTable(frame, lines[1:])


def _read_parquet(path: Path) -> RawTable:
    table = pq.read_table(path)
    faults = _repeated(table.column_names)
    faults += [
        text("cohort.file.nested", column=repr(field.name))
        for field in table.schema
        if pa.types.is_nested(field.type)
    ]
    _refuse(str(path), faults)
    frame = pd.DataFrame({name: _cells(table[name]) for name in table.column_names})
    return RawTable(frame, list(range(2, len(frame) + 2)))


def _cells(column: Any) -> Any:
    """Floats stay an array, so that large files are checked fast; the rest are Python cells."""
    if pa.types.is_floating(column.type):
        return column.cast(pa.float64()).to_numpy()
    return pd.Series(column.to_pylist(), dtype=object)


def _repeated(header: list[str]) -> list[str]:
    seen = dict.fromkeys(name for name in header if header.count(name) > 1)
    return [
        text("cohort.file.repeated", column=repr(name), count=header.count(name)) for name in seen
    ]


def _refuse(source: str, faults: list[str]) -> None:
    if faults:
        raise CohortRefused("\n  ".join([text("cohort.file.faults", file=source), *faults]))


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
    return _checked(frame, list(range(2, len(frame) + 2)), text("cohort.frame")).screenings


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
            allowed = fault.allowed or text("cohort.allowed.value")
            yield CellFault(
                line=line, column=column, rule=fault.message, allowed=allowed, code=fault.code
            )
