"""What is told of a what-if."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from kneerisk.answer.answer_schema import FROZEN, Lineage, Reason, Risk, Status


class Change(BaseModel):
    """One measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    target: float
    detectable: float | None = None
    """The minimal detectable change between the two values, 95 %; absent without known error."""
    evidence_points_to: Literal["higher_risk", "lower_risk"] | None = None
    """Where published evidence says that this change moves risk; absent where it says neither."""


class Follows(BaseModel):
    """A ratio that had to follow, since it is computed from a measure that was changed."""

    model_config = FROZEN

    column: str
    label: str
    unit: str
    measured: float
    computed: float


class Moved(BaseModel):
    """The risk of a knee as measured, and of athletes who measure like the changed screening."""

    model_config = FROZEN

    now: Risk
    then: Risk
    points: float
    """Then minus now, of 100."""
    held: bool = False
    """True where the model would move against the published direction: then is now."""


class WhatIfAnswer(BaseModel):
    """What kneerisk says of the change. A knee without a risk to tell is absent."""

    model_config = FROZEN

    status: Status
    reasons: list[Reason]
    """Of the screening as it was measured."""
    outcome_kind: str
    horizon_months: int | None = None
    changes: list[Change]
    also_changed: list[Follows] = []
    right: Moved | None = None
    left: Moved | None = None
    either: Moved | None = None
    wording: str
    model: Lineage
    notice: str
