"""The service as a client meets it: a real server, asked over HTTP."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from club_keys import recording
from served import Served, served
from training_log_files import SCREENED, SESSIONS, garmin, strava

from kneerisk.answer import PARTS
from kneerisk.cohort.sheets.training_logs.log_answer import LogAsked
from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs
from kneerisk.model import champion, load, save
from kneerisk.schema import Screening
from serving.openapi import operation
from serving.page_files import FILES
from serving.request_examples import EXAMPLE, FOLLOW_UP, OUTCOMES, TABLE, WHAT_IF
from serving.routes import ROUTES
from serving.team_endpoint import MAX_SCREENINGS

pytestmark = pytest.mark.slow

PROBLEM = "application/problem+json"
#: As the service is configured.
WORKERS = 2
POSTS = tuple(path for path, route in ROUTES.items() if route.method == "POST")


@pytest.fixture(scope="module")
def service(champion_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("service")
    environment = recording(tmp_path_factory.mktemp("records"))
    with served(folder, KNEERISK_MODELS=str(champion_models), **environment) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of a refused request, checked for what every problem has."""
    told: dict[str, Any] = response.json()
    assert (response.status_code, told["status"], told["code"]) == (status, status, code)
    assert response.headers["content-type"] == PROBLEM
    assert told["type"].startswith("urn:kneerisk:problem:")
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == response.headers["x-request-id"]
    assert told["instance"] == f"urn:uuid:{told['request_id']}"
    return told


def body(**athlete: Any) -> dict[str, Any]:
    return EXAMPLE | {"athlete": {"age_years": 27, "sex": "female"} | athlete}


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(nulls(part) for part in value.values())
    if isinstance(value, list):
        return any(nulls(part) for part in value)
    return value is None


class TestAnswer:
    def test_tells_of_both_knees_and_the_model_that_answered(self, service: Served) -> None:
        response = service.post("/v1/predict", EXAMPLE)

        answer = response.json()
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert {"left", "right"} <= set(answer["risk"])
        assert 0 < answer["risk"]["left"]["probability"] < 1
        assert answer["model"]["version"] == service.get("/v1/model").json()["version"]
        assert answer["notice"]

    def test_leaves_out_what_is_not_known(self, service: Served) -> None:
        assert not nulls(service.post("/v1/predict", body()).json())

    def test_is_the_same_whatever_type_the_body_is_said_to_have(self, service: Served) -> None:
        text = json.dumps(EXAMPLE)
        answers = [
            service.post("/v1/predict", text, headers={"content-type": said}).json()
            for said in ("application/json", "text/plain", "multipart/form-data; boundary=x",
                         "application/vnd.bentoml+pickle", "application/x-www-form-urlencoded")
        ]  # fmt: skip
        assert all(answer == answers[0] for answer in answers)
        assert "risk" in answers[0]

    @pytest.mark.parametrize("asked", [("risk", "likely"), ("summary",), ("inputs", "plan")])
    def test_has_the_fields_alone_that_were_asked_for(
        self, service: Served, asked: tuple[str, ...]
    ) -> None:
        whole = service.post("/v1/predict", EXAMPLE).json()
        some = service.post(f"/v1/predict?fields={','.join(asked)}", EXAMPLE).json()
        assert some == {name: whole[name] for name in asked}
        team = {"screenings": [EXAMPLE, {"athlete": {}}]}
        answers = service.post(f"/v1/predict_team?fields={','.join(asked)}", team).json()
        assert answers["results"][0] == {"index": 0, "answer": some}
        assert answers["results"][1]["problem"]["code"] == "invalid_body"

    @pytest.mark.parametrize("asked", ["fields=risk,shoe", "fields=", "fields=risk&fields=Risk"])
    def test_has_no_other_fields_and_says_which_there_are(
        self, service: Served, asked: str
    ) -> None:
        for path, sent in (("predict", EXAMPLE), ("predict_team", {"screenings": [EXAMPLE]})):
            told = refused(service.post(f"/v1/{path}?{asked}", sent), 422, "unknown_field")
            assert all(name in told["detail"] for name in PARTS)
            assert "shoe" not in json.dumps(told)

    def test_is_the_same_alone_and_in_a_team(self, service: Served) -> None:
        others = [body(age_years=age) for age in (18, 35, 60)]
        team = service.post("/v1/predict_team", {"screenings": [*others, EXAMPLE]}).json()
        assert team["results"][3]["answer"] == service.post("/v1/predict", EXAMPLE).json()


