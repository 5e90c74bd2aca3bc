"""When a client calls again, and when it does not; with a service made up for it."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from kneerisk.client import (
    AsyncClient,
    Client,
    NoAnswer,
    NotUnderstood,
    Recording,
    RetryPolicy,
    Unavailable,
    retry_policy,
    sync_client,
)
from serving.fhir_routes import FHIR_ROUTES
from serving.problem import Refusal, problem
from serving.request_examples import EXAMPLE, FOLLOW_UP, LOG, OUTCOMES, TABLE, WHAT_IF
from serving.route import find_route
from serving.routes import ROUTES

URL = "http://service"
ALL_ROUTES = {**ROUTES, **FHIR_ROUTES}
MODEL_PAGE = "<html>"


def busy(**headers: str) -> httpx.Response:
    body = problem(Refusal("busy", "try again"), "0" * 8)
    kind = {"content-type": "application/problem+json"}
    return httpx.Response(503, content=body.as_json(), headers={**kind, **headers})


def page() -> httpx.Response:
    return httpx.Response(200, text=MODEL_PAGE)


class Service:
    """Gives its responses in turn, or breaks off, and notes what was asked and how long waited."""

    def __init__(self, *responses: httpx.Response | Exception) -> None:
        self._responses: Iterator[httpx.Response | Exception] = iter(responses)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = next(self._responses)
        if isinstance(response, Exception):
            raise response
        return response

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture(params=[Client, AsyncClient])
def report(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks a made-up service for a report by either client."""

    def asked(service: Service, *given: Any, call: str = "report", **policy: Any) -> Any:
        given = given or ((EXAMPLE,) if call == "report" else ())
        retries = RetryPolicy(part=lambda: 1.0, **policy)
        transport = httpx.MockTransport(service)
        monkeypatch.setattr(sync_client.time, "sleep", service.waits.append)
        monkeypatch.setattr(anyio, "sleep", service.sleep)
        if request.param is Client:
            with Client(URL, key="k", retries=retries, transport=transport) as client:
                return getattr(client, call)(*given)

        async def awaited() -> Any:
            async with AsyncClient(URL, key="k", retries=retries, transport=transport) as client:
                return await getattr(client, call)(*given)

        return asyncio.run(awaited())

    return asked


def test_it_asks_again_until_there_is_an_answer(report: Any) -> None:
    service = Service(httpx.ConnectError("no"), busy(), page())
    assert report(service) == MODEL_PAGE
    assert service.waits == [0.5, 1.0]
    assert len({request.content for request in service.requests}) == 1
    assert {request.headers["authorization"] for request in service.requests} == {"Bearer k"}


def test_it_waits_as_long_as_it_is_told(report: Any) -> None:
    service = Service(busy(**{"retry-after": "7"}), page())
    assert report(service) == MODEL_PAGE
    assert service.waits == [7.0]


def test_a_date_says_how_long_too(report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now

    monkeypatch.setattr(retry_policy, "datetime", Clock)
    for stated, waited in {
        format_datetime(now + timedelta(seconds=9), usegmt=True): 9.0,
        format_datetime(now - timedelta(seconds=9), usegmt=True): 0.0,
        "soon": 0.5,
    }.items():
        service = Service(busy(**{"retry-after": stated}), page())
        assert report(service) == MODEL_PAGE
        assert service.waits == [waited]


def test_it_does_not_wait_for_hours(report: Any) -> None:
    service = Service(busy(**{"retry-after": "3600"}))
    with pytest.raises(Unavailable, match="busy"):
        report(service)
    assert service.waits == []


def test_it_gives_up(report: Any) -> None:
    service = Service(busy(), busy(), busy())
    with pytest.raises(Unavailable) as refused:
        report(service)
    assert (refused.value.code, refused.value.status) == ("busy", 503)
    assert len(service.waits) == 2
    broken = Service(httpx.ReadTimeout("slow"), httpx.ReadTimeout("slow"))
    with pytest.raises(NoAnswer, match="ReadTimeout"):
        report(broken, attempts=2)
    assert len(broken.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 500, 501])
