"""A file's lines as they stand, from its bytes: an Excel worksheet, or delimited text.

Nothing is kept on disk and nothing in a file is run: of a formula the stored result is read.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile, is_zipfile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from kneerisk.cohort.sheets.delimiter import Lines, decode, sniff_delimiter, text_lines
from kneerisk.cohort.sheets.mapping import SheetForm
from kneerisk.errors import CohortRefused

EXCEL_SUFFIXES = (".xlsx", ".xlsm")
TAB_SEPARATED_SUFFIXES = (".tsv", ".txt", ".tab")
#: What an Excel file may unpack to: some ten times a whole club's history (assumption). Python's
#: zipfile stops at the size that a file states, so that the stated sizes bind.
MOST_UNPACKED_BYTES = 60_000_000
#: A club's history of one row a trial is far below these (assumption).
MOST_LINES, MOST_COLUMNS = 100_000, 1_000
#: The last row that Excel has; a file may state any.
LAST_ROW = 1_048_576
#: Cells looked at, empty ones too: some sheets format whole rows, a hostile one every row.
MOST_CELLS = 20_000_000
#: Of a sheet that has to be recognised: more rows than a team can be scored in at once, with room
#: for legs, visits and totals.
MOST_RECOGNISED_ROWS, MOST_RECOGNISED_COLUMNS, MOST_RECOGNISED_CELLS = 5_000, 200, 300_000
#: What an old Excel file (.xls) begins with: the magic of OLE 2 compound documents.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")

#: openpyxl and zipfile answer a broken file with whatever they stumble on.
BROKEN_EXCEL = (AttributeError, BadZipFile, EOFError, IndexError, InvalidFileException, KeyError,
                OSError, RuntimeError, SyntaxError, TypeError, ValueError, zlib.error)  # fmt: skip


class OpenedSheet(NamedTuple):
    """The lines of a file that have an entry, and how it was read."""

    lines: Lines
    worksheet: str | None = None
    worksheets: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None
    """None for an Excel file."""
    encoding_is_guessed: bool = False


def open_sheet(
    content: bytes,
    *,
    worksheet: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> OpenedSheet:
    """The lines of a CSV, tab-separated or Excel file of unknown form.

    Parameters
    ----------
    content
        The file.
    worksheet
        The worksheet of an Excel file; None takes the first one with more than one line.
    delimiter
        The delimiter of a text; None sniffs it.
    encoding
        The encoding of a text; None tries the usual ones.

    Returns
    -------
    OpenedSheet
        The lines with an entry, and what the form was found to be.

    Raises
    ------
    CohortRefused
        Where it is neither, is empty, is too long, or can't be read as stated; the message never
        repeats what is in it.
    """
    if content.startswith(_OLE):
        raise CohortRefused("an old or locked Excel file can't be read; save it as .xlsx or CSV")
    try:
        if is_excel(content):
            sheet = _first_filled_worksheet(content, worksheet)
        else:
            sheet = _open_text(content, delimiter, encoding)
    except csv.Error as error:
        raise CohortRefused(f"it is no delimited text ({error})") from None
    except BROKEN_EXCEL as error:
        raise CohortRefused(f"it is no readable Excel file ({type(error).__name__})") from None
    _refuse_too_much(sheet.lines)
    return sheet


def _refuse_too_much(lines: Lines) -> None:
    if not lines:
        raise CohortRefused("it has no line with an entry")
    if len(lines) > MOST_RECOGNISED_ROWS:
        raise CohortRefused(f"it has more than {MOST_RECOGNISED_ROWS:,} lines; send it in parts")
    width = max(len(row) for _, row in lines)
    if width > MOST_RECOGNISED_COLUMNS or width * len(lines) > MOST_RECOGNISED_CELLS:
        raise CohortRefused(
            f"it has more than {MOST_RECOGNISED_COLUMNS} columns or "
            f"{MOST_RECOGNISED_CELLS:,} cells; send less of it"
        )


def _first_filled_worksheet(content: bytes, stated: str | None) -> OpenedSheet:
    names = _worksheet_names(content)
    if stated is not None:
        return OpenedSheet(excel_lines(content, stated), stated, tuple(names))
    # An empty sheet may come first.
    lines: Lines = []
    for name in names:
        lines = excel_lines(content, name)
        if len(lines) > 1:
            return OpenedSheet(lines, name, tuple(names))
    return OpenedSheet(lines, names[-1] if names else None, tuple(names))


def _open_text(content: bytes, delimiter: str | None, encoding: str | None) -> OpenedSheet:
    decoded = decode(content, encoding)
    if "\0" in decoded.text:
        raise CohortRefused("it is neither delimited text nor an Excel file (.xlsx)")
    delimiter = delimiter or sniff_delimiter(decoded.text)
    return OpenedSheet(
        text_lines(decoded.text, delimiter),
        delimiter=delimiter,
        encoding=decoded.encoding,
        encoding_is_guessed=decoded.is_guessed,
    )


def is_excel(content: bytes) -> bool:
    """Whether the bytes are a zip archive, as every .xlsx is."""
    return is_zipfile(io.BytesIO(content))


def _worksheet_names(content: bytes) -> list[str]:
    book = _book(content, data_only=True)
    try:
        return [sheet.title for sheet in book.worksheets]
    finally:
        book.close()


def excel_lines(content: bytes, name: str | None) -> Lines:
    """The rows of a worksheet that have an entry.

    Parameters
    ----------
    content
        The file.
    name
        The worksheet; None: the first one.

    Returns
    -------
    Lines
        Numbers, dates and stripped texts, by line.

    Raises
    ------
    CohortRefused
        Where there is no such worksheet, or the file unpacks to too much.
    zipfile.BadZipFile, KeyError, ValueError
        Where it is no Excel file.
    """
    results = _worksheet_rows(content, name, data_only=True)
    formulas = _worksheet_rows(content, name, data_only=False)
    lines: Lines = []
    cells_read = 0
    for line, (row, formula_row) in enumerate(zip(results, formulas, strict=True), start=1):
        cells_read += len(row)
        if line > LAST_ROW or cells_read > MOST_CELLS:
            raise CohortRefused(f"it has more than {MOST_CELLS:,} cells, or rows beyond Excel's")
        cells = [_plain(cell, formula) for cell, formula in zip(row, formula_row, strict=True)]
        while cells and cells[-1] == "":
            cells.pop()
        if len(cells) > MOST_COLUMNS or len(lines) > MOST_LINES:
            raise CohortRefused(f"it has more than {MOST_COLUMNS} columns or {MOST_LINES:,} lines")
        if cells:
            lines.append((line, cells))
    return lines


def _book(content: bytes, *, data_only: bool) -> Any:
    with ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED_BYTES:
            raise CohortRefused(f"it unpacks to more than {MOST_UNPACKED_BYTES:,} bytes")
    return openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=data_only, keep_links=False
    )


def _worksheet_rows(
    content: bytes, name: str | None, *, data_only: bool
) -> Iterator[tuple[Any, ...]]:
    book = _book(content, data_only=data_only)
    try:
        worksheets = {sheet.title: sheet for sheet in book.worksheets}
        if not worksheets or (name is not None and name not in worksheets):
            known = ", ".join(worksheets)
            raise CohortRefused(f"it has no worksheet {name!r} (it has {known})")
        sheet = worksheets[name] if name is not None else next(iter(worksheets.values()))
        # What the file states of its size may be wrong, and too little would cut it off.
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)
    finally:
        book.close()


def _plain(cell: Any, formula: Any) -> Any:
    if cell is None:
        # A formula that no program has worked out is not an empty cell; as text it is a bad one.
        return "" if formula is None else str(formula)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.strip() if isinstance(cell, str) else cell


def described_lines(content: bytes, form: SheetForm, suffix: str) -> Lines:
    """The lines of a file in the form that a mapping states; nothing about it is guessed.

    Parameters
    ----------
    content
        The file.
    form
        The worksheet, the delimiter and the encoding.
    suffix
        The end of the file's name, such as `.xlsx`; that of a text tells the usual delimiter.

    Returns
    -------
    Lines
        Every line with an entry, by its number.

    Raises
    ------
    CohortRefused
        Where there is no such worksheet, or it is no text of this form.
    """
    if suffix.lower() in EXCEL_SUFFIXES or is_excel(content):
        try:
            return excel_lines(content, form.name)
        except BROKEN_EXCEL as error:
            raise CohortRefused(f"can't be read ({type(error).__name__})") from None
    usual = "\t" if suffix.lower() in TAB_SEPARATED_SUFFIXES else ","
    try:
        return text_lines(content.decode(form.encoding), form.delimiter or usual)
    except (UnicodeDecodeError, LookupError):
        raise CohortRefused(f"is not {form.encoding} text") from None
    except csv.Error as error:
        raise CohortRefused(f"can't be read ({type(error).__name__})") from None