@pytest.mark.parametrize(
    ("text", "pointer", "code"),
    [
        ('{"athlete": {"age_years": NaN, "sex": "male"}}', "/athlete/age_years", "not_finite"),
        ('{"athlete": {"age_years": 1e999, "sex": "male"}}', "/athlete/age_years", "not_finite"),
        ('{"athlete": {"age_years": -Infinity, "sex": "male"}}', "/athlete/age_years",
         "not_finite"),
        ('{"athlete": {"age_years": "27", "sex": "male"}}', "/athlete/age_years", "not_a_number"),
        ('{"athlete": {"age_years": true, "sex": "male"}}', "/athlete/age_years", "not_a_number"),
        ('{"athlete": {"age_years": 9.99, "sex": "male"}}', "/athlete/age_years",
         "outside_limits"),
        ('{"athlete": {"age_years": 27, "sex": "man"}}', "/athlete/sex", "unknown_choice"),
        ('{"athlete": {"age_years": 27}}', "/athlete/sex", "missing"),
        ('{"athlete": {"age_years": 27, "sex": "male", "a/b~": 1}}', "/athlete/a~1b~0",
         "unknown_name"),
        ('{"athlete": {"age_years": 27, "sex": "male"}, "team": 1}', "/team", "unknown_name"),
        ("[]", "", "not_an_object"),
        ("null", "", "not_an_object"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(
    service: Served, text: str, pointer: str, code: str
) -> None:
    told = refused(service.post("/v1/predict", text), 422, "invalid_body")
    assert [(f["pointer"], f["code"]) for f in told["faults"]] == [(pointer, code)]


def test_a_slip_is_refused_with_a_proposal(service: Served) -> None:
    athlete = {"age_years": 27, "sex": "male", "mass_kg": 71, "height_cm": 1.78}
    sent = {
        "athlete": athlete,
        "left": {"quad_torque_nm_kg": 210, "hip_drop_deg": 99},
        "protocol": {"torque_mode": "isometric"},
    }
    told = refused(service.post("/v1/predict", sent), 422, "invalid_body")
    assert {f["pointer"]: f.get("proposal") for f in told["faults"]} == {
        "/athlete/height_cm": {"value": 178.0, "unit": "cm", "message": "1.78 m is 178 cm"},
        "/left/quad_torque_nm_kg": {
            "value": 2.96, "unit": "Nm/kg", "message": "210 Nm at 71 kg is 2.96 Nm/kg",
        },
        "/left/hip_drop_deg": None,
    }  # fmt: skip


def test_all_faults_are_told_at_once_with_unit_and_range(service: Served) -> None:
    wrong = {
        "athlete": {"age_years": 300, "sex": 1, "weekly_run_km": "many"},
        "left": {"hip_drop_deg": 99, "shoe": 43},
        "right": {"quad_torque_nm_kg": 2.0},
    }
    told = refused(service.post("/v1/predict", wrong), 422, "invalid_body")
    faults = {fault["pointer"]: fault for fault in told["faults"]}
    assert set(faults) == {
        "/athlete/age_years", "/athlete/sex", "/athlete/weekly_run_km",
        "/left/hip_drop_deg", "/left/shoe", "/protocol/torque_mode",
    }  # fmt: skip
    assert faults["/athlete/age_years"]["unit"] == "years"
    assert faults["/athlete/age_years"]["allowed"] == "a number from 10 to 100 years"


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"athlete": }', b"\xff\xfe", "[" * 1_900, '{"\\ud800": 1}', "1" * 5_000, "{}{}",
     '{"athlete": {"age_years": 0x1B}}', "'text'"],
)  # fmt: skip
def test_what_is_not_json_is_malformed(service: Served, text: str | bytes) -> None:
    told = refused(service.post("/v1/predict", text), 400, "malformed_json")
    assert ("empty" in told["detail"]) == (text == "")


def test_every_doubled_key_is_named(service: Served) -> None:
    text = '{"athlete": {"age_years": 27, "age_years": 27, "sex": "male"}, "left": {}, "left": {}}'
    told = refused(service.post("/v1/predict", text), 400, "duplicate_key")
    assert {f["pointer"] for f in told["faults"]} == {"/left", "/athlete/age_years"}
    inside = f'{{"screenings": [{json.dumps(EXAMPLE)}, {{"pain": {{"x": 1, "x": 1}}}}]}}'
    told = refused(service.post("/v1/predict_team", inside), 400, "duplicate_key")
    assert [f["pointer"] for f in told["faults"]] == ["/screenings/1/pain/x"]


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/predict/", "/v2/predict", "/docs/", "/schema.json", "/assets/x.js", "/..%2f"],
)
def test_an_unknown_address_is_not_found(service: Served, path: str) -> None:
    told = refused(service.get(path), 404, "not_found")
    is_known = path.rstrip("/") in ROUTES
    assert ("without the slash" in told["detail"]) == is_known


