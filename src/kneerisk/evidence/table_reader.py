"""The reader of the evidence tables: pydantic checks every cell, and every bad one is named.

A table is a CSV file of this package. Its header names the fields of its row model in order, and
an empty cell stands for the field's default.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from kneerisk.errors import BadCells, CellFault
from kneerisk.schema import columns, leg_measures
from kneerisk.schema.own_measures import per_schema

#: What is allowed instead, by pydantic's type of error; other errors say it in their own words.
_ALLOWED = {
    "missing": "not empty",
    "float_parsing": "a finite number",
    "finite_number": "a finite number",
    "int_parsing": "a whole number",
    "literal_error": "one of {expected}",
}


class TableRow(BaseModel):
    """One row of an evidence table; its fields are the columns of the file, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Row = TypeVar("Row", bound=TableRow)


def _yes_or_no(cell: object) -> object:
    if cell not in {"yes", "no"}:
        raise PydanticCustomError("not_allowed", "yes or no")
    return cell == "yes"


def _split(cell: object) -> object:
    return tuple(cell.split()) if isinstance(cell, str) else cell


def _known_measure(name: str) -> str:
    if name not in measure_names():
        raise PydanticCustomError("not_allowed", "a measure of the schema")
    return name


def _known_sources(keys: tuple[str, ...]) -> tuple[str, ...]:
    if not set(keys) <= set(references()):
        raise PydanticCustomError("not_allowed", "keys of references.csv, separated by spaces")
    return keys


YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
#: Words separated by spaces.
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
#: Keys of the references, separated by spaces.
Sources = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_known_sources)]
#: A name of the schema; a leg's measure has no side in it.
MeasureName = Annotated[str, AfterValidator(_known_measure)]
MeasureNames = Annotated[tuple[MeasureName, ...], BeforeValidator(_split)]


class Reference(TableRow):
    """Where a number was read; secondary: in someone else's summary, or not in a study."""

    key: str
    citation: str
    url: str = ""
    secondary: YesOrNo

    @property
    def short(self) -> str:
        """Who, when and where: the citation up to its first comma, semicolon or bracket."""
        return re.split(r"[,;]| \(", self.citation, maxsplit=1)[0].strip()


@per_schema
def measure_names() -> frozenset[str]:
    """Every name that a table may give as a measure; a leg's measure has no side in it."""
    sided = {name for name in columns() if name.startswith(("left_", "right_"))}
    plain = {name.removeprefix("left_").removeprefix("right_") for name in sided}
    return frozenset((set(columns()) - sided) | plain | set(leg_measures()))


@cache
def references() -> dict[str, Reference]:
    """Every source, by its key."""
    return {reference.key: reference for reference in read_table("references", Reference)}


def read_table(name: str, row: type[Row]) -> tuple[Row, ...]:
    """Read ``<name>.csv`` of this package, once in a program's life.

    Parameters
    ----------
    name
        The table: the file's name without its ending.
    row
        The model of its rows.

    Returns
    -------
    The rows, in the order of the file.

    Raises
    ------
    BadCells
        With every bad cell of the table: file, line, column and what is allowed.
    """
    rows: tuple[Row, ...] = _read_once(name, row)
    return rows


@cache
def _read_once(name: str, row: type[Any]) -> tuple[Any, ...]:
    return parse_table(f"{name}.csv", _text_of(name), row)


def _text_of(name: str) -> str:
    return files(__package__).joinpath(f"{name}.csv").read_text("utf-8")


def count_assumptions(name: str) -> tuple[int, int]:
    """How many rows of ``<name>.csv`` are a judgement made here, and how many it has."""
    rows = list(csv.DictReader(_text_of(name).splitlines(), strict=True))
    return sum(row["assumption"] == "yes" for row in rows), len(rows)


def parse_table(source: str, text: str, row: type[Row]) -> tuple[Row, ...]:
    """Read a table given as text.

    Parameters
    ----------
    source
        What a message calls the table.
    text
        The table as CSV, with its header.
    row
        The model of its rows.

    Returns
    -------
    The rows, in the order of the text.

    Raises
    ------
    BadCells
        With every bad cell of the table.
    """
    reader = csv.reader(text.splitlines(), strict=True)
    names = list(row.model_fields)
    header = next(reader, [])
    if header != names:
        allowed = ", ".join(names)
        fault = CellFault(line=1, column=", ".join(header), rule="header", allowed=allowed)
        raise BadCells(source, [fault])
    rows: list[Row] = []
    faults: list[CellFault] = []
    for cells in reader:
        line = reader.line_num
        if len(cells) != len(names):
            allowed = f"{len(names)} cells"
            faults.append(CellFault(line=line, column="", rule="number of cells", allowed=allowed))
            continue
        stripped = zip(names, map(str.strip, cells), strict=True)
        try:
            rows.append(row.model_validate({name: cell for name, cell in stripped if cell}))
        except ValidationError as error:
            faults += _faults(error, line)
    if faults:
        raise BadCells(source, faults)
    return tuple(rows)


def _faults(error: ValidationError, line: int) -> Iterator[CellFault]:
    """One fault a cell, in pydantic's words for what is allowed."""
    allowed: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        words = _ALLOWED.get(detail["type"], detail["msg"])
        allowed.setdefault(str(detail["loc"][0]), words.format_map(detail.get("ctx", {})))
    for column, words in allowed.items():
        yield CellFault(line=line, column=column, rule="bad cell", allowed=words)
