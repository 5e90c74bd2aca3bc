"""Two or more dated screenings of one athlete: the body of a follow-up, and what is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from kneerisk.schema import Screening, category
from kneerisk.schema.columns import column_of
from kneerisk.schema.faults import STRICT
from kneerisk.schema.rules import NEEDS
from kneerisk.schema.z_scores import CONDITION_OF

FEWEST_VISITS, MOST_VISITS = 2, 50
#: An age in whole years may differ from what the dates say by as much.
AGE_ROUNDING_YEARS = 1.0
_DAYS_A_YEAR = 365.25
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

Location = tuple[int | str, ...]


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("not_a_date", "must be a date, written as YYYY-MM-DD")


Day = Annotated[
    dt.date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})
]


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
        asked: Self | None = None
        try:
            asked = handler(value)
        except ValidationError as error:
            faults = [
                _detail(fault["loc"], fault["type"], fault["msg"])
                for fault in error.errors(include_url=False)
            ]
        broken = {tuple(fault["loc"]) for fault in faults}
        seen = _seen(value if asked is None else asked.model_dump(), broken)
        if seen is not None:
            faults += [_detail(*fault) for fault in _together(seen)]
        if faults or asked is None:
            raise ValidationError.from_exception_data("FollowUp", faults, hide_input=True)
        return asked


def _detail(location: Location, code: str, message: str) -> InitErrorDetails:
    kind = PydanticCustomError(code, message.replace("{", "(").replace("}", ")"))
    return InitErrorDetails(type=kind, loc=location, input=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What can be compared of one visit: the parts of it that are not at fault by themselves."""

    date: dt.date | None
    athlete_id: str | None
    row: dict[str, Any]
    unclear: frozenset[str]
    """Columns at fault."""


def _seen(body: Any, broken: set[Location]) -> list[_Seen] | None:
    visits = body.get("visits") if isinstance(body, dict) else None
    if not isinstance(visits, list) or ("visits",) in broken:
        return None
    plain = [v.model_dump() if isinstance(v, BaseModel) else v for v in visits]
    return [_sound_part(visit, ("visits", i), broken) for i, visit in enumerate(plain)]


def _sound_part(visit: Any, place: Location, broken: set[Location]) -> _Seen:
    given = visit if isinstance(visit, dict) else {}
    screening = given.get("screening")
    if isinstance(screening, BaseModel):
        screening = screening.model_dump()
    start = (*place, "screening")
    unclear = frozenset(
        column_of(fault[len(start) :]) for fault in broken if fault[: len(start)] == start
    )
    sound = {name: given.get(name) for name in ("date", "athlete_id")}
    for name in sound:
        if (*place, name) in broken:
            sound[name] = None
    return _Seen(
        date=None if sound["date"] is None else _day(sound["date"]),
        athlete_id=sound["athlete_id"],
        row={name: value for name, value in _flat(screening).items() if name not in unclear},
        unclear=unclear,
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


def _together(seen: list[_Seen]) -> Iterator[tuple[Location, str, str]]:
    """Everything that is wrong with the visits together."""
    if len(seen) < FEWEST_VISITS:
        yield ("visits",), "too_few", f"must have at least {FEWEST_VISITS} visits"
    yield from _other_athletes(seen)
    yield from _dates(seen)
    yield from _ages(seen)
    yield from _protocols(seen)


def _other_athletes(seen: list[_Seen]) -> Iterator[tuple[Location, str, str]]:
    message = "must be the same at every visit, since a follow-up is of one athlete"
    ids = [(i, visit.athlete_id) for i, visit in enumerate(seen) if visit.athlete_id is not None]
    for i, athlete_id in ids[1:]:
        if athlete_id != ids[0][1]:
            yield ("visits", i, "athlete_id"), "another_athlete", message
    sexes = [(i, visit.row["sex"]) for i, visit in enumerate(seen) if "sex" in visit.row]
    for i, sex in sexes[1:]:
        if sex != sexes[0][1]:
            yield ("visits", i, "screening", "athlete", "sex"), "another_athlete", message


def _dates(seen: list[_Seen]) -> Iterator[tuple[Location, str, str]]:
    latest: dt.date | None = None
    for i, visit in enumerate(seen):
        if visit.date is None:
            continue
        place = ("visits", i, "date")
        if latest is not None and visit.date == latest:
            yield place, "same_date", "must differ from the date of the visit before"
        elif latest is not None and visit.date < latest:
            yield place, "not_in_order", "must be later than the visit before; the earliest first"
        latest = visit.date if latest is None else max(latest, visit.date)


def _ages(seen: list[_Seen]) -> Iterator[tuple[Location, str, str]]:
    """Ages that fall, or that don't rise with the dates."""
    known = [(i, visit) for i, visit in enumerate(seen) if "age_years" in visit.row]
    for (_, before), (i, visit) in pairwise(known):
        place = ("visits", i, "screening", "athlete", "age_years")
        if visit.row["age_years"] < before.row["age_years"]:
            yield place, "age_falls", "must not be lower than at the visit before"
        elif not _fit(known[0][1], visit):
            message = "must fit the dates: as many years older as have passed, give or take one"
            yield place, "age_does_not_fit", message


def _fit(first: _Seen, later: _Seen) -> bool:
    """Whether the age rose as the dates did. Dates out of order are a fault of their own."""
    if first.date is None or later.date is None or later.date <= first.date:
        return True
    passed = (later.date - first.date).days / _DAYS_A_YEAR
    older = float(later.row["age_years"] - first.row["age_years"])
    return abs(older - passed) <= AGE_ROUNDING_YEARS


def _protocols(seen: list[_Seen]) -> Iterator[tuple[Location, str, str]]:
    """Protocols that differ from the first visit with the same measure; each named once."""
    for protocol, measures in _measures_of_protocols().items():
        first: dict[str, str] = {}
        for i, visit in enumerate(seen):
            used = visit.row.get(protocol) or category(protocol).default
            if used is None or protocol in visit.unclear:
                continue
            given = [name for name in measures if name in visit.row]
            clash = [name for name in given if first.setdefault(name, used) != used]
            if clash:
                message = f"must be as at the earlier visit, since {clash[0]} was measured at both"
                yield ("visits", i, "screening", "protocol", protocol), "another_protocol", message


def _measures_of_protocols() -> dict[str, list[str]]:
    """For each protocol the columns that can't be compared where it differs."""
    bare: dict[str, list[str]] = {}
    for measure, protocol in CONDITION_OF.items():
        bare.setdefault(protocol, []).append(measure)
    for need in NEEDS:
        of = bare.setdefault(need.protocol, [])
        of += [measure for measure in need.measures if measure not in of]
    return {
        protocol: [f"{side}_{measure}" for measure in measures for side in ("left", "right")]
        for protocol, measures in bare.items()
    }
