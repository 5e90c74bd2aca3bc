"""What a person says of outcome logs where the files don't: a TOML file, checked as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kneerisk.cohort.sheets.mapping_file import (
    MappingRefused,
    Steps,
    mapping_entries,
    mapping_faults,
)
from kneerisk.records.outcome_logs.knee_codes import CodeClass
from kneerisk.records.outcome_logs.outcome_events import EventKind, KneeSide

Coding = Literal["scores", "from_0", "from_1"]
ExposureUnit = Literal["minutes", "hours", "matches"]
#: What a column may be read as; the names that people give them stand in `outcome_words.csv`.
ColumnField = Literal[
    "athlete", "team", "date", "onset_date", "end_date", "side", "area", "problem", "onset",
    "code", "what", "days_lost", "severity", "grade", "subsequent", "first", "consent",
    "training_minutes", "match_minutes", "minutes", "hours", "exposure", "start", "stop",
    "status", "born", "total", "q1", "q2", "q3", "q4", "reports", "not_used",
]  # fmt: skip
#: So many entries of a table of the mapping (assumption: the cases of a season).
_MOST = 10_000
#: OSTRC questionnaires ask about the past seven days (Clarsen, BJSM 2013;47:495, and 2020;54:390).
RECALL_DAYS = 7


class OutcomeMapping(BaseModel):
    """The answers to the questions of outcome logs; all of it optional."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    day_first: bool | None = None
    """Of dates such as 03/04/2025, where a file can be read both ways."""
    athlete: str | None = None
    """Whose files they are, where no column says so."""
    file_athletes: Annotated[dict[str, str], Field(max_length=_MOST)] = {}
    """Whose each file is, by its name."""
    side: KneeSide | None = None
    """Which knee it is where a file does not say."""
    sides: Annotated[dict[str, KneeSide], Field(max_length=_MOST)] = {}
    """Which knee, by the athlete's id, or by file and line: `"case-list.csv:12" = "left"`."""
    side_words: Annotated[dict[str, KneeSide], Field(max_length=_MOST)] = {}
    """What the file's own words or numbers for sides stand for."""
    questions_about: Literal["knee", "anywhere"] | None = None
    """What four questions without a body part in their names are about."""
    ostrc_version: Literal["v1", "v2"] | None = None
    ostrc_coding: Coding | None = None
    answer_words: Annotated[dict[str, float], Field(max_length=100)] = {}
    """The score of each answer that the file has in words."""
    recall_days: Annotated[int, Field(ge=1, le=31)] = RECALL_DAYS
    """So many days, the day of the report among them, a questionnaire asks about."""
    problems_without_place: Literal["knee", "elsewhere"] | None = None
    """What problems are about that name neither a body part nor a code."""
    knee_onset: Literal["gradual", "traumatic"] | None = None
    """How knee problems began of which the file does not say it."""
    problem_words: Annotated[dict[str, EventKind], Field(max_length=_MOST)] = {}
    """What the file's own words for problems stand for."""
    codes: Annotated[dict[str, CodeClass], Field(max_length=_MOST)] = {}
    """Classes of codes that begin with K and are not in our list."""
    exposure_unit: ExposureUnit | None = None
    minutes_a_match: Annotated[float, Field(gt=0, le=240)] = 90.0
    """Of exposure counted in matches (assumption: football)."""
    ids_by_team: bool | None = None
    """Whether each team counts its athletes by itself, so that one id stands for several people."""
    same_numbers: bool | None = None
    """Whether ids of two files that differ in a prefix alone are the same people."""
    athletes: Annotated[dict[str, str], Field(max_length=_MOST)] = {}
    """Ids of some files, and what the others call the same people."""
    columns: Annotated[dict[str, ColumnField], Field(max_length=1_000)] = {}
    """What columns hold, by their names; `not_used` leaves one out."""


def read_outcome_mapping(path: Path) -> OutcomeMapping:
    """Read a mapping of outcome logs.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    OutcomeMapping
        What it says.

    Raises
    ------
    MappingRefused
        Where it can't be read, or with every mistake of it.
    """
    entries = mapping_entries(path)
    try:
        return OutcomeMapping.model_validate(entries)
    except ValidationError as error:
        raise MappingRefused(path, mapping_faults(error, _place)) from None


def _place(where: Steps) -> str:
    """Where in the mapping a mistake is, without an athlete's id."""
    shown = where[:1] if where[0] in {"athletes", "file_athletes", "sides"} else where
    return ".".join(map(str, shown))
