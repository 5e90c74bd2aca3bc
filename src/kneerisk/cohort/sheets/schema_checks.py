"""The values of a sheet against the schema: whole visits, and what holds for all rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping

from pydantic import ValidationError

from kneerisk.cohort.sheets.cell_reading import SheetFault
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.visits import AthleteRow, Visit
from kneerisk.cohort.sheets.vocabulary import FLAGS
from kneerisk.errors import Fault
from kneerisk.schema import columns, faults_of, from_row
from kneerisk.schema.columns import column_of

#: Faults of a value by itself. Whether tests and their protocols go together is seen in whole
#: rows.
_OF_ONE_VALUE = frozenset(
    {"outside_limits", "unknown_choice", "not_a_number", "not_text", "not_finite"}
)


def check_visits(
    mapping: Mapping, visits: Iterable[Visit], bad_cells: set[tuple[int, str | None]]
) -> None:
    """Put each visit's values through the schema, and note its screening or its faults.

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
        measured = {name: visit.values[name] for name in columns() if name in visit.values}
        try:
            visit.screening = from_row(measured, visit.values.get(FLAGS))
        except ValidationError as error:
            for fault in faults_of(error):
                _note(mapping, visit, fault, bad_cells)


def _note(
    mapping: Mapping, visit: Visit, fault: Fault, bad_cells: set[tuple[int, str | None]]
) -> None:
    name = column_of(tuple(fault.pointer.split("/")[1:]))
    if fault.code == "missing":
        visit.lacking.append(name)
        return
    visit.values.pop(name, None)
    row, column = source_of(mapping, visit, name)
    if (row.line, column) in bad_cells:
        return
    visit.faults.append(
        SheetFault(
            code=fault.code,
            lines=(row.line,),
            column=column,
            measure=name,
            allowed=fault.allowed,
            unit=fault.unit or "",
            message=fault.message,
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
    of_leg = [row for row in visit.rows if row.side == side]
    if of_leg and (unsided in mapping.legs or (not unsided and mapping.outcome)):
        return of_leg[0], column
    holding = [row for row in visit.rows if canonical in row.values]
    return (holding or visit.rows)[0], column


def constant_faults(constants: AnyMapping[str, str | int | float]) -> Iterator[tuple[str, Fault]]:
    """What is wrong with values that hold for every row, by canonical column."""
    known = {name: value for name, value in constants.items() if name in columns()}
    try:
        # Any age and sex will do where they are not among the constants.
        from_row({"age_years": 30, "sex": "unspecified"} | known)
    except ValidationError as error:
        for fault in faults_of(error):
            name = column_of(tuple(fault.pointer.split("/")[1:]))
            if name in known and fault.code in _OF_ONE_VALUE:
                yield name, fault
