"""What the service answers without a model's prediction: pages, schema, documents, imports."""

from __future__ import annotations

import json
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kneerisk.evidence import imbalances, red_flags, urgencies
from kneerisk.schema import Screening
from serving.assets import ASSETS, asset, page
from serving.champion_holder import ChampionHolder
from serving.openapi import EXAMPLE, description
from serving.prometheus import Metrics
from serving.sheet_import import import_sheet


def pages(champion: ChampionHolder, metrics: Metrics) -> Starlette:
    """The pages as an application to mount beside the predictions."""

    def model(_: Request) -> Response:
        return JSONResponse(champion.current().metadata.public())

    def counts(_: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/", page),
            *(Route(f"/{name}", asset) for name in ASSETS),
            Route("/v1/schema", _schema),
            Route("/v1/texts", _texts),
            Route("/v1/model", model),
            Route("/docs.json", _docs),
            Route("/v1/import", import_sheet, methods=["POST"]),
            Route("/metrics", counts),
        ],
        # The page comes over a gym's network to a phone: packed it is a quarter of the size.
        middleware=[Middleware(GZipMiddleware, minimum_size=1_000)],
    )


@cache
def _schema_text() -> bytes:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Screening.model_json_schema()).encode()


def _schema(_: Request) -> Response:
    return Response(_schema_text(), media_type="application/json")


@cache
def _texts_text() -> bytes:
    flags = [
        {
            "code": flag.code,
            "urgency": flag.urgency,
            "needs_acute_injury": flag.needs_acute_injury,
            "question": flag.question,
            "reason": flag.reason,
        }
        for flag in red_flags().values()
    ]
    patterns = [
        {"name": one.name, "label": one.label, "phrase": one.phrase, "usual_site": one.usual_site}
        for one in imbalances().values()
    ]
    seen = [{"urgency": one.urgency, "when": one.when} for one in urgencies().values()]
    told = {"red_flags": flags, "urgencies": seen, "imbalances": patterns, "example": EXAMPLE}
    return json.dumps(told).encode()


def _texts(_: Request) -> Response:
    return Response(_texts_text(), media_type="application/json")


@cache
def _docs_text() -> bytes:
    return json.dumps(description()).encode()


def _docs(_: Request) -> Response:
    return Response(_docs_text(), media_type="application/json")
