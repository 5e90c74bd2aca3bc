"""Strength and mobility of a leg, measured on the table, at the wall and with a dynamometer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel

from kneerisk.schema.faults import STRICT
from kneerisk.schema.measure import ASSUMPTION, MeasurementError, Norm, Quantity, both_sexes

SARABON_2021 = "Sarabon 2021 Front Physiol, PMC8554160"
NORMS_80 = "Arthrosc Sports Med Rehabil 2024, PMID 38288034 (at 80 degrees)"
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
            Norm(male=(3.19, 0.67), female=(2.41, 0.56), condition="isometric",
                 source=f"{SARABON_2021} (midpoints, mid-range); SD: {NORMS_80}"),
            Norm(male=(2.7, 0.5), female=(2.1, 0.4), condition="isokinetic_60", source=ASSUMPTION),
            Norm(male=(2.76, 0.58), female=(2.29, 0.53), condition="isometric_90",
                 source=f"mean of {SARABON_2021} (flexed) and {NORMS_80}"),
        ),
        error=MeasurementError(sem=0.13, source=f"{ASSUMPTION}: MDC near 12 % of the mean"),
        direction="lowers", log_scale=True, source="Neal 2019, doi 10.1136/bjsports-2017-098890",
    )] = None
    hamstring_torque_nm_kg: Annotated[float | None, Quantity(
        label="Hamstring strength", unit="Nm/kg", low=0.15, high=4.0, station="table",
        group="strength", test="knee_strength", equipment="dynamometer", modifiable=True,
        protocol="Knee flexion peak torque over body mass, same device and mode as the quadriceps.",
        norms=(
            Norm(male=(1.39, 0.34), female=(1.16, 0.29), condition="isometric",
                 source=f"{SARABON_2021} (men, midpoint); women and SD: assumption"),
            Norm(male=(1.60, 0.34), female=(1.25, 0.27), condition="isokinetic_60",
                 source=ASSUMPTION),
            Norm(male=(1.25, 0.30), female=(1.04, 0.26), condition="isometric_90",
                 source=f"mean of {SARABON_2021} (flexed) and {NORMS_80}"),
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
        protocol="Side-lying, isometric, dynamometer fixed by a strap above the ankle, best of four; force over body weight.",
        norms=(both_sexes(37.8, 7.6, ASSUMPTION),),
        error=MeasurementError(sem=1.9, source=f"{THORBORG_2010}: below 5 %, one examiner"),
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
        error=MeasurementError(sem=0.11, source=f"{THORBORG_2010}: below 5 %, one examiner"),
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
        error=MeasurementError(sem=0.14, source=f"{THORBORG_2010}: below 6 %, one examiner"),
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
        protocol="On the back, legs straight, both legs squeeze one dynamometer above the ankle, mean of three; force over mass; one reading of both legs, so that two values count as their mean.",
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


FERBER_2010 = "Ferber 2010 J Athl Train, PMC2902027"
POWDEN_2015 = "Powden 2015 Man Ther, PMID 25704110"


class Mobility(BaseModel):
    """Range of motion, muscle length and alignment of one leg."""

    model_config = STRICT

    wblt_dorsiflexion_deg: Annotated[float | None, Quantity(
        label="Ankle bend, lunge test", unit="deg", low=5, high=65, station="wall",
        group="mobility", test="lunge_angle", equipment="tape_or_phone", modifiable=True,
        protocol="Weight-bearing lunge, knee bent, heel down, inclinometer on the shin.",
        norms=(both_sexes(40.0, 6.0, ASSUMPTION),), direction="lowers",
        error=MeasurementError.from_mdc(4.65, POWDEN_2015), source=POWDEN_2015,
    )] = None
    wblt_distance_cm: Annotated[float | None, Quantity(
        label="Knee to wall", unit="cm", low=0, high=25, station="wall", group="mobility",
        test="lunge_distance", equipment="tape_or_phone", modifiable=True,
        protocol="Greatest distance of the big toe from the wall with the knee touching it, heel down.",
        norms=(both_sexes(12.0, 2.8, "Hoch & McKeon 2011 (clementnoelphysio.org, secondary)"),),
        error=MeasurementError.from_mdc(1.75, POWDEN_2015), direction="lowers",
        source=POWDEN_2015,
    )] = None
    squat_heel_rise_grade: Annotated[int | None, Quantity(
        label="Heel rise in the squat", unit="grade", low=0, high=2, whole=True, station="wall",
        group="mobility", test="squat_look", equipment="none", modifiable=True,
        protocol="Bodyweight squat, arms overhead: 0 none, 1 late or slight, 2 early or clear.",
        norms=(both_sexes(0.3, 0.55, ASSUMPTION),),
        error=MeasurementError(sem=0.3, source=ASSUMPTION), source=ASSUMPTION,
    )] = None
    ober_adduction_deg: Annotated[float | None, Quantity(
        label="Ober test, modified", unit="deg", low=-20, high=50, station="table",
        group="mobility", test="ober", equipment="tape_or_phone", modifiable=True,
        protocol="Side-lying, pelvis held, inclinometer above the knee; degrees below horizontal.",
        norms=(both_sexes(24.6, 7.3, f"{FERBER_2010}: 250 of the 300 were injured"),),
        error=MeasurementError.from_icc(7.3, 0.90, "Kesminas (journals.lsu.lt 691), ICC 0.85-0.94"),
        source=FERBER_2010,
    )] = None
    thomas_hip_extension_deg: Annotated[float | None, Quantity(
        label="Thomas test, modified", unit="deg", low=-40, high=40, station="table",
        group="mobility", test="thomas", equipment="tape_or_phone", modifiable=True,
        protocol="On the table's edge, other knee held to the chest; thigh below horizontal is positive.",
        norms=(both_sexes(10.6, 9.6, f"{FERBER_2010}: 250 of the 300 were injured"),),
        error=MeasurementError.from_icc(9.6, 0.90, "Clapis 2008, PMID 18432516: ICC 0.89-0.92"),
        source=FERBER_2010,
    )] = None
    ake_deficit_deg: Annotated[float | None, Quantity(
        label="Hamstring length, active knee extension", unit="deg", low=0, high=80,
        station="table", group="mobility", test="active_knee_extension",
        equipment="tape_or_phone", modifiable=True, direction="raises",
        protocol="On the back, hip at 90 degrees, knee actively straightened; degrees short of straight.",
        norms=(Norm(male=(17.8, 9.1), female=(13.4, 6.0), source="Yildirim 2018 Balkan Med J"),),
        error=MeasurementError(sem=3.0, source=ASSUMPTION), source="Yildirim 2018 Balkan Med J",
    )] = None
    slr_deg: Annotated[float | None, Quantity(
        label="Straight-leg raise", unit="deg", low=20, high=130, station="table",
        group="mobility", test="straight_leg_raise", equipment="tape_or_phone", modifiable=True,
        protocol="On the back, the leg lifted passively with a straight knee to firm resistance.",
        norms=(Norm(male=(69.0, 7.0), female=(76.0, 10.0), source=ASSUMPTION),),
        error=MeasurementError(sem=4.0, source=ASSUMPTION),
        source="Youdas 2005 JOSPT (scribd 271975909)", direction="lowers",
    )] = None
    navicular_drop_mm: Annotated[float | None, Quantity(
        label="Navicular drop", unit="mm", low=-2, high=25, station="wall", group="mobility",
        test="navicular_drop", equipment="tape_or_phone", direction="raises",
        protocol="Height of the navicular seated in neutral minus standing relaxed (Brody).",
        norms=(both_sexes(7.5, 3.5, "6-9 mm: hva protocol (scribd 372549461); SD: assumption"),),
        error=MeasurementError.from_icc(3.5, 0.83, "navicular ICC 0.78-0.88, n=14 (id 83045428)"),
        source="Neal 2014, PMC4282737",
    )] = None
    foot_progression_deg: Annotated[float | None, Quantity(
        label="Toe-out when walking", unit="deg", low=-25, high=45, station="camera",
        group="mobility", test="foot_progression", equipment="tape_or_phone", modifiable=True,
        protocol="Long axis of the foot against the walking direction, video or footprints; toe-out is positive.",
        norms=(both_sexes(7.0, 4.4, "mean: JBJS 1932; SD: 400 children at 16 (scilit 37b47ec2)"),),
        error=MeasurementError(sem=2.5, source="Appl Mech 2022 3(1):174"),
        source="Appl Mech 2022 3(1):174",
    )] = None
    lateral_pelvic_tilt_deg: Annotated[float | None, Quantity(
        label="Pelvis higher on this side, standing", unit="deg", low=-15, high=15,
        station="wall", group="mobility", test="standing_pelvis", equipment="tape_or_phone",
        protocol="Standing, line of the iliac crests; positive when this side is the higher one.",
        norms=(both_sexes(0.0, 1.8, ASSUMPTION),),
        error=MeasurementError(sem=1.2, source=ASSUMPTION), source=ASSUMPTION,
    )] = None
    leg_length_deficit_cm: Annotated[float | None, Quantity(
        label="This leg shorter by", unit="cm", low=0, high=6, station="wall", group="body",
        test="leg_length", equipment="tape_or_phone", direction="raises",
        protocol="Height of the blocks under this foot that level the pelvis; 0 on the longer leg.",
        norms=(both_sexes(0.25, 0.4, ASSUMPTION),),
        error=MeasurementError(sem=0.3, source=ASSUMPTION), source="Harvey 2010, PMC2909027",
    )] = None
