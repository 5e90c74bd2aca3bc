"""Movement of a leg: video, EMG, and treadmill gait as a motion laboratory reports it.

Means and SDs of gait are those of uninjured runners in the Running Injury Clinic set (sessions of
2009-2014, the median over the steps); its errors are the typical error of repeated sessions within
60 days.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.measure import (
    ASSUMPTION,
    Category,
    MeasurementError,
    Norm,
    Quantity,
    both_sexes,
)

HERRINGTON_2010 = "Herrington & Munro 2010, S1466-853X(09)00115-1"
DINGENEN_2018 = "Dingenen 2018 Phys Ther Sport, PMID 30005426"
VASTI_2000 = "Phys Ther Sport 2000 1(4):129, doi 10.1054/ptsp.2000.0036"
RIC = "Ferber 2024, doi 10.1038/s41597-024-04011-7"


def _norm(male: tuple[float, float], female: tuple[float, float]) -> tuple[Norm, ...]:
    return (Norm(male=male, female=female, source=RIC),)


class Control(BaseModel):
    """Pain and alignment in motion, and muscle timing, of one leg."""

    model_config = STRICT

    pain_on_squat_jump: Annotated[str | None, Category(
        label="Pain in squat, jump or step down", choices=("no", "yes"), ordinal=True,
        station="wall", group="history", test="squat_jump",
        protocol="Three squats as deep as comfortable, three jumps landing on both feet, three steps down from 20 cm on this leg; yes if this knee hurts in any, however little, also where it does not hurt at rest.",
        source="Shumski 2024 J Athl Train, doi 10.4085/1062-6050-0396.23",
    )] = None

    hip_drop_deg: Annotated[float | None, Quantity(
        label="Hip drop", unit="deg", low=-10, high=25, station="camera", group="control",
        test="hip_drop", equipment="tape_or_phone", modifiable=True, direction="raises",
        protocol="Standing on this leg, drop of the other side of the pelvis at mid-stance, mean of at least seven steps.",
        norms=(
            both_sexes(5.0, 1.8, f"mean: {ASSUMPTION}; SD: {DINGENEN_2018}", condition="running"),
            both_sexes(6.0, 3.0, ASSUMPTION, condition="single_leg_squat"),
        ),
        error=MeasurementError(sem=1.0, source=f"{DINGENEN_2018}: running, seven steps"),
        source="Bramah 2018, PMID 30193080",
    )] = None
    fppa_deg: Annotated[float | None, Quantity(
        label="Knee in (valgus)", unit="deg", low=-30, high=45, station="camera",
        group="control", test="fppa", equipment="tape_or_phone", modifiable=True,
        protocol="Frontal plane projection angle at peak knee flexion, 2D video; inwards is positive; state the task.",
        norms=(
            Norm(male=(5.0, 4.5), female=(7.0, 5.0), condition="single_leg_squat", source=ASSUMPTION),
            Norm(male=(5.5, 2.5), female=(10.0, 3.0), condition="drop_jump", source=HERRINGTON_2010),
            Norm(male=(5.0, 4.0), female=(8.5, 3.5), condition="step_landing", source=HERRINGTON_2010),
        ),
        error=MeasurementError(sem=3.0, source="Gwynne & Curran (scribd 513217241), 2-4 degrees"),
        direction="raises", source="Räisänen 2018 BMJ Open SEM (jyx.jyu.fi 56834)",
    )] = None
    vmo_delay_ms: Annotated[float | None, Quantity(
        label="VMO delay", unit="ms", low=-100, high=150, station="lab", group="control",
        test="vmo_emg", equipment="emg", modifiable=True, direction="raises",
        protocol="Surface EMG onset of VMO minus VL in stair ascent, mean of five steps; positive when VMO is late.",
        norms=(both_sexes(0.0, 21.0, f"mean near 0 in healthy; SD: {VASTI_2000}, ten people"),),
        error=MeasurementError(sem=9.0, source=f"{ASSUMPTION}: above the 6.2 of {VASTI_2000}"),
        source="Van Tiggelen 2009 AJSM; Witvrouw 2000, PMID 10921638",
    )] = None
    vmo_vl_ratio: Annotated[float | None, Quantity(
        label="VMO to VL activity", unit="ratio", low=0.2, high=2.5, station="lab",
        group="control", test="vmo_emg", equipment="emg", modifiable=True, log_scale=True,
        protocol="Normalised EMG amplitude of VMO over VL in a single-leg squat.",
        norms=(both_sexes(0.92, 0.18, f"PMC8752958 (at most 0.96); SD: {ASSUMPTION}"),),
        error=MeasurementError(sem=0.10, source=ASSUMPTION), source="PMC8752958: null",
    )] = None


class Gait(BaseModel):
    """Running kinematics of one leg on a treadmill."""

    model_config = STRICT

    run_dorsiflexion_peak_deg: Annotated[float | None, Quantity(
        label="Ankle bend in stance, running", unit="deg", low=-10, high=50, station="lab",
        group="mobility", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Peak ankle dorsiflexion in stance, 3D motion capture, usual running speed.",
        norms=_norm((21.2, 3.5), (21.0, 3.0)), error=MeasurementError(sem=1.4, source=RIC),
    )] = None
    run_eversion_peak_deg: Annotated[float | None, Quantity(
        label="Foot rolling in, running", unit="deg", low=-25, high=40, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Peak rearfoot eversion in stance, 3D motion capture; eversion is positive.",
        norms=_norm((7.2, 3.3), (6.1, 3.0)), error=MeasurementError(sem=1.6, source=RIC),
    )] = None
    run_ankle_rotation_peak_deg: Annotated[float | None, Quantity(
        label="Ankle rotation, running", unit="deg", low=-60, high=60, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Peak ankle rotation about the long axis of the shank in stance, 3D motion capture.",
        norms=_norm((1.2, 5.2), (0.9, 5.6)), error=MeasurementError(sem=2.2, source=RIC),
    )] = None
    run_foot_progression_deg: Annotated[float | None, Quantity(
        label="Toe-out, running", unit="deg", low=-45, high=60, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Foot progression angle in stance, 3D motion capture; toe-out is positive.",
        norms=_norm((5.6, 5.0), (5.2, 4.8)), error=MeasurementError(sem=1.6, source=RIC),
    )] = None
    run_foot_strike_angle_deg: Annotated[float | None, Quantity(
        label="Foot angle at strike, running", unit="deg", low=-40, high=60, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Sagittal foot angle to the ground at foot strike, 3D motion capture; toes up is positive.",
        norms=_norm((18.4, 7.4), (17.6, 7.3)), error=MeasurementError(sem=2.5, source=RIC),
    )] = None
    run_vertical_oscillation_mm: Annotated[float | None, Quantity(
        label="Vertical oscillation, running", unit="mm", low=20, high=200, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Vertical travel of the pelvis over the step of this leg, 3D motion capture.",
        norms=_norm((92.4, 15.3), (83.5, 14.3)), error=MeasurementError(sem=5.5, source=RIC),
    )] = None
    run_stance_time_s: Annotated[float | None, Quantity(
        label="Stance time, running", unit="s", low=0.1, high=0.8, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Foot strike to toe-off of this leg, treadmill at usual running speed.",
        norms=_norm((0.372, 0.026), (0.366, 0.029)), error=MeasurementError(sem=0.013, source=RIC),
    )] = None
    run_swing_time_s: Annotated[float | None, Quantity(
        label="Swing time, running", unit="s", low=0.1, high=0.8, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Toe-off to the next foot strike of this leg, treadmill at usual running speed.",
        norms=_norm((0.361, 0.023), (0.350, 0.019)), error=MeasurementError(sem=0.0075, source=RIC),
    )] = None
    run_pronation_onset_pct: Annotated[float | None, Quantity(
        label="Pronation onset, running", unit="% stance", low=0, high=100, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="Start of pronation as a share of stance, 3D motion capture.",
        norms=_norm((19.0, 5.0), (20.0, 4.1)), error=MeasurementError(sem=2.5, source=RIC),
    )] = None
    run_pronation_offset_pct: Annotated[float | None, Quantity(
        label="Pronation offset, running", unit="% stance", low=0, high=100, station="lab",
        group="control", test="treadmill", equipment="gait_lab", modifiable=True, source=RIC,
        protocol="End of pronation as a share of stance, 3D motion capture.",
        norms=_norm((51.3, 7.7), (54.5, 7.9)), error=MeasurementError(sem=5.9, source=RIC),
    )] = None
