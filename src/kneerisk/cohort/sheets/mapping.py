"""The mapping: what the columns of a sheet mean and how its cells are read.

A person writes it as a TOML file, or it comes of recognising the sheet; the same reader reads both.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE, OutcomeKind
from kneerisk.cohort.sheets.file_parts import Arrangement
from kneerisk.cohort.sheets.mapping_file import (
    MappingRefused,
    mapping_entries,
    mapping_faults,
)
from kneerisk.schema import columns
from kneerisk.schema.faults import CellContent
from kneerisk.words import text

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
#: What a word of a sheet stands for.
Meaning = CellContent
#: Where an injury named in words is; 'none' is none at the knee, 'unknown' is not recorded.
Place = Literal["left", "right", "both", "either", "none", "unknown"]

#: Why a line below the names is no athlete's: totals or averages, the names again (a printed page),
#: a line of units, or a remark in the first column only.
LeftOut = Literal["totals", "names_again", "units_again", "remark"]


#: What a mapping has to say of a sheet with outcomes; of one that is only scored, nothing.
TO_TRAIN = ("source", ATHLETE_ID, "outcome")


def _with_column(value: Any) -> Any:
    """A bare column name is short for a table with nothing but the column."""
    return {"column": value} if isinstance(value, str) else value


def _with_columns(value: Any) -> Any:
    """A bare name, a list of names, or a table with `column` instead of `columns`."""
    if isinstance(value, str | list):
        value = {"columns": value}
    if isinstance(value, dict) and "column" in value and "columns" not in value:
        value = {"columns" if name == "column" else name: entry for name, entry in value.items()}
    if isinstance(value, dict) and isinstance(value.get("columns"), str):
        value = value | {"columns": [value["columns"]]}
    return value


class SheetForm(BaseModel):
    """How the file is laid out."""

    model_config = _STRICT

    name: str | None = None
    """The worksheet of an Excel file; the first one where it is not given."""
    header_row: Annotated[int, Field(ge=1)] = 1
    """The row that names the columns; what stands above it is a title."""
    header_rows: Annotated[int, Field(ge=1)] = 1
    """So many rows make up a name, from `header_row` on: a heading over several columns, units."""
    last_row: Annotated[int, Field(ge=2)] | None = None
    """What stands below it, such as totals, is left out."""
    delimiter: Annotated[str, Field(pattern=r'^[^"\r\n]$')] | None = None
    encoding: str = "utf-8-sig"
    decimal_comma: bool = False
    missing: list[str] = []
    """Words for "not recorded", besides an empty cell."""
    leave_out: list[LeftOut] = []
    """Kinds of lines that are no athlete's and are left out wherever they stand."""


class Cell(BaseModel):
    """One column of the sheet and how its cells are read."""

    model_config = _STRICT

    column: str
    unit: str | None = None
    meanings: dict[str, Meaning] = Field(default={}, alias="values")
    """What the words of the column stand for; an empty text is "not recorded"."""
    decimal_comma: bool | None = None
    thousands: bool = False
    """Whether the other mark parts thousands: 42,195 is forty-two thousand."""
    lever_arm_m: Annotated[float | None, Field(gt=0, le=1)] = None
    """Of a force that is to become a torque: how far from the joint it was taken, in metres."""
    per_body_mass: bool = False
    """The cell is a force or torque that is still to be divided by the athlete's body mass."""
    opposite: bool = False
    """The sheet counts the other direction as positive."""


class Day(BaseModel):
    """A column of dates."""

    model_config = _STRICT

    column: str
    formats: Annotated[list[str], Field(min_length=1)] = ["%Y-%m-%d"]


class Identity(BaseModel):
    """The columns that together tell athletes apart: an id, or first and last name."""

    model_config = _STRICT

    columns: Annotated[list[str], Field(min_length=1)]
    prefix: str = ""


class Sides(BaseModel):
    """The column that names the leg, where the sheet has a row for each leg."""

    model_config = _STRICT

    column: str
    meanings: dict[str, Literal["left", "right", "both"]] = Field(alias="values")


class PlaceInWords(BaseModel):
    """A column that says in words where the injury or pain is."""

    model_config = _STRICT

    column: str
    meanings: dict[str, Place] = Field(alias="values")
    otherwise: Place | None = None
    """What a word stands for that is not listed; without it such a word is a bad cell."""


OneColumn = Annotated[Cell, BeforeValidator(_with_column)]
OneDay = Annotated[Day, BeforeValidator(_with_column)]


