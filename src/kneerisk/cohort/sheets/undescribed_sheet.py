"""A sheet that nobody has described: its columns, its questions, its rows, all at once.

The walk: bytes to lines (`workbook`, `delimiter`), lines to a table (`headings`), columns to a
mapping and questions (`recognition`), rows by that mapping (`read_sheet`), and the answer. The
mapping is given as a mapping file too (TOML): a person checks it, and `ingest sheet` reads it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kneerisk.cohort.sheets.cell_text import is_missing
from kneerisk.cohort.sheets.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.mapping import Mapping
from kneerisk.cohort.sheets.read_sheet import read_sheet
from kneerisk.cohort.sheets.recognition import RecognisedSheet, recognise_sheet
from kneerisk.cohort.sheets.row_answers import row_answers
from kneerisk.cohort.sheets.sheet_answer import (
    CellStatus,
    SheetAnswer,
    SheetAsked,
    SheetColumn,
    SheetConstant,
    SheetCounts,
    SheetFile,
    SheetRow,
    SheetWord,
)
from kneerisk.cohort.sheets.sheet_wording import notes
from kneerisk.cohort.sheets.stated_answers import open_constants, refuse_wrong_answers
from kneerisk.cohort.sheets.vocabulary import ATHLETE, BIRTH, DATE, FLAGS, athlete_key, leg_names
from kneerisk.errors import CohortRefused
from kneerisk.schema import Category, Quantity
from kneerisk.words import text

#: Of a column of words so many different ones are listed (assumption: more are no answers).
_MOST_WORDS = 50


def recognise(content: bytes, stated: SheetAsked | None = None) -> SheetAnswer:
    """What a CSV or Excel file holds, with every question and every bad cell, all at once.

    Parameters
    ----------
    content
        A CSV, tab-separated or Excel file.
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
    sheet = recognise_sheet(content, stated)
    refuse_wrong_answers(stated, sheet)
    reading = read_sheet(sheet.mapping, sheet.table, order_is_open=sheet.dates_are_open)
    constants = open_constants(sheet)
    rows = row_answers(sheet, reading, constants)
    described = _columns(sheet, rows)
    return SheetAnswer(
        file=_file(sheet),
        columns=described,
        constants=constants,
        rows=rows,
        notes=notes(sheet),
        counts=_counts(rows, described, constants),
        mapping=mapping_file(sheet),
    )


def recognise_file(path: Path) -> SheetAnswer:
    """What a CSV, tab-separated or Excel file on disk holds.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    SheetAnswer
        As from its bytes.

    Raises
    ------
    CohortRefused
        Where it can't be read as a sheet.
    """
    try:
        return recognise(path.read_bytes())
    except OSError as error:
        raise CohortRefused(
            text("cohort.file.unreadable", file=path, reason=error.strerror)
        ) from None
    except CohortRefused as refused:
        raise CohortRefused(f"{path}: {refused}") from None


def _file(sheet: RecognisedSheet) -> SheetFile:
    file = sheet.file
    commas = [column.values.commas for column in sheet.columns if column.values.numbers]
    return SheetFile(
        kind="xlsx" if file.encoding is None else "csv",
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
        words=_words(column) if isinstance(measure, Category) else None,
        filled=column.values.filled,
        bad=statuses[column.place, "bad"],
    )


