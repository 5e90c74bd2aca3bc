"""Which meaning a column gets, and what is asked where that is not certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kneerisk.cohort.sheets.folding import fold
from kneerisk.cohort.sheets.recognise.column import Column, Context, apart, ask, in_words, label_of
from kneerisk.cohort.sheets.recognise.contract import Alternative, ColumnAsked, Confidence
from kneerisk.cohort.sheets.recognise.guesses import Guess, guesses, rivals
from kneerisk.cohort.sheets.recognise.names import Named
from kneerisk.cohort.sheets.recognise.plausible import OWN_UNIT, Unit, stated
from kneerisk.cohort.sheets.recognise.values import days, facts
from kneerisk.cohort.sheets.recognise.vocabulary import (
    BIRTH,
    DATE,
    FLAGS,
    answers,
    leg_names,
    unsided,
)
from kneerisk.cohort.sheets.units import unit_named
from kneerisk.schema import Quantity, Side

#: A name this alike is likely, below it unsure.
_LIKELY = 0.8
_CERTAIN = 0.999


def recognised(plain: Column, named: Named, cells: Sequence[Any], context: Context) -> Column:
    """A column as its name and its cells tell it."""
    found = plain.facts
    if not found.filled:
        return replace(plain, why="the column is empty")
    ranked = guesses(named, cells, found, context.mass_kg)
    if not ranked:
        why = f"nothing of this name is told in {named.unit}" if named.matches else plain.why
        return replace(plain, why=why)
    first = ranked[0]
    if first.likeness < _LIKELY and not first.is_possible:
        return replace(plain, alternatives=_alternatives(ranked, named.side))
    side = named.side if first.means in leg_names() else None
    column = replace(plain, means=first.means, side=side, unit=first.unit, why=_why(first, named))
    return _in_its_form(_asked_about(column, ranked, context), cells)


def _in_its_form(column: Column, cells: Sequence[Any], day_first: bool | None = None) -> Column:
    """With the words or the dates that its cells are written in."""
    if column.means in {DATE, BIRTH}:
        form = days(cells, day_first)
        column = replace(column, formats=tuple(form.formats))
        if not form.is_open or column.question:
            return column
        return replace(
            column,
            confidence="unsure",
            question=f"Does the day come first in {column.name!r}?",
            proposal=ColumnAsked(means=column.means, day_first=True),
            alternatives=(
                Alternative(
                    label="Month first", ask=ColumnAsked(means=column.means, day_first=False)
                ),
            ),
        )
    if column.means is None or isinstance(column.measure, Quantity):
        return column
    return replace(column, words=_words(column.means, cells) | column.words)


def _words(means: str, cells: Sequence[Any]) -> dict[str, str | int | float]:
    texts = dict.fromkeys(_text(cell) for cell in cells if cell != "")
    if means == FLAGS:
        return {text: told for text in texts if (told := _flags(text))}
    known = answers(means)
    return {text: known[fold(text)] for text in texts if fold(text) in known}


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _flags(text: str) -> str | None:
    parts = [fold(part) for part in text.replace(",", ";").split(";")]
    if parts in (["none"], ["no"], ["keine"], ["nein"]):
        return "none"
    known = answers(FLAGS)
    return ";".join(known[part] for part in parts) if all(p in known for p in parts) else None


def _why(first: Guess, named: Named) -> str:
    label = label_of(first.means)
    how = "is a name of" if first.likeness >= _CERTAIN else "resembles the name of"
    unit = f"; {named.unit} is named" if named.unit else ""
    cells = ""
    measure = unsided().get(first.means)
    if isinstance(measure, Quantity) and not named.unit and not first.others:
        cells = f"; the values fit {first.unit.name or measure.unit}"
    return f"it {how} {label!r}{unit}{cells}"


def _asked_about(column: Column, ranked: Sequence[Guess], context: Context) -> Column:
    """The question that the first guess leaves open, if any."""
    first, others = ranked[0], rivals(ranked)
    needs_side = first.means in leg_names() and not column.side and not context.has_sides
    is_certain = first.likeness >= _CERTAIN and not others and first.is_possible
    question, confidence = _question(column, first, others, needs_side=needs_side)
    if is_certain and question is None:
        return replace(column, confidence="certain")
    unit = first.others[0].unit if first.others else first.unit
    alternatives = _alternatives(ranked, column.side)
    if needs_side:
        sides: tuple[Side, ...] = ("right", "left")
        both = [(ask(first.means, s, unit), in_words(first.means, s, unit)) for s in sides]
        sided = tuple(Alternative(label=told, ask=asked) for asked, told in both)
        return replace(column, confidence=confidence, question=question, alternatives=sided)
    proposal = ask(first.means, column.side, unit)
    return replace(
        column,
        confidence=confidence,
        question=question,
        proposal=proposal,
        why=f"{column.why}; {first.doubt}" if first.doubt else column.why,
        alternatives=tuple(one for one in alternatives if one.ask != proposal),
    )


def _question(
    column: Column, first: Guess, others: Sequence[Guess], *, needs_side: bool
) -> tuple[str | None, Confidence]:
    """What is asked, and how sure the column is until it is answered."""
    unit = first.others[0].unit if first.others else first.unit
    told = in_words(first.means, column.side, unit)
    exact = first.likeness >= _CERTAIN
    if not first.is_possible:
        return f"Is {column.name!r} {told}? Most of its cells can't be read as it.", "unsure"
    if needs_side:
        return f"Which leg is {column.name!r} about?", "unsure"
    if others:
        return f"Is {column.name!r} {told}? It could be {label_of(others[0].means)}.", "unsure"
    if first.doubt:
        return f"Is {column.name!r} in {unit.name}?", "likely" if exact else "unsure"
    if not exact:
        return f"Is {column.name!r} {told}?", "likely" if first.likeness >= _LIKELY else "unsure"
    return None, "certain"


def _alternatives(ranked: Sequence[Guess], side: Side | None) -> tuple[Alternative, ...]:
    found: dict[str, Alternative] = {}
    for one in ranked:
        own = side if one.means in leg_names() else None
        for unit in (*(other.unit for other in one.others), one.unit):
            told = in_words(one.means, own, unit)
            found.setdefault(told, Alternative(label=told, ask=ask(one.means, own, unit)))
    return tuple(found.values())


def confirmed(
    column: Column, named: Named, cells: Sequence[Any], said: ColumnAsked, context: Context
) -> Column:
    """A column as a person said; what was left out of it stays as it was recognised."""
    if "means" in said.model_fields_set and said.means is None:
        plain = Column(place=column.place, name=column.name, facts=column.facts, why="as you said")
        return replace(plain, is_confirmed=True)
    means, side = apart(said.means or (column.proposal and column.proposal.means) or
                        column.canonical or "")  # fmt: skip
    commas = column.facts.commas if said.decimal is None else said.decimal == "comma"
    settled = Column(
        place=column.place,
        name=column.name,
        facts=facts(cells, commas),
        means=means or None,
        side=side,
        unit=_unit_said(column, means, named, said),
        opposite=bool(said.opposite),
        words=dict(said.words),
        confidence="certain",
        why="as you said",
        is_confirmed=True,
    )
    settled = _in_its_form(settled, cells, said.day_first)
    if settled.question or not means:
        return settled
    if means in leg_names() and not side and not context.has_sides:
        return replace(
            settled, question=f"Which leg is {column.name!r} about?", confidence="unsure"
        )
    return settled


def _unit_said(column: Column, means: str, named: Named, said: ColumnAsked) -> Unit:
    measure = unsided().get(means)
    if not isinstance(measure, Quantity):
        return OWN_UNIT
    proposed = column.proposal
    name = said.unit or (proposed.unit if proposed and column.means == means else named.unit)
    if name is None:
        return column.unit if column.means == means else OWN_UNIT
    name = unit_named(name) or name
    found = stated(measure, name)
    if found is None:
        return OWN_UNIT
    return found if said.per_body_mass is None else Unit(name, said.per_body_mass)
