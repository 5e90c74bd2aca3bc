"""What the FHIR side of the service can do, as a CapabilityStatement."""

from __future__ import annotations

from datetime import date
from typing import Any

from kneerisk import __version__
from kneerisk.fhir.operation_outcome import FHIR_JSON
from kneerisk.words import text

Json = dict[str, Any]

#: What is read and written is the same in R4 and R4B.
FHIR_VERSION = "4.0.1"


def capability_statement(today: date) -> Json:
    """The CapabilityStatement.

    Parameters
    ----------
    today
        The day that it is of.

    Returns
    -------
    The resource.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": today.isoformat(),
        "publisher": "kneerisk",
        "kind": "instance",
        "software": {"name": "kneerisk", "version": __version__},
        "implementation": {"description": text("answer.notice.use")},
        "fhirVersion": FHIR_VERSION,
        "format": [FHIR_JSON, "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": text("fhir.capability.rest"),
                "resource": [
                    _resource("RiskAssessment", "create", text("fhir.capability.risk_assessment")),
                    _resource("Questionnaire", "read", text("fhir.capability.questionnaire")),
                    _resource("CodeSystem", "search-type", text("fhir.capability.code_system")),
                ],
            }
        ],
    }


def _resource(kind: str, interaction: str, documentation: str) -> Json:
    return {
        "type": kind,
        "interaction": [{"code": interaction, "documentation": documentation}],
    }
