"""What a client reports of outcomes: events of a knee, check-ins, the end of follow-up.

An event began between two days, one where it is known. A check-in says how the knees were on the
days that it covers; days without one say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.records.identifiers import ANSWER_ID, ATHLETE_CODE, pattern_schema
from kneerisk.records.outcome_logs.knee_codes import CODE, class_of, code_in
from kneerisk.records.outcome_logs.outcome_events import Course, EventKind, KneeSide
from kneerisk.schema.calendar_day import Day, day_of, last_possible_day
from kneerisk.schema.faults import STRICT, FaultCode
from kneerisk.words import text

OutcomeKind = Literal[EventKind, "check_in"]
#: Outcomes of one request (assumption: a month of check-ins of a large club).
MOST_OUTCOMES = 1_000
_CHECK_IN = "check_in"
#: Kinds for which a side has to be said, be it that it is unknown.
_OF_A_KNEE = frozenset({"knee_pain", "knee_injury", "surgery"})
_OF_EVENTS = ("course", "last_reported", "free_by", "days_lost", "code")
_OF_CHECK_INS = ("knee_problem", "substantial", "answers")
#: The answer to one of the four questions of OSTRC, as a score (Clarsen 2013, BJSM 47:495).
_Score = Annotated[float, Field(ge=0, le=25)]
#: Longer than any recovery (assumption).
_MOST_DAYS_LOST = 3_650


def _athlete_code(stated: str) -> str:
    if not ATHLETE_CODE.fullmatch(stated):
        raise PydanticCustomError(FaultCode.NOT_AN_ID, text("records.report.bad_athlete"))
    return stated


def _answer_id(stated: str) -> str:
    if not ANSWER_ID.fullmatch(stated):
        raise PydanticCustomError(FaultCode.NO_SUCH_ANSWER, text("records.report.no_answer"))
    return stated


def _osiics_code(stated: str) -> str:
    code = code_in(stated)
    if code is None:
        raise PydanticCustomError(FaultCode.NOT_A_CODE, text("records.report.bad_code"))
    return code


def _past(day: date) -> date:
    if day > last_possible_day():
        raise PydanticCustomError(FaultCode.STILL_TO_COME, text("records.report.still_to_come"))
    return day


def _four(answers: list[_Score]) -> list[_Score]:
    if len(answers) != 4:
        raise PydanticCustomError(FaultCode.NOT_FOUR, text("records.report.not_four"))
    return answers


_PastDay = Annotated[Day, AfterValidator(_past)]
_AthleteCode = Annotated[
    str, AfterValidator(_athlete_code), Field(json_schema_extra=pattern_schema(ATHLETE_CODE))
]
_AnswerId = Annotated[
    str, AfterValidator(_answer_id), Field(json_schema_extra=pattern_schema(ANSWER_ID))
]
_Code = Annotated[str, AfterValidator(_osiics_code), Field(json_schema_extra=pattern_schema(CODE))]


class OutcomeReport(BaseModel):
    """One thing that happened to an athlete, or how the knees were on some days.

    Raises
    ------
    pydantic.ValidationError
        With every fault: of a field, of fields together, and of fields that the kind does not have.
    """

    model_config = STRICT

    athlete: _AthleteCode | None = None
    """The club's id of the athlete; not needed with `answer_id`."""
    answer_id: _AnswerId | None = None
    """The recorded answer that it is the outcome of."""
    kind: OutcomeKind
    side: KneeSide | None = None
    """Needed for pain, injury and surgery of a knee; a check-in is about both unless it says."""
    first_day: _PastDay
    """The first day on which it may have begun, or that a check-in covers."""
    last_day: _PastDay | None = None
    """The last such day; left out: the first."""
    course: Course | None = None
    """Whether it is new; left out of an event: it is."""
    last_reported: _PastDay | None = None
    free_by: _PastDay | None = None
    """The first day that is known to be without it."""
    severity: Annotated[float, Field(ge=0, le=100)] | None = None
    days_lost: Annotated[int, Field(ge=0, le=_MOST_DAYS_LOST)] | None = None
    code: _Code | None = None
    """OSIICS."""
    knee_problem: bool | None = None
    """Needed for a check-in: whether a knee troubled on these days."""
    substantial: bool | None = None
    answers: Annotated[list[_Score], AfterValidator(_four)] | None = None
    """The four answers of an OSTRC questionnaire, as scores."""

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        faults: list[InitErrorDetails] = []
        report: Self | None = None
        try:
            report = handler(value)
        except ValidationError as error:
            faults = [
                _detail(tuple(fault["loc"]), fault["type"], fault["msg"], fault.get("ctx"))
                for fault in error.errors(include_url=False)
            ]
        stated = value if report is None else report.model_dump(exclude_none=True)
        if isinstance(stated, Mapping):
            faulty = {fault["loc"][:1] for fault in faults}
            sound = {k: v for k, v in stated.items() if (k,) not in faulty and v is not None}
            faults += [fault for fault in _joint(sound) if fault["loc"] not in faulty]
        if faults or report is None:
            raise ValidationError.from_exception_data("OutcomeReport", faults, hide_input=True)
        return report

    @property
    def told_side(self) -> KneeSide:
        """The side as it is kept."""
        return self.side or ("both" if self.kind == _CHECK_IN else "unknown")

    @property
    def told_last_day(self) -> date:
        """The last day as it is kept."""
        return self.last_day or self.first_day

    def details(self) -> dict[str, Any]:
        """What the records keep of it besides kind, side and days; what is unknown is absent."""
        names = ("last_reported", "free_by", "severity", "days_lost", "code", "knee_problem",
                 "substantial")  # fmt: skip
        kept = self.model_dump(mode="json", include=set(names), exclude_none=True)
        if self.kind == _CHECK_IN:
            says = "problem" if self.knee_problem else "nothing_new"
            scores = enumerate(self.answers or (), start=1)
            return kept | {"says": says} | {f"q{number}": score for number, score in scores}
        if self.code is not None and (known := class_of(self.code)):
            kept["code_class"] = known
        return kept | {"course": self.course or "new"}


