"""FHIR: a screening through resources and back, faults at their elements, answers as resources."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle as FhirBundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.riskassessment import RiskAssessment
from fhir_bodies import PATIENT, SYSTEM, UCUM, bundle, observation, response
from http_mutations import _places
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import bodies

from kneerisk.answer import answer
from kneerisk.cohort.sheets.lexicon.units import OTHER_UNITS
from kneerisk.errors import Fault, ScreeningRefused
from kneerisk.fhir.capability_statement import capability_statement
from kneerisk.fhir.cds_cards import cards
from kneerisk.fhir.cds_requests import PatientView, PrefetchMissing, discovery, newest_screening
from kneerisk.fhir.operation_outcome import fhir_path, operation_outcome
from kneerisk.fhir.questionnaire import questionnaire
from kneerisk.fhir.resource_body import FhirScreening, received_from
from kneerisk.fhir.risk_assessment import INTERVAL, UNIT, risk_assessment
from kneerisk.fhir.screening_items import items
from kneerisk.fhir.statements import Received, Statements
from kneerisk.fhir.terminology import code_systems
from kneerisk.fhir.ucum import in_own_unit, ucum_codes
from kneerisk.model import Bundle
from kneerisk.schema import Category, Quantity, Screening, quantity, read_screening
from kneerisk.schema.declared_measure import UNITS
from kneerisk.schema.measures_file import own_measures
from kneerisk.schema.screening import EQUIPMENT
from serving.fhir_examples import PATIENT_VIEW
from serving.fhir_routes import FHIR_ROUTES
from serving.request_examples import EXAMPLE

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
AGE_AND_SEX = [observation("age_years", 27), observation("sex", "female", 1)]


def received(resource: dict[str, Any]) -> Received:
    return received_from(FhirScreening.model_validate(resource))


def of(*resources: dict[str, Any]) -> dict[str, Any]:
    """A Bundle of resources."""
    return {"resourceType": "Bundle", "type": "collection",
            "entry": [{"resource": resource} for resource in resources]}  # fmt: skip


def faults(resource: dict[str, Any]) -> list[Fault]:
    with pytest.raises(ScreeningRefused) as refused:
        received(resource)
    return refused.value.faults


def codes(resource: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in faults(resource)]


@st.composite
def whole_screenings(draw: st.DrawFn) -> Screening:
    """Valid screenings, with the club's count and the equipment at hand too."""
    body = draw(bodies())
    if draw(st.booleans()):
        body["setting"] = {"knee_pain_per_100": draw(st.floats(0, 100)),
                           "of": draw(st.integers(1, 100_000))}  # fmt: skip
    equipment = draw(st.lists(st.sampled_from(EQUIPMENT), unique=True))
    return Screening.model_validate(body | ({"equipment": equipment} if equipment else {}))


class TestThereAndBack:
    @given(whole_screenings())
    def test_a_bundle_of_observations_is_the_same_screening(self, screening: Screening) -> None:
        sent = json.loads(json.dumps(bundle(screening)))
        assert received(sent).screening == screening

    @given(whole_screenings())
    def test_a_questionnaire_response_is_the_same_screening(self, screening: Screening) -> None:
        sent = json.loads(json.dumps(response(screening)))
        assert received(sent).screening == screening

    def test_what_the_tests_send_is_fhir(self) -> None:
        screening = read_screening(EXAMPLE)
        FhirBundle.model_validate(bundle(screening))
        QuestionnaireResponse.model_validate(response(screening))

    def test_a_clubs_own_measure_is_in_both(self) -> None:
        own = own_measures({"hop_distance_cm": {
            "label": "Single hop", "of": "leg", "source": "the club", "unit": "cm", "low": 20,
            "high": 300, "mean": 150, "sd": 25, "model_input": False}}, "test")  # fmt: skip
        with own.in_force():
            asked = {item.link_id for item in items()}
            assert {"left_hop_distance_cm", "right_hop_distance_cm"} <= asked
            hop = observation("hop_distance_cm", 1.4)
            hop["bodySite"] = {"coding": [{"system": f"{SYSTEM}legs", "code": "right"}]}
            hop["valueQuantity"] = {"value": 1.4, "system": UCUM, "code": "m"}
            found = received(of(*AGE_AND_SEX, hop)).screening
            assert found.right.hop_distance_cm == 140.0  # type: ignore[attr-defined]
        assert "left_hop_distance_cm" not in {item.link_id for item in items()}


