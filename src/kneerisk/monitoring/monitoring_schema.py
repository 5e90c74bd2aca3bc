"""The shape of a monitoring report, as the command prints it and the service answers it.

What there is too little for is null. It needs no library of the records, so that the service can
describe it, and the client read it, without them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema

_FROZEN = ConfigDict(frozen=True)

#: Of p-values below which chance is not believed to explain a difference (convention).
LEVEL = 0.05

Step = Literal["nothing", "collect", "adapt", "retrain", "stop"]
Why = Literal[
    "far_off", "wrong_order", "spread_off", "alarm", "few_events", "many_lost", "lost_differ",
    "inputs_drifted", "as_told",
]  # fmt: skip


class CountsTold(BaseModel):
    """Athletes with new pain against how many were told of, for the time followed."""

    model_config = _FROZEN

    athletes: int
    """How many people they are of."""
    years: float
    """Of follow-up, all together."""
    observed: int
    """Athletes with new pain."""
    told: float
    """How many were told of, for the time followed."""
    ratio: float | None
    """Observed over told; None where nothing was told."""
    low: float | None
    """Exact 95 % limits of the ratio; None where nothing was told."""
    high: float | None
    p_value: float
    """Two-sided: how often chance alone takes observed as far from told."""
    chance: tuple[int, int]
    """Numbers of events that chance explains: the central 95 % if the told risks are right."""


class OverallTold(CountsTold):
    """The same for all athletes."""

    could_be_chance: bool
    """Whether the limits hold a ratio of 1."""


class PartTold(BaseModel):
    """The same for one part of the athletes."""

    model_config = _FROZEN

    by: str
    name: str
    counts: CountsTold
    adjusted_p: float
    """Corrected for the number of parts."""
    could_be_chance: bool
    """By that: whether chance explains the part, one of several that were looked at."""


class WeekSeen(BaseModel):
    """A weekly look: pain since the year began, and how much of it chance explains."""

    model_config = _FROZEN

    day: date
    observed: int
    told: float
    chance: tuple[int, int]
    """At 95 %."""


class WeeklyAlarm(BaseModel):
    """The weekly alarm in the present year of a version."""

    model_config = _FROZEN

    since: date
    """When the year began."""
    evidence: float
    """At the last look; the alarm is raised at `raised_at`."""
    raised_on: date | None
    """The first look at which it was; None where it never was."""
    more: bool
    """Whether more happened than was told, at that look or the last."""
    told: float
    """Events that were told of in this year."""
    limits: tuple[float, float] | None
    """Of observed over told in this year, for all looks at once; None where nothing was told."""
    raised_before: tuple[date, ...]
    """In earlier years, the looks at which it was raised."""
    raised_at: float
    weeks: tuple[WeekSeen, ...]
    """The looks of this year."""


class CalibrationCurve(BaseModel):
    """Slope of the observed hazard on the told one, and points of the curve."""

    model_config = _FROZEN

    slope: float
    """1 where differences between risks are as large as told, below where they are too extreme."""
    slope_low: float
    """Its 95 % limits."""
    slope_high: float
    risk: tuple[float, ...]
    """Told risks of the horizon; empty where too few different ones were told for a curve."""
    observed: tuple[float, ...]
    """What happens at each of them."""
    low: tuple[float, ...]
    """The curve's pointwise 95 % band."""
    high: tuple[float, ...]


class ExpectedOfRisks(BaseModel):
    """What the told risks promise for knees."""

    model_config = _FROZEN

    knees: int
    log_loss: float
    """Mean, in nats."""
    brier: float
    auc: float | None
    """None where all risks are the same."""


class PromiseHeld(BaseModel):
    """That promise against what happened so far: log loss in nats a knee and year."""

    model_config = _FROZEN

    promised: float
    """What was told, less the log of the told hazard at each event (the exponential model's)."""
    happened: float
    error: float
    """Standard error of the difference if the promise is right, athletes as clusters."""
    p_value: float
    """Two-sided."""

    @property
    def could_be_chance(self) -> bool:
        """Whether the difference is within its 95 % limits."""
        return self.p_value >= LEVEL


