"""What each endpoint does: one function for each row of the table in `serving.routes`.

An endpoint with a JSON body takes the body, already validated, after the champion's bundle where it
needs one. The others take the request; ``request.app.state`` holds the champion, the metrics and
the OpenAPI document.
"""

from __future__ import annotations

import json

from anyio import to_thread
from markupsafe import Markup
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kneerisk.answer import answer
from kneerisk.answer import hand_out as athlete_sheet
from kneerisk.answer import report as printed_report
from kneerisk.answer.follow_up.compare_visits import follow_up as compare_visits
from kneerisk.answer.follow_up.follow_up_request import FollowUp
from kneerisk.answer.follow_up.follow_up_schema import FollowUpAnswer
from kneerisk.answer.poses import poses
from kneerisk.answer.printed_page import content_policy
from kneerisk.answer.report.drawings import outlines
from kneerisk.answer.told_numbers import TOLD_PARTS
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.answer.what_if import what_if as answer_changes
from kneerisk.cohort.sheets.device_units import other_units
from kneerisk.cohort.sheets.lexicon.vocabulary import unsided
from kneerisk.evidence import effect_sizes, imbalances, red_flags, urgencies
from kneerisk.messages.form_texts import FlagQuestion, ImbalanceLabel, Texts, UrgencyTime
from kneerisk.model.bundle import Bundle
from kneerisk.schema import Quantity, Screening
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.screening import screening_type
from kneerisk.words import section
from serving.answers_together import AnswersTogether
from serving.recording import Recording
from serving.request_examples import EXAMPLE

_JSON = "application/json"
_together = AnswersTogether()


async def predict(
    bundle: Bundle, screening: Screening, fields: frozenset[str], recording: Recording | None
) -> Response:
    """Answer one screening, and keep both where that is asked for.

    Parameters
    ----------
    bundle
        The champion.
    screening
        The screening.
    fields
        The fields of the answer that are asked for.
    recording
        What is to be recorded.

    Returns
    -------
    Response
        These fields as JSON, with the id of a recorded answer.

    Raises
    ------
    Refusal
        Where it is to be recorded and can't be.
    """
    parts, shown = set(fields), set(fields)
    if recording is not None:
        parts |= set(TOLD_PARTS)
    asked = await _together.answer(bundle, screening, parts)
    if recording is not None:
        answer_id = await recording.keep(bundle, screening, asked)
        asked = asked.model_copy(update={"answer_id": answer_id})
        shown.add("answer_id")
    # What is not known is absent, not null; a value of the wrong type is a mistake.
    content = asked.model_dump_json(include=shown, exclude_none=True, warnings="error")
    return Response(content, media_type=_JSON)


def what_if(bundle: Bundle, body: WhatIf) -> WhatIfAnswer:
    """Answer a screening with other values of some of its measures."""
    return answer_changes(bundle, body)


def follow_up(bundle: Bundle, body: FollowUp) -> FollowUpAnswer:
    """Compare the visits of one athlete."""
    return compare_visits(bundle, body)


def report(bundle: Bundle, screening: Screening) -> Response:
    """Answer one screening as a page to print."""
    page = printed_report.report_html(answer(bundle, screening), screening)
    return _printed(page, printed_report.style())


def hand_out(bundle: Bundle, screening: Screening) -> Response:
    """Answer one screening as a sheet for the athlete."""
    page = athlete_sheet.hand_out_html(answer(bundle, screening), screening)
    return _printed(page, athlete_sheet.style())


def _printed(page: str, style: Markup) -> Response:
    policy = {"content-security-policy": content_policy(style)}
    return Response(page, media_type="text/html", headers=policy)


def model(request: Request) -> Response:
    """Say which model answers: its lineage and the population it has seen."""
    bundle = request.app.state.champion.current()
    own = {"own_measures": dict(bundle.model.own.declared)} if bundle.model.own else {}
    return JSONResponse(bundle.metadata.public() | own)


async def metrics(request: Request) -> Response:
    """Give the counts and durations of all workers, and outcomes to whoever runs the service."""
    state = request.app.state
    content: bytes = await to_thread.run_sync(state.metrics.text)
    if request.state.club is None:
        content += state.outcome_gauges.text(request.state.records)
    return Response(content, media_type=CONTENT_TYPE_LATEST)


def openapi(request: Request) -> Response:
    """Give the OpenAPI document of the application's routes."""
    return Response(request.app.state.openapi(), media_type=_JSON)


def schema(_: Request) -> Response:
    """Give the JSON Schema of a screening."""
    return Response(_schema_json(), media_type=_JSON)


def texts(_: Request) -> Response:
    """Give the words of a form: red flags, imbalances, legs, texts of the page, an example."""
    return Response(_texts_json(), media_type=_JSON)


@per_schema
def _schema_json() -> bytes:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | screening_type().model_json_schema()).encode()


@per_schema
def _texts_json() -> bytes:
    units = {
        name: shown
        for name, measure in unsided().items()
        if isinstance(measure, Quantity) and (shown := other_units(measure))
    }
    told = Texts(
        units=units,
        red_flags=[FlagQuestion.model_validate(flag) for flag in red_flags().values()],
        urgencies=[UrgencyTime.model_validate(urgency) for urgency in urgencies().values()],
        imbalances=[ImbalanceLabel.model_validate(one) for one in imbalances().values()],
        leg_drawing=dict(outlines()),
        poses=list(poses()),
        effect_sizes={str(size): count for size, count in effect_sizes().items()},
        example=Screening.model_validate(EXAMPLE),
        words={name: dict(section(name)) for name in ("shared", "page", "hand_out", "club")},
    )
    # The example stands as it is sent: whole numbers whole, in the order of a form.
    return json.dumps(told.model_dump(mode="json") | {"example": EXAMPLE}).encode()