def test_another_method_is_told_which_one_to_use(service: Served) -> None:
    for path in POSTS:
        response = service.get(path)
        refused(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "POST"
    refused(service.post("/v1/schema", {}), 405, "method_not_allowed")


@pytest.mark.parametrize("path", POSTS)
def test_a_body_is_cut_off_at_its_limit_even_in_chunks(service: Served, path: str) -> None:
    limit = ROUTES[path].max_body_bytes
    malformed = "malformed_json" if ROUTES[path].body else "malformed_upload"
    refused(service.post(path, b" " * (limit + 1)), 413, "too_large")
    chunks = (b" " * 100_000 for _ in range(limit // 100_000 + 1))
    refused(service.post(path, chunks), 413, "too_large")
    refused(service.post(path, b" " * limit), 400, malformed)


class TestWhatIf:
    def test_now_is_what_predict_answers(self, service: Served) -> None:
        response = service.post("/v1/what_if", WHAT_IF)
        told, risk = response.json(), service.post("/v1/predict", EXAMPLE).json()["risk"]
        assert response.status_code == 200
        assert not nulls(told)
        for knee in ("right", "left", "either"):
            assert told[knee]["now"]["probability"] == risk[knee]["probability"]
            assert told[knee]["now"]["interval"] == risk[knee]["interval"]

    def test_then_is_what_predict_answers_to_the_changed_screening(self, service: Served) -> None:
        told = service.post("/v1/what_if", WHAT_IF).json()
        other = EXAMPLE | {"left": EXAMPLE["left"] | {"hip_drop_deg": 5, "quad_torque_nm_kg": 2.6}}
        risk = service.post("/v1/predict", other).json()["risk"]
        assert not told["left"]["held"]
        assert told["left"]["then"]["probability"] == risk["left"]["probability"]
        assert told["left"]["points"] < 0

    def test_all_faults_of_its_changes_are_told_at_once(self, service: Served) -> None:
        wrong = {"age_years": 20, "left_prior_knee_injury": 0, "left_hip_drop_deg": 9.5,
                 "right_fppa_deg": 44, "right_vmo_delay_ms": 3, "shoe": 43}  # fmt: skip
        response = service.post("/v1/what_if", {"screening": EXAMPLE, "changes": wrong})
        told = refused(response, 422, "invalid_body")
        assert {(fault["pointer"], fault["code"]) for fault in told["faults"]} == {
            ("/changes/age_years", "not_modifiable"),
            ("/changes/left_prior_knee_injury", "not_modifiable"),
            ("/changes/left_hip_drop_deg", "within_error"),
            ("/changes/right_fppa_deg", "outside_range_seen"),
            ("/changes/right_vmo_delay_ms", "not_measured"),
            ("/changes/shoe", "unknown_name"),
        }

    def test_faults_of_the_screening_come_with_those_of_the_changes(self, service: Served) -> None:
        wrong = {"screening": {"athlete": {"age_years": 300}}, "changes": {"sex": 1}, "why": 1}
        told = refused(service.post("/v1/what_if", wrong), 422, "invalid_body")
        assert {fault["pointer"] for fault in told["faults"]} == {
            "/screening/athlete/age_years", "/screening/athlete/sex", "/changes/sex", "/why",
        }  # fmt: skip

    def test_a_red_flag_stops_the_numbers(self, service: Served) -> None:
        flagged = EXAMPLE | {"red_flags": ["true_locking"]}
        told = service.post("/v1/what_if", WHAT_IF | {"screening": flagged}).json()
        assert told["status"] == "refer"
        assert not {"right", "left", "either"} & set(told)


class TestFollowUp:
    def test_says_what_changed(self, service: Served) -> None:
        response = service.post("/v1/follow_up", FOLLOW_UP)
        told = response.json()
        assert response.status_code == 200
        assert not nulls(told)
        assert told["any_change"]
        assert [visit["date"] for visit in told["visits"]] == ["2026-03-02", "2026-05-25"]
        risk = service.post("/v1/predict", EXAMPLE).json()["risk"]
        assert told["visits"][0]["left"]["probability"] == risk["left"]["probability"]

    def test_all_faults_are_told_at_once(self, service: Served) -> None:
        first, last = FOLLOW_UP["visits"]
        athlete = EXAMPLE["athlete"] | {"age_years": 300}
        wrong = [first, last | {"date": first["date"], "screening": EXAMPLE | {"athlete": athlete}}]
        told = refused(service.post("/v1/follow_up", {"visits": wrong}), 422, "invalid_body")
        assert {fault["pointer"]: fault["code"] for fault in told["faults"]} == {
            "/visits/1/date": "same_date",
            "/visits/1/screening/athlete/age_years": "outside_limits",
        }

    def test_a_red_flag_of_any_visit_comes_first(self, service: Served) -> None:
        first, last = FOLLOW_UP["visits"]
        flagged = last | {"screening": last["screening"] | {"red_flags": ["true_locking"]}}
        told = service.post("/v1/follow_up", {"visits": [first, flagged]}).json()
        assert [found["flag"]["code"] for found in told["refer"]] == ["true_locking"]
        assert "left" not in told["visits"][1]


class TestReport:
    @pytest.mark.parametrize("path", ["/v1/report", "/v1/hand_out"])
    def test_is_a_page_that_needs_nothing_else(self, service: Served, path: str) -> None:
        response = service.post(path, EXAMPLE)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.text.startswith("<!doctype html>")
        # Links to studies are for a reader to follow; nothing is loaded.
        loaded = re.sub(r'<a [^>]*href="https://[^"]*"', "", response.text)
        assert not re.findall(r"""(?:src|href)=["']?[^#"']""", loaded)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy

    def test_tells_the_numbers_of_the_answer(self, service: Served) -> None:
        risk = service.post("/v1/predict", EXAMPLE).json()["risk"]
        assert f"{risk['left']['per_100']} in 100" in service.post("/v1/report", EXAMPLE).text

    def test_of_a_red_flag_has_no_numbers(self, service: Served) -> None:
        page = service.post("/v1/report", EXAMPLE | {"red_flags": ["true_locking"]}).text
        assert " in 100" not in page
        assert "clinician" in page

    def test_all_faults_are_told_at_once(self, service: Served) -> None:
        wrong = {"athlete": {"age_years": 300, "sex": 1}, "shoe": 43}
        told = refused(service.post("/v1/report", wrong), 422, "invalid_body")
        assert {fault["pointer"] for fault in told["faults"]} == {
            "/athlete/age_years", "/athlete/sex", "/shoe",
        }  # fmt: skip


class TestTeam:
    def test_a_bad_screening_leaves_the_others_alone(self, service: Served) -> None:
        text = json.dumps(
            {"screenings": [EXAMPLE, body(age_years=float("nan"), shoe=1), 4, EXAMPLE]}
        )
        results = service.post("/v1/predict_team", text).json()["results"]
        assert [result["index"] for result in results] == [0, 1, 2, 3]
        assert ["answer" in result for result in results] == [True, False, False, True]
        assert results[0]["answer"] == results[3]["answer"]
        problem = results[1]["problem"]
        assert (problem["status"], problem["code"]) == (422, "invalid_body")
        assert {f["pointer"] for f in problem["faults"]} == {"/athlete/age_years", "/athlete/shoe"}
        assert results[2]["problem"]["faults"][0]["code"] == "not_an_object"

    def test_each_answer_is_of_its_own_screening(self, service: Served) -> None:
        ages = list(range(16, 70, 3))
        sent = [body(age_years=age) if age % 2 else body(age_years=age, x=1) for age in ages]
        results = service.post("/v1/predict_team", {"screenings": sent}).json()["results"]
        for age, one, result in zip(ages, sent, results, strict=True):
            if age % 2:
                assert result["answer"] == service.post("/v1/predict", one).json()
            else:
                assert "answer" not in result

    def test_a_long_answer_comes_in_pieces_and_states_its_length(self, service: Served) -> None:
        response = service.post("/v1/predict_team", {"screenings": [EXAMPLE] * 500})
        assert int(response.headers["content-length"]) == len(response.content)
        alone = service.post("/v1/predict", EXAMPLE).json()
        assert response.json() == {
            "results": [{"index": index, "answer": alone} for index in range(500)]
        }

    def test_nobody_is_fine_and_too_many_are_refused(self, service: Served) -> None:
        assert service.post("/v1/predict_team", {"screenings": []}).json() == {"results": []}
        many = {"screenings": [{}] * (MAX_SCREENINGS + 1)}
        told = refused(service.post("/v1/predict_team", many), 422, "invalid_body")
        assert told["faults"][0]["pointer"] == "/screenings"
        assert "1,000" in told["faults"][0]["message"]

    @pytest.mark.parametrize("wrong", [[EXAMPLE], {}, {"screenings": EXAMPLE}, EXAMPLE])
    def test_a_body_that_is_no_team_is_refused(self, service: Served, wrong: Any) -> None:
        refused(service.post("/v1/predict_team", wrong), 422, "invalid_body")

    def test_a_thousand_full_screenings_fit(self) -> None:
        size = len(json.dumps(dict.fromkeys(_every_measure(), 1000.123), indent=1))
        assert MAX_SCREENINGS * size < ROUTES["/v1/predict_team"].max_body_bytes


def _every_measure() -> list[str]:
    from kneerisk.schema import columns

    return list(columns())


class TestPages:
    def test_the_schema_is_the_one_of_the_package(self, service: Served) -> None:
        told = service.get("/v1/schema").json()
        assert told.pop("$schema").endswith("2020-12/schema")
        assert told == json.loads(json.dumps(Screening.model_json_schema()))

    def test_the_model_tells_its_lineage(self, service: Served) -> None:
        told = service.get("/v1/model").json()
        assert {"version", "run_id", "cohort", "schema", "source"} <= set(told)
        assert {"outcome_kind", "horizon_months", "population"} <= set(told)

    def test_the_page_uses_nothing_from_elsewhere(self, service: Served) -> None:
        response = service.get("/")
        assert response.headers["content-type"].startswith("text/html")
        assert not re.findall(r'(?:src|href)=(?!"(?:[#/]|data:,))', response.text)
        assert "@import" not in response.text
        assert "url(" not in response.text
        assert not re.findall(r"https?://[^/\s]+", response.text)
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "unsafe" not in response.headers["content-security-policy"]

    def test_what_the_page_links_to_is_there(self, service: Served) -> None:
        linked = re.findall(r'(?:href|src)="(/[^"]+)"', service.get("/").text)
        assert len(linked) > 30
        for link in {*linked, *(f"/{name}" for name in FILES)}:
            assert service.get(link).status_code == 200

    def test_the_page_is_sent_again_only_where_it_changed(self, service: Served) -> None:
        etag = service.get("/page/app.js").headers["etag"]
        again = {"if-none-match": etag}
        assert httpx.get(service.url + "/page/app.js", headers=again).status_code == 304
        assert httpx.get(service.url + "/page/lib/texts.js", headers=again).status_code == 200
        known = {path for path, route in ROUTES.items() if "304" in operation(route)["responses"]}
        assert known == {"/", "/docs", *(f"/{name}" for name in FILES)}

    @pytest.mark.skipif(sys.platform != "linux", reason="reads the limits of another process")
    def test_no_worker_leaves_a_core_file(self, service: Served) -> None:
        for process in psutil.Process(service.process.pid).children(recursive=True):
            assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)

    @pytest.mark.skipif(sys.platform != "linux", reason="reads what another process has loaded")
    def test_what_only_training_needs_is_not_loaded_where_it_is_installed(
        self, service: Served
    ) -> None:
        started = psutil.Process(service.process.pid).children()
        workers = [each for each in started if "spawn_main" in " ".join(each.cmdline())]
        assert len(workers) == 2
        for worker in workers:
            loaded = "\n".join(file.path for file in worker.memory_maps())
            assert "/numpy/" in loaded
            assert not re.findall("/(pandas|sklearn|pyarrow)/", loaded)

    def test_nothing_else_of_the_folder_is_served(self, service: Served) -> None:
        for path in ("/page/", "/page/../routes.py", "/page/%2e%2e/routes.py", "/page/none.js"):
            assert service.get(path).status_code == 404

    def test_the_texts_name_every_red_flag_of_the_schema(self, service: Served) -> None:
        asked = service.get("/v1/schema").json()["properties"]["red_flags"]["anyOf"][0]["items"]
        told = service.get("/v1/texts").json()
        assert [flag["code"] for flag in told["red_flags"]] == asked["enum"]
        assert all(flag["question"].endswith("?") for flag in told["red_flags"])
        assert len(told["imbalances"]) == 5

    def test_security_headers_stand_on_every_answer(self, service: Served) -> None:
        for response in (
            service.get("/"),
            service.get("/nowhere"),
            service.post("/v1/predict", ""),
        ):
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["x-frame-options"] == "DENY"
            assert "default-src 'none'" in response.headers["content-security-policy"]

    def test_every_request_has_its_own_id(self, service: Served) -> None:
        ids = {service.get("/livez").headers["x-request-id"] for _ in range(5)}
        assert len(ids) == 5

    def test_paths_that_a_client_makes_up_are_counted_as_one(self, service: Served) -> None:
        for number in range(20):
            service.get(f"/scan-{number}")
        told = service.get("/metrics").text
        assert "scan-" not in told
        assert 'kneerisk_requests_total{route="other",status="404"}' in told


class TestImport:
    SHEET = "Name;Alter;Geschlecht;KTW L (cm)\nÄnne;22;w;9,5\nBö;270;m;8\nCem;30;m;10\n"

    def test_good_rows_are_what_a_team_is_answered_for(self, service: Served) -> None:
        response = service.post_sheet(self.SHEET.encode("cp1252"))
        told = response.json()
        assert response.headers["content-type"] == "application/json"
        assert not nulls(told)
        assert [row["status"] for row in told["rows"]] == ["ready", "bad", "ready"]
        ready = [row["screening"] for row in told["rows"] if row["status"] == "ready"]
        team = service.post("/v1/predict_team", {"screenings": ready}).json()
        assert all("answer" in result for result in team["results"])

    def test_a_yes_is_sent_back_as_it_came(self, service: Served) -> None:
        sheet = "Name,Age,Sex,Weight (lb),Hip abd L (N)\nA,20,m,150,240\nB,20,m,,230\nC,30,f,,220"
        sheet = sheet.replace("Weight (lb)", "Shoe")
        [asked] = [c for c in service.post_sheet(sheet).json()["columns"] if "question" in c]
        assert asked["proposal"] == {"means": None}
        said = {"columns": {asked["place"]: asked["proposal"]}}
        assert service.post_sheet(sheet, said).json()["counts"]["ready"] == 3

    def test_what_is_no_sheet_or_no_upload_is_refused(self, service: Served) -> None:
        refused(service.post_sheet(b"\x00\x01"), 422, "unreadable_sheet")
        told = refused(service.post_sheet(self.SHEET, "{"), 400, "malformed_json")
        assert told["detail"].startswith("Of the part mapping: Line 1, column 2")
        refused(service.post_sheet(self.SHEET, '{"sheet": 1, "sheet": 2}'), 400, "duplicate_key")
        told = refused(service.post_sheet(self.SHEET, {"columns": {"B": {"means": "shoe"}}}),
                       422, "invalid_body")  # fmt: skip
        assert [fault["pointer"] for fault in told["faults"]] == ["/columns/B/means"]
        told = refused(service.post_sheet(self.SHEET, {"decimal": "dot"}), 422, "invalid_body")
        assert [fault["pointer"] for fault in told["faults"]] == ["/decimal"]
        url = service.url + "/v1/import"
        for parts in (
            {"other": ("a", b"x")},
            {"file": (None, "text")},
            [("file", ("a", b"x"))] * 21,
        ):
            refused(httpx.post(url, files=parts, timeout=30), 400, "malformed_upload")
        headers = {"content-type": "multipart/form-data"}
        refused(service.post("/v1/import", "x", headers=headers), 400, "malformed_upload")

    def test_a_thousand_athletes_are_read(self, service: Served) -> None:
        rows = "".join(f"P{i};25;f;{9 + i % 5}\n" for i in range(1_000))
        told = service.post_sheet("Name;Age;Sex;KTW L (cm)\n" + rows).json()
        assert told["counts"]["ready"] == 1_000


class TestTrainingLog:
    def ask(self, service: Served, said: Any, *logs: bytes) -> httpx.Response:
        files = [("file", ("log.csv", log)) for log in logs]
        body = said if isinstance(said, str) else json.dumps(said)
        url = service.url + "/v1/training_log"
        return httpx.post(url, files=files, data={"mapping": body}, timeout=60)

    def test_it_answers_as_the_reader_does_and_its_part_is_of_a_screening(
        self, service: Served
    ) -> None:
        said = {"date": SCREENED.isoformat(), "athlete": "A"}
        parts = (strava(SESSIONS[:9]), strava(SESSIONS[9:]))
        told = self.ask(service, said, *parts).json()
        assert not nulls(told)
        wanted = read_training_logs(parts, LogAsked.model_validate(said))
        assert told == json.loads(wanted.model_dump_json(exclude_none=True))
        load = told["athletes"][0]["screening"]["athlete"]
        body = {"athlete": {"age_years": 30, "sex": "female", **load}}
        assert service.post("/v1/predict", body).status_code == 200
        # What is asked is answered by sending back what a choice holds.
        (asked,) = self.ask(service, said, garmin()).json()["questions"]
        again = said | asked["choices"][0]["ask"]
        assert self.ask(service, again, garmin()).json()["questions"] == []

    def test_no_name_and_no_row_of_a_log_is_written_down(self, service: Served) -> None:
        canary = b"Date,Player,Type,Distance (km)\n2026-06-01,Zqcanary,Run,7.77\n"
        told = self.ask(service, {"date": "2026-06-15", "outside": "no_training"}, canary).json()
        assert told["athletes"][0]["athlete"] == "Zqcanary"
        refused(self.ask(service, {}, b"Zqcanary,1\n2,3\n"), 422, "unreadable_sheet")
        assert "Zqcanary" not in service.log()

    def test_what_is_no_log_or_no_answer_is_refused(self, service: Served) -> None:
        refused(self.ask(service, {}, b"Name,Age\nA,25\n"), 422, "unreadable_sheet")
        refused(self.ask(service, {}, b"<?xml version='1.0'?><a>"), 422, "unreadable_sheet")
        told = refused(self.ask(service, {"date": "2026-02-30"}, garmin()), 422, "invalid_body")
        assert [fault["pointer"] for fault in told["faults"]] == ["/date"]
        refused(self.ask(service, "{", garmin()), 400, "malformed_json")
        url = service.url + "/v1/training_log"
        refused(httpx.post(url, files={"other": ("a", b"x")}), 400, "malformed_upload")
        sheet = service.post_sheet(garmin())
        assert "training log" in refused(sheet, 422, "unreadable_sheet")["detail"]


@pytest.fixture(scope="module")
def docs(service: Served) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/docs.json").json()
    return found


class TestDocs:
    def test_they_list_exactly_what_is_served(self, service: Served, docs: dict[str, Any]) -> None:
        listed = {path: {m.upper() for m in methods} for path, methods in docs["paths"].items()}
        assert listed == {path: {route.method} for path, route in ROUTES.items() if route.tag}
        assert service.get("/openapi.json").json() == docs

    def test_every_reference_leads_somewhere(self, docs: dict[str, Any]) -> None:
        references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(docs)))
        assert references
        for reference in references:
            place: Any = docs
            for step in reference.split("/"):
                place = place[step]

    def test_their_examples_are_answered(self, service: Served, docs: dict[str, Any]) -> None:
        for path, methods in docs["paths"].items():
            asked = methods.get("post", {}).get("requestBody", {"content": {}})
            for kind, content in asked["content"].items():
                for example in content["examples"].values():
                    value = example["value"]
                    if kind == "multipart/form-data":
                        response = service.post_sheet(value["file"][0], value["mapping"], path)
                    else:
                        response = service.post(path, value)
                    assert response.status_code == 200

    def test_every_status_that_is_sent_is_in_them(
        self, service: Served, docs: dict[str, Any]
    ) -> None:
        tried = [("/v1/predict", json.dumps(EXAMPLE)), ("/v1/report", json.dumps(EXAMPLE))]
        tried += [(path, text) for path in POSTS for text in ("{", "{}")]
        tried += [("/v1/what_if", json.dumps({"screening": EXAMPLE, "changes": {"sex": 1}})),
                  ("/v1/predict", " " * 1_000_001)]  # fmt: skip
        for path, text in tried:
            answers = docs["paths"][path]["post"]["responses"]
            response = service.post(path, text)
            described = answers[str(response.status_code)]
            if response.status_code != 200:
                described = docs["components"]["responses"][described["$ref"].split("/")[-1]]
                assert response.json()["code"] in described["description"]
            assert response.headers["content-type"].split(";")[0] in described["content"]

    def test_an_answer_and_a_problem_look_as_they_say(
        self, service: Served, docs: dict[str, Any]
    ) -> None:
        schemas = docs["components"]["schemas"]
        for path, body, name in (
            ("/v1/predict", EXAMPLE, "Answer"),
            ("/v1/what_if", WHAT_IF, "WhatIfAnswer"),
            ("/v1/follow_up", FOLLOW_UP, "FollowUpAnswer"),
            ("/v1/outcomes", OUTCOMES, "OutcomesKept"),
            ("/v1/predict", {}, "Problem"),
            ("/v1/what_if", {"screening": EXAMPLE, "changes": {"sex": 1}}, "Problem"),
        ):
            told = service.post(path, body).json()
            assert set(schemas[name]["required"]) <= set(told) <= set(schemas[name]["properties"])
            assert '"null"' not in json.dumps(schemas[name])


