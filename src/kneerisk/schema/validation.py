"""What is wrong with a body, in words a person can act on; never with the athlete's value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from kneerisk.errors import Fault, ScreeningRefused
from kneerisk.schema.columns import column_of, columns
from kneerisk.schema.faults import FaultCode
from kneerisk.schema.measure import Measure, Quantity
from kneerisk.schema.screening import Screening
from kneerisk.words import variant

#: What pydantic finds by itself, by its type of error; measures and rules bring their own codes.
_BY_PYDANTIC = {
    "extra_forbidden": FaultCode.UNKNOWN_NAME,
    "missing": FaultCode.MISSING,
    "finite_number": FaultCode.NOT_FINITE,
    "float_type": FaultCode.NOT_A_NUMBER,
    "string_type": FaultCode.NOT_TEXT,
    "model_type": FaultCode.NOT_AN_OBJECT,
    "list_type": FaultCode.NOT_A_LIST,
    "too_long": FaultCode.TOO_LONG,
}


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault of a body that pydantic refused, as pointers (RFC 6901) with rule and unit."""
    return [fault_at(detail["type"], detail["loc"], detail["msg"]) for detail in error.errors()]


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
        pointer="".join(f"/{_escaped(part)}" for part in location),
        code=str(code or kind),
        message=variant("common.fault", code) if code else message,
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

    Parameters
    ----------
    body
        What a client sends as JSON: sections ``athlete``, ``left``, ``right`` and so on.

    Returns
    -------
    The screening, checked.

    Raises
    ------
    ScreeningRefused
        With every fault of the body.
    """
    try:
        return Screening.model_validate(dict(body))
    except ValidationError as error:
        raise ScreeningRefused(faults_of(error)) from None
