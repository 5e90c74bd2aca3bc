"""What the service says of a club's records: outcomes kept, an athlete, all athletes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from kneerisk.records.follow_up_states import CheckInState

_FROZEN = ConfigDict(frozen=True)


class KeptOutcome(BaseModel):
    """An outcome that the records hold: new, there before, or changed by what was sent."""

    model_config = _FROZEN

    id: str
    status: Literal["kept", "known", "updated"]


class OutcomesKept(BaseModel):
    """One entry for each outcome, in the order they were sent."""

    model_config = _FROZEN

    outcomes: list[KeptOutcome]


class RecordedAnswer(BaseModel):
    """What was told about a visit: its numbers under the answer's own names."""

    model_config = _FROZEN

    id: str
    version: str
    bundle_sha256: str
    answered_at: datetime
    told: dict[str, Any]


class RecordedVisit(BaseModel):
    """A screening as it was sent."""

    model_config = _FROZEN

    day: date
    recorded_at: datetime
    schema_fingerprint: str
    screening: dict[str, Any]
    answers: list[RecordedAnswer]


class RecordedOutcome(BaseModel):
    """An event, or a check-in that covers some days."""

    model_config = _FROZEN

    id: str
    answer_id: str | None = None
    kind: str
    side: str
    first_day: date
    last_day: date
    details: dict[str, Any]
    reported_at: datetime


class RecordedMinutes(BaseModel):
    """How long the athlete trained or played on a day."""

    model_config = _FROZEN

    day: date
    minutes: float


class RecordedAthlete(BaseModel):
    """All that the club's records hold of an athlete, by day."""

    model_config = _FROZEN

    athlete: str
    visits: list[RecordedVisit]
    outcomes: list[RecordedOutcome]
    exposure: list[RecordedMinutes]


class ListedAthlete(BaseModel):
    """When an athlete was heard of: screened, or told of the knees."""

    model_config = _FROZEN

    athlete: str
    follow_up: CheckInState
    """`answered` within the last week; a check-in is `due`, `overdue` after ten days, the athlete
    `lost` after four weeks; follow-up is `over`; whoever is `not_screened` has none."""
    last_visit: date | None = None
    last_check_in: date | None = None
    heard_of: date | None = None
    silent_days: int | None = None


class ListedAthletes(BaseModel):
    """A page of the club's athletes, by id."""

    model_config = _FROZEN

    day: date
    """Of the look."""
    counts: dict[CheckInState, int]
    """Of all athletes of the club, whatever is shown."""
    athletes: list[ListedAthlete]
    next: str | None = None
    """To be sent as `after` for the next page."""