def test_no_value_and_no_name_of_an_athlete_reaches_the_log(service: Served) -> None:
    sent = "77.12345"
    bodies = [
        json.dumps(body(age_years=77.12345)),
        json.dumps(body(age_years=777.12345)),
        json.dumps(body(age_years="77.12345", Canary_Name="Canary_Name")),
        f'{{"Canary_Name": 77.12345, "Canary_Name": {sent}}}',
        f'{{"Canary_Name": {sent}',
        f'{{"screenings": [{{"Canary_Name": {sent}}}]}}',
        json.dumps(WHAT_IF | {"changes": {"left_hip_drop_deg": 77.12345, "Canary_Name": 1}}),
        json.dumps({"visits": [{"date": sent, "athlete_id": "Canary_Name", "screening": {}}]}),
    ]
    for text in bodies:
        for path in (*POSTS, "/v1/predict?who=Canary_Name"):
            service.post(path, text, headers={"x-who": "Canary_Name", "x-request-id": sent})
    for said in (None, '{"Canary_Name": 77.12345}', {"constants": {"Canary_Name": 77.12345}}):
        service.post_sheet(f"Name,Age,Sex\nCanary_Name,{sent},m\nCanary_Name,7{sent},Canary", said)
    service.post_sheet(f"Canary_Name {sent}")
    service.get(f"/v1/Canary_Name/{sent}")
    last = service.post("/v1/predict", "{").headers["x-request-id"]
    service.until(lambda: last in service.log())
    assert "77.12345" not in service.log()
    assert "canary" not in service.log().lower()


