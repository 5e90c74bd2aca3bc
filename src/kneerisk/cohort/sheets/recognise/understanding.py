"""A whole sheet understood: its lines, the meaning of each column, and what holds for all rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from openpyxl.utils import get_column_letter

from kneerisk.cohort.sheets.recognise.column import Column, Context, label_of
from kneerisk.cohort.sheets.recognise.contract import Alternative, ColumnAsked, SheetAsked
from kneerisk.cohort.sheets.recognise.heading import Body, Heading, body, heading
from kneerisk.cohort.sheets.recognise.opening import Opened, opened
from kneerisk.cohort.sheets.recognise.plausible import USUAL_MASS_KG
from kneerisk.cohort.sheets.recognise.recognising import confirmed, recognised
from kneerisk.cohort.sheets.recognise.values import decimal_marks, facts
from kneerisk.cohort.sheets.recognise.vocabulary import AGE, ATHLETE, BIRTH, DATE, SIDE
from kneerisk.cohort.sheets.units import factor
from kneerisk.schema import Quantity, columns

MASS = "mass_kg"
#: An unnamed column is taken for the athletes' where so many of its entries differ (assumption).
_MOSTLY_DIFFERENT = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """Everything that is known of a sheet before its rows are read."""

    opened: Opened
    heading: Heading
    body: Body
    columns: tuple[Column, ...]
    constants: Mapping[str, str | int | float]

    @property
    def has_sides(self) -> bool:
        """Whether each row is one leg."""
        return any(column.means == SIDE and column.is_applied for column in self.columns)

    def column_of(self, canonical: str) -> Column | None:
        """The column that holds a canonical one, or is asked whether it does."""
        return next((one for one in self.columns if one.canonical == canonical), None)

    @property
    def canonical(self) -> set[str]:
        """Every canonical column that the sheet holds, with a side on legs of rows too."""
        named = {one.canonical for one in self.columns if one.canonical}
        if BIRTH in named and DATE in named:
            named.add(AGE)
        sided = {f"{side}_{name}" for name in named for side in ("left", "right")}
        return named | (sided & set(columns()))


def understood(content: bytes, asked: SheetAsked) -> Understood:
    """What a sheet is, as far as it tells by itself and a person said.

    Raises
    ------
    CohortRefused
        Where it can't be read, or no line looks like the names of columns.
    """
    file = opened(content, asked)
    names = heading(file.lines, asked.header_line)
    rows = body(file.lines, names)
    kept = [row for row, line in zip(rows.rows, rows.lines, strict=True)
            if line not in rows.left_out]  # fmt: skip
    cells = [[row[at] for row in kept] for at in range(len(names.names))]
    found = _columns(names, cells, asked)
    return Understood(
        opened=file, heading=names, body=rows, columns=tuple(found), constants=asked.constants
    )


def _columns(names: Heading, cells: Sequence[list[Any]], asked: SheetAsked) -> list[Column]:
    commas = None if asked.decimal is None else asked.decimal == "comma"
    mostly = sum(decimal_marks(of_one) for of_one in cells) > 0
    plain = [
        Column(
            place=get_column_letter(at + 1),
            name=name,
            facts=facts(cells[at], commas, else_commas=mostly),
            why="no measure has such a name",
        )
        for at, name in enumerate(names.names)
    ]
    context = Context(USUAL_MASS_KG, has_sides=False)
    first = _each(plain, names, cells, asked, context)
    # What the body mass is, and whether rows are legs, matters to the other columns.
    has_sides = any(one.means == SIDE and one.is_applied for one in first)
    context = context._replace(mass_kg=_usual_mass(first), has_sides=has_sides)
    found = _each(plain, names, cells, asked, context)
    return _told_apart(_with_age(_without_mass(_with_athlete(found))))


def _each(
    plain: Sequence[Column],
    names: Heading,
    cells: Sequence[list[Any]],
    asked: SheetAsked,
    context: Context,
) -> list[Column]:
    found = []
    for one, named, own in zip(plain, names.read, cells, strict=True):
        column = recognised(one, named, own, context)
        if said := asked.columns.get(one.place):
            column = confirmed(column, named, own, said, context)
        found.append(column)
    return found


def _usual_mass(found: Sequence[Column]) -> float:
    measure = columns()[MASS]
    for column in found:
        if column.means == MASS and column.facts.numbers and isinstance(measure, Quantity):
            unit = column.proposal.unit if column.proposal else column.unit.name
            mass = median(column.facts.numbers) * factor(measure, unit)
            return mass if measure.low <= mass <= measure.high else USUAL_MASS_KG
    return USUAL_MASS_KG


def _with_athlete(found: list[Column]) -> list[Column]:
    """A column of different words without another meaning names the athletes, if none else does."""
    if any(one.means == ATHLETE for one in found):
        return found
    for at, one in enumerate(found):
        words = one.facts.words
        if one.means or one.is_confirmed or words.total() < max(1, one.facts.filled):
            continue
        if len(words) > _MOSTLY_DIFFERENT * one.facts.filled:
            why = "its words differ from row to row and no other column names the athletes"
            found[at] = replace(one, means=ATHLETE, confidence="likely", why=why)
            return found
    return found


def _without_mass(found: list[Column]) -> list[Column]:
    """Forces that are still to be divided need the body mass."""
    if any(one.means == MASS for one in found):
        return found
    told = "Leave {name!r} out? It is still to be divided by body mass, which no column gives."
    return [
        replace(
            one,
            question=told.format(name=one.name),
            proposal=ColumnAsked(means=None),
            confidence="unsure",
        )
        if one.means and _is_undivided(one)
        else one
        for one in found
    ]


def _with_age(found: list[Column]) -> list[Column]:
    """A date of birth tells the age at the screening, unless a column tells the age itself."""
    held = {one.means for one in found}
    if AGE in held:
        why = "another column tells the age"
        return [_left_out(one, why) if one.means == BIRTH else one for one in found]
    if DATE in held:
        return found
    told = "Leave {name!r} out? An age needs the date of the screening, which no column gives."
    return [
        replace(
            one,
            question=told.format(name=one.name),
            proposal=ColumnAsked(means=None),
            alternatives=(),
            confidence="unsure",
        )
        if one.means == BIRTH
        else one
        for one in found
    ]


def _is_undivided(column: Column) -> bool:
    said = column.proposal.per_body_mass if column.proposal else None
    return column.unit.per_body_mass if said is None else said


def _told_apart(found: list[Column]) -> list[Column]:
    """Columns that mean the same: what a person confirmed counts, else it is asked which one."""
    same: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        # First and last name together name an athlete.
        if one.canonical and one.means != ATHLETE:
            same[one.canonical].append(at)
    for places in same.values():
        said = [at for at in places if found[at].is_confirmed]
        best = max(found[at].confidence == "certain" for at in places)
        sure = said or [at for at in places if (found[at].confidence == "certain") == best]
        for at in set(places) - set(sure):
            why = f"{found[sure[0]].name!r} ({found[sure[0]].place}) means the same"
            found[at] = _left_out(found[at], why)
        if len(sure) > 1:
            for at in sure:
                found[at] = _which(found, at, sure)
    return found


def _left_out(column: Column, why: str) -> Column:
    return Column(place=column.place, name=column.name, facts=column.facts, why=why,
                  alternatives=column.alternatives)  # fmt: skip


def _which(found: Sequence[Column], at: int, same: Sequence[int]) -> Column:
    """One of several columns with the same meaning; the fullest is proposed."""
    one = found[at]
    others = ", ".join(found[other].place for other in same if other != at)
    fullest = max(same, key=lambda place: (found[place].facts.filled, -place))
    keep = ColumnAsked(means=one.canonical, unit=one.unit.name,
                       per_body_mass=one.unit.per_body_mass or None)  # fmt: skip
    drop = ColumnAsked(means=None)
    is_fullest = at == fullest
    told = label_of(one.means or "")
    return replace(
        one,
        confidence="unsure",
        question=f"{one.name!r} and column {others} both look like {told}. Is this the one?",
        proposal=keep if is_fullest else drop,
        alternatives=(
            Alternative(label="Leave it out", ask=drop)
            if is_fullest
            else Alternative(label=told, ask=keep),
        ),
    )
