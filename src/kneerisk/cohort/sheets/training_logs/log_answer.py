"""What a training log was read as: sessions, weeks, the measures of load, and open questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date as calendar_date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kneerisk.errors import CohortRefused
from kneerisk.words import text

Maker = Literal["strava", "garmin", "trainingpeaks", "polar", "statsports", "apple_health", "table"]
DistanceUnit = Literal["km", "mile", "m"]
DurationUnit = Literal["h", "min", "s", "h:mm", "m:ss"]
Kind = Literal["running", "strength", "other"]
Outside = Literal["no_training", "not_known"]
QuestionName = Literal[
    "date", "athlete", "day_first", "distance_unit", "duration_unit", "sport", "sports",
    "athlete_column", "outside",
]  # fmt: skip

_FROZEN = ConfigDict(frozen=True)
#: So many words for sports may be told (assumption: a watch has some hundred).
_MOST_SPORTS = 300


def _day(text: str) -> str:
    calendar_date.fromisoformat(text)
    return text


#: A day as ISO 8601 writes it.
_IsoDay = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)]


class LogAsked(BaseModel):
    """The part `mapping` of a request: what a person says of a training log; all of it optional."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    date: Annotated[_IsoDay | None, Field(
        description="The date of the screening; only sessions before it count.",
    )] = None  # fmt: skip
    athlete: Annotated[str | None, Field(
        max_length=300, description="Whose log it is, where the file names nobody.",
    )] = None  # fmt: skip
    day_first: Annotated[bool | None, Field(
        description="Of dates such as 03/04/2025: true is 3 April, false is 4 March.",
    )] = None  # fmt: skip
    distance_unit: DistanceUnit | None = None
    duration_unit: Annotated[DurationUnit | None, Field(
        description="How times such as 45 or 1:02 are meant.",
    )] = None  # fmt: skip
    sport: Annotated[Kind | None, Field(
        description="What the sessions are, where the file has no column that says so.",
    )] = None  # fmt: skip
    sports: Annotated[dict[str, Kind], Field(
        max_length=_MOST_SPORTS, description="What the file's own words for sports stand for.",
    )] = {}  # fmt: skip
    athlete_column: Annotated[bool | None, Field(
        description="Whether the column of names holds athletes, and not titles of sessions.",
    )] = None  # fmt: skip
    outside: Annotated[Outside | None, Field(
        description="What holds for days before the file begins or after it ends.",
    )] = None  # fmt: skip


def asked_of(stated: Mapping[str, str | None], answers: Iterable[str]) -> LogAsked:
    """What a person said on the command line.

    Parameters
    ----------
    stated
        What has an option of its own, by name.
    answers
        Others as `NAME=VALUE`; `sports.WORD=running` tells a word.

    Returns
    -------
    LogAsked
        All of it.

    Raises
    ------
    CohortRefused
        Where something of it can't be said.
    """
    entries: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    for answer in answers:
        name, _, value = answer.partition("=")
        table, _, word = name.partition(".")
        if word:
            entries.setdefault(table, {})[word] = value
        else:
            entries[name] = {"true": True, "false": False}.get(value, value)
    try:
        return LogAsked.model_validate(entries)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, one['loc']))}: {one.get('ctx', {}).get('error') or one['msg']}"
            for one in error.errors()
        ]
        raise CohortRefused(text("training_log.not_said", faults="; ".join(faults))) from None


class LogChoice(BaseModel):
    """One answer to a question."""

    model_config = _FROZEN

    label: str
    ask: Annotated[dict[str, Any], Field(description="To be sent in `mapping`.")]


class LogQuestion(BaseModel):
    """Something that the file does not say; what rests on it waits."""

    model_config = _FROZEN

    name: QuestionName
    question: str
    why: str
    choices: list[LogChoice] = []
    proposal: Annotated[dict[str, Any] | None, Field(
        description="The likeliest answer, where one is likelier than the others.",
    )] = None  # fmt: skip


class LogMeasure(BaseModel):
    """One measure of load, and where it comes from."""

    model_config = _FROZEN

    measure: Annotated[str, Field(description="The canonical column, `weekly_run_km`.")]
    label: str
    value: float
    unit: str
    first_day: Annotated[str, Field(description="ISO 8601; the first day that counts.")]
    last_day: str
    sessions: Annotated[int, Field(description="So many sessions it is made of.")]
    how: Annotated[str, Field(description="How it was worked out, for people.")]
    definition: Annotated[str, Field(description="The protocol of the schema.")]
    source: str
    waits_for: Annotated[QuestionName | None, Field(
        description="The question that is still open; the value is not in `screening` then.",
    )] = None  # fmt: skip


class LogWeek(BaseModel):
    """Seven days before the screening."""

    model_config = _FROZEN

    first_day: str
    last_day: str
    run_km: float
    hours: float
    runs: int
    sessions: int
    longest_run_km: float


class AthleteLoad(BaseModel):
    """One athlete's load at a screening."""

    model_config = _FROZEN

    athlete: str | None = None
    date: Annotated[str, Field(description="The date of the screening.")]
    sessions: Annotated[int, Field(description="Sessions before it.")]
    later: Annotated[int, Field(description="Sessions from that day on, which don't count.")] = 0
    first_day: str | None = None
    last_day: str | None = None
    measures: list[LogMeasure]
    weeks: Annotated[list[LogWeek], Field(description="The first one first.")]
    screening: Annotated[dict[str, Any], Field(
        description="The settled measures as a part of the body for /v1/predict.",
    )]  # fmt: skip
    notes: list[str] = []


class LogColumnRead(BaseModel):
    """One column of a file."""

    model_config = _FROZEN

    place: str
    column: str
    read_as: Annotated[str | None, Field(description="Absent where it is not used.")] = None


class SportRead(BaseModel):
    """A word for a sport, and what its sessions count as."""

    model_config = _FROZEN

    word: str
    kind: Kind
    sessions: int


class LogRowsLeftOut(BaseModel):
    """Lines that are no session, or not used."""

    model_config = _FROZEN

    reason: str
    message: str
    count: int
    lines: Annotated[list[int], Field(description="The first of them.")]


class LogFile(BaseModel):
    """One file."""

    model_config = _FROZEN

    maker: Maker
    label: str
    rows: int
    sessions: int
    distance_unit: str | None = None
    columns: list[LogColumnRead] = []
    sports: list[SportRead] = []
    left_out: list[LogRowsLeftOut] = []


class LogAnswer(BaseModel):
    """A training log as it was understood."""

    model_config = _FROZEN

    files: list[LogFile]
    questions: list[LogQuestion]
    athletes: list[AthleteLoad]
    notes: list[str]
