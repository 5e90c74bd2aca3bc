"""Example requests of FHIR and CDS Hooks, for the OpenAPI document: short, and written by hand."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_MEASURES = "urn:kneerisk:fhir:CodeSystem:measures"
_LEGS = "urn:kneerisk:fhir:CodeSystem:legs"
_UCUM = "http://unitsofmeasure.org"
_ATHLETE: Json = {"reference": "Patient/example"}


def _observed(own_id: str, system: str, code: str, value: Json, leg: str = "") -> Json:
    site = {"bodySite": {"coding": [{"system": _LEGS, "code": leg}]}} if leg else {}
    return {
        "resourceType": "Observation",
        "id": own_id,
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": _ATHLETE,
        "effectiveDateTime": "2026-03-02",
        **site,
        **value,
    }


def _number(value: float, unit: str) -> Json:
    return {"valueQuantity": {"value": value, "system": _UCUM, "code": unit}}


_PATIENT: Json = {
    "resourceType": "Patient", "id": "example", "gender": "female", "birthDate": "1998-11-20",
}  # fmt: skip
_OBSERVATIONS = (
    _observed("mass", "http://loinc.org", "29463-7", _number(61, "kg")),
    _observed("drop-l", _MEASURES, "hip_drop_deg", _number(9, "deg"), "left"),
    _observed("drop-r", _MEASURES, "hip_drop_deg", _number(4.5, "deg"), "right"),
    _observed("lunge-l", _MEASURES, "wblt_dorsiflexion_deg", _number(33, "deg"), "left"),
    _observed("lunge-r", _MEASURES, "wblt_dorsiflexion_deg", _number(41, "deg"), "right"),
)

#: A Patient and the Observations of one visit.
BUNDLE: Json = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": resource} for resource in (_PATIENT, *_OBSERVATIONS)],
}

#: The same as answers to the Questionnaire.
RESPONSE: Json = {
    "resourceType": "QuestionnaireResponse",
    "id": "visit",
    "status": "completed",
    "questionnaire": "urn:kneerisk:fhir:Questionnaire:screening",
    "subject": _ATHLETE,
    "authored": "2026-03-02",
    "item": [
        {"linkId": "age_years", "answer": [{"valueDecimal": 27}]},
        {"linkId": "sex", "answer": [
            {"valueCoding": {"system": "urn:kneerisk:fhir:CodeSystem:choices-sex",
                             "code": "female"}}]},
        {"linkId": "left_hip_drop_deg", "answer": [{"valueDecimal": 9}]},
        {"linkId": "right_hip_drop_deg", "answer": [{"valueDecimal": 4.5}]},
    ],
}  # fmt: skip

#: A chart that was opened, with what the service asks to be sent along.
PATIENT_VIEW: Json = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/example", "patientId": "example"},
    "prefetch": {
        "patient": _PATIENT,
        "screening": None,
        "observations": {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": resource} for resource in _OBSERVATIONS],
        },
    },
}

#: A clinician took one card's suggestion.
FEEDBACK: Json = {
    "feedback": [{
        "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719", "outcome": "accepted",
        "outcomeTimestamp": "2026-03-02T10:05:31Z",
    }],
}  # fmt: skip