def test_what_will_be_the_same_again_is_not_asked_again(report: Any, status: int) -> None:
    service = Service(httpx.Response(status, text="<html>", headers={"content-type": "text/html"}))
    with pytest.raises(NotUnderstood, match=str(status)):
        report(service)
    assert len(service.requests) == 1


def test_an_upload_is_sent_again_whole(report: Any, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(LOG.encode())
    service = Service(busy(), httpx.ConnectError("no"), busy())
    with pytest.raises(Unavailable):
        report(service, log, ("more.csv", b"Date\n"), call="import_training_log")
    for request in service.requests:
        assert request.content.count(b'name="file"') == 2
        assert LOG.replace("\r\n", "\n").encode() in request.content
        assert b'filename="log.csv"' in request.content


#: What each method of a client is called with, so that it asks for its address.
GIVEN: dict[str, tuple[Any, ...]] = {
    "predict": (EXAMPLE,), "predict_team": ([EXAMPLE],), "what_if": (WHAT_IF,),
    "follow_up": (FOLLOW_UP["visits"],), "report": (EXAMPLE,), "hand_out": (EXAMPLE,),
    "import_sheet": (("a.csv", b""),), "import_training_log": (("a.csv", b""),),
    "export_table": (TABLE["columns"], TABLE["rows"]), "report_outcomes": (OUTCOMES["outcomes"],),
    "athlete": ("A7",), "athletes": (), "monitoring": (), "texts": (), "model": (), "schema": (),
}  # fmt: skip
#: Addresses without a call, each with its reason; a chapter of the API by its name.
NO_CALL = {
    "fhir": "clinics' systems have clients of FHIR, and its resources are FHIR's to type",
    "cds_hooks": "an electronic record calls it by itself",
    "operation": "for probes and Prometheus",
    "/openapi.json": "for generators of clients, which take its address",
    "/docs.json": "the same by its older name",
    "": "the page and its files",
}


def test_every_address_has_a_call_or_a_reason(report: Any) -> None:
    asked = {}
    for name, given in GIVEN.items():
        service = Service(busy())
        with pytest.raises(Unavailable):
            report(service, *given, call=name, attempts=1)
        [request] = service.requests
        route = find_route(ALL_ROUTES, request.url.path)
        assert route is not None
        assert route.method == request.method
        asked[name] = route.path
    without = {path for path, route in ALL_ROUTES.items() if {path, route.tag} & NO_CALL.keys()}
    assert set(asked.values()) | without == set(ALL_ROUTES)
    assert set(asked.values()) & without == set()
    assert len(set(asked.values())) == len(asked)


def test_both_clients_have_all_calls_alike() -> None:
    for name in GIVEN:
        plain, awaited = (inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient))
        assert plain == awaited
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name))
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if name[0] != "_"}
    assert methods - {"close"} == set(GIVEN)


def test_it_needs_nothing_but_httpx() -> None:
    code = "import sys; import kneerisk.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    not_of_the_extra = {"openpyxl", "pandas", "psutil", "sqlalchemy", "starlette", "bentoml"}
    assert not not_of_the_extra & set(done.stdout.split())


def test_a_recording_has_one_key_however_often_it_is_sent(report: Any) -> None:
    service = Service(busy(), busy(), busy(), busy(), busy(), busy())
    recording = Recording("A7", date(2026, 3, 1))
    for _ in range(2):
        with pytest.raises(Unavailable):
            report(service, EXAMPLE, recording, call="predict")
    keys = {request.headers["idempotency-key"] for request in service.requests}
    assert keys == {recording.idempotency_key}
    assert {request.headers["kneerisk-date"] for request in service.requests} == {"2026-03-01"}
    assert Recording("A7", date(2026, 3, 1)).idempotency_key not in keys


def test_an_answer_of_another_version_is_no_answer(report: Any) -> None:
    service = Service(httpx.Response(200, json={"risk": 0.125}))
    with pytest.raises(NotUnderstood, match="another version") as refused:
        report(service, EXAMPLE, call="predict")
    assert "0.125" not in str(refused.value)


def test_a_problem_that_is_none(report: Any) -> None:
    headers = {"content-type": "application/problem+json"}
    service = Service(httpx.Response(422, content=b"{}", headers=headers))
    with pytest.raises(NotUnderstood, match="422"):
        report(service)
