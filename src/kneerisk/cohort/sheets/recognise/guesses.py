"""What one column may mean, from its name and its cells together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.folding import fold
from kneerisk.cohort.sheets.recognise.names import Match, Named
from kneerisk.cohort.sheets.recognise.plausible import (
    OWN_UNIT,
    Fit,
    Unit,
    better_units,
    fit,
    other_fits,
    stated,
)
from kneerisk.cohort.sheets.recognise.values import Facts, days
from kneerisk.cohort.sheets.recognise.vocabulary import (
    ATHLETE,
    BIRTH,
    DATE,
    FLAGS,
    SIDE,
    answers,
    unsided,
)
from kneerisk.schema import Quantity

#: What a dynamometer that shows kilograms or pounds means.
_OF_FORCE = {"kg": Unit("kgf", per_body_mass=True), "lb": Unit("lbf", per_body_mass=True)}
_FORCES = ("N/kg", "% BW")
#: Names this alike are as good as each other.
_SAME_LIKENESS = 0.02


class Guess(NamedTuple):
    """One meaning of a column, in a unit, with what speaks against it."""

    means: str
    likeness: float
    share: float
    """Of the entries that can be read as it at all."""
    fit: Fit | None = None
    others: tuple[Fit, ...] = ()
    """Other units that have to be asked about, the likeliest first."""
    doubt: str | None = None
    """Why the unit is not certain, for people."""

    @property
    def unit(self) -> Unit:
        """The unit that it is guessed to be in."""
        return self.fit.unit if self.fit else OWN_UNIT

    @property
    def is_possible(self) -> bool:
        """Whether most entries can be read, in a unit that fits."""
        return self.share >= 0.5 and (self.fit is None or self.fit.is_possible or bool(self.others))

    @property
    def rank(self) -> tuple[bool, float, bool, float]:
        """The greater, the likelier."""
        typical = self.fit is None or self.fit.is_typical
        distance = (self.fit.distance or 0.0) if self.fit else 0.0
        return (self.is_possible, round(self.likeness, 1), typical, -distance)


def guesses(named: Named, cells: Sequence[Any], found: Facts, mass_kg: float) -> list[Guess]:
    """Every meaning that the name allows and the unit does not exclude, the likeliest first."""
    every = [_guess(match, named, cells, found, mass_kg) for match in named.matches]
    return sorted(filter(None, every), key=lambda one: one.rank, reverse=True)


def rivals(ranked: Sequence[Guess]) -> list[Guess]:
    """Other meanings that are as good as the first."""
    if not ranked:
        return []
    first = ranked[0]
    return [
        other
        for other in ranked[1:]
        if other.is_possible
        and other.likeness >= first.likeness - _SAME_LIKENESS
        and other.rank[2] >= first.rank[2]
    ]


def _guess(
    match: Match, named: Named, cells: Sequence[Any], found: Facts, mass_kg: float
) -> Guess | None:
    measure = unsided().get(match.means)
    if isinstance(measure, Quantity):
        return _of_quantity(match, measure, named, found, mass_kg)
    if match.means == ATHLETE:
        return Guess(*match, share=1.0)
    if match.means in {DATE, BIRTH}:
        return Guess(*match, share=days(cells, None).share)
    known = answers(match.means)
    entries = [cell for cell in cells if cell != ""]
    share = sum(fold(str(cell)) in known for cell in entries) / (len(entries) or 1)
    if match.means == SIDE:
        return Guess(*match, share=share) if share > 0.5 else None
    # Answers in words of the club's own can be asked about; figures can't be answers.
    return Guess(*match, share=max(share, 1.0 if match.means == FLAGS or found.words else 0.0))


def _unnamed(measure: Quantity, others: Sequence[Fit]) -> str | None:
    if not others:
        return None
    units = " or ".join(dict.fromkeys(str(other.unit.name) for other in others))
    return f"no unit is named, and the values may be {units} instead of {measure.unit}"


def _of_quantity(
    match: Match, measure: Quantity, named: Named, found: Facts, mass_kg: float
) -> Guess | None:
    share = len(found.numbers) / found.filled if found.filled else 0.0
    name = named.unit or found.unit
    if named.unit and found.unit and (unit := stated(measure, named.unit)):
        # The cells name their own unit, whatever the column's name says of the others.
        shown = stated(measure, found.unit) or unit
        own = fit(measure, shown, found.numbers, mass_kg)
        return Guess(*match, share, own._replace(unit=unit))
    if name is None:
        own = fit(measure, OWN_UNIT, found.numbers, mass_kg)
        others = better_units(measure, own, other_fits(measure, found.numbers, mass_kg))
        return Guess(*match, share, own, tuple(others), _unnamed(measure, others))
    unit = stated(measure, name)
    doubt = None
    if unit is None and name in _OF_FORCE and measure.unit in _FORCES:
        unit = _OF_FORCE[name]
        doubt = f"a force is told in {name}, which may mean {unit.name}"
    if unit is None:
        return None
    own = fit(measure, unit, found.numbers, mass_kg)
    if own.is_possible:
        return Guess(*match, share, own, (own,) if doubt else (), doubt)
    better = [o for o in other_fits(measure, found.numbers, mass_kg) if o.share > own.share]
    doubt = f"{name} is named, but most values can't be in {name}" if better else doubt
    return Guess(*match, share, own, tuple(better), doubt)
