"""The rows of a CSV or Parquet file: raw cells with their lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kneerisk.cohort.layout import unguarded
from kneerisk.cohort.plain_csv import plain_cells
from kneerisk.errors import CohortRefused
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
    with refusing_broken(path):
        if suffix == ".csv":
            return csv_rows(path.read_bytes(), str(path))
        return _read_parquet(path)


@contextmanager
def refusing_broken(path: Path) -> Iterator[None]:
    """Turn what goes wrong in reading a file into `CohortRefused`, which says what it was."""
    try:
        yield
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


def csv_rows(content: bytes, source: str, lines_before: int = 0) -> RawTable:
    """The rows of a CSV; blank lines are left out, ragged rows are a fault.

    Parameters
    ----------
    content
        The file, or its header and some of its rows.
    source
        What is read, for the message.
    lines_before
        Lines of the file between its header and the rows.

    Returns
    -------
    The rows below the header, and the line that each starts on.

    Raises
    ------
    CohortRefused
        Where there is no header, a header twice, or a row of another length.
    csv.Error, UnicodeDecodeError
        Where it is no CSV in UTF-8.
    """
    columns = plain_cells(content)
    if columns is None:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        return _rows_of(csv.reader(text, strict=True), source, lines_before)
    frame = pd.DataFrame({name: _texts(cells) for name, cells in columns.items()})
    first = lines_before + 2
    return RawTable(frame, list(range(first, first + len(frame))))


def _texts(cells: Any) -> pd.Series[Any]:
    """Texts of Arrow's as they are: Python's would take ten times as long to make and to check."""
    return pd.Series(pd.arrays.ArrowExtensionArray(cells))


def _rows_of(reader: Any, source: str, lines_before: int) -> RawTable:
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    for row in reader:
        if row:
            rows.append(list(map(unguarded, row)) if "'" in "".join(row) else row)
            lines.append(start + lines_before)
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
    cells = [pd.Series(cells, dtype=object) for cells in zip(*rows, strict=True)]
    empty = pd.Series(dtype=object)
    frame = pd.DataFrame(dict(zip(header, cells or [empty] * len(header), strict=True)))
    return RawTable(frame, lines[1:])


def _read_parquet(path: Path) -> RawTable:
    table = pq.read_table(path)
    refuse_layout(table.schema, str(path))
    return arrow_rows(table, 0)


def refuse_layout(schema: Any, source: str) -> None:
    """Refuse columns of a Parquet file that have one name or hold lists: `CohortRefused`."""
    faults = _repeated(schema.names)
    faults += [
        text("cohort.file.nested", column=repr(field.name))
        for field in schema
        if pa.types.is_nested(field.type)
    ]
    _refuse(source, faults)


def arrow_rows(table: Any, rows_before: int) -> RawTable:
    """Cells of an Arrow table; a row's line is counted as if the file were a CSV.

    Parameters
    ----------
    table
        A table of pyarrow, or a batch of records.
    rows_before
        Rows of the file before it.

    Returns
    -------
    Its cells, and the line of each row.
    """
    frame = pd.DataFrame({name: _cells(table[name]) for name in table.schema.names})
    first = rows_before + 2
    return RawTable(frame, list(range(first, first + table.num_rows)))


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
