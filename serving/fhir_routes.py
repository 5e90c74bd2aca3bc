"""The rows of FHIR and CDS Hooks, which are served where the service was started with them."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from kneerisk.fhir.cds_answers import CdsCards, CdsServices, FeedbackKept
from kneerisk.fhir.cds_requests import SERVICE_ID, Feedback, PatientView
from kneerisk.fhir.operation_outcome import FHIR_JSON
from kneerisk.fhir.resource_body import FhirScreening
from serving import fhir_endpoints
from serving.fhir_endpoints import OPERATION_OUTCOME
from serving.fhir_examples import BUNDLE, FEEDBACK, PATIENT_VIEW, RESPONSE
from serving.recording import RECORDS_REFUSALS
from serving.route import MEGABYTE, Route

#: An Observation has some 25 keys and values, and a screening at most some 120 of them.
_MAX_VALUES = 10_000


class FhirResource(BaseModel):
    """A resource of FHIR R4."""

    # No more than its type: FHIR's own definitions say the rest.
    model_config = ConfigDict(frozen=True, extra="allow")

    resourceType: str  # noqa: N815 - FHIR's name


_FHIR = (
    Route(
        path="/fhir/metadata", operation="fhir_metadata",
        summary="What the FHIR side can do", endpoint=fhir_endpoints.metadata,
        answer=FhirResource,
        media_type=FHIR_JSON, errors=OPERATION_OUTCOME, needs_key=False,
    ),
    Route(
        path="/fhir/RiskAssessment", method="POST", operation="fhir_risk_assessment",
        summary="Answer a Bundle of Observations or a QuestionnaireResponse as a RiskAssessment",
        endpoint=fhir_endpoints.risk_assessment, body=FhirScreening,
        answer=FhirResource,
        media_type=FHIR_JSON, errors=OPERATION_OUTCOME, max_body_bytes=MEGABYTE,
        max_values=_MAX_VALUES, examples={"observations": BUNDLE, "questionnaire": RESPONSE},
        needs_champion=True, on_event_loop=True,
    ),
    Route(
        path="/fhir/Questionnaire", operation="fhir_questionnaire",
        summary="The questions of a screening", endpoint=fhir_endpoints.questionnaire,
        answer=FhirResource,
        media_type=FHIR_JSON, errors=OPERATION_OUTCOME,
    ),
    Route(
        path="/fhir/CodeSystem", operation="fhir_code_systems",
        summary="Codes of measures, legs, choices and outcomes",
        endpoint=fhir_endpoints.code_systems, answer=FhirResource,
        media_type=FHIR_JSON, errors=OPERATION_OUTCOME,
    ),
)  # fmt: skip

_CDS_HOOKS = (
    Route(
        path="/cds-services", operation="cds_services", summary="The services of CDS Hooks",
        endpoint=fhir_endpoints.cds_services, answer=CdsServices,
        needs_key=False,
    ),
    Route(
        path=f"/cds-services/{SERVICE_ID}", method="POST", operation="cds_patient_view",
        summary="A card of the newest screening of the patient whose chart was opened",
        endpoint=fhir_endpoints.patient_view, body=PatientView, answer=CdsCards,
        max_body_bytes=MEGABYTE, max_values=2 * _MAX_VALUES, refusals=("prefetch_missing",),
        examples={"chart": PATIENT_VIEW}, needs_champion=True,
    ),
    Route(
        path=f"/cds-services/{SERVICE_ID}/feedback", method="POST", operation="cds_feedback",
        summary="What became of cards: kept in the records of a club whose key comes with it",
        endpoint=fhir_endpoints.feedback, body=Feedback, answer=FeedbackKept,
        max_body_bytes=MEGABYTE, examples={"accepted": FEEDBACK}, refusals=RECORDS_REFUSALS,
        keeps_with_key=True,
    ),
)  # fmt: skip

#: Every route of FHIR and CDS Hooks by its path.
FHIR_ROUTES = {
    route.path: replace(route, tag=tag)
    for tag, rows in (("fhir", _FHIR), ("cds_hooks", _CDS_HOOKS))
    for route in rows
}
