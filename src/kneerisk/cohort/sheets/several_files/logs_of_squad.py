"""A training log among a squad's files: each athlete's load at the dates of the others' tests.

Only sessions before a screening count, so a log is worked out once for each athlete and date that
another file names, and stands beside them as a table of loads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import PurePath
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    TidyColumn,
    TidyRow,
    TidyTable,
    certain,
)
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, DATE, athlete_key
from kneerisk.cohort.sheets.several_files.parts_of_squad import Part, columns_meaning, days_in
from kneerisk.cohort.sheets.several_files.same_athlete import who_in
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.cohort.sheets.training_logs.load import Load, lines_looked_at, load_at
from kneerisk.cohort.sheets.training_logs.log_answer import LogAsked, LogQuestion
from kneerisk.cohort.sheets.training_logs.log_columns import LogLayout, find_layout
from kneerisk.cohort.sheets.training_logs.read_log import people_of, waits
from kneerisk.cohort.sheets.training_logs.session_rows import read_sessions
from kneerisk.cohort.sheets.training_logs.sessions import FileSessions
from kneerisk.errors import CohortRefused
from kneerisk.schema import Quantity, columns
from kneerisk.words import text, variant

#: So many dates of one athlete are worked out (assumption: the visits of some years).
_MOST_DATES = 50


class _LoadAt(NamedTuple):
    """What a log says of an athlete at a screening."""

    athlete: str
    day: date
    load: Load
    lines: list[int]
    """Of the sessions that it may come from."""


class OpenedTable(NamedTuple):
    """A table of one of the files, before it is turned."""

    file: str
    sheet: str | None
    lines: Lines

    @property
    def title(self) -> str:
        """What names the table: its worksheet, or its file without the ending."""
        return self.sheet or PurePath(self.file).stem


def with_logs(
    tables: Sequence[OpenedTable],
    titled: Callable[[OpenedTable], Part],
    day_first: bool | None,
) -> list[Part]:
    """Each table of a squad; a training log is worked out at the dates of the others.

    Parameters
    ----------
    tables
        The tables of every file.
    titled
        What reads a table that is none.
    day_first
        What a person said of dates such as 03/04/2025.

    Returns
    -------
    list of Part
        In the order of the tables.
    """
    logs = {at: layout for at, one in enumerate(tables) if (layout := find_layout(one.lines))}
    parts = {at: titled(one) for at, one in enumerate(tables) if at not in logs}
    when = screened_dates(list(parts.values()), day_first)
    for at, layout in logs.items():
        parts[at] = log_part(tables[at], layout, screened=when, day_first=day_first)
    return [parts[at] for at in range(len(tables))]


def screened_dates(parts: Sequence[Part], day_first: bool | None) -> dict[str, list[date]]:
    """The dates at which other files have an athlete, by each key of theirs; `""` has all.

    Parameters
    ----------
    parts
        The other files.
    day_first
        What a person said of dates such as 03/04/2025.

    Returns
    -------
    dict
        The dates in order.
    """
    found: dict[str, set[date]] = defaultdict(set)
    for part in parts:
        for place in columns_meaning(part.tidy, DATE)[:1]:
            days, _ = days_in(part.tidy, place, day_first)
            for who, day in zip(who_in(part, day_first), days, strict=True):
                for key in (*who.ids, *who.names, ""):
                    if day is not None:
                        found[key].add(day)
    return {key: sorted(days) for key, days in found.items()}


def log_part(
    table: OpenedTable,
    layout: LogLayout,
    *,
    screened: Mapping[str, Sequence[date]],
    day_first: bool | None,
) -> Part:
    """A training log as a table of loads.

    Parameters
    ----------
    table
        The log; where no column says whose it is, its name does.
    layout
        What its columns hold.
    screened
        The dates at which other files have each athlete.
    day_first
        What a person said of dates such as 03/04/2025.

    Returns
    -------
    Part
        One row for each athlete and date.

    Raises
    ------
    CohortRefused
        Where no other file has a date.
    """
    if not screened:
        raise CohortRefused(f"{table.file}: {text('training_log.no_screening')}")
    # Where other files have the same names, nobody has to say that they are athletes.
    names_people = _names_people(table, layout, screened)
    asked = LogAsked(day_first=day_first, athlete_column=names_people or None)
    found = read_sessions(table.lines, layout, asked, delimiter="")
    first_line = table.lines[layout.heading][0]
    loads = [
        _LoadAt(name or table.title, day, load_at(own, day), lines_looked_at(own, day))
        for name, own in people_of(found.sessions).values()
        for day in screened.get(athlete_key(name or table.title), screened[""][-1:])[-_MOST_DATES:]
    ]
    names = [name for name in columns() if any(name in one.load.values for one in loads)]
    heads = [TidyColumn(variant("training_log.field", "athlete"), certain(ATHLETE)),
             TidyColumn(text("sheet.layout.date_column"), certain(DATE)),
             *(_column(name, found.questions) for name in names)]  # fmt: skip
    rows = [_row(one, names) for one in loads]
    layout_name = variant("training_log.maker", layout.maker)
    tidy = TidyTable(layout_name, heads, rows, list(_notes(found, loads)))
    return Part(table.file, table.sheet, tidy, [first_line] * len(rows))


def _names_people(
    table: OpenedTable, layout: LogLayout, screened: Mapping[str, Sequence[date]]
) -> bool:
    places = [column.place for column in layout.of("athlete", "name")[:1]]
    cells = (as_text(row[at]) for _, row in table.lines[layout.heading + 1 :]
             for at in places if at < len(row))  # fmt: skip
    return any(athlete_key(cell) in screened for cell in cells if cell)


def _column(name: str, questions: Sequence[LogQuestion]) -> TidyColumn:
    measure = columns()[name]
    unit = measure.unit if isinstance(measure, Quantity) else None
    asked = next((one for one in questions if waits(name, one.name)), None)
    question = None
    if asked:
        # Yes reads them as they were read: in the likeliest way.
        label = asked.choices[0].label
        for choice in asked.choices:
            label = choice.label if choice.ask == asked.proposal else label
        question = text("training_log.asked_of_squad", question=asked.question, choice=label)
    named = Named((Match(name, 1.0),), None, unit)
    return TidyColumn(measure.label, named, measure.protocol, question)


def _row(one: _LoadAt, names: Sequence[str]) -> TidyRow:
    values: list[Any] = [one.athlete, one.day.isoformat()]
    for measure in names:
        value = one.load.values.get(measure)
        is_told = value is not None and value.is_covered
        values.append(round(value.value, 2) if value is not None and is_told else "")
    lines = tuple(one.lines)
    return TidyRow(values, [lines if cell != "" else () for cell in values])


def _notes(found: FileSessions, loads: Sequence[_LoadAt]) -> Iterator[SheetNote]:
    for reason, lines in found.left_out.items():
        if lines:
            message = variant("training_log.left_out", reason)
            yield SheetNote(code=f"log_{reason}", message=message, lines=lines)
    later = sum(one.load.later > 0 for one in loads)
    short = [one for one in loads if any(not v.is_covered for v in one.load.values.values())]
    looked_at = {line for one in loads for line in one.lines}
    apart = [line for line in found.sessions.line.tolist() if line not in looked_at]
    useless = {line for one in loads if not one.load.values for line in one.lines}
    if useless:
        message = text("training_log.squad.useless")
        yield SheetNote(code="log_useless", message=message, lines=sorted(useless))
    if later:
        yield SheetNote(code="log_later", message=text("training_log.squad.later", count=later))
    if apart:
        message = text("training_log.squad.apart")
        yield SheetNote(code="log_apart", message=message, lines=sorted(apart))
    if short:
        message = text("training_log.squad.short", count=len(short))
        lines = sorted({line for one in short for line in one.lines})
        yield SheetNote(code="log_short", message=message, lines=lines)