class OutcomeReports(BaseModel):
    """One outcome or many, of one athlete or many; all are kept or none."""

    model_config = STRICT

    outcomes: Annotated[list[OutcomeReport], Field(max_length=MOST_OUTCOMES)]


def _joint(sound: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """What is wrong with the sound fields together."""
    kind = sound.get("kind")
    if "athlete" not in sound and "answer_id" not in sound:
        yield _detail(("athlete",), FaultCode.WHOSE, text("records.report.whose"))
    if kind in _OF_A_KNEE and "side" not in sound:
        yield _detail(("side",), FaultCode.MISSING, "")
    if kind == _CHECK_IN and "knee_problem" not in sound:
        yield _detail(("knee_problem",), FaultCode.MISSING, "")
    if kind in get_args(OutcomeKind):
        for name in _OF_EVENTS if kind == _CHECK_IN else _OF_CHECK_INS:
            if name in sound:
                message = text("records.report.not_of_this_kind")
                yield _detail((name,), FaultCode.NOT_OF_THIS_KIND, message)
    first = _as_day(sound.get("first_day"))
    for name in ("last_day", "last_reported", "free_by"):
        day = _as_day(sound.get(name))
        if first and day and day < first:
            yield _detail((name,), FaultCode.NOT_IN_ORDER, text("records.report.not_in_order"))


def _as_day(stated: Any) -> date | None:
    return day_of(stated) if isinstance(stated, str) else stated


def _detail(
    location: tuple[int | str, ...], code: str, message: str, limits: dict[str, Any] | None = None
) -> InitErrorDetails:
    kind = PydanticCustomError(code, message.replace("{", "(").replace("}", ")"), limits)
    return InitErrorDetails(type=kind, loc=location, input=None)
