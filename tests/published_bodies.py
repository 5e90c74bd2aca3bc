"""Bodies made from the published JSON Schema alone, as a stranger's generator would make them.

Only what the schema says is used: types, limits, choices, required names and the `allOf` rules.
"""

from __future__ import annotations

import random
from typing import Any

Schema = dict[str, Any]
Body = dict[str, Any]


class Generator:
    """Makes random bodies that satisfy a JSON Schema of objects, numbers, choices and lists."""

    def __init__(self, schema: Schema, source: random.Random) -> None:
        self.schema = schema
        self.source = source

    def body(self, filled: float) -> Body:
        """A body with about a share ``filled`` of the optional properties, rules obeyed."""
        body: Body = self._value(self.schema, filled)
        while broken := [rule for rule in self.schema.get("allOf", []) if not holds(rule, body)]:
            rule = self.source.choice(broken)
            if "then" in rule and self.source.random() < 0.8:
                self._add_required(rule["then"], self.schema, body)
            if not holds(rule, body):
                self._remove_one(rule, body)
        return body

    def _value(self, schema: Schema, filled: float) -> Any:
        schema = self._resolved(schema)
        if "enum" in schema:
            return self.source.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object":
            must = schema.get("required", [])
            return {
                name: self._value(part, filled)
                for name, part in schema["properties"].items()
                if name in must or self.source.random() < filled
            }
        if kind == "array":
            most = min(schema.get("maxItems", 3), 3)
            items = range(self.source.randint(0, most))
            return [self._value(schema["items"], filled) for _ in items]
        return self._scalar(schema)

    def _scalar(self, schema: Schema) -> Any:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kind = self.source.choice(kinds)
        if kind == "null":
            return None
        low, high = schema["minimum"], schema["maximum"]
        if kind == "integer":
            whole = self.source.randint(int(low), int(high))
            return self.source.choice([whole, float(whole)])
        assert kind == "number"
        return self.source.choice([low, high, self.source.uniform(low, high)])

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            found: Schema = self.schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
            return found
        if "anyOf" in schema:
            return self._resolved(self.source.choice(schema["anyOf"]))
        return schema

    def _add_required(self, rule: Schema, schema: Schema, body: Body) -> None:
        schema = self._resolved(schema)
        for name in rule.get("required", []):
            if body.get(name) is None:
                body[name] = self._value(schema["properties"][name], 0.0)
        for name, part in rule.get("properties", {}).items():
            if isinstance(body.get(name), dict):
                self._add_required(part, schema["properties"][name], body[name])

    def _remove_one(self, rule: Schema, body: Body) -> None:
        """Drop something optional that the rule speaks of."""
        named = names_in(rule)
        sections = [body, *(part for part in body.values() if isinstance(part, dict))]
        found = [(part, name) for part in sections for name in part if name in named]
        optional = [(part, name) for part, name in found if not isinstance(part[name], dict)]
        part, name = self.source.choice(optional)
        del part[name]


def names_in(rule: Any) -> set[str]:
    """Every property name that a rule requires somewhere."""
    if isinstance(rule, dict):
        return set(rule.get("required", [])).union(*map(names_in, rule.values()))
    if isinstance(rule, list):
        return set().union(*map(names_in, rule))
    return set()


def holds(schema: Schema, value: Any) -> bool:
    """Whether a value satisfies the part of JSON Schema that the rules are written in."""
    unknown = set(schema) - {"if", "then", "anyOf", "not", "required", "properties", "enum", "type"}
    assert not unknown, f"a rule uses {unknown}"
    if "if" in schema:
        return not holds(schema["if"], value) or holds(schema["then"], value)
    is_object = isinstance(value, dict)
    return all(
        (
            "anyOf" not in schema or any(holds(part, value) for part in schema["anyOf"]),
            "not" not in schema or not holds(schema["not"], value),
            not is_object or all(name in value for name in schema.get("required", [])),
            not is_object
            or all(
                holds(part, value[name])
                for name, part in schema.get("properties", {}).items()
                if name in value
            ),
            "enum" not in schema or value in schema["enum"],
            schema.get("type") != "string" or isinstance(value, str),
        )
    )
