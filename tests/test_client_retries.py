"""When a client calls again, and when it does not; with a service made up for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
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
from serving.problem import Refusal, problem
from serving.request_examples import EXAMPLE

URL = "http://service"
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
        retries = RetryPolicy(part=lambda: 1.0, **policy)
        transport = httpx.MockTransport(service)
        monkeypatch.setattr(sync_client.time, "sleep", service.waits.append)
        monkeypatch.setattr(anyio, "sleep", service.sleep)
        if request.param is Client:
            with Client(URL, key="k", retries=retries, transport=transport) as client:
                return getattr(client, call)(*given or (EXAMPLE,))

        async def awaited() -> Any:
            async with AsyncClient(URL, key="k", retries=retries, transport=transport) as client:
                return await getattr(client, call)(*given or (EXAMPLE,))

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
