"""The FHIR side of a running service: its addresses, errors, feedback, CORS, and that it is off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from club_keys import ClubKeys, bearer, new_records
from fhir.resources.R4B.bundle import Bundle as FhirBundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.riskassessment import RiskAssessment
from fhir_bodies import bundle, response
from served import ONE_WORKER, Served, served

from kneerisk.records.audit import audit_lines
from kneerisk.records.database import Database
from kneerisk.schema import read_screening
from serving import __main__ as starter
from serving.fhir_examples import BUNDLE, FEEDBACK, PATIENT_VIEW
from serving.fhir_routes import FHIR_ROUTES
from serving.openapi import openapi_document
from serving.problem import SECURITY_HEADERS
from serving.request_examples import EXAMPLE
from serving.routes import ROUTES, served_routes

FHIR_JSON = "application/fhir+json"
SITE = "https://ehr.example"


class TestTable:
    def test_it_is_off_unless_it_was_switched_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KNEERISK_FHIR", raising=False)
        assert served_routes() == ROUTES
        monkeypatch.setenv("KNEERISK_FHIR", "yes")
        assert served_routes() == {**ROUTES, **FHIR_ROUTES}
        assert not ROUTES.keys() & FHIR_ROUTES.keys()

    def test_another_word_than_yes_or_no_does_not_start(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("KNEERISK_FHIR", "true")
        assert starter.main([]) == 1
        assert "KNEERISK_FHIR must be yes or no" in capsys.readouterr().err

    def test_every_row_is_whole_and_has_its_kind_of_errors(self) -> None:
        for path, route in FHIR_ROUTES.items():
            takes_body = route.method == "POST"
            assert takes_body == (route.body is not None) == (route.max_body_bytes > 0)
            assert bool(route.examples) == takes_body
            assert (route.errors.media_type == FHIR_JSON) == path.startswith("/fhir/")

    def test_they_are_described(self) -> None:
        document = openapi_document({**ROUTES, **FHIR_ROUTES})
        told = document["paths"]["/fhir/RiskAssessment"]["post"]
        assert set(told["requestBody"]["content"]) == {FHIR_JSON}
        assert set(told["responses"]["422"]["content"]) == {FHIR_JSON}
        card = document["paths"]["/cds-services/kneerisk"]["post"]
        assert "412" in card["responses"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> ClubKeys:
    return new_records(str(tmp_path_factory.mktemp("records") / "club.sqlite"))


@pytest.fixture(scope="module")
def service(
    champion_models: Any, keys: ClubKeys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fhir")
    command = (*ONE_WORKER, "--fhir", "--allow-origin", SITE)
    command += ("--models", str(champion_models))
    with served(folder, *command, KNEERISK_RECORDS=keys.address) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@pytest.mark.slow
class TestService:
    def test_a_screening_in_either_form_gets_what_predict_answers(self, service: Served) -> None:
        risk = service.post("/v1/predict", EXAMPLE).json()["risk"]
        screening = read_screening(EXAMPLE)
        for body in (bundle(screening), response(screening)):
            answer = service.post("/fhir/RiskAssessment", body)
            assert (answer.status_code, answer.headers["content-type"]) == (200, FHIR_JSON)
            told = answer.json()
            RiskAssessment.model_validate_json(answer.content)
            assert [p["probabilityDecimal"] for p in told["prediction"]] == [
                round(risk[knee]["probability"], 3) for knee in ("right", "left")
            ]

    def test_its_examples_are_answered(self, service: Served) -> None:
        for path, route in FHIR_ROUTES.items():
            for example in route.examples.values():
                assert service.post(path, example).status_code == 200, path

    def test_what_it_describes_is_fhir(self, service: Served) -> None:
        for path, model in (("metadata", CapabilityStatement), ("Questionnaire", Questionnaire),
                            ("CodeSystem", FhirBundle)):  # fmt: skip
            answer = service.get(f"/fhir/{path}")
            assert answer.headers["content-type"] == FHIR_JSON
            model.model_validate_json(answer.content)
        [listed] = service.get("/cds-services").json()["services"]
        assert f"/cds-services/{listed['id']}" in FHIR_ROUTES

    def test_every_error_is_an_operation_outcome_with_every_fault(self, service: Served) -> None:
        faulty = json.loads(json.dumps(BUNDLE))
        del faulty["entry"][0]
        faulty["entry"][1]["resource"]["valueQuantity"]["value"] = 900
        for answer, status, count in (
            (service.post("/fhir/RiskAssessment", faulty), 422, 3),
            (service.post("/fhir/RiskAssessment", "{"), 400, 1),
            (service.post("/fhir/RiskAssessment", " " * 1_000_001), 413, 1),
            (
                service.post("/fhir/RiskAssessment", '{"resourceType": 1, "resourceType": 2}'),
                400,
                1,
            ),
            (service.get("/fhir/RiskAssessment"), 405, 1),
            (service.get("/fhir/Patient"), 404, 1),
        ):
            assert (answer.status_code, answer.headers["content-type"]) == (status, FHIR_JSON)
            told = answer.json()
            OperationOutcome.model_validate(told)
            assert len(told["issue"]) == count
            assert answer.headers["x-request-id"] in told["issue"][0]["diagnostics"]
            assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
        assert service.get("/v1/nothing").headers["content-type"] == "application/problem+json"

    def test_a_chart_gets_a_card_none_or_a_problem(self, service: Served) -> None:
        path = "/cds-services/kneerisk"
        [card] = service.post(path, PATIENT_VIEW).json()["cards"]
        RiskAssessment.model_validate(card["suggestions"][0]["actions"][0]["resource"])
        person = {"patient": PATIENT_VIEW["prefetch"]["patient"], "observations": None}
        assert service.post(path, PATIENT_VIEW | {"prefetch": person}).json() == {"cards": []}
        without = service.post(path, {k: v for k, v in PATIENT_VIEW.items() if k != "prefetch"})
        assert (without.status_code, without.json()["code"]) == (412, "prefetch_missing")
        wrong = service.post(path, PATIENT_VIEW | {"hook": "order-sign", "hookInstance": "1"})
        pointers = {fault["pointer"] for fault in wrong.json()["faults"]}
        assert (wrong.status_code, pointers) == (422, {"/hook", "/hookInstance"})

    def test_feedback_is_kept_with_a_clubs_key_and_only_then(
        self, service: Served, keys: ClubKeys
    ) -> None:
        path = "/cds-services/kneerisk/feedback"
        card = FEEDBACK["feedback"][0]["card"]
        assert service.post(path, FEEDBACK).json() == {"kept": False}
        assert self.noted(keys, card) == []
        overridden = {"feedback": [{"card": card.upper(), "outcome": "overridden"}]}
        assert service.post(path, overridden, headers=bearer(keys.write)).json() == {"kept": True}
        assert self.noted(keys, card) == [("cds_card_overridden", keys.write[3:15])]
        for key, code in ((keys.read, "role_needed"), (keys.revoked, "key_ended")):
            refused = service.post(path, FEEDBACK, headers=bearer(key))
            assert refused.json()["code"] == code
        assert len(self.noted(keys, card)) == 1

    @staticmethod
    def noted(keys: ClubKeys, card: str) -> list[tuple[str, str]]:
        database = Database(keys.address)
        lines = audit_lines(database)
        database.close()
        return [(line.action, line.actor) for line in lines if line.subject == card]

    def test_pages_of_a_stated_site_may_call_and_read_errors(self, service: Served) -> None:
        wrong = service.post("/fhir/RiskAssessment", "{", headers={"origin": SITE})
        assert wrong.headers["access-control-allow-origin"] == SITE
        assert "x-request-id" in wrong.headers["access-control-expose-headers"]
        foreign = service.post("/fhir/RiskAssessment", BUNDLE, headers={"origin": "https://x.y"})
        assert foreign.status_code == 403
        assert "access-control-allow-origin" not in foreign.headers

    @pytest.mark.parametrize(
        ("origin", "method", "status", "code"),
        [(SITE, "POST", 200, ""), ("https://evil.example", "POST", 403, "foreign_origin"),
         (SITE, "DELETE", 400, "bad_header")],
    )  # fmt: skip
    def test_a_preflight_has_our_headers_and_problems(
        self, service: Served, origin: str, method: str, status: int, code: str
    ) -> None:
        asked = {"origin": origin, "access-control-request-method": method}
        answer = httpx.options(f"{service.url}/fhir/RiskAssessment", headers=asked)
        assert answer.status_code == status
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
        assert answer.headers["x-request-id"]
        if code:
            assert answer.json()["code"] == code
            assert answer.headers["content-type"] == "application/problem+json"
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed in {None, SITE}

    def test_the_log_names_nobody(self, service: Served) -> None:
        named = PATIENT_VIEW | {"context": {"userId": "u", "patientId": "zq190437"}}
        token = {"access_token": "zq190437", "token_type": "Bearer", "scope": "patient/*.read"}
        answer = service.post("/cds-services/kneerisk", named | {"fhirAuthorization": token})
        assert "zq190437" not in answer.text.replace("/prefetch", "")
        service.post("/fhir/RiskAssessment?who=zq190437", {"zq190437": 1})
        assert "zq190437" not in service.log()
        assert "Traceback" not in service.log()
