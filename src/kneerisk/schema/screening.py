"""One athlete at one visit: the request body, the file row and the library's input."""

from __future__ import annotations

from typing import Annotated, Any, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kneerisk.schema.athlete import Athlete
from kneerisk.schema.faults import STRICT, FaultCode, Violation
from kneerisk.schema.history import RED_FLAGS
from kneerisk.schema.measure import Equipment
from kneerisk.schema.rules import refuse_contradictions, rules_schema
from kneerisk.schema.sections import Leg, Pain, Protocol, Side
from kneerisk.words import text


def red_flag_violation(code: str) -> Violation | None:
    """How a code breaks the list of red flags; None where it is one of them."""
    if code in RED_FLAGS:
        return None
    return Violation(FaultCode.UNKNOWN_CHOICE, text("common.fault.unknown_red_flag"))


def _known_red_flag(code: str) -> str:
    violation = red_flag_violation(code)
    if violation is not None:
        raise PydanticCustomError(violation.code, violation.message)
    return code


def _known_equipment(name: str) -> str:
    if name not in EQUIPMENT:
        message = text("common.limits.must_be", allowed=f"one of {', '.join(EQUIPMENT)}")
        raise PydanticCustomError(FaultCode.UNKNOWN_CHOICE, message)
    return name


RedFlag = Annotated[
    str, AfterValidator(_known_red_flag), Field(json_schema_extra={"enum": list(RED_FLAGS)})
]
#: What a test may need; a measure of the schema says which.
EQUIPMENT: tuple[str, ...] = get_args(Equipment)
AtHand = Annotated[
    str, AfterValidator(_known_equipment), Field(json_schema_extra={"enum": list(EQUIPMENT)})
]


class Screening(BaseModel):
    """One athlete at one visit. Every measure is optional but age and sex.

    ``red_flags`` left out means that they were not asked; an empty list that all were asked and
    none applies. ``equipment`` is what is at hand for further tests, left out: everything; a test
    that needs none is always possible.

    Raises
    ------
    pydantic.ValidationError
        With every fault: unknown names, wrong types, values outside their limits, and
        measures that contradict each other.
    """

    model_config = STRICT | {"json_schema_extra": rules_schema}

    athlete: Athlete
    left: Leg = Leg()
    right: Leg = Leg()
    protocol: Protocol = Protocol()
    pain: Pain = Pain()
    red_flags: Annotated[list[RedFlag], Field(max_length=len(RED_FLAGS))] | None = None
    equipment: Annotated[list[AtHand], Field(max_length=len(EQUIPMENT))] | None = Field(
        default=None,
        title="Equipment at hand",
        description="What further tests may need; left out: everything. None is always allowed.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _consistent(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        checked: Self = refuse_contradictions(value, handler)
        return checked

    def leg(self, side: Side) -> Leg:
        """The measures of one leg."""
        return self.left if side == "left" else self.right

    def swapped(self) -> Screening:
        """The same visit with left and right exchanged."""
        return self.model_copy(
            update={
                "left": self.right,
                "right": self.left,
                "pain": Pain(left=self.pain.right, right=self.pain.left),
            }
        )
