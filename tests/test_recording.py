"""Recording over HTTP: whose key opens what, what is kept, what a database that is away costs."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest
from club_keys import HARBOUR, ClubKeys, bearer, new_records, to_record
from served import Served, served
from sqlalchemy import select
from starlette.datastructures import Headers
from test_outcome_reports import CLEAN, PAIN

from kneerisk.answer.told_numbers import told_numbers
from kneerisk.model import Bundle
from kneerisk.monitoring.monitoring_schema import MonitoringAnswer
from kneerisk.records.audit import AuditLine, audit_lines
from kneerisk.records.clubs import club_id_of
from kneerisk.records.database import Database
from kneerisk.records.outcome_report import MOST_OUTCOMES
from kneerisk.records.personal_data import everything_about
from kneerisk.records.roles import Role
from kneerisk.records.tables import Answer as AnswerRow
from kneerisk.schema import Screening, fingerprint
from kneerisk.schema.own_measures import NO_OWN_MEASURES
from serving.access import Access, refuse_open_start
from serving.champion_holder import Champion, ChampionHolder
from serving.club_records import ClubRecords
from serving.endpoints import metrics
from serving.monitoring import Metrics
from serving.problem import Refusal
from serving.request_examples import EXAMPLE
from serving.request_validation import RequestValidation
from serving.route import Route
from serving.routes import ROUTES

CANARY = "zq190437"
SERVICE_KEY = "0123456789abcdef0123456789abcdef-kneerisk"
#: That write at once.
CLIENTS = 4


def kept(keys: ClubKeys, athlete: str = "A7", club: str = HARBOUR) -> dict[str, Any] | None:
    """What the records hold of an athlete."""
    database = Database(keys.address)
    with database.reading() as session:
        found = everything_about(session, club_id_of(session, club), athlete)
    database.close()
    return found


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    return problem


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> ClubKeys:
    return new_records(str(tmp_path_factory.mktemp("records") / "club.sqlite"))


@pytest.fixture(scope="module")
def service(
    champion_models: Path, keys: ClubKeys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("recording")
    environment = {"KNEERISK_MODELS": str(champion_models), "KNEERISK_RECORDS": keys.address}
    with served(folder, **environment) as running:
        running.until(lambda: running.alive("/readyz"))
        yield running


@pytest.mark.slow
class TestRecording:
    def test_the_screening_and_the_numbers_told_are_kept(
        self, service: Served, keys: ClubKeys, released: Bundle
    ) -> None:
        answer = service.post("/v1/predict", EXAMPLE, headers=to_record(keys.write)).json()
        plain = service.post("/v1/predict", EXAMPLE).json()
        assert {name: value for name, value in answer.items() if name != "answer_id"} == plain
        held = kept(keys)
        assert held is not None
        [visit] = held["visits"]
        assert visit["day"] == "2026-03-01"
        assert visit["screening"] == EXAMPLE
        assert visit["schema_fingerprint"] == fingerprint()
        assert Screening.model_validate(visit["screening"]) == Screening.model_validate(EXAMPLE)
        [row] = visit["answers"]
        assert row["id"] == answer["answer_id"]
        assert (row["version"], row["bundle_sha256"]) == (
            answer["model"]["version"], released.sha256,
        )  # fmt: skip
        told = row["told"]
        for knee in ("left", "right", "either"):
            assert told["risk"][knee] == answer["risk"][knee]
        assert [(i["side"], i["name"], i["probability"]) for i in told["imbalances"]] == [
            (i["side"], i["name"], i["probability"]) for i in answer["imbalances"]
        ]
        assert "message" not in json.dumps(told)
        assert "wording" not in json.dumps(told)

    def test_all_of_the_numbers_are_kept_whatever_fields_are_asked_for(
        self, service: Served, keys: ClubKeys
    ) -> None:
        headers = to_record(keys.write, "fields")
        answer = service.post("/v1/predict?fields=summary", EXAMPLE, headers=headers).json()
        assert set(answer) == {"summary", "answer_id"}
        held = kept(keys, "fields")
        assert held is not None
        assert set(held["visits"][0]["answers"][0]["told"]["risk"]) >= {"left", "right", "either"}

    def test_a_red_flag_is_kept_without_numbers(self, service: Served, keys: ClubKeys) -> None:
        body = EXAMPLE | {"red_flags": ["hot_red_swollen_joint"]}
        answer = service.post("/v1/predict", body, headers=to_record(keys.write, "flagged"))
        assert answer.status_code == 200, answer.text
        held = kept(keys, "flagged")
        assert held is not None
        told = held["visits"][0]["answers"][0]["told"]
        assert told["risk"]["status"] == "refer"
        assert not {"left", "right", "either"} & set(told["risk"])

    def test_sent_again_it_is_kept_once(self, service: Served, keys: ClubKeys) -> None:
        def send(body: Any = EXAMPLE, **headers: str) -> httpx.Response:
            stated = to_record(keys.write, "again", idempotency_key="r-1") | headers
            return service.post("/v1/predict", body, headers=stated)

        with ThreadPoolExecutor(8) as pool:
            ids = {answer.json()["answer_id"] for answer in pool.map(lambda _: send(), range(16))}
        assert len(ids) == 1
        other = EXAMPLE | {"athlete": EXAMPLE["athlete"] | {"age_years": 41}}
        refused(send(other), 422, "idempotency_key_used")
        refused(send(**{"kneerisk-date": "2026-03-02"}), 422, "idempotency_key_used")
        held = kept(keys, "again")
        assert held is not None
        assert len(held["visits"]) == 1

    def test_a_request_that_does_not_ask_for_it_keeps_nothing(
        self, service: Served, keys: ClubKeys
    ) -> None:
        headers = to_record(keys.write, "unasked") | {"kneerisk-record": "no"}
        assert "answer_id" not in service.post("/v1/predict", EXAMPLE, headers=headers).json()
        # Whatever key came with it: nothing is looked up that is not needed.
        answer = service.post("/v1/predict", EXAMPLE, headers=bearer(keys.revoked))
        assert answer.status_code == 200
        assert kept(keys, "unasked") is None

    def test_faults_of_the_body_come_before_anything_is_kept(
        self, service: Served, keys: ClubKeys
    ) -> None:
        body = {"athlete": {"age_years": 7, "sex": "male"}}
        refused(service.post("/v1/predict", body, headers=to_record(keys.write, "bad")), 422,
                "invalid_body")  # fmt: skip
        assert kept(keys, "bad") is None


@pytest.mark.slow
class TestKeysAtTheRoutes:
    @pytest.mark.parametrize(
        ("which", "status", "code"),
        [("none", 401, "key_required"), ("kr_", 401, "key_refused"), ("mixed", 401, "key_refused"),
         ("read", 403, "role_needed"), ("ended", 401, "key_ended"), ("revoked", 401, "key_ended")],
    )  # fmt: skip
    def test_without_a_good_key_nothing_is_recorded(
        self, service: Served, keys: ClubKeys, which: str, status: int, code: str
    ) -> None:
        named = {"none": "none", "kr_": "kr_", "mixed": keys.write[:16] + keys.read[16:]}
        key = named[which] if which in named else getattr(keys, which)
        response = service.post("/v1/predict", EXAMPLE, headers=to_record(key, "keyless"))
        problem = refused(response, status, code)
        assert len(key) < 9 or key not in json.dumps(problem)
        if status == 401:
            assert response.headers["www-authenticate"] == "Bearer"
        assert kept(keys, "keyless") is None

    def test_all_that_is_wrong_with_the_headers_is_told_at_once(
        self, service: Served, keys: ClubKeys
    ) -> None:
        wrong = {"kneerisk-athlete": f"Tom {CANARY}", "kneerisk-date": "2026-W10-1",
                 "idempotency-key": "a b"}  # fmt: skip
        response = service.post("/v1/predict", EXAMPLE, headers=to_record(keys.write) | wrong)
        detail = refused(response, 400, "bad_header")["detail"]
        for name in ("Kneerisk-Athlete", "Kneerisk-Date", "Idempotency-Key"):
            assert name in detail
        assert CANARY not in response.text
        for day in ("2999-01-01", "", "01.03.2026"):
            told = service.post("/v1/predict", EXAMPLE, headers=to_record(keys.write, day=day))
            assert "Kneerisk-Date" in refused(told, 400, "bad_header")["detail"]
        twice = [*to_record(keys.write).items(), ("kneerisk-athlete", "A8")]
        told = httpx.post(f"{service.url}/v1/predict", json=EXAMPLE, headers=twice)
        assert "Kneerisk-Athlete" in refused(told, 400, "bad_header")["detail"]
        for wish in ("true", "", "yes please"):
            headers = to_record(keys.write) | {"kneerisk-record": wish}
            refused(service.post("/v1/predict", EXAMPLE, headers=headers), 400, "bad_header")

    def test_an_address_that_does_not_record_says_so(self, service: Served, keys: ClubKeys) -> None:
        team = {"screenings": [EXAMPLE]}
        response = service.post("/v1/predict_team", team, headers=to_record(keys.write))
        assert "Nothing is recorded" in refused(response, 400, "bad_header")["detail"]


class TestBothKindsOfKeys:
    """Of a service that has a key of its own, or that other machines reach."""

    @pytest.fixture
    def ask(
        self, keys: ClubKeys, released: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Any:
        (tmp_path / "key").write_text(SERVICE_KEY)
        (tmp_path / "key").chmod(0o600)
        monkeypatch.setenv("KNEERISK_RECORDS", keys.address)
        monkeypatch.setenv("KNEERISK_KEY_FILE", str(tmp_path / "key"))

        async def answered(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"in"})

        def ask(headers: dict[str, str], server: str = "127.0.0.1") -> str:
            holder = ChampionHolder(Metrics())
            holder.served = Champion(released, NO_OWN_MEASURES)
            validation = RequestValidation(answered, ROUTES, holder, Metrics())

            async def app(scope: Any, receive: Any, send: Any) -> None:
                await validation(scope | {"server": (server, 3000)}, receive, send)

            async def send() -> httpx.Response:
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as c:
                    return await c.post("/v1/predict", json=EXAMPLE, headers=headers)

            response = asyncio.run(send())
            return response.text if response.status_code == 200 else response.json()["code"]

        return ask

    def test_either_opens_what_needs_a_key(self, ask: Any, keys: ClubKeys) -> None:
        for key in (SERVICE_KEY, keys.read, keys.other_club):
            assert ask(bearer(key)) == "in"
        assert ask({}) == "key_required"
        assert ask(bearer("x" * 40)) == "key_required"
        assert ask(bearer(keys.ended)) == "key_ended"
        assert ask(bearer(keys.write[:-1])) == "key_refused"

    def test_a_club_s_key_gets_no_counts_of_other_clubs(self) -> None:
        gauges = SimpleNamespace(text=lambda _: b"kneerisk_outcomes_observed 1.0\n")
        state = SimpleNamespace(metrics=Metrics(), outcome_gauges=gauges)

        def told(club: object) -> bytes:
            request: Any = SimpleNamespace(
                app=SimpleNamespace(state=state), state=SimpleNamespace(club=club, records=None)
            )
            return bytes(asyncio.run(metrics(request)).body)

        assert b"kneerisk_outcomes" in told(None)
        assert b"kneerisk_outcomes" not in told(object())

    def test_only_a_club_s_key_records(self, ask: Any, keys: ClubKeys) -> None:
        assert ask(to_record(SERVICE_KEY)) == "key_required"
        assert ask(to_record(keys.write)) == "in"
        assert ask(to_record(keys.read)) == "role_needed"

    def test_where_other_machines_reach_it_a_club_s_key_is_enough(
        self, ask: Any, keys: ClubKeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KNEERISK_KEY_FILE")
        refuse_open_start("192.168.1.7", Access.from_environment())
        assert ask({}, "192.168.1.7") == "key_required"
        assert ask(bearer(keys.read), "192.168.1.7") == "in"
        assert ask({}, "127.0.0.1") == "in"


@pytest.mark.slow
def test_nothing_of_an_athlete_and_no_key_is_in_log_or_metrics(
    service: Served, keys: ClubKeys
) -> None:
    value = 61.190437
    body = EXAMPLE | {"athlete": EXAMPLE["athlete"] | {"mass_kg": value}}
    for key in (keys.write, keys.read, keys.ended, f"kr_{CANARY}"):
        headers = to_record(key, CANARY, idempotency_key=CANARY)
        service.post("/v1/predict", body, headers=headers)
        for report in (PAIN, PAIN | {"severity": value}, PAIN | {CANARY: value}):
            sent = {"outcomes": [report | {"athlete": CANARY}]}
            service.post("/v1/outcomes", sent, headers=bearer(key))
        for path in (f"/v1/athletes/{CANARY}", f"/v1/athletes/{CANARY}/{value}"):
            httpx.get(service.url + path, headers=bearer(key))
    last = service.get("/v1/nowhere").headers["x-request-id"]
    service.until(lambda: last in service.log())
    everything = service.log() + service.get("/metrics").text
    for secret in (CANARY, str(value), keys.write, keys.write[16:], keys.read[16:]):
        assert secret not in everything
    assert "Traceback" not in service.log()


#: What is kept of it nobody of another club may see, however it is asked for.
SECRET_ATHLETE, SECRET_KG = "harbour-190437", 61.190437


@pytest.fixture(scope="module")
def secret(service: Served, keys: ClubKeys) -> str:
    """The id of an answer of a club's athlete, of whom an outcome is kept too."""
    body = EXAMPLE | {"athlete": EXAMPLE["athlete"] | {"mass_kg": SECRET_KG}}
    headers = to_record(keys.write, SECRET_ATHLETE, idempotency_key=SECRET_ATHLETE)
    answer_id: str = service.post("/v1/predict", body, headers=headers).json()["answer_id"]
    outcome = PAIN | {"athlete": SECRET_ATHLETE, "answer_id": answer_id}
    assert service.post("/v1/outcomes", {"outcomes": [outcome]}).status_code == 200
    return answer_id


