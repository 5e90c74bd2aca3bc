"""A screening from a Bundle of Observations, one for each measure of each leg.

Age and sex may come from a Patient in the Bundle. Other resources are refused, and so is an
Observation of something that the schema does not know: nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from kneerisk.fhir.element_values import read_value
from kneerisk.fhir.questionnaire_response import read_response
from kneerisk.fhir.screening_items import Item, items_by_code_and_side, items_by_link_id
from kneerisk.fhir.statements import Place, Statements
from kneerisk.fhir.terminology import LEGS, LOINC, LOINC_CODES, MEASURES, SNOMED, SNOMED_KNEES
from kneerisk.schema import FaultCode, Side
from kneerisk.schema.calendar_day import day_of
from kneerisk.words import text

Json = dict[str, Any]


class Entry(NamedTuple):
    """A resource, where it stands in a body, and its address where it has one."""

    resource: Json
    place: Place
    url: str | None = None


#: Statuses of an Observation that has a result.
_WITH_RESULT = ("final", "amended", "corrected", "preliminary")
#: A Patient's administrative gender, as the schema has the sex.
_SEXES = {"male": "male", "female": "female", "other": "unspecified", "unknown": "unspecified"}


def read_bundle(bundle: Json) -> Statements:
    """What a Bundle states of a screening.

    Parameters
    ----------
    bundle
        The Bundle, of any type.

    Returns
    -------
    The statements, with every fault of the Bundle.
    """
    said = Statements()
    entries = bundle.get("entry", [])
    if isinstance(entries, list):
        read_resources(said, _resources(said, entries))
    else:
        said.fault(FaultCode.NOT_A_LIST, ("entry",), text("shared.fault.not_a_list"))
    return said


def _resources(said: Statements, entries: list[Any]) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        place: Place = ("entry", number, "resource")
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            url = entry.get("fullUrl")
            yield Entry(resource, place, url if isinstance(url, str) else None)
        else:
            said.fault(FaultCode.NOT_AN_OBJECT, place, text("shared.fault.not_an_object"))


def read_resources(said: Statements, entries: Iterable[Entry]) -> None:
    """Take what resources state; a Patient last, for what no other has stated.

    Parameters
    ----------
    said
        Takes the statements, and every fault.
    entries
        The resources.
    """
    patients: list[Entry] = []
    for entry in entries:
        resource, place, url = entry
        kind = resource.get("resourceType")
        if kind == "Observation":
            _read_observation(said, resource, place, url)
        elif kind == "QuestionnaireResponse":
            read_response(said, resource, place, url)
        elif kind == "Patient":
            patients.append(entry)
        else:
            said.fault(
                FaultCode.UNKNOWN_NAME, (*place, "resourceType"), text("fhir.fault.resource")
            )
    for patient in patients:
        _read_patient(said, *patient)


def _read_observation(said: Statements, observation: Json, place: Place, url: str | None) -> None:
    code = code_of(observation)
    if code is None:
        said.fault(
            FaultCode.UNKNOWN_NAME, (*place, "code"), text("fhir.fault.code", system=MEASURES)
        )
        return
    said.about(observation, place)
    said.dated(effective(observation), (*place, "effectiveDateTime"))
    if observation.get("status") not in _WITH_RESULT:
        said.fault(FaultCode.NOT_A_RESULT, (*place, "status"), text("fhir.fault.status"))
        return
    item = _item_of(said, code, observation, place)
    if item is None or "dataAbsentReason" in observation:
        return
    said.basis.append(_reference_to(observation, url, item.label))
    read_value(said, item, observation, place)


def _item_of(said: Statements, code: str, observation: Json, place: Place) -> Item | None:
    """What an Observation is of; None where it does not say the leg, or its code is unknown."""
    items = items_by_code_and_side()
    if (code, None) in items:
        return items[code, None]
    side = side_of(observation)
    if (code, "left") not in items:
        said.fault(
            FaultCode.UNKNOWN_NAME, (*place, "code"), text("fhir.fault.code", system=MEASURES)
        )
    elif side is None:
        said.fault(FaultCode.MISSING, (*place, "bodySite"), text("fhir.fault.side", system=LEGS))
    else:
        return items[code, side]
    return None


def _reference_to(resource: Json, url: str | None, label: str) -> Json:
    """A Reference to a resource: by its address, its id, or in words where it has neither."""
    kind, own_id = str(resource["resourceType"]), resource.get("id")
    if url is not None:
        return {"reference": url, "display": label}
    if isinstance(own_id, str):
        return {"reference": f"{kind}/{own_id}", "display": label}
    return {"type": kind, "display": label}


def code_of(observation: Json, system: str | None = None) -> str | None:
    """The name of the measure that an Observation is of.

    Parameters
    ----------
    observation
        The Observation.
    system
        Whose code it has to have, `MEASURES` or `LOINC`; None: either of them.

    Returns
    -------
    The name, which the schema may not know; None where it has no such code.
    """
    by_loinc = {loinc: code for code, loinc in LOINC_CODES.items()}
    for coding in _codings(observation.get("code")):
        code, of = coding.get("code"), coding.get("system")
        if not isinstance(code, str) or system not in (of, None):
            continue
        if of == MEASURES:
            return code
        if of == LOINC and code in by_loinc:
            return by_loinc[code]
    return None


def side_of(observation: Json) -> Side | None:
    """The leg that the body site names; None where it names none."""
    sides: dict[Any, Side] = {(LEGS, "left"): "left", (LEGS, "right"): "right"}
    sides |= {(SNOMED, code): side for side, code in SNOMED_KNEES.items()}
    for coding in _codings(observation.get("bodySite")):
        place = (coding.get("system"), coding.get("code"))
        if all(isinstance(part, str) for part in place) and place in sides:
            return sides[place]
    return None


def _codings(concept: Any) -> list[Json]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [c for c in codings if isinstance(c, dict)] if isinstance(codings, list) else []


def effective(observation: Json) -> Any:
    """When an Observation was made, as it states it."""
    period = observation.get("effectivePeriod")
    start = period.get("start") if isinstance(period, dict) else None
    return observation.get("effectiveDateTime", observation.get("effectiveInstant", start))


def _read_patient(said: Statements, patient: Json, place: Place, url: str | None) -> None:
    """Take sex and age of a Patient, where nothing else has stated them."""
    own_id = patient.get("id")
    names = [f"Patient/{own_id}"] if isinstance(own_id, str) else []
    said.patient([*names, *([url] if url else [])], (*place, "id"))
    sex, age = items_by_link_id()["sex"], items_by_link_id()["age_years"]
    gender = patient.get("gender")
    if sex not in said.values and gender is not None:
        known = _SEXES.get(gender) if isinstance(gender, str) else None
        if known is None:
            allowed = text("schema.allowed.one_of", choices=", ".join(_SEXES))
            message = text("shared.limits.must_be", allowed=allowed)
            said.fault(FaultCode.UNKNOWN_CHOICE, (*place, "gender"), message)
        else:
            said.state(sex, known, (*place, "gender"))
    born = patient.get("birthDate")
    if age not in said.values and born is not None:
        birth = day_of(born) if isinstance(born, str) else None
        if birth is None:
            said.fault(FaultCode.NOT_A_DATE, (*place, "birthDate"), text("fhir.fault.birth_date"))
        else:
            said.state(age, _years_between(birth, said.day), (*place, "birthDate"))


def _years_between(birth: date, day: date | None) -> int:
    """Whole years from birth to the screening, or to today where that has no day."""
    then = day or datetime.now(UTC).date()
    return then.year - birth.year - ((then.month, then.day) < (birth.month, birth.day))