def _words(column: RecognisedColumn) -> list[SheetWord]:
    known: dict[str, Any] = {word.casefold(): value for word, value in column.words.items()}
    count = Counter(column.values.words)
    count.update(f"{number:g}" for number in column.values.numbers)
    return [
        SheetWord(word=word, means=known.get(word.casefold()), rows=rows)
        for word, rows in count.most_common(_MOST_WORDS)
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


def mapping_file(sheet: RecognisedSheet) -> str:
    """The text of the mapping file; columns whose question is open stand in it as comments."""
    entries = [
        text("sheet.proposal.heading"),
        'source = "..."',
        *_roles(sheet),
        "",
        *_form(sheet.mapping),
        *_constants(sheet.mapping),
        *_measures(sheet),
    ]
    return "\n".join([*entries, text("sheet.proposal.outcome")])


def _roles(sheet: RecognisedSheet) -> Iterator[str]:
    if identity := sheet.mapping.athlete_id:
        # First and last name together tell athletes apart.
        names = _listed(identity.columns)
        yield f"athlete_id = {names}" if len(identity.columns) == 1 else f"athlete_id = [{names}]"
    for column in sheet.columns:
        if column.means == ATHLETE and column.question:
            yield _open_or(column, f"athlete_id = {_text(column.reference)}")
    for column in sheet.columns:
        if column.means in {DATE, BIRTH}:
            formats = _listed(column.formats)
            name = _text(column.reference)
            yield _open_or(column, f"{column.means} = {{ column = {name}, formats = [{formats}] }}")


def _form(mapping: Mapping) -> Iterator[str]:
    form = mapping.sheet
    yield "[sheet]"
    if form.name is not None:
        yield f"name = {_text(form.name)}"
    if form.delimiter is not None:
        yield f"delimiter = {_text(form.delimiter)}"
    if form.encoding != "utf-8-sig":
        yield f"encoding = {_text(form.encoding)}"
    yield f"header_row = {form.header_row}"
    if form.header_rows > 1:
        yield f"header_rows = {form.header_rows}"
    if form.leave_out:
        yield f"leave_out = [{_listed(form.leave_out)}]"
    yield f"missing = [{_listed(form.missing)}]"


def _constants(mapping: Mapping) -> Iterator[str]:
    if mapping.constants:
        yield "\n[constants]"
    yield from (f"{name} = {_value(value)}" for name, value in mapping.constants.items())


def _measures(sheet: RecognisedSheet) -> Iterator[str]:
    measured = [c for c in sheet.columns if c.canonical and (c.measure or c.means == FLAGS)]
    legs = [column for column in measured if column.canonical in leg_names() and not column.side]
    if sides := sheet.mapping.sides:
        yield "\n[sides]"
        yield f"column = {_text(sides.column)}"
        yield f"values = {_table(dict(sides.meanings))}"
    yield "\n[columns]"
    yield from (_entry(column) for column in measured if column not in legs)
    if legs and sheet.mapping.sides:
        yield "\n[legs]"
    yield from (_entry(column) for column in legs)


def _entry(column: RecognisedColumn) -> str:
    unit = column.proposal.unit if column.proposal else column.unit.name
    per_mass = column.proposal.per_body_mass if column.proposal else column.unit.per_body_mass
    entries = [f"column = {_text(column.reference)}", *([f"unit = {_text(unit)}"] if unit else [])]
    entries += ["per_body_mass = true"] if per_mass else []
    entries += ["opposite = true"] if column.opposite else []
    entries += ["decimal_comma = true"] if column.values.commas else []
    entries += [f"values = {_table(column.words)}"] if column.words else []
    entry = _open_or(column, f"{column.canonical} = {{ {', '.join(entries)} }}")
    if not isinstance(column.measure, Category):
        return entry
    known = {word.casefold() for word in column.words}
    unknown = [word for word in column.values.words if word.casefold() not in known]
    listed = _listed([word for word in unknown if not is_missing(word)])
    return text("sheet.proposal.words", entry=entry, words=listed) if listed else entry


def _open_or(column: RecognisedColumn, line: str) -> str:
    if column.question is None:
        return line
    return f"# {' '.join(column.question.split())}\n# {line}"


def _table(words: dict[str, str | int | float]) -> str:
    pairs = ", ".join(f"{_text(word)} = {_value(value)}" for word, value in words.items())
    return f"{{ {pairs} }}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(_text, words))


def _value(value: str | float) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    # JSON leaves the one control character as it is that TOML has escaped besides.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
