"""Movement control of a leg: video, EMG and the treadmill gait laboratory."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.measure import ASSUMPTION, MeasurementError, Norm, Quantity, both_sexes

HERRINGTON_2010 = "Herrington & Munro 2010, S1466-853X(09)00115-1"
FERBER_2024 = "Ferber 2024, doi 10.1038/s41597-024-04011-7"


class Control(BaseModel):
    """Alignment in motion and muscle timing of one leg."""

    model_config = STRICT

    hip_drop_deg: Annotated[float | None, Quantity(
        label="Hip drop", unit="deg", low=-10, high=25, station="camera", group="control",
        test="hip_drop", equipment="tape_or_phone", modifiable=True, direction="raises",
        protocol="Standing on this leg, drop of the other side of the pelvis at mid-stance, mean of five.",
        norms=(
            both_sexes(5.0, 2.0, ASSUMPTION, condition="running"),
            both_sexes(6.0, 3.0, ASSUMPTION, condition="single_leg_squat"),
        ),
        error=MeasurementError(sem=1.3, source=f"{ASSUMPTION}: 2D video"),
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
        protocol="Surface EMG onset of VMO minus VL in stair ascent; positive when VMO is late.",
        norms=(both_sexes(0.0, 10.0, f"mean near 0 in healthy; SD: {ASSUMPTION}"),),
        error=MeasurementError(sem=5.0, source=ASSUMPTION),
        source="Van Tiggelen 2009 AJSM; Witvrouw 2000, PMID 10921638",
    )] = None
    vmo_vl_ratio: Annotated[float | None, Quantity(
        label="VMO to VL activity", unit="ratio", low=0.2, high=2.5, station="lab",
        group="control", test="vmo_emg", equipment="emg", modifiable=True, log_scale=True,
        protocol="Normalised EMG amplitude of VMO over VL in a single-leg squat.",
        norms=(both_sexes(0.92, 0.18, f"PMC8752958 (at most 0.96); SD: {ASSUMPTION}"),),
        error=MeasurementError(sem=0.10, source=ASSUMPTION), source="PMC8752958: null",
    )] = None
