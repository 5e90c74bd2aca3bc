"""What no column tells but may hold for every row: sex, sport, how a test was done."""

from __future__ import annotations

from kneerisk.cohort.sheets.recognise.contract import SheetConstant
from kneerisk.cohort.sheets.recognise.understanding import Understood
from kneerisk.cohort.sheets.recognise.vocabulary import AGE
from kneerisk.schema import Category, Quantity, columns
from kneerisk.schema.rules import NEEDS

SEX, SPORT, DROP_TASK = "sex", "sport", "hip_drop_task"


def constants(sheet: Understood) -> list[SheetConstant]:
    """What a person may say for the whole sheet; rows wait for what is needed."""
    held = sheet.canonical
    found = []
    if AGE not in held:
        told = "No column tells the age. Is it the same for all, in years?"
        found.append(_constant(sheet, AGE, told, True))
    if SEX not in held:
        found.append(_constant(sheet, SEX, "No column tells the sex. Is it one for all?", True))
    if SPORT not in held:
        found.append(_constant(sheet, SPORT, "No column tells the sport. Is it one for all?"))
    for need in NEEDS:
        given = [name for name in need.measures if {name, f"left_{name}", f"right_{name}"} & held]
        if given and need.protocol not in held:
            told = f"How was it done? {columns()[need.protocol].protocol}"
            found.append(_constant(sheet, need.protocol, told, True))
    if {"left_hip_drop_deg", "right_hip_drop_deg"} & held and DROP_TASK not in held:
        found.append(_constant(sheet, DROP_TASK, "Which task was filmed for the hip drop?"))
    return found


def _constant(
    sheet: Understood, name: str, question: str, is_needed: bool = False
) -> SheetConstant:
    measure = columns()[name]
    choices = list(measure.choices) if isinstance(measure, Category) else []
    default = measure.default if isinstance(measure, Category) else None
    said = sheet.constants.get(name)
    return SheetConstant(
        means=name,
        label=measure.label,
        choices=choices,
        unit=measure.unit if isinstance(measure, Quantity) else None,
        value=default if said is None else said,
        needed=is_needed and said is None,
        question=question,
    )