class TestChampion:
    """One service through the life of its models: none, one, the next, a bad one, back again."""

    def test_it_is_swapped_without_dropping_a_request(
        self, champion_models: Path, tmp_path: Path
    ) -> None:
        models = tmp_path / "models"
        models.mkdir()
        with served(tmp_path, KNEERISK_MODELS=str(models)) as running:
            refused(running.get("/readyz"), 503, "no_champion")
            refused(running.get("/v1/model"), 503, "no_champion")
            refused(running.post("/v1/predict", EXAMPLE), 503, "no_champion")
            assert running.post("/v1/export", TABLE).content.startswith(b"PK")
            first, second = releases(champion_models, models)
            running.until(lambda: loads(running) == WORKERS)

            seen: list[tuple[int, str]] = []
            done = threading.Event()
            client = threading.Thread(target=ask, args=(running, seen, done))
            client.start()
            name_champion(models, second)
            running.until(lambda: loads(running) == 2 * WORKERS)
            assert version_of(running) == second
            spoil(models, champion_models)
            running.until(lambda: running.log().count(f"keeping {second}") == WORKERS)
            assert version_of(running) == second
            name_champion(models, first)
            running.until(lambda: loads(running) == 3 * WORKERS)
            assert version_of(running) == first
            (models / "champion.json").unlink()
            running.until(lambda: running.log().count(f"keeping {first}") == WORKERS)
            done.set()
            client.join()
            assert {status for status, _ in seen} == {200}
            assert {version for _, version in seen} == {first, second}


