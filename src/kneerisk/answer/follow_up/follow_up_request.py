"""The body of a follow-up: two or more dated screenings of one athlete, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.schema import Screening, category
from kneerisk.schema.calendar_day import Day, read_day
from kneerisk.schema.columns import column_of
from kneerisk.schema.faults import STRICT
from kneerisk.schema.rules import NEEDS
from kneerisk.schema.z_scores import CONDITION_OF
from kneerisk.words import text

FEWEST_VISITS, MOST_VISITS = 2, 50
#: An age in whole years may differ from what the dates imply by this much.
AGE_ROUNDING_YEARS = 1.0
_DAYS_A_YEAR = 365.25

Location = tuple[int | str, ...]
#: Place, code and message.
PlacedFault = tuple[Location, str, str]


class Visit(BaseModel):
    """One dated screening. An id, if any, is only compared with those of the other visits."""

    model_config = STRICT

    date: Day
    athlete_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    screening: Screening


class FollowUp(BaseModel):
    """Visits of one athlete, the earliest first.

    Raises
    ------
    pydantic.ValidationError
        With every fault of every screening, and of the visits together: too few or too many,
        another athlete (id, sex, age), dates that are equal or not in order, and a measure that
        was taken by different protocols.
    """

    model_config = STRICT

    visits: Annotated[
        list[Visit],
        Field(max_length=MOST_VISITS, json_schema_extra={"minItems": FEWEST_VISITS}),
    ]

    @model_validator(mode="wrap")
    @classmethod
    def _of_one_athlete(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        faults: list[InitErrorDetails] = []
        request: Self | None = None
        try:
            request = handler(value)
        except ValidationError as error:
            faults = [
                _detail(fault["loc"], fault["type"], fault["msg"])
                for fault in error.errors(include_url=False)
            ]
        fault_places = {tuple(fault["loc"]) for fault in faults}
        body = value if request is None else request.model_dump()
        visits = _comparable_visits(body, fault_places)
        if visits is not None:
            faults += [_detail(*fault) for fault in _joint_faults(visits)]
        if faults or request is None:
            raise ValidationError.from_exception_data("FollowUp", faults, hide_input=True)
        return request


def _detail(location: Location, code: str, message: str) -> InitErrorDetails:
    kind = PydanticCustomError(code, message.replace("{", "(").replace("}", ")"))
    return InitErrorDetails(type=kind, loc=location, input=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ComparableVisit:
    """What can be compared of one visit: everything that is not at fault by itself."""

    date: dt.date | None
    athlete_id: str | None
    row: dict[str, Any]
    """Measured values by canonical column."""
    faulty_columns: frozenset[str]


def _comparable_visits(body: Any, fault_places: set[Location]) -> list[_ComparableVisit] | None:
    visits = body.get("visits") if isinstance(body, dict) else None
    if not isinstance(visits, list) or ("visits",) in fault_places:
        return None
    dumped = [v.model_dump() if isinstance(v, BaseModel) else v for v in visits]
    return [_comparable_visit(visit, ("visits", i), fault_places) for i, visit in enumerate(dumped)]


def _comparable_visit(visit: Any, place: Location, fault_places: set[Location]) -> _ComparableVisit:
    fields = visit if isinstance(visit, dict) else {}
    screening = fields.get("screening")
    if isinstance(screening, BaseModel):
        screening = screening.model_dump()
    start = (*place, "screening")
    faulty_columns = frozenset(
        column_of(fault[len(start) :]) for fault in fault_places if fault[: len(start)] == start
    )
    sound = {name: fields.get(name) for name in ("date", "athlete_id")}
    for name in sound:
        if (*place, name) in fault_places:
            sound[name] = None
    return _ComparableVisit(
        date=None if sound["date"] is None else read_day(sound["date"]),
        athlete_id=sound["athlete_id"],
        row={name: value for name, value in _flat(screening).items() if name not in faulty_columns},
        faulty_columns=faulty_columns,
    )


def _flat(screening: Any) -> dict[str, Any]:
    sections = screening if isinstance(screening, dict) else {}
    return {
        column_of((section, name)): value
        for section in ("athlete", "left", "right", "protocol")
        if isinstance(sections.get(section), dict)
        for name, value in sections[section].items()
        if value is not None
    }


def _joint_faults(visits: Sequence[_ComparableVisit]) -> Iterator[PlacedFault]:
    """Everything that is wrong with the visits together: place, code and message."""
    if len(visits) < FEWEST_VISITS:
        message = text("answer.follow_up.faults.too_few", count=FEWEST_VISITS)
        yield ("visits",), "too_few", message
    yield from _other_athletes(visits)
    yield from _dates(visits)
    yield from _ages(visits)
    yield from _protocols(visits)


def _other_athletes(visits: Sequence[_ComparableVisit]) -> Iterator[PlacedFault]:
    message = text("answer.follow_up.faults.another_athlete")
    ids = [(i, visit.athlete_id) for i, visit in enumerate(visits) if visit.athlete_id is not None]
    for i, athlete_id in ids[1:]:
        if athlete_id != ids[0][1]:
            yield ("visits", i, "athlete_id"), "another_athlete", message
    sexes = [(i, visit.row["sex"]) for i, visit in enumerate(visits) if "sex" in visit.row]
    for i, sex in sexes[1:]:
        if sex != sexes[0][1]:
            yield ("visits", i, "screening", "athlete", "sex"), "another_athlete", message


def _dates(visits: Sequence[_ComparableVisit]) -> Iterator[PlacedFault]:
    """Dates that are equal or not in order."""
    latest: dt.date | None = None
    for i, visit in enumerate(visits):
        if visit.date is None:
            continue
        place = ("visits", i, "date")
        if latest is not None and visit.date == latest:
            yield place, "same_date", text("answer.follow_up.faults.same_date")
        elif latest is not None and visit.date < latest:
            yield place, "not_in_order", text("answer.follow_up.faults.not_in_order")
        latest = visit.date if latest is None else max(latest, visit.date)


def _ages(visits: Sequence[_ComparableVisit]) -> Iterator[PlacedFault]:
    """Ages that fall, or that don't rise with the dates."""
    known = [(i, visit) for i, visit in enumerate(visits) if "age_years" in visit.row]
    for (_, before), (i, visit) in pairwise(known):
        place = ("visits", i, "screening", "athlete", "age_years")
        if visit.row["age_years"] < before.row["age_years"]:
            yield place, "age_falls", text("answer.follow_up.faults.age_falls")
        elif not _age_fits(known[0][1], visit):
            yield place, "age_does_not_fit", text("answer.follow_up.faults.age_does_not_fit")


