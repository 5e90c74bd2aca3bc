"""The shape of an answer. What is not known is absent, never null."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kneerisk.evidence import Grade, Urgency
from kneerisk.schema import Side

Band = Literal["below", "near", "above", "well_above"]
Status = Literal["refer", "current_pain", "out_of_population", "low_information", "ok"]

_FROZEN = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)


class Risk(BaseModel):
    """How likely the outcome is."""

    model_config = _FROZEN

    probability: float
    interval: tuple[float, float]
    """90 %: measurement error, missing tests and what the literature disagrees on."""
    per_100: int
    """So many in 100 athletes like this one."""
    band: Band
    """Against the base rate of the sport: below 0.75 times, to 1.25, to 2, above."""


class BaseRate(BaseModel):
    """Mean risk in the sport, in two units: a leg's, and either knee's."""

    model_config = _FROZEN

    leg: float | None = None
    either: float | None = None


class Reason(BaseModel):
    """Why the status is what it is."""

    model_config = _FROZEN

    code: Status
    message: str
    column: str | None = None
    """The canonical column it is about, such as ``left_hip_drop_deg``."""


class Risks(BaseModel):
    """The risk of each knee and of either; absent where there is none to tell."""

    model_config = _FROZEN

    status: Status
    reasons: list[Reason]
    outcome_kind: str
    horizon_months: int | None = None
    base_rate: BaseRate
    left: Risk | None = None
    right: Risk | None = None
    either: Risk | None = None


class Imbalance(BaseModel):
    """How likely a leg's pattern is called one of the five imbalances."""

    model_config = _FROZEN

    side: Side
    name: str
    label: str
    probability: float
    evidence_grade: Grade
    usual_site: str


class Flag(BaseModel):
    """A red flag that applies."""

    model_config = _FROZEN

    code: str
    urgency: Urgency
    reason: str


class Input(BaseModel):
    """What became of a measure."""

    model_config = _FROZEN

    column: str
    status: Literal["used", "missing", "recorded_only", "unknown_to_model"]
    unit: str | None = None


class Lineage(BaseModel):
    """Which model answered."""

    model_config = _FROZEN

    version: str
    run_id: str
    git_sha: str | None = None
    cohort: str
    outcome_kind: str
    schema_fingerprint: str = Field(alias="schema")


class Answer(BaseModel):
    """What kneerisk says of one screening."""

    model_config = _FROZEN

    risk: Risks
    imbalances: list[Imbalance] | None = None
    red_flags: list[Flag]
    red_flags_status: Literal["not_asked", "cleared", "present"]
    inputs: list[Input]
    model: Lineage
    notice: str
