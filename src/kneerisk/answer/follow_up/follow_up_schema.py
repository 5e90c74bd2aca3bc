"""The shape of a follow-up's answer. What is not known is absent, never null."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from kneerisk.answer.answer_schema import Flag, Knee, Lineage, Reason, Risk, Status
from kneerisk.answer.pattern_schema import FROZEN, LegVerdict
from kneerisk.evidence import Imbalance as ImbalanceName
from kneerisk.schema import Side

Verdict = Literal["changed", "possible", "within_error", "no_error_known"]
Direction = Literal["better", "worse", "neither"]
RiskVerdict = Literal["rose", "fell", "within_error"]
AdviceStatus = Literal["shows", "not_yet", "went_the_other_way", "not_measured_again"]
ImbalanceStatus = Literal["clear", "possible", "not_supported", "cannot_tell"]


class DatedFlag(BaseModel):
    """A red flag that needs a clinician, and the visit it was noted at."""

    model_config = FROZEN

    date: dt.date
    flag: Flag


class VisitAnswer(BaseModel):
    """The answer to one visit; without a risk where a knee hurts or a flag needs a clinician."""

    model_config = FROZEN

    date: dt.date
    status: Status
    reasons: list[Reason]
    right: Risk | None = None
    left: Risk | None = None
    either: Risk | None = None
    likely: list[LegVerdict] | None = None


class DatedReading(BaseModel):
    """One reading of a series, with its date."""

    model_config = FROZEN

    date: dt.date
    value: float
    error: float | None = None
    """Error of a single reading, 95 %, in the measure's unit."""


class MeasureChange(BaseModel):
    """How a column that was measured at two visits or more changed from the first to the last."""

    model_config = FROZEN

    column: str
    measure: str
    side: Side | None = None
    label: str
    unit: str
    first: float
    last: float
    change: float
    """Last minus first."""
    detectable: float | None = None
    """The minimal detectable change between these two readings, 95 %."""
    verdict: Verdict
    """``changed``: beyond what error explains in any of the measures compared. ``possible``: beyond
    this measure's own error only."""
    direction: Direction
    """``better``: towards less risk or, where the evidence supports no direction, away from the
    imbalances that the measure marks."""
    series: list[DatedReading]


class RiskChange(BaseModel):
    """How the risk of a knee changed between the first and the last visit that have one.

    Both risks use only what was measured at both visits, so that an extra test changes nothing.
    """

    model_config = FROZEN

    knee: Knee
    first_date: dt.date
    last_date: dt.date
    first: float
    last: float
    points: float
    """Last minus first, of 100."""
    error_points: float
    """How far measurement error alone moves it, 95 %, in points of 100."""
    error_band: tuple[float, float]
    """Where the last risk would be, 95 %, if nothing but measurement error had changed."""
    verdict: RiskVerdict
    same_tests: bool
    """Whether both visits had the same measures; else first and last differ from the visits'
    own risks, which use all of their tests."""


class ImbalanceChange(BaseModel):
    """How the probability of an imbalance changed, compared as the risk is."""

    model_config = FROZEN

    side: Side
    name: ImbalanceName
    label: str
    first: float
    last: float
    verdict: RiskVerdict
    moved_from: ImbalanceStatus
    moved_to: ImbalanceStatus
    """Its status in the answers to the two visits."""


class AdviceOutcome(BaseModel):
    """Whether what was advised at the first visit shows in the measures that it is about."""

    model_config = FROZEN

    about: ImbalanceName | Literal["load"]
    side: Side | None = None
    codes: list[str]
    """The pieces of advice."""
    status: AdviceStatus
    columns: list[str]
    """The measures that it is about and that were repeated."""
    message: str


class FollowUpAnswer(BaseModel):
    """How an athlete changed between visits."""

    model_config = FROZEN

    refer: list[DatedFlag] = []
    """Red flags that need a clinician; they come first."""
    summary: str
    any_change: bool
    """Whether any measure changed beyond what error explains in any of those compared."""
    visits: list[VisitAnswer]
    changes: list[MeasureChange]
    by_chance: str | None = None
    """How many possible changes error alone would produce, in words."""
    risk_changes: list[RiskChange] = []
    imbalance_changes: list[ImbalanceChange] = []
    advice_shown: list[AdviceOutcome] = []
    model: Lineage
    notice: str
