"""CDS Hooks: what the service asks to be sent along, and the screening in what was sent.

Nothing is fetched. A screening is one visit, so that the measures of the newest day count alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kneerisk.fhir.cds_answers import CdsService, CdsServices
from kneerisk.fhir.observations import Entry, code_of, effective, read_resources, side_of
from kneerisk.fhir.questionnaire import QUESTIONNAIRE
from kneerisk.fhir.screening_items import items_by_code
from kneerisk.fhir.statements import Statements, day_stated
from kneerisk.fhir.terminology import LOINC, LOINC_CODES, MEASURES
from kneerisk.words import text

Json = dict[str, Any]

SERVICE_ID = "kneerisk"
_OPEN = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
Uuid = Annotated[str, Field(pattern=_UUID)]
#: Feedback of one request (assumption: a chart shows fewer cards).
MOST_FEEDBACK = 100


class HookContext(BaseModel):
    """Whose chart is open."""

    model_config = _OPEN

    patientId: Annotated[str, Field(min_length=1, max_length=64)]  # noqa: N815 - as specified


class PatientView(BaseModel):
    """A chart that was opened: the request of the hook ``patient-view``."""

    model_config = _OPEN

    hook: Literal["patient-view"]
    hookInstance: Uuid  # noqa: N815
    context: HookContext
    prefetch: dict[str, Any] | None = None


class CardFeedback(BaseModel):
    """What became of one card."""

    model_config = _OPEN

    card: Uuid
    outcome: Literal["accepted", "overridden"]


class Feedback(BaseModel):
    """What became of cards."""

    model_config = _OPEN

    feedback: Annotated[list[CardFeedback], Field(min_length=1, max_length=MOST_FEEDBACK)]


class PrefetchMissing(Exception):
    """A request without the resources that the service asks for."""


def discovery() -> CdsServices:
    """The services that there are, with the resources that each wants sent along."""
    codes = ",".join([f"{MEASURES}|", *(f"{LOINC}|{code}" for code in LOINC_CODES.values())])
    patient = "{{context.patientId}}"
    service = CdsService(
        hook="patient-view",
        id=SERVICE_ID,
        title=text("fhir.cds.title"),
        description=text("fhir.cds.description"),
        usageRequirements=text("fhir.cds.prefetch"),
        prefetch={
            "patient": f"Patient/{patient}",
            "screening": (
                f"QuestionnaireResponse?patient={patient}"
                f"&questionnaire={QUESTIONNAIRE}&_sort=-authored&_count=1"
            ),
            "observations": (
                f"Observation?subject=Patient/{patient}&code={codes}&_sort=-date&_count=500"
            ),
        },
    )
    return CdsServices(services=[service])


def newest_screening(request: PatientView) -> Statements | None:
    """What the resources of a request state of the newest screening.

    Parameters
    ----------
    request
        The request.

    Returns
    -------
    The statements, with every fault; None where there is no screening.

    Raises
    ------
    PrefetchMissing
        Where the request came without its resources.
    """
    sent = request.prefetch or {}
    if not isinstance(sent.get("patient"), dict) or not {"screening", "observations"} & sent.keys():
        raise PrefetchMissing
    responses, observations = _entries(sent, "screening"), _entries(sent, "observations")
    own = [entry for entry in observations if _has_code(entry.resource, MEASURES)]
    day = max(filter(None, map(_day, own)), default=None)
    answered = max(responses, key=lambda entry: _day(entry) or date.min, default=None)
    if answered is None and not own:
        return None
    said = Statements()
    said.subject({"reference": f"Patient/{request.context.patientId}"}, ("context", "patientId"))
    if answered is not None and (day is None or (_day(answered) or date.min) >= day):
        read_resources(said, [answered])
    else:
        read_resources(said, _once([entry for entry in own if _day(entry) in {day, None}]))
    body = [entry for entry in observations if _has_code(entry.resource, LOINC)]
    read_resources(said, [entry for entry in _once(body) if _is_unsaid(said, entry)])
    read_resources(said, [Entry(sent["patient"], ("prefetch", "patient"))])
    return said


def _entries(sent: Json, key: str) -> list[Entry]:
    """The resources of a search, or one that was sent by itself."""
    found, place = sent.get(key), ("prefetch", key)
    if not isinstance(found, dict):
        return []
    if found.get("resourceType") != "Bundle":
        return [Entry(found, place)]
    entries = found.get("entry")
    return [
        Entry(entry["resource"], (*place, "entry", number, "resource"))
        for number, entry in enumerate(entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    ]


def _day(entry: Entry) -> date | None:
    resource = entry.resource
    return day_stated(resource.get("authored") or effective(resource))


def _has_code(resource: Json, system: str) -> bool:
    return code_of(resource, system) is not None


def _once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Of readings of the same thing the last one; what may be said several times, each time."""
    seen = set()
    for entry in sorted(entries, key=lambda e: str(effective(e.resource) or ""), reverse=True):
        code = code_of(entry.resource) or ""
        item, kind = items_by_code().get(code), (code, side_of(entry.resource))
        if kind not in seen or (item is not None and item.repeats):
            yield entry
        seen.add(kind)


def _is_unsaid(said: Statements, entry: Entry) -> bool:
    code = code_of(entry.resource)
    return not _has_code(entry.resource, MEASURES) and code not in {i.code for i in said.values}
