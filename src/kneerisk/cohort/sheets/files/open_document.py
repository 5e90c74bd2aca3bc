"""The cells of an OpenDocument spreadsheet (.ods), streamed out of its one part that has them.

The archive is counted as Excel's is (`counted_archive`). A cell or a row that is written once and
said to be repeated counts as often as it is read: an empty one costs nothing, a filled one meets
the same limits. Of a formula the stored result is read, of a merged area its first cell; remarks,
drawings and tracked changes are passed over, and so are cells that a merged one covers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

from kneerisk.cohort.layout import NUMBER
from kneerisk.cohort.sheets.files.counted_archive import (
    BROKEN_ARCHIVE,
    MOST_MEMBERS,
    MOST_WORKSHEETS,
    Attributes,
    CountedArchive,
    Worksheet,
    trimmed,
)
from kneerisk.cohort.sheets.files.excel_cells import stored_moment, stored_number
from kneerisk.cohort.sheets.files.sheet_limits import (
    LineCounter,
    Lines,
    SheetLimits,
    plain_text,
    refuse_beyond_last_line,
    too_much,
)
from kneerisk.errors import CohortRefused
from kneerisk.schema.faults import LONGEST_CELL

_PART = "content.xml"
_CELLS = {"table:table-cell", "table:covered-table-cell"}
#: What a table or a cell may hold that is none of its cells or texts.
_PASSED_OVER = {"office:annotation", "table:tracked-changes", "table:dde-links", "table:shapes",
                "office:forms", "table:named-expressions", "text:ruby-text"}  # fmt: skip
_DURATION = re.compile(
    r"(-?)P(?:(\d{1,5})D)?T?(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:[.,]\d*)?S)?"
)
#: Of a formula without a result so much is kept, as the entry that can't be read (assumption).
_FORMULA_SHOWN = 200


def is_open_document(content: bytes) -> bool:
    """Whether an archive is one of OpenDocument's."""
    if content.count(b"PK\x01\x02") > MOST_MEMBERS:
        return False
    try:
        return _PART in ZipFile(BytesIO(content)).namelist()
    except BROKEN_ARCHIVE:
        return False


class OpenDocumentFile(CountedArchive):
    """An open .ods file: its worksheets, and the lines of each.

    Parameters
    ----------
    content
        The file.
    limits
        How much of each worksheet is read.

    Raises
    ------
    CohortRefused
        Where it has too much of anything.
    """

    def __init__(self, content: bytes, limits: SheetLimits) -> None:
        super().__init__(content, limits)
        tables = _Tables(limits)
        # All worksheets stand in one part, which is read once.
        self._feed(_PART, tables.start, tables.end, tables.data)
        for table in tables.found:
            self._add_worksheet(Worksheet(table.name, _PART, table.style in tables.hidden_styles))
        self._tables = tables.found
        if not self.worksheets:
            raise KeyError("a worksheet")

    def lines(self, worksheet: Worksheet) -> Lines:
        """The rows of a worksheet that have an entry: numbers, dates and stripped texts."""
        found = self._tables[self.worksheets.index(worksheet)].lines
        if isinstance(found, CohortRefused):
            raise found
        return [(line, cells) for line, cells in found if trimmed(cells)]


class _FoundTable(NamedTuple):
    name: str
    style: str
    lines: Lines | CohortRefused


class _Tables:
    """Handlers of the part that has every worksheet.

    Of a worksheet with too much the rest is passed over; whoever wants it meets the refusal.
    """

    def __init__(self, limits: SheetLimits) -> None:
        self.found: list[_FoundTable] = []
        self.hidden_styles: set[str] = set()
        self._limits = limits
        self._depth = self._read = 0
        self._passed_from: int | None = None
        self._style = ""
        self._table: Attributes = {}
        self._table_depth: int | None = None
        self._rows = _Rows(limits)
        self._refused: CohortRefused | None = None

    def start(self, tag: str, attributes: Attributes) -> None:
        """Begin an element."""
        self._depth += 1
        if self._passed_from is not None:
            return
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self.hidden_styles.add(self._style)
        elif tag in _PASSED_OVER or tag.startswith("draw:"):
            self._passed_from = self._depth
        elif tag == "table:table":
            if self._table_depth is not None:
                # A table within a cell is no part of the sheet.
                self._passed_from = self._depth
                return
            self._table, self._table_depth = attributes, self._depth
            self._rows, self._refused = _Rows(self._limits), None
        elif self._table_depth is not None:
            self._in_rows(self._rows.start, tag, attributes)

    def data(self, piece: str) -> None:
        """Take a piece of text."""
        if self._passed_from is None and self._table_depth is not None:
            self._in_rows(self._rows.data, piece)

    def end(self, tag: str) -> None:
        """End an element."""
        if self._passed_from is not None:
            if self._depth == self._passed_from:
                self._passed_from = None
        elif self._table_depth is not None:
            self._in_rows(self._rows.end, tag)
        if self._depth == self._table_depth:
            self._end_table()
        self._depth -= 1

    def _in_rows(self, handler: Callable[..., None], *what: Any) -> None:
        try:
            handler(*what)
        except CohortRefused as refused:
            self._refused, self._passed_from = refused, self._table_depth

    def _end_table(self) -> None:
        lines = self._rows.counter.lines if self._refused is None else self._refused
        if not isinstance(lines, CohortRefused):
            self._read += sum(len(cells) for _, cells in lines)
            if self._read > self._limits.looked_at:
                raise too_much("looked_at", self._limits.looked_at)
        if len(self.found) > MOST_WORKSHEETS:
            raise too_much("worksheets", MOST_WORKSHEETS)
        name, style = self._table.get("table:name", ""), self._table.get("table:style-name", "")
        self.found.append(_FoundTable(name, style, lines))
        self._table_depth = self._passed_from = None