class ShiftedMeasure(BaseModel):
    """Mean and spread of a measure against those of the training athletes, in SDs of readings."""

    model_config = _FROZEN

    measure: str
    """Its name, without a side."""
    athletes: int
    """How many have it."""
    shift_sd: float
    """Mean less what is expected for their sport, sex and age, in SDs of readings."""
    limit_sd: float
    """How far chance alone moves a mean of so many athletes, 95 %."""
    adjusted_p: float
    """The p-value of the mean, corrected for all means and spreads that were looked at."""
    spread: float | None
    """SD of the readings about their mean, over the SD expected; None with too few athletes."""
    spread_limits: tuple[float, float] | None
    """Where chance alone leaves the spread of so many athletes, 95 %."""
    spread_adjusted_p: float | None
    """The p-value of the spread, corrected alike."""
    shifted: bool
    """Whether the mean differs by neither chance nor little."""
    spread_changed: bool
    """Whether the spread does."""
    drifted: bool
    """Whether either does."""


class FollowUpState(BaseModel):
    """Who is still followed, and who was lost."""

    model_config = _FROZEN

    athletes: int
    """Who was told a risk and could get new pain."""
    overdue: int
    """Of whom nobody has reported for `OVERDUE_DAYS`, though their follow-up runs."""
    lost: int
    """Who had no new pain and then has not been heard of for too long, or stopped."""
    ended: dict[str, int]
    """Knees by why their follow-up ended."""
    lost_told: float | None
    """Median told risk of the knees of those who were lost."""
    others_told: float | None
    """That of the others."""
    p_value: float | None
    """Of their difference; None where too few are lost or left."""

    @property
    def lost_share(self) -> float:
        """Of the athletes; 0 where there are none."""
        return self.lost / self.athletes if self.athletes else 0.0

    @property
    def lost_differ(self) -> bool:
        """Whether the lost had been told other risks than chance explains."""
        return self.p_value is not None and self.p_value < LEVEL


class WhatToDo(BaseModel):
    """What to do about the model, and the reason that decided it."""

    model_config = _FROZEN

    step: Step
    # Reasons may be added, so that the API promises no list of them.
    why: Annotated[Why, WithJsonSchema({"type": "string"})]


class MonitoringReport(BaseModel):
    """The state of a version on a day; None where there is too little for a part."""

    model_config = _FROZEN

    version: str
    day: date
    first_visit: date
    overall: OverallTold
    parts: tuple[PartTold, ...]
    alarm: WeeklyAlarm
    calibration: CalibrationCurve | None
    expected: ExpectedOfRisks | None
    promise: PromiseHeld | None
    drift: tuple[ShiftedMeasure, ...] | None
    follow_up: FollowUpState
    next_step: WhatToDo

    def metrics(self) -> dict[str, float]:
        """The numbers that a line over time is drawn of; what can't be measured is left out."""
        overall, alarm, found = self.overall, self.alarm, self.calibration
        low, high = alarm.limits or (None, None)
        values = {
            "observed": overall.observed, "told": overall.told,
            "observed_over_told": overall.ratio, "observed_over_told_low": overall.low,
            "observed_over_told_high": overall.high, "limits_at_any_time_low": low,
            "limits_at_any_time_high": high, "alarm_evidence": alarm.evidence,
            "alarm": float(alarm.raised_on is not None),
            "hazard_slope": None if found is None else found.slope,
            "expected_log_loss": None if self.expected is None else self.expected.log_loss,
            "expected_brier": None if self.expected is None else self.expected.brier,
            "expected_auc": None if self.expected is None else self.expected.auc,
            "drifted": None if self.drift is None else sum(one.drifted for one in self.drift),
            "lost_share": self.follow_up.lost_share, "overdue": self.follow_up.overdue,
            "athletes": overall.athletes,
        }  # fmt: skip
        return {name: float(value) for name, value in values.items() if value is not None}


class MonitoringAnswer(MonitoringReport):
    """What was told to a club's athletes against what happened; null where there is too little."""

    to_do: str
    """The sentence that says what to do."""
