"""The sections of a screening: history, pain and red flags; a leg and its protocol, put together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.measure import ASSUMPTION, Category, Quantity
from kneerisk.schema.movement_control import Control, Gait
from kneerisk.schema.strength_and_mobility import Mobility, Strength

PAIN_SITES = ("none", "anterior", "lateral", "medial", "posterior", "diffuse")

#: Named on the athlete's sheet in this order; what each means stands in the evidence tables.
RED_FLAGS = (
    "acute_injury_within_7_days", "isolated_patella_tenderness", "fibular_head_tenderness",
    "cannot_flex_to_90", "cannot_bear_weight_4_steps", "visible_deformity",
    "cannot_straight_leg_raise", "hot_red_swollen_joint", "fever_or_unwell", "true_locking",
    "rapid_large_swelling", "loss_of_pulse_or_sensation",
    "calf_swelling_with_breathlessness_or_immobility", "night_or_unremitting_rest_pain",
    "unexplained_weight_loss", "history_of_cancer", "hard_mass", "giving_way_after_trauma",
    "progressive_neurological_loss", "bone_point_pain_with_energy_deficiency",
    "adolescent_with_limp_or_hip_pain", "effusion", "morning_stiffness_over_30_min",
    "medial_joint_line_pain_over_6_weeks", "no_response_to_6_to_12_weeks_of_exercise",
)


class LegHistory(BaseModel):
    """Earlier trouble of one knee."""

    model_config = STRICT

    prior_knee_injury: Annotated[str | None, Category(
        label="Knee injury or pain before", station="history", group="history", ordinal=True,
        choices=("none", "over_12_months_ago", "within_12_months"),
        protocol="Most recent episode of this knee that cost training or lasted two weeks.",
        source="Hägglund 2006 BJSM; Arnason 2004 (scribd 179770329)",
    )] = None
    same_side_episodes: Annotated[int | None, Quantity(
        label="Episodes of this knee", unit="episodes", low=0, high=20, whole=True,
        station="history", group="history", direction="raises",
        protocol="How many separate episodes of pain or injury this knee has had.",
        source="Hägglund 2006 BJSM: knee trauma, 2-3 times the identical injury next season",
    )] = None


class LegPain(BaseModel):
    """Pain of one knee at the visit."""

    model_config = STRICT

    pain_nrs: Annotated[int | None, Quantity(
        label="Knee pain now", unit="of 10", low=0, high=10, whole=True, station="history",
        group="history", model_input=False,
        protocol="Worst pain of this knee on most days of the last week, 0 none to 10.",
        source="Hott 2019 AJSM: trials enter at 3 of 10",
    )] = None
    pain_site: Annotated[str | None, Category(
        label="Where it hurts", choices=PAIN_SITES, station="history", group="history",
        model_input=False, protocol="One finger on the worst spot; none without pain.",
        source="Ferber 2010 JOSPT (scribd 364226506): lateral pain in runners",
    )] = None
    pain_weeks: Annotated[float | None, Quantity(
        label="Weeks of this pain", unit="weeks", low=0, high=2000, station="history",
        group="history", model_input=False, protocol="Weeks since the present episode began.",
        source="Hott 2019 AJSM: trials enter at 3 months",
    )] = None
    aks_score: Annotated[float | None, Quantity(
        label="Anterior knee pain scale", unit="points", low=0, high=100, station="history",
        group="history", model_input=False, protocol="Kujala questionnaire of this knee; 100 is no trouble.",
        source=f"{ASSUMPTION}: MCID 8 to 10 points, recalled",
    )] = None


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
            choices=("isometric", "isokinetic_60", "isometric_90"),
            station="table",
            group="strength",
            test="knee_strength",
            protocol="How knee torque was measured: isometric at about 60 or 90 degrees of knee bend, or isokinetic.",
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


class Setting(BaseModel):
    """How often knees hurt where the athlete trains, by the club's own count of 12 months."""

    model_config = STRICT | {"frozen": True}

    knee_pain_per_100: Annotated[float, Quantity(
        label="Athletes with knee pain", unit="of 100", low=0, high=100, station="athlete",
        group="history", model_input=False, source=ASSUMPTION,
        protocol="Of 100 athletes free of knee pain at the start, how many had it in 12 months.",
    )]
    of: Annotated[int, Quantity(
        label="Athletes counted", unit="athletes", low=1, high=100_000, whole=True,
        station="athlete", group="history", model_input=False, source=ASSUMPTION,
        protocol="How many athletes that count is of; with few it says little.",
    )]
