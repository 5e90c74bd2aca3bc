"""Treadmill gait of a leg, as a motion laboratory reports it (median over the steps).

Means and SDs are those of uninjured runners in the Running Injury Clinic set (sessions of
2009-2014); the errors are the typical error of its repeated sessions within 60 days.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.measure import MeasurementError, Norm, Quantity

RIC = "Ferber 2024, doi 10.1038/s41597-024-04011-7"


def _norm(male: tuple[float, float], female: tuple[float, float]) -> tuple[Norm, ...]:
    return (Norm(male=male, female=female, source=RIC),)


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
