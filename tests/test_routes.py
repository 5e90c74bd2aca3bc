"""The table of routes: an endpoint added to it is served, limited, checked and described."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Annotated, Any

import bentoml
import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from serving.monitoring import Metrics
from serving.openapi import openapi_document
from serving.page_files import FILES
from serving.registration import predictions, web_application
from serving.request_validation import RequestValidation
from serving.route import Route
from serving.routes import ROUTES

PATH = "/v1/stride_length"


class Steps(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cadence_spm: Annotated[float, Field(gt=0)]


class StrideLength(BaseModel):
    metres: float


def stride_length(bundle: Any, steps: Steps) -> StrideLength:
    return StrideLength(metres=bundle.speed_m_min / steps.cadence_spm)


def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


NEW = Route(
    path=PATH, method="POST", operation="stride_length", summary="The length of a stride",
    endpoint=stride_length, body=Steps, answer=StrideLength, max_body_bytes=100,
    examples={"usual": {"cadence_spm": 170}}, needs_champion=True,
)  # fmt: skip
HELLO = Route(path="/v1/hello", operation="hello", summary="A word", endpoint=hello,
              media_type="text/plain")  # fmt: skip
TABLE = ROUTES | {PATH: NEW, HELLO.path: HELLO}


@pytest.fixture(scope="module")
def service() -> Any:
    """A BentoML service made from the longer table, over a champion that knows one number."""
    bundle = SimpleNamespace(speed_m_min=204.0, metadata=SimpleNamespace(version="v1"))
    champion: Any = SimpleNamespace(bundle=bundle, current=lambda: bundle, for_request=nullcontext)
    counted = Metrics()

    @bentoml.service(name="Longer", metrics={"enabled": False})
    @bentoml.asgi_app(web_application(TABLE, champion, counted), path="/")
    @predictions(TABLE, champion, counted)
    class Longer:
        pass

    Longer.add_asgi_middleware(  # type: ignore[attr-defined]
        RequestValidation, routes=TABLE, champion=champion, metrics=counted
    )
    return Longer.to_asgi()  # type: ignore[attr-defined]


def ask(application: Any, *requests: tuple[str, str, bytes]) -> list[httpx.Response]:
    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with (
            application.router.lifespan_context(application),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            return [await client.request(m, path, content=body) for m, path, body in requests]

    return asyncio.run(send())


# BentoML calls what its own dependencies call deprecated while it is imported.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_new_row_is_all_that_an_endpoint_needs(service: Any) -> None:
    answer, wrong, large, other, hello, document, counts = ask(
        service,
        ("POST", PATH, b'{"cadence_spm": 170}'),
        ("POST", PATH, b'{"cadence_spm": 0, "shoe": 43}'),
        ("POST", PATH, b" " * 101),
        ("GET", PATH, b""),
        ("GET", "/v1/hello", b""),
        ("GET", "/docs.json", b""),
        ("GET", "/metrics", b""),
    )
    assert answer.json() == {"metres": 1.2}
    assert {fault["pointer"] for fault in wrong.json()["faults"]} == {"/cadence_spm", "/shoe"}
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert (other.status_code, other.headers["allow"]) == (405, "POST")
    assert hello.text == "hello"
    operation = document.json()["paths"][PATH]["post"]
    assert operation["operationId"] == "stride_length"
    statuses = "200 400 401 403 408 413 421 422 429 431 500 503 504"
    assert set(operation["responses"]) == set(statuses.split())
    assert set(document.json()["components"]["schemas"]["Steps"]["properties"]) == {"cadence_spm"}
    assert f'kneerisk_requests_total{{route="{PATH}",status="200"}} 1.0' in counts.text
    assert 'kneerisk_answers_total{version="v1"} 1.0' in counts.text


def test_the_table_itself_is_left_as_it_was() -> None:
    assert PATH not in openapi_document(ROUTES)["paths"]


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.path)
def test_every_row_is_whole(route: Route) -> None:
    takes_body = route.body is not None or route.upload is not None
    assert takes_body == (route.method == "POST") == (route.max_body_bytes > 0)
    assert bool(route.examples) == takes_body
    assert json.dumps(route.examples)
    assert not (route.body and not route.endpoint)


def test_operations_and_page_files_are_listed_once() -> None:
    operations = [route.operation for route in ROUTES.values()]
    assert len(set(operations)) == len(operations)
    assert len(set(FILES)) == len(FILES)
