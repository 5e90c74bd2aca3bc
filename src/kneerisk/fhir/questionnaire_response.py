"""A screening from a QuestionnaireResponse to the Questionnaire that the schema makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kneerisk.fhir.element_values import read_value
from kneerisk.fhir.questionnaire import QUESTIONNAIRE, unanswered_link_ids
from kneerisk.fhir.screening_items import items_by_link_id
from kneerisk.fhir.statements import Place, Statements
from kneerisk.schema import FaultCode
from kneerisk.words import text

Json = dict[str, Any]

_ANSWERED = ("completed", "amended", "in-progress")
#: Items are looked for so deep within items (assumption: the Questionnaire's own are two deep).
_DEEPEST = 5


def read_response(
    said: Statements, response: Json, place: Place = (), url: str | None = None
) -> None:
    """Take what a QuestionnaireResponse states.

    Parameters
    ----------
    said
        Takes its answers, and every fault of it.
    response
        The QuestionnaireResponse.
    place
        Where it stands; it may be an entry of a Bundle.
    url
        Its address in that Bundle.
    """
    said.about(response, place)
    said.dated(response.get("authored"), (*place, "authored"))
    if response.get("status") not in _ANSWERED:
        said.fault(FaultCode.NOT_A_RESULT, (*place, "status"), text("fhir.fault.response_status"))
        said.is_unread = True
        return
    asked = response.get("questionnaire")
    if asked is not None and str(asked).partition("|")[0] != QUESTIONNAIRE:
        message = text("fhir.fault.questionnaire", url=QUESTIONNAIRE)
        said.fault(FaultCode.UNKNOWN_NAME, (*place, "questionnaire"), message)
        said.is_unread = True
        return
    said.basis.append(_reference(response, url))
    for answered, where in _items(said, response, place, 0):
        _read_item(said, answered, where)


def _reference(response: Json, url: str | None) -> Json:
    own_id = response.get("id")
    known = url or (f"QuestionnaireResponse/{own_id}" if isinstance(own_id, str) else None)
    label = {"display": text("fhir.title.questionnaire")}
    return {"reference": known, **label} if known else {"type": "QuestionnaireResponse", **label}


def _items(
    said: Statements, holder: Json, place: Place, depth: int
) -> Iterator[tuple[Json, Place]]:
    """Every item with an answer, at any depth."""
    inner = holder.get("item", [])
    if not isinstance(inner, list):
        said.fault(FaultCode.NOT_A_LIST, (*place, "item"), text("shared.fault.not_a_list"))
        return
    for number, item in enumerate(inner):
        where: Place = (*place, "item", number)
        if not isinstance(item, dict):
            said.fault(FaultCode.NOT_AN_OBJECT, where, text("shared.fault.not_an_object"))
        elif depth < _DEEPEST:
            yield item, where
            yield from _items(said, item, where, depth + 1)


def _read_item(said: Statements, answered: Json, place: Place) -> None:
    link_id, answers = answered.get("linkId"), answered.get("answer", [])
    if not answers and link_id in unanswered_link_ids():
        return
    item = items_by_link_id().get(link_id) if isinstance(link_id, str) else None
    if item is None:
        said.fault(FaultCode.UNKNOWN_NAME, (*place, "linkId"), text("fhir.fault.link_id"))
        return
    if not isinstance(answers, list):
        said.fault(FaultCode.NOT_A_LIST, (*place, "answer"), text("shared.fault.not_a_list"))
        return
    for number, answer in enumerate(answers):
        where: Place = (*place, "answer", number)
        if isinstance(answer, dict):
            read_value(said, item, answer, where)
        else:
            said.fault(FaultCode.NOT_AN_OBJECT, where, text("shared.fault.not_an_object"))