class TestObservations:
    def test_a_patient_gives_sex_age_and_whom_it_is_about(self) -> None:
        patient = {"resourceType": "Patient", "id": "p9", "gender": "other",
                   "birthDate": "1999-03-02", "name": [{"family": "Secret"}]}  # fmt: skip
        drop = observation("left_hip_drop_deg", 9) | {"subject": None}
        found = received(of(drop, patient))
        assert found.screening.athlete.sex == "unspecified"
        assert found.screening.athlete.age_years == 26
        assert found.subject == {"reference": "Patient/p9"}
        assert found.day == date(2026, 3, 1)
        assert "Secret" not in repr(found)
        # What was observed goes before what the record of the patient says.
        assert received(of(*AGE_AND_SEX, patient | {"id": "p1"})).screening.athlete.age_years == 27
        assert codes(of(*AGE_AND_SEX, patient)) == [("/entry/2/resource/id", "another_athlete")]

    def test_a_knee_of_snomed_is_a_leg(self) -> None:
        drop = observation("left_hip_drop_deg", 9)
        for code, side in (("82169009", "left"), ("6757004", "right")):
            drop["bodySite"] = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
            assert received(of(*AGE_AND_SEX, drop)).screening.leg(side).hip_drop_deg == 9  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("value", "code", "mass_kg"),
        [
            (71, "kg", 71.0),
            (71_000, "g", 71.0),
            (154.3, "[lb_av]", 154.3 * 0.45359237),
            (11, "[stone_av]", 69.853225),
        ],
    )
    def test_body_weight_of_loinc_in_other_units(
        self, value: float, code: str, mass_kg: float
    ) -> None:
        weight = observation("mass_kg", 71) | {
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "valueQuantity": {"value": value, "system": UCUM, "code": code},
        }
        found = received(of(*AGE_AND_SEX, weight)).screening.athlete.mass_kg
        assert found == pytest.approx(mass_kg, rel=1e-9)

    def test_one_as_vital_signs_are_written_is_read(self) -> None:
        """In the shape of the specification's body weight: several codes, a category, a text."""
        weight = {
            "resourceType": "Observation", "id": "body-weight",
            "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},
            "text": {"status": "generated", "div": "<div>185 pounds</div>"}, "status": "final",
            "category": [{"coding": [{"code": "vital-signs", "display": "Vital Signs"}]}],
            "code": {"coding": [
                {"system": "http://snomed.info/sct", "code": "27113001"},
                {"system": "http://loinc.org", "code": "29463-7", "display": "Body Weight"},
                {"system": "http://acme.example/devices", "code": "body-weight"}]},
            "subject": {"reference": PATIENT, "display": "A Person"},
            "encounter": {"reference": "Encounter/1"}, "effectiveDateTime": "2026-02-28",
            "valueQuantity": {"value": 185, "unit": "lbs", "system": UCUM, "code": "[lb_av]"},
        }  # fmt: skip
        found = received(of(*AGE_AND_SEX, weight))
        assert found.screening.athlete.mass_kg == pytest.approx(185 * 0.45359237)
        assert found.basis[-1] == {"reference": "Observation/body-weight", "display": "Body mass"}

    def test_what_was_not_done_is_left_out(self) -> None:
        drop = observation("left_hip_drop_deg", 9)
        del drop["valueQuantity"]
        absent = drop | {"dataAbsentReason": {"text": "not performed"}}
        assert received(of(*AGE_AND_SEX, absent)).screening.left.hip_drop_deg is None

    def test_every_fault_is_at_its_element(self) -> None:
        drop = observation("left_hip_drop_deg", 9)
        broken = [
            observation("left_hip_drop_deg", 99),
            drop | {"valueQuantity": {"value": 9, "system": UCUM, "code": "kg"}},
            drop | {"valueQuantity": {"value": 9, "unit": "deg"}},
            drop | {"valueQuantity": {"value": 9, "comparator": "<", "system": UCUM}},
            drop | {"bodySite": {"text": "left"}},
            drop | {"status": "entered-in-error"},
            drop | {"code": {"coding": [{"system": f"{SYSTEM}measures", "code": "stride"}]}},
            drop | {"code": {"text": "hip drop"}},
            drop | {"subject": {"reference": "Patient/other"}, "valueQuantity": {}},
            observation("left_prior_knee_injury", "often"),
            observation("left_fppa_deg", 7) | {"effectiveDateTime": "2999-01-01"},
            {"resourceType": "Condition"},
        ]
        at = "/entry/{}/resource/".format
        assert set(codes(of(*AGE_AND_SEX, *broken))) == {
            (at(2) + "valueQuantity/value", "outside_limits"),
            (at(3) + "valueQuantity/code", "unknown_unit"),
            (at(4) + "valueQuantity/code", "no_unit"),
            (at(5) + "valueQuantity/comparator", "not_a_number"),
            (at(6) + "bodySite", "missing"),
            (at(7) + "status", "not_a_result"),
            (at(8) + "code", "unknown_name"),
            (at(9) + "code", "unknown_name"),
            (at(10) + "subject/reference", "another_athlete"),
            (at(10) + "valueQuantity/value", "not_a_number"),
            (at(11) + "valueCodeableConcept", "unknown_choice"),
            (at(12) + "effectiveDateTime", "still_to_come"),
            (at(13) + "resourceType", "unknown_name"),
            ("", "protocol_needed"),
        }

    def test_two_values_of_one_thing_are_refused(self) -> None:
        drop = observation("left_hip_drop_deg", 9)
        told = [("/entry/3/resource/valueQuantity/value", "told_twice")]
        assert codes(of(*AGE_AND_SEX, drop, drop)) == told

    def test_what_is_missing_is_named(self) -> None:
        [sex, subject] = faults(of(AGE_AND_SEX[0] | {"subject": None}))
        assert (sex.pointer, sex.code, subject.pointer) == ("", "missing", "/subject")
        assert sex.message.startswith("sex ")
        assert codes({"resourceType": "Bundle", "entry": {}})[0] == ("/entry", "not_a_list")

    def test_none_of_the_red_flags_and_one_of_them_is_refused(self) -> None:
        flags = [observation("red_flags", flag) for flag in ("none_applies", "effusion")]
        assert [code for _, code in codes(of(*AGE_AND_SEX, *flags))] == ["told_twice"]


