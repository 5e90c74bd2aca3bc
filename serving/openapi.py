"""The service described as OpenAPI 3.1, from the very models that read and write its bodies.

BentoML's own description drops the rules between measures and shows errors that are never sent.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from kneerisk import __version__
from kneerisk.answer import Answer
from kneerisk.answer.follow_up import MOST_VISITS, FollowUp, FollowUpAnswer
from kneerisk.answer.what_if import WhatIf, WhatIfAnswer
from kneerisk.cohort.sheets.recognise import SheetAnswer, SheetAsked
from kneerisk.schema import Screening
from serving.assets import ASSETS
from serving.problem import KINDS, MEDIA_TYPE, Problem
from serving.team import MAX_SCREENINGS, Team, TeamAnswer

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"

#: A runner with unequal legs and a knee that hurt before: the request that is shown everywhere.
EXAMPLE: Json = {
    "athlete": {"age_years": 27, "sex": "female", "sport": "running", "weekly_run_km": 45,
                "session_spike_ratio": 1.25},
    "left": {"wblt_dorsiflexion_deg": 33, "hip_drop_deg": 9, "fppa_deg": 13,
             "ober_adduction_deg": 15, "quad_torque_nm_kg": 2.1, "hamstring_torque_nm_kg": 1.05,
             "prior_knee_injury": "within_12_months"},
    "right": {"wblt_dorsiflexion_deg": 41, "hip_drop_deg": 4.5, "fppa_deg": 6,
              "ober_adduction_deg": 25, "quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.1,
              "prior_knee_injury": "none"},
    "protocol": {"valgus_task": "single_leg_squat", "torque_mode": "isometric"},
    "red_flags": [],
}  # fmt: skip

#: The same runner with a hip that drops less, and a week without a longer run than before.
WHAT_IF: Json = {
    "screening": EXAMPLE, "changes": {"left_hip_drop_deg": 5, "session_spike_ratio": 1.0},
}  # fmt: skip
#: The same runner twelve weeks later.
FOLLOW_UP: Json = {
    "visits": [
        {"date": "2026-03-02", "screening": EXAMPLE},
        {"date": "2026-05-25", "screening": EXAMPLE | {
            "left": EXAMPLE["left"] | {"hip_drop_deg": 4.5, "quad_torque_nm_kg": 2.6}}},
    ],
}  # fmt: skip

#: A sheet as clubs keep them, and what its keeper says about it.
SHEET = (
    "Our club, tests of March;;;;;\n"
    "Spieler;Geschlecht;Alter;Gewicht (lb);KTW L (cm);KTW R (cm)\n"
    "A;w;22;143,3;9,5;11\nB;m;270;176;8;10,5\n"
)
SAID: Json = {"constants": {"sport": "volleyball"}, "columns": {"D": {"unit": "lb"}}}


def description() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kneerisk",
            "version": __version__,
            "description": "Risk of knee pain and the likely muscle imbalance, per knee, from "
            "screening measures. A screening aid, not a medical device.",
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {"schemas": _schemas(), "responses": _problems()},
    }


def _paths() -> Json:
    body = ("malformed_json", "incomplete_body", "too_large", "invalid_body", "timeout")
    predict = _asked("Screening", {"runner": {"value": EXAMPLE}})
    team = _asked("Team", {"two": {"value": {"screenings": [EXAMPLE, EXAMPLE]}}})
    return {
        "/v1/predict": {"post": _operation(
            "predict", "Answer one screening", _json(_ref("Answer")),
            ("no_champion", *body), predict)},
        "/v1/predict_team": {"post": _operation(
            "predict_team", f"Answer up to {MAX_SCREENINGS:,} screenings, each by itself",
            _json(_ref("TeamAnswer")), ("no_champion", *body), team)},
        "/v1/what_if": {"post": _operation(
            "what_if", "Answer a screening with other values of some measures",
            _json(_ref("WhatIfAnswer")), ("no_champion", *body),
            _asked("WhatIf", {"less_hip_drop": {"value": WHAT_IF}}))},
        "/v1/follow_up": {"post": _operation(
            "follow_up", f"Compare 2 to {MOST_VISITS} visits of one athlete",
            _json(_ref("FollowUpAnswer")), ("no_champion", *body),
            _asked("FollowUp", {"twelve_weeks": {"value": FOLLOW_UP}}))},
        "/v1/report": {"post": _operation(
            "report", "Answer one screening as a page to print", _PAGE,
            ("no_champion", *body), predict)},
        "/v1/import": {"post": _operation(
            "import", "Recognise a CSV or Excel file: columns, units, bad cells, screenings",
            _json(_ref("SheetAnswer")),
            ("malformed_upload", "unreadable_sheet", *body), _upload())},
        **_pages(),
    }  # fmt: skip


_PAGE: Json = {"text/html": {"schema": {"type": "string"}}}


def _pages() -> Json:
    """What is asked for with GET."""
    schema: Json = {"type": "object", "description": "JSON Schema 2020-12 of a screening."}
    model: Json = {"type": "object", "description": "Lineage, population seen, kind of cohort."}
    plain: Json = {"text/plain": {"schema": {"type": "string"}}}
    texts: Json = {"type": "object", "description": "Red flags as questions; imbalances' labels."}
    return {
        "/v1/schema": {"get": _operation("schema", "What a screening may hold", _json(schema))},
        "/v1/model": {"get": _operation(
            "model", "Which model answers, and whom it knows", _json(model), ("no_champion",))},
        "/v1/texts": {"get": _operation("texts", "Words for a form of one's own", _json(texts))},
        "/": {"get": _operation("page", "A page for people", _PAGE)},
        **{f"/{name}": {"get": _asset(name)} for name in ASSETS},
        "/docs.json": {"get": _operation("docs", "This document", _json({"type": "object"}))},
        "/livez": {"get": _operation("livez", "Whether the service runs", plain)},
        "/readyz": {"get": _operation(
            "readyz", "Whether a checked champion is loaded", plain, ("no_champion",))},
        "/metrics": {"get": _operation("metrics", "Counts and durations, for Prometheus", plain)},
    }  # fmt: skip


def _operation(
    name: str, summary: str, content: Json, refusals: tuple[str, ...] = (), body: Json | None = None
) -> Json:
    statuses = {str(KINDS[code][0]) for code in (*refusals, "internal_error")}
    answers: Json = {"200": {"description": "Done.", "headers": _HEADERS, "content": content}}
    answers |= {s: {"$ref": f"#/components/responses/Problem{s}"} for s in sorted(statuses)}
    asked = {"requestBody": body} if body else {}
    return {"operationId": name, "summary": summary, **asked, "responses": answers}


def _asset(name: str) -> Json:
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    operation = name.translate(str.maketrans("/.-", "___"))
    return _operation(operation, "A part of the page", {kind: {"schema": {"type": "string"}}})


_HEADERS: Json = {
    "x-request-id": {"description": "Also in the log.", "schema": {"type": "string"}},
}


def _asked(model: str, examples: Json) -> Json:
    content = {"application/json": {"schema": _ref(model), "examples": examples}}
    return {"required": True, "content": content}


def _upload() -> Json:
    file = {"type": "string", "format": "binary", "description": "CSV, tab-separated or .xlsx."}
    parts = {"file": file, "mapping": _ref("SheetAsked")}
    content = {
        "schema": {"type": "object", "properties": parts, "required": ["file"]},
        "encoding": {"mapping": {"contentType": "application/json"}},
        "examples": {"club": {"value": {"file": SHEET, "mapping": SAID}}},
    }
    return {"required": True, "content": {"multipart/form-data": content}}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _ref(model: str) -> Json:
    return {"$ref": _REF.format(model=model)}


def _problems() -> Json:
    """One response for each status, that names the codes it comes with."""
    found: Json = {}
    for code, (status, title) in KINDS.items():
        told = found.setdefault(f"Problem{status}", {
            "description": "", "headers": _HEADERS,
            "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
        })  # fmt: skip
        told["description"] += f"`{code}`: {title}. "
    return found


_ASKED = (Screening, Team, WhatIf, FollowUp, SheetAsked)
_MODELS = (*_ASKED, Answer, TeamAnswer, WhatIfAnswer, FollowUpAnswer, SheetAnswer, Problem)


def _schemas() -> Json:
    models = [(model, "validation") for model in _MODELS]
    _, found = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    schemas: Json = found["$defs"]
    schemas["Team"]["properties"]["screenings"] |= {
        "items": _ref("Screening"), "maxItems": MAX_SCREENINGS,
    }  # fmt: skip
    # What a screening leaves out may also be null; what an answer does not know is always absent.
    asked = set().union(*(_reached(schemas, model.__name__) for model in _ASKED))
    return {name: s if name in asked else _without_null(s) for name, s in schemas.items()}


def _reached(schemas: Json, name: str) -> set[str]:
    found, new = {name}, [name]
    while new:
        text = str(schemas[new.pop()])
        more = {other for other in schemas if f"'{_REF.format(model=other)}'" in text} - found
        found |= more
        new += more
    return found


def _without_null(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_null(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    left = {k: _without_null(v) for k, v in schema.items() if (k, v) != ("default", None)}
    options = left.get("anyOf", [])
    return (
        {**options[0], **{k: v for k, v in left.items() if k != "anyOf"}}
        if len(options) == 1
        else left
    )