class OutcomeMap(BaseModel):
    """Where the outcome stands, and how long athletes were followed for it."""

    model_config = _STRICT

    kind: OutcomeKind
    horizon_months: Annotated[int, Field(ge=1)] | None = None
    left: OneColumn | None = None
    right: OneColumn | None = None
    either: OneColumn | None = None
    leg: OneColumn | None = None
    """The outcome of the row's leg, where the sheet has a row for each leg."""
    words: PlaceInWords | None = None
    date: OneDay | None = None
    follow_up_end: OneDay | None = None
    follow_up_months: OneColumn | None = None
    lost: OneColumn | None = None
    """Whether the athlete was lost; its values are yes and no."""


class Mapping(BaseModel):
    """What a sheet's columns mean, by canonical column.

    A mapping file must name the source, the athletes and the outcome; of a sheet that is only to
    be scored there is none.
    """

    model_config = _STRICT

    source: Annotated[str, Field(min_length=1)] | None = None
    sheet: SheetForm = SheetForm()
    arrangement: Arrangement | None = None
    """None: the file is the table."""
    athlete_id: Annotated[Identity, BeforeValidator(_with_columns)] | None = None
    screening_date: OneDay | None = None
    birth_date: OneDay | None = None
    """Gives the age at the screening, where no column gives the age."""
    group: str | None = None
    one_row_per: list[str] = []
    sides: Sides | None = None
    constants: dict[str, Meaning] = {}
    changes: dict[str, Meaning] = Field(default={}, alias="cells")
    """What is put into single cells, by their names (`D4`); an empty text leaves one out."""
    columns: dict[str, OneColumn] = {}
    legs: dict[str, OneColumn] = {}
    outcome: OutcomeMap | None = None

    def cells(self) -> dict[str, Cell]:
        """Every mapped cell by its place in the mapping file."""
        named: dict[str, Cell | None] = {f"columns.{n}": c for n, c in self.columns.items()}
        named |= {f"legs.{name}": cell for name, cell in self.legs.items()}
        for name in ("left", "right", "either", "leg", "follow_up_months", "lost"):
            named[f"outcome.{name}"] = getattr(self.outcome, name, None)
        return {name: cell for name, cell in named.items() if cell is not None}

    def days(self) -> dict[str, Day]:
        """Every mapped date by its place in the mapping file."""
        named = {
            SCREENING_DATE: self.screening_date,
            "birth_date": self.birth_date,
            "outcome.date": self.outcome.date if self.outcome else None,
            "outcome.follow_up_end": self.outcome.follow_up_end if self.outcome else None,
        }
        return {name: day for name, day in named.items() if day is not None}

    def column_of(self, canonical: str) -> str | None:
        """The sheet's column behind a canonical one, or None where no column holds it."""
        unsided = canonical.partition("_")[2]
        cells = self.columns.get(canonical) or self.legs.get(canonical) or self.legs.get(unsided)
        if cells:
            return cells.column
        if canonical.startswith("outcome_"):
            used = self.used()
            place = "outcome." + canonical.removeprefix("outcome_")
            return used.get(place) or used.get("outcome.leg") or used.get("outcome.words")
        if canonical == "age_years":
            return self.birth_date.column if self.birth_date else None
        return None if canonical in columns() else self.used().get(canonical)

    def used(self) -> dict[str, str]:
        """Every column of the sheet that the mapping names, by its place in the mapping file."""
        named = {name: cell.column for name, cell in self.cells().items()}
        named |= {name: day.column for name, day in self.days().items()}
        if self.athlete_id is not None:
            first, *others = self.athlete_id.columns
            named[ATHLETE_ID] = first
            named |= {f"{ATHLETE_ID}.{i}": name for i, name in enumerate(others, start=1)}
        named |= {f"one_row_per.{i}": name for i, name in enumerate(self.one_row_per)}
        if self.group is not None:
            named["group"] = self.group
        if self.sides is not None:
            named["sides"] = self.sides.column
        if self.outcome is not None and self.outcome.words is not None:
            named["outcome.words"] = self.outcome.words.column
        return named


def load(path: Path, *, required: Collection[str] = TO_TRAIN) -> Mapping:
    """A mapping file, its form checked (whether it fits schema and sheet comes later).

    Parameters
    ----------
    path
        The file (TOML).
    required
        The entries that it has to have.

    Returns
    -------
    Mapping
        With at least the required entries.

    Raises
    ------
    MappingRefused
        Where it can't be read, is no TOML, or has unknown or wrong entries.
    """
    entries = mapping_entries(path)
    try:
        mapping = Mapping.model_validate(entries)
    except ValidationError as error:
        faults = [*_absent(entries, required), *mapping_faults(error)]
        raise MappingRefused(path, faults) from None
    if faults := _absent(entries, required):
        raise MappingRefused(path, faults)
    return mapping


def _absent(entries: dict[str, Any], required: Collection[str]) -> list[str]:
    """What a mapping file has to say, though a mapping that comes of recognition need not."""
    must_be_given = text("shared.fault.missing")
    return [f"{name}: {must_be_given}" for name in required if name not in entries]
