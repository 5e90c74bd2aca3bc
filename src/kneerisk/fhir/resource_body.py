"""The body of a request for a RiskAssessment: a Bundle, or a QuestionnaireResponse."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from kneerisk.fhir.observations import read_bundle
from kneerisk.fhir.questionnaire_response import read_response
from kneerisk.fhir.statements import Received, Statements


class FhirScreening(BaseModel):
    """A Bundle of Observations, or a QuestionnaireResponse to the Questionnaire."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    resourceType: Literal["Bundle", "QuestionnaireResponse"]  # noqa: N815 - FHIR's name


def received_from(body: FhirScreening) -> Received:
    """The screening of a body.

    Parameters
    ----------
    body
        The resource.

    Returns
    -------
    The screening, whom it is about, and what it was made from.

    Raises
    ------
    ScreeningRefused
        With every fault of the resource and of the screening.
    """
    resource = {"resourceType": body.resourceType, **(body.model_extra or {})}
    if body.resourceType == "Bundle":
        return read_bundle(resource).received()
    said = Statements()
    read_response(said, resource)
    return said.received()
