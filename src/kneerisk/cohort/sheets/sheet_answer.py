"""What a sheet was read as: columns, rows, every bad cell, and the questions that are left.

What is not known is absent, never null. Names may be added; those that are here stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kneerisk.cohort.sheets.file_parts import (
    SheetFile,
    SheetPart,
    SheetUnmatched,
)
from kneerisk.cohort.sheets.lexicon.vocabulary import Legs
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.errors import Proposal
from kneerisk.schema.faults import CellContent

Confidence = Literal["certain", "likely", "unsure", "none"]
CellStatus = Literal["ok", "converted", "bad", "ignored", "asked", "left_out"]
RowStatus = Literal["ready", "bad", "waiting", "earlier", "joined", "ignored"]
Asks = Literal["words", "lever_arm"]

_FROZEN = ConfigDict(frozen=True)


class Alternative(BaseModel):
    """Another meaning that a column may have."""

    model_config = _FROZEN

    label: str
    ask: Annotated[ColumnAsked, Field(description="To be sent under the column's place.")]


class SheetWord(BaseModel):
    """One word of a column of words, and what it stands for."""

    model_config = _FROZEN

    word: str
    means: CellContent | None = None
    rows: int


class SheetColumn(BaseModel):
    """One column of the sheet: what it means, how sure that is, and what is asked about it."""

    model_config = _FROZEN

    place: Annotated[str, Field(description="Its letter as in Excel.")]
    column: Annotated[str, Field(description="Its name in the sheet.")]
    means: Annotated[str | None, Field(
        description="The canonical column, or `athlete_id`, `screening_date`, `birth_date`, "
        "`side`, `red_flags`; absent where the column is left out.",
    )] = None  # fmt: skip
    label: Annotated[str | None, Field(description="The measure's name for people.")] = None
    side: Legs | None = None
    from_unit: Annotated[str | None, Field(description="The unit of the sheet.")] = None
    unit: Annotated[str | None, Field(description="The unit of the schema.")] = None
    per_body_mass: bool = False
    converted: Annotated[bool, Field(description="Its values are converted in the rows.")] = False
    confidence: Confidence
    why: Annotated[str, Field(description="How meaning and unit were recognised, for people.")]
    applied: Annotated[bool, Field(
        description="Whether the rows hold its values; false while its question is open.",
    )]  # fmt: skip
    question: Annotated[str | None, Field(
        description="What has to be answered before the column is used.",
    )] = None  # fmt: skip
    proposal: Annotated[ColumnAsked | None, Field(
        description="Yes to the question: sent back under `mapping.columns[place]`.",
    )] = None  # fmt: skip
    alternatives: Annotated[list[Alternative], Field(
        description="Other answers to the question, and other meanings, likeliest first.",
    )] = []  # fmt: skip
    asks: Annotated[Asks | None, Field(
        description="What the question wants besides a choice: what the `words` stand for, or "
        "`lever_arm_m`.",
    )] = None  # fmt: skip
    words: Annotated[list[SheetWord] | None, Field(
        description="Of a column of words, or of numbers with some: each that occurs.",
    )] = None  # fmt: skip
    filled: Annotated[int, Field(description="Cells that are not empty.")]
    bad: Annotated[int, Field(description="Cells that can't be used.")] = 0


class SheetConstant(BaseModel):
    """Something that holds for the whole sheet and stands in none of its columns."""

    model_config = _FROZEN

    means: str
    label: str
    choices: Annotated[list[str], Field(description="Empty where it is a number.")]
    unit: str | None = None
    value: Annotated[str | int | float | None, Field(description="What it is taken as.")] = None
    needed: Annotated[bool, Field(description="Rows wait for it.")]
    question: str


# A sheet may have 300,000 of them, which as models of pydantic's would take 300 MB.
@dataclass(slots=True, kw_only=True)
class SheetCell:
    """One cell that is not empty, or one that must not be."""

    place: str
    shown: Annotated[str, Field(description="The cell as in the sheet.")]
    status: CellStatus
    value: Annotated[str | int | float | list[str] | None, Field(
        description="As the screening has it, in the schema's unit.",
    )] = None  # fmt: skip
    unit: str | None = None
    code: Annotated[str | None, Field(description="Stable; of a bad cell.")] = None
    message: str | None = None
    allowed: str | None = None
    was: Annotated[str | None, Field(
        description="The cell as in the sheet, where a person changed it or left it out.",
    )] = None  # fmt: skip
    source: Annotated[str | None, Field(
        description="Where it stood, if the table was put together: `knee.csv, rows 2 and 5`.",
    )] = None  # fmt: skip


class SheetReason(BaseModel):
    """What of a row can't be used: one for every bad cell, and those of the whole row."""

    model_config = _FROZEN

    code: str
    message: str
    place: str | None = None
    column: str | None = None
    allowed: str | None = None
    proposal: Annotated[Proposal | None, Field(
        description="What a number may have been meant to be, in the column's own unit.",
    )] = None  # fmt: skip


class SheetRow(BaseModel):
    """One line of the sheet."""

    model_config = _FROZEN

    line: int
    status: Annotated[RowStatus, Field(
        description="`ready`: to be scored, without the cells that are told in its reasons. "
        "`bad`: see its reasons. `waiting`: a question is open. `earlier`: good, but the athlete "
        "has a later visit. `joined`: the other leg of the athlete on `into_line`. `ignored`: "
        "totals and the like.",
    )]  # fmt: skip
    athlete: str | None = None
    date: Annotated[str | None, Field(description="ISO 8601.")] = None
    into_line: int | None = None
    screening: Annotated[dict[str, Any] | None, Field(
        description="The body for /v1/predict, and one of `screenings` for /v1/predict_team; it "
        "has passed the schema. Only of `ready` and `earlier` rows.",
    )] = None  # fmt: skip
    reasons: list[SheetReason] = []
    sources: Annotated[list[str], Field(
        description="The rows that it was put together from, if it was.",
    )] = []  # fmt: skip
    cells: list[SheetCell]


class SheetNote(BaseModel):
    """Something that was done or left out, so that nothing happens quietly."""

    model_config = _FROZEN

    code: str
    message: str
    lines: list[int] = []
    places: list[str] = []


class SheetCounts(BaseModel):
    """How many there are of each."""

    model_config = _FROZEN

    rows: int
    ready: int
    bad: int
    waiting: int
    earlier: int
    joined: int
    ignored: int
    athletes: Annotated[int, Field(description="Different athletes among the ready rows.")]
    bad_cells: int
    converted_cells: int
    questions: Annotated[int, Field(description="Columns and constants that rows wait for.")]


class SheetAnswer(BaseModel):
    """A sheet as it was understood: nothing in it is repaired without being told or asked."""

    model_config = _FROZEN

    file: SheetFile
    parts: Annotated[list[SheetPart], Field(
        description="What the table was put together from; empty where the file is the table.",
    )] = []  # fmt: skip
    unmatched: list[SheetUnmatched] = []
    columns: list[SheetColumn]
    constants: list[SheetConstant]
    rows: list[SheetRow]
    notes: list[SheetNote]
    counts: SheetCounts
    mapping: Annotated[str, Field(
        description="The same reading as a mapping file (TOML) for `kneerisk ingest sheet`.",
    )]  # fmt: skip
