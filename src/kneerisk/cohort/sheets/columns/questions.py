"""Which meaning a column gets, and what is asked where that is not certain.

`agreement` says what is certain. Everything else is a question, and the column waits for the
answer; only a meaning that is likelier than every other is proposed, so that a yes to all
proposals does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kneerisk.cohort.sheets.cells.unit_fits import fit
from kneerisk.cohort.sheets.columns.agreement import EXACT, Candidate, Setting
from kneerisk.cohort.sheets.columns.candidates import (
    SAME_LIKENESS,
    are_found_or_not,
    candidates,
    rivals,
)
from kneerisk.cohort.sheets.columns.column_forms import in_its_form
from kneerisk.cohort.sheets.columns.column_meaning import (
    BOTH,
    RecognisedColumn,
    in_words,
    label_of,
    stating,
)
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.columns.own_legs import OwnLeg, Told, own_legs_of, told_by
from kneerisk.cohort.sheets.lexicon.languages import languages_of
from kneerisk.cohort.sheets.lexicon.units import Unit, unit_of
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    SIDE,
    Legs,
    leg_names,
    side_held,
    unsided,
)
from kneerisk.cohort.sheets.sheet_answer import Alternative, Confidence
from kneerisk.cohort.sheets.sheet_asked import ColumnAsked
from kneerisk.schema import Quantity
from kneerisk.words import text, variant

#: A name this alike is likely, below it unsure (assumption).
_LIKELY = 0.8


def recognise_column(
    column: RecognisedColumn, named: Named, cells: Sequence[Any], setting: Setting
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
    setting
        What is known of the sheet.

    Returns
    -------
    RecognisedColumn
        The column with its meaning, if it has one, and the question that is left.
    """
    if not column.values.filled:
        return replace(column, why=text("sheet.why.empty"))
    own = languages_of(column.name)
    setting = setting._replace(languages=own & setting.languages or own or setting.languages)
    ranked = candidates(named, cells, column.values, setting)
    if not ranked:
        is_other_unit = named.matches and named.unit
        why = text("sheet.why.not_in_unit", unit=named.unit) if is_other_unit else column.why
        return replace(column, why=why)
    first = ranked[0]
    if isinstance(unsided().get(first.means), Quantity) and are_found_or_not(column.values):
        alternatives = _alternatives(ranked, named.side)
        return replace(column, why=text("sheet.why.found_or_not"), alternatives=alternatives)
    if first.likeness < _LIKELY and not first.is_possible:
        return replace(column, alternatives=_alternatives(ranked, named.side))
    if named.own_leg and first.means in leg_names() and not setting.has_sides:
        return _of_own_leg(column, first, named.own_leg)
    side = named.side if first.means in leg_names() else None
    column = replace(column, means=first.means, side=side, unit=first.unit, why=_why(first, named))
    if first.means == SIDE and (told := _own_leg_of_rows(column)):
        return _asked_for_own_leg(column, told)
    return in_its_form(_asked_about(column, ranked, setting), cells, languages=setting.languages)


def _of_own_leg(column: RecognisedColumn, first: Candidate, leg: OwnLeg) -> RecognisedColumn:
    """A column of a leg that differs from athlete to athlete, where no column says which it is."""
    why = variant("sheet.why.own_leg", told_by(leg))
    return replace(column, why=why, alternatives=each_leg(first.means, _unit_asked(first)))


def _own_leg_of_rows(column: RecognisedColumn) -> Told | None:
    """The leg that rows are named by, where they are by what it is to the athlete."""
    legs = {told_by(leg.leg) for leg in own_legs_of(list(column.values.words)) if leg}
    return legs.pop() if len(legs) == 1 else None


def _asked_for_own_leg(column: RecognisedColumn, told: Told) -> RecognisedColumn:
    why = variant("sheet.why.own_leg", told)
    question = text("sheet.question.leave_out", column=repr(column.name), why=why)
    leave_out = Alternative(label=text("sheet.question.leave_it_out"), ask=ColumnAsked(means=None))
    return replace(column, confidence="unsure", question=question, alternatives=(leave_out,))


def _why(first: Candidate, named: Named) -> str:
    label = label_of(first.means)
    why = text("sheet.why.similar", label=repr(label))
    if first.likeness >= EXACT:
        why = text("sheet.why.exact", label=repr(label))
    measure = unsided().get(first.means)
    if first.doubt:
        return text("sheet.why.doubtful", why=why, doubt=first.doubt)
    if isinstance(measure, Quantity) and named.unit and unit_of(measure, named.unit):
        return text("sheet.why.unit_named", why=why, unit=named.unit)
    if isinstance(measure, Quantity) and not first.other_units:
        return text("sheet.why.unit_fits", why=why, unit=first.unit.name or measure.unit)
    return why


