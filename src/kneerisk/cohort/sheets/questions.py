"""Which meaning a column gets, and what is asked where that is not certain.

Certain are the very words of one measure in a unit that is named, or that alone makes the values
typical. Everything else is a question with a proposal, and the column waits for the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cell_dates import date_forms
from kneerisk.cohort.sheets.cell_text import as_text, column_values
from kneerisk.cohort.sheets.column_meaning import (
    Candidate,
    RecognisedColumn,
    candidates,
    in_words,
    label_of,
    rivals,
    split_side,
    stating,
)
from kneerisk.cohort.sheets.column_names import Named
from kneerisk.cohort.sheets.sheet_answer import Alternative, ColumnAsked, Confidence
from kneerisk.cohort.sheets.units import OWN_UNIT, Unit, unit_named, unit_of
from kneerisk.cohort.sheets.vocabulary import (
    BIRTH,
    DATE,
    FLAGS,
    ROLES,
    answers,
    fold,
    leg_names,
    side_held,
    unsided,
)
from kneerisk.schema import Quantity, Side
from kneerisk.words import text

#: A name this alike is likely, below it unsure (assumption).
_LIKELY = 0.8
_CERTAIN = 0.999


class Context(NamedTuple):
    """What is known of the sheet while one of its columns is looked at."""

    mass_kg: float
    """The athletes' usual body mass."""
    has_sides: bool
    """A column names the leg of each row."""


def recognise_column(
    column: RecognisedColumn, named: Named, cells: Sequence[Any], context: Context
) -> RecognisedColumn:
    """A column as its name and its cells say.

    Parameters
    ----------
    column
        The column without a meaning.
    named
        What its name says.
    cells
        Its cells as they stand.
    context
        What is known of the sheet.

    Returns
    -------
    RecognisedColumn
        The column with its meaning, if it has one, and the question that is left.
    """
    if not column.values.filled:
        return replace(column, why=text("sheet.why.empty"))
    ranked = candidates(named, cells, column.values, context.mass_kg)
    if not ranked:
        why = text("sheet.why.not_in_unit", unit=named.unit) if named.matches else column.why
        return replace(column, why=why)
    first = ranked[0]
    if first.likeness < _LIKELY and not first.is_possible:
        return replace(column, alternatives=_alternatives(ranked, named.side))
    side = named.side if first.means in leg_names() else None
    column = replace(column, means=first.means, side=side, unit=first.unit, why=_why(first, named))
    return _in_its_form(_asked_about(column, ranked, context), cells)


def _in_its_form(
    column: RecognisedColumn, cells: Sequence[Any], day_first: bool | None = None
) -> RecognisedColumn:
    """With the words or the dates that its cells are written in."""
    if column.means in {DATE, BIRTH}:
        return _with_dates(column, cells, day_first)
    if column.means is None or isinstance(column.measure, Quantity):
        return column
    return replace(column, words=_words(column.means, cells) | column.words)


def _with_dates(
    column: RecognisedColumn, cells: Sequence[Any], day_first: bool | None
) -> RecognisedColumn:
    forms = date_forms(cells, day_first, years=column.means == BIRTH)
    column = replace(column, formats=tuple(forms.formats))
    if not forms.is_open or column.question:
        return column
    month_first = ColumnAsked(means=column.means, day_first=False)
    return replace(
        column,
        confidence="unsure",
        question=text("sheet.question.day_first", column=repr(column.name)),
        proposal=ColumnAsked(means=column.means, day_first=True),
        alternatives=(Alternative(label=text("sheet.question.month_first"), ask=month_first),),
    )


def _words(means: str, cells: Sequence[Any]) -> dict[str, str | int | float]:
    entries = dict.fromkeys(as_text(cell) for cell in cells if cell != "")
    if means == FLAGS:
        return {entry: codes for entry in entries if (codes := _red_flags(entry))}
    known = answers(means)
    return {entry: known[fold(entry)] for entry in entries if fold(entry) in known}


def _red_flags(entry: str) -> str | None:
    words = [fold(word) for word in entry.replace(",", ";").split(";")]
    if words in (["none"], ["no"], ["keine"], ["nein"]):
        return "none"
    known = answers(FLAGS)
    return ";".join(known[word] for word in words) if all(w in known for w in words) else None


def _why(first: Candidate, named: Named) -> str:
    label = label_of(first.means)
    why = text("sheet.why.similar", label=repr(label))
    if first.likeness >= _CERTAIN:
        why = text("sheet.why.exact", label=repr(label))
    measure = unsided().get(first.means)
    if named.unit:
        return text("sheet.why.unit_named", why=why, unit=named.unit)
    if isinstance(measure, Quantity) and not first.other_units:
        return text("sheet.why.unit_fits", why=why, unit=first.unit.name or measure.unit)
    return why


