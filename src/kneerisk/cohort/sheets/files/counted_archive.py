"""An archive of XML, as every workbook is: streamed, with everything counted on the way.

Nothing is built up in memory by the parser, so that an archive of 50 MB of empty tags costs no more
than a small one. What is too much ends the reading, with the limit in the message.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, is_zipfile

from kneerisk.cohort.sheets.files.sheet_limits import SheetLimits, too_much

#: What a workbook may unpack to: some ten times a whole club's history (assumption). Counted
#: while it is unpacked, whatever the archive states.
MOST_UNPACKED_BYTES = 60_000_000
#: Files in the archive (assumption: a workbook has one a worksheet and some pictures).
MOST_MEMBERS = 2_000
#: A sheet for each day of a year and more (assumption).
MOST_WORKSHEETS = 500
#: Elements of XML for each cell that may be looked at: the cell, its value and its formula.
_ELEMENTS_A_CELL = 3
#: More than the 31 characters that Excel allows in a worksheet's name.
_LONGEST_NAME = 255
_CHUNK = 65_536

#: Elements within elements (assumption: a cell is at the fifth level), and bytes that one tag may
#: have, which the parser keeps and reads again with each piece (assumption: Excel's have hundreds).
_DEEPEST, _LONGEST_TAG = 64, 1_000_000

#: zipfile and the parser answer a broken file with whatever they stumble on.
BROKEN_ARCHIVE = (BadZipFile, EOFError, ExpatError, LookupError, NotImplementedError,
                  OSError, OverflowError, RuntimeError, UnicodeError, ValueError, struct.error,
                  zlib.error)  # fmt: skip

Attributes = dict[str, str]


def is_archive(content: bytes) -> bool:
    """Whether the bytes are a zip archive, as every .xlsx and .ods is."""
    return is_zipfile(BytesIO(content))


class Worksheet(NamedTuple):
    """One worksheet of a file."""

    name: str
    path: str
    """Of Excel's, the part of the archive that has it."""
    is_hidden: bool


class CountedArchive:
    """An open archive, and the worksheets that were found in it.

    Parameters
    ----------
    content
        The file.
    limits
        How much of it is read.

    Raises
    ------
    CohortRefused
        Where it has too much of anything.
    """

    def __init__(self, content: bytes, limits: SheetLimits) -> None:
        self._limits = limits
        self._unpacked = self._elements = 0
        # Each file of the archive has such a mark in its directory, which is read as a whole.
        if content.count(b"PK\x01\x02") > MOST_MEMBERS:
            raise too_much("members", MOST_MEMBERS)
        self._archive = ZipFile(BytesIO(content))
        self._check_directory()
        self.worksheets: list[Worksheet] = []

    def _check_directory(self) -> None:
        members = self._archive.infolist()
        if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
            raise too_much("unpacked", MOST_UNPACKED_BYTES)
        # Others can't be unpacked piece by piece, and Excel writes none.
        if any(member.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for member in members):
            raise BadZipFile

    def _add_worksheet(self, worksheet: Worksheet) -> None:
        if len(self.worksheets) >= MOST_WORKSHEETS or len(worksheet.name) > _LONGEST_NAME:
            raise too_much("worksheets", MOST_WORKSHEETS)
        self.worksheets.append(worksheet)

    def _feed(
        self,
        part: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        data: Callable[[str], None] | None = None,
    ) -> None:
        """Pass a part of the archive to handlers of its XML, piece by piece."""
        most_elements = _ELEMENTS_A_CELL * self._limits.looked_at
        depth = 0

        def counted(tag: str, attributes: Attributes) -> None:
            nonlocal depth
            depth += 1
            self._elements += 1
            if self._elements > most_elements or depth > _DEEPEST:
                raise too_much("looked_at", self._limits.looked_at)
            start(tag, attributes)

        def counted_end(tag: str) -> None:
            nonlocal depth
            depth -= 1
            if end is not None:
                end(tag)

        parser = ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = counted, counted_end
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.CharacterDataHandler = data
        fed = 0
        with self._archive.open(part) as file:
            while piece := file.read(_CHUNK):
                fed += len(piece)
                self._unpacked += len(piece)
                if self._unpacked > MOST_UNPACKED_BYTES:
                    raise too_much("unpacked", MOST_UNPACKED_BYTES)
                parser.Parse(piece, False)
                if fed - parser.CurrentByteIndex > _LONGEST_TAG:
                    raise BadZipFile
        parser.Parse(b"", True)


def trimmed(cells: list[Any]) -> bool:
    """Take empty cells off the end of a row; whether any other is left."""
    while cells and cells[-1] == "":
        cells.pop()
    return bool(cells)


def local(tag: str) -> str:
    """A name of XML without the short form of its namespace."""
    return tag.rpartition(":")[2] if ":" in tag else tag


def _refuse_doctype(*_: Any) -> None:
    """No workbook declares entities, which could grow without end."""
    raise BadZipFile
