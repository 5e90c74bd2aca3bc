"""The service described as OpenAPI 3.1, from the table of routes and the models of its bodies.

BentoML's own description drops the rules between measures and shows errors that are never sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kneerisk import __version__
from kneerisk.records.identifiers import ATHLETE_CODE, pattern_schema
from kneerisk.schema.own_measures import own_measures_in_force
from kneerisk.schema.screening import screening_type
from kneerisk.words import text, variant
from serving.endpoints import MAX_SCREENINGS
from serving.problem import MEDIA_TYPE, STATUS_BY_CODE, Problem
from serving.recording import RECORD_HEADERS
from serving.route import Route

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"
#: The schema of an answer of which some fields were asked for.
_SOME = "#/components/schemas/Some{model}"
_HEADERS: Json = {
    "x-request-id": {"description": "Also in the log.", "schema": {"type": "string"}},
}
_EVERY_REFUSAL = (
    "malformed_request", "foreign_origin", "incomplete_request", "unknown_host",
    "headers_too_large", "internal_error", "busy",
)  # fmt: skip
_ATHLETE: Json = {"type": "string", **pattern_schema(ATHLETE_CODE)}
#: Of the headers by which recording is asked for.
_RECORD_SCHEMAS: dict[str, Json] = {
    "record": {"enum": ["yes", "no"]},
    "athlete": _ATHLETE,
    "date": {"type": "string", "format": "date"},
    "idempotency_key": {"type": "string", "minLength": 1, "maxLength": 100},
}
_BODY_REFUSALS = ("malformed_json", "incomplete_body", "too_large", "invalid_body", "timeout")


def openapi_document(routes: Mapping[str, Route]) -> Json:
    """The whole OpenAPI document of a table of routes."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kneerisk",
            "version": __version__,
            "description": text("service.description"),
        },
        "servers": [{"url": "/"}],
        "paths": {
            path: {route.method.lower(): _operation(route)} for path, route in routes.items()
        },
        "components": {
            "schemas": _schemas(routes.values()),
            "responses": _problems(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "club_key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of a club whose records the service keeps: kr_...",
                },
            },
        },
    }


def _operation(route: Route) -> Json:
    answer = {"description": "Done.", "headers": _HEADERS, "content": _answer_content(route)}
    refusals = [*route.refusals, *_EVERY_REFUSAL]
    refusals += ["key_required"] if route.needs_key else []
    refusals += ["no_champion"] if route.needs_champion else []
    refusals += _BODY_REFUSALS if route.max_body_bytes else ()
    statuses = sorted({str(STATUS_BY_CODE[code]) for code in refusals})
    problems = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}
    unchanged = {"304": {"description": "Unchanged.", "headers": _HEADERS}}
    return {
        "operationId": route.operation,
        "summary": route.summary,
        **_security(route),
        **_parameters(route),
        **_request_body(route),
        "responses": {"200": answer, **(unchanged if route.has_etag else {}), **problems},
    }


def _answer_content(route: Route) -> Json:
    if route.media_type != "application/json":
        schema: Json = {"type": "string"}
    elif isinstance(route.answer, str):
        schema = {"type": "object"} | ({"description": route.answer} if route.answer else {})
    else:
        schema = _ref(route.answer)
        if route.fields:
            schema = {"anyOf": [schema, {"$ref": _SOME.format(model=route.answer.__name__)}]}
    return {route.media_type: {"schema": schema}}


def _security(route: Route) -> Json:
    if route.role:
        return {"security": [{"club_key": []}]}
    # Not every service has a key, and where records are kept a club's will do.
    return {"security": [{"key": []}, {"club_key": []}, {}]} if route.needs_key else {}


