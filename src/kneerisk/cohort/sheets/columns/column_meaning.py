"""One column of a sheet: what it means, how its cells are read, and what is asked about it.

How the meaning is found is in `agreement`, what is asked in `questions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kneerisk.cohort.sheets.cells.cell_text import ColumnValues
from kneerisk.cohort.sheets.lexicon.units import OWN_UNIT, Unit
from kneerisk.cohort.sheets.lexicon.vocabulary import Legs, leg_names, unsided
from kneerisk.cohort.sheets.mapping import Cell
from kneerisk.cohort.sheets.sheet_answer import Alternative, Asks, Confidence
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.schema import Measure, Quantity, columns
from kneerisk.words import text, variant

BOTH: Legs = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedColumn:
    """What a column means, how its cells are read, and what has to be asked first."""

    place: str
    """Its letter as in Excel."""
    name: str
    """As it stands in the sheet."""
    reference: str
    """How a mapping names it."""
    values: ColumnValues
    means: str | None = None
    """A measure without its side, or a role; None where the column is left out."""
    side: Legs | None = None
    unit: Unit = OWN_UNIT
    opposite: bool = False
    lever_arm_m: float | None = None
    """How far from the joint its forces were taken."""
    words: dict[str, str | int | float] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    confidence: Confidence = "none"
    why: str
    question: str | None = None
    proposal: ColumnAsked | None = None
    alternatives: tuple[Alternative, ...] = ()
    asks: Asks | None = None
    """What is told besides a choice: words, or a lever arm."""
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
        """The canonical column, or the measure without a side where rows are legs, or the role.

        One value for both legs is `both_` and the measure.
        """
        return f"{self.side}_{self.means}" if self.side else self.means

    @property
    def canonicals(self) -> tuple[str, ...]:
        """The canonical columns that it fills: those of both legs, or the one."""
        if self.side == BOTH:
            return (f"left_{self.means}", f"right_{self.means}")
        return (self.canonical,) if self.canonical else ()

    @property
    def label(self) -> str | None:
        """The name for people."""
        return label_of(self.means) if self.means else None

    def cell(self) -> Cell:
        """How its cells are read, as an entry of a mapping."""
        return Cell(
            column=self.reference,
            unit=self.unit.name,
            values=self.words,
            decimal_comma=self.values.marks.commas,
            thousands=self.values.marks.thousands,
            per_body_mass=self.unit.per_body_mass,
            opposite=self.opposite,
            lever_arm_m=self.lever_arm_m,
        )


def label_of(means: str) -> str:
    """A measure's or role's name for people."""
    measure = unsided().get(means)
    return measure.label if measure else variant("sheet.role", means)


def split_side(canonical: str) -> tuple[str, Legs | None]:
    """A canonical column as the measure and its side."""
    side: Legs
    for side in ("left", "right", "both"):
        name = canonical.removeprefix(f"{side}_")
        is_column = side == BOTH or canonical in columns()
        if is_column and name != canonical and name in leg_names():
            return name, side
    return canonical, None


def stating(means: str, side: Legs | None, unit: Unit = OWN_UNIT) -> ColumnAsked:
    """What a person sends to have a column read like this.

    Parameters
    ----------
    means
        A measure without its side, or a role.
    side
        The leg, where the measure has one.
    unit
        The unit of the column.

    Returns
    -------
    ColumnAsked
        The entry of a request.
    """
    return ColumnAsked(
        means=f"{side}_{means}" if side else means,
        unit=_unit_name(means, unit),
        per_body_mass=True if unit.per_body_mass else None,
    )


def in_words(means: str, side: Legs | None, unit: Unit = OWN_UNIT) -> str:
    """A meaning for people: `Hip abduction strength, left, in kgf`.

    Parameters
    ----------
    means
        A measure without its side, or a role.
    side
        The leg, where the measure has one.
    unit
        The unit of the column.

    Returns
    -------
    str
        Words for a question or a choice.
    """
    name = _unit_name(means, unit)
    in_unit = text("sheet.meaning.in_unit", unit=name) if name else None
    legs = text("sheet.meaning.both") if side == BOTH else side
    meaning = ", ".join(filter(None, [label_of(means), legs, in_unit]))
    return text("sheet.meaning.per_body_mass", meaning=meaning) if unit.per_body_mass else meaning


def _unit_name(means: str, unit: Unit) -> str | None:
    measure = unsided().get(means)
    return unit.name or (measure.unit if isinstance(measure, Quantity) else None)