def tries(route: Route, answer_id: str) -> list[tuple[str, Any]]:
    """Every way in which a route may be asked about an athlete of another club."""
    if route.metrics_name == "/page" or route.path in {
        "/", "/v1/schema", "/v1/model", "/v1/monitoring", "/v1/texts", "/docs.json",
        "/openapi.json", "/docs", "/livez", "/readyz", "/metrics",
    }:  # fmt: skip
        return [(route.path, None)]
    if route.path == "/v1/athletes":
        queries = ("", "?limit=1000", "?after=harbour", f"?after={SECRET_ATHLETE}")
        return [(route.path + query, None) for query in queries]
    if route.path == "/v1/athletes/{athlete}":
        names = (SECRET_ATHLETE, answer_id, "%", "*", "1", f"A7' OR code = '{SECRET_ATHLETE}")
        return [(f"/v1/athletes/{name}", None) for name in names]
    if route.path == "/v1/outcomes":
        by_answer = {k: v for k, v in PAIN.items() if k != "athlete"} | {"answer_id": answer_id}
        reports = (by_answer, by_answer | {"athlete": SECRET_ATHLETE})
        return [(route.path, {"outcomes": [report]}) for report in reports]
    if route.path in {
        "/v1/predict", "/v1/predict_team", "/v1/what_if", "/v1/follow_up", "/v1/report",
        "/v1/hand_out", "/v1/export", "/v1/import", "/v1/training_log",
    }:  # fmt: skip
        return [(route.path, example) for example in route.examples.values()]
    raise AssertionError(f"how does {route.path} tell of an athlete? say it here")


