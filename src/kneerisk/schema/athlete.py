"""The athlete: body, sport, training log and history."""

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

SPORTS = (
    "running", "basketball", "volleyball", "football", "handball", "rugby", "netball", "hockey",
    "tennis", "cycling", "weightlifting", "general",
)  # fmt: skip
YES_NO = ("no", "yes")
_HUEBNER_MA = "Huebner & Ma 2022, doi 10.1136/bmjsem-2022-001372"


def _injury_before(site: str, source: str) -> Category:
    return Category(
        label=f"{site} injury before", choices=YES_NO, station="history", group="history",
        protocol=f"Any {site.lower()} injury that cost training.", source=source,
    )


class Athlete(BaseModel):
    """Who the athlete is, what they train and what happened before."""

    model_config = STRICT

    age_years: Annotated[float, Quantity(
        label="Age", unit="years", low=10, high=100, station="athlete", group="body",
        protocol="Age at the visit, self-reported.",
        source="Desai 2021, PMID 33356768: no association in runners",
    )]
    sex: Annotated[str, Category(
        label="Sex", choices=("male", "female", "unspecified"), station="athlete", group="body",
        protocol="As the athlete states it; unspecified is read as the average of both.",
        source="Boling 2010, doi 10.1111/j.1600-0838.2009.00996.x",
    )]
    height_cm: Annotated[float | None, Quantity(
        label="Height", unit="cm", low=120, high=230, station="athlete", group="body",
        protocol="Standing, without shoes, against a wall.", test="height",
        equipment="tape_or_phone",
        norms=(Norm(male=(178.0, 7.0), female=(165.0, 6.5), source=ASSUMPTION),),
        error=MeasurementError(sem=0.5, source=ASSUMPTION), source=ASSUMPTION,
    )] = None
    mass_kg: Annotated[float | None, Quantity(
        label="Body mass", unit="kg", low=25, high=250, station="athlete", group="body",
        protocol="On a scale, in light clothes, without shoes.", test="mass",
        equipment="tape_or_phone", log_scale=True, modifiable=True,
        norms=(Norm(male=(78.0, 11.0), female=(63.0, 9.5), source=ASSUMPTION),),
        error=MeasurementError(sem=0.5, source=ASSUMPTION), source=ASSUMPTION,
    )] = None
    sport: Annotated[str | None, Category(
        label="Main sport", choices=SPORTS, station="athlete", group="load",
        protocol="The sport with most hours in the last year; general for anything else.",
        source="Nutarelli 2023 (scribd 902767043): patellar tendinopathy differs by sport",
    )] = None
    level: Annotated[str | None, Category(
        label="Level", choices=("novice", "recreational", "competitive"), ordinal=True,
        station="athlete", group="load",
        protocol="Novice: under one year of regular training; competitive: enters ranked events.",
        source="Videbaek 2015 (safetylit 484089): novices are injured more per hour",
    )] = None
    training_years: Annotated[float | None, Quantity(
        label="Years of training", unit="years", low=0, high=80, station="athlete", group="load",
        protocol="Years of regular training in the main sport, self-reported.",
        norms=(both_sexes(8.0, 6.0, ASSUMPTION),), source=ASSUMPTION,
    )] = None

    weekly_run_km: Annotated[float | None, Quantity(
        label="Running per week", unit="km", low=0, high=300, station="log", group="load",
        protocol="Mean weekly distance over the last four weeks, from a watch or a diary.",
        test="training_log", modifiable=True,
        norms=(both_sexes(30.0, 18.0, ASSUMPTION),),
        source="van Gent 2007 (repub.eur.nl/pub/36044): conflicting for the knee",
    )] = None
    longest_run_30d_km: Annotated[float | None, Quantity(
        label="Longest run in 30 days", unit="km", low=0, high=250, station="log", group="load",
        protocol="The longest single run of the last 30 days.", test="training_log",
        modifiable=True, model_input=False, norms=(both_sexes(13.0, 6.0, ASSUMPTION),),
        source="Frandsen 2025, PMID 40623829",
    )] = None
    next_long_run_km: Annotated[float | None, Quantity(
        label="Next long run", unit="km", low=0, high=250, station="log", group="load",
        protocol="The longest single run planned for the coming week.", test="training_log",
        modifiable=True, model_input=False, norms=(both_sexes(13.0, 6.0, ASSUMPTION),),
        source="Frandsen 2025, PMID 40623829",
    )] = None
    session_spike_ratio: Annotated[float | None, Quantity(
        label="Session spike", unit="ratio", low=0, high=10, station="log", group="load",
        protocol="Planned (or last) longest session over the longest of the previous 30 days.",
        test="training_log", modifiable=True, model_input=False,
        norms=(both_sexes(1.0, 0.22, ASSUMPTION),), source="Frandsen 2025, PMID 40623829",
    )] = None
    acwr_ratio: Annotated[float | None, Quantity(
        label="Acute to chronic load", unit="ratio", low=0, high=5, station="log", group="load",
        protocol="Load of 7 days over the weekly mean of 28; shown only, as it failed as a predictor.",
        test="training_log", model_input=False, norms=(both_sexes(1.0, 0.25, ASSUMPTION),),
        source="Frandsen 2025, PMID 40623829; Impellizzeri 2020 (scribd 535371355)",
    )] = None
    training_hours_per_week: Annotated[float | None, Quantity(
        label="Training hours", unit="h/week", low=0, high=60, station="log", group="load",
        protocol="All sport in a usual week of the last four, from a diary.",
        test="training_log", modifiable=True, norms=(both_sexes(6.5, 3.0, ASSUMPTION),),
        source=ASSUMPTION,
    )] = None
    resistance_sessions_per_week: Annotated[float | None, Quantity(
        label="Strength sessions", unit="sessions/week", low=0, high=21, station="log",
        group="load", test="training_log", modifiable=True, direction="lowers",
        protocol="Resistance training sessions in a usual week of the last four.",
        norms=(both_sexes(1.8, 1.3, ASSUMPTION),),
        source="Lauersen 2014 (search.pedro.org.au 39522)",
    )] = None
    squat_1rm_change_pct: Annotated[float | None, Quantity(
        label="Squat 1RM change", unit="%", low=-60, high=100, station="log", group="load",
        protocol="Tested or estimated one-repetition maximum now against four weeks ago.",
        test="lifting_log", modifiable=True, norms=(both_sexes(2.0, 6.0, ASSUMPTION),),
        source=ASSUMPTION,
    )] = None
    sitting_hours_per_day: Annotated[float | None, Quantity(
        label="Sitting", unit="h/day", low=0, high=20, station="log", group="load",
        protocol="Hours seated on a usual working day, self-reported.", modifiable=True,
        norms=(both_sexes(6.0, 3.0, ASSUMPTION),),
        source="Lee 2019, BMC Public Health s12889-019-7653-9",
    )] = None
    step_rate_spm: Annotated[float | None, Quantity(
        label="Step rate", unit="steps/min", low=120, high=230, station="log", group="load",
        protocol="Steps of both feet in a minute at usual running speed, by watch or count.",
        test="step_rate", equipment="tape_or_phone", modifiable=True,
        norms=(both_sexes(171.0, 8.0, "Luedke & Rauh 2021, Front Sports Act Living 628348"),),
        error=MeasurementError(sem=2.0, source=ASSUMPTION),
        source="Luedke & Rauh 2021, Front Sports Act Living 628348",
    )] = None
    run_speed_mps: Annotated[float | None, Quantity(
        label="Running speed", unit="m/s", low=0.5, high=12, station="log", group="load",
        protocol="Usual training speed; recorded with the step rate, never an input of a model.",
        test="step_rate", equipment="tape_or_phone", model_input=False, modifiable=True,
        norms=(both_sexes(2.8, 0.5, ASSUMPTION),), source=ASSUMPTION,
    )] = None

    osteoarthritis: Annotated[str | None, Category(
        label="Osteoarthritis", choices=YES_NO, station="history", group="history",
        protocol="Diagnosed osteoarthritis of any joint.",
        source=_HUEBNER_MA,
    )] = None
    prior_shoulder_injury: Annotated[str | None, _injury_before("Shoulder", _HUEBNER_MA)] = None
    prior_back_injury: Annotated[str | None, _injury_before("Back", _HUEBNER_MA)] = None
    prior_wrist_injury: Annotated[str | None, _injury_before("Wrist", _HUEBNER_MA)] = None
    prior_hip_injury: Annotated[str | None, _injury_before("Hip or groin", _HUEBNER_MA)] = None
    prior_ankle_foot_injury: Annotated[str | None, _injury_before(
        "Ankle or foot", "Hägglund 2006 BJSM: any prior injury raises the rate of the next"
    )] = None
