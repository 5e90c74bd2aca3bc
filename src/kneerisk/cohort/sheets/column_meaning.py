"""What one column may mean, from its name and its cells together.

Every meaning that the name allows is a candidate; the unit and the share of cells that can be read
as it decide between them. What stays open becomes a question (`questions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cell_dates import date_forms
from kneerisk.cohort.sheets.cell_text import ColumnValues
from kneerisk.cohort.sheets.column_names import Match, Named
from kneerisk.cohort.sheets.mapping import Cell
from kneerisk.cohort.sheets.sheet_answer import Alternative, ColumnAsked, Confidence
from kneerisk.cohort.sheets.units import OWN_UNIT, Fit, Unit, fit, other_fits, rival_units, unit_of
from kneerisk.cohort.sheets.vocabulary import (
    ATHLETE,
    BIRTH,
    DATE,
    FLAGS,
    SIDE,
    answers,
    fold,
    leg_names,
    unsided,
)
from kneerisk.schema import Measure, Quantity, Side, columns
from kneerisk.words import text, variant

#: What a dynamometer that shows kilograms or pounds means.
_OF_FORCE = {"kg": Unit("kgf", per_body_mass=True), "lb": Unit("lbf", per_body_mass=True)}
_FORCES = ("N/kg", "% BW")
#: Names this alike are as good as each other (assumption).
_SAME_LIKENESS = 0.02


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
        """How its cells are read, as an entry of a mapping."""
        return Cell(
            column=self.reference,
            unit=self.unit.name,
            values=self.words,
            decimal_comma=self.values.commas,
            per_body_mass=self.unit.per_body_mass,
            opposite=self.opposite,
        )


def label_of(means: str) -> str:
    """A measure's or role's name for people."""
    measure = unsided().get(means)
    return measure.label if measure else variant("sheet.role", means)


def split_side(canonical: str) -> tuple[str, Side | None]:
    """A canonical column as the measure and its side."""
    side: Side
    for side in ("left", "right"):
        name = canonical.removeprefix(f"{side}_")
        if canonical in columns() and name != canonical and name in leg_names():
            return name, side
    return canonical, None


def stating(means: str, side: Side | None, unit: Unit = OWN_UNIT) -> ColumnAsked:
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


def in_words(means: str, side: Side | None, unit: Unit = OWN_UNIT) -> str:
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
    meaning = ", ".join(filter(None, [label_of(means), side, in_unit]))
    return text("sheet.meaning.per_body_mass", meaning=meaning) if unit.per_body_mass else meaning


def _unit_name(means: str, unit: Unit) -> str | None:
    measure = unsided().get(means)
    return unit.name or (measure.unit if isinstance(measure, Quantity) else None)


class Candidate(NamedTuple):
    """One meaning of a column, in a unit, with what speaks against it."""

    means: str
    likeness: float
    share: float
    """Of the entries that can be read as it at all."""
    fit: Fit | None = None
    other_units: tuple[Fit, ...] = ()
    """Other units that have to be asked about, the likeliest first."""
    doubt: str | None = None
    """Why the unit is not certain, for people."""

    @property
    def unit(self) -> Unit:
        """The unit that it is taken to be in."""
        return self.fit.unit if self.fit else OWN_UNIT

    @property
    def is_possible(self) -> bool:
        """Whether most entries can be read, in a unit that fits."""
        fits = self.fit is None or self.fit.is_possible or bool(self.other_units)
        return self.share >= 0.5 and fits

    @property
    def is_typical(self) -> bool:
        """Whether its numbers are such as people have."""
        return self.fit is None or self.fit.is_typical

    @property
    def rank(self) -> tuple[bool, float, bool, float]:
        """The greater, the likelier."""
        distance = (self.fit.distance or 0.0) if self.fit else 0.0
        return (self.is_possible, round(self.likeness, 1), self.is_typical, -distance)


def candidates(
    named: Named, cells: Sequence[Any], values: ColumnValues, mass_kg: float
) -> list[Candidate]:
    """Every meaning that the name allows and the unit does not exclude.

    Parameters
    ----------
    named
        What the column's name says.
    cells
        Its cells as they stand.
    values
        The same cells, counted.
    mass_kg
        The athletes' usual body mass in kg.

    Returns
    -------
    list of Candidate
        The likeliest first.
    """
    every = [_candidate(match, named, cells, values, mass_kg) for match in named.matches]
    return sorted(filter(None, every), key=lambda candidate: candidate.rank, reverse=True)


def rivals(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Other meanings that are as good as the first."""
    if not ranked:
        return []
    first = ranked[0]
    return [
        other
        for other in ranked[1:]
        if other.is_possible
        and other.likeness >= first.likeness - _SAME_LIKENESS
        and other.is_typical >= first.is_typical
    ]


def _candidate(
    match: Match, named: Named, cells: Sequence[Any], values: ColumnValues, mass_kg: float
) -> Candidate | None:
    measure = unsided().get(match.means)
    if isinstance(measure, Quantity):
        return _quantity(match, measure, named, values, mass_kg)
    if match.means == ATHLETE:
        return Candidate(*match, share=1.0)
    if match.means in {DATE, BIRTH}:
        return Candidate(*match, share=date_forms(cells, None, years=match.means == BIRTH).share)
    known = answers(match.means)
    entries = [cell for cell in cells if cell != ""]
    share = sum(fold(str(cell)) in known for cell in entries) / (len(entries) or 1)
    if match.means == SIDE:
        return Candidate(*match, share=share) if share > 0.5 else None
    # Answers in words of the club's own can be asked about; figures can't be answers.
    has_words = match.means == FLAGS or bool(values.words)
    return Candidate(*match, share=max(share, 1.0 if has_words else 0.0))


def _quantity(
    match: Match, measure: Quantity, named: Named, values: ColumnValues, mass_kg: float
) -> Candidate | None:
    share = len(values.numbers) / values.filled if values.filled else 0.0
    name = named.unit or values.unit
    if named.unit and values.unit and (unit := unit_of(measure, named.unit)):
        # The cells name their own unit, whatever the column's name says of the others.
        shown = unit_of(measure, values.unit) or unit
        own = fit(measure, shown, values.numbers, mass_kg)
        return Candidate(*match, share, own._replace(unit=unit))
    if name is None:
        own = fit(measure, OWN_UNIT, values.numbers, mass_kg)
        others = rival_units(measure, own, other_fits(measure, values.numbers, mass_kg))
        return Candidate(*match, share, own, tuple(others), _unnamed(measure, others))
    unit = unit_of(measure, name)
    doubt = None
    if unit is None and name in _OF_FORCE and measure.unit in _FORCES:
        unit = _OF_FORCE[name]
        doubt = text("sheet.doubt.force", named=name, unit=unit.name)
    if unit is None:
        return None
    own = fit(measure, unit, values.numbers, mass_kg)
    if own.is_possible:
        return Candidate(*match, share, own, (own,) if doubt else (), doubt)
    better = [o for o in other_fits(measure, values.numbers, mass_kg) if o.share > own.share]
    doubt = text("sheet.doubt.other_unit", unit=name) if better else doubt
    return Candidate(*match, share, own, tuple(better), doubt)


def _unnamed(measure: Quantity, others: Sequence[Fit]) -> str | None:
    if not others:
        return None
    units = text("sheet.doubt.or").join(dict.fromkeys(str(other.unit.name) for other in others))
    return text("sheet.doubt.no_unit", units=units, unit=measure.unit)
