"""The shape of a what-if: the body of the request, what it may not be, and the answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.answer.answer_schema import FROZEN, Lineage, Reason, Risk, Status
from kneerisk.answer.what_if.changed_measures import unchangeable_faults
from kneerisk.schema import Screening, columns
from kneerisk.schema.faults import STRICT
from kneerisk.words import text


def _at_least_one(changes: dict[str, float]) -> dict[str, float]:
    if not changes:
        raise PydanticCustomError("no_change", text("answer.what_if.faults.no_change"))
    return changes


def _describe_changes(schema: dict[str, Any]) -> None:
    """State in JSON Schema which columns may be changed."""
    names = [name for name, measure in columns().items() if measure.modifiable]
    schema |= {"minProperties": 1, "propertyNames": {"enum": names}}


class WhatIf(BaseModel):
    """A screening, and new values of some of its measures by canonical column.

    Raises
    ------
    pydantic.ValidationError
        With every fault of the screening, and those of the changes that do not depend on the model.
    """

    model_config = STRICT

    screening: Screening
    changes: Annotated[
        dict[str, float], AfterValidator(_at_least_one), Field(json_schema_extra=_describe_changes)
    ]

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        # A sound body's changes are checked later, all at once, with what the model has seen.
        try:
            checked: Self = handler(value)
        except ValidationError as error:
            raise _with_change_faults(error, value) from None
        return checked


def _with_change_faults(error: ValidationError, value: Any) -> ValidationError:
    """The faults of a body, and what is wrong with its changes whoever the athlete is."""
    given = value.get("changes") if isinstance(value, dict) else None
    refused = (
        {name: list(unchangeable_faults(name)) for name in given} if isinstance(given, dict) else {}
    )
    body_faults = [
        _detail(fault["type"], fault["loc"], fault["msg"])
        for fault in error.errors(include_url=False)
        # Where a measure can't be changed, a fault of its new value is beside the point.
        if not (fault["loc"][:1] == ("changes",) and refused.get(str(fault["loc"][-1])))
    ]
    change_faults = [
        _detail(fault.code, ("changes", name), fault.message)
        for name, faults in refused.items()
        for fault in faults
    ]
    return ValidationError.from_exception_data(
        "WhatIf", body_faults + change_faults, hide_input=True
    )


def _detail(kind: str, location: tuple[int | str, ...], message: str) -> InitErrorDetails:
    plain = message.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError(kind, plain), loc=location, input=None)


class Change(BaseModel):
    """One measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    target: float
    detectable: float | None = None
    """The minimal detectable change between the two values, 95 %; absent without known error."""
    evidence_points_to: Literal["higher_risk", "lower_risk"] | None = None
    """Where published evidence says this change moves risk; absent where it says neither."""


class RecomputedMeasure(BaseModel):
    """A ratio that changes too, since it is computed from a measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    computed: float


class ComparedRisk(BaseModel):
    """The risk of a knee as measured, and of athletes with the changed measurements."""

    model_config = FROZEN

    now: Risk
    then: Risk
    points: float
    """Then minus now, in points of 100."""
    held: bool = False
    """Whether the model would move against the published direction: then is now."""


class WhatIfAnswer(BaseModel):
    """The answer to a what-if. A knee without a risk is absent."""

    model_config = FROZEN

    status: Status
    reasons: list[Reason]
    """Those of the screening as it was measured."""
    outcome_kind: str
    horizon_months: int | None = None
    changes: list[Change]
    also_changed: list[RecomputedMeasure] = []
    right: ComparedRisk | None = None
    left: ComparedRisk | None = None
    either: ComparedRisk | None = None
    wording: str
    model: Lineage
    notice: str