def _asked_about(
    column: RecognisedColumn, ranked: Sequence[Candidate], context: Context
) -> RecognisedColumn:
    """The question that the first candidate leaves open, if any."""
    first, others = ranked[0], rivals(ranked)
    column = replace(column, side=side_held(first.means, column.side, context.has_sides))
    needs_side = first.means in leg_names() and not column.side and not context.has_sides
    is_certain = first.likeness >= _CERTAIN and not others and first.is_possible
    question, confidence = _question(column, first, others, needs_side=needs_side)
    if is_certain and question is None:
        return replace(column, confidence="certain")
    unit = first.other_units[0].unit if first.other_units else first.unit
    if needs_side:
        legs = _each_leg(first.means, unit)
        return replace(column, confidence=confidence, question=question, alternatives=legs)
    proposal = stating(first.means, column.side, unit)
    why = column.why
    if first.doubt:
        why = text("sheet.why.doubtful", why=why, doubt=first.doubt)
    alternatives = _alternatives(ranked, column.side)
    return replace(
        column,
        confidence=confidence,
        question=question,
        proposal=proposal,
        why=why,
        alternatives=tuple(other for other in alternatives if other.ask != proposal),
    )


def _each_leg(means: str, unit: Unit) -> tuple[Alternative, ...]:
    sides: tuple[Side, ...] = ("right", "left")
    return tuple(
        Alternative(label=in_words(means, side, unit), ask=stating(means, side, unit))
        for side in sides
    )


def _question(
    column: RecognisedColumn, first: Candidate, others: Sequence[Candidate], *, needs_side: bool
) -> tuple[str | None, Confidence]:
    """What is asked, and how sure the column is until it is answered."""
    unit = first.other_units[0].unit if first.other_units else first.unit
    meaning, name = in_words(first.means, column.side, unit), repr(column.name)
    is_exact = first.likeness >= _CERTAIN
    if not first.is_possible:
        return text("sheet.question.unreadable", column=name, meaning=meaning), "unsure"
    if needs_side:
        return text("sheet.question.which_leg", column=name), "unsure"
    if others:
        rival = label_of(others[0].means)
        asked = text("sheet.question.rival", column=name, meaning=meaning, rival=rival)
        return asked, "unsure"
    if first.doubt:
        asked = text("sheet.question.unit", column=name, unit=unit.name)
        return asked, "likely" if is_exact else "unsure"
    if not is_exact:
        asked = text("sheet.question.meaning", column=name, meaning=meaning)
        return asked, "likely" if first.likeness >= _LIKELY else "unsure"
    return None, "certain"


def _alternatives(ranked: Sequence[Candidate], side: Side | None) -> tuple[Alternative, ...]:
    by_label: dict[str, Alternative] = {}
    for candidate in ranked:
        own_side = side if candidate.means in leg_names() else None
        for unit in (*(other.unit for other in candidate.other_units), candidate.unit):
            label = in_words(candidate.means, own_side, unit)
            request = stating(candidate.means, own_side, unit)
            by_label.setdefault(label, Alternative(label=label, ask=request))
    return tuple(by_label.values())


def confirm_column(
    column: RecognisedColumn,
    named: Named,
    cells: Sequence[Any],
    stated: ColumnAsked,
    context: Context,
) -> RecognisedColumn:
    """A column as a person stated; what was left out of it stays as it was recognised.

    Parameters
    ----------
    column
        The column as it was recognised.
    named
        What its name says.
    cells
        Its cells as they stand.
    stated
        What the person stated.
    context
        What is known of the sheet.

    Returns
    -------
    RecognisedColumn
        The column as stated, with the question that this leaves, if any.
    """
    if "means" in stated.model_fields_set and stated.means is None:
        return replace(without_meaning(column, text("sheet.why.stated")), is_confirmed=True)
    proposed = column.proposal.means if column.proposal else None
    means, side = split_side(stated.means or proposed or column.canonical or "")
    side = side_held(means, side, context.has_sides)
    if means and means not in unsided() and means not in ROLES:
        # It is refused with the other answers (`stated_answers`).
        return replace(without_meaning(column, text("sheet.why.stated")), is_confirmed=True)
    commas = column.values.commas if stated.decimal is None else stated.decimal == "comma"
    settled = replace(
        without_meaning(column, text("sheet.why.stated")),
        values=column_values(cells, commas=commas),
        means=means or None,
        side=side,
        unit=_unit_stated(column, means, named, stated),
        opposite=bool(stated.opposite),
        words=dict(stated.words),
        confidence="certain",
        is_confirmed=True,
    )
    settled = _in_its_form(settled, cells, stated.day_first)
    if settled.question or not means:
        return settled
    if means in leg_names() and not side and not context.has_sides:
        question = text("sheet.question.which_leg", column=repr(column.name))
        return replace(settled, question=question, confidence="unsure")
    return settled


def without_meaning(column: RecognisedColumn, why: str) -> RecognisedColumn:
    """A column that is left out, and why."""
    return RecognisedColumn(
        place=column.place,
        name=column.name,
        reference=column.reference,
        values=column.values,
        why=why,
    )


def _unit_stated(column: RecognisedColumn, means: str, named: Named, stated: ColumnAsked) -> Unit:
    measure = unsided().get(means)
    if not isinstance(measure, Quantity):
        return OWN_UNIT
    proposed = column.proposal
    name = stated.unit or (proposed.unit if proposed and column.means == means else named.unit)
    if name is None:
        return column.unit if column.means == means else OWN_UNIT
    name = unit_named(name) or name
    unit = unit_of(measure, name)
    if unit is None:
        return OWN_UNIT
    return unit if stated.per_body_mass is None else Unit(name, stated.per_body_mass)