class TestQuestionnaireResponse:
    def test_answers_in_groups_with_quantities_are_read(self) -> None:
        screening = read_screening(EXAMPLE)
        flat = response(screening)
        weight = {"value": 140, "system": UCUM, "code": "[lb_av]"}
        mass = {"linkId": "mass_kg", "answer": [{"valueQuantity": weight}]}
        helped = {"linkId": "group_athlete", "item": [mass, {"linkId": "mass_kg.protocol"}]}
        grouped = flat | {"item": [{"linkId": "group_left", "item": flat["item"]}, helped]}
        found = received(grouped).screening
        assert found.athlete.mass_kg == pytest.approx(63.5029318)
        assert found.left == screening.left

    def test_every_fault_is_at_its_element(self) -> None:
        sent = response(read_screening(EXAMPLE))
        sent["item"][0]["answer"][0] = {"valueDecimal": 270}
        front = {"linkId": "left_pain_site", "answer": [{"valueString": "front"}]}
        group = {"linkId": "group_left", "answer": [1]}
        sent["item"] += [{"linkId": "shoe", "answer": []}, group, front]
        last = len(sent["item"])
        assert codes(sent) == [
            (f"/item/{last - 3}/linkId", "unknown_name"),
            (f"/item/{last - 2}/linkId", "unknown_name"),
            (f"/item/{last - 1}/answer/0/valueCodeableConcept", "missing"),
            ("/item/0/answer/0/valueDecimal", "outside_limits"),
        ]

    @pytest.mark.parametrize(
        ("change", "code"),
        [({"status": "entered-in-error"}, "not_a_result"), ({"questionnaire": "x"}, "unknown_name"),
         ({"authored": "yesterday"}, "not_a_date"), ({"subject": {}}, "missing")],
    )  # fmt: skip
    def test_one_that_can_t_be_used_is_refused(self, change: dict[str, Any], code: str) -> None:
        sent = response(read_screening(EXAMPLE)) | change
        assert {fault.code for fault in faults(sent)} == {code}

    def test_what_was_refused_is_not_called_missing_too(self) -> None:
        sent = response(read_screening(EXAMPLE))
        [place] = [n for n, item in enumerate(sent["item"]) if item["linkId"] == "sex"]
        sent["item"][place]["answer"] = [{"valueString": "female"}]
        assert codes(sent) == [(f"/item/{place}/answer/0/valueCodeableConcept", "missing")]


