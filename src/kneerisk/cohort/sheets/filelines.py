"""A file's lines as they stand, from its bytes: text in any usual form, or an Excel file.

Nothing is kept on disk and nothing in a file is run: of a formula the stored result is read.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from kneerisk.errors import CohortRefused

#: What an Excel file may unpack to: some ten times a whole club's history (assumption). Python's
#: zipfile stops at the size that a file states, so that the stated sizes bind.
MOST_UNPACKED_BYTES = 60_000_000
MOST_LINES, MOST_COLUMNS = 100_000, 1_000
#: The last row that Excel has; a file may state any.
LAST_ROW = 1_048_576
#: Cells looked at, empty ones too: some sheets format whole rows, a hostile one every row.
MOST_CELLS = 20_000_000

#: openpyxl and zipfile answer a broken file with whatever they stumble on.
BROKEN_EXCEL = (AttributeError, BadZipFile, EOFError, IndexError, InvalidFileException, KeyError,
                OSError, RuntimeError, SyntaxError, TypeError, ValueError, zlib.error)  # fmt: skip

Lines = list[tuple[int, list[Any]]]


def is_excel(content: bytes) -> bool:
    """Whether the bytes are a zip archive, as every .xlsx is."""
    return is_zipfile(io.BytesIO(content))


def text_lines(text: str, delimiter: str) -> Lines:
    """The rows of delimited text, each with the line that it starts on.

    Raises
    ------
    csv.Error
        Where a quote is never closed, or closed within a cell.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: Lines = []
    start = 1
    for row in reader:
        found.append((start, [cell.strip() for cell in row]))
        start = reader.line_num + 1
    return found


def sheet_names(content: bytes) -> list[str]:
    """The names of an Excel file's worksheets, in order."""
    book = _book(content, data_only=True)
    try:
        return [sheet.title for sheet in book.worksheets]
    finally:
        book.close()


def excel_lines(content: bytes, name: str | None) -> Lines:
    """The rows of a worksheet (of the first one without a name) that have an entry.

    Raises
    ------
    CohortRefused
        Where there is no such worksheet, or the file unpacks to too much.
    zipfile.BadZipFile, KeyError, ValueError
        Where it is no Excel file.
    """
    values = _page(content, name, data_only=True)
    formulas = _page(content, name, data_only=False)
    found: Lines = []
    looked_at = 0
    for line, (row, written) in enumerate(zip(values, formulas, strict=True), start=1):
        looked_at += len(row)
        if line > LAST_ROW or looked_at > MOST_CELLS:
            raise CohortRefused(f"it has more than {MOST_CELLS:,} cells, or rows beyond Excel's")
        cells = [_plain(cell, formula) for cell, formula in zip(row, written, strict=True)]
        while cells and cells[-1] == "":
            cells.pop()
        if len(cells) > MOST_COLUMNS or len(found) > MOST_LINES:
            raise CohortRefused(f"it has more than {MOST_COLUMNS} columns or {MOST_LINES:,} lines")
        if cells:
            found.append((line, cells))
    return found


def _book(content: bytes, *, data_only: bool) -> Any:
    with ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED_BYTES:
            raise CohortRefused(f"it unpacks to more than {MOST_UNPACKED_BYTES:,} bytes")
    return openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=data_only, keep_links=False
    )


def _page(content: bytes, name: str | None, *, data_only: bool) -> Iterator[tuple[Any, ...]]:
    book = _book(content, data_only=data_only)
    try:
        pages = {sheet.title: sheet for sheet in book.worksheets}
        if not pages or (name is not None and name not in pages):
            known = ", ".join(pages)
            raise CohortRefused(f"it has no worksheet {name!r} (it has {known})")
        page = pages[name] if name is not None else next(iter(pages.values()))
        # What the file states of its size may be wrong, and too little would cut it off.
        page.reset_dimensions()
        yield from page.iter_rows(values_only=True)
    finally:
        book.close()


def _plain(cell: Any, formula: Any) -> Any:
    if cell is None:
        # A formula that no program has worked out is not an empty cell; as text it is a bad one.
        return "" if formula is None else str(formula)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.strip() if isinstance(cell, str) else cell
