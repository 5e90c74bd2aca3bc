"""What each endpoint does: one function for each row of the table in `serving.routes`.

An endpoint with a JSON body takes the champion's bundle and the body, already validated. The others
take the request; ``request.app.state`` holds the champion, the metrics and the OpenAPI document.
"""

from __future__ import annotations

import json
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kneerisk.answer import Answer, answer
from kneerisk.answer.follow_up import follow_up as compare_visits
from kneerisk.answer.follow_up_request import FollowUp
from kneerisk.answer.follow_up_schema import FollowUpAnswer
from kneerisk.answer.report import content_policy, report_html
from kneerisk.answer.report.drawings import outlines
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.answer.what_if import what_if as answer_changes
from kneerisk.evidence import imbalances, red_flags, urgencies
from kneerisk.model.bundle import Bundle
from kneerisk.schema import Screening
from kneerisk.words import section
from serving.request_examples import EXAMPLE
from serving.team import Team, answer_team

_JSON = "application/json"


def predict(bundle: Bundle, screening: Screening) -> Answer:
    """Answer one screening."""
    return answer(bundle, screening)


async def predict_team(bundle: Bundle, team: Team) -> Response:
    """Answer the valid screenings of a team and name the faults of the others."""
    return Response(await answer_team(bundle, team), media_type=_JSON)


def what_if(bundle: Bundle, body: WhatIf) -> WhatIfAnswer:
    """Answer a screening with other values of some of its measures."""
    return answer_changes(bundle, body)


def follow_up(bundle: Bundle, body: FollowUp) -> FollowUpAnswer:
    """Compare the visits of one athlete."""
    return compare_visits(bundle, body)


def report(bundle: Bundle, screening: Screening) -> Response:
    """Answer one screening as a page to print."""
    page = report_html(answer(bundle, screening), screening)
    policy = {"content-security-policy": content_policy()}
    return Response(page, media_type="text/html", headers=policy)


def model(request: Request) -> Response:
    """Say which model answers: its lineage and the population it has seen."""
    return JSONResponse(request.app.state.champion.current().metadata.public())


def metrics(request: Request) -> Response:
    """Give the counts and durations of all workers."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def openapi(request: Request) -> Response:
    """Give the OpenAPI document of the application's routes."""
    return Response(request.app.state.openapi(), media_type=_JSON)


def schema(_: Request) -> Response:
    """Give the JSON Schema of a screening."""
    return Response(_schema_json(), media_type=_JSON)


def texts(_: Request) -> Response:
    """Give the words of a form: red flags, imbalances, legs, texts of the page, an example."""
    return Response(_texts_json(), media_type=_JSON)


@cache
def _schema_json() -> bytes:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Screening.model_json_schema()).encode()


@cache
def _texts_json() -> bytes:
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
    labels = [
        {
            "name": imbalance.name,
            "label": imbalance.label,
            "phrase": imbalance.phrase,
            "usual_site": imbalance.usual_site,
        }
        for imbalance in imbalances().values()
    ]
    times = [{"urgency": urgency.urgency, "when": urgency.when} for urgency in urgencies().values()]
    document = {
        "red_flags": flags,
        "urgencies": times,
        "imbalances": labels,
        "leg_drawing": dict(outlines()),
        "example": EXAMPLE,
        "words": {name: dict(section(name)) for name in ("shared", "page")},
    }
    return json.dumps(document).encode()
