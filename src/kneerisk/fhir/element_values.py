"""The value of an Observation or of an answer as a screening holds it."""

from __future__ import annotations

from typing import Any, TypeGuard

from kneerisk.cohort.sheets.lexicon.units import UnknownUnit
from kneerisk.fhir.screening_items import Item
from kneerisk.fhir.statements import Place, Statements
from kneerisk.fhir.terminology import choices_system
from kneerisk.fhir.ucum import UCUM, codes_of, in_own_unit
from kneerisk.schema import Category, FaultCode, Quantity
from kneerisk.words import text

Json = dict[str, Any]


def read_value(said: Statements, item: Item, holder: Json, place: Place) -> None:
    """Take the value[x] of an element.

    Parameters
    ----------
    said
        Takes the value, or what is wrong with it.
    item
        What it is about.
    holder
        The element: an Observation, or an answer of a QuestionnaireResponse.
    place
        Where the element stands.
    """
    if isinstance(item.measure, Category):
        _read_choice(said, item, holder, place)
    elif isinstance(item.measure, Quantity):
        _read_quantity(said, item, item.measure, holder, place)


def _read_quantity(
    said: Statements, item: Item, measure: Quantity, holder: Json, place: Place
) -> None:
    for name in ("valueInteger", "valueDecimal"):
        if name in holder:
            said.state(item, holder[name], (*place, name))
            return
    quantity = holder.get("valueQuantity")
    inside: Place = (*place, "valueQuantity")
    if not isinstance(quantity, dict):
        said.fault(FaultCode.MISSING, inside, text("shared.fault.missing"), item)
        return
    value, code = quantity.get("value"), quantity.get("code")
    if "comparator" in quantity:
        said.fault(
            FaultCode.NOT_A_NUMBER, (*inside, "comparator"), text("fhir.fault.comparator"), item
        )
        return
    if not _is_number(value):
        said.fault(
            FaultCode.NOT_A_NUMBER, (*inside, "value"), text("shared.fault.not_a_number"), item
        )
        return
    allowed = ", ".join(codes_of(measure))
    if quantity.get("system") != UCUM or not isinstance(code, str):
        said.fault(
            FaultCode.NO_UNIT, (*inside, "code"), text("fhir.fault.unit", codes=allowed), item
        )
        return
    try:
        said.state(item, in_own_unit(measure, value, code), (*inside, "value"))
    except UnknownUnit:
        said.fault(
            FaultCode.UNKNOWN_UNIT, (*inside, "code"), text("fhir.fault.unit", codes=allowed), item
        )


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_choice(said: Statements, item: Item, holder: Json, place: Place) -> None:
    name = "valueCoding" if "valueCoding" in holder else "valueCodeableConcept"
    inside: Place = (*place, name)
    concept = holder.get(name)
    for coding in _codings(concept, name):
        if coding.get("system") == choices_system(item.code):
            _state_choice(said, item, coding.get("code"), inside)
            return
    wanted = text("fhir.fault.coding", system=choices_system(item.code))
    missing = FaultCode.MISSING if concept is None else FaultCode.UNKNOWN_CHOICE
    said.fault(missing, inside, wanted, item)


def _state_choice(said: Statements, item: Item, code: Any, place: Place) -> None:
    # The schema says what is wrong with a choice of its own; of a list, only of the list.
    if item.repeats and code not in item.choices:
        said.fault(FaultCode.UNKNOWN_CHOICE, place, _must_be(item), item)
    else:
        said.state(item, code, place)


def _must_be(item: Item) -> str:
    return text("shared.limits.must_be", allowed=item.measure.allowed)


def _codings(concept: Any, name: str) -> list[Json]:
    if name == "valueCoding":
        return [concept] if isinstance(concept, dict) else []
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [c for c in codings if isinstance(c, dict)] if isinstance(codings, list) else []
