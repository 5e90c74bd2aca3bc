"""Rows put together to visits: repeated rows, two legs of one athlete, several dates.

One visit is one athlete at one date. Rows that contradict each other are faults on both sides,
since nobody knows which one is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from kneerisk.cohort.layout import ATHLETE_ID, OUTCOMES
from kneerisk.cohort.sheets.cells.cell_text import as_text
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, BIRTH, FLAGS, SEX, SIDE, athlete_key
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.rows.cell_reading import SheetFault
from kneerisk.cohort.sheets.rows.headings import Table
from kneerisk.cohort.sheets.rows.recorded_outcomes import LEG_OUTCOME
from kneerisk.schema import SIDES, columns, from_row, to_row
from kneerisk.schema.columns import column_locations
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

#: Faults of a visit, not of a cell.
OF_VISIT = {
    FaultCode.LEGS_DIFFER,
    FaultCode.REPEATED_LEG,
    FaultCode.ROWS_DIFFER,
    FaultCode.SAME_ATHLETE,
    FaultCode.SAME_ATHLETE_AND_DATE,
}
#: Without these nobody knows whose row it is, or whether it may be scored.
HOLDING = {AGE, SEX, BIRTH, FLAGS, SIDE, "sides"}
#: So many other lines of the same athlete are named in a fault (assumption: more help nobody).
_MOST_LINES = 5


@dataclass(slots=True)
class AthleteRow:
    """One row of the sheet, read."""

    line: int
    athlete: str | None = None
    """The id or name as it is spelled here."""
    date: str | None = None
    side: str | None = None
    """The leg that the row is about, or `both`, where each row is one leg."""
    values: dict[str, Any] = field(default_factory=dict)
    """By canonical column; a leg's measure without a side where rows are legs."""

    @property
    def legs(self) -> tuple[str, ...]:
        """The legs that it is about."""
        if self.side == "both":
            return SIDES
        return (self.side,) if self.side else ()

    @property
    def key(self) -> str:
        """What is the same in all rows of one athlete; a row without an athlete is alone."""
        return f"athlete {athlete_key(self.athlete)}" if self.athlete else f"line {self.line}"


