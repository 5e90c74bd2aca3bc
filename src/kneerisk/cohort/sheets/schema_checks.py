"""The values of a sheet against the schema: whole visits, and what holds for all rows.

Measures and rules are the schema's own (`Measure.violation`, `contradictions`), so that a cell is
refused for the same reason, with the same code, as a field of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping

from kneerisk.cohort.sheets.cell_reading import SheetFault
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.visits import AthleteRow, Visit
from kneerisk.errors import Fault
from kneerisk.schema import Quantity, columns, contradictions

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
    of_leg = [row for row in visit.rows if row.side == side]
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