class TestDescriptions:
    def test_the_questionnaire_is_fhir_and_asks_everything_once(self) -> None:
        Questionnaire.model_validate(questionnaire())
        asked = [q for group in questionnaire()["item"] for q in group["item"]]
        assert [q["linkId"] for q in asked] == [item.link_id for item in items()]
        assert {q["linkId"] for q in asked if q.get("required")} == {"age_years", "sex"}

    def test_its_types_limits_and_units_are_the_schemas(self) -> None:
        asked = {q["linkId"]: q for group in questionnaire()["item"] for q in group["item"]}
        for item in items():
            question = asked[item.link_id]
            if isinstance(item.measure, Category):
                options = [o["valueCoding"]["code"] for o in question["answerOption"]]
                assert (question["type"], options) == ("choice", list(item.measure.choices))
                continue
            measure = item.measure
            assert isinstance(measure, Quantity)
            kind, value = (
                ("integer", "valueInteger") if measure.whole else ("decimal", "valueDecimal")
            )
            low, high, unit = question["extension"]
            assert (question["type"], low[value], high[value]) == (kind, measure.low, measure.high)
            assert unit["valueCoding"]["code"] == ucum_codes()[measure.unit]

    def test_code_systems_are_fhir_and_have_no_code_twice(self) -> None:
        urls = [system["url"] for system in code_systems()]
        assert len(set(urls)) == len(urls)
        for system in code_systems():
            CodeSystem.model_validate(system)
            found = [concept["code"] for concept in system["concept"]]
            assert len(set(found)) == len(found) == system["count"]

    def test_the_capability_statement_is_fhir(self) -> None:
        CapabilityStatement.model_validate(capability_statement(NOW.date()))


#: What the codes here need of UCUM's grammar: units, exponents, annotations, one over another.
UNITS_OF_UCUM = (
    "1", "%", "[in_i]", "[ft_i]", "[mi_i]", "[lb_av]", "[lbf_av]", "[stone_av]", "m", "cm", "mm",
    "km", "g", "kg", "kgf", "N", "W", "deg", "rad", "a", "mo", "wk", "d", "h", "min", "s", "ms",
    "mL",
)  # fmt: skip
COMPONENT = rf"({'|'.join(map(re.escape, UNITS_OF_UCUM))})[23]?({{[a-z_0-9]+}})?|{{[a-z_0-9]+}}"
TERM = re.compile(rf"({COMPONENT})([./]({COMPONENT}))*")


class TestUnits:
    def test_every_unit_of_schema_club_and_device_has_a_code(self) -> None:
        units = {m.unit for item in items() if isinstance(m := item.measure, Quantity)}
        units |= {*UNITS, *OTHER_UNITS, *(other for all_ in OTHER_UNITS.values() for other in all_)}
        assert units <= ucum_codes().keys()
        for code in ucum_codes().values():
            assert TERM.fullmatch(code), code
        assert len(set(ucum_codes().values())) == len(ucum_codes())

    @pytest.mark.parametrize(
        ("name", "value", "code", "own"),
        [("wblt_distance_cm", 4, "[in_i]", 10.16), ("run_speed_mps", 9, "km/h", 2.5),
         ("hamstring_quad_ratio", 60, "%", 0.6), ("weekly_run_km", 10, "[mi_i]", 16.09344),
         ("hip_drop_deg", 0.1, "rad", 5.729577951), ("pain_weeks", 21, "d", 3.0),
         ("step_rate_spm", 170, "/min", 170), ("hip_abduction_pct_bw", 3.5, "N/kg", 350 / 9.80665)],
    )  # fmt: skip
    def test_conversions_agree_with_the_definitions(
        self, name: str, value: float, code: str, own: float
    ) -> None:
        assert in_own_unit(quantity(name), value, code) == pytest.approx(own, rel=1e-9)


@pytest.fixture(scope="module")
def assessed(released: Bundle) -> dict[str, Any]:
    came = received(bundle(read_screening(EXAMPLE)))
    return risk_assessment(answer(released, came.screening), came, NOW)


