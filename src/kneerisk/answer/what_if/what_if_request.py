"""The body of a what-if, and what is refused whoever the athlete is."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.answer.what_if.changed_measures import plain_faults
from kneerisk.schema import Screening, columns
from kneerisk.schema.faults import STRICT


def _some(changes: dict[str, float]) -> dict[str, float]:
    if not changes:
        raise PydanticCustomError("no_change", "must name at least one measure and its new value")
    return changes


def _describe(schema: dict[str, Any]) -> None:
    """Say in JSON Schema which columns may be changed."""
    names = [name for name, measure in columns().items() if measure.modifiable]
    schema |= {"minProperties": 1, "propertyNames": {"enum": names}}


class WhatIf(BaseModel):
    """A screening, and other values of some of its measures: canonical column to new value.

    Raises
    ------
    pydantic.ValidationError
        With every fault of the screening, and all of the changes that don't hang on the model.
    """

    model_config = STRICT

    screening: Screening
    changes: Annotated[dict[str, float], AfterValidator(_some), Field(json_schema_extra=_describe)]

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        # A sound body's changes are checked later, all at once, with what the model has seen.
        try:
            checked: Self = handler(value)
        except ValidationError as error:
            raise _with_plain_faults(error, value) from None
        return checked


def _with_plain_faults(error: ValidationError, value: Any) -> ValidationError:
    """The faults of a body, and what is wrong with its changes whoever the athlete is."""
    given = value.get("changes") if isinstance(value, dict) else None
    refused = {name: list(plain_faults(name)) for name in given} if isinstance(given, dict) else {}
    kept = [
        _detail(found["type"], found["loc"], found["msg"])
        for found in error.errors(include_url=False)
        # A name that can't be changed needs no word on its value.
        if not (found["loc"][:1] == ("changes",) and refused.get(str(found["loc"][-1])))
    ]
    added = [
        _detail(fault.code, ("changes", name), fault.message)
        for name, faults in refused.items()
        for fault in faults
    ]
    return ValidationError.from_exception_data("WhatIf", kept + added, hide_input=True)


def _detail(kind: str, location: tuple[int | str, ...], message: str) -> InitErrorDetails:
    plain = message.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError(kind, plain), loc=location, input=None)