@dataclass(slots=True)
class Visit:
    """One athlete at one date: a row, or the rows of both legs."""

    rows: list[AthleteRow]
    values: dict[str, Any]
    """By canonical column."""
    faults: list[SheetFault] = field(default_factory=list)
    athlete: str | None = None
    """The id or name, as the sheet spells it first."""
    without_protocol: dict[str, str] = field(default_factory=dict)
    """Values that say nothing, since the row does not tell how they were taken: their protocol."""
    is_earlier: bool = False
    """Whether the athlete has a later visit."""

    @property
    def first(self) -> AthleteRow:
        """The row that the visit stands at."""
        return self.rows[0]

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of its rows."""
        return tuple(row.line for row in self.rows)


def distinct_rows(mapping: Mapping, table: Table) -> tuple[Table, list[SheetFault]]:
    """Rows that repeat each other as one, for a sheet with a row for each trial.

    Only the columns that the mapping uses are compared.

    Parameters
    ----------
    mapping
        Which columns are the same on every row of one athlete (`one_row_per`).
    table
        The athletes' rows.

    Returns
    -------
    tuple
        The table with the first of each, and a fault for every column in which another differs.
    """
    if not mapping.one_row_per:
        return table, []
    places = {name: place for place, name in enumerate(table.references)}
    compared = [n for n in dict.fromkeys(mapping.used().values()) if n not in mapping.one_row_per]
    first_rows: dict[tuple[str, ...], int] = {}
    faults: list[SheetFault] = []
    for row, cells in enumerate(table.rows):
        key = tuple(athlete_key(as_text(cells[places[name]])) for name in mapping.one_row_per)
        first = first_rows.setdefault(key, row)
        faults += [
            SheetFault(
                code=FaultCode.ROWS_DIFFER,
                lines=(table.lines[first], table.lines[row]),
                column=name,
                allowed=text("sheet.allowed.same_on_every_row"),
            )
            for name in compared
            if cells[places[name]] != table.rows[first][places[name]]
        ]
    rows = [table.rows[row] for row in first_rows.values()]
    lines = [table.lines[row] for row in first_rows.values()]
    return table._replace(rows=rows, lines=lines), faults


def join_rows(mapping: Mapping, rows: Sequence[AthleteRow]) -> list[Visit]:
    """The visits of a sheet in the order of their first rows.

    Parameters
    ----------
    mapping
        Whether each row is one leg, and which measures are a leg's.
    rows
        The athletes' rows, in the sheet's order.

    Returns
    -------
    list of Visit
        A row each, or the rows of both legs; contradictions among them are its faults.
    """
    if mapping.sides is None:
        visits = [Visit([row], mapping.constants | row.values) for row in rows]
    else:
        by_visit: dict[tuple[str, str | None], list[AthleteRow]] = defaultdict(list)
        for row in rows:
            by_visit[row.key, row.date].append(row)
        visits = [_joined(mapping, legs) for legs in by_visit.values()]
    spellings: dict[str, str | None] = {}
    for visit in visits:
        visit.athlete = spellings.setdefault(visit.first.key, visit.first.athlete)
    return visits


def _joined(mapping: Mapping, legs: list[AthleteRow]) -> Visit:
    visit = Visit(legs, {})
    outcomes = dict(zip(("left", "right"), OUTCOMES, strict=False))
    for position, leg in enumerate(legs):
        for name, value in leg.values.items():
            if name not in (*mapping.legs, LEG_OUTCOME):
                visit.faults += _contradictions(mapping, visit, name, value, leg)
                continue
            for side in leg.legs:
                target = outcomes[side] if name == LEG_OUTCOME else f"{side}_{name}"
                visit.values.setdefault(target, value)
        told = {side for other in legs[:position] for side in other.legs}
        for side in sorted(told.intersection(leg.legs)):
            visit.faults.append(_repeated_leg(mapping, leg, side))
    visit.values = mapping.constants | visit.values
    return visit


def _contradictions(
    mapping: Mapping, visit: Visit, name: str, value: Any, leg: AthleteRow
) -> Iterator[SheetFault]:
    """What holds for the athlete must agree in the rows of both legs; an empty cell agrees."""
    if visit.values.setdefault(name, value) != value:
        yield SheetFault(
            code=FaultCode.LEGS_DIFFER,
            lines=(visit.first.line, leg.line),
            column=mapping.column_of(name),
            measure=name,
            allowed=text("sheet.allowed.same_on_both_rows"),
        )


def _repeated_leg(mapping: Mapping, leg: AthleteRow, side: str) -> SheetFault:
    return SheetFault(
        code=FaultCode.REPEATED_LEG,
        lines=(leg.line,),
        column=mapping.used()["sides"],
        allowed=text("sheet.allowed.row_for_each_leg"),
        variant=side,
    )


def order_visits(mapping: Mapping, visits: Sequence[Visit]) -> None:
    """Mark the earlier visits of each athlete; without different dates all of them are faults.

    Parameters
    ----------
    mapping
        The columns that a fault names.
    visits
        The visits of a sheet; they are changed in place.
    """
    by_athlete: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        if visit.first.athlete:
            by_athlete[visit.first.key].append(visit)
    for repeats in by_athlete.values():
        if len(repeats) < 2:
            continue
        dates = [visit.first.date for visit in repeats]
        if None in dates:
            _refuse_repeats(mapping, repeats, FaultCode.SAME_ATHLETE)
            continue
        latest = max(date for date in dates if date)
        by_date: dict[str | None, list[Visit]] = defaultdict(list)
        for visit in repeats:
            by_date[visit.first.date].append(visit)
            visit.is_earlier = visit.first.date != latest
        for visits_of_day in by_date.values():
            if len(visits_of_day) > 1:
                _refuse_repeats(mapping, visits_of_day, FaultCode.SAME_ATHLETE_AND_DATE)


def _refuse_repeats(mapping: Mapping, visits: Sequence[Visit], code: str) -> None:
    used = mapping.used()
    column = used.get("screening_date") or used.get(ATHLETE_ID)
    lines = tuple(visit.first.line for visit in visits)
    for visit in visits:
        visit.faults.append(
            SheetFault(
                code=code,
                # Its own line comes first; of a thousand others the first few say enough.
                lines=(visit.first.line, *islice(_others(lines, visit.first.line), _MOST_LINES)),
                column=column,
                allowed=text("sheet.allowed.row_for_each_visit"),
                others=len(lines) - 1,
            )
        )
        visit.is_earlier = False


def _others(lines: tuple[int, ...], own: int) -> Iterator[int]:
    return (line for line in lines if line != own)


def costs_the_visit(fault: SheetFault, visit: Visit | None, holding: Collection[str]) -> bool:
    """Whether a fault costs the athlete's visit, not its cell alone.

    Parameters
    ----------
    fault
        What is wrong.
    visit
        The visit that it is about; None where the row belongs to none.
    holding
        The sheet's columns without which a row can't be used.

    Returns
    -------
    bool
        Also where the value stays among those of the visit, as one that contradicts another does.
    """
    is_of_cell = fault.column is not None and fault.column not in holding
    stays = visit is None or fault.measure in visit.values
    return fault.code in OF_VISIT or not is_of_cell or stays


def screening_body(visit: Visit) -> dict[str, Any]:
    """The body of a request that asks about the visit; it passes the schema."""
    measured = {name: visit.values[name] for name in columns() if name in visit.values}
    flags = visit.values.get(FLAGS)
    body: dict[str, Any] = {}
    for name, value in to_row(from_row(measured, flags)).items():
        section = body
        *sections, last = column_locations()[name]
        for step in sections:
            section = section.setdefault(step, {})
        section[last] = value
    return body if flags is None else {**body, "red_flags": flags}
