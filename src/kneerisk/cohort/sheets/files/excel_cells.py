"""What the parts of an Excel file say, taken from its XML element by element.

Each class has the handlers of one part: the cells of a worksheet, the texts that cells share, and
the formats that tell which numbers are dates. A formula is never worked out: its stored result is
read, and one without a result is a text.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple
from zipfile import BadZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel

from kneerisk.cohort.layout import NUMBER
from kneerisk.cohort.sheets.files.counted_archive import Attributes, local
from kneerisk.cohort.sheets.files.sheet_limits import (
    LineCounter,
    SheetLimits,
    plain_text,
    refuse_beyond_last_line,
    too_much,
)
from kneerisk.schema.faults import LONGEST_CELL

#: Texts that cells share; more than a sheet may have cells (assumption).
_MOST_SHARED_TEXTS = 1_000_000
#: The last column of Excel, and the most characters of a number format there.
_LAST_COLUMN, _LONGEST_FORMAT = 16_384, 255
#: The most cell formats of a workbook of Excel's; a number in a later one shows as a number.
_MOST_FORMATS = 65_490
#: Excel stores whole numbers up to here exactly, as every double does.
_LAST_WHOLE = 2**53
#: Of a formula without a result so much is kept, as the entry that can't be read (assumption).
_FORMULA_SHOWN = 200


class NoDate(str):
    """A number that Excel shows as a date, though the calendar has none for it."""

    __slots__ = ()


class CellFormats:
    """Handlers of the formats of cells."""

    def __init__(self) -> None:
        self.kinds: list[str | None] = []
        """What each format shows a number as: a `date`, a `duration`, or a number (None)."""
        self._kinds_of = {number: _kind(code) for number, code in BUILTIN_FORMATS.items()}
        self._list = ""

    def start(self, tag: str, attributes: Attributes) -> None:
        """Begin an element."""
        name = local(tag)
        if name == "numFmt" and len(self._kinds_of) < _MOST_FORMATS:
            self._kinds_of[int(attributes["numFmtId"])] = _kind(attributes["formatCode"])
        elif name == "xf" and self._list == "cellXfs" and len(self.kinds) < _MOST_FORMATS:
            self.kinds.append(self._kinds_of.get(int(attributes.get("numFmtId", 0))))
        elif name in {"cellXfs", "cellStyleXfs", "dxfs"}:
            self._list = name


class Shared(NamedTuple):
    """Stands for a text of the list that cells share, until that is read."""

    number: int


class SharedTexts:
    """Handlers of the list of texts that cells share."""

    def __init__(self, needed: set[int]) -> None:
        self.texts: dict[int, str] = {}
        self._needed = needed
        self._number = -1
        self._pieces: list[str] = []
        self._is_text = self._is_phonetic = False

    def start(self, tag: str, _: Attributes) -> None:
        """Begin an element."""
        name = local(tag)
        if name == "si":
            self._number += 1
            if self._number >= _MOST_SHARED_TEXTS:
                raise too_much("shared_texts", _MOST_SHARED_TEXTS)
            self._pieces = []
        elif name == "rPh":
            self._is_phonetic = True
        self._is_text = name == "t" and not self._is_phonetic and self._number in self._needed

    def data(self, piece: str) -> None:
        """Take a piece of text."""
        if self._is_text:
            self._pieces.append(piece)

    def end(self, tag: str) -> None:
        """End an element."""
        self._is_text = False
        name = local(tag)
        if name == "rPh":
            self._is_phonetic = False
        elif name == "si" and self._number in self._needed:
            shared = "".join(self._pieces).replace("x005F_", "")
            self.texts[self._number] = plain_text(shared)


class Rows:
    """Handlers of a worksheet's cells."""

    def __init__(self, limits: SheetLimits, formats: list[str | None], epoch: datetime) -> None:
        self.counter = LineCounter(limits)
        self.shared: set[int] = set()
        self._most, self._looked_at = limits.looked_at, 0
        self._formats, self._epoch = formats, epoch
        self._is_data = False
        self._line = self._column = 0
        self._row: dict[int, Any] = {}
        self._kind, self._style = "n", "0"
        self._value: str | None = None
        self._formula: str | None = None
        self._pieces: list[str] | None = None
        self._length = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        """Begin an element."""
        name = local(tag)
        if name == "c" and self._is_data:
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
            self._value = self._formula = None
            self._looked_at += 1
            if self._looked_at > self._most or self._column > _LAST_COLUMN:
                raise too_much("looked_at", self._most)
        elif name in {"v", "t", "f"} and self._is_data:
            self._pieces, self._length = [], 0
        elif name == "row" and self._is_data:
            line = int(attributes.get("r", self._line + 1))
            refuse_beyond_last_line(line)
            if line <= self._line:
                raise BadZipFile
            self._line, self._column, self._row = line, 0, {}
        elif name == "sheetData":
            self._is_data = True

    def data(self, piece: str) -> None:
        """Take a piece of text."""
        if self._pieces is not None:
            self._length += len(piece)
            if self._length > LONGEST_CELL:
                raise too_much("cell", LONGEST_CELL, line=self._line)
            self._pieces.append(piece)

    def end(self, tag: str) -> None:
        """End an element."""
        name = local(tag)
        if self._pieces is not None and name in {"v", "t", "f"}:
            content, self._pieces = "".join(self._pieces), None
            if name == "f":
                self._formula = content
            else:
                self._value = (self._value or "") + content
        elif name == "c" and self._is_data:
            cell = self._cell()
            if cell != "":
                self._row[self._column] = cell
        elif name == "row" and self._row:
            width = max(self._row)
            self.counter.refuse_columns(width)
            self.counter.add(self._line, [self._row.get(at, "") for at in range(1, width + 1)])
            self._row = {}
        elif name == "sheetData":
            self._is_data = False

    def _cell(self) -> Any:
        value = self._value
        if value is None or (value == "" and self._kind != "str"):
            # A formula that no program has worked out is no empty cell; as text it is a bad one.
            return "" if self._formula is None else f"={self._formula[:_FORMULA_SHOWN]}"
        if self._kind == "s":
            number = int(value)
            self.shared.add(number)
            return Shared(number)
        if self._kind == "b":
            return "false" if value.strip() in {"0", "false"} else "true"
        if self._kind == "n" and NUMBER.fullmatch(value.strip()):
            return self._number(float(value), value.strip())
        return stored_moment(value) if self._kind == "d" else plain_text(value)

    def _number(self, value: float, written: str) -> Any:
        at = int(self._style)
        kind = self._formats[at] if 0 <= at < len(self._formats) else None
        if kind is not None:
            return _shown_date(value, kind, self._epoch)
        return stored_number(value, written)


