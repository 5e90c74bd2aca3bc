"""The OpenAPI document keeps its conventions, for every row of the table of routes."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from kneerisk.schema.faults import FaultCode
from kneerisk.schema.measures_file import own_measures
from pipelines.error_codes import markdown
from serving.endpoints import _schema_json
from serving.fhir_routes import FHIR_ROUTES
from serving.openapi import openapi_document, operation
from serving.problem import STATUS_BY_CODE
from serving.route import Route
from serving.routes import ROUTES

ROOT = Path(__file__).parents[1]
ALL = {**ROUTES, **FHIR_ROUTES}
DESCRIBED = [route for route in ALL.values() if route.tag]
#: Names that a client of JavaScript can't give to a function.
JAVASCRIPT_WORDS = {"import", "export", "delete", "function", "new", "switch", "default", "in"}
#: What JSON Schema 2020-12 and OpenAPI 3.1 have; anything else begins with ``x-``.
_KEYWORDS = """
$ref type enum const format pattern title description examples required minimum maximum
exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems uniqueItems
minProperties maxProperties properties patternProperties additionalProperties propertyNames items
prefixItems contains allOf anyOf oneOf not if then else
"""
KEYWORDS = set(_KEYWORDS.split())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = openapi_document(ALL)
    return made


def schemas_in(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all schemas in it, with where they stand."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            for name, part in value.items():
                yield from schemas_in(part, f"{place}/{name}")
        elif key in {"items", "not", "if", "then", "else", "additionalProperties", "contains"}:
            yield from schemas_in(value, f"{place}/{key}")
        elif key in {"allOf", "anyOf", "oneOf", "prefixItems"}:
            for number, part in enumerate(value):
                yield from schemas_in(part, f"{place}/{key}/{number}")


def all_schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in document["components"]["schemas"].items():
        yield from schemas_in(schema, name)


@pytest.mark.parametrize("route", DESCRIBED, ids=lambda route: route.path)
class TestEveryRow:
    def test_its_name_makes_a_method(self, route: Route) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", route.operation)
        assert not keyword.iskeyword(route.operation)
        assert route.operation not in JAVASCRIPT_WORDS

    def test_it_says_who_may_call(self, route: Route) -> None:
        security = operation(route)["security"]
        if route.role:
            assert security == [{"club_key": []}]
        else:
            assert bool(security) == route.needs_key

    def test_its_answer_is_typed(self, route: Route, document: dict[str, Any]) -> None:
        content = operation(route)["responses"]["200"]["content"]
        assert set(content) == {route.media_type}
        if not route.media_type.endswith("json"):
            return
        schema = content[route.media_type]["schema"]
        for one in schema.get("anyOf", [schema]):
            name = one["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][name]["properties"]

    def test_its_problems_are_listed(self, route: Route, document: dict[str, Any]) -> None:
        for code in route.refusals:
            response = document["components"]["responses"][f"Problem{STATUS_BY_CODE[code]}"]
            assert f"`{code}`" in response["description"]
            assert code in response["content"]["application/problem+json"]["examples"]


class TestDocument:
    def test_every_chapter_is_described(self, document: dict[str, Any]) -> None:
        described = {tag["name"] for tag in document["tags"]}
        assert described == {route.tag for route in DESCRIBED}
        assert all(tag["description"] for tag in document["tags"])

    def test_it_has_no_file_of_the_page(self, document: dict[str, Any]) -> None:
        assert not [path for path in document["paths"] if path.startswith("/page") or path == "/"]
        assert {"/openapi.json", "/v1/predict", "/v1/athletes/{athlete}"} <= set(document["paths"])

    def test_no_default_makes_an_optional_field_required(self, document: dict[str, Any]) -> None:
        assert [place for place, schema in all_schemas(document) if "default" in schema] == []

    def test_own_keywords_are_extensions(self, document: dict[str, Any]) -> None:
        own = {key for _, schema in all_schemas(document) for key in set(schema) - KEYWORDS}
        assert {key for key in own if not key.startswith("x-")} == set()
        assert {"x-unit", "x-typical", "x-allowed", "x-test"} <= own

    def test_what_an_answer_always_has_is_required(self, document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        assert {"summary", "drivers", "advice", "risk"} <= set(schemas["Answer"]["required"])
        assert "plan" not in schemas["Answer"]["required"]
        assert "required" not in schemas["SomeAnswer"]
        assert schemas["SomeAnswer"]["title"] == "SomeAnswer"

    def test_what_may_be_null_says_so(self, document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        assert "null" in schemas["Leg"]["properties"]["hip_drop_deg"]["type"]
        assert {"type": "null"} in schemas["MonitoringAnswer"]["properties"]["drift"]["anyOf"]
        assert '"null"' not in json.dumps(schemas["Answer"])

    def test_a_minimal_body_needs_age_and_sex_alone(self, document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        assert schemas["Screening"]["required"] == ["athlete"]
        assert set(schemas["Athlete"]["required"]) == {"age_years", "sex"}

    def test_a_club_s_own_measures_are_in_it(self) -> None:
        hop = {"label": "Hop", "of": "leg", "unit": "cm", "low": 10, "high": 300, "mean": 120,
               "sd": 25, "protocol": "One hop.", "source": "the club"}  # fmt: skip
        with own_measures({"hop_distance_cm": hop}, "club").in_force():
            made, published = openapi_document(ALL), json.loads(_schema_json())
        assert "hop_distance_cm" in made["components"]["schemas"]["Leg"]["properties"]
        described = {"$ref": "#/components/schemas/SchemaDocument"}
        validator = jsonschema_rs.Draft202012Validator(
            described | {"components": made["components"]}
        )
        assert [error.message for error in validator.iter_errors(published)] == []

    def test_a_row_that_is_added_is_described_alike(self) -> None:
        class Steps(BaseModel):
            count: int = 3

        new = Route(path="/v1/steps", operation="get_steps", summary="Steps", answer=Steps)
        made = openapi_document({new.path: new})
        assert made["tags"][0]["name"] == new.tag
        assert made["components"]["schemas"]["Steps"]["required"] == ["count"]
        assert "default" not in made["components"]["schemas"]["Steps"]["properties"]["count"]


class TestErrorCodes:
    def test_the_document_lists_every_code(self, document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        assert schemas["ProblemCode"]["enum"] == list(STATUS_BY_CODE)
        assert schemas["FaultCode"]["enum"] == list(FaultCode)
        for name, listed in (("Problem", "ProblemCode"), ("Fault", "FaultCode")):
            reference = schemas[name]["properties"]["code"]
            assert reference == {"$ref": f"#/components/schemas/{listed}"}

    def test_the_page_has_a_cause_and_a_cure_for_each(self) -> None:
        page = (ROOT / "docs" / "error-codes.md").read_text("utf-8")
        assert page == markdown()
        rows = {line.split("|")[1].strip(): line for line in page.splitlines() if "| `" in line}
        for code, status in STATUS_BY_CODE.items():
            assert f"| `{code}` | {status} | " in page
        missing = {f"`{code}`" for code in (*STATUS_BY_CODE, *FaultCode)} - set(rows)
        assert missing == set()
        assert all(len(cell.strip()) > 2 for row in rows.values() for cell in row.split("|")[1:-1])
