"""The cells of an Excel file, streamed out of its archive with everything counted on the way.

Only what a table needs is looked at: the names of the worksheets, which cell formats show dates,
the cells, and the texts that they share. A formula is never worked out: its stored result is read.
Nothing is built up in memory but the rows of the worksheet that is read, so that an archive of
50 MB of empty tags costs no more than a small one.
"""

from __future__ import annotations

import posixpath
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, is_zipfile

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from kneerisk.cohort.sheets.excel_cells import (
    Attributes,
    CellFormats,
    Rows,
    Shared,
    SharedTexts,
    local,
)
from kneerisk.cohort.sheets.sheet_limits import Lines, SheetLimits, too_much

#: What an Excel file may unpack to: some ten times a whole club's history (assumption). Counted
#: while it is unpacked, whatever the archive states.
MOST_UNPACKED_BYTES = 60_000_000
#: Files in the archive (assumption: a workbook has one a worksheet and some pictures).
_MOST_MEMBERS = 2_000
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
BROKEN_EXCEL = (BadZipFile, EOFError, ExpatError, IndexError, KeyError, NotImplementedError,
                OSError, OverflowError, RuntimeError, UnicodeError, ValueError, struct.error,
                zlib.error)  # fmt: skip


def is_excel(content: bytes) -> bool:
    """Whether the bytes are a zip archive, as every .xlsx is."""
    return is_zipfile(BytesIO(content))


class Worksheet(NamedTuple):
    """One worksheet of a file."""

    name: str
    path: str
    is_hidden: bool


class ExcelFile:
    """An open Excel file: its worksheets, and the lines of one of them.

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
        if content.count(b"PK\x01\x02") > _MOST_MEMBERS:
            raise too_much("members", _MOST_MEMBERS)
        self._archive = ZipFile(BytesIO(content))
        self._check_directory()
        self._related = self._relations("")
        book = self._target("/officeDocument", "xl/workbook.xml")
        self._related = self._relations(book)
        self._epoch = WINDOWS_EPOCH
        self._formats: CellFormats | None = None
        self.worksheets: list[Worksheet] = []
        self._feed(book, self._start_in_book)
        if not self.worksheets:
            raise KeyError("a worksheet")

    def _check_directory(self) -> None:
        members = self._archive.infolist()
        if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
            raise too_much("unpacked", MOST_UNPACKED_BYTES)
        # Others can't be unpacked piece by piece, and Excel writes none.
        if any(member.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for member in members):
            raise BadZipFile

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """The kind and the path of each part that a part refers to, by its id."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        relations: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Attributes) -> None:
            if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
                if len(relations) > _MOST_MEMBERS:
                    raise too_much("members", _MOST_MEMBERS)
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"]))
                relations[attributes["Id"]] = (attributes["Type"], target.lstrip("/"))

        self._feed(path, start)
        return relations

    def _target(self, kind: str, usual: str) -> str:
        return next((path for of, path in self._related.values() if of.endswith(kind)), usual)

    def _start_in_book(self, tag: str, attributes: Attributes) -> None:
        name = local(tag)
        if name == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            self._epoch = MAC_EPOCH
        elif name == "sheet":
            kind, path = self._related[_relation(attributes)]
            if not kind.endswith("/worksheet"):
                return
            title = attributes["name"]
            if len(self.worksheets) >= MOST_WORKSHEETS or len(title) > _LONGEST_NAME:
                raise too_much("worksheets", MOST_WORKSHEETS)
            is_hidden = attributes.get("state", "visible") != "visible"
            self.worksheets.append(Worksheet(title, path, is_hidden))

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

    def lines(self, worksheet: Worksheet) -> Lines:
        """The rows of a worksheet that have an entry: numbers, dates and stripped texts."""
        if self._formats is None:
            self._formats = CellFormats()
            styles = self._target("/styles", "xl/styles.xml")
            if styles in self._archive.namelist():
                self._feed(styles, self._formats.start)
        rows = Rows(self._limits, self._formats.kinds, self._epoch)
        self._feed(worksheet.path, rows.start, rows.end, rows.data)
        if rows.shared:
            shared = SharedTexts(rows.shared)
            self._feed(
                self._target("/sharedStrings", "xl/sharedStrings.xml"),
                shared.start,
                shared.end,
                shared.data,
            )
            for line, cells in rows.counter.lines:
                cells[:] = [shared.texts[cell.number] if isinstance(cell, Shared) else cell
                            for cell in cells]  # fmt: skip
                rows.counter.count_characters(line, cells)
        return [(line, cells) for line, cells in rows.counter.lines if _trimmed(cells)]


def _relation(attributes: Attributes) -> str:
    """The id of the part that an element stands for: `r:id`, whatever `r` is called."""
    for name, value in attributes.items():
        if local(name) == "id":
            return value
    raise BadZipFile


def _trimmed(cells: list[Any]) -> bool:
    """Take empty cells off the end of a row; whether any other is left."""
    while cells and cells[-1] == "":
        cells.pop()
    return bool(cells)


def _refuse_doctype(*_: Any) -> None:
    """No Excel file declares entities, which could grow without end."""
    raise BadZipFile
