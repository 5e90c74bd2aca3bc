"""The schemas of the OpenAPI document: the models of bodies and answers as generators take them.

Pydantic's JSON Schema, which ``/v1/schema`` publishes as it is, with these conventions: no default
of null, since generators take what has a default for something that is always there; what an answer
leaves out is absent, and what it always has is required; own keywords begin with ``x-``; codes of
problems and faults are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kneerisk.answer import Answer
from kneerisk.messages.problem_document import Problem
from kneerisk.schema.faults import FaultCode
from kneerisk.schema.own_measures import own_measures_in_force
from kneerisk.schema.screening import screening_type
from serving.problem import STATUS_BY_CODE
from serving.route import Route
from serving.team_endpoint import MAX_SCREENINGS

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"
#: The schema of an answer of which some fields were asked for.
SOME = "Some{model}"
#: The codes that a field called ``code`` has, by the schema that it stands in.
_CODES: dict[str, tuple[str, list[str]]] = {
    "Problem": ("ProblemCode", list(STATUS_BY_CODE)),
    "Fault": ("FaultCode", [str(code) for code in FaultCode]),
}
_NULL: Json = {"type": "null"}
#: Keywords of JSON Schema 2020-12 that a schema may have here, by what they hold.
_OF_ONE_SCHEMA = frozenset({
    "items", "not", "if", "then", "else", "additionalProperties", "propertyNames", "contains",
})  # fmt: skip
_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_OF_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs"})
_PLAIN = frozenset({
    "$ref", "type", "enum", "const", "format", "pattern", "title", "description", "default",
    "examples", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties",
    "maxProperties", "readOnly", "writeOnly", "deprecated", "contentMediaType", "contentEncoding",
    "discriminator", "dependentRequired",
})  # fmt: skip


def reference(model: type[BaseModel]) -> Json:
    """A reference to the schema of a model."""
    return {"$ref": REFERENCE.format(model=model.__name__)}


def component_schemas(routes: Iterable[Route]) -> Json:
    """The schemas of all bodies and answers of some routes, and of problems, by name."""
    rows = list(routes)
    bodies = [model for route in rows for model in (route.body, route.upload) if model]
    answers = [route.answer for route in rows if route.answer]
    models = [(model, "validation") for model in dict.fromkeys((*bodies, *answers, Problem))]
    _, definitions = models_json_schema(models, ref_template=REFERENCE)  # type: ignore[arg-type]
    schemas: Json = definitions["$defs"]
    if own_measures_in_force():
        # The models of the bodies hold a screening of the package's measures.
        _, own = models_json_schema([(screening_type(), "validation")], ref_template=REFERENCE)
        schemas |= own["$defs"]
    _describe_team(schemas)
    # What a screening leaves out may also be null; what an answer does not know is absent.
    of_bodies = set().union(*(_reachable(schemas, model.__name__) for model in bodies))
    described = {
        name: _body_schema(schema) if name in of_bodies else _answer_schema(schema)
        for name, schema in schemas.items()
    }
    _list_codes(described)
    return described | _in_part(described, [route for route in rows if route.fields])


def _describe_team(schemas: Json) -> None:
    """A team's screenings are checked one by one, so its model says nothing about them."""
    if "Team" in schemas:
        items = {"$ref": REFERENCE.format(model="Screening")}
        schemas["Team"]["properties"]["screenings"] |= {"items": items, "maxItems": MAX_SCREENINGS}


def _in_part(described: Json, routes: Iterable[Route]) -> Json:
    """The schemas of answers of which some fields were asked for, and of those that hold them."""
    answers = [route.answer.__name__ for route in routes if route.answer]
    names = {
        name
        for answer in answers
        for name in _reachable(described, answer)
        if Answer.__name__ in _reachable(described, name)
    }
    whole = {REFERENCE.format(model=name) for name in names}
    return {
        SOME.format(model=name): _referring(_some_of(described[name]), whole)
        for name in sorted(names)
    }


def _some_of(schema: Json) -> Json:
    """The schema under its new name; of an answer itself no field is certain."""
    some = schema | {"title": SOME.format(model=schema["title"])}
    if schema["title"] == Answer.__name__:
        del some["required"]
    return some


