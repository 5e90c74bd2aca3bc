"""Files and worksheets as the one table that is recognised and read.

Most files are such a table as they stand. A file with a row for each test, or a date in each
heading, is turned into one (`device_exports`); several files, or worksheets of one squad, are
joined to one (`joined_table`). Its lines are numbered anew, and each cell says where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from kneerisk.cohort.sheets.cells.cell_dates import date_forms
from kneerisk.cohort.sheets.columns.column_names import read_name
from kneerisk.cohort.sheets.device_exports.dates_in_columns import (
    dates_in_columns,
    holds_a_date,
)
from kneerisk.cohort.sheets.device_exports.isokinetic_columns import isokinetic_columns
from kneerisk.cohort.sheets.device_exports.legs_by_athlete import (
    tells_own_legs,
    with_legs_told,
)
from kneerisk.cohort.sheets.device_exports.test_protocols import with_protocols
from kneerisk.cohort.sheets.device_exports.tests_in_rows import tests_in_rows
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    TidyColumn,
    TidyRow,
    TidyTable,
    certain,
    day_of,
    untouched,
)
from kneerisk.cohort.sheets.device_exports.titled_tests import with_title
from kneerisk.cohort.sheets.device_exports.visits_in_columns import with_visits
from kneerisk.cohort.sheets.device_exports.weeks_in_columns import with_weeks
from kneerisk.cohort.sheets.file_parts import Arrangement
from kneerisk.cohort.sheets.files.sheet_limits import MOST_FILES, RECOGNISED, LineCounter
from kneerisk.cohort.sheets.files.workbook import OpenedSheet, open_sheet, open_worksheets
from kneerisk.cohort.sheets.lexicon.vocabulary import DATE
from kneerisk.cohort.sheets.rows.headings import (
    Heading,
    find_heading,
    joined_names,
    rows_below,
)
from kneerisk.cohort.sheets.rows.transposed_table import upright
from kneerisk.cohort.sheets.several_files.arranged_sheet import (
    ArrangedSheet,
    Origin,
    arranged,
    described,
    notes_of,
    of_others,
    placed,
)
from kneerisk.cohort.sheets.several_files.joined_table import Joined, joined
from kneerisk.cohort.sheets.several_files.logs_of_squad import (
    OpenedTable,
    with_logs,
)
from kneerisk.cohort.sheets.several_files.parts_of_squad import (
    Part,
    columns_meaning,
    told_part,
)
from kneerisk.cohort.sheets.several_files.sessions_among_tests import sessions_apart
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.several_files.stacked_squads import are_squads, of_squads
from kneerisk.cohort.sheets.several_files.worksheets_of_squad import (
    with_logs_of,
    worksheets_of_squad,
)
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.errors import CohortRefused
from kneerisk.words import text, variant

#: So many worksheets are joined (assumption: a squad has a sheet a test).
_MOST_WORKSHEETS = 40


def arrange(
    files: Sequence[SquadFile],
    first: OpenedSheet,
    how: Arrangement,
    *,
    worksheet: str | None = None,
    header_line: int | None = None,
) -> ArrangedSheet | None:
    """Files and worksheets as one table.

    Parameters
    ----------
    files
        The files that were given together.
    first
        The first of them, opened as a person stated.
    how
        The window of days, and what a person said of unmatched rows and of dates.
    worksheet
        The worksheet that a person stated; no other is looked at then.
    header_line
        The line of the names that a person stated.

    Returns
    -------
    ArrangedSheet or None
        None where the first file is the table, as it stands.

    Raises
    ------
    CohortRefused
        Where one of several files can't be read, or all together have too much.
    """
    if len(files) > 1:
        tables = list(_opened(files))
        parts = with_logs(tables, _titled_part, how.day_first)
        if are_squads(parts):
            return of_squads(parts, [])
        return _of_parts(parts, joined(parts, how), [])
    own = OpenedTable(files[0].name, first.worksheet, first.lines)
    if worksheet is None and len(first.worksheets) > 1:
        sheets = open_worksheets(files[0].content)[:_MOST_WORKSHEETS]
        tables = [OpenedTable(own.file, one.worksheet, one.lines) for one in sheets]
        if (book := _of_workbook(tables, how)) is not None:
            return book
    turned = upright(own.lines) if header_line is None else None
    if turned is not None:
        return _alone(_turned_part(own._replace(lines=turned)))
    heading = _heading(own, header_line)
    if header_line is None and (apart := sessions_apart(own, heading)):
        parts = with_logs(apart, _titled_part, how.day_first)
        return _of_parts(parts, joined(parts, how), [])
    part = _part(own, heading, None)
    if part.tidy.layout == _plain():
        if not tells_own_legs(part.tidy):
            return None
        part.tidy.layout = variant("sheet.layout", "legs_by_athlete")
    return _alone(part)


def _plain() -> str:
    return variant("sheet.layout", "plain")


def _opened(files: Sequence[SquadFile]) -> Iterator[OpenedTable]:
    """Every table of several files; what all together may have is counted over them."""
    if len(files) > MOST_FILES:
        raise CohortRefused(text("sheet.unreadable.files", most=MOST_FILES))
    total = LineCounter(RECOGNISED)
    for file in files:
        try:
            sheets = open_worksheets(file.content) or [open_sheet(file.content)]
            for sheet in sheets:
                for line, cells in sheet.lines:
                    total.add(line, cells)
                yield OpenedTable(file.name, sheet.worksheet, sheet.lines)
        except CohortRefused as refused:
            raise CohortRefused(f"{file.name}: {refused}") from None


def _heading(table: OpenedTable, header_line: int | None) -> Heading:
    """The names of the columns, with a line of dates above them, if there is one."""
    heading = find_heading(table.lines, header_line)
    numbers = [line for line, _ in table.lines]
    at = numbers.index(heading.lines[0])
    if at == 0 or header_line is not None or len(heading.lines) > 1:
        return heading
    above = table.lines[at - 1][1]
    if not any(holds_a_date(cell) for cell in above):
        return heading
    dates = [day.isoformat() if isinstance(day := day_of(cell), date) else cell for cell in above]
    names = joined_names([dates, table.lines[at][1]])
    meanings = [read_name(name) for name in names]
    lines = [numbers[at - 1], *heading.lines]
    return heading._replace(names=names, meanings=meanings, lines=lines)


def _titled_part(table: OpenedTable) -> Part:
    """A table among others, whose name may say what was tested, or when."""
    try:
        heading = _heading(table, None)
    except CohortRefused as refused:
        raise CohortRefused(f"{table.sheet or table.file}: {refused}") from None
    part = _part(table, heading, table.title)
    with_title(part.tidy, table.title)
    if not columns_meaning(part.tidy, DATE) and date_forms([table.title], None).share == 1:
        part.tidy.columns.append(TidyColumn(text("sheet.layout.date_column"), certain(DATE)))
        for row in part.tidy.rows:
            row.cells.append(table.title)
            row.sources.append(())
    return part


def _part(table: OpenedTable, heading: Heading, title: str | None) -> Part:
    """A table with one row for each athlete and date."""
    rows = rows_below(table.lines, heading.names, heading_line=heading.lines[-1])
    tidy = (
        tests_in_rows(heading, rows)
        or dates_in_columns(heading, rows, title)
        or isokinetic_columns(heading, rows)
        or untouched(heading, rows, _plain())
    )
    for step, layout in ((with_weeks, "weeks_in_columns"), (with_visits, "visits_in_columns")):
        step(tidy, variant("sheet.layout", layout) if tidy.layout == _plain() else None)
    above = [line for line, _ in table.lines if line < heading.lines[0]]
    return told_part(table.file, table.sheet, tidy, rows, above)


def _turned_part(table: OpenedTable) -> Part:
    """A table that lay on its side."""
    part = _part(table, _heading(table, None), None)
    layout = part.tidy.layout
    part.tidy.layout = variant("sheet.layout", "transposed") if layout == _plain() else layout
    part.tidy.notes.insert(0, SheetNote(code="transposed", message=text("sheet.note.transposed")))
    return part


def _of_workbook(tables: Sequence[OpenedTable], how: Arrangement) -> ArrangedSheet | None:
    """The worksheets of one squad; None where fewer than two of them belong together."""
    book = worksheets_of_squad(tables, _titled_part, how.day_first)
    every = [*book.parts, *book.apart]
    if are_squads(every):
        titles = {part.sheet or part.file for part in book.apart}
        return of_squads(every, [name for name in book.others if name not in titles])
    parts, others = with_logs_of(book)
    return _of_parts(parts, joined(parts, how), others) if len(parts) > 1 else None


def _alone(part: Part) -> ArrangedSheet:
    tidy = with_protocols(with_legs_told(part.tidy))
    origins = [[Origin(0, lines) if lines else None for lines in r.sources] for r in tidy.rows]
    notes = [placed(note) for note in tidy.notes]
    rows = [row.cells for row in tidy.rows]
    return arranged(tidy.columns, rows, origins, [described(part)], [], notes, set())


def _of_parts(parts: Sequence[Part], one: Joined, others: Sequence[str]) -> ArrangedSheet:
    # A cell of the joined table is named by its number, since its column may move.
    width = len(one.columns)
    rows = [
        TidyRow(cells, [() if s is None else (at * width + c,) for c, s in enumerate(sources)])
        for at, (cells, sources) in enumerate(zip(one.rows, one.sources, strict=True))
    ]
    tidy = with_protocols(with_legs_told(TidyTable("", one.columns, rows)))
    flat = [source for sources in one.sources for source in sources]
    origins: list[list[Origin | None]] = [
        [Origin(*s) if own and (s := flat[own[0]]) else None for own in row.sources]
        for row in tidy.rows
    ]
    notes = [SheetNote(code="joined", message=text("sheet.note.joined", count=len(parts)))]
    notes += [*notes_of(parts), *of_others(others)]
    notes += [*one.notes, *(_in_table(note, width) for note in tidy.notes)]
    listed = [described(part) for part in parts]
    cells = [row.cells for row in tidy.rows]
    return arranged(tidy.columns, cells, origins, listed, one.unmatched, notes, one.places)


def _in_table(note: SheetNote, width: int) -> SheetNote:
    """A note of the cells of a joined table: its rows are numbered from 2."""
    lines = sorted({cell // width + 2 for cell in note.lines})
    return SheetNote(code=note.code, message=note.message, lines=lines)