@pytest.mark.slow
class TestClubsApart:
    @pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.path)
    def test_an_athlete_is_invisible_to_another_club(
        self, service: Served, keys: ClubKeys, secret: str, route: Route
    ) -> None:
        headers = bearer(keys.other_club)
        if route.records:
            headers |= to_record(keys.other_club, "R1", idempotency_key=SECRET_ATHLETE)
        for path, sent in tries(route, secret):
            response = self.send(service, route, path, sent, headers)
            assert response.status_code in {200, 404, 422}
            for trace in (SECRET_ATHLETE, str(SECRET_KG), secret):
                assert trace not in response.text, path
            if "{athlete}" in route.path:
                assert response.json()["code"] in {"no_such_athlete", "not_found"}
            if route.role and sent is not None:
                assert [f["code"] for f in response.json()["faults"]] == ["no_such_answer"]

    @staticmethod
    def send(
        service: Served, route: Route, path: str, sent: Any, headers: dict[str, str]
    ) -> httpx.Response:
        if route.upload:
            files = {"file": ("club.csv", sent["file"].encode())}
            said = {"mapping": json.dumps(sent["mapping"])}
            return httpx.post(service.url + path, files=files, data=said, headers=headers)
        if route.method == "POST":
            return service.post(path, sent, headers=headers)
        return httpx.get(service.url + path, headers=headers)

    def test_its_own_club_sees_all_of_it_and_nothing_of_the_other(
        self, service: Served, keys: ClubKeys, secret: str
    ) -> None:
        # The other club may have an athlete of that id: they are two people.
        headers = to_record(keys.other_club, SECRET_ATHLETE)
        other = service.post("/v1/predict", EXAMPLE, headers=headers).json()["answer_id"]
        url = f"{service.url}/v1/athletes/{SECRET_ATHLETE}"
        mine = httpx.get(url, headers=bearer(keys.read))
        assert mine.json() == kept(keys, SECRET_ATHLETE)
        assert [a["id"] for v in mine.json()["visits"] for a in v["answers"]] == [secret]
        assert [o["answer_id"] for o in mine.json()["outcomes"]] == [secret]
        theirs = httpx.get(url, headers=bearer(keys.other_club))
        assert other in theirs.text
        assert secret not in theirs.text
        actions = [line for line in audit(keys) if line.action == "athlete_read"]
        assert {line.actor for line in actions} >= {keys.read[3:15], keys.other_club[3:15]}

    def test_each_route_takes_the_role_that_it_needs(
        self, service: Served, keys: ClubKeys, secret: str
    ) -> None:
        report = {"outcomes": [PAIN]}
        refused(service.post("/v1/outcomes", report, headers=bearer(keys.read)), 403, "role_needed")
        refused(service.post("/v1/outcomes", report, headers=bearer("x")), 401, "key_required")
        refused(service.get(f"/v1/athletes/{SECRET_ATHLETE}"), 401, "key_required")
        refused(service.get("/v1/athletes"), 401, "key_required")
        for path in ("/v1/athletes/", f"/v1/athletes/{SECRET_ATHLETE}/visits"):
            refused(service.get(path), 404, "not_found")


