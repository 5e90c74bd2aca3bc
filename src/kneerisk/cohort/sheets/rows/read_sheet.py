"""The one reader: the rows of a table, by a mapping, as visits and faults.

The page, `/v1/import` and `kneerisk ingest sheet` all read through it, so that the same sheet has
the same athletes, legs, values and faults everywhere. It works on plain lists, without pandas.
Measures and rules are the schema's own (`Measure.violation`, `contradictions`), so that a cell is
refused for the same reason, with the same code, as a field of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from datetime import date
from typing import Any, NamedTuple

from kneerisk.cohort.layout import GROUP
from kneerisk.cohort.sheets.cells.cell_text import rounded
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, BIRTH, DATE, FLAGS, MASS, leg_names
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.rows.cell_reading import ColumnReader, SheetFault
from kneerisk.cohort.sheets.rows.headings import Table
from kneerisk.cohort.sheets.rows.recorded_outcomes import outcomes_at_horizon
from kneerisk.cohort.sheets.rows.visits import (
    AthleteRow,
    Visit,
    distinct_rows,
    join_rows,
    order_visits,
)
from kneerisk.errors import Fault
from kneerisk.schema import Measure, Quantity, columns, contradictions
from kneerisk.schema.faults import FaultCode
from kneerisk.schema.rules import NEEDS
from kneerisk.words import text


class SheetReading(NamedTuple):
    """A sheet as it was read."""

    table: Table
    """The rows that were read; equal ones are there once."""
    values: dict[str, list[Any]]
    """One value a row, by the place of the column in the mapping (`columns.mass_kg`, `sides`)."""
    visits: list[Visit]
    row_faults: list[SheetFault]
    """What is wrong with cells and rows by themselves; each visit has those of its own."""

    @property
    def faults(self) -> list[SheetFault]:
        """Everything that is wrong with the sheet."""
        return [*self.row_faults, *(fault for visit in self.visits for fault in visit.faults)]


def read_sheet(mapping: Mapping, table: Table, *, order_is_open: bool = False) -> SheetReading:
    """Read the rows of a table.

    Parameters
    ----------
    mapping
        What the columns mean.
    table
        The athletes' rows.
    order_is_open
        Whether it is still asked how dates are to be read, so that several visits of one athlete
        are no fault yet.

    Returns
    -------
    SheetReading
        Every visit with its values, and every fault, all at once.
    """
    too_long = [line for line in table.too_long if line not in table.omitted]
    table, conflicts = distinct_rows(mapping, table)
    reader = ColumnReader(mapping.sheet, table)
    values = _values(mapping, reader)
    order = {name: at for at, name in enumerate(table.references)}
    cell_faults = sorted(reader.faults, key=lambda f: (f.lines, order[f.column or ""]))
    visits = join_rows(mapping, _rows(mapping, table, values))
    bad_cells = {(line, fault.column) for fault in cell_faults for line in fault.lines}
    check_visits(mapping, visits, bad_cells)
    if not order_is_open:
        order_visits(mapping, visits)
    return SheetReading(
        table, values, visits, [*cell_faults, *conflicts, *_too_long(too_long, len(table.names))]
    )


def _too_long(lines: Sequence[int], width: int) -> list[SheetFault]:
    allowed = text("sheet.allowed.cells", most=width)
    return [SheetFault(code=FaultCode.TOO_LONG, lines=(line,), allowed=allowed) for line in lines]


def _values(mapping: Mapping, reader: ColumnReader) -> dict[str, list[Any]]:
    """The values of every mapped column, by its place in the mapping."""
    values: dict[str, list[Any]] = {}
    if mapping.athlete_id is not None:
        used = mapping.used()
        for place in (name for name in used if name.split(".")[0] == "athlete_id"):
            values[place] = reader.names(used[place])
    for place, day in ((DATE, mapping.screening_date), (BIRTH, mapping.birth_date)):
        if day is not None:
            values[place] = reader.days(day)
    if mapping.group is not None:
        values[GROUP] = reader.texts(mapping.group)
    if mapping.sides is not None:
        values["sides"] = reader.sides(mapping.sides)
    values |= _measured(mapping, reader)
    if mapping.outcome is not None:
        screened = values.get(DATE, [None] * len(reader))
        outcomes = outcomes_at_horizon(mapping.outcome, reader, screened)
        values |= {f"outcome.{name}": column for name, column in outcomes.items()}
    return values


def _measured(mapping: Mapping, reader: ColumnReader) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    entries = {f"columns.{name}": (name, cell) for name, cell in mapping.columns.items()}
    entries |= {f"legs.{name}": (name, cell) for name, cell in mapping.legs.items()}
    measures = columns() | leg_names()
    for place, (name, cell) in entries.items():
        if name == FLAGS:
            values[place] = list(reader.red_flags(cell))
        else:
            values[place] = _rounded(reader.measured(cell, measures[name]), measures[name])
    for place, (name, cell) in entries.items():
        if cell.per_body_mass:
            divided = reader.divided_by_mass(
                cell.column,
                values[place],
                values[f"columns.{MASS}"],
                reader.cells(mapping.columns[MASS].column),
            )
            values[place] = _rounded(divided, measures[name])
    return values


def _rounded(values: list[Any], measure: Measure) -> list[Any]:
    if not isinstance(measure, Quantity):
        return values
    return [rounded(value, measure) for value in values]


def _rows(mapping: Mapping, table: Table, values: dict[str, list[Any]]) -> list[AthleteRow]:
    """The rows of the table, each with what its cells hold."""
    names = [place for place in values if place.split(".")[0] == "athlete_id"]
    dates = values.get(DATE)
    sides = values.get("sides")
    rows = []
    for at, line in enumerate(table.lines):
        row = AthleteRow(line)
        row.athlete = _full_name(mapping, [values[name][at] for name in names])
        row.date = dates[at].isoformat() if dates and dates[at] else None
        row.side = sides[at] if sides else None
        row.values = {
            _canonical(place): column[at]
            for place, column in values.items()
            if (place.startswith(("columns.", "legs.", "outcome.")) or place == GROUP)
            and column[at] is not None
        }
        born = values[BIRTH][at] if BIRTH in values else None
        if born and dates and dates[at]:
            row.values.setdefault(AGE, _completed_years(born, dates[at]))
        rows.append(row)
    return rows


def _canonical(place: str) -> str:
    """The canonical column of a place in the mapping, outcomes as a cohort names them."""
    return place.removeprefix("columns.").removeprefix("legs.").removeprefix("outcome.")


def _full_name(mapping: Mapping, fragments: Sequence[str | None]) -> str | None:
    """First and last name together tell an athlete; two who share a first name are two."""
    known = [fragment for fragment in fragments if fragment]
    if not known or mapping.athlete_id is None:
        return None
    return mapping.athlete_id.prefix + " ".join(known)


def _completed_years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


Cells = set[tuple[int, str | None]]


def check_visits(mapping: Mapping, visits: Iterable[Visit], bad_cells: Cells) -> None:
    """Put each visit's values through the schema, and note what it refuses.

    Parameters
    ----------
    mapping
        The columns that the values came from.
    visits
        The visits of a sheet; they are changed in place, and values that the schema refuses are
        taken out.
    bad_cells
        Line and column of cells that are faults already: they get no second one.
    """
    for visit in visits:
        for name in [name for name in columns() if name in visit.values]:
            violation = columns()[name].violation(visit.values[name])
            if violation is not None:
                del visit.values[name]
                _refuse(mapping, visit, name, violation.code, violation.message, bad_cells)
        for rule in list(contradictions(visit.values)):
            _refuse(mapping, visit, rule.column, rule.code, rule.message, bad_cells)
            if rule.code == FaultCode.PROTOCOL_NEEDED:
                _leave_out(visit, rule.column)


def _leave_out(visit: Visit, protocol: str) -> None:
    """Take out what can't be read without a protocol, so that the rest of the visit is kept."""
    measures = {name for need in NEEDS if need.protocol == protocol for name in need.measures}
    for name in [name for name in visit.values if name.partition("_")[2] in measures]:
        del visit.values[name]
        visit.without_protocol[name] = protocol


