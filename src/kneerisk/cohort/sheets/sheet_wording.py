"""Faults and notes of a sheet put into words, those of the catalogue (`words/en/sheet.toml`).

A fault has a code and its place; who keeps a mapping file reads another sentence than who dropped
a sheet on the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl.utils import get_column_letter

from kneerisk.cohort.sheets.files.excel_cells import NoDate
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, BIRTH
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.recognition import RecognisedSheet
from kneerisk.cohort.sheets.rows.cell_reading import SheetFault
from kneerisk.cohort.sheets.rows.headings import LEFT_OUT, Table
from kneerisk.cohort.sheets.rows.read_sheet import SheetReading
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.errors import CellFault
from kneerisk.schema import columns
from kneerisk.schema.faults import FaultCode
from kneerisk.words import plural, section, text, variant

#: So many lines are listed in a note (assumption: more help nobody).
_MOST_LINES = 10


def page_rule(fault: SheetFault) -> str:
    """A broken rule for whoever dropped a sheet on the page."""
    name = _case(fault, "page")
    if fault.message or name is None:
        return fault.message or _general_rule(fault)
    measure = columns().get(fault.measure or "")
    label = measure.label if measure else text("sheet.role.red_flags")
    lines, others = _lines(fault), _other_lines(fault)
    return variant("sheet.rule.page", name, label=label, lines=lines, others=others)


def without_protocol(protocol: str) -> str:
    """Why a value can't be used that says nothing without how it was taken."""
    return text("sheet.row.without_protocol", protocol=columns()[protocol].label)


def _cohort_rule(fault: SheetFault, mapping: Mapping) -> str:
    if fault.message:
        held = mapping.column_of(fault.measure or "")
        if not held or held == fault.measure:
            return fault.message
        return text("sheet.rule.in_cohort", rule=fault.message, name=fault.measure)
    name = _case(fault, "cohort")
    if name is None:
        return _general_rule(fault)
    return variant("sheet.rule.cohort", name, others=_other_lines(fault))


def _general_rule(fault: SheetFault) -> str:
    """A rule that both kinds of readers read in the same words."""
    return variant("sheet.rule.both", _case(fault, "both") or "unreadable", lines=_lines(fault))


def _case(fault: SheetFault, reader: str) -> str | None:
    """The name of a fault's text for one kind of reader, if that has one of its own."""
    rules = section("sheet")["rule"][reader]
    names = (f"{fault.code}_{fault.variant}", fault.variant, fault.code)
    return next((name for name in names if name in rules), None)


def _lines(fault: SheetFault) -> str:
    first, *others = fault.lines
    return text("sheet.lines.several", first=first, others=", ".join(map(str, others)))


def _other_lines(fault: SheetFault) -> str:
    others = fault.lines[1:]
    listed = ", ".join(map(str, others))
    unnamed = fault.others - len(others)
    if unnamed > 0:
        return text("sheet.lines.more", others=listed, count=unnamed)
    return text("sheet.lines.line", others=listed)


def shown(cell: Any) -> str:
    """A cell as it stands, for people."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def cohort_faults(fault: SheetFault, mapping: Mapping) -> Iterator[CellFault]:
    """A fault for the keeper of a mapping file: one of each cell that it is about."""
    rule = _cohort_rule(fault, mapping)
    is_of_every_line = fault.code in {FaultCode.ROWS_DIFFER, FaultCode.LEGS_DIFFER}
    for line in fault.lines if is_of_every_line else fault.lines[:1]:
        yield CellFault(
            line=line,
            column=fault.column or fault.measure or "(row)",
            rule=rule,
            allowed=fault.allowed or "",
            unit=fault.unit,
            code=fault.code,
        )


def omitted_counts(table: Table) -> dict[str, int]:
    """How many lines were left out as no athlete's, by the reason in words."""
    count = Counter(line.reason for line in table.omitted.values())
    return {
        text("sheet.note.omitted_lines", why=variant("sheet.omitted", reason)): count[reason]
        for reason in LEFT_OUT
        if count[reason]
    }


def notes(sheet: RecognisedSheet, stated: SheetAsked, reading: SheetReading) -> list[SheetNote]:
    """What was done or left out while a sheet was read, so that nothing happens quietly.

    Parameters
    ----------
    sheet
        The sheet as it was recognised.
    stated
        What a person stated about it.
    reading
        Its rows as they were read.

    Returns
    -------
    list of SheetNote
        Of the file, its lines, its columns and its athletes.
    """
    return [
        *_stated_notes(sheet, stated),
        *_file_notes(sheet),
        *(sheet.arranged.notes if sheet.arranged else _line_notes(sheet)),
        *_column_notes(sheet),
        *_repeated_athletes(reading),
    ]


