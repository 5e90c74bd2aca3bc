"""A sheet that nobody has described: its columns, its questions, its rows, all at once.

The walk: bytes to lines (`workbook`, `delimiter`), lines to a table (`headings`), columns to a
mapping and questions (`recognition`), rows by that mapping (`read_sheet`), and the answer. The
mapping is given as a mapping file too (TOML): a person checks it, and `ingest sheet` reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.file_parts import SheetFile
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    FLAGS,
    SIDE,
    athlete_key,
)
from kneerisk.cohort.sheets.proposed_mapping import mapping_file
from kneerisk.cohort.sheets.recognition import RecognisedSheet, recognise_sheet
from kneerisk.cohort.sheets.row_answers import row_answers
from kneerisk.cohort.sheets.rows.read_sheet import read_sheet
from kneerisk.cohort.sheets.several_files.described_table import read_files
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_answer import (
    CellStatus,
    SheetAnswer,
    SheetColumn,
    SheetConstant,
    SheetCounts,
    SheetRow,
    SheetWord,
)
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.sheet_wording import notes
from kneerisk.cohort.sheets.stated_answers import open_constants, refuse_wrong_answers
from kneerisk.errors import CohortRefused
from kneerisk.schema import Quantity

#: Of a column of words so many different ones are listed (assumption: more are no answers).
_MOST_WORDS = 50


def recognise(content: bytes, stated: SheetAsked | None = None) -> SheetAnswer:
    """What one file holds: as of several files (`recognise_files`), the file without a name."""
    return recognise_files([SquadFile("", content)], stated)


def recognise_files(files: Sequence[SquadFile], stated: SheetAsked | None = None) -> SheetAnswer:
    """What CSV and Excel files of one squad hold, with every question and every bad cell.

    Parameters
    ----------
    files
        CSV, tab-separated or Excel files, which are joined to one table.
    stated
        What a person stated about it; None: nothing yet.

    Returns
    -------
    SheetAnswer
        Columns, questions, rows as screenings, notes, and the same reading as a mapping file.

    Raises
    ------
    CohortRefused
        Where it can't be read as a sheet at all.
    AskRefused
        With every fault of what was stated.
    """
    stated = stated or SheetAsked()
    sheet = recognise_sheet(files, stated)
    refuse_wrong_answers(stated, sheet)
    reading = read_sheet(sheet.mapping, sheet.table, order_is_open=sheet.visits_are_open)
    constants = open_constants(sheet)
    rows = row_answers(sheet, reading, constants)
    described = _columns(sheet, rows)
    return SheetAnswer(
        file=_file(sheet),
        parts=sheet.arranged.parts if sheet.arranged else [],
        unmatched=sheet.arranged.unmatched if sheet.arranged else [],
        columns=described,
        constants=constants,
        rows=rows,
        notes=notes(sheet, stated, reading),
        counts=_counts(rows, described, constants),
        mapping=mapping_file(sheet),
    )


def recognise_paths(*paths: Path) -> SheetAnswer:
    """What CSV, tab-separated or Excel files on disk hold.

    Parameters
    ----------
    *paths
        The files of one squad.

    Returns
    -------
    SheetAnswer
        As from its bytes.

    Raises
    ------
    CohortRefused
        Where it can't be read as a sheet.
    """
    files = read_files(paths)
    try:
        return recognise_files(files)
    except CohortRefused as refused:
        raise CohortRefused(f"{paths[0]}: {refused}" if len(paths) == 1 else str(refused)) from None


def _file(sheet: RecognisedSheet) -> SheetFile:
    file = sheet.file
    commas = [column.values.marks.commas for column in sheet.columns if column.values.numbers]
    return SheetFile(
        kind=file.kind,
        sheet=file.worksheet,
        sheets=list(file.worksheets) or None,
        header_line=sheet.heading.lines[0],
        header_lines=sheet.heading.lines,
        delimiter=file.delimiter,
        encoding=file.encoding,
        decimal="comma" if any(commas) else "point",
        rows=len(sheet.table.lines) + len(sheet.table.omitted),
    )


def _columns(sheet: RecognisedSheet, rows: Sequence[SheetRow]) -> list[SheetColumn]:
    statuses = Counter((cell.place, cell.status) for row in rows for cell in row.cells)
    return [_column(column, statuses) for column in sheet.columns]


def _column(column: RecognisedColumn, statuses: Counter[tuple[str, CellStatus]]) -> SheetColumn:
    measure = column.measure
    schema_unit = measure.unit if isinstance(measure, Quantity) else None
    return SheetColumn(
        place=column.place,
        column=column.name,
        means=column.canonical,
        label=column.label,
        side=column.side,
        from_unit=(column.unit.name or schema_unit) if schema_unit else None,
        unit=schema_unit,
        per_body_mass=column.unit.per_body_mass,
        converted=statuses[column.place, "converted"] > 0,
        confidence=column.confidence,
        why=column.why,
        applied=column.is_applied,
        question=column.question,
        proposal=column.proposal,
        alternatives=list(column.alternatives),
        asks=column.asks,
        words=_words(column) or None,
        filled=column.values.filled,
        bad=statuses[column.place, "bad"],
    )


def _words(column: RecognisedColumn) -> list[SheetWord]:
    """The words of a column of words, and those among the numbers of a quantity."""
    if column.measure is None and column.means not in {FLAGS, SIDE}:
        return []
    known: dict[str, Any] = {word.casefold(): value for word, value in column.words.items()}
    count = Counter(column.values.words)
    if not isinstance(column.measure, Quantity):
        count.update(f"{number:g}" for number in column.values.numbers)
    return [
        SheetWord(word=word, means=known.get(word.casefold()), rows=rows)
        for word, rows in count.most_common(_MOST_WORDS)
        if word.casefold() in known or not is_missing(word)
    ]


def _counts(
    rows: Sequence[SheetRow], described: Sequence[SheetColumn], constants: Sequence[SheetConstant]
) -> SheetCounts:
    by_status = Counter(row.status for row in rows)
    cells = Counter(cell.status for row in rows for cell in row.cells)
    ready = [row for row in rows if row.status == "ready"]
    athletes = {athlete_key(row.athlete) if row.athlete else row.line for row in ready}
    questions = sum(column.question is not None for column in described)
    return SheetCounts(
        rows=len(rows),
        ready=by_status["ready"],
        bad=by_status["bad"],
        waiting=by_status["waiting"],
        earlier=by_status["earlier"],
        joined=by_status["joined"],
        ignored=by_status["ignored"],
        athletes=len(athletes),
        bad_cells=cells["bad"],
        converted_cells=cells["converted"],
        questions=questions + sum(constant.needed for constant in constants),
    )