def _parameters(route: Route) -> Json:
    stated: list[Json] = []
    if "{athlete}" in route.path:
        stated.append({"name": "athlete", "in": "path", "required": True, "schema": _ATHLETE,
                       "description": variant("service.header", "athlete")})  # fmt: skip
    stated += [
        {"name": name, "in": "query", "schema": schema, "style": "form", "explode": False,
         "description": variant("service.query", name)}
        for name, schema in route.query.items()
    ]  # fmt: skip
    if route.fields:
        names = {"type": "array", "items": {"enum": list(route.fields)}, "minItems": 1}
        stated.append({
            "name": "fields", "in": "query", "description": text("service.request.fields"),
            "style": "form", "explode": False, "schema": names,
        })  # fmt: skip
    if route.records:
        stated += [
            {"name": RECORD_HEADERS[name], "in": "header", "schema": schema,
             "description": variant("service.header", name)}
            for name, schema in _RECORD_SCHEMAS.items()
        ]  # fmt: skip
    return {"parameters": stated} if stated else {}


def _request_body(route: Route) -> Json:
    if route.body:
        media_type, content = "application/json", {"schema": _ref(route.body)}
    elif route.upload:
        media_type, content = "multipart/form-data", _upload(route.upload, route.most_files)
    else:
        return {}
    content |= {"examples": {name: {"value": value} for name, value in route.examples.items()}}
    return {"requestBody": {"required": True, "content": {media_type: content}}}


def _upload(mapping: type[BaseModel], most_files: int) -> Json:
    file = {
        "type": "string",
        "format": "binary",
        "description": "CSV, tab-separated, .xlsx or .ods.",
    }
    files = {"type": "array", "items": file, "minItems": 1, "maxItems": most_files}
    properties = {"file": files, "mapping": _ref(mapping)}
    return {
        "schema": {"type": "object", "properties": properties, "required": ["file"]},
        "encoding": {"mapping": {"contentType": "application/json"}},
    }


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}


def _problems() -> Json:
    """One response for each status, that names the codes it comes with."""
    responses: Json = {}
    for code, status in STATUS_BY_CODE.items():
        content = {MEDIA_TYPE: {"schema": _ref(Problem)}}
        blank = {"description": "", "headers": _HEADERS, "content": content}
        response = responses.setdefault(f"Problem{status}", blank)
        response["description"] += f"`{code}`: {variant('service.problem', code)}. "
    return responses


def _schemas(routes: Iterable[Route]) -> Json:
    rows = list(routes)
    bodies = [model for route in rows for model in (route.body, route.upload) if model]
    answers = [route.answer for route in rows if not isinstance(route.answer, str)]
    partial = [route.answer for route in rows if route.fields]
    models = [(model, "validation") for model in dict.fromkeys((*bodies, *answers, Problem))]
    _, definitions = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    schemas: Json = definitions["$defs"]
    if own_measures_in_force():
        # The models of the bodies hold a screening of the package's measures.
        _, own = models_json_schema([(screening_type(), "validation")], ref_template=_REF)
        schemas |= own["$defs"]
    if "Team" in schemas:
        # A team's screenings are checked one by one, so its model says nothing about them.
        schemas["Team"]["properties"]["screenings"] |= {
            "items": {"$ref": _REF.format(model="Screening")},
            "maxItems": MAX_SCREENINGS,
        }
    for name in [model.__name__ for model in answers if model in partial]:
        schemas[f"Some{name}"] = {k: v for k, v in schemas[name].items() if k != "required"}
    # What a screening leaves out may also be null; what an answer does not know is always absent.
    nullable = set().union(*(_reachable(schemas, model.__name__) for model in bodies))
    return {
        name: schema if name in nullable else _without_null(schema)
        for name, schema in schemas.items()
    }


def _reachable(schemas: Json, name: str) -> set[str]:
    """The names of the schemas that one of them refers to, with its own."""
    reached, frontier = {name}, [name]
    while frontier:
        text = str(schemas[frontier.pop()])
        new = {other for other in schemas if f"'{_REF.format(model=other)}'" in text} - reached
        reached |= new
        frontier += new
    return reached


def _without_null(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_null(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    cleaned = {k: _without_null(v) for k, v in schema.items() if (k, v) != ("default", None)}
    options = cleaned.get("anyOf", [])
    if len(options) != 1:
        return cleaned
    return {**options[0], **{k: v for k, v in cleaned.items() if k != "anyOf"}}
