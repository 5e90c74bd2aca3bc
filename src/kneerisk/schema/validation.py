"""What is wrong with a body, in words a person can act on; never with the athlete's value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from kneerisk.errors import Fault, ScreeningRefused
from kneerisk.schema.columns import column_of, columns
from kneerisk.schema.measure import Measure, Quantity
from kneerisk.schema.screening import Screening

_PLAIN = {
    "extra_forbidden": ("unknown_name", "is not a name of the schema"),
    "missing": ("missing", "must be given"),
    "finite_number": ("not_finite", "must be a finite number"),
    "float_type": ("not_a_number", "must be a number, not text"),
    "int_type": ("not_a_number", "must be a whole number"),
    "int_from_float": ("not_a_number", "must be a whole number"),
    "string_type": ("not_text", "must be text"),
    "model_type": ("not_an_object", "must be an object"),
    "list_type": ("not_a_list", "must be a list"),
    "too_long": ("too_long", "has too many entries"),
}


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault of a body that pydantic refused, as pointers (RFC 6901) with rule and unit."""
    return [_fault(found["type"], found["loc"], found["msg"]) for found in error.errors()]


def fault_at(kind: str, location: tuple[int | str, ...], message: str) -> Fault:
    """One fault from pydantic's own words for it (type, place, message)."""
    return _fault(kind, location, message)


def _fault(kind: str, location: tuple[int | str, ...], message: str) -> Fault:
    code, plain = _PLAIN.get(kind, (kind, message))
    measure = _measure_at(location)
    return Fault(
        pointer="".join(f"/{_escaped(part)}" for part in location),
        code=code,
        message=plain,
        allowed=measure.allowed if measure else None,
        unit=measure.unit if isinstance(measure, Quantity) else None,
    )


def _measure_at(location: tuple[int | str, ...]) -> Measure | None:
    """The measure of a place in a body, which may hold a screening at any depth."""
    for start in range(len(location)):
        measure = columns().get(column_of(location[start:]))
        if measure is not None:
            return measure
    return None


def _escaped(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def read_screening(body: Mapping[str, Any]) -> Screening:
    """A screening from a plain mapping.

    Raises
    ------
    ScreeningRefused
        With every fault of the body.
    """
    try:
        return Screening.model_validate(dict(body))
    except ValidationError as error:
        raise ScreeningRefused(faults_of(error)) from None
