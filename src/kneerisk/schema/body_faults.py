"""What pydantic refuses of a body, as faults: where, by which rule, and what is allowed."""

from __future__ import annotations

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kneerisk.errors import Fault
from kneerisk.schema.columns import column_locations, column_of, columns
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.schema.measure import Measure, Quantity
from kneerisk.schema.own_measures import per_schema
from kneerisk.words import section, variant

#: A name that is longer stands for none of the schema's (assumption).
_LONGEST_NAME = 60
#: Where a word begins in `hipDropDeg`.
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: What pydantic finds by itself, by its type of error; measures and rules bring their own codes.
_BY_PYDANTIC = {
    "extra_forbidden": FaultCode.UNKNOWN_NAME,
    "missing": FaultCode.MISSING,
    "finite_number": FaultCode.NOT_FINITE,
    "float_type": FaultCode.NOT_A_NUMBER,
    "int_type": FaultCode.NOT_A_NUMBER,
    "string_type": FaultCode.NOT_TEXT,
    FaultCode.NOT_TEXT_OR_NUMBER: FaultCode.NOT_TEXT_OR_NUMBER,
    "model_type": FaultCode.NOT_AN_OBJECT,
    "dict_type": FaultCode.NOT_AN_OBJECT,
    "list_type": FaultCode.NOT_A_LIST,
    "bool_type": FaultCode.NOT_A_BOOLEAN,
    "too_long": FaultCode.TOO_LONG,
}
_CODES = frozenset(str(code) for code in FaultCode)
#: Each choice in pydantic's words for them: `'point' or 'comma'`.
_QUOTED = re.compile(r"'([^']*)'")


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault of a body that pydantic refused, as pointers (RFC 6901) with rule and unit."""
    return [fault_at(detail["type"], detail["loc"], _message(detail)) for detail in error.errors()]


def _message(detail: ErrorDetails) -> str:
    """The rule in words of ours where pydantic has checked a limit or a choice, else as it stands."""
    if detail["type"] not in section("schema")["pydantic"]:
        return detail["msg"]
    limits = detail.get("ctx", {})
    choices = ", ".join(_QUOTED.findall(str(limits.get("expected", ""))))
    return variant("schema.pydantic", detail["type"], **limits, choices=choices)


def fault_at(kind: str, location: tuple[int | str, ...], message: str) -> Fault:
    """One fault of a body.

    Parameters
    ----------
    kind
        Its code, or pydantic's type of the error.
    location
        Where it stands in the body, from the outermost name to the innermost.
    message
        The rule in words, unless it is one that pydantic finds by itself.

    Returns
    -------
    The fault, with what is allowed where the place is a measure.
    """
    code = _BY_PYDANTIC.get(kind)
    measure = _measure_at(location)
    return Fault(
        pointer=json_pointer(*location),
        code=str(code or (kind if kind in _CODES else FaultCode.WRONG_FORM)),
        message=_of_code(code, location) if code else message,
        allowed=measure.allowed if measure else None,
        unit=measure.unit if isinstance(measure, Quantity) else None,
    )


def _of_code(code: FaultCode, location: tuple[int | str, ...]) -> str:
    """The rule of a code in words; of an unknown name the one that it may stand for."""
    places = _meant(str(location[-1])) if code is FaultCode.UNKNOWN_NAME else ()
    if not places:
        return variant("shared.fault", code)
    name, sections = places[0][-1], [place[:-1] for place in places]
    is_here = any(location[-1 - len(section) : -1] == section for section in sections if section)
    shown = " and ".join("/".join(section) for section in sections)
    return variant("schema.unknown_name", "spelling" if is_here else "place", name=name, of=shown)


def _meant(name: str) -> tuple[tuple[str, ...], ...]:
    """Where a measure stands in a body that a name may stand for; nowhere where that is not sure.

    By its own name in another place, without its unit or with another one, or in another case.
    """
    if len(name) > _LONGEST_NAME:
        return ()
    spelt = _CASE.sub("_", name).lower().replace("-", "_").replace(" ", "_")
    known = _by_spelling()
    return known.get(spelt) or known.get(spelt.rpartition("_")[0], ())


@per_schema
def _by_spelling() -> dict[str, tuple[tuple[str, ...], ...]]:
    """The places of each name, of its beginnings that no other begins with, and of each column."""
    beginnings: dict[str, set[str]] = {}
    places: dict[str, list[tuple[str, ...]]] = {}
    for place in column_locations().values():
        words = place[-1].split("_")
        places.setdefault(place[-1], []).append(place)
        for end in range(1, len(words)):
            beginnings.setdefault("_".join(words[:end]), set()).add(place[-1])
    columns_alone = {column: (place,) for column, place in column_locations().items()}
    sure = {start: names for start, names in beginnings.items() if len(names) == 1}
    return (
        {start: tuple(places[name]) for start, [name] in sure.items()}
        | columns_alone
        | {name: tuple(found) for name, found in places.items()}
    )


def _measure_at(location: tuple[int | str, ...]) -> Measure | None:
    """The measure of a place in a body, which may hold a screening at any depth."""
    found = (columns().get(column_of(location[start:])) for start in range(len(location)))
    return next((measure for measure in found if measure is not None), None)