@pytest.mark.slow
class TestListOfAthletes:
    def test_who_was_heard_of_when(self, service: Served, keys: ClubKeys) -> None:
        def listed(query: str = "", key: str = keys.other_club) -> dict[str, Any]:
            found = httpx.get(f"{service.url}/v1/athletes{query}", headers=bearer(key))
            assert found.status_code == 200, found.text
            told: dict[str, Any] = found.json()
            return told

        today = datetime.now(UTC).date()
        for athlete, days in (("L1", 60), ("L2", 12), ("L3", 8), ("L4", 40)):
            day = (today - timedelta(days=days)).isoformat()
            headers = to_record(keys.other_club, athlete, day)
            assert service.post("/v1/predict?fields=summary", EXAMPLE, headers=headers).is_success
        last = (today - timedelta(days=1)).isoformat()
        clean = CLEAN | {"athlete": "L4", "first_day": last, "last_day": last}
        service.post("/v1/outcomes", {"outcomes": [clean]}, headers=bearer(keys.other_club))
        everybody = listed("?limit=1000")
        found = {one["athlete"]: one for one in everybody["athletes"]}
        states = {name: found[name]["follow_up"] for name in ("L1", "L2", "L3", "L4")}
        assert states == {"L1": "lost", "L2": "overdue", "L3": "due", "L4": "answered"}
        assert found["L4"]["last_check_in"] == found["L4"]["heard_of"] == last
        assert (found["L2"]["silent_days"], "last_check_in" in found["L2"]) == (12, False)
        assert sum(everybody["counts"].values()) == len(everybody["athletes"])
        assert {one["athlete"] for one in listed("?follow_up=due,overdue")["athletes"]} == {
            "L2", "L3",
        }  # fmt: skip
        first = listed("?limit=2")
        rest = listed(f"?limit=1000&after={first['next']}")
        assert "next" not in rest
        assert [one["athlete"] for one in first["athletes"] + rest["athletes"]] == sorted(found)
        mine = listed("?limit=1000", keys.read)
        assert not {"L1", "L2", "L3", "L4"} & {one["athlete"] for one in mine["athletes"]}
        assert "athletes_listed" in {line.action for line in audit(keys)}

    def test_all_that_is_wrong_with_the_question_is_told_at_once(
        self, service: Served, keys: ClubKeys
    ) -> None:
        query = f"follow_up=late&after={CANARY}!&limit=1001"
        response = httpx.get(f"{service.url}/v1/athletes?{query}", headers=bearer(keys.read))
        detail = refused(response, 400, "bad_query")["detail"]
        assert all(name in detail for name in ("follow_up", "after", "limit"))
        assert CANARY not in response.text