def _referring(schema: Any, whole: Collection[str]) -> Any:
    """The schema, referring to answers in part where it referred to whole ones."""
    if isinstance(schema, dict):
        return {
            key: REFERENCE.format(model=SOME.format(model=value.rpartition("/")[2]))
            if key == "$ref" and value in whole
            else _referring(value, whole)
            for key, value in schema.items()
        }
    return [_referring(value, whole) for value in schema] if isinstance(schema, list) else schema


def _list_codes(schemas: Json) -> None:
    for name, (listed, codes) in _CODES.items():
        schemas[listed] = {"title": listed, "type": "string", "enum": codes}
        schemas[name]["properties"]["code"] = {"$ref": REFERENCE.format(model=listed)}


def _reachable(schemas: Json, name: str) -> set[str]:
    """The names of the schemas that one of them refers to, with its own."""
    reached, frontier = {name}, [name]
    while frontier:
        text = str(schemas[frontier.pop()])
        new = {other for other in schemas if f"'{REFERENCE.format(model=other)}'" in text} - reached
        reached |= new
        frontier += new
    return reached


def _body_schema(schema: Json) -> Json:
    """The schema of a part of a body: what has a default can be left out."""
    converted: Json = _converted(schema, _without_default)
    return converted


def _answer_schema(schema: Json) -> Json:
    """The schema of a part of an answer: what has a default of its own is always there."""
    properties = schema.get("properties", {})
    given = [name for name, part in properties.items() if part.get("default") is not None]
    wanted = {*schema.get("required", []), *given}
    required = [name for name in properties if name in wanted]
    absent = {
        name: part if name in wanted else _without_null(part) for name, part in properties.items()
    }
    whole = schema | ({"properties": absent} if properties else {})
    whole |= {"required": required} if required else {}
    converted: Json = _converted(whole, _dropping_default)
    return converted


def _without_null(schema: Json) -> Json:
    options = [option for option in schema.get("anyOf", []) if option != _NULL]
    rest = {keyword: value for keyword, value in schema.items() if keyword != "anyOf"}
    if isinstance(schema.get("type"), list):
        kinds = [kind for kind in schema["type"] if kind != "null"]
        rest["type"] = kinds[0] if len(kinds) == 1 else kinds
    return rest | ({"anyOf": options} if options else {})


def _without_default(schema: Json) -> Json:
    """Without a default, which is kept under a name that generators leave alone, but for null."""
    rest = {keyword: value for keyword, value in schema.items() if keyword != "default"}
    default = schema.get("default")
    return rest if default is None or isinstance(default, dict) else rest | {"x-default": default}


def _dropping_default(schema: Json) -> Json:
    return {keyword: value for keyword, value in schema.items() if keyword != "default"}


def _plainly(schema: Json) -> Json:
    """The same without what checkers of such documents complain of.

    A choice among one is that one, and what is required is named as a property.
    """
    if len(schema.get("anyOf", [])) == 1:
        only, rest = schema["anyOf"][0], {k: v for k, v in schema.items() if k != "anyOf"}
        schema = schema if "required" in only.keys() & rest.keys() else only | rest
    if "required" not in schema:
        return schema
    properties = schema.get("properties", {})
    unnamed: Json = {name: {} for name in schema["required"] if name not in properties}
    return schema | {"properties": properties | unnamed}


def _converted(schema: Any, defaults: Callable[[Json], Json]) -> Any:
    """A schema and all in it, with defaults as given and own keywords called extensions."""
    if not isinstance(schema, Mapping):
        return schema  # true or false
    converted: Json = {}
    for keyword, value in _plainly(defaults(dict(schema))).items():
        if keyword in _OF_ONE_SCHEMA:
            converted[keyword] = _converted(value, defaults)
        elif keyword in _OF_SCHEMAS:
            converted[keyword] = [_converted(part, defaults) for part in value]
        elif keyword in _OF_NAMED_SCHEMAS:
            converted[keyword] = {name: _converted(part, defaults) for name, part in value.items()}
        else:
            is_own = keyword not in _PLAIN and not keyword.startswith("x-")
            converted[f"x-{keyword}" if is_own else keyword] = value
    return converted
