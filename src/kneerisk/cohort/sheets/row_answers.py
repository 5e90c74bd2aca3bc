"""The rows of a sheet for `/v1/import` and the page: screenings, and what became of every cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing, number_shown
from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, BIRTH, DATE, SEX
from kneerisk.cohort.sheets.recognition import RecognisedSheet
from kneerisk.cohort.sheets.rows.cell_reading import SheetFault
from kneerisk.cohort.sheets.rows.read_sheet import SheetReading, source_of
from kneerisk.cohort.sheets.rows.slips import slip_of
from kneerisk.cohort.sheets.rows.visits import HOLDING, OF_VISIT, AthleteRow, Visit, screening_body
from kneerisk.cohort.sheets.sheet_answer import (
    RowStatus,
    SheetCell,
    SheetConstant,
    SheetReason,
    SheetRow,
)
from kneerisk.cohort.sheets.sheet_wording import page_rule, shown, without_protocol
from kneerisk.schema import Quantity, columns
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

#: Without these nothing can be answered; a cohort may lack them.
NEEDED_FOR_AN_ANSWER = (AGE, SEX)
#: Parts of a date as a person writes them.
_DATE_PARTS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month"}


class _Row:
    """One athlete's row while its answer is put together."""

    def __init__(self, row: AthleteRow) -> None:
        self.row = row
        self.cells: dict[str, SheetCell] = {}
        self.reasons: list[SheetReason] = []
        self.waits = False
        """An entry stands in a column whose question is open."""
        self.is_held = False
        """Whether a reason is not about a cell alone, so that the row can't be scored."""

    def refuse(
        self, column: RecognisedColumn, code: str, message: str, allowed: str | None
    ) -> None:
        """Note a bad cell, in the preview and among the reasons of the row."""
        before = self.cells.get(column.place)
        self.is_held |= column.means in HOLDING
        is_slip = before is not None and code == FaultCode.OUTSIDE_LIMITS
        proposal = slip_of(column, before.shown, self.row.values) if before and is_slip else None
        unit = column.measure.unit if isinstance(column.measure, Quantity) else None
        self.cells[column.place] = SheetCell(
            place=column.place,
            shown=before.shown if before else "",
            status="bad",
            code=code,
            message=message,
            allowed=allowed,
            unit=unit,
            was=before.was if before else None,
            source=before.source if before else None,
        )
        self.reasons.append(
            SheetReason(
                code=code,
                message=message,
                place=column.place,
                column=column.name,
                allowed=allowed,
                proposal=proposal,
            )
        )


def row_answers(
    sheet: RecognisedSheet, reading: SheetReading, constants: list[SheetConstant]
) -> list[SheetRow]:
    """Every line below the names, as it is answered.

    Parameters
    ----------
    sheet
        The sheet as it was recognised.
    reading
        Its rows as they were read.
    constants
        What may hold for the whole sheet; rows wait for what is needed.

    Returns
    -------
    list of SheetRow
        In the sheet's order.
    """
    answers = _Answers(sheet, reading, constants).by_line
    return [answers[line] for line in sorted(answers)]


