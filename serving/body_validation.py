"""Validation of a request's body before BentoML sees it: size, JSON, duplicate keys, schema.

BentoML would answer the first fault of a body in its own shape and log the athlete's values with
it, so nothing that it could refuse is passed on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from kneerisk.cohort.sheets.rows.slips import with_proposals
from kneerisk.errors import Fault
from kneerisk.schema import Screening, fault_at, faults_of
from kneerisk.words import text
from serving.problem import Refusal, invalid_body

_Body = TypeVar("_Body", bound=BaseModel)


async def read_body(receive: Receive, max_bytes: int, count: Callable[[int], None]) -> bytes:
    """Read a body, counted while it arrives, since its stated length may be missing.

    Parameters
    ----------
    receive
        ASGI's channel of the request.
    max_bytes
        The largest size; each route has its own, `max_body_bytes` in `serving.routes`.
    count
        Is told the size of each piece; refuses where the worker holds too much.

    Returns
    -------
    bytes
        The body in one piece.

    Raises
    ------
    Refusal
        As soon as there are more than `max_bytes` bytes, or where the client hangs up.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal("incomplete_body", text("service.body.connection_ended"))
        piece = message.get("body", b"")
        if len(body) + len(piece) > max_bytes:
            raise Refusal("too_large", text("service.body.too_many_bytes", most=f"{max_bytes:,}"))
        count(len(piece))
        body += piece
        if not message.get("more_body", False):
            return bytes(body)


def count_values(body: bytes) -> int:
    """How many keys and values a JSON body holds at most, without parsing it.

    A comma or colon within a text counts too, so that an honest body may be counted too high.
    """
    return body.count(b",") + body.count(b":") + body.count(b"[") + body.count(b"{")


def check_body(body: bytes, model: type[_Body]) -> _Body:
    """Parse a body; refuse one that is not JSON, names a key twice or does not fit its model.

    Parameters
    ----------
    body
        The bytes that the client sent.
    model
        What the JSON has to fit.

    Returns
    -------
    BaseModel
        The body, an instance of its model.

    Raises
    ------
    Refusal
        With every fault of the body.
    """
    parsed, has_duplicates = _parse(body)
    if has_duplicates:
        duplicates = list(_duplicates(parsed))
        raise Refusal("duplicate_key", text("service.body.duplicate_keys"), duplicates)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = faults_of(error)
        # The two parsers differ in corners, such as half a surrogate pair.
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            raise Refusal("malformed_json", f"{faults[0].message}.") from None
        if model is Screening and isinstance(parsed, dict):
            faults = with_proposals(faults, parsed)
        raise invalid_body(faults) from None


class _WithDuplicates(dict[str, Any]):
    """An object of the body that names some keys twice."""

    duplicate_keys: list[str]


def _parse(body: bytes) -> tuple[Any, bool]:
    """What a body says, and whether some object of it names a key twice."""
    has_duplicates = False

    def parsed_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_duplicates
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        has_duplicates, counts = True, Counter(name for name, _ in pairs)
        marked = _WithDuplicates(plain)
        marked.duplicate_keys = [name for name, count in counts.items() if count > 1]
        return marked

    if not body.strip():
        raise Refusal("malformed_json", text("service.body.empty"))
    try:
        return json.loads(body.decode(), object_pairs_hook=parsed_object), has_duplicates
    except json.JSONDecodeError as error:
        detail = text(
            "service.body.not_json", line=error.lineno, column=error.colno, reason=error.msg
        )
        raise Refusal("malformed_json", detail) from None
    except UnicodeDecodeError:
        raise Refusal("malformed_json", text("service.body.not_utf8")) from None
    except RecursionError:
        raise Refusal("malformed_json", text("service.body.nested")) from None
    except ValueError:
        raise Refusal("malformed_json", text("service.body.too_many_digits")) from None


def _duplicates(value: Any, location: tuple[int | str, ...] = ()) -> Iterator[Fault]:
    if isinstance(value, _WithDuplicates):
        for name in value.duplicate_keys:
            yield fault_at("duplicate_key", (*location, name), text("service.body.duplicate_key"))
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _duplicates(item, (*location, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _duplicates(item, (*location, index))
