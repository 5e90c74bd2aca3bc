"""The shape of what ``/v1/monitoring`` answers, which `kneerisk.monitoring` builds as plain data.

A test holds the real answer against it. That room needs the records' libraries, and so is imported
only where it is asked.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

_FROZEN = ConfigDict(frozen=True)


class CountsTold(BaseModel):
    """Athletes with new pain against how many were told of, for the time followed."""

    model_config = _FROZEN

    athletes: int
    years: float
    observed: int
    told: float
    ratio: float | None
    low: float | None
    high: float | None
    p_value: float
    chance: tuple[int, int]


class OverallTold(CountsTold):
    """The same for all athletes."""

    could_be_chance: bool


class PartTold(BaseModel):
    """The same for one part of the athletes."""

    model_config = _FROZEN

    by: str
    name: str
    counts: CountsTold
    adjusted_p: float
    could_be_chance: bool


class WeekSeen(BaseModel):
    """A weekly look: pain since the year began, and how much of it chance explains."""

    model_config = _FROZEN

    day: date
    observed: int
    told: float
    chance: tuple[int, int]


class WeeklyAlarm(BaseModel):
    """The weekly alarm in the present year of a version."""

    model_config = _FROZEN

    since: date
    evidence: float
    raised_on: date | None
    more: bool
    told: float
    limits: tuple[float, float] | None
    raised_before: list[date]
    raised_at: float
    weeks: list[WeekSeen]


class CalibrationCurve(BaseModel):
    """Slope of the observed hazard on the told one, and points of the curve."""

    model_config = _FROZEN

    slope: float
    slope_low: float
    slope_high: float
    risk: list[float]
    observed: list[float]
    low: list[float]
    high: list[float]


class ExpectedOfRisks(BaseModel):
    """What the told risks promise for knees."""

    model_config = _FROZEN

    knees: int
    log_loss: float
    brier: float
    auc: float | None


class PromiseHeld(BaseModel):
    """That promise against what happened so far: log loss in nats a knee and year."""

    model_config = _FROZEN

    promised: float
    happened: float
    error: float
    p_value: float


class ShiftedMeasure(BaseModel):
    """Mean and spread of a measure against those of the training athletes, in SDs of readings."""

    model_config = _FROZEN

    measure: str
    athletes: int
    shift_sd: float
    limit_sd: float
    adjusted_p: float
    spread: float | None
    spread_limits: tuple[float, float] | None
    spread_adjusted_p: float | None
    shifted: bool
    spread_changed: bool
    drifted: bool


class FollowUpState(BaseModel):
    """Who is still followed, and who was lost."""

    model_config = _FROZEN

    athletes: int
    overdue: int
    lost: int
    ended: dict[str, int]
    lost_told: float | None
    others_told: float | None
    p_value: float | None


class WhatToDo(BaseModel):
    """What to do about the model, and the reason that decided it."""

    model_config = _FROZEN

    step: Literal["nothing", "collect", "adapt", "retrain", "stop"]
    why: str


class MonitoringAnswer(BaseModel):
    """What was told to a club's athletes against what happened; null where there is too little."""

    model_config = _FROZEN

    version: str
    day: date
    first_visit: date
    overall: OverallTold
    parts: list[PartTold]
    alarm: WeeklyAlarm
    calibration: CalibrationCurve | None
    expected: ExpectedOfRisks | None
    promise: PromiseHeld | None
    drift: list[ShiftedMeasure] | None
    follow_up: FollowUpState
    next_step: WhatToDo
    to_do: str
