"""What outcome logs say: events, check-ins, exposure, and what was left out.

An event has its onset between two days, both included; one day where it is known. A report that was
not made says nothing: no event is not "no pain".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from kneerisk.cohort.sheets.training_logs.log_answer import LogChoice

EventKind = Literal["knee_pain", "knee_injury", "surgery", "other_problem", "end_of_follow_up"]
KneeSide = Literal["left", "right", "both", "unknown"]
#: `new`: the first in this knee, and the knee was reported clean before (or a case list calls it
#: new). `recurrence`: it came back after a clean report. `flare`: an earlier one was not known to
#: be over. `at_first_report`: it was there when the reports began.
Course = Literal["new", "recurrence", "flare", "at_first_report"]
Says = Literal["nothing_new", "problem", "unknown"]
LogKind = Literal["check_ins", "daily_reports", "cases", "follow_up", "exposure", "players"]
#: Kinds after which gradual pain of a knee can't be seen for what it is.
CENSORING = frozenset({"knee_injury", "surgery", "end_of_follow_up"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeEvent:
    """One thing that happened to an athlete, with the lines that tell of it."""

    athlete: str
    kind: EventKind
    side: KneeSide
    onset_earliest: date | None
    """None: nothing says when it had not begun yet."""
    onset_latest: date
    course: Course = "new"
    last_reported: date | None = None
    """The last day on which it was reported."""
    free_by: date | None = None
    """The first day that is known to be without it: a clean report's first day, or the recovery."""
    severity: float | None = None
    """0 to 100, the highest of its reports."""
    grade: str | None = None
    """The file's own word for how bad it was, in lower case; the worst of its reports."""
    days_lost: int | None = None
    code: str | None = None
    """The OSIICS code, where given."""
    code_class: str | None = None
    """Our class of it: gradual, degenerative, traumatic, after_surgery, stump, not_knee."""
    file: str = ""
    lines: tuple[int, ...] = ()

    @property
    def onset_is_known_to_the_day(self) -> bool:
        """Whether it began on one known day."""
        return self.onset_earliest == self.onset_latest

    @property
    def censors_gradual_pain(self) -> bool:
        """Whether follow-up for gradual pain of this knee ends here."""
        return self.kind in CENSORING


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """One report of how the knees were, and the days that it covers: backwards, never forwards."""

    athlete: str
    covers_from: date
    covers_to: date
    """The day of the report."""
    side: KneeSide
    """Which knee it is about; both where it says nothing of a side and all is well."""
    says: Says
    severity: float | None = None
    substantial: bool | None = None
    answers: tuple[float | None, ...] = ()
    """The four answers of an OSTRC questionnaire as scores, as given."""
    version: str | None = None
    """The questionnaire's: ``ostrc_v1``, ``ostrc_v2``, ``pmsys``."""
    grade: str | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How long an athlete trained or played on a day."""

    athlete: str
    day: date
    minutes: float
    match_minutes: float | None = None
    """The part of it in matches, where the file parts them."""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPeriod:
    """From when to when an athlete was watched, where a file says so."""

    athlete: str
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class LeftOutRows:
    """Rows that are no event, no report and no exposure, and why."""

    reason: str
    lines: list[int]


@dataclass(slots=True, kw_only=True)
class OutcomeFile:
    """One file, and what became of each of its rows."""

    name: str
    kind: LogKind
    rows: int = 0
    as_events: int = 0
    as_check_ins: int = 0
    as_exposure: int = 0
    as_players: int = 0
    left_out: list[LeftOutRows] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    """What each column that is read was taken for."""

    def leave_out(self, reason: str, line: int) -> None:
        """Note a row that is not used."""
        for rows in self.left_out:
            if rows.reason == reason:
                rows.lines.append(line)
                return
        self.left_out.append(LeftOutRows(reason, [line]))

    @property
    def accounted(self) -> int:
        """Rows that have become something or were left out with a reason."""
        read = self.as_events + self.as_check_ins + self.as_exposure + self.as_players
        return read + sum(len(rows.lines) for rows in self.left_out)


class OutcomeQuestion(BaseModel):
    """Something that the files don't say; nothing is taken before it is answered."""

    model_config = ConfigDict(frozen=True)

    name: str
    question: str
    why: str
    choices: list[LogChoice] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLog:
    """What one or several files of a club say."""

    files: list[OutcomeFile]
    events: list[OutcomeEvent]
    check_ins: list[CheckIn]
    exposure: list[Exposure]
    followed: list[FollowedPeriod]
    questions: list[OutcomeQuestion]
    notes: list[str]
    matched: Mapping[str, str] = field(default_factory=dict)
    """The rule by which the ids of a file were matched to those of the others, by file."""