def _refuse(
    mapping: Mapping, visit: Visit, name: str, code: str, message: str, bad_cells: Cells
) -> None:
    row, column = source_of(mapping, visit, name)
    if (row.line, column) in bad_cells:
        return
    measure = columns()[name]
    visit.faults.append(
        SheetFault(
            code=str(code),
            lines=(row.line,),
            column=column,
            measure=name,
            allowed=measure.allowed,
            unit=measure.unit if isinstance(measure, Quantity) else "",
            message=message,
        )
    )


def source_of(mapping: Mapping, visit: Visit, canonical: str) -> tuple[AthleteRow, str | None]:
    """Where a value of a visit stands in the sheet.

    Parameters
    ----------
    mapping
        The columns that the values came from.
    visit
        One row, or the rows of both legs.
    canonical
        The canonical column.

    Returns
    -------
    tuple
        The row of its leg, or the first one that has a value; and the sheet's column, None where
        no column holds it.
    """
    column = mapping.column_of(canonical)
    side, _, unsided = canonical.removeprefix("outcome_").partition("_")
    of_leg = [row for row in visit.rows if side in row.legs]
    if of_leg and (unsided in mapping.legs or not unsided):
        return of_leg[0], column
    holding = [row for row in visit.rows if canonical in row.values]
    return (holding or visit.rows)[0], column


def constant_faults(constants: AnyMapping[str, str | int | float]) -> Iterator[tuple[str, Fault]]:
    """What is wrong with values that hold for every row, by canonical column.

    Whether tests and their protocols go together is seen in whole rows.
    """
    for name, value in constants.items():
        measure = columns().get(name)
        violation = measure.violation(value) if measure else None
        if measure and violation:
            yield (
                name,
                Fault(
                    pointer=f"/constants/{name}",
                    code=str(violation.code),
                    message=violation.message,
                    allowed=measure.allowed,
                ),
            )
