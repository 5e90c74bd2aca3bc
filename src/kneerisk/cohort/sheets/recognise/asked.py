"""What a person said about a sheet, checked against schema and sheet: all faults at once."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from kneerisk.cohort.sheets.recognise.column import apart
from kneerisk.cohort.sheets.recognise.contract import ColumnAsked, SheetAsked
from kneerisk.cohort.sheets.recognise.understanding import Understood
from kneerisk.cohort.sheets.recognise.vocabulary import ROLES, unsided
from kneerisk.cohort.sheets.units import UnknownUnit, factor, unit_named
from kneerisk.errors import Fault, KneeriskError
from kneerisk.schema import Category, Quantity, columns, faults_of, from_row
from kneerisk.schema.columns import column_of


class AskRefused(KneeriskError):
    """A wish about a sheet that can't be met, with every fault of it."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        lines = [f"  {fault.pointer}: {fault.message}" for fault in faults]
        super().__init__("\n".join([f"What was asked has {len(faults)} fault(s):", *lines]))


def refuse_wrong_asks(asked: SheetAsked, sheet: Understood) -> None:
    """Check what was asked.

    Raises
    ------
    AskRefused
        With every fault, each with a JSON pointer into what was asked.
    """
    places = {column.place for column in sheet.columns}
    faults: list[Fault] = []
    for place, said in asked.columns.items():
        if place in places:
            faults += _column_faults(place, said, sheet)
        else:
            at = f"/columns/{_escaped(place)}"
            faults.append(_fault("no_such_column", at, "the sheet has no such column"))
    faults += _constant_faults(asked, sheet)
    if faults:
        raise AskRefused(faults)


def _fault(code: str, pointer: str, message: str, allowed: str | None = None) -> Fault:
    return Fault(pointer=pointer, code=code, message=message, allowed=allowed)


def _column_faults(place: str, said: ColumnAsked, sheet: Understood) -> Iterator[Fault]:
    at = f"/columns/{place}"
    column = next(one for one in sheet.columns if one.place == place)
    means, _ = apart(said.means or column.canonical or "")
    if said.means is not None and means not in unsided() and means not in ROLES:
        yield _fault("unknown_name", f"{at}/means", "is not a measure of the schema",
                     "a canonical column, " + ", ".join(ROLES))  # fmt: skip
        return
    measure = unsided().get(means)
    if said.unit is not None or said.per_body_mass:
        yield from _unit_faults(at, said, measure if isinstance(measure, Quantity) else None)
    for word, value in said.words.items():
        if isinstance(measure, Category) and value not in (*measure.choices, ""):
            yield _fault("unknown_choice", f"{at}/words/{_escaped(word)}",
                         f"must be {measure.allowed}", measure.allowed)  # fmt: skip
        if isinstance(measure, Quantity) and isinstance(value, str) and value:
            yield _fault("not_a_number", f"{at}/words/{_escaped(word)}", "must be a number")


def _unit_faults(at: str, said: ColumnAsked, measure: Quantity | None) -> Iterator[Fault]:
    if measure is None:
        yield _fault("no_unit", f"{at}/unit", "only a measured quantity has a unit")
        return
    name = unit_named(said.unit) or said.unit if said.unit else None
    ways = (False, True) if said.per_body_mass is None else (said.per_body_mass,)
    told = ""
    for per_body_mass in ways:
        try:
            factor(measure, name, per_body_mass=per_body_mass)
        except UnknownUnit as error:
            told = told or str(error)
        else:
            return
    yield _fault("unknown_unit", f"{at}/unit", told, f"a unit that becomes {measure.unit}")


def _constant_faults(asked: SheetAsked, sheet: Understood) -> Iterator[Fault]:
    known = {name: value for name, value in asked.constants.items() if name in columns()}
    for name in asked.constants:
        at = f"/constants/{_escaped(name)}"
        if name not in columns():
            yield _fault("unknown_name", at, "is not a measure of the schema")
        elif column := sheet.column_of(name):
            yield _fault("told_twice", at, f"stands in column {column.place} too")
    try:
        from_row({"age_years": 30, "sex": "unspecified"} | known)
    except ValidationError as error:
        for fault in faults_of(error):
            name = column_of(tuple(fault.pointer.split("/")[1:]))
            # Whether tests and their protocols go together is seen in whole rows.
            if name in known and fault.code in {"outside_limits", "unknown_choice", "not_a_number",
                                                "not_text", "not_finite"}:  # fmt: skip
                yield _fault(fault.code, f"/constants/{name}", fault.message, fault.allowed)


def _escaped(word: str) -> str:
    return word.replace("~", "~0").replace("/", "~1")
