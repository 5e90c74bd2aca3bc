"""How a file was read, and how several files or worksheets are put together to one table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Decimal = Literal["point", "comma"]
FileKind = Literal["csv", "xlsx", "ods"]

_FROZEN = ConfigDict(frozen=True)

#: Tests so many days from a screening belong to it (assumption: a squad is tested within two
#: weeks), and no more days than a year may be stated.
USUAL_WINDOW_DAYS, LONGEST_WINDOW_DAYS = 14, 366


class Arrangement(BaseModel):
    """How files or worksheets are put together to the table whose columns a mapping names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    within_days: Annotated[int, Field(ge=0, le=LONGEST_WINDOW_DAYS)] = USUAL_WINDOW_DAYS
    """Tests so many days from a screening belong to it."""
    same_athletes: dict[str, str] = {}
    """The file and the row of an unmatched athlete, and of the athlete that it is."""
    day_first: bool | None = None
    """Of dates such as 03/04/2025, where the files don't tell."""


class SheetFile(BaseModel):
    """How the file was read."""

    model_config = _FROZEN

    kind: FileKind
    sheet: str | None = None
    sheets: Annotated[list[str] | None, Field(description="Every worksheet of the file.")] = None
    header_line: int
    header_lines: Annotated[list[int], Field(
        description="Every line that names the columns, including a line of units.",
    )]  # fmt: skip
    delimiter: str | None = None
    encoding: str | None = None
    decimal: Decimal
    rows: Annotated[int, Field(description="Lines with an entry below the column names.")]


class SheetPart(BaseModel):
    """One file or worksheet of those that were put together."""

    model_config = _FROZEN

    file: Annotated[str, Field(description="Its name; empty where it was given without.")]
    sheet: str | None = None
    layout: Annotated[str, Field(description="What it was recognised as, for people.")]
    rows: Annotated[int, Field(description="Lines with an entry below the column names.")]


class SheetCandidate(BaseModel):
    """An athlete who may be meant."""

    model_config = _FROZEN

    place: Annotated[str, Field(description="To be sent in `same_athletes`.")]
    athlete: str


class SheetUnmatched(BaseModel):
    """Rows of one of several files that no row of another belongs to; they stand by themselves."""

    model_config = _FROZEN

    place: Annotated[str, Field(
        description="The file and the row, `2:7`, to be sent in `same_athletes`.",
    )]  # fmt: skip
    file: str
    lines: list[int]
    athlete: str | None = None
    code: str
    message: str
    candidates: list[SheetCandidate] = []
