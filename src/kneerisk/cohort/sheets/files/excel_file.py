"""The cells of an Excel file, streamed out of its archive with everything counted on the way.

Only what a table needs is looked at: the names of the worksheets, which cell formats show dates,
the cells, and the texts that they share. A formula is never worked out: its stored result is read.
"""

from __future__ import annotations

import posixpath
from zipfile import BadZipFile

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from kneerisk.cohort.sheets.files.counted_archive import (
    MOST_MEMBERS,
    Attributes,
    CountedArchive,
    Worksheet,
    local,
    trimmed,
)
from kneerisk.cohort.sheets.files.excel_cells import CellFormats, Rows, Shared, SharedTexts
from kneerisk.cohort.sheets.files.sheet_limits import Lines, SheetLimits, too_much


class ExcelFile(CountedArchive):
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
        super().__init__(content, limits)
        self._related = self._relations("")
        book = self._target("/officeDocument", "xl/workbook.xml")
        self._related = self._relations(book)
        self._epoch = WINDOWS_EPOCH
        self._formats: CellFormats | None = None
        self._feed(book, self._start_in_book)
        if not self.worksheets:
            raise KeyError("a worksheet")

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """The kind and the path of each part that a part refers to, by its id."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        relations: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: Attributes) -> None:
            if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
                if len(relations) > MOST_MEMBERS:
                    raise too_much("members", MOST_MEMBERS)
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
            is_hidden = attributes.get("state", "visible") != "visible"
            self._add_worksheet(Worksheet(attributes["name"], path, is_hidden))

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
        return [(line, cells) for line, cells in rows.counter.lines if trimmed(cells)]


def _relation(attributes: Attributes) -> str:
    """The id of the part that an element stands for: `r:id`, whatever `r` is called."""
    for name, value in attributes.items():
        if local(name) == "id":
            return value
    raise BadZipFile