class TestRiskAssessment:
    def test_it_is_fhir(self, assessed: dict[str, Any]) -> None:
        RiskAssessment.model_validate_json(json.dumps(assessed))

    def test_it_has_the_answers_numbers_one_prediction_a_knee(
        self, assessed: dict[str, Any], released: Bundle
    ) -> None:
        risk = answer(released, read_screening(EXAMPLE)).risk
        assert [p["outcome"]["coding"][0]["code"] for p in assessed["prediction"]] == [
            "new-pain-right-knee", "new-pain-left-knee"
        ]  # fmt: skip
        for told, knee in zip(assessed["prediction"], (risk.right, risk.left), strict=True):
            assert knee is not None
            extensions = {extension["url"]: extension for extension in told["extension"]}
            assert extensions[UNIT]["valueCoding"] == {"system": UCUM, "code": "1"}
            level, interval = extensions[INTERVAL]["extension"]
            bounds = [interval["valueRange"][end]["value"] for end in ("low", "high")]
            assert level["valueDecimal"] == 0.9
            assert bounds == [round(bound, 3) for bound in knee.interval]
            assert told["probabilityDecimal"] == round(knee.probability, 3)
            assert bounds[0] <= told["probabilityDecimal"] <= bounds[1] <= 1
            assert "fraction" in told["rationale"]
            assert f"{knee.per_100} of 100" in told["rationale"]
            assert told["whenPeriod"] == {"start": "2026-03-01", "end": "2027-03-01"}

    def test_it_names_its_origin_and_what_it_is_not(self, assessed: dict[str, Any]) -> None:
        assert assessed["subject"] == {"reference": PATIENT}
        assert {b["reference"] for b in assessed["basis"]} == {
            f"Observation/o{i}" for i in range(22)
        }
        assert "Not a medical device" in assessed["note"][-1]["text"]

    def test_without_a_risk_there_is_no_prediction_and_a_reason(self, released: Bundle) -> None:
        screening = read_screening(EXAMPLE | {"red_flags": ["hot_red_swollen_joint"]})
        came = received(bundle(screening))
        told = risk_assessment(answer(released, came.screening), came, NOW)
        RiskAssessment.model_validate_json(json.dumps(told))
        assert "prediction" not in told
        assert len(told["note"]) > 1


class TestOperationOutcome:
    def test_every_fault_is_an_issue_with_its_element(self) -> None:
        found = faults(of(*AGE_AND_SEX, observation("left_hip_drop_deg", 99),
                          observation("left_fppa_deg", 9)))  # fmt: skip
        told = operation_outcome("invalid_body", "Title", "Detail", found, "r-1")
        OperationOutcome.model_validate(told)
        first, second = told["issue"]
        assert first["code"] == "value"
        assert first["expression"] == ["Bundle.entry[2].resource.value.ofType(Quantity).value"]
        assert (second["code"], "expression" in second) == ("invariant", False)
        assert "torque" not in second["details"]["text"]
        assert "r-1" in first["diagnostics"]

    def test_one_without_faults_is_one_issue(self) -> None:
        told = operation_outcome("not_found", "Title", "Detail", [], None)
        OperationOutcome.model_validate(told)
        assert told["issue"][0]["code"] == "not-found"

    @pytest.mark.parametrize(
        ("pointer", "path"),
        [("/item/0/answer/1/valueDecimal",
          "QuestionnaireResponse.item[0].answer[1].value.ofType(decimal)"),
         ("/entry/0/resource/effectiveDateTime",
          "Bundle.entry[0].resource.effective.ofType(dateTime)"),
         ("/entry/0/resource/a b", None)],
    )  # fmt: skip
    def test_a_pointer_as_fhir_path(self, pointer: str, path: str | None) -> None:
        assert fhir_path(pointer) == path


def chart(**prefetch: Any) -> PatientView:
    return PatientView.model_validate(PATIENT_VIEW | {"prefetch": prefetch})


def searched(*resources: dict[str, Any]) -> dict[str, Any]:
    return {**of(*resources), "type": "searchset"}


