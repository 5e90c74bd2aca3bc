"""A problem as an OperationOutcome: one issue for each fault, each with the element it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kneerisk.errors import Fault
from kneerisk.fhir.terminology import URN
from kneerisk.schema import FaultCode

Json = dict[str, Any]

FHIR_JSON = "application/fhir+json"
PROBLEMS = f"{URN}:CodeSystem:problems"
#: FHIR's type of an issue, by the code of a problem or of a fault; any other is `processing`.
_ISSUE_TYPES: Mapping[str, str] = {
    "malformed_json": "structure", "malformed_request": "structure", "duplicate_key": "structure",
    "invalid_body": "invalid", "too_large": "too-long", "headers_too_large": "too-long",
    "not_found": "not-found", "method_not_allowed": "not-supported",
    "key_required": "login", "key_refused": "login", "key_ended": "expired",
    "role_needed": "forbidden", "foreign_origin": "forbidden", "unknown_host": "forbidden",
    "too_many_requests": "throttled", "busy": "throttled", "timeout": "timeout",
    "no_champion": "transient", "records_unavailable": "transient", "internal_error": "exception",
    "incomplete_body": "incomplete", "incomplete_request": "incomplete",
    FaultCode.MISSING: "required", FaultCode.UNKNOWN_NAME: "code-invalid",
    FaultCode.UNKNOWN_CHOICE: "code-invalid", FaultCode.NOT_AN_OBJECT: "structure",
    FaultCode.NOT_A_LIST: "structure", FaultCode.TOLD_TWICE: "duplicate",
    FaultCode.ANOTHER_ATHLETE: "business-rule", FaultCode.NOT_A_RESULT: "business-rule",
    FaultCode.PROTOCOL_NEEDED: "invariant", FaultCode.DISAGREES_WITH_PARTS: "invariant",
    FaultCode.BOTH_SIDES: "invariant", FaultCode.NOT_OPPOSITE: "invariant",
    FaultCode.NOT_A_NUMBER: "value", FaultCode.NOT_FINITE: "value",
    FaultCode.OUTSIDE_LIMITS: "value", FaultCode.NOT_A_DATE: "value",
    FaultCode.STILL_TO_COME: "value", FaultCode.NO_UNIT: "value", FaultCode.UNKNOWN_UNIT: "value",
    FaultCode.NOT_TEXT: "value",
}  # fmt: skip
#: What only one of the resources has at its top; of any other element the path begins with it.
_ROOTS = {"entry": "Bundle"} | dict.fromkeys(
    ("item", "status", "authored", "questionnaire"), "QuestionnaireResponse"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_CHOICE = re.compile(r"(value|effective)([A-Z][A-Za-z]*)")


def operation_outcome(
    code: str, title: str, detail: str, faults: Sequence[Fault], request_id: str | None
) -> Json:
    """A problem as FHIR tells it.

    Parameters
    ----------
    code
        The code of the problem.
    title
        The problem in words.
    detail
        What to do about it.
    faults
        Every single thing that is wrong with the body.
    request_id
        Of the request; it is also in the log.

    Returns
    -------
    The resource.
    """
    tail = {"diagnostics": f"request {request_id}"} if request_id else {}
    if not faults:
        return _outcome([_issue(code, f"{title}. {detail}") | tail])
    return _outcome(
        [_issue(fault.code, fault.message) | tail | _expression(fault.pointer) for fault in faults]
    )


def _outcome(issues: list[Json]) -> Json:
    return {"resourceType": "OperationOutcome", "issue": issues}


def _issue(code: str, told: str) -> Json:
    return {
        "severity": "error",
        "code": _ISSUE_TYPES.get(code, "processing"),
        "details": {"coding": [{"system": PROBLEMS, "code": code}], "text": told},
    }


def _expression(pointer: str) -> Json:
    """Where a fault is, in the simple FHIRPath of an OperationOutcome, beside its JSON pointer."""
    if not pointer:
        return {}
    path = fhir_path(pointer)
    return {"expression": [path]} if path else {}


def fhir_path(pointer: str) -> str | None:
    """A JSON pointer as FHIRPath: ``/entry/0/resource`` is ``Bundle.entry[0].resource``.

    Parameters
    ----------
    pointer
        The pointer, into a Bundle or a QuestionnaireResponse.

    Returns
    -------
    None where a part of it is no name of an element.
    """
    parts = pointer.strip("/").split("/")
    path = _ROOTS.get(parts[0], "")
    for part in parts:
        choice = _CHOICE.fullmatch(part)
        if part.isdigit():
            path += f"[{part}]"
        elif choice:
            path += f".{choice[1]}.ofType({_type_of(choice[2])})"
        elif _NAME.fullmatch(part):
            path += f".{part}"
        else:
            return None
    return path.removeprefix(".")


def _type_of(suffix: str) -> str:
    """The type of a choice: primitive ones are written small."""
    primitive = {"Integer", "Decimal", "String", "Boolean", "DateTime", "Instant"}
    return suffix[0].lower() + suffix[1:] if suffix in primitive else suffix
