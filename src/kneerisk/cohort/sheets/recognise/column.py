"""One column of a sheet, as it is understood or as a person said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kneerisk.cohort.sheets.mapping import Cell
from kneerisk.cohort.sheets.recognise.contract import Alternative, ColumnAsked, Confidence
from kneerisk.cohort.sheets.recognise.plausible import OWN_UNIT, Unit
from kneerisk.cohort.sheets.recognise.values import Facts
from kneerisk.cohort.sheets.recognise.vocabulary import ROLES, leg_names, unsided
from kneerisk.schema import Measure, Quantity, Side, columns


class Context(NamedTuple):
    """What is known of the sheet while one of its columns is looked at."""

    mass_kg: float
    has_sides: bool
    """A column names the leg of each row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a column means, how its cells are read, and what has to be asked first."""

    place: str
    name: str
    facts: Facts
    means: str | None = None
    """A measure without its side, or a role; None where the column is left out."""
    side: Side | None = None
    unit: Unit = OWN_UNIT
    opposite: bool = False
    words: dict[str, str | int | float] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    confidence: Confidence = "none"
    why: str
    question: str | None = None
    proposal: ColumnAsked | None = None
    alternatives: tuple[Alternative, ...] = ()
    is_confirmed: bool = False

    @property
    def is_applied(self) -> bool:
        """Whether the rows hold its values."""
        return self.means is not None and self.question is None

    @property
    def measure(self) -> Measure | None:
        """The measure it holds; None for a role or nothing."""
        return unsided().get(self.means) if self.means else None

    @property
    def canonical(self) -> str | None:
        """The canonical column, or the measure without a side where rows are legs, or the role."""
        return f"{self.side}_{self.means}" if self.side else self.means

    @property
    def label(self) -> str | None:
        """The name for people."""
        return label_of(self.means) if self.means else None

    def cell(self) -> Cell:
        """How its cells are read, in the words of a mapping file."""
        return Cell(
            column=self.place,
            unit=self.unit.name,
            values=self.words,
            decimal_comma=self.facts.commas,
            per_body_mass=self.unit.per_body_mass,
            opposite=self.opposite,
        )


def label_of(means: str) -> str:
    """A measure's or role's name for people."""
    measure = unsided().get(means)
    return measure.label if measure else ROLES[means]


def apart(canonical: str) -> tuple[str, Side | None]:
    """A canonical column as the measure and its side."""
    side: Side
    for side in ("left", "right"):
        name = canonical.removeprefix(f"{side}_")
        if canonical in columns() and name != canonical and name in leg_names():
            return name, side
    return canonical, None


def ask(means: str, side: Side | None, unit: Unit = OWN_UNIT) -> ColumnAsked:
    """What a person sends to have a column read like this."""
    measure = unsided().get(means)
    named = unit.name or (measure.unit if isinstance(measure, Quantity) else None)
    return ColumnAsked(
        means=f"{side}_{means}" if side else means,
        unit=named,
        per_body_mass=True if unit.per_body_mass else None,
    )


def in_words(means: str, side: Side | None, unit: Unit = OWN_UNIT) -> str:
    """A meaning for people: `Hip abduction strength, left, in kgf`."""
    measure = unsided().get(means)
    named = unit.name or (measure.unit if isinstance(measure, Quantity) else None)
    parts = [label_of(means), side, f"in {named}" if named else None]
    told = ", ".join(filter(None, parts))
    return f"{told}, divided by body mass here" if unit.per_body_mass else told