class TestCdsHooks:
    PERSON: ClassVar[dict[str, Any]] = PATIENT_VIEW["prefetch"]["patient"]

    def own(self, link_id: str, value: Any, day: str, **more: Any) -> dict[str, Any]:
        about = {"subject": {"reference": "https://ehr.example/fhir/Patient/example"}}
        return observation(link_id, value) | about | {"effectiveDateTime": day} | more

    def test_the_newest_day_is_the_screening_and_body_mass_may_be_older(self) -> None:
        weight = {"code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}}
        found = [
            self.own("left_hip_drop_deg", 4, "2026-02-01"),
            self.own("left_hip_drop_deg", 7, "2026-03-01T09:00:00Z"),
            self.own("left_hip_drop_deg", 8, "2026-03-01T10:00:00Z"),
            self.own("left_ober_adduction_deg", 20, "2026-02-01"),
            self.own("mass_kg", 61, "2026-01-05", **weight),
            self.own("mass_kg", 60, "2025-01-05", **weight),
            {"resourceType": "Observation", "code": {"text": "heart rate"}},
        ]
        stated = newest_screening(chart(patient=self.PERSON, observations=searched(*found)))
        assert stated is not None
        screening = stated.received().screening
        assert screening.left.hip_drop_deg == 8
        assert screening.left.ober_adduction_deg is None
        assert screening.athlete.mass_kg == 61
        assert stated.day == date(2026, 3, 1)

    def test_the_newer_of_response_and_observations_counts(self) -> None:
        answered = response(read_screening(EXAMPLE)) | {"subject": {"reference": "Patient/example"}}
        for day, drop in (("2026-02-27", 9), ("2026-03-05", 3)):
            observed = searched(self.own("left_hip_drop_deg", 3, day))
            sent = chart(patient=self.PERSON, screening=answered, observations=observed)
            stated = newest_screening(sent)
            assert stated is not None
            assert stated.received().screening.left.hip_drop_deg == drop

    def test_without_a_screening_there_is_none_and_without_resources_it_is_refused(self) -> None:
        sent = chart(patient=self.PERSON, screening=None, observations=searched())
        assert newest_screening(sent) is None
        for without in ({"patient": self.PERSON}, {"patient": None, "screening": None}, {}):
            with pytest.raises(PrefetchMissing):
                newest_screening(chart(**without))

    def test_another_patients_values_are_refused_at_their_place(self) -> None:
        other = observation("left_hip_drop_deg", 8)
        stated = newest_screening(chart(patient=self.PERSON, observations=searched(other)))
        assert stated is not None
        assert [fault.pointer for fault in stated.faults] == [
            "/prefetch/observations/entry/0/resource/subject/reference"
        ]

    def test_discovery_asks_for_what_is_read(self) -> None:
        [service] = discovery().model_dump()["services"]
        assert set(PATIENT_VIEW["prefetch"]) == set(service["prefetch"])
        assert "medical device" in service["description"]
        for template in service["prefetch"].values():
            assert "{{context.patientId}}" in template

    def test_a_card_has_the_numbers_the_notice_and_links(self, released: Bundle) -> None:
        came = received(bundle(read_screening(EXAMPLE)))
        told = answer(released, came.screening)
        [card] = cards(told, came, NOW).model_dump(exclude_none=True)["cards"]
        assert told.risk.left is not None
        assert told.risk.right is not None
        assert len(card["summary"]) < 140
        assert f"right {told.risk.right.per_100} of 100" in card["summary"]
        assert f"left {told.risk.left.per_100} of 100" in card["summary"]
        assert card["detail"].endswith(told.notice)
        assert "Not a medical device" in card["detail"]
        assert card["indicator"] == "info"
        assert all(link["url"].startswith("https://") for link in card["links"])
        assert keys_of(card) == CARD_KEYS
        assert card["selectionBehavior"] == "at-most-one"
        [suggestion] = card["suggestions"]
        [action] = suggestion["actions"]
        assert action["type"] == "create"
        RiskAssessment.model_validate_json(json.dumps(action["resource"]))
        for own_id in (card["uuid"], suggestion["uuid"]):
            UUID(own_id)

    @pytest.mark.parametrize(
        ("flag", "indicator"), [("loss_of_pulse_or_sensation", "critical"), ("effusion", "warning")]
    )
    def test_red_flags_come_first(self, flag: str, indicator: str, released: Bundle) -> None:
        flagged = EXAMPLE | {"red_flags": ["acute_injury_within_7_days", flag]}
        came = received(bundle(read_screening(flagged)))
        [card] = cards(answer(released, came.screening), came, NOW).cards
        assert card.indicator == indicator
        assert len(card.summary) < 140
        assert card.summary.startswith("Red flags")

    def test_where_little_was_measured_no_number_is_in_the_summary(self, released: Bundle) -> None:
        came = received(of(*AGE_AND_SEX))
        [card] = cards(answer(released, came.screening), came, NOW).cards
        assert "too little" in card.summary


#: What CDS Hooks 2.0 names in a card, as far as it is used here, the resource aside.
CARD_KEYS = {
    "uuid", "summary", "detail", "indicator", "source", "source.label", "suggestions",
    "suggestions.label", "suggestions.uuid", "suggestions.actions", "suggestions.actions.type",
    "suggestions.actions.description", "suggestions.actions.resource", "selectionBehavior",
    "overrideReasons", "overrideReasons.system", "overrideReasons.code", "overrideReasons.display",
    "links", "links.label", "links.url", "links.type",
}  # fmt: skip


def keys_of(part: Any, place: str = "") -> set[str]:
    """Every key of a card with where it stands; a resource is not looked into."""
    if isinstance(part, list):
        return set().union(*(keys_of(one, place) for one in part))
    if not isinstance(part, dict) or "resourceType" in part:
        return set()
    names = {f"{place}{key}" for key in part}
    return names.union(*(keys_of(value, f"{place}{key}.") for key, value in part.items()))


CANARY = "zq190437"


@pytest.mark.parametrize("number", range(300))
def test_a_body_that_was_changed_is_read_or_refused_and_never_repeated(number: int) -> None:
    """Changes of any element, from a number, so that a fault's number makes it again."""
    source = random.Random(number)
    make = source.choice([bundle, response])
    body: Any = json.loads(json.dumps(make(read_screening(EXAMPLE))))
    odd: Any = [None, True, -1, 1e400, "", CANARY, [], {}, [CANARY], {CANARY: CANARY}, [None], [[]]]
    for _ in range(source.randint(1, 6)):
        part, key = source.choice(_places(body))
        part[key] = deepcopy(source.choice(odd))
    prefetch = {"patient": body, "screening": body, "observations": body}
    tries: list[Callable[[], Received | Statements | None]] = [
        lambda: received(body),
        lambda: newest_screening(chart(**prefetch)),
    ]
    for attempt in tries:
        refused = refusal_of(attempt)
        assert CANARY not in repr(refused)
        if refused:
            told = operation_outcome("invalid_body", "Title", "Detail", refused, "r")
            OperationOutcome.model_validate(told)


def refusal_of(attempt: Callable[[], Received | Statements | None]) -> list[Fault]:
    """The faults that are told; none where it is read, or is no such body at all."""
    try:
        stated = attempt()
        if isinstance(stated, Statements):
            stated.received()
    except ScreeningRefused as refused:
        return refused.faults
    except (ValidationError, PrefetchMissing):
        pass
    return []


class TestDocument:
    PAGE = (Path(__file__).parents[1] / "docs/fhir.md").read_text("utf-8")

    def test_its_request_is_answered_as_it_shows(self, released: Bundle) -> None:
        request, shown = re.findall(r"^```json\n(.*?)^```$", self.PAGE, re.MULTILINE | re.DOTALL)
        came = received(json.loads(request))
        FhirBundle.model_validate_json(request)
        told = risk_assessment(answer(released, came.screening), came, NOW)
        # A shortened list or object has `...`, and so has a number or a text that is left out.
        whole = re.sub(r",?\s*\.\.\.(?=[\]}])", "", shown).replace('"..."', "null")
        assert unlike(json.loads(re.sub(r"\.\.\.", "null", whole)), told) == []
        assert round(came.screening.athlete.mass_kg or 0) == 61

    def test_its_addresses_are_all_of_them(self) -> None:
        named = re.findall(r"^\| `(?:GET|POST) (\S+)` \|", self.PAGE, re.MULTILINE)
        assert named == sorted(FHIR_ROUTES, key=named.index)


def unlike(shown: Any, told: Any, place: str = "") -> list[str]:
    """Where a shown answer, null for what it leaves out, differs from one that was given."""
    if isinstance(shown, dict):
        return [
            fault
            for key, part in shown.items()
            for fault in (unlike(part, told[key], f"{place}/{key}") if key in told else [key])
        ]
    if isinstance(shown, list):
        pairs = zip(shown, told, strict=False)
        return [f for n, pair in enumerate(pairs) for f in unlike(*pair, f"{place}/{n}")]
    return [] if shown in (None, told) else [place]