def loads(running: Served) -> float:
    """How many champions all the workers together have loaded."""
    counted = re.search(r'loads_total{result="loaded"} (\S+)', running.get("/metrics").text)
    return float(counted.group(1)) if counted else 0.0


def version_of(running: Served) -> str:
    return str(running.post("/v1/predict", EXAMPLE).json()["model"]["version"])


def ask(running: Served, seen: list[tuple[int, str]], done: threading.Event) -> None:
    while not done.is_set():
        response = running.post("/v1/predict", EXAMPLE)
        seen.append((response.status_code, response.json().get("model", {}).get("version", "")))


def releases(source: Path, models: Path) -> tuple[str, str]:
    """Two sound releases of one model that differ in their version, the first of them champion."""
    named = champion.read(source)
    assert named is not None
    first, second = named.version, f"{named.version}-again"
    shutil.copytree(named.folder, models / first)
    bundle = load(named.folder)
    save(bundle.model, replace(bundle.metadata, version=second), models / second)
    name_champion(models, first)
    return first, second


def name_champion(models: Path, version: str) -> None:
    """Make a release the champion, as a promotion does."""
    champion.write(models, version, load(models / version).sha256, None)


def spoil(models: Path, source: Path) -> None:
    """Make a champion of a release that was changed after it was made."""
    named = champion.read(source)
    assert named is not None
    shutil.copytree(named.folder, models / "spoiled")
    with (models / "spoiled" / "facts.json").open("a") as facts:
        facts.write(" ")
    champion.write(models, "spoiled", named.sha256, None)
