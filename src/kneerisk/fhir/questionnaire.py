"""The Questionnaire of a screening: every item of the schema with type, limits, unit, choices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kneerisk.fhir.screening_items import Item, items
from kneerisk.fhir.terminology import MEASURES, URN, choice_coding
from kneerisk.fhir.ucum import UCUM, ucum_of
from kneerisk.schema import Quantity, fingerprint
from kneerisk.schema.own_measures import per_schema
from kneerisk.words import text, variant

Json = dict[str, Any]

QUESTIONNAIRE = f"{URN}:Questionnaire:screening"
#: Extensions that HL7 publishes with R4.
_HL7 = "http://hl7.org/fhir/StructureDefinition"
_ITEM_CONTROL = "http://hl7.org/fhir/questionnaire-item-control"


@per_schema
def questionnaire() -> Json:
    """The Questionnaire, in groups as a screening has sections."""
    return {
        "resourceType": "Questionnaire",
        "id": "kneerisk-screening",
        "url": QUESTIONNAIRE,
        "version": fingerprint(),
        "name": "KneeriskScreening",
        "title": text("fhir.title.questionnaire"),
        "status": "active",
        "subjectType": ["Patient"],
        "publisher": "kneerisk",
        "description": text("answer.notice.use"),
        "item": list(_groups()),
    }


@per_schema
def unanswered_link_ids() -> frozenset[str]:
    """The link ids of groups and of help, which have no answer."""
    groups = questionnaire()["item"]
    helps = (part for group in groups for question in group["item"] for part in question["item"])
    return frozenset(item["linkId"] for item in (*groups, *helps))


def _groups() -> Iterator[Json]:
    by_group: dict[str, list[Item]] = {}
    for item in items():
        by_group.setdefault(_group_of(item), []).append(item)
    for name, members in by_group.items():
        yield {
            "linkId": f"group_{name}",
            "text": variant("fhir.group", name),
            "type": "group",
            "item": [_question(member) for member in members],
        }


def _group_of(item: Item) -> str:
    sections = item.location[:-1] or ("clinic",)
    return "_".join(sections)


def _question(item: Item) -> Json:
    measure = item.measure
    question: Json = {
        "linkId": item.link_id,
        "code": [{"system": MEASURES, "code": item.code, "display": measure.label}],
        "text": measure.label,
        **({"required": True} if item.is_required else {}),
        **({"repeats": True} if item.repeats else {}),
    }
    if isinstance(measure, Quantity):
        question["type"] = "integer" if measure.whole else "decimal"
        question["extension"] = list(_limits(measure))
    else:
        question["type"] = "choice"
        question["answerOption"] = [
            {"valueCoding": choice_coding(item, choice)} for choice in item.choices
        ]
    return question | {"item": [_protocol(item)]}


def _limits(measure: Quantity) -> Iterator[Json]:
    kind = "valueInteger" if measure.whole else "valueDecimal"
    for name, limit in (("minValue", measure.low), ("maxValue", measure.high)):
        yield {"url": f"{_HL7}/{name}", kind: int(limit) if measure.whole else limit}
    unit = {"system": UCUM, "code": ucum_of(measure), "display": measure.unit}
    yield {"url": f"{_HL7}/questionnaire-unit", "valueCoding": unit}


def _protocol(item: Item) -> Json:
    """How it is measured, as help beside the question."""
    control = {"coding": [{"system": _ITEM_CONTROL, "code": "help"}]}
    return {
        "linkId": f"{item.link_id}.protocol",
        "extension": [
            {"url": f"{_HL7}/questionnaire-itemControl", "valueCodeableConcept": control}
        ],
        "text": item.measure.protocol,
        "type": "display",
    }
