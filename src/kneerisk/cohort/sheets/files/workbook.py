"""A file's lines as they stand, from its bytes: a worksheet of Excel's or OpenDocument's, or text.

Nothing is kept on disk and nothing in a file is run: of a formula the stored result is read.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import NamedTuple

from kneerisk.cohort.sheets.file_parts import FileKind
from kneerisk.cohort.sheets.files.counted_archive import BROKEN_ARCHIVE, Worksheet, is_archive
from kneerisk.cohort.sheets.files.delimiter import decode, sniff_delimiter, text_lines
from kneerisk.cohort.sheets.files.excel_file import ExcelFile
from kneerisk.cohort.sheets.files.file_kinds import other_kind
from kneerisk.cohort.sheets.files.open_document import OpenDocumentFile, is_open_document
from kneerisk.cohort.sheets.files.sheet_limits import (
    DESCRIBED,
    RECOGNISED,
    LineCounter,
    Lines,
    SheetLimits,
)
from kneerisk.cohort.sheets.mapping import SheetForm
from kneerisk.errors import CohortRefused
from kneerisk.words import text, variant

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".ods")
TAB_SEPARATED_SUFFIXES = (".tsv", ".txt", ".tab")
#: A worksheet with so many names of columns is the table, and so many are tried (assumptions).
_CLEARLY_A_TABLE, _MOST_TRIED = 4.0, 8
#: So many worksheets are listed to who named another (assumption).
_MOST_NAMED = 20


class OpenedSheet(NamedTuple):
    """The lines of a file that have an entry, and how it was read."""

    lines: Lines
    worksheet: str | None = None
    worksheets: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None
    """None for a workbook."""
    encoding_is_guessed: bool = False
    kind: FileKind = "csv"


def open_sheet(
    content: bytes,
    *,
    worksheet: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    limits: SheetLimits = RECOGNISED,
    likeness: Callable[[Lines], float] | None = None,
) -> OpenedSheet:
    """The lines of a CSV, tab-separated, Excel or OpenDocument file of unknown form.

    Parameters
    ----------
    content
        The file.
    worksheet
        The worksheet of a workbook; None takes the first that a person sees and that has more
        than one line, or the one that is most like a table.
    delimiter
        The delimiter of a text; None sniffs it.
    encoding
        The encoding of a text; None tries the usual ones.
    limits
        How much of it is read.
    likeness
        How much like a table the lines of a worksheet are; None: the first one will do.

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
    if kind := other_kind(content):
        raise CohortRefused(variant("sheet.kind", kind))
    try:
        if is_archive(content):
            sheet = _worksheet(content, worksheet, limits, likeness)
        else:
            sheet = _open_text(content, delimiter, encoding, limits)
    except csv.Error as error:
        raise CohortRefused(text("sheet.unreadable.not_delimited", reason=error)) from None
    except BROKEN_ARCHIVE as error:
        reason = type(error).__name__
        raise CohortRefused(text("sheet.unreadable.broken_excel", reason=reason)) from None
    if not sheet.lines:
        raise CohortRefused(text("sheet.unreadable.empty"))
    return sheet


def _workbook(content: bytes, limits: SheetLimits) -> tuple[ExcelFile | OpenDocumentFile, FileKind]:
    if is_open_document(content):
        return OpenDocumentFile(content, limits), "ods"
    return ExcelFile(content, limits), "xlsx"


def _worksheet(
    content: bytes,
    stated: str | None,
    limits: SheetLimits,
    likeness: Callable[[Lines], float] | None,
) -> OpenedSheet:
    file, kind = _workbook(content, limits)
    names = tuple(sheet.name for sheet in file.worksheets)
    if stated is not None:
        return OpenedSheet(file.lines(_named(file, stated)), stated, names, kind=kind)
    # An empty sheet or a cover may come first, and a hidden one is not what a person sees.
    seen = sorted(file.worksheets, key=lambda worksheet: worksheet.is_hidden)
    best, most = OpenedSheet([], seen[0].name, names, kind=kind), -1.0
    tried = 0
    for sheet in seen:
        if best.lines and (sheet.is_hidden or tried == _MOST_TRIED):
            break
        try:
            lines = file.lines(sheet)
        except CohortRefused:
            # What is too much together is none of a sheet that was found.
            if not best.lines:
                raise
            break
        tried += len(lines) > 1
        score = likeness(lines) if likeness and len(lines) > 1 else float(len(lines) > 1)
        if score > most:
            best, most = OpenedSheet(lines, sheet.name, names, kind=kind), score
        if most >= (_CLEARLY_A_TABLE if likeness else 1.0):
            break
    return best


def open_worksheets(content: bytes) -> list[OpenedSheet]:
    """Every worksheet of a workbook that a person sees and that has more than one line.

    Parameters
    ----------
    content
        The file.

    Returns
    -------
    list of OpenedSheet
        In the file's order; none where it is no workbook, or too much of one.
    """
    if not is_archive(content):
        return []
    try:
        file, kind = _workbook(content, RECOGNISED)
        names = tuple(sheet.name for sheet in file.worksheets)
        total = LineCounter(RECOGNISED)
        opened = []
        for sheet in file.worksheets:
            if not sheet.is_hidden and len(lines := file.lines(sheet)) > 1:
                for line, cells in lines:
                    total.add(line, cells)
                opened.append(OpenedSheet(lines, sheet.name, names, kind=kind))
    except (CohortRefused, *BROKEN_ARCHIVE):
        # The first worksheet may be sound, or says itself what is wrong.
        return []
    return opened


def _named(file: ExcelFile | OpenDocumentFile, name: str | None) -> Worksheet:
    """The worksheet of a name; without one the first that is not hidden."""
    for sheet in sorted(file.worksheets, key=lambda worksheet: worksheet.is_hidden):
        if name in {None, sheet.name}:
            return sheet
    known = ", ".join(sheet.name for sheet in file.worksheets[:_MOST_NAMED])
    raise CohortRefused(text("sheet.unreadable.no_worksheet", name=repr(name), known=known))


def _open_text(
    content: bytes, delimiter: str | None, encoding: str | None, limits: SheetLimits
) -> OpenedSheet:
    decoded = decode(content, encoding)
    if "\0" in decoded.text:
        raise CohortRefused(text("sheet.unreadable.neither"))
    delimiter = delimiter or sniff_delimiter(decoded.text)
    return OpenedSheet(
        text_lines(decoded.text, delimiter, limits),
        delimiter=delimiter,
        encoding=decoded.encoding,
        encoding_is_guessed=decoded.is_guessed,
    )


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
    if kind := other_kind(content):
        raise CohortRefused(variant("sheet.kind", kind))
    if suffix.lower() in WORKBOOK_SUFFIXES or is_archive(content):
        try:
            file, _ = _workbook(content, DESCRIBED)
            return file.lines(_named(file, form.name))
        except BROKEN_ARCHIVE as error:
            raise CohortRefused(
                text("sheet.mapping.unreadable", reason=type(error).__name__)
            ) from None
    usual = "\t" if suffix.lower() in TAB_SEPARATED_SUFFIXES else ","
    try:
        return text_lines(content.decode(form.encoding), form.delimiter or usual, DESCRIBED)
    except (LookupError, ValueError):
        # Some of Python's codecs are none of text, and fail in ways of their own.
        raise CohortRefused(text("sheet.unreadable.not_text", encoding=form.encoding)) from None
    except csv.Error as error:
        raise CohortRefused(text("sheet.mapping.unreadable", reason=type(error).__name__)) from None