def _age_fits(first: _ComparableVisit, later: _ComparableVisit) -> bool:
    """Whether the age rose as the dates did. Dates out of order are a fault of their own."""
    if first.date is None or later.date is None or later.date <= first.date:
        return True
    years_passed = (later.date - first.date).days / _DAYS_A_YEAR
    years_older = float(later.row["age_years"] - first.row["age_years"])
    return abs(years_older - years_passed) <= AGE_ROUNDING_YEARS


def _protocols(visits: Sequence[_ComparableVisit]) -> Iterator[PlacedFault]:
    """Protocols that differ from the first visit with the same measure; each named once."""
    for protocol, measures in _measures_of_protocols().items():
        first: dict[str, str] = {}
        for i, visit in enumerate(visits):
            used = visit.row.get(protocol) or category(protocol).default
            if used is None or protocol in visit.faulty_columns:
                continue
            measured = [name for name in measures if name in visit.row]
            clash = [name for name in measured if first.setdefault(name, used) != used]
            if clash:
                message = text("answer.follow_up.faults.another_protocol", measure=clash[0])
                yield ("visits", i, "screening", "protocol", protocol), "another_protocol", message


def _measures_of_protocols() -> dict[str, list[str]]:
    """For each protocol the columns that can't be compared where it differs."""
    leg_measures: dict[str, list[str]] = {}
    for measure, protocol in CONDITION_OF.items():
        leg_measures.setdefault(protocol, []).append(measure)
    for need in NEEDS:
        dependent = leg_measures.setdefault(need.protocol, [])
        dependent += [measure for measure in need.measures if measure not in dependent]
    return {
        protocol: [f"{side}_{measure}" for measure in measures for side in ("left", "right")]
        for protocol, measures in leg_measures.items()
    }
