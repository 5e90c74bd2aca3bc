"""What a person stated about a sheet: checked, and what is left to be stated for all its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kneerisk.cohort.sheets.changed_cells import unknown_cells
from kneerisk.cohort.sheets.columns.column_meaning import BOTH, split_side
from kneerisk.cohort.sheets.lexicon.units import (
    UnknownUnit,
    factor,
    needs_lever,
    unit_named,
    usual_units,
)
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, FLAGS, ROLES, SEX, SIDE, unsided
from kneerisk.cohort.sheets.recognition import RecognisedSheet
from kneerisk.cohort.sheets.rows.read_sheet import constant_faults
from kneerisk.cohort.sheets.sheet_answer import SheetConstant
from kneerisk.cohort.sheets.sheet_asked import AskRefused, ColumnAsked, SheetAsked
from kneerisk.errors import Fault
from kneerisk.schema import SIDES, Category, Measure, Quantity, columns
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.schema.rules import NEEDS
from kneerisk.words import text

SPORT, DROP_TASK = "sport", "hip_drop_task"


def refuse_wrong_answers(stated: SheetAsked, sheet: RecognisedSheet) -> None:
    """Check what was stated against schema and sheet.

    Parameters
    ----------
    stated
        What a person stated.
    sheet
        The sheet as it was recognised with it.

    Raises
    ------
    AskRefused
        With every fault, each with a JSON pointer into what was stated.
    """
    by_place = {column.place: column for column in sheet.columns}
    faults: list[Fault] = []
    for place, answer in stated.columns.items():
        if place in by_place:
            faults += _column_faults(place, answer, by_place[place].canonical)
        else:
            pointer, message = json_pointer("columns", place), text("sheet.stated.no_such_column")
            faults.append(_fault(FaultCode.NO_SUCH_COLUMN, pointer, message))
    faults += _constant_faults(stated.constants, sheet)
    faults += _athlete_faults(stated.same_athletes, sheet)
    lines = {*sheet.table.lines, *sheet.table.omitted}
    for name in unknown_cells(stated.cells, lines, by_place.keys()):
        pointer = json_pointer("cells", name)
        faults.append(_fault(FaultCode.NO_SUCH_CELL, pointer, text("sheet.stated.no_such_cell")))
    if faults:
        raise AskRefused(faults)


def _athlete_faults(same: Mapping[str, str], sheet: RecognisedSheet) -> Iterator[Fault]:
    """Rows of several files that are none of theirs."""
    places = sheet.arranged.places if sheet.arranged else set()
    for row, athlete in same.items():
        if row not in places or (athlete and athlete not in places):
            message = text("sheet.stated.no_such_row")
            yield _fault(FaultCode.NO_SUCH_CELL, json_pointer("same_athletes", row), message)


def _fault(code: str, pointer: str, message: str, allowed: str | None = None) -> Fault:
    return Fault(pointer=pointer, code=str(code), message=message, allowed=allowed)


def _column_faults(place: str, answer: ColumnAsked, recognised: str | None) -> Iterator[Fault]:
    pointer = f"/columns/{place}"
    means, _ = split_side(answer.means or recognised or "")
    if answer.means is not None and means not in unsided() and means not in ROLES:
        allowed = text("sheet.stated.allowed_meaning", roles=", ".join(ROLES))
        message = text("shared.fault.unknown_name")
        yield _fault(FaultCode.UNKNOWN_NAME, f"{pointer}/means", message, allowed)
        return
    measure = unsided().get(means)
    if answer.unit is not None or answer.per_body_mass:
        yield from _unit_faults(pointer, answer, measure if isinstance(measure, Quantity) else None)
    if answer.lever_arm_m is not None and not _has_lever(answer, measure):
        message = text("sheet.stated.no_lever")
        yield _fault(FaultCode.NO_UNIT, f"{pointer}/lever_arm_m", message)
    yield from _word_faults(pointer, answer.words, means)


def _has_lever(answer: ColumnAsked, measure: Measure | None) -> bool:
    """Whether a lever arm makes the measure: a torque, of a column that may be a force."""
    may_be = answer.unit is None or (
        isinstance(measure, Quantity) and needs_lever(measure, answer.unit)
    )
    return isinstance(measure, Quantity) and measure.unit == "Nm/kg" and may_be


def _word_faults(
    pointer: str, words: Mapping[str, str | int | float], means: str
) -> Iterator[Fault]:
    """What a column's words can't stand for; a leg's word is a leg on every row."""
    measure = unsided().get(means)
    allowed = text("sheet.allowed.side") if means == SIDE else measure.allowed if measure else None
    for word, value in words.items():
        place = pointer + json_pointer("words", word)
        is_side = means == SIDE and value not in (*SIDES, BOTH)
        if is_side or (isinstance(measure, Category) and value not in (*measure.choices, "")):
            message = text("shared.limits.must_be", allowed=allowed)
            yield _fault(FaultCode.UNKNOWN_CHOICE, place, message, allowed)
        if isinstance(measure, Quantity) and isinstance(value, str) and value:
            yield _fault(FaultCode.NOT_A_NUMBER, place, text("shared.fault.not_a_number"))
        if means == FLAGS and not isinstance(value, str):
            yield _fault(FaultCode.NOT_TEXT, place, text("shared.fault.not_text"))


