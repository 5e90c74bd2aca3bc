"""Strength of a leg: dynamometer tests, and the ratios made from them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.measure import ASSUMPTION, MeasurementError, Norm, Quantity, both_sexes

SARABON_2021 = "Sarabon 2021 Front Physiol, PMC8554160"
BARONI_2020 = "Baroni 2020 JSCR, PMID 29794893"
BEDDOWS_2020 = "Beddows 2020 Phys Ther Sport (scribd 558423495)"
THORBORG_2010 = "Thorborg 2010 (studylib 10804811)"


class Strength(BaseModel):
    """Strength of one leg; torques are divided by body mass."""

    model_config = STRICT

    quad_torque_nm_kg: Annotated[float | None, Quantity(
        label="Quadriceps strength", unit="Nm/kg", low=0.3, high=6.0, station="table",
        group="strength", test="knee_strength", equipment="dynamometer", modifiable=True,
        protocol="Seated, knee extension peak torque over body mass; state the torque mode.",
        norms=(
            Norm(male=(3.18, 0.55), female=(2.41, 0.45), condition="isometric",
                 source=f"{SARABON_2021} (midpoints); SD: assumption"),
            Norm(male=(2.7, 0.5), female=(2.1, 0.4), condition="isokinetic_60", source=ASSUMPTION),
        ),
        error=MeasurementError(sem=0.13, source=f"{ASSUMPTION}: MDC near 12 % of the mean"),
        direction="lowers", log_scale=True, source="Neal 2019, doi 10.1136/bjsports-2017-098890",
    )] = None
    hamstring_torque_nm_kg: Annotated[float | None, Quantity(
        label="Hamstring strength", unit="Nm/kg", low=0.15, high=4.0, station="table",
        group="strength", test="knee_strength", equipment="dynamometer", modifiable=True,
        protocol="Knee flexion peak torque over body mass, same device and mode as the quadriceps.",
        norms=(
            Norm(male=(1.38, 0.28), female=(1.05, 0.22), condition="isometric",
                 source=f"{SARABON_2021} (men, midpoint); women and SD: assumption"),
            Norm(male=(1.60, 0.34), female=(1.25, 0.27), condition="isokinetic_60",
                 source=ASSUMPTION),
        ),
        error=MeasurementError(sem=0.07, source=f"{ASSUMPTION}: MDC near 14 % of the mean"),
        log_scale=True, source=SARABON_2021,
    )] = None
    hamstring_quad_ratio: Annotated[float | None, Quantity(
        label="Hamstring to quadriceps ratio", unit="ratio", low=0.20, high=1.50,
        station="lab", group="strength", test="isokinetic_ratio", equipment="isokinetic",
        protocol="Conventional ratio: concentric flexion over concentric extension at 60 degrees per second, one device.",
        norms=(both_sexes(0.60, 0.11, f"{ASSUMPTION}: between {BARONI_2020} (0.65, 0.12) and 0.55"),),
        error=MeasurementError(sem=0.04, source=ASSUMPTION),
        log_scale=True, modifiable=True, source="Kellis 2023, PMC10199143: null as a predictor",
    )] = None
    hamstring_quad_functional_ratio: Annotated[float | None, Quantity(
        label="Functional hamstring ratio", unit="ratio", low=0.30, high=2.50,
        station="lab", group="strength", test="isokinetic_ratio", equipment="isokinetic",
        protocol="Eccentric flexion over concentric extension at 60 degrees per second, one device.",
        norms=(both_sexes(0.79, 0.19, BARONI_2020),),
        error=MeasurementError(sem=0.06, source=ASSUMPTION),
        log_scale=True, modifiable=True, source=BARONI_2020,
    )] = None
    hip_abduction_pct_bw: Annotated[float | None, Quantity(
        label="Hip abduction strength", unit="% BW", low=5, high=100, station="table",
        group="strength", test="hip_abduction", equipment="dynamometer", modifiable=True,
        protocol="Side-lying, isometric, dynamometer fixed by a strap above the ankle; force over body weight.",
        norms=(both_sexes(37.8, 7.6, ASSUMPTION),),
        error=MeasurementError(sem=2.3, source=f"{THORBORG_2010}: 3-12 %, 6 % taken"),
        log_scale=True, source="Rathleff 2014 BJSM: no prospective association",
    )] = None
    hip_abduction_torque_nm_kg: Annotated[float | None, Quantity(
        label="Hip abduction torque", unit="Nm/kg", low=0.2, high=5.0, station="groin",
        group="strength", test="hip_torque", equipment="dynamometer", modifiable=True,
        protocol="Side-lying peak torque over body mass; state the hip torque mode.",
        norms=(
            Norm(male=(2.6, 0.4), female=(2.2, 0.4), condition="eccentric",
                 source=f"{BEDDOWS_2020} (men); women: assumption"),
            Norm(male=(1.9, 0.35), female=(1.6, 0.32), condition="isometric", source=ASSUMPTION),
        ),
        error=MeasurementError(sem=0.12, source=f"{THORBORG_2010}: 3-12 %, 5 % taken"),
        log_scale=True, source=BEDDOWS_2020,
    )] = None
    hip_adduction_torque_nm_kg: Annotated[float | None, Quantity(
        label="Hip adduction torque", unit="Nm/kg", low=0.2, high=6.0, station="groin",
        group="strength", test="hip_torque", equipment="dynamometer", modifiable=True,
        protocol="Side-lying peak torque over body mass, same mode and position as abduction.",
        norms=(
            Norm(male=(2.8, 0.4), female=(2.3, 0.4), condition="eccentric",
                 source=f"{BEDDOWS_2020} (men); women: assumption"),
            Norm(male=(2.0, 0.38), female=(1.65, 0.35), condition="isometric", source=ASSUMPTION),
        ),
        error=MeasurementError(sem=0.13, source=f"{THORBORG_2010}: 3-12 %, 5 % taken"),
        log_scale=True, source=BEDDOWS_2020,
    )] = None
    adduction_abduction_ratio: Annotated[float | None, Quantity(
        label="Adduction to abduction ratio", unit="ratio", low=0.3, high=3.0, station="groin",
        group="strength", test="hip_torque", equipment="dynamometer", modifiable=True,
        protocol="Hip adduction over abduction torque in one position and mode.",
        norms=(both_sexes(1.1, 0.2, BEDDOWS_2020),),
        error=MeasurementError(sem=0.08, source=ASSUMPTION),
        log_scale=True, source="Tyler 2001, PMID 11292035: groin strain, not knee",
    )] = None
    adductor_squeeze_n_kg: Annotated[float | None, Quantity(
        label="Adductor squeeze, long lever", unit="N/kg", low=0.5, high=10, station="groin",
        group="strength", test="adductor_squeeze", equipment="dynamometer", modifiable=True,
        protocol="On the back, legs straight, squeeze against a dynamometer above the ankle; force over mass.",
        norms=(Norm(male=(4.5, 0.8), female=(3.8, 0.75),
                    source=f"{BEDDOWS_2020} (men); women: assumption"),),
        error=MeasurementError.from_mdc(0.30, "Light & Thorborg 2016 (eprints.chi.ac.uk/1735), 6.6 %"),
        log_scale=True, source="Light & Thorborg 2016 (eprints.chi.ac.uk/1735)",
    )] = None
    quad_lag_grade: Annotated[int | None, Quantity(
        label="Quadriceps lag", unit="grade", low=0, high=2, whole=True, station="table",
        group="strength", test="quad_lag", equipment="none", modifiable=True,
        protocol="Straightens the knee against gravity: 0 fully, 1 lags under 10 degrees, 2 lags more.",
        norms=(both_sexes(0.15, 0.42, ASSUMPTION),),
        error=MeasurementError(sem=0.25, source=ASSUMPTION), source=ASSUMPTION,
    )] = None
