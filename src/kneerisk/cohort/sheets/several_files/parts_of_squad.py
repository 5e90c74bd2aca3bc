"""The tables of a squad before they are joined: their rows, their days, what fits nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from kneerisk.cohort.sheets.cells.cell_dates import date_forms, parse_day
from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.device_exports.tidy_table import TidyRow, TidyTable
from kneerisk.cohort.sheets.file_parts import SheetUnmatched
from kneerisk.cohort.sheets.rows.headings import Table
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import variant

#: Names are shown up to here (assumption: no athlete's is longer).
LONGEST_LABEL = 100

Place = tuple[int, int]
"""A file and one of its rows, counted from 0."""


class Part(NamedTuple):
    """One file or worksheet as a tidy table."""

    file: str
    sheet: str | None
    tidy: TidyTable
    lines: Sequence[int]
    """The line that each row is named by."""


def told_part(
    file: str, sheet: str | None, tidy: TidyTable, rows: Table, above: Sequence[int]
) -> Part:
    """A table that tells which of its lines are no athlete's.

    Parameters
    ----------
    file
        The name of its file.
    sheet
        The name of its worksheet.
    tidy
        What its rows became; the notes are added to it.
    rows
        Its rows, and the lines that were left out.
    above
        The lines above the names of its columns.

    Returns
    -------
    Part
        The table.
    """
    if above:
        tidy.notes.append(_left_out("title_lines", above))
    for line, omitted in rows.omitted.items():
        tidy.notes.append(_left_out(omitted.reason, [line]))
    if rows.too_long:
        tidy.notes.append(_left_out("too_long", rows.too_long))
    return Part(file, sheet, tidy, [_first_line(row) for row in tidy.rows])


def _left_out(code: str, lines: Sequence[int]) -> SheetNote:
    return SheetNote(code=code, message=variant("sheet.note.of_part", code), lines=list(lines))


def _first_line(row: TidyRow) -> int:
    return min((line for lines in row.sources for line in lines), default=0)


def columns_meaning(tidy: TidyTable, means: str) -> list[int]:
    """The places of the columns that certainly mean something."""
    return [
        at for at, column in enumerate(tidy.columns)
        if column.named.matches and column.named.matches[0][:2] == (means, 1.0)
    ]  # fmt: skip


def place_shown(part: Part, number: int, row: int) -> str:
    """How a row of a file is named in an answer.

    Parameters
    ----------
    part
        The file.
    number
        Its place among the files, from 0.
    row
        The row, from 0.

    Returns
    -------
    str
        The file's number and the line: `2:7`.
    """
    return f"{number + 1}:{part.lines[row]}"


def unmatched_row(
    parts: Sequence[Part], at: Place, label: str, code: str, message: str
) -> SheetUnmatched:
    """A row of one of several files that fits no row of another.

    Parameters
    ----------
    parts
        The files.
    at
        The file and the row.
    label
        Its athlete.
    code
        Why it fits nowhere, for programs.
    message
        The same for people.

    Returns
    -------
    SheetUnmatched
        The row, without athletes who may be meant.
    """
    number, row = at
    part = parts[number]
    return SheetUnmatched(
        place=place_shown(part, number, row),
        file=part.file,
        lines=[part.lines[row]],
        athlete=label[:LONGEST_LABEL] or None,
        code=code,
        message=message,
    )


def days_in(tidy: TidyTable, at: int, day_first: bool | None) -> tuple[list[date | None], bool]:
    """The days of a column, and whether day and month could be either way round.

    Parameters
    ----------
    tidy
        The table.
    at
        The column's place.
    day_first
        What a person said of dates such as 03/04/2025.

    Returns
    -------
    tuple
        One day a row, None where there is none; and whether their order is open.
    """
    cells = [row.cells[at] for row in tidy.rows]
    forms = date_forms(cells, day_first)
    return [None if is_missing(c) else parse_day(c, forms.formats) for c in cells], forms.is_open
