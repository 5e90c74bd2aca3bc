"""What each address of FHIR and CDS Hooks does; the mapping itself is `kneerisk.fhir`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from kneerisk.answer import answer
from kneerisk.fhir import cds_requests
from kneerisk.fhir.capability_statement import capability_statement
from kneerisk.fhir.cds_answers import CdsCards, FeedbackKept
from kneerisk.fhir.cds_cards import cards
from kneerisk.fhir.cds_requests import Feedback, PatientView, PrefetchMissing, newest_screening
from kneerisk.fhir.operation_outcome import FHIR_JSON, operation_outcome
from kneerisk.fhir.questionnaire import questionnaire as questionnaire_of_schema
from kneerisk.fhir.resource_body import FhirScreening, received_from
from kneerisk.fhir.risk_assessment import ASSESSED_PARTS
from kneerisk.fhir.risk_assessment import risk_assessment as assessment_of
from kneerisk.fhir.terminology import code_systems as own_code_systems
from kneerisk.messages.problem_document import Problem
from kneerisk.model.bundle import Bundle
from kneerisk.words import text
from serving.club_records import OpenClub
from serving.problem import ErrorForm, Refusal


def _as_operation_outcome(problem: Problem) -> bytes:
    faults, request_id = problem.faults or [], problem.request_id
    told = operation_outcome(problem.code, problem.title, problem.detail, faults, request_id)
    return json.dumps(told).encode()


#: Errors as FHIR has them.
OPERATION_OUTCOME = ErrorForm(FHIR_JSON, _as_operation_outcome)


def risk_assessment(bundle: Bundle, body: FhirScreening) -> Response:
    """Answer a Bundle of Observations or a QuestionnaireResponse; nothing is kept."""
    received = received_from(body)
    told = answer(bundle, received.screening, ASSESSED_PARTS)
    return _fhir(assessment_of(told, received, datetime.now(UTC)))


def questionnaire(_: Request) -> Response:
    """Give the Questionnaire of a screening."""
    return _fhir(questionnaire_of_schema())


def code_systems(_: Request) -> Response:
    """Give all code systems, as a search does."""
    entries = [{"fullUrl": system["url"], "resource": system} for system in own_code_systems()]
    found = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return _fhir(found | {"entry": entries})


def metadata(_: Request) -> Response:
    """Say what the FHIR side can do."""
    return _fhir(capability_statement(datetime.now(UTC).date()))


def cds_services(_: Request) -> Response:
    """List the services of CDS Hooks."""
    return Response(cds_requests.discovery().model_dump_json(), media_type="application/json")


async def patient_view(bundle: Bundle, request: PatientView) -> CdsCards:
    """Answer a chart that was opened with a card, or with none where there is no screening."""
    try:
        stated = newest_screening(request)
    except PrefetchMissing:
        raise Refusal("prefetch_missing", text("fhir.cds.prefetch")) from None
    if stated is None:
        return CdsCards(cards=[])
    received = stated.received()
    told = answer(bundle, received.screening, ASSESSED_PARTS)
    return cards(told, received, datetime.now(UTC))


async def feedback(body: Feedback, club: OpenClub | None) -> FeedbackKept:
    """Note in a club's audit what became of cards; without its key it is accepted and not kept.

    Parameters
    ----------
    body
        What became of which cards.
    club
        The records of the club whose key was sent; None: no such key came.

    Returns
    -------
    Whether it was kept.

    Raises
    ------
    Refusal
        Where the records can't be used.
    """
    if club is None:
        return FeedbackKept(kept=False)
    from kneerisk.records.audit import note

    def noted(session: Any, club_id: int, actor: str, now: datetime) -> None:
        for told in body.feedback:
            note(session, now, club_id, actor, f"cds_card_{told.outcome}", told.card.lower())

    await club.write(noted)
    return FeedbackKept(kept=True)


def _fhir(resource: dict[str, Any]) -> Response:
    return Response(json.dumps(resource), media_type=FHIR_JSON)