@pytest.mark.slow
class TestMonitoring:
    def test_a_club_sees_its_own_and_what_to_do(self, service: Served, keys: ClubKeys) -> None:
        url = f"{service.url}/v1/monitoring"
        headers = to_record(keys.other_club, "M1")
        answer = service.post("/v1/predict", EXAMPLE, headers=headers).json()
        before = httpx.get(url, headers=bearer(keys.other_club)).json()
        clean = CLEAN | {"athlete": "M1", "first_day": "2026-03-02", "last_day": "2026-03-08"}
        sent = service.post("/v1/outcomes", {"outcomes": [clean]}, headers=bearer(keys.other_club))
        assert sent.status_code == 200
        mine = httpx.get(url, headers=bearer(keys.other_club)).json()
        assert mine["version"] == answer["model"]["version"]
        assert mine["next_step"]["step"] == "collect"
        assert mine["to_do"].startswith("To do: collect")
        assert mine["drift"] is not None
        hazard = -math.log1p(-answer["risk"]["either"]["probability"]) / 365
        more = mine["overall"]["told"] - before["overall"]["told"]
        assert more == pytest.approx(7 * hazard)
        assert "M1" not in json.dumps(mine)
        assert MonitoringAnswer.model_validate(mine).model_dump(mode="json") == mine
        theirs = httpx.get(url, headers=bearer(keys.read)).json()
        assert theirs["first_visit"] == "2026-03-01"
        assert theirs["overall"] != mine["overall"]

    def test_it_needs_a_club_s_key(self, service: Served) -> None:
        refused(httpx.get(f"{service.url}/v1/monitoring"), 401, "key_required")


