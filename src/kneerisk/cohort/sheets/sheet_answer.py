"""What a sheet was read as: columns, rows, every bad cell, and the questions that are left.

What is not known is absent, never null. Names may be added; those that are here stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from kneerisk.cohort.sheets.changed_cells import MOST_CHANGES
from kneerisk.cohort.sheets.file_parts import (
    LONGEST_WINDOW_DAYS,
    USUAL_WINDOW_DAYS,
    Decimal,
    SheetFile,
    SheetPart,
    SheetUnmatched,
)
from kneerisk.cohort.sheets.mapping import Meaning
from kneerisk.cohort.sheets.sheet_limits import LAST_LINE, RECOGNISED
from kneerisk.errors import Proposal
from kneerisk.schema import Side

Confidence = Literal["certain", "likely", "unsure", "none"]
CellStatus = Literal["ok", "converted", "bad", "ignored", "asked", "left_out"]
RowStatus = Literal["ready", "bad", "waiting", "earlier", "joined", "ignored"]

_FROZEN = ConfigDict(frozen=True)
_STRICT = ConfigDict(
    frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
)

#: Of a column so many different words may be said (assumption: more are no answers).
_MOST_WORDS = 1_000


class ColumnAsked(BaseModel):
    """How a person wants one column read. What is left out stays as it was recognised."""

    model_config = _STRICT

    means: Annotated[str | None, Field(
        description="A canonical column (`left_hip_drop_deg`; without a side where each row is one "
        "leg), or `athlete_id`, `screening_date`, `birth_date`, `side`, `red_flags`; null leaves "
        "the column out.",
    )] = None  # fmt: skip
    unit: Annotated[str | None, Field(
        description="What the column is measured in: `lb`, `inch`, `N`, `kgf`, `Nm`, `deg`, ...",
    )] = None  # fmt: skip
    per_body_mass: Annotated[bool | None, Field(
        description="A force or torque that still has to be divided by the athlete's body mass.",
    )] = None  # fmt: skip
    opposite: Annotated[bool | None, Field(
        description="The sheet counts the other direction as positive.",
    )] = None  # fmt: skip
    decimal: Decimal | None = None
    day_first: Annotated[bool | None, Field(
        description="Of dates such as 03/04/2025: true is 3 April, false is 4 March.",
    )] = None  # fmt: skip
    words: Annotated[dict[str, Meaning], Field(
        max_length=_MOST_WORDS,
        description="What the column's words stand for, `{\"w\": \"female\"}`; an empty text means "
        "\"not recorded\".",
    )] = {}  # fmt: skip

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A null is sent for a column that is left out, so it must not get lost on the way."""
        stated = {name: value for name, value in handler(self).items() if value not in (None, {})}
        leaves_out = "means" in self.model_fields_set and self.means is None
        return {"means": None} if leaves_out else stated


class SheetAsked(BaseModel):
    """The part `mapping` of a request: what a person says about the sheet; all of it optional.

    A column that is named here is confirmed: what it says is done without a question.
    """

    model_config = _STRICT

    sheet: Annotated[str | None, Field(description="The worksheet of an Excel file.")] = None
    header_line: Annotated[int | None, Field(ge=1, le=LAST_LINE)] = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    encoding: Literal["utf-8", "cp1252", "utf-16"] | None = None
    decimal: Decimal | None = None
    columns: Annotated[dict[str, ColumnAsked], Field(
        max_length=RECOGNISED.columns,
        description="By place, the column's letter as in Excel: `A`, `B`, ..., `AA`.",
    )] = {}  # fmt: skip
    constants: Annotated[dict[str, Meaning], Field(
        max_length=RECOGNISED.columns,
        description="Canonical columns that are the same on every row: `{\"sport\": \"running\"}`.",
    )] = {}  # fmt: skip
    cells: Annotated[dict[str, Meaning], Field(
        max_length=MOST_CHANGES,
        description="What is put into single cells, by their names as in Excel: "
        "`{\"D4\": 38.5}`; an empty text leaves the cell out.",
    )] = {}  # fmt: skip
    within_days: Annotated[int, Field(
        ge=0, le=LONGEST_WINDOW_DAYS,
        description="Of several files: tests so many days from a screening belong to it.",
    )] = USUAL_WINDOW_DAYS  # fmt: skip
    same_athletes: Annotated[dict[str, str], Field(
        max_length=RECOGNISED.lines,
        description="Of several files: the `place` of an unmatched row, and that of the athlete "
        "whose it is; an empty text keeps it apart.",
    )] = {}  # fmt: skip


class Alternative(BaseModel):
    """Another meaning that a column may have."""

    model_config = _FROZEN

    label: str
    ask: Annotated[ColumnAsked, Field(description="To be sent under the column's place.")]


class SheetWord(BaseModel):
    """One word of a column of words, and what it stands for."""

    model_config = _FROZEN

    word: str
    means: str | None = None
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
    side: Side | None = None
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
    """Why a row can't be scored as it is; one for every bad cell, and those of the whole row."""

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
        description="`ready`: to be scored. `bad`: see its reasons. `waiting`: a question is open. "
        "`earlier`: good, but the same athlete has a later visit. `joined`: the other leg of the "
        "athlete on `into_line`. `ignored`: totals and the like, not an athlete.",
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
