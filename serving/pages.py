"""What the service answers to GET: the page for people, the schema, the model, the documents."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from string import Template

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kneerisk.schema import Screening
from serving.champion import ChampionHolder
from serving.metrics import Metrics
from serving.openapi import EXAMPLE, description


def pages(champion: ChampionHolder, metrics: Metrics) -> Starlette:
    """The pages as an application to mount beside the predictions."""

    def model(_: Request) -> Response:
        return JSONResponse(champion.current().facts.public())

    def counts(_: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/", _landing),
            Route("/v1/schema", _schema),
            Route("/v1/model", model),
            Route("/docs.json", _docs),
            Route("/metrics", counts),
        ]
    )


def _landing(request: Request) -> Response:
    # The address as the client wrote it, so that the command works where it is read.
    curl = "\n".join(
        [
            f"curl {request.base_url}v1/predict \\",
            "  -H 'content-type: application/json' \\",
            f"  -d '{json.dumps(EXAMPLE)}'",
        ]
    )
    page = Template(_template()).substitute(CURL=html.escape(curl, quote=False))
    return Response(page, media_type="text/html", headers=_page_policy())


@cache
def _template() -> str:
    return (files("serving") / "landing.html").read_text(encoding="utf-8")


@cache
def _page_policy() -> dict[str, str]:
    """Nothing but the page's own style may be used, known by its hash."""
    style = re.search("<style>(.*?)</style>", _template(), re.DOTALL)
    digest = hashlib.sha256(style.group(1).encode() if style else b"").digest()
    own = base64.b64encode(digest).decode()
    return {
        "content-security-policy": f"default-src 'none'; style-src 'sha256-{own}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }


@cache
def _schema_text() -> bytes:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Screening.model_json_schema()).encode()


def _schema(_: Request) -> Response:
    return Response(_schema_text(), media_type="application/json")


@cache
def _docs_text() -> bytes:
    return json.dumps(description()).encode()


def _docs(_: Request) -> Response:
    return Response(_docs_text(), media_type="application/json")