class _Rows:
    """Handlers of one worksheet's rows."""

    def __init__(self, limits: SheetLimits) -> None:
        self.counter = LineCounter(limits)
        self._line = self._column = self._repeated = 1
        self._row: dict[int, Any] = {}
        self._cell: Attributes | None = None
        self._paragraphs: list[list[str]] = []
        self._is_paragraph = False
        self._length = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        """Begin an element."""
        if tag in _CELLS:
            self._cell, self._paragraphs, self._length = attributes, [], 0
        elif tag == "table:table-row":
            self._row, self._column = {}, 1
            self._repeated = _times(attributes, "table:number-rows-repeated")
        elif tag == "text:p" and self._cell is not None:
            self._paragraphs.append([])
            self._is_paragraph = True
        elif tag == "text:s":
            self.data(" " * min(_times(attributes, "text:c"), LONGEST_CELL + 1))
        elif tag in {"text:tab", "text:line-break"}:
            self.data("\t" if tag == "text:tab" else "\n")

    def data(self, piece: str) -> None:
        """Take a piece of text."""
        if self._is_paragraph:
            self._length += len(piece)
            if self._length > LONGEST_CELL:
                raise too_much("cell", LONGEST_CELL, line=self._line)
            self._paragraphs[-1].append(piece)

    def end(self, tag: str) -> None:
        """End an element."""
        if tag == "text:p":
            self._is_paragraph = False
        elif tag in _CELLS:
            self._end_cell(is_covered=tag != "table:table-cell")
        elif tag == "table:table-row":
            self._end_row()

    def _end_cell(self, *, is_covered: bool) -> None:
        attributes, self._cell = self._cell or {}, None
        last = self._column + _times(attributes, "table:number-columns-repeated") - 1
        # What a merged cell covers is kept in the file, and seen by nobody.
        shown = "\n".join("".join(paragraph) for paragraph in self._paragraphs)
        value = "" if is_covered else _value(attributes, shown)
        if value != "":
            self.counter.refuse_columns(last)
            self._row.update(dict.fromkeys(range(self._column, last + 1), value))
        self._column = last + 1

    def _end_row(self) -> None:
        if self._row:
            width = max(self._row)
            for line in range(self._line, self._line + self._repeated):
                refuse_beyond_last_line(line)
                self.counter.add(line, [self._row.get(at, "") for at in range(1, width + 1)])
        self._line += self._repeated
        self._row = {}


def _times(attributes: Attributes, name: str) -> int:
    times = int(attributes.get(name, "1"))
    if times < 1:
        raise BadZipFile
    return times


def _value(attributes: Attributes, shown: str) -> Any:
    """The number, the day or the text of a cell, as Excel's reader gives them."""
    kind = attributes.get("office:value-type")
    if attributes.get("calcext:value-type") == "error":
        return plain_text(shown)
    if kind in {"float", "percentage", "currency"}:
        written = attributes.get("office:value", "").strip()
        return stored_number(float(written), written) if NUMBER.fullmatch(written) else written
    if kind == "date":
        return stored_moment(attributes.get("office:date-value", ""))
    if kind == "time":
        return _duration(attributes.get("office:time-value", "")) or plain_text(shown)
    if kind == "boolean":
        return "true" if attributes.get("office:boolean-value") == "true" else "false"
    if kind is None and "table:formula" in attributes and not shown:
        # A formula that no program has worked out is no empty cell; as text it is a bad one.
        return f"={attributes['table:formula'].partition('=')[2][:_FORMULA_SHOWN]}"
    written = attributes.get("office:string-value", shown)
    if len(written) > LONGEST_CELL:
        raise too_much("cell", LONGEST_CELL, line=0)
    return plain_text(written)


def _duration(written: str) -> str | None:
    """A time of day or a duration, `PT5H30M00S`, as a sheet shows it."""
    found = _DURATION.fullmatch(written.strip())
    if found is None:
        return None
    sign, *parts = found.groups()
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return f"{sign}{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
