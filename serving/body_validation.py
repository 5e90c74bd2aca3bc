"""A request's body before BentoML sees it: not too large, JSON, no key twice, no fault.

BentoML would answer the first fault of a body in its own shape and log the athlete's values with
it, so nothing that it could refuse is passed on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from kneerisk.errors import Fault
from kneerisk.schema import fault_at, faults_of
from serving.problem import Refusal, invalid_body


async def read(receive: Receive, limit: int) -> bytes:
    """The body in one piece; counted while it arrives, since its stated length may be missing.

    Raises
    ------
    Refusal
        As soon as there are more than `limit` bytes, or where the client hangs up.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal("incomplete_body", "The connection ended before the body did.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise Refusal("too_large", f"A body here may have at most {limit:,} bytes.")
        if not message.get("more_body", False):
            return bytes(body)


def check(body: bytes, model: type[BaseModel]) -> None:
    """Refuse a body that is not JSON, names a key twice or does not fit its model.

    Raises
    ------
    Refusal
        With every fault of the body.
    """
    doubled = list(_doubled(_parsed(body)))
    if doubled:
        raise Refusal("duplicate_key", "Each key may be given once.", doubled)
    try:
        model.model_validate_json(body)
    except ValidationError as error:
        faults = faults_of(error)
        # The two parsers differ in corners, such as half a surrogate pair.
        if faults[0].code == "json_invalid":
            raise Refusal("malformed_json", f"{faults[0].message}.") from None
        raise invalid_body(faults) from None


class _Doubled(dict[str, Any]):
    """An object of the body that names some keys twice."""

    keys_twice: list[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    doubled = _Doubled(found)
    doubled.keys_twice = [name for name in found if names.count(name) > 1]
    return doubled


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"Line {error.lineno}, column {error.colno}"
        raise Refusal("malformed_json", f"{where}: {error.msg}.") from None
    except UnicodeDecodeError:
        raise Refusal("malformed_json", "The body is not text in UTF-8.") from None
    except RecursionError:
        raise Refusal("malformed_json", "The body is nested too deeply.") from None
    except ValueError:
        raise Refusal("malformed_json", "A number has too many digits.") from None


def _doubled(value: Any, place: tuple[int | str, ...] = ()) -> Iterator[Fault]:
    if isinstance(value, _Doubled):
        for name in value.keys_twice:
            yield fault_at("duplicate_key", (*place, name), "is given twice")
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _doubled(part, (*place, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _doubled(part, (*place, index))
