"""The sections of a screening: leg, protocol and pain, put together from their measures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.history import LegHistory, LegPain
from kneerisk.schema.measure import Category
from kneerisk.schema.movement_control import Control, Gait
from kneerisk.schema.strength_and_mobility import Mobility, Strength

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


class Leg(LegHistory, Gait, Control, Strength, Mobility):
    """Everything measured on one leg."""


class Protocol(BaseModel):
    """How tests that have variants were done."""

    model_config = STRICT

    torque_mode: Annotated[
        str | None,
        Category(
            label="Knee strength mode",
            choices=("isometric", "isokinetic_60"),
            station="table",
            group="strength",
            test="knee_strength",
            protocol="How quadriceps and hamstring torque were measured; needed where they are given.",
            source="Sarabon 2021 Front Physiol, PMC8554160",
        ),
    ] = None
    hip_torque_mode: Annotated[
        str | None,
        Category(
            label="Hip torque mode",
            choices=("isometric", "eccentric"),
            station="groin",
            group="strength",
            test="hip_torque",
            protocol="How hip adduction and abduction torque were measured; needed where they are given.",
            source="Beddows 2020 Phys Ther Sport (scribd 558423495)",
        ),
    ] = None
    valgus_task: Annotated[
        str | None,
        Category(
            label="Task of the valgus video",
            station="camera",
            group="control",
            test="fppa",
            choices=("single_leg_squat", "drop_jump", "step_landing"),
            protocol="The task that was filmed for the valgus angle; needed where it is given.",
            source="Herrington & Munro 2010, S1466-853X(09)00115-1",
        ),
    ] = None
    hip_drop_task: Annotated[
        str | None,
        Category(
            label="Task of the hip drop video",
            choices=("running", "single_leg_squat"),
            default="running",
            station="camera",
            group="control",
            test="hip_drop",
            protocol="The task that was filmed for the hip drop; running where it is not stated.",
            source="Bramah 2018, PMID 30193080",
        ),
    ] = None


class Pain(BaseModel):
    """Pain at the visit, per knee."""

    model_config = STRICT

    left: LegPain = LegPain()
    right: LegPain = LegPain()

    @property
    def sides(self) -> frozenset[Side]:
        """The knees that hurt now."""
        return frozenset(side for side in SIDES if getattr(self, side).pain_nrs)
