"""Codes: systems of our own, and those of LOINC and SNOMED CT where they have one.

Our own systems are named by URNs: they need no address on the internet. `screening_items` says what
has a code. A code of LOINC or SNOMED CT stands here only where it means the same thing: LOINC's
41345-0 and its kin are a range of the knee, not the tests of this schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kneerisk import __version__
from kneerisk.evidence import red_flags
from kneerisk.fhir.screening_items import NONE_APPLIES, Item, items_by_code
from kneerisk.fhir.ucum import UCUM, ucum_of
from kneerisk.schema import SIDES, Category, Quantity, Side, fingerprint
from kneerisk.schema.own_measures import per_schema
from kneerisk.words import section, text, variant

Json = dict[str, Any]

#: How every address of ours begins.
URN = "urn:kneerisk:fhir"
MEASURES = f"{URN}:CodeSystem:measures"
LEGS = f"{URN}:CodeSystem:legs"
OUTCOMES = f"{URN}:CodeSystem:outcomes"
BANDS = f"{URN}:CodeSystem:risk-bands"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
#: Measures that LOINC has a code for.
LOINC_CODES: Mapping[str, str] = {"mass_kg": "29463-7", "height_cm": "8302-2"}
#: SNOMED CT: structure of the left and of the right knee region, and pain of a knee.
SNOMED_KNEES: Mapping[Side, str] = {"left": "82169009", "right": "6757004"}
SNOMED_KNEE_PAIN = "30989003"


def choices_system(code: str) -> str:
    """The system of a category's choices."""
    return f"{URN}:CodeSystem:choices-{code.replace('_', '-')}"


def measure_code(code: str) -> Json:
    """A measure as a CodeableConcept, with LOINC's code beside ours where it has one."""
    label = items_by_code()[code].measure.label
    codings = [{"system": MEASURES, "code": code, "display": label}]
    if code in LOINC_CODES:
        codings.append({"system": LOINC, "code": LOINC_CODES[code]})
    return {"coding": codings, "text": label}


def choice_coding(item: Item, choice: str) -> Json:
    """One choice of a category as a Coding."""
    return {
        "system": choices_system(item.code),
        "code": choice,
        "display": choice_label(item.code, choice),
    }


def knee_site(side: Side) -> Json:
    """A leg as the body site of an Observation."""
    label = variant("shared.leg_title", side)
    ours = {"system": LEGS, "code": side, "display": label}
    return {"coding": [ours, {"system": SNOMED, "code": SNOMED_KNEES[side]}], "text": label}


def choice_label(code: str, choice: str) -> str:
    """A choice in words."""
    if code == "red_flags" and choice != NONE_APPLIES:
        return red_flags()[choice].question
    if choice == NONE_APPLIES:
        return text("fhir.none_applies")
    words = section("page")["equipment"]["name"] if code == "equipment" else section("page")
    labels = words if code == "equipment" else words["choice"]
    plain = choice.replace("_", " ")
    return str(labels.get(choice, plain[:1].upper() + plain[1:]))


@per_schema
def code_systems() -> tuple[Json, ...]:
    """Our own code systems: measures, legs, the choices of each category, outcomes, bands."""
    items = items_by_code()
    legs = [{"code": side, "display": variant("shared.leg_title", side)} for side in SIDES]
    bands = section("page")["band"]
    return (
        _code_system(MEASURES, text("fhir.title.measures"), _measure_concepts(), _PROPERTIES),
        _code_system(LEGS, text("fhir.title.legs"), legs),
        *(
            _code_system(choices_system(code), item.measure.label, list(_choice_concepts(item)))
            for code, item in items.items()
            if isinstance(item.measure, Category)
        ),
        _code_system(OUTCOMES, text("fhir.title.outcomes"), list(_outcome_concepts())),
        _code_system(
            BANDS,
            text("fhir.title.bands"),
            [{"code": band, "display": str(words)} for band, words in bands.items()],
        ),
    )


_PROPERTIES = [
    {"code": "unit", "type": "string", "description": UCUM},
    {"code": "low", "type": "decimal"},
    {"code": "high", "type": "decimal"},
    {"code": "of-each-leg", "type": "boolean"},
    {"code": "loinc", "type": "Coding", "description": LOINC},
]


def _code_system(
    url: str, title: str, concepts: list[Json], properties: list[Json] | None = None
) -> Json:
    name = url.rpartition(":")[2]
    return {
        "resourceType": "CodeSystem",
        "id": name,
        "url": url,
        "version": f"{__version__}-{fingerprint()}",
        "name": "Kneerisk" + "".join(part.title() for part in name.split("-")),
        "title": title,
        "status": "active",
        "experimental": False,
        "publisher": "kneerisk",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        **({"property": properties} if properties else {}),
        "concept": concepts,
    }


def _measure_concepts() -> list[Json]:
    return [
        {
            "code": code,
            "display": item.measure.label,
            "definition": item.measure.protocol,
            "property": list(_properties(item)),
        }
        for code, item in items_by_code().items()
    ]


def _properties(item: Item) -> Iterator[Json]:
    yield {"code": "of-each-leg", "valueBoolean": item.side is not None}
    if isinstance(item.measure, Quantity):
        yield {"code": "unit", "valueString": ucum_of(item.measure)}
        yield {"code": "low", "valueDecimal": item.measure.low}
        yield {"code": "high", "valueDecimal": item.measure.high}
    if item.code in LOINC_CODES:
        yield {"code": "loinc", "valueCoding": {"system": LOINC, "code": LOINC_CODES[item.code]}}


def _choice_concepts(item: Item) -> Iterator[Json]:
    for choice in item.choices:
        yield {"code": choice, "display": choice_label(item.code, choice)}


def _outcome_concepts() -> Iterator[Json]:
    for kind in section("fhir")["outcome"]:
        for knee in ("right", "left", "either"):
            yield {"code": outcome_code(kind, knee), "display": outcome_label(kind, knee)}


def outcome_code(kind: str, knee: str) -> str:
    """The code of an outcome of a knee, such as ``new-pain-left-knee``."""
    return f"{kind.replace('_', '-')}-{knee}-knee"


def outcome_label(kind: str, knee: str) -> str:
    """An outcome of a knee in words."""
    words = variant("shared.knee", knee)
    return variant(
        "fhir.outcome", kind if kind in section("fhir")["outcome"] else "other", knee=words
    )
