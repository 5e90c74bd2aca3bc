"""A column as a person stated it: what it means, its unit, its leg, its words, its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import column_values
from kneerisk.cohort.sheets.cells.decimal_marks import marks_stated
from kneerisk.cohort.sheets.columns.agreement import Setting
from kneerisk.cohort.sheets.columns.candidates import candidates
from kneerisk.cohort.sheets.columns.column_forms import in_its_form
from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn, label_of, split_side
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.columns.questions import each_leg, without_meaning
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.units import OWN_UNIT, Unit, needs_lever, unit_named, unit_of
from kneerisk.cohort.sheets.lexicon.vocabulary import ROLES, leg_names, side_held, unsided
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.schema import Quantity
from kneerisk.words import text, variant


def confirm_column(
    column: RecognisedColumn,
    named: Named,
    cells: Sequence[Any],
    stated: ColumnAsked,
    setting: Setting,
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
    setting
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
    side = side or (column.side if means == column.means else None)
    side = side_held(means, side, setting.has_sides)
    if means and means not in unsided() and means not in ROLES:
        # It is refused with the other answers (`stated_answers`).
        return replace(without_meaning(column, text("sheet.why.stated")), is_confirmed=True)
    marks = column.values.marks if stated.decimal is None else marks_stated(cells, stated.decimal)
    settled = replace(
        without_meaning(column, text("sheet.why.stated")),
        values=column_values(cells, marks),
        means=means or None,
        side=side,
        unit=_unit_stated(column, means, named, stated),
        lever_arm_m=stated.lever_arm_m,
        opposite=bool(stated.opposite),
        words=dict(stated.words),
        confidence="certain",
        is_confirmed=True,
    )
    settled = in_its_form(settled, cells, stated.day_first, setting.languages)
    if settled.question or not means:
        return settled
    return _with_open_questions(settled, cells, named, setting, has_words=bool(stated.words))


def _with_open_questions(
    settled: RecognisedColumn,
    cells: Sequence[Any],
    named: Named,
    setting: Setting,
    *,
    has_words: bool,
) -> RecognisedColumn:
    """What is still to be told of a column whose meaning is settled."""
    means, name = str(settled.means), repr(settled.name)
    if means in leg_names() and not settled.side and not setting.has_sides:
        question = text("sheet.question.which_leg", column=name)
        legs = each_leg(means, settled.unit)
        return replace(settled, question=question, alternatives=legs, confidence="unsure")
    measure, unit = settled.measure, settled.unit.name
    is_force = isinstance(measure, Quantity) and unit is not None and needs_lever(measure, unit)
    if is_force and settled.lever_arm_m is None:
        label = label_of(means)
        question = variant("sheet.asks", "lever_arm", column=name, label=label)
        return replace(settled, question=question, asks="lever_arm", confidence="unsure")
    if not has_words and not isinstance(settled.measure, Quantity):
        exact = named._replace(matches=(Match(means, 1.0),))
        found = candidates(exact, cells, settled.values, setting)
        if found and found[0].asks == "words":
            label = label_of(means)
            question = variant("sheet.asks", "words", column=name, label=label)
            return replace(settled, question=question, asks="words", confidence="unsure")
    return settled


def _unit_stated(column: RecognisedColumn, means: str, named: Named, stated: ColumnAsked) -> Unit:
    measure = unsided().get(means)
    if not isinstance(measure, Quantity):
        return OWN_UNIT
    proposed = column.proposal
    name = stated.unit or (proposed.unit if proposed and column.means == means else named.unit)
    if name is None:
        return column.unit if column.means == means else OWN_UNIT
    name = unit_named(name) or name
    if needs_lever(measure, name):
        return Unit(name, per_body_mass=True)
    unit = unit_of(measure, name)
    if unit is None:
        return OWN_UNIT
    return unit if stated.per_body_mass is None else Unit(name, stated.per_body_mass)
