"""A sheet in, everything about it out: columns, questions, rows as screenings, bad cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from kneerisk.cohort.sheets.recognise.asked import refuse_wrong_asks
from kneerisk.cohort.sheets.recognise.column import Column
from kneerisk.cohort.sheets.recognise.constants import constants
from kneerisk.cohort.sheets.recognise.contract import (
    CellStatus,
    RowStatus,
    SheetAnswer,
    SheetAsked,
    SheetCell,
    SheetColumn,
    SheetConstant,
    SheetCounts,
    SheetFile,
    SheetReason,
    SheetRow,
    SheetWord,
)
from kneerisk.cohort.sheets.recognise.notes import notes
from kneerisk.cohort.sheets.recognise.proposal import mapping_file
from kneerisk.cohort.sheets.recognise.reading import Line, mark_bad, read_lines, shown
from kneerisk.cohort.sheets.recognise.understanding import Understood, understood
from kneerisk.cohort.sheets.recognise.visits import Visit, body_of, settle_repeats, visits
from kneerisk.cohort.sheets.recognise.vocabulary import AGE, BIRTH, DATE
from kneerisk.errors import Fault
from kneerisk.schema import Category, Quantity, columns, faults_of, from_row, to_row
from kneerisk.schema.columns import column_locations, column_of


def recognise(content: bytes, asked: SheetAsked | None = None) -> SheetAnswer:
    """What a CSV or Excel file holds, with every question and every bad cell, all at once.

    Raises
    ------
    CohortRefused
        Where it can't be read as a sheet at all.
    AskRefused
        With every fault of what was asked.
    """
    asked = asked or SheetAsked()
    sheet = understood(content, asked)
    refuse_wrong_asks(asked, sheet)
    lines = read_lines(sheet)
    found = visits(lines, has_sides=sheet.has_sides)
    open_constants = constants(sheet)
    for visit in found:
        _screen(visit, sheet, open_constants)
    asks_date = any(column.means == DATE and column.question for column in sheet.columns)
    settle_repeats(found, dates_are_asked=asks_date)
    rows = _rows(sheet, found)
    told = _columns(sheet, rows)
    return SheetAnswer(
        file=_file(sheet),
        columns=told,
        constants=open_constants,
        rows=rows,
        notes=notes(sheet),
        counts=_counts(rows, told, open_constants),
        mapping=mapping_file(sheet),
    )


def _screen(visit: Visit, sheet: Understood, missing: list[SheetConstant]) -> None:
    """Put a visit's values through the schema; what it refuses is told at the cells."""
    values, flags = body_of(visit.values)
    try:
        screening = from_row(dict(sheet.constants) | values, flags)
    except ValidationError as error:
        for fault in faults_of(error):
            _tell(visit, sheet, fault, missing)
        return
    body: dict[str, Any] = {}
    for name, value in to_row(screening).items():
        part = body
        *sections, last = column_locations()[name]
        for section in sections:
            part = part.setdefault(section, {})
        part[last] = value
    visit.screening = body if flags is None else {**body, "red_flags": flags}


def _tell(visit: Visit, sheet: Understood, fault: Fault, missing: list[SheetConstant]) -> None:
    name = column_of(tuple(fault.pointer.split("/")[1:]))
    if any(constant.means == name and constant.needed for constant in missing):
        visit.waits = True
        return
    column, line = _place_of(visit, sheet, name)
    if column is None:
        measure = columns().get(name)
        about = f"{measure.label} {fault.message}" if measure else fault.message
        if fault.code == "missing" and measure:
            about = f"{measure.label} must be given, and no column has it"
        reason = SheetReason(code=fault.code, message=about, allowed=fault.allowed)
        visit.reasons.append(reason)
        return
    message = fault.message
    day = sheet.column_of(DATE)
    if line.born and not line.day and fault.code == "missing" and column.means == BIRTH and day:
        column, message = day, "must be given, since the age is counted to it"
    cell = line.cells.get(column.place)
    if cell is not None and cell.status in {"bad", "asked"}:
        return
    text = cell.shown if cell else ""
    mark_bad(line, column, text, fault.code, message, fault.allowed)


def _place_of(visit: Visit, sheet: Understood, name: str) -> tuple[Column | None, Line]:
    """The column of a canonical name, and the row of the visit that has it."""
    side, _, unsided = name.partition("_")
    for line in visit.lines:
        if line.side == side and (column := sheet.column_of(unsided)):
            return column, line
    return sheet.column_of(name) or (sheet.column_of(BIRTH) if name == AGE else None), visit.first


