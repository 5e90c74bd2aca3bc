"""Rows put together to visits: two legs of one athlete, several dates, rows that contradict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kneerisk.cohort.sheets.folding import fold
from kneerisk.cohort.sheets.recognise.contract import SheetReason
from kneerisk.cohort.sheets.recognise.reading import Line
from kneerisk.cohort.sheets.recognise.vocabulary import FLAGS, leg_names
from kneerisk.schema import columns


@dataclass(slots=True)
class Visit:
    """One athlete at one date: a row, or the rows of both legs."""

    lines: list[Line]
    values: dict[str, Any]
    """By canonical column."""
    screening: dict[str, Any] | None = None
    reasons: list[SheetReason] = field(default_factory=list)
    """What is wrong with the visit as a whole."""
    waits: bool = False
    is_earlier: bool = False

    @property
    def first(self) -> Line:
        """The row that the visit is told at."""
        return self.lines[0]

    @property
    def is_bad(self) -> bool:
        """Whether something in it can't be used."""
        return bool(self.reasons) or any(line.reasons for line in self.lines)


def visits(lines: Sequence[Line], *, has_sides: bool) -> list[Visit]:
    """The visits of a sheet in the order of their first rows."""
    if not has_sides:
        return [Visit([line], dict(line.values), waits=line.waits) for line in lines]
    together: dict[tuple[str, str | None], list[Line]] = defaultdict(list)
    for line in lines:
        who = fold(line.athlete) if line.athlete else f"line {line.line}"
        together[who, line.day].append(line)
    return [_joined(legs) for legs in together.values()]


def _joined(legs: list[Line]) -> Visit:
    visit = Visit(legs, {}, waits=any(leg.waits for leg in legs))
    for at, leg in enumerate(legs):
        for name, value in leg.values.items():
            if name not in leg_names():
                _agree(visit, name, value, leg)
            elif leg.side is not None:
                visit.values[f"{leg.side}_{name}"] = value
        if leg.side is not None and leg.side in [other.side for other in legs[:at]]:
            message = f"repeats the {leg.side} leg of the same athlete and date"
            visit.reasons.append(SheetReason(code="repeated_leg", message=message))
    return visit


def _agree(visit: Visit, name: str, value: Any, leg: Line) -> None:
    """What holds for the athlete must be the same in the rows of both legs."""
    if visit.values.setdefault(name, value) != value:
        lines = f"lines {visit.first.line} and {leg.line}"
        label = columns()[name].label if name in columns() else "Red flags"
        told = f"{label} differs between {lines}, which are one visit"
        visit.reasons.append(SheetReason(code="legs_differ", message=told))


def settle_repeats(found: Iterable[Visit], *, dates_are_asked: bool) -> None:
    """Several visits of one athlete: the latest counts; without different dates nobody knows.

    While it is asked how the dates are to be read they wait for the answer.
    """
    by_athlete: dict[str, list[Visit]] = defaultdict(list)
    for visit in found:
        if visit.first.athlete:
            by_athlete[fold(visit.first.athlete)].append(visit)
    for same in by_athlete.values():
        if len(same) < 2:
            continue
        if dates_are_asked:
            for visit in same:
                visit.waits = True
            continue
        days = [visit.first.day for visit in same]
        for visit in same:
            at = ", ".join(str(other.first.line) for other in same if other is not visit)
            if None in days:
                told = f"is the same athlete as line {at}, and not both have a date"
                visit.reasons.append(SheetReason(code="same_athlete", message=told))
            elif days.count(visit.first.day) > 1:
                told = f"is the same athlete on the same date as line {at}"
                visit.reasons.append(SheetReason(code="same_athlete_and_date", message=told))
            else:
                visit.is_earlier = visit.first.day != max(day for day in days if day)


def body_of(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str] | None]:
    """A visit's values without the red flags, and those."""
    return {name: value for name, value in values.items() if name != FLAGS}, values.get(FLAGS)
