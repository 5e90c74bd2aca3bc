"""The mapping file (TOML) that says what the columns of a club's sheet mean."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kneerisk.cohort.layout import OutcomeKind
from kneerisk.errors import CohortRefused

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
#: Where an injury named in words is; 'none' is none at the knee, 'unknown' is not recorded.
Place = Literal["left", "right", "both", "either", "none", "unknown"]


class MappingRefused(CohortRefused):
    """A mapping file with mistakes, all of them named."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        self.faults = faults
        lines = [f"  {fault}" for fault in faults]
        super().__init__("\n".join([f"{path} has {len(faults)} fault(s):", *lines]))


def _named(value: Any) -> Any:
    """A bare column name is short for a table with nothing but the column."""
    return {"column": value} if isinstance(value, str) else value


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
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str = "utf-8-sig"
    decimal_comma: bool = False
    missing: list[str] = []
    """Words for "not recorded", besides an empty cell."""


class Cell(BaseModel):
    """One column of the sheet and how its cells are read."""

    model_config = _STRICT

    column: str
    unit: str | None = None
    meanings: dict[str, str | int | float] = Field(default={}, alias="values")
    """What the words of the column stand for; an empty text is "not recorded"."""
    decimal_comma: bool | None = None
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
    """The column that tells athletes apart."""

    model_config = _STRICT

    column: str
    prefix: str = ""


class Sides(BaseModel):
    """The column that names the leg, where the sheet has a row for each leg."""

    model_config = _STRICT

    column: str
    meanings: dict[str, Literal["left", "right"]] = Field(alias="values")


class PlaceInWords(BaseModel):
    """A column that says in words where the injury or pain is."""

    model_config = _STRICT

    column: str
    meanings: dict[str, Place] = Field(alias="values")
    otherwise: Place | None = None
    """What a word stands for that is not listed; without it such a word is a bad cell."""


OneColumn = Annotated[Cell, BeforeValidator(_named)]
OneDay = Annotated[Day, BeforeValidator(_named)]


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
    """What a sheet's columns mean, by canonical column."""

    model_config = _STRICT

    source: Annotated[str, Field(min_length=1)]
    sheet: SheetForm = SheetForm()
    athlete_id: Annotated[Identity, BeforeValidator(_named)]
    screening_date: OneDay | None = None
    group: str | None = None
    one_row_per: list[str] = []
    sides: Sides | None = None
    constants: dict[str, str | int | float] = {}
    columns: dict[str, OneColumn] = {}
    legs: dict[str, OneColumn] = {}
    outcome: OutcomeMap

    def cells(self) -> dict[str, Cell]:
        """Every mapped cell by its place in the mapping file."""
        named: dict[str, Cell | None] = {f"columns.{n}": c for n, c in self.columns.items()}
        named |= {f"legs.{name}": cell for name, cell in self.legs.items()}
        for name in ("left", "right", "either", "leg", "follow_up_months", "lost"):
            named[f"outcome.{name}"] = getattr(self.outcome, name)
        return {name: cell for name, cell in named.items() if cell is not None}

    def days(self) -> dict[str, Day]:
        """Every mapped date by its place in the mapping file."""
        named = {
            "screening_date": self.screening_date,
            "outcome.date": self.outcome.date,
            "outcome.follow_up_end": self.outcome.follow_up_end,
        }
        return {name: day for name, day in named.items() if day is not None}

    def column_of(self, canonical: str) -> str:
        """The sheet's column behind a canonical one; its own name where there is none."""
        leg = canonical.partition("_")[2]
        if cell := self.columns.get(canonical) or self.legs.get(canonical) or self.legs.get(leg):
            return cell.column
        used = self.used()
        if canonical.startswith("outcome_"):
            place = "outcome." + canonical.removeprefix("outcome_")
            return used.get(place) or used.get("outcome.leg") or used.get("outcome.words", place)
        return used.get(canonical, canonical)

    def used(self) -> dict[str, str]:
        """Every column of the sheet that the mapping names, by its place in the mapping file."""
        named = {name: cell.column for name, cell in self.cells().items()}
        named |= {name: day.column for name, day in self.days().items()}
        named["athlete_id"] = self.athlete_id.column
        named |= {f"one_row_per.{i}": name for i, name in enumerate(self.one_row_per)}
        if self.group is not None:
            named["group"] = self.group
        if self.sides is not None:
            named["sides"] = self.sides.column
        if self.outcome.words is not None:
            named["outcome.words"] = self.outcome.words.column
        return named


def load(path: Path) -> Mapping:
    """A mapping file, its form checked (whether it fits schema and sheet comes later).

    Raises
    ------
    MappingRefused
        Where it can't be read, is no TOML, or has unknown or wrong entries.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        return Mapping.model_validate(entries)
    except FileNotFoundError:
        raise MappingRefused(path, ["there is no such file"]) from None
    except OSError as error:
        raise MappingRefused(path, [f"can't be read ({error.strerror})"]) from None
    except UnicodeDecodeError:
        raise MappingRefused(path, ["is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise MappingRefused(path, [f"is not TOML: {error}"]) from None
    except ValidationError as error:
        raise MappingRefused(path, [_fault(found) for found in error.errors()]) from None


def _fault(found: Any) -> str:
    plain = {"extra_forbidden": "is not an entry of a mapping file", "missing": "must be given"}
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {plain.get(found['type'], found['msg'])}"
