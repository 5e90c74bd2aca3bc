"""What a person states about a sheet: answers to its questions, and changes of its cells.

All of it is optional. Names may be added; those that are here stay.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from kneerisk.cohort.sheets.file_parts import LONGEST_WINDOW_DAYS, USUAL_WINDOW_DAYS, Decimal
from kneerisk.cohort.sheets.files.sheet_limits import LAST_LINE, MOST_CHANGES, RECOGNISED
from kneerisk.cohort.sheets.mapping import Meaning
from kneerisk.errors import Fault, KneeriskError
from kneerisk.words import text

_STRICT = ConfigDict(
    frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
)
#: Of a column so many different words may be said (assumption: more are no answers).
_MOST_WORDS = 1_000


class ColumnAsked(BaseModel):
    """How a person wants one column read. What is left out stays as it was recognised."""

    model_config = _STRICT

    means: Annotated[str | None, Field(
        description="A canonical column (`left_hip_drop_deg`; `both_wblt_distance_cm` for one "
        "value of both legs; without a side where each row is one leg), or `athlete_id`, "
        "`screening_date`, `birth_date`, `side`, `red_flags`; null leaves the column out.",
    )] = None  # fmt: skip
    unit: Annotated[str | None, Field(
        description="What the column is measured in: `lb`, `inch`, `N`, `kgf`, `Nm`, `deg`, ...",
    )] = None  # fmt: skip
    per_body_mass: Annotated[bool | None, Field(
        description="A force or torque that still has to be divided by the athlete's body mass.",
    )] = None  # fmt: skip
    lever_arm_m: Annotated[float | None, Field(
        gt=0, le=1,
        description="Of a force that is to become a torque: how far from the joint it was taken, "
        "in metres.",
    )] = None  # fmt: skip
    opposite: Annotated[bool | None, Field(
        description="The sheet counts the other direction as positive.",
    )] = None  # fmt: skip
    decimal: Annotated[Decimal | None, Field(
        description="With `point`, 42,195 is forty-two thousand; with `comma` it is forty-two.",
    )] = None  # fmt: skip
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


class AskRefused(KneeriskError):
    """A wish about a sheet that can't be met, with every fault of it."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        lines = [f"  {fault.pointer}: {fault.message}" for fault in faults]
        super().__init__("\n".join([text("sheet.stated.faults", count=len(faults)), *lines]))
