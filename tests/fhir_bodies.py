"""Screenings as FHIR resources, written apart from the code that reads them."""

from __future__ import annotations

from typing import Any

from kneerisk.schema import SIDES, Category, Quantity, Screening, columns, to_row
from kneerisk.schema.columns import column_locations
from kneerisk.schema.sections import Setting

SYSTEM = "urn:kneerisk:fhir:CodeSystem:"
UCUM = "http://unitsofmeasure.org"
#: UCUM of the schema's units, as written by hand.
CODES = {
    "years": "a", "cm": "cm", "kg": "kg", "km": "km", "ratio": "1", "h/week": "h/wk", "%": "%",
    "sessions/week": "{sessions}/wk", "h/day": "h/d", "steps/min": "{steps}/min", "m/s": "m/s",
    "episodes": "{episodes}", "of 10": "{of_10}", "weeks": "wk", "points": "{points}", "deg": "deg",
    "Nm/kg": "N.m/kg", "% BW": "%{body_weight}", "N/kg": "N/kg", "grade": "{grade}", "mm": "mm",
    "ms": "ms", "s": "s", "% stance": "%{stance}", "of 100": "%{athletes}",
    "athletes": "{athletes}",
}  # fmt: skip
PATIENT = "Patient/p1"
DAY = "2026-03-01"


def stated(screening: Screening) -> list[tuple[str, Any]]:
    """Every link id with its value, lists one after the other."""
    said = list(to_row(screening).items())
    if screening.setting:
        said += [(f"setting_{name}", value) for name, value in screening.setting]
    if screening.red_flags is not None:
        said += [("red_flags", flag) for flag in screening.red_flags or ["none_applies"]]
    return said + [("equipment", name) for name in screening.equipment or []]


def place(link_id: str) -> tuple[str, str | None]:
    """The code and the leg of a link id."""
    *sections, name = column_locations().get(link_id, (link_id,))
    return name, next((side for side in SIDES if side in sections), None)


def unit(link_id: str) -> str | None:
    measures = columns() | {f"setting_{name}": field.metadata[0]
                            for name, field in Setting.model_fields.items()}  # fmt: skip
    measure = measures.get(link_id)
    assert measure is None or isinstance(measure, Quantity | Category)
    return CODES[measure.unit] if isinstance(measure, Quantity) else None


def observation(link_id: str, value: Any, number: int = 0) -> dict[str, Any]:
    code, side = place(link_id)
    resource: dict[str, Any] = {
        "resourceType": "Observation", "id": f"o{number}", "status": "final",
        "code": {"coding": [{"system": f"{SYSTEM}measures", "code": code}]},
        "subject": {"reference": PATIENT}, "effectiveDateTime": f"{DAY}T09:30:00+01:00",
    }  # fmt: skip
    if side:
        resource["bodySite"] = {"coding": [{"system": f"{SYSTEM}legs", "code": side}]}
    ucum = unit(link_id)
    if ucum:
        resource["valueQuantity"] = {"value": value, "system": UCUM, "code": ucum}
    else:
        system = f"{SYSTEM}choices-{code.replace('_', '-')}"
        resource["valueCodeableConcept"] = {"coding": [{"system": system, "code": value}]}
    return resource


def bundle(screening: Screening) -> dict[str, Any]:
    """A Bundle with one Observation for each value of a screening."""
    entries = [
        {"resource": observation(link_id, value, number)}
        for number, (link_id, value) in enumerate(stated(screening))
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def response(screening: Screening) -> dict[str, Any]:
    """A QuestionnaireResponse with one item for each link id, in one flat list."""
    answers: dict[str, list[dict[str, Any]]] = {}
    for link_id, value in stated(screening):
        system = f"{SYSTEM}choices-{place(link_id)[0].replace('_', '-')}"
        if unit(link_id) is None:
            answer = {"valueCoding": {"system": system, "code": value}}
        else:
            answer = {"valueInteger" if isinstance(value, int) else "valueDecimal": value}
        answers.setdefault(link_id, []).append(answer)
    return {
        "resourceType": "QuestionnaireResponse", "id": "q1", "status": "completed",
        "questionnaire": "urn:kneerisk:fhir:Questionnaire:screening",
        "subject": {"reference": PATIENT}, "authored": DAY,
        "item": [{"linkId": link_id, "answer": said} for link_id, said in answers.items()],
    }  # fmt: skip
