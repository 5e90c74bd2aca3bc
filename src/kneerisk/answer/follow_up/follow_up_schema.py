"""The shape of a follow-up's answer. What is not known is absent, never null."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel

from kneerisk.answer.answer_schema import FROZEN, Flag, Knee, Likely, Lineage, Reason, Risk, Status
from kneerisk.evidence import Imbalance as ImbalanceName
from kneerisk.schema import Side

Verdict = Literal["changed", "possible", "within_error", "no_error_known"]
Direction = Literal["better", "worse", "neither"]
Move = Literal["rose", "fell", "within_error"]
Shown = Literal["shows", "not_yet", "went_the_other_way", "not_measured_again"]
ImbalanceStatus = Literal["clear", "possible", "not_supported", "cannot_tell"]


class FlagAt(BaseModel):
    """A red flag that needs a clinician, and the visit it was noted at."""

    model_config = FROZEN

    date: dt.date
    flag: Flag


class VisitTold(BaseModel):
    """What was said of one visit; without a risk where a knee hurts or a flag needs a clinician."""

    model_config = FROZEN

    date: dt.date
    status: Status
    reasons: list[Reason]
    right: Risk | None = None
    left: Risk | None = None
    either: Risk | None = None
    likely: list[Likely] | None = None


class ReadingAt(BaseModel):
    """One reading of a series."""

    model_config = FROZEN

    date: dt.date
    value: float
    error: float | None = None
    """What a single reading is off by at most, 95 %, in the measure's unit."""


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
    """Changed: beyond what error would show in any of so many measures. Possible: beyond this
    measure's own error only."""
    direction: Direction
    """Better: towards less risk, or, where the evidence supports no direction, away from the
    imbalances that the measure marks."""
    series: list[ReadingAt]


class RiskChange(BaseModel):
    """How the risk of a knee moved between the first and the last visit that have one.

    Both are judged by what was measured at both visits, so that a test more or less moves nothing.
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
    """What measurement error alone moves it by at most, 95 %."""
    verdict: Move
    same_tests: bool
    """Whether both visits had the same measures; else first and last differ from the visits'
    own risks, which use all of their tests."""


class ImbalanceChange(BaseModel):
    """How the probability of an imbalance moved, judged as the risk is."""

    model_config = FROZEN

    side: Side
    name: ImbalanceName
    label: str
    first: float
    last: float
    verdict: Move
    moved_from: ImbalanceStatus
    moved_to: ImbalanceStatus
    """Its status in the answers to the two visits."""


class AdviceShown(BaseModel):
    """Whether what was advised at the first visit shows in the measures that it is about."""

    model_config = FROZEN

    about: ImbalanceName | Literal["load"]
    side: Side | None = None
    codes: list[str]
    """The pieces of advice."""
    status: Shown
    columns: list[str]
    """The measures that it is about and that were taken again."""
    message: str


class FollowUpAnswer(BaseModel):
    """What became of an athlete between visits."""

    model_config = FROZEN

    refer: list[FlagAt] = []
    """Said first: see a clinician about these."""
    summary: str
    any_change: bool
    """Whether any measure changed beyond what chance would show among so many."""
    visits: list[VisitTold]
    changes: list[MeasureChange]
    by_chance: str | None = None
    """How many possible changes error alone would show."""
    risk_changes: list[RiskChange] = []
    imbalance_changes: list[ImbalanceChange] = []
    advice_shown: list[AdviceShown] = []
    model: Lineage
    notice: str
