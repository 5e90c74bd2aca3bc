"""The service described as OpenAPI 3.1, from the table of routes and the models of its bodies.

BentoML's own description drops the rules between measures and shows errors that are never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from kneerisk import __version__
from kneerisk.messages.problem_document import MEDIA_TYPE, Problem
from kneerisk.records.identifiers import ATHLETE_CODE, pattern_schema
from kneerisk.words import text, variant
from serving.openapi_schemas import REFERENCE, SOME, component_schemas, reference
from serving.problem import PROBLEM_FORM, STATUS_BY_CODE, Refusal, problem
from serving.recording import RECORD_HEADERS
from serving.route import Route

Json = dict[str, Any]

_HEADERS: Json = {
    "x-request-id": {"description": "Also in the log.", "schema": {"type": "string"}},
}
#: Where the key has a limit.
_RATE_HEADERS: Json = {
    "ratelimit": {
        "description": "What is left of each limit, and for how many seconds.",
        "schema": {"type": "string"},
    },
    "ratelimit-policy": {"description": "The limits.", "schema": {"type": "string"}},
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
    # A pattern, since generators of clients can't put a value of format date into a header.
    "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "idempotency_key": {"type": "string", "minLength": 1, "maxLength": 100},
}
_BODY_REFUSALS = ("malformed_json", "incomplete_body", "too_large", "invalid_body", "timeout")


def openapi_document(routes: Mapping[str, Route]) -> Json:
    """The whole OpenAPI document of a table of routes."""
    described = [route for route in routes.values() if route.tag]
    paths = {route.path: {route.method.lower(): operation(route)} for route in described}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kneerisk",
            "version": __version__,
            "description": text("service.description"),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "description": variant("service.tag", name)}
            for name in dict.fromkeys(route.tag for route in described)
        ],
        "paths": paths,
        "components": {
            "schemas": component_schemas(described),
            "responses": {
                name: response for name, response in _problems().items() if name in str(paths)
            },
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


def operation(route: Route) -> Json:
    """How the document describes one route."""
    headers = _HEADERS | (_RATE_HEADERS if _is_counted(route) else {})
    answer = {"description": "Done.", "headers": headers, "content": _answer_content(route)}
    refusals = [*route.refusals, *_EVERY_REFUSAL]
    refusals += ["key_required", "key_refused", "key_ended"] if route.needs_key else []
    refusals += ["role_needed", "too_many_requests"] if _is_counted(route) else []
    refusals += ["no_champion"] if route.needs_champion else []
    refusals += _BODY_REFUSALS if route.max_body_bytes else ()
    statuses = sorted({str(STATUS_BY_CODE[code]) for code in refusals})
    problems = {status: _problem(route, status) for status in statuses}
    unchanged = {"304": {"description": "Unchanged.", "headers": _HEADERS}}
    return {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [route.tag],
        "security": _security(route),
        **_parameters(route),
        **_request_body(route),
        "responses": {"200": answer, **(unchanged if route.has_etag else {}), **problems},
    }


def _is_counted(route: Route) -> bool:
    """Whether its requests count against the limits of their key."""
    return route.needs_key and not route.metrics_key


def _problem(route: Route, status: str) -> Json:
    if route.errors is PROBLEM_FORM:
        return {"$ref": f"#/components/responses/Problem{status}"}
    content = {route.errors.media_type: {"schema": {"type": "object"}}}
    return {"description": "OperationOutcome", "headers": _HEADERS, "content": content}


def _answer_content(route: Route) -> Json:
    if not route.media_type.endswith("json"):
        schema: Json = {"type": "string"}
    elif route.answer is None:
        schema = {"type": "object"}
    else:
        schema = reference(route.answer)
        if route.fields:
            some = REFERENCE.format(model=SOME.format(model=route.answer.__name__))
            schema = {"anyOf": [schema, {"$ref": some}]}
    return {route.media_type: {"schema": schema}}


def _security(route: Route) -> list[Json]:
    if route.role:
        return [{"club_key": []}]
    # Not every service has a key, and where records are kept a club's will do.
    return [{"key": []}, {"club_key": []}, {}] if route.needs_key else []


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
    examples = route.examples
    if route.body:
        is_json = route.media_type.endswith("+json")
        media_type = route.media_type if is_json else "application/json"
        content = {"schema": reference(route.body)}
    elif route.upload:
        media_type, content = "multipart/form-data", _upload(route.upload, route.most_files)
        examples = {
            name: {**parts, "file": [parts["file"]]} for name, parts in route.examples.items()
        }
    else:
        return {}
    content |= {"examples": {name: {"value": value} for name, value in examples.items()}}
    return {"requestBody": {"required": True, "content": {media_type: content}}}


def _upload(mapping: type[BaseModel], most_files: int) -> Json:
    file = {
        "type": "string",
        "format": "binary",
        "description": "CSV, tab-separated, .xlsx or .ods.",
    }
    files = {"type": "array", "items": file, "minItems": 1, "maxItems": most_files}
    properties = {"file": files, "mapping": reference(mapping)}
    return {
        "schema": {"type": "object", "properties": properties, "required": ["file"]},
        "encoding": {"mapping": {"contentType": "application/json"}},
    }


def _problems() -> Json:
    """One response for each status, that names the codes it comes with."""
    responses: Json = {}
    for code, status in STATUS_BY_CODE.items():
        content: Json = {MEDIA_TYPE: {"schema": reference(Problem), "examples": {}}}
        blank = {"description": "", "headers": _HEADERS, "content": content}
        response = responses.setdefault(f"Problem{status}", blank)
        cause, cure = variant("service.cause", code), variant("service.cure", code)
        response["description"] += f"`{code}`: {cause} {cure}\n\n"
        example = problem(Refusal(code, cause)).model_dump(exclude_none=True)
        response["content"][MEDIA_TYPE]["examples"][code] = {"value": example}
    return responses