class _Answers:
    """The answers of a sheet's lines, put together cell by cell and visit by visit."""

    def __init__(
        self, sheet: RecognisedSheet, reading: SheetReading, constants: list[SheetConstant]
    ) -> None:
        self._sheet = sheet
        self._by_reference = {column.reference: column for column in sheet.columns}
        self._needed = {constant.means for constant in constants if constant.needed}
        self._rows: dict[int, _Row] = {}
        for visit in reading.visits:
            self._rows |= {row.line: _Row(row) for row in visit.rows}
        self._show_cells(reading)
        for fault in reading.row_faults:
            self._refuse(fault)
        self.by_line = {line: _omitted(sheet, line) for line in sheet.table.omitted}
        count = Counter(visit.first.key for visit in reading.visits)
        for visit in reading.visits:
            is_repeated = sheet.visits_are_open and count[visit.first.key] > 1
            self.by_line |= self._visit(visit, is_repeated=is_repeated)
        if sheet.arranged is not None:
            for line, answer in self.by_line.items():
                answer.sources.extend(sheet.arranged.row_sources(line))

    def _show_cells(self, reading: SheetReading) -> None:
        arranged = self._sheet.arranged
        place_of = {column: place for place, column in self._sheet.mapping.used().items()}
        for at, column in enumerate(self._sheet.columns):
            values = reading.values.get(place_of.get(column.reference, ""))
            unit = column.measure.unit if isinstance(column.measure, Quantity) else None
            for number, line in enumerate(reading.table.lines):
                cell = reading.table.rows[number][at]
                if cell != "":
                    row = self._rows[line]
                    answered = _cell(column, unit, cell, values[number] if values else None)
                    if arranged is not None:
                        answered.source = arranged.source(line, at)
                    row.cells[column.place] = answered
                    row.waits |= column.question is not None and not _is_empty(column, cell)
        for change in self._sheet.changes:
            changed = self._rows.get(change.line)
            if changed is not None:
                before = changed.cells.get(change.column)
                left_out = SheetCell(place=change.column, shown="", status="left_out")
                changed.cells[change.column] = replace(before or left_out, was=shown(change.was))

    def _refuse(self, fault: SheetFault) -> None:
        row = self._rows[fault.lines[0]]
        column = self._by_reference.get(fault.column or "")
        if column is None or fault.code in OF_VISIT:
            row.reasons.append(SheetReason(code=fault.code, message=page_rule(fault)))
            row.is_held = True
            return
        allowed = column.measure.allowed if column.measure else _dates_shown(fault.allowed)
        allowed = fault.allowed if fault.message else allowed
        row.refuse(column, fault.code, page_rule(fault), allowed)

    def _visit(self, visit: Visit, *, is_repeated: bool) -> dict[int, SheetRow]:
        of_visit: list[SheetReason] = []
        waits = is_repeated
        for fault in visit.faults:
            if fault.measure in self._needed:
                waits = True
            elif fault.code in OF_VISIT:
                of_visit.append(SheetReason(code=fault.code, message=page_rule(fault)))
            elif fault.column is None:
                of_visit.append(_unheld(fault))
            else:
                self._refuse(fault)
                # What contradicts another is still there, and nobody knows which is right.
                self._rows[fault.lines[0]].is_held |= fault.measure in visit.values
        self._leave_out(visit)
        lacking = [name for name in NEEDED_FOR_AN_ANSWER if name not in visit.values]
        for name in lacking:
            if name in self._needed:
                waits = True
            else:
                of_visit += self._lacking(visit, name)
        rows = [self._rows[line] for line in visit.lines]
        waits |= any(row.waits for row in rows)
        is_bad = bool(of_visit) or any(row.is_held for row in rows)
        screening = None if is_bad or waits or lacking else screening_body(visit)
        status: RowStatus = "bad" if is_bad else "waiting" if screening is None else "ready"
        if status == "ready" and visit.is_earlier:
            status = "earlier"
        first, *others = rows
        answers = {first.row.line: _answer(first, status, of_visit, screening)}
        for row in others:
            status = "bad" if row.is_held else "joined"
            into_line = visit.first.line if status == "joined" else None
            answers[row.row.line] = _answer(row, status, [], None, into_line)
        return answers

    def _leave_out(self, visit: Visit) -> None:
        """Mark the cells of values that say nothing without their protocol."""
        for name, protocol in visit.without_protocol.items():
            row, reference = source_of(self._sheet.mapping, visit, name)
            column = self._by_reference.get(reference or "")
            if column is not None and protocol not in self._needed:
                code, message = FaultCode.PROTOCOL_NEEDED, without_protocol(protocol)
                self._rows[row.line].refuse(column, code, message, None)

    def _lacking(self, visit: Visit, name: str) -> list[SheetReason]:
        """An answer needs a value that no cell of the visit has."""
        message, row = text("shared.fault.missing"), self._rows[visit.first.line]
        column = self._sheet.column_of(name)
        if column is None and name == AGE:
            column = self._sheet.column_of(BIRTH)
            day = self._sheet.column_of(DATE)
            born = row.cells.get(column.place) if column else None
            is_born = born is not None and born.status in {"ok", "converted"}
            if is_born and day is not None and row.row.date is None:
                column, message = day, text("sheet.row.needed_for_age")
        allowed = columns()[name].allowed
        if column is None:
            reason = text("sheet.row.no_column", label=columns()[name].label)
            return [SheetReason(code=FaultCode.MISSING, message=reason, allowed=allowed)]
        cell = row.cells.get(column.place)
        if cell is None or cell.status not in {"bad", "asked"}:
            row.refuse(column, FaultCode.MISSING, message, allowed)
        return []


def _unheld(fault: SheetFault) -> SheetReason:
    measure = columns().get(fault.measure or "")
    message = f"{measure.label} {fault.message}" if measure else fault.message
    return SheetReason(code=fault.code, message=message, allowed=fault.allowed)


def _answer(
    row: _Row,
    status: RowStatus,
    of_visit: list[SheetReason],
    screening: dict[str, Any] | None,
    into_line: int | None = None,
) -> SheetRow:
    return SheetRow(
        line=row.row.line,
        status=status,
        athlete=row.row.athlete,
        date=row.row.date,
        into_line=into_line,
        screening=screening,
        reasons=[*row.reasons, *of_visit],
        cells=sorted(row.cells.values(), key=lambda cell: (len(cell.place), cell.place)),
    )


def _omitted(sheet: RecognisedSheet, line: int) -> SheetRow:
    cells = [
        SheetCell(place=column.place, shown=shown(cell), status="ignored")
        for column, cell in zip(sheet.columns, sheet.table.omitted[line].cells, strict=True)
        if cell != ""
    ]
    return SheetRow(line=line, status="ignored", cells=cells)


def _cell(column: RecognisedColumn, unit: str | None, cell: Any, value: Any) -> SheetCell:
    """A cell that is not empty, as far as it could be read."""
    cell_text = shown(cell)
    waits_for_mass = value is None and column.unit.per_body_mass and not _is_empty(column, cell)
    if column.question or waits_for_mass:
        return SheetCell(place=column.place, shown=cell_text, status="asked")
    if column.means is None:
        return SheetCell(place=column.place, shown=cell_text, status="ignored")
    if value is None:
        message = text("sheet.row.not_recorded")
        return SheetCell(place=column.place, shown=cell_text, status="ignored", message=message)
    # Most numbers stand in the file as they are told.
    is_other = unit is not None and cell != value and cell != str(value)
    number = number_shown(cell, column.values.marks) if is_other else None
    is_converted = number is not None and abs(number - value) > 1e-9 * abs(number)
    return SheetCell(
        place=column.place,
        shown=cell_text,
        status="converted" if is_converted else "ok",
        value=value.isoformat() if isinstance(value, date) else value,
        unit=unit,
    )


def _is_empty(column: RecognisedColumn, cell: Any) -> bool:
    return is_missing(cell) or column.words.get(as_text(cell)) == ""


def _dates_shown(allowed: str | None) -> str | None:
    for code, part in _DATE_PARTS.items():
        allowed = allowed.replace(code, part) if allowed else None
    return allowed