def _unit_faults(pointer: str, answer: ColumnAsked, measure: Quantity | None) -> Iterator[Fault]:
    if measure is None:
        yield _fault(FaultCode.NO_UNIT, f"{pointer}/unit", text("sheet.stated.no_unit"))
        return
    name = unit_named(answer.unit) or answer.unit if answer.unit else None
    if answer.unit and needs_lever(measure, answer.unit):
        return
    forms = (False, True) if answer.per_body_mass is None else (answer.per_body_mass,)
    # What was sent is not repeated: where a unit is expected, a name may stand.
    message = "" if name is None or unit_named(name) else text("sheet.unit.unknown_stated")
    for per_body_mass in forms:
        try:
            factor(measure, name, per_body_mass=per_body_mass)
        except UnknownUnit as error:
            message = message or str(error)
        else:
            return
    allowed = text("sheet.unit.allowed", unit=measure.unit, usual=", ".join(usual_units(measure)))
    yield _fault(FaultCode.UNKNOWN_UNIT, f"{pointer}/unit", message, allowed)


def _constant_faults(
    constants: Mapping[str, str | int | float], sheet: RecognisedSheet
) -> Iterator[Fault]:
    for name in constants:
        pointer = json_pointer("constants", name)
        if name not in columns():
            yield _fault(FaultCode.UNKNOWN_NAME, pointer, text("shared.fault.unknown_name"))
        elif column := sheet.column_of(name):
            message = text("sheet.stated.told_twice", place=column.place)
            yield _fault(FaultCode.TOLD_TWICE, pointer, message)
    yield from (fault for _, fault in constant_faults(constants))


def open_constants(sheet: RecognisedSheet) -> list[SheetConstant]:
    """What a person may state for the whole sheet; rows wait for what is needed."""
    held = sheet.canonical
    constants = []
    if AGE not in held:
        constants.append(_constant(sheet, AGE, text("sheet.constant.age"), is_needed=True))
    if SEX not in held:
        constants.append(_constant(sheet, SEX, text("sheet.constant.sex"), is_needed=True))
    if SPORT not in held:
        constants.append(_constant(sheet, SPORT, text("sheet.constant.sport")))
    for need in NEEDS:
        given = [name for name in need.measures if {name, f"left_{name}", f"right_{name}"} & held]
        if given and need.protocol not in held:
            protocol = columns()[need.protocol].protocol
            question = text("sheet.constant.protocol", protocol=protocol)
            constants.append(_constant(sheet, need.protocol, question, is_needed=True))
    if {"left_hip_drop_deg", "right_hip_drop_deg"} & held and DROP_TASK not in held:
        constants.append(_constant(sheet, DROP_TASK, text("sheet.constant.hip_drop_task")))
    return constants


def _constant(
    sheet: RecognisedSheet, name: str, question: str, *, is_needed: bool = False
) -> SheetConstant:
    measure = columns()[name]
    choices = list(measure.choices) if isinstance(measure, Category) else []
    default = measure.default if isinstance(measure, Category) else None
    stated = sheet.mapping.constants.get(name)
    return SheetConstant(
        means=name,
        label=measure.label,
        choices=choices,
        unit=measure.unit if isinstance(measure, Quantity) else None,
        value=default if stated is None else stated,
        needed=is_needed and stated is None,
        question=question,
    )