def _repeated_athletes(reading: SheetReading) -> Iterator[SheetNote]:
    """Lines of one athlete that no date tells apart, counted once and not line by line."""
    repeated = [
        (fault.lines[0], visit.first.key)
        for visit in reading.visits
        for fault in visit.faults
        if fault.code in {FaultCode.SAME_ATHLETE, FaultCode.SAME_ATHLETE_AND_DATE}
    ]
    if repeated:
        lines = [line for line, _ in repeated]
        people = len({key for _, key in repeated})
        message = plural("sheet.note.repeated_athletes", people, lines=len(lines))
        yield SheetNote(code="repeated_athletes", message=message, lines=lines[:_MOST_LINES])


def _stated_notes(sheet: RecognisedSheet, stated: SheetAsked) -> Iterator[SheetNote]:
    """What a person changed; the words themselves stand with their columns."""
    for code in ("cells_changed", "cells_left_out"):
        own = [one for one in sheet.changes if (one.now == "") == (code == "cells_left_out")]
        if own:
            listed = _listed([f"{change.column}{change.line}" for change in own])
            message = variant("sheet.note.of_cells", code, cells=listed)
            yield SheetNote(code=code, message=message, lines=sorted({one.line for one in own}))
    if places := [place for place, column in stated.columns.items() if column.words]:
        yield SheetNote(code="words", message=text("sheet.note.words"), places=places)


def _file_notes(sheet: RecognisedSheet) -> Iterator[SheetNote]:
    file = sheet.file
    if file.encoding_is_guessed:
        yield SheetNote(code="encoding", message=text("sheet.note.encoding"))
    if (count := len(file.worksheets)) > 1 and not _are_joined(sheet):
        message = text("sheet.note.worksheets", count=count, name=repr(file.worksheet))
        yield SheetNote(code="worksheets", message=message)
    no_dates = {
        f"{get_column_letter(at)}{line}": line
        for line, cells in file.lines
        for at, cell in enumerate(cells, start=1)
        if isinstance(cell, NoDate)
    }
    if no_dates:
        message = text("sheet.note.no_dates", cells=_listed([*no_dates]))
        lines = sorted(set(no_dates.values()))
        yield SheetNote(code="no_dates", message=message, lines=lines)


def _are_joined(sheet: RecognisedSheet) -> bool:
    return sheet.arranged is not None and len(sheet.arranged.parts) > 1


def _line_notes(sheet: RecognisedSheet) -> Iterator[SheetNote]:
    heading = sheet.heading.lines
    if above := [line for line, _ in sheet.file.lines if line < heading[0]]:
        message = text("sheet.note.title_lines", first=above[0], last=above[-1])
        if len(above) == 1:
            message = text("sheet.note.title_line", line=above[0])
        yield SheetNote(code="title_lines", message=message, lines=above)
    if len(heading) > 1:
        message = text("sheet.note.names_of_several_lines", first=heading[0], last=heading[-1])
        yield SheetNote(code="names_of_several_lines", message=message, lines=heading)
    for reason in LEFT_OUT:
        if lines := [at for at, line in sheet.table.omitted.items() if line.reason == reason]:
            why = variant("sheet.omitted", reason)
            message = text("sheet.note.left_out", why=why, lines=_listed(lines))
            yield SheetNote(code=reason, message=message, lines=lines)


def _listed(places: Sequence[object]) -> str:
    more = ["..."] if len(places) > _MOST_LINES else []
    return ", ".join([*map(str, places[:_MOST_LINES]), *more])


def _column_notes(sheet: RecognisedSheet) -> Iterator[SheetNote]:
    if empty := [column.place for column in sheet.columns if not column.values.filled]:
        message = text("sheet.note.empty_columns", places=", ".join(empty))
        yield SheetNote(code="empty_columns", message=message, places=empty)
    applied = [column for column in sheet.columns if column.is_applied]
    if commas := [column.place for column in applied if column.values.marks.commas]:
        message = text("sheet.note.decimal_commas")
        yield SheetNote(code="decimal_commas", message=message, places=commas)
    if born := [column.place for column in applied if column.means == BIRTH]:
        message = text("sheet.note.ages_from_birth_dates")
        yield SheetNote(code="ages_from_birth_dates", message=message, places=born)
    if not any(column.means == ATHLETE for column in sheet.columns):
        yield SheetNote(code="no_athlete", message=text("sheet.note.no_athlete"))
