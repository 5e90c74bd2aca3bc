"""A file of unknown form, opened: which encoding, which delimiter, which worksheet."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from itertools import islice
from typing import NamedTuple

from kneerisk.cohort.sheets.filelines import (
    BROKEN_EXCEL,
    Lines,
    excel_lines,
    is_excel,
    sheet_names,
    text_lines,
)
from kneerisk.cohort.sheets.recognise.contract import SheetAsked
from kneerisk.errors import CohortRefused

#: More rows than a team can be scored in at once, with room for legs, visits and totals.
MOST_ROWS = 5_000
MOST_COLUMNS, MOST_CELLS = 200, 300_000
#: The delimiter is told from so many lines.
_SAMPLE = 200
_DELIMITERS = ("\t", ";", ",", "|")
#: What an old Excel file (.xls) begins with: the magic of OLE 2 compound documents.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
         (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


class Opened(NamedTuple):
    """The lines of a file that have an entry, and how it was read."""

    lines: Lines
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None
    guessed: str | None = None
    """What about the encoding is not certain, for people."""


def opened(content: bytes, asked: SheetAsked) -> Opened:
    """The lines of a CSV, tab-separated or Excel file; what was asked for is not guessed.

    Raises
    ------
    CohortRefused
        Where it is neither, is empty, is too long, or can't be read as asked; the message never
        repeats what is in it.
    """
    if content.startswith(_OLE):
        raise CohortRefused("an old or locked Excel file can't be read; save it as .xlsx or CSV")
    try:
        found = _excel(content, asked) if is_excel(content) else _text(content, asked)
    except csv.Error as error:
        raise CohortRefused(f"it is no delimited text ({error})") from None
    except BROKEN_EXCEL as error:
        raise CohortRefused(f"it is no readable Excel file ({type(error).__name__})") from None
    if not found.lines:
        raise CohortRefused("it has no line with an entry")
    if len(found.lines) > MOST_ROWS:
        raise CohortRefused(f"it has more than {MOST_ROWS:,} lines; send it in parts")
    width = max(len(row) for _, row in found.lines)
    if width > MOST_COLUMNS or width * len(found.lines) > MOST_CELLS:
        told = f"it has more than {MOST_COLUMNS} columns or {MOST_CELLS:,} cells; send less of it"
        raise CohortRefused(told)
    return found


def _excel(content: bytes, asked: SheetAsked) -> Opened:
    names = sheet_names(content)
    if asked.sheet is not None:
        return Opened(excel_lines(content, asked.sheet), asked.sheet, tuple(names))
    # An empty sheet may come first.
    lines: Lines = []
    for name in names:
        lines = excel_lines(content, name)
        if len(lines) > 1:
            return Opened(lines, name, tuple(names))
    return Opened(lines, names[-1] if names else None, tuple(names))


def _text(content: bytes, asked: SheetAsked) -> Opened:
    text, encoding, guessed = _decoded(content, asked.encoding)
    if "\0" in text:
        raise CohortRefused("it is neither delimited text nor an Excel file (.xlsx)")
    tried = [asked.delimiter] if asked.delimiter else list(_DELIMITERS)
    delimiter = max(tried, key=lambda one: _regularity(text, one))
    lines = [(line, row) for line, row in text_lines(text, delimiter) if any(row)]
    return Opened(lines, None, (), delimiter, encoding, guessed)


def _decoded(content: bytes, asked: str | None) -> tuple[str, str, str | None]:
    known = next((name for bom, name in _BOMS if content.startswith(bom)), None)
    for name in [asked] if asked else [known] if known else ["utf-8", "cp1252"]:
        try:
            text = content.decode("utf-8-sig" if name == "utf-8" else name)
        except UnicodeDecodeError:
            continue
        plain = name.removesuffix("-sig")
        told = "It is not UTF-8, and was read as Windows text (cp1252)."
        return text, plain, told if plain == "cp1252" and not asked else None
    raise CohortRefused("it is neither UTF-8 nor Windows text; save it as UTF-8 or .xlsx")


def _regularity(text: str, delimiter: str) -> tuple[float, int]:
    """The share of lines that have the commonest number of cells, over one, and that number."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        widths = Counter(len(row) for row in islice(reader, _SAMPLE) if any(row))
    except csv.Error:
        return (-1.0, 0)
    width, lines = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(0, 0))
    return (lines / widths.total() if width > 1 else 0.0, width)