def _asked_about(
    column: RecognisedColumn, ranked: Sequence[Candidate], setting: Setting
) -> RecognisedColumn:
    """The question that the first candidate leaves open, if any."""
    ranked = _with_doubts_of_all(ranked)
    first, others = ranked[0], rivals(ranked)
    column = replace(column, side=side_held(first.means, column.side, setting.has_sides))
    needs_side = first.means in leg_names() and not column.side and not setting.has_sides
    if first.is_certain and not others and not needs_side:
        return replace(column, confidence="certain")
    # A name that only resembles one, of values that it has not, is as likely something else.
    is_unlike = first.likeness < EXACT and not first.is_typical
    is_even = bool(others) or first.is_even or is_unlike
    if needs_side and not is_even and first.is_possible:
        question = text("sheet.question.which_leg", column=repr(column.name))
        legs = each_leg(first.means, _unit_asked(first))
        return replace(column, confidence="unsure", question=question, alternatives=legs)
    question, confidence = _question(column, first, others, is_even=is_even)
    proposal = None if is_even else stating(first.means, column.side, _unit_asked(first))
    alternatives = () if first.asks == "lever_arm" else _alternatives(ranked, column.side)
    left_out = [
        Alternative(
            label=text("sheet.question.leave_out_as", other=variant("sheet.other", code)),
            ask=ColumnAsked(means=None),
        )
        for code in first.others
    ]
    return replace(
        column,
        confidence=confidence,
        question=question,
        proposal=proposal,
        asks=first.asks,
        alternatives=(*(one for one in alternatives if one.ask != proposal), *left_out),
    )


def _with_doubts_of_all(ranked: Sequence[Candidate]) -> list[Candidate]:
    """What else a column may be, if any meaning that its name has may be that instead."""
    alike = [one for one in ranked if one.likeness >= ranked[0].likeness - SAME_LIKENESS]
    doubted = next((one for one in alike if one.others), None)
    if doubted is None or ranked[0].is_certain:
        return list(ranked)
    first = ranked[0]._replace(doubt=doubted.doubt, is_even=True, others=doubted.others)
    return [first, *ranked[1:]]


def _unit_asked(first: Candidate) -> Unit:
    return first.other_units[0].unit if first.other_units else first.unit


def each_leg(means: str, unit: Unit) -> tuple[Alternative, ...]:
    """A column of one leg, or of both, as the answers to which leg it is about."""
    legs: tuple[Legs, ...] = ("right", "left", BOTH)
    return tuple(
        Alternative(label=in_words(means, side, unit), ask=stating(means, side, unit))
        for side in legs
    )


def _question(
    column: RecognisedColumn, first: Candidate, others: Sequence[Candidate], *, is_even: bool
) -> tuple[str, Confidence]:
    """What is asked, and how sure the column is until it is answered."""
    unit = _unit_asked(first)
    meaning, name = in_words(first.means, column.side, unit), repr(column.name)
    is_exact = first.likeness >= EXACT
    if first.asks:
        label = label_of(first.means)
        return variant("sheet.asks", first.asks, column=name, label=label), "unsure"
    if first.share < 0.5 or not first.is_possible:
        return text("sheet.question.unreadable", column=name, meaning=meaning), "unsure"
    if is_even and first.doubt:
        doubt = first.doubt[:1].upper() + first.doubt[1:]
        return text("sheet.question.even", column=name, doubt=doubt), "unsure"
    if others:
        rival = label_of(others[0].means)
        asked = text("sheet.question.rival", column=name, meaning=meaning, rival=rival)
        return asked, "unsure"
    if first.other_units and is_exact:
        in_unit = unit.name or (column.measure.unit if isinstance(column.measure, Quantity) else "")
        return text("sheet.question.unit", column=name, unit=in_unit), "likely"
    asked = text("sheet.question.meaning", column=name, meaning=meaning)
    return asked, "likely" if first.likeness >= _LIKELY else "unsure"


def _alternatives(ranked: Sequence[Candidate], side: Legs | None) -> tuple[Alternative, ...]:
    by_label: dict[str, Alternative] = {}
    for candidate in ranked:
        own_side = side if candidate.means in leg_names() else None
        if candidate.asks:
            continue
        for unit in (*(other.unit for other in candidate.other_units), candidate.unit):
            label = in_words(candidate.means, own_side, unit)
            request = stating(candidate.means, own_side, unit)
            by_label.setdefault(label, Alternative(label=label, ask=request))
    return tuple(by_label.values())


def without_meaning(column: RecognisedColumn, why: str) -> RecognisedColumn:
    """A column that is left out, and why."""
    return RecognisedColumn(
        place=column.place,
        name=column.name,
        reference=column.reference,
        values=column.values,
        why=why,
    )


def in_other_marks(readings: Sequence[RecognisedColumn]) -> RecognisedColumn:
    """A column whose commas may part thousands: as the values tell, or asked.

    Parameters
    ----------
    readings
        What the column is recognised as, its numbers read in each way.

    Returns
    -------
    RecognisedColumn
        One of the readings, or a question.
    """
    measured = [one for one in readings if isinstance(one.measure, Quantity)]
    if len(measured) < len(readings):
        return readings[0]
    possible = [one for one in measured if _is_possible(one)]
    if len(possible) < 2:
        return (possible or measured)[0]
    first = next((one for one in measured if one.confidence == "certain"), measured[0])
    parted, written = text("sheet.question.thousands"), text("sheet.question.decimals")
    asks = {(parted if one.values.marks.thousands else written): one for one in measured}
    return replace(
        first,
        confidence="unsure",
        question=text("sheet.question.marks", column=repr(first.name)),
        proposal=None,
        alternatives=tuple(
            Alternative(
                label=reading,
                ask=stating(str(one.means), one.side, one.unit).model_copy(
                    update={"decimal": "comma" if one.values.marks.commas else "point"}
                ),
            )
            for reading, one in asks.items()
        ),
    )


def _is_possible(column: RecognisedColumn) -> bool:
    """Whether most numbers are within the measure's limits, or the unit is asked about anyway."""
    measure = column.measure
    if not isinstance(measure, Quantity) or column.asks or column.unit.per_body_mass:
        return True
    return fit(measure, column.unit, column.values.numbers, 1.0).is_possible
