"""Registers the table of routes: JSON bodies with BentoML, everything else with Starlette."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from inspect import iscoroutinefunction
from typing import Any, ClassVar, TypeVar

import bentoml
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute

from kneerisk.errors import ScreeningRefused
from kneerisk.model.bundle import Bundle
from kneerisk.schema.own_measures import per_schema
from serving.capacity import short_answer
from serving.champion_holder import ChampionHolder
from serving.monitoring import Metrics
from serving.openapi import openapi_document
from serving.outcome_gauges import OutcomeGauges
from serving.page_files import PageFiles
from serving.problem import Refusal, invalid_body, refused_with
from serving.route import Route

_Class = TypeVar("_Class", bound=type)


class _Page(BaseModel):
    """Stands for an answer that is not JSON: BentoML wants a model of every answer."""


@cache
def _checked() -> type[BaseModel]:
    """What a method is given: the body, and what else `serving.request_validation` has checked.

    Its own schema is a plain object; `serving.openapi` describes the bodies. The class is made when
    a service is, since BentoML is imported for it.
    """

    class Checked(bentoml.IODescriptor):
        __root_input__: ClassVar[bool] = True
        media_type: ClassVar[str] = "application/json"

        @classmethod
        async def from_http_request(cls, request: Request, serde: Any) -> Any:  # noqa: ARG003
            return request.state.arguments

    return Checked


def web_application(
    routes: Mapping[str, Route], champion: ChampionHolder, metrics: Metrics
) -> Starlette:
    """The application to mount beside the predictions: page, schema, documents, import.

    Parameters
    ----------
    routes
        The table; its rows with a JSON body are left to `predictions`.
    champion
        Holds the model that ``/v1/model`` describes.
    metrics
        What ``/metrics`` gives.

    Returns
    -------
    Starlette
        The application; its answers are compressed.
    """
    served: list[BaseRoute] = [
        StarletteRoute(route.path, route.endpoint, methods=[route.method])
        for route in routes.values()
        if route.endpoint and route.body is None
    ]
    # The page comes over a gym's network to a phone: compressed it is a quarter of the size.
    compression = Middleware(GZipMiddleware, minimum_size=1_000)
    application = Starlette(routes=[*served, Mount("/", PageFiles())], middleware=[compression])
    application.state.champion = champion
    application.state.metrics = metrics
    application.state.outcome_gauges = OutcomeGauges()

    @per_schema
    def openapi() -> bytes:
        return json.dumps(openapi_document(routes)).encode()

    application.state.openapi = openapi
    return application


def predictions(
    routes: Mapping[str, Route], champion: ChampionHolder, metrics: Metrics
) -> Callable[[_Class], _Class]:
    """A class decorator: gives a service one BentoML method for each route with a JSON body.

    Parameters
    ----------
    routes
        The table; its rows without a JSON body are left to `web_application`.
    champion
        Holds the bundle that answers.
    metrics
        Counts the screenings answered.

    Returns
    -------
    Callable
        The decorator, to stand below ``@bentoml.service``.
    """

    def decorate(service: _Class) -> _Class:
        for route in routes.values():
            if route.endpoint and route.body:
                setattr(service, route.operation, _method(route, champion, metrics))
        return service

    return decorate


def _method(route: Route, champion: ChampionHolder, metrics: Metrics) -> Any:
    """The BentoML method of a route."""

    def respond(result: Any, bundle: Bundle, body: Any) -> Response:
        metrics.answered(bundle.metadata.version, route.count(body) if route.count else 1)
        return result if isinstance(result, Response) else _json(result)

    def in_one_go(_: Any, arguments: tuple[Any, ...], /) -> Response:
        bundle = champion.current()
        try:
            result = route.endpoint(bundle, *arguments) if route.endpoint else None
        except ScreeningRefused as error:
            # What the champion has seen is not known to the request validation.
            return refused_with(invalid_body(error.faults))
        return respond(result, bundle, arguments[0])

    async def on_event_loop(_: Any, arguments: tuple[Any, ...], /) -> Response:
        async with short_answer():
            return in_one_go(_, arguments)

    async def awaited(_: Any, arguments: tuple[Any, ...], /) -> Response:
        bundle = champion.current()
        try:
            result = await route.endpoint(bundle, *arguments) if route.endpoint else None
        except ScreeningRefused as error:
            return refused_with(invalid_body(error.faults))
        except Refusal as refusal:
            return refused_with(refusal)
        return respond(result, bundle, arguments[0])

    if not route.needs_champion:
        method: Any = _without_champion(route)
    elif iscoroutinefunction(route.endpoint):
        method = awaited
    else:
        method = on_event_loop if route.on_event_loop else in_one_go
    method.__name__ = route.operation
    answer = route.answer or _Page
    return bentoml.api(method, route=route.path, input_spec=_checked(), output_spec=answer)


def _without_champion(route: Route) -> Any:
    def in_thread(_: Any, arguments: tuple[Any, ...], /) -> Response:
        response: Response = route.endpoint(*arguments)  # type: ignore[misc]
        return response

    async def awaited(_: Any, arguments: tuple[Any, ...], /) -> Response:
        try:
            return _json(await route.endpoint(*arguments))  # type: ignore[misc]
        except Refusal as refusal:
            return refused_with(refusal)

    return awaited if iscoroutinefunction(route.endpoint) else in_thread


def _json(result: Any) -> Response:
    # What is not known is absent, not null; a value of the wrong type is a mistake, not a warning.
    text = result.model_dump_json(exclude_none=True, warnings="error")
    return Response(text, media_type="application/json")