@pytest.mark.slow
class TestOutcomes:
    def test_they_are_kept_and_known_again(self, service: Served, keys: ClubKeys) -> None:
        sent = {"outcomes": [PAIN | {"athlete": "Q1"}, CLEAN | {"athlete": "Q2"}]}
        first = service.post("/v1/outcomes", sent).json()["outcomes"]
        assert [one["status"] for one in first] == ["kept", "kept"]
        again = service.post("/v1/outcomes", sent).json()["outcomes"]
        assert [(one["id"], one["status"]) for one in again] == [
            (one["id"], "known") for one in first
        ]
        held = kept(keys, "Q1")
        assert held is not None
        assert [(o["id"], o["kind"]) for o in held["outcomes"]] == [(first[0]["id"], "knee_pain")]

    def test_all_faults_are_told_at_once_and_nothing_is_kept(
        self, service: Served, keys: ClubKeys
    ) -> None:
        sent = [PAIN | {"athlete": "Q3"}, PAIN | {"side": "middle", "severity": 101}, {}]
        problem = refused(service.post("/v1/outcomes", {"outcomes": sent}), 422, "invalid_body")
        assert {fault["pointer"] for fault in problem["faults"]} == {
            "/outcomes/1/side", "/outcomes/1/severity", "/outcomes/2/athlete", "/outcomes/2/kind",
            "/outcomes/2/first_day",
        }  # fmt: skip
        assert kept(keys, "Q3") is None

    def test_a_full_body_fits(self, service: Served) -> None:
        full = PAIN | {
            "athlete": "x" * 64, "answer_id": f"{'0' * 8}{'-0000' * 3}-{'0' * 12}",
            "last_day": "2026-05-10", "course": "at_first_report", "last_reported": "2026-05-12",
            "free_by": "2026-05-20", "severity": 33.333333333333336, "days_lost": 100,
            "code": "KXXXXX",
        }  # fmt: skip
        response = service.post("/v1/outcomes", {"outcomes": [full] * MOST_OUTCOMES})
        # Every one of them is of an answer that is nobody's: as far as that it was read.
        problem = refused(response, 422, "invalid_body")
        assert problem["detail"] == f"The body has {MOST_OUTCOMES} faults."
        assert {fault["code"] for fault in problem["faults"]} == {"no_such_answer"}


