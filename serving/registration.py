"""Registers the table of routes: JSON bodies with BentoML, everything else with Starlette."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, TypeVar

import bentoml
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute

from kneerisk.errors import ScreeningRefused
from kneerisk.model.bundle import Bundle
from kneerisk.schema.own_measures import per_schema
from serving.champion_holder import ChampionHolder
from serving.monitoring import Metrics
from serving.openapi import openapi_document
from serving.page_files import PageFiles
from serving.problem import invalid_body, refused_with
from serving.routes import Route

_Class = TypeVar("_Class", bound=type)


class _Page(BaseModel):
    """Stands for an answer that is not JSON: BentoML wants a model of every answer."""


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

    def in_one_go(_: Any, body: Any, /) -> Response:
        bundle = champion.current()
        try:
            result = route.endpoint(bundle, body) if route.endpoint else None
        except ScreeningRefused as error:
            # What the champion has seen is not known to the request validation.
            return refused_with(invalid_body(error.faults))
        return respond(result, bundle, body)

    async def on_event_loop(_: Any, body: Any, /) -> Response:
        return in_one_go(_, body)

    async def in_pieces(_: Any, body: Any, /) -> Response:
        bundle = champion.current()
        return respond(await route.endpoint(bundle, body) if route.endpoint else None, bundle, body)

    def without_champion(_: Any, body: Any, /) -> Response:
        response: Response = route.endpoint(body)  # type: ignore[misc]
        return response

    if not route.needs_champion:
        method: Any = without_champion
    elif iscoroutinefunction(route.endpoint):
        method = in_pieces
    else:
        method = on_event_loop if route.on_event_loop else in_one_go
    method.__name__ = route.operation
    method.__annotations__ = {"body": _undescribed(route.body), "return": Response}
    answer = _Page if isinstance(route.answer, str) else route.answer
    return bentoml.api(method, route=route.path, output_spec=answer)


def _undescribed(model: type[BaseModel] | None) -> Any:
    """A body's model without its schema, which BentoML can't describe; ours is served instead.

    A class, as BentoML makes the schema of an annotated type anew for each request.
    """
    if model is None:
        return None
    name = f"{model.__name__}Body"

    def model_json_schema(*_: Any, **__: Any) -> dict[str, Any]:
        return {"type": "object", "title": name}

    return type(name, (model,), {"model_json_schema": staticmethod(model_json_schema)})


def _json(result: Any) -> Response:
    # What is not known is absent, not null; a value of the wrong type is a mistake, not a warning.
    text = result.model_dump_json(exclude_none=True, warnings="error")
    return Response(text, media_type="application/json")