def stored_number(value: float, written: str) -> Any:
    """A number as it is read: a whole one where it is whole."""
    if value.is_integer() and abs(value) <= _LAST_WHOLE:
        return int(value)
    # Not finite: as text it is a bad cell, with the right code.
    return value if abs(value) != float("inf") else written


def _shown_date(value: float, kind: str, epoch: datetime) -> Any:
    """A day; the text of a time of day or a duration, which no measure here is told in."""
    try:
        if kind == "duration":
            seconds = round(timedelta(days=value).total_seconds())
            sign = "-" if seconds < 0 else ""
            return (
                f"{sign}{abs(seconds) // 3600}:{abs(seconds) // 60 % 60:02}:{abs(seconds) % 60:02}"
            )
        day = from_excel(value, epoch) if value >= 0 else None
    except (OverflowError, ValueError):
        day = None
    if isinstance(day, datetime):
        return day
    return day.isoformat("seconds") if isinstance(day, time) else NoDate("#VALUE!")


def stored_moment(value: str) -> Any:
    """A day and time of day; the text of what is none."""
    try:
        return datetime.fromisoformat(value.strip()).replace(tzinfo=None)
    except ValueError:
        return value.strip()


def _kind(code: str) -> str | None:
    if len(code) > _LONGEST_FORMAT or not is_date_format(code):
        return None
    return "duration" if is_timedelta_format(code) else "date"


def _column(reference: str) -> int:
    """The number of a column such as the `B` of B3."""
    return _column_of(reference.rstrip("0123456789"))


@cache
def _column_of(letters: str) -> int:
    if not 1 <= len(letters) <= 3 or not (letters.isascii() and letters.isalpha()):
        raise BadZipFile
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
