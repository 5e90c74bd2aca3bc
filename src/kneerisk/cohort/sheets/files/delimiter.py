"""Delimited text of unknown form: its encoding, its delimiter, and its lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from itertools import islice
from typing import NamedTuple

from kneerisk.cohort.sheets.files.sheet_limits import (
    LineCounter,
    Lines,
    SheetLimits,
    plain_text,
    refuse_beyond_last_line,
)
from kneerisk.errors import CohortRefused
from kneerisk.words import text

#: The delimiter is sniffed from so many lines (assumption: titles and remarks are fewer).
_SAMPLE_LINES = 200
#: UTF-16 is told from so many bytes, of which every second one is mostly zero (assumption).
_LOOKED_AT, _MOST_ZEROS = 4_096, 0.8
DELIMITERS = ("\t", ";", ",", "|")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class DecodedText(NamedTuple):
    """A file's text and the encoding that it was read in."""

    text: str
    encoding: str
    is_guessed: bool
    """Nothing but the failure of UTF-8 speaks for the encoding."""


def decode(content: bytes, encoding: str | None) -> DecodedText:
    """The text of a file in the encoding that is stated, or the first one that fits.

    Parameters
    ----------
    content
        The file.
    encoding
        The stated encoding; None: a byte order mark, UTF-8 and cp1252 are tried in turn.

    Returns
    -------
    DecodedText
        The text, and how it was read.

    Raises
    ------
    CohortRefused
        Where no usual encoding fits.
    """
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    marked = marked or _without_mark(content)
    for name in [encoding] if encoding else [marked] if marked else ["utf-8", "cp1252"]:
        try:
            decoded = content.decode("utf-8-sig" if name == "utf-8" else name)
        except UnicodeDecodeError:
            continue
        plain = name.removesuffix("-sig")
        return DecodedText(decoded, plain, is_guessed=plain == "cp1252" and not encoding)
    raise CohortRefused(text("sheet.unreadable.encoding"))


def _without_mark(content: bytes) -> str | None:
    """UTF-16 by the zeros beside the letters of European scripts, where no mark tells it."""
    head = content[:_LOOKED_AT]
    pairs = len(head) // 2
    if not pairs:
        return None
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[first::2].count(0) > _MOST_ZEROS * pairs and 0 not in head[1 - first :: 2]:
            return name
    return None


def sniff_delimiter(text: str) -> str:
    """The delimiter that parts the lines of a text most evenly.

    `csv.Sniffer` takes letters and blanks for delimiters and gives up on decimal commas, so the
    few that sheets use are tried in turn.
    """
    return max(DELIMITERS, key=lambda delimiter: _evenness(text, delimiter))


def _evenness(text: str, delimiter: str) -> tuple[float, int]:
    """The share of lines that have the commonest number of cells, over one, and that number."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        widths = Counter(len(row) for row in islice(reader, _SAMPLE_LINES) if any(row))
    except csv.Error:
        return (-1.0, 0)
    width, lines = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(0, 0))
    return (lines / widths.total() if width > 1 else 0.0, width)


def text_lines(text: str, delimiter: str, limits: SheetLimits) -> Lines:
    """The rows of delimited text that have an entry.

    Parameters
    ----------
    text
        The text of a file.
    delimiter
        One character.
    limits
        How much of it is read.

    Returns
    -------
    Lines
        Stripped cells, by the line that the row starts on.

    Raises
    ------
    csv.Error
        Where a quote is never closed, or closed within a cell.
    CohortRefused
        Where there is more than the limits allow.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    counter = LineCounter(limits)
    start = 1
    for row in reader:
        refuse_beyond_last_line(start)
        if any(cell.strip() for cell in row):
            counter.refuse_columns(len(row))
            counter.add(start, [plain_text(cell) for cell in row])
        start = reader.line_num + 1
    return counter.lines
