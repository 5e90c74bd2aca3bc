"""What every answer of the service promises, checked against the document that it publishes."""

from __future__ import annotations

import gzip
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from kneerisk.messages.problem_document import MEDIA_TYPE
from serving.openapi import operation
from serving.problem import SECURITY_HEADERS, STATUS_BY_CODE
from serving.route import find_route
from serving.routes import ROUTES

#: In every value that a test sends and that nothing may repeat; case aside.
CANARY = "zqcanary"
#: Statuses of HTTP itself: only where the request asked for them.
_CONDITIONAL = {304: ("if-none-match", "if-modified-since")}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came over the connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> Reply:
        """Read a response to its end."""
        headers = {name.lower(): value for name, value in response.getheaders()}
        body = response.read()
        return cls(
            response.status, headers, gzip.decompress(body) if _is_gzip(headers, body) else body
        )

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


def _is_gzip(headers: dict[str, str], body: bytes) -> bool:
    return bool(body) and headers.get("content-encoding") == "gzip"


class Promises:
    """Checks answers; gives each broken promise in words."""

    def __init__(self, docs: dict[str, Any]) -> None:
        self._docs = docs
        self._validators: dict[str, Any] = {}

    def broken(
        self, method: str, path: str, reply: Reply, asked: dict[str, str] | None = None
    ) -> list[str]:
        """What an answer to a request breaks.

        Parameters
        ----------
        method
            As it was sent.
        path
            As it was sent, with its query.
        reply
            The answer.
        asked
            Headers of the request, by lower-case name.
        """
        faults = list(self._headers(reply))
        if reply.status >= 400:
            faults += self._problem(reply, is_head=method == "HEAD")
        faults += self._documented(method, path.partition("?")[0], reply, asked or {})
        return faults

    def broken_on_connection(self, reply: Reply) -> list[str]:
        """What an answer breaks whose request may not have been understood."""
        faults = list(self._headers(reply))
        if reply.status >= 400:
            faults += self._problem(reply, is_head=False)
        elif reply.status != 200:
            faults.append(f"status {reply.status}")
        return faults

    def _headers(self, reply: Reply) -> Iterator[str]:
        wanted = {*SECURITY_HEADERS, "x-request-id"}
        if missing := sorted(wanted - set(reply.headers)):
            yield f"no header {', '.join(missing)}"
        if "server" in reply.headers:
            yield "names its server"

    def _problem(self, reply: Reply, *, is_head: bool) -> Iterator[str]:
        if reply.status >= 500 and reply.status != 503:
            yield f"status {reply.status}"
        if reply.headers.get("content-type") != MEDIA_TYPE:
            yield f"{reply.status} as {reply.headers.get('content-type')}"
        elif not is_head:
            yield from self._problem_body(reply)

    def _problem_body(self, reply: Reply) -> Iterator[str]:
        problem = json.loads(reply.body)
        yield from self._unlike("Problem", problem)
        if STATUS_BY_CODE.get(problem["code"]) != reply.status:
            yield f"{reply.status} with code {problem['code']}"
        if problem.get("request_id") != reply.headers.get("x-request-id"):
            yield "two request ids"
        # The place of a fault has the names that were sent; nothing else may.
        for fault in problem.get("faults", []):
            fault.pop("pointer", None)
        if CANARY in json.dumps(problem).lower():
            yield f"repeats what was sent: {problem['code']}"

    def _documented(
        self, method: str, path: str, reply: Reply, asked: dict[str, str]
    ) -> Iterator[str]:
        # As a service sees it: a slash that was written as %2f parts an address too.
        route = find_route(ROUTES, unquote(path))
        if route is None:
            # Before its address is looked at, a request can be refused for its headers.
            if reply.status not in {404, 400, 431}:
                yield f"{reply.status} at an unknown address"
            return
        if method not in route.allowed_methods:
            if reply.status not in {405, 400, 431}:
                yield f"{reply.status} to the method {method}"
            return
        if any(name in asked for name in _CONDITIONAL.get(reply.status, ())):
            return
        responses = operation(route)["responses"]
        if str(reply.status) not in responses:
            yield f"{reply.status} is not in the document"
        elif reply.status == 200 and method != "HEAD":
            yield from self._answer(responses["200"]["content"], reply)

    def _answer(self, contents: dict[str, Any], reply: Reply) -> Iterator[str]:
        if reply.media_type not in contents:
            yield f"200 as {reply.media_type}"
        elif reply.media_type == "application/json":
            reference = contents[reply.media_type]["schema"].get("$ref", "")
            answer = json.loads(reply.body, parse_constant=_no_json)
            if reference:
                yield from self._unlike(reference.rpartition("/")[2], answer)

    def _unlike(self, name: str, value: Any) -> Iterator[str]:
        if name not in self._validators:
            schema = {
                "$ref": f"#/components/schemas/{name}",
                "components": self._docs["components"],
            }
            self._validators[name] = jsonschema_rs.Draft202012Validator(schema)
        for error in self._validators[name].iter_errors(value):
            yield f"not a {name} at {error.instance_path}: {error.message[:200]}"
            return


def _no_json(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def log_faults(log: str) -> list[str]:
    """What a log may not have in it."""
    faults = [f"log: {line[:200]}" for line in log.splitlines() if CANARY in line.lower()]
    faults += re.findall(r"Traceback|answered 500[^\n]*|unexpected \w+", log)
    return faults[:10]
