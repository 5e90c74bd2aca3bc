"""One athlete at one visit: the request body, the file row and the library's input."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kneerisk.schema.athlete import Athlete
from kneerisk.schema.control import Control
from kneerisk.schema.gait import Gait
from kneerisk.schema.history import RED_FLAGS, LegHistory, LegPain
from kneerisk.schema.measure import Category
from kneerisk.schema.mobility import Mobility
from kneerisk.schema.rules import refuse_contradictions, rules_schema
from kneerisk.schema.strength import Strength
from kneerisk.schema.strictness import STRICT

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


class Leg(LegHistory, Gait, Control, Strength, Mobility):
    """Everything measured on one leg."""


class Protocol(BaseModel):
    """How tests that have variants were done."""

    model_config = STRICT

    torque_mode: Annotated[str | None, Category(
        label="Knee strength mode", choices=("isometric", "isokinetic_60"), station="table",
        group="strength", test="knee_strength",
        protocol="How quadriceps and hamstring torque were measured; needed where they are given.",
        source="Sarabon 2021 Front Physiol, PMC8554160",
    )] = None
    hip_torque_mode: Annotated[str | None, Category(
        label="Hip torque mode", choices=("isometric", "eccentric"), station="groin",
        group="strength", test="hip_torque",
        protocol="How hip adduction and abduction torque were measured; needed where they are given.",
        source="Beddows 2020 Phys Ther Sport (scribd 558423495)",
    )] = None
    valgus_task: Annotated[str | None, Category(
        label="Task of the valgus video", station="camera", group="control", test="fppa",
        choices=("single_leg_squat", "drop_jump", "step_landing"),
        protocol="The task that was filmed for the valgus angle; needed where it is given.",
        source="Herrington & Munro 2010, S1466-853X(09)00115-1",
    )] = None
    hip_drop_task: Annotated[str | None, Category(
        label="Task of the hip drop video", choices=("running", "single_leg_squat"),
        default="running", station="camera", group="control", test="hip_drop",
        protocol="The task that was filmed for the hip drop; running where it is not stated.",
        source="Bramah 2018, PMID 30193080",
    )] = None


class Pain(BaseModel):
    """Pain at the visit, per knee."""

    model_config = STRICT

    left: LegPain = LegPain()
    right: LegPain = LegPain()

    @property
    def sides(self) -> frozenset[Side]:
        """The knees that hurt now."""
        return frozenset(side for side in SIDES if getattr(self, side).pain_nrs)


def _known_red_flag(value: str) -> str:
    if value in RED_FLAGS:
        return value
    raise PydanticCustomError("unknown_choice", "is not a red flag of the schema")


RedFlag = Annotated[
    str, AfterValidator(_known_red_flag), Field(json_schema_extra={"enum": list(RED_FLAGS)})
]


class Screening(BaseModel):
    """One athlete at one visit. Every measure is optional but age and sex.

    ``red_flags`` left out means that they were not asked; an empty list that all were asked and
    none applies.

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