def audit(keys: ClubKeys) -> list[AuditLine]:
    database = Database(keys.address)
    lines = audit_lines(database)
    database.close()
    return lines


def opened(records: ClubRecords, key: str, role: Role = Role.WRITE) -> Any:
    """What becomes of a key: the club's records, or the refusal."""
    try:
        return asyncio.run(records.open(Headers({"authorization": f"Bearer {key}"}), role))
    except Refusal as refusal:
        return refusal.code


class TestTheDatabaseIsAway:
    @pytest.fixture
    def own(self, tmp_path: Path) -> ClubKeys:
        return new_records(str(tmp_path / "club.sqlite"))

    def test_without_records_there_is_nothing_to_open(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KNEERISK_RECORDS", raising=False)
        assert opened(ClubRecords.from_environment(), "kr_x") == "no_records"

    def test_it_is_found_again_when_it_is_back(self, own: ClubKeys, tmp_path: Path) -> None:
        records = ClubRecords(Database(own.address, 0.05))
        assert opened(records, own.write) != "records_unavailable"
        for end in ("", "-wal", "-shm"):
            if (tmp_path / f"club.sqlite{end}").exists():
                (tmp_path / f"club.sqlite{end}").rename(tmp_path / f"away.sqlite{end}")
        assert opened(records, own.write) == "records_unavailable"
        assert not (tmp_path / "club.sqlite").exists()
        for end in ("", "-wal", "-shm"):
            if (tmp_path / f"away.sqlite{end}").exists():
                (tmp_path / f"away.sqlite{end}").rename(tmp_path / f"club.sqlite{end}")
        assert opened(records, own.read) == "role_needed"

    def test_another_file_in_its_place_is_read_anew(self, own: ClubKeys, tmp_path: Path) -> None:
        records = ClubRecords(Database(own.address, 0.05))
        opened(records, own.write)
        other = new_records(str(tmp_path / "other.sqlite"))
        Path(other.address).rename(own.address)
        assert opened(records, own.read) == "key_refused"
        assert opened(records, other.read) == "role_needed"

    def test_a_locked_one_keeps_nothing_and_holds_nobody_up(self, own: ClubKeys) -> None:
        records = ClubRecords(Database(own.address, 0.05))
        other = sqlite3.connect(own.address, isolation_level=None)

        async def write_meanwhile() -> tuple[str, bool]:
            club = await records.open(Headers(bearer(own.write)), Role.WRITE)
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.ensure_future(
                club.write(lambda session, *_: session.scalar(select(1)))
            )
            await asyncio.sleep(0)  # the thread has begun
            ran_meanwhile = not writing.done()
            try:
                await writing
            except Refusal as refusal:
                return refusal.code, ran_meanwhile
            return "", ran_meanwhile

        assert asyncio.run(write_meanwhile()) == ("records_unavailable", True)
        other.execute("ROLLBACK")
        other.close()

    def test_older_tables_are_said_in_the_log_alone(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "empty.sqlite").touch()
        records = ClubRecords(Database(str(tmp_path / "empty.sqlite"), 0.05))
        assert opened(records, "kr_x") == "records_unavailable"
        assert "records upgrade" in caplog.text

    @pytest.mark.parametrize(
        ("address", "message"),
        [("mysql://host/club", "KNEERISK_RECORDS is neither"), ("none.sqlite", "records upgrade")],
    )
    def test_a_start_that_could_not_record_is_refused(
        self, tmp_path: Path, address: str, message: str
    ) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "serving", "--models", str(tmp_path)],
            env=os.environ | {"KNEERISK_RECORDS": address},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_package_that_is_missing_is_named(self, tmp_path: Path) -> None:
        code = (
            "import sys\n"
            "sys.modules.update(dict.fromkeys(['sqlalchemy', 'alembic', 'psycopg']))\n"
            "from serving.__main__ import main\n"
            "raise SystemExit(main(['--models', sys.argv[1]]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env=os.environ | {"KNEERISK_RECORDS": str(tmp_path / "club.sqlite")},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1
        assert "pip install 'kneerisk[records]'" in done.stderr
        assert "Traceback" not in done.stderr


class Writers:
    """Clients that have screenings recorded until they are told to stop."""

    def __init__(self, keys: ClubKeys, url: str) -> None:
        self.acknowledged: list[str] = []
        self._keys, self._url = keys, url
        self._ended = threading.Event()
        self._one_more = threading.Condition()

    def write(self, first: int) -> None:
        with httpx.Client(timeout=30) as client:
            for number in range(first, first + 10_000):
                if self._ended.is_set():
                    return
                headers = to_record(self._keys.write, f"A{number}")
                with suppress(httpx.TransportError):
                    answer = client.post(f"{self._url}/v1/predict", json=EXAMPLE, headers=headers)
                    with self._one_more:
                        self.acknowledged.append(answer.json()["answer_id"])
                        self._one_more.notify_all()

    def until(self, count: int) -> None:
        """Wait until so many more are acknowledged."""
        with self._one_more:
            enough = len(self.acknowledged) + count
            assert self._one_more.wait_for(lambda: len(self.acknowledged) >= enough, 60)

    def stop(self) -> None:
        self._ended.set()


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(champion_models: Path, tmp_path: Path) -> None:
    """First of a worker, which is replaced, then of the whole service."""
    keys = new_records(str(tmp_path / "records.sqlite"))
    environment = {"KNEERISK_MODELS": str(champion_models), "KNEERISK_RECORDS": keys.address}
    with served(tmp_path, **environment) as running, ThreadPoolExecutor(CLIENTS) as pool:
        running.until(lambda: running.alive("/readyz"))
        writers = Writers(keys, running.url)
        ended = [pool.submit(writers.write, at * 10_000) for at in range(CLIENTS)]
        try:
            writers.until(30)
            supervisor = psutil.Process(running.process.pid)
            holder = next(
                process for process in supervisor.children()
                if any(keys.address in file.path for file in process.open_files())
            )  # fmt: skip
            holder.kill()
            writers.until(30)
            for process in [supervisor, *supervisor.children(recursive=True)]:
                process.kill()
        finally:
            writers.stop()
        for one in ended:
            one.result()
    database = Database(keys.address)
    with database.reading() as session:
        rows = set(session.scalars(select(AnswerRow.id)))
    database.close()
    assert set(writers.acknowledged) <= rows
    # Some were kept without being told: those under way at either kill.
    assert len(rows) - len(writers.acknowledged) <= 2 * CLIENTS


def test_told_numbers_have_no_words(released: Bundle) -> None:
    from kneerisk.answer import answer

    told = told_numbers(answer(released, Screening.model_validate(EXAMPLE)))
    texts = [text for text in _texts(told) if " " in text]
    assert texts == []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