def _rows(sheet: Understood, found: list[Visit]) -> list[SheetRow]:
    by_line: dict[int, SheetRow] = {}
    for visit in found:
        for line in visit.lines:
            by_line[line.line] = _row(visit, line)
    for number, cells in zip(sheet.body.lines, sheet.body.rows, strict=True):
        if number in sheet.body.left_out:
            by_line[number] = SheetRow(
                line=number,
                status="ignored",
                cells=[
                    SheetCell(place=column.place, shown=shown(cell), status="ignored")
                    for column, cell in zip(sheet.columns, cells, strict=True)
                    if cell != ""
                ],
            )
    return [by_line[number] for number in sorted(by_line)]


def _row(visit: Visit, line: Line) -> SheetRow:
    is_first = line is visit.first
    order = {place: at for at, place in enumerate(sorted(line.cells, key=_in_order))}
    status = _status(visit, line)
    return SheetRow(
        line=line.line,
        status=status,
        athlete=line.athlete,
        date=line.day,
        into_line=visit.first.line if status == "joined" else None,
        screening=visit.screening if status in {"ready", "earlier"} else None,
        reasons=[*line.reasons, *(visit.reasons if is_first else [])],
        cells=sorted(line.cells.values(), key=lambda cell: order[cell.place]),
    )


def _in_order(place: str) -> tuple[int, str]:
    return (len(place), place)


def _status(visit: Visit, line: Line) -> RowStatus:
    if line is not visit.first:
        return "bad" if line.reasons else "joined"
    if visit.is_bad:
        return "bad"
    if visit.waits or visit.screening is None:
        return "waiting"
    return "earlier" if visit.is_earlier else "ready"


def _file(sheet: Understood) -> SheetFile:
    file = sheet.opened
    commas = [column.facts.commas for column in sheet.columns if column.facts.numbers]
    return SheetFile(
        kind="xlsx" if file.encoding is None else "csv",
        sheet=file.sheet,
        sheets=list(file.sheets) or None,
        header_line=sheet.heading.lines[0],
        header_lines=sheet.heading.lines,
        delimiter=file.delimiter,
        encoding=file.encoding,
        decimal="comma" if any(commas) else "point",
        rows=len(sheet.body.lines),
    )


def _columns(sheet: Understood, rows: list[SheetRow]) -> list[SheetColumn]:
    became = Counter((cell.place, cell.status) for row in rows for cell in row.cells)
    return [_column(column, became) for column in sheet.columns]


def _column(column: Column, became: Counter[tuple[str, CellStatus]]) -> SheetColumn:
    measure = column.measure
    is_quantity = isinstance(measure, Quantity)
    own = measure.unit if isinstance(measure, Quantity) else None
    return SheetColumn(
        place=column.place,
        column=column.name,
        means=column.canonical,
        label=column.label,
        side=column.side,
        from_unit=(column.unit.name or own) if is_quantity else None,
        unit=own,
        per_body_mass=column.unit.per_body_mass,
        converted=became[column.place, "converted"] > 0,
        confidence=column.confidence,
        why=column.why,
        applied=column.is_applied,
        question=column.question,
        proposal=column.proposal,
        alternatives=list(column.alternatives),
        words=_words(column) if isinstance(measure, Category) else None,
        filled=column.facts.filled,
        bad=became[column.place, "bad"],
    )


def _words(column: Column) -> list[SheetWord]:
    known: Mapping[str, Any] = {word.casefold(): told for word, told in column.words.items()}
    counted = Counter(column.facts.words)
    counted.update(f"{number:g}" for number in column.facts.numbers)
    return [
        SheetWord(word=word, means=known.get(word.casefold()), rows=count)
        for word, count in counted.most_common(50)
    ]


def _counts(
    rows: list[SheetRow], told: list[SheetColumn], asked: list[SheetConstant]
) -> SheetCounts:
    by_status = Counter(row.status for row in rows)
    cells = Counter(cell.status for row in rows for cell in row.cells)
    ready = [row for row in rows if row.status == "ready"]
    return SheetCounts(
        rows=len(rows),
        ready=by_status["ready"],
        bad=by_status["bad"],
        waiting=by_status["waiting"],
        earlier=by_status["earlier"],
        joined=by_status["joined"],
        ignored=by_status["ignored"],
        athletes=len({row.athlete or f"line {row.line}" for row in ready}),
        bad_cells=cells["bad"],
        converted_cells=cells["converted"],
        questions=sum(column.question is not None for column in told)
        + sum(constant.needed for constant in asked),
    )
