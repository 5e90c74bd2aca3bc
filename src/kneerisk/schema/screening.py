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
from kneerisk.schema.history import RED_FLAGS
from kneerisk.schema.measure import Equipment
from kneerisk.schema.rules import refuse_contradictions, rules_schema
from kneerisk.schema.sections import Leg, Pain, Protocol, Side
from kneerisk.schema.strictness import STRICT


def _known_red_flag(value: str) -> str:
    if value in RED_FLAGS:
        return value
    raise PydanticCustomError("unknown_choice", "is not a red flag of the schema")


RedFlag = Annotated[
    str, AfterValidator(_known_red_flag), Field(json_schema_extra={"enum": list(RED_FLAGS)})
]


def _known_equipment(value: str) -> str:
    if value in EQUIPMENT:
        return value
    raise PydanticCustomError(
        "unknown_choice", "must be one of {allowed}", {"allowed": ", ".join(EQUIPMENT)}
    )


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
