"""Which worksheets of a workbook are of one squad, and what the others are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.lexicon.vocabulary import DATE, athlete_key, leg_names
from kneerisk.cohort.sheets.several_files.logs_of_squad import (
    OpenedTable,
    log_part,
    screened_dates,
)
from kneerisk.cohort.sheets.several_files.parts_of_squad import Part, columns_meaning
from kneerisk.cohort.sheets.several_files.same_athlete import who_in
from kneerisk.cohort.sheets.training_logs.log_columns import LogLayout, find_layout
from kneerisk.errors import CohortRefused


class Workbook(NamedTuple):
    """The worksheets of a workbook, by what becomes of them."""

    parts: list[Part]
    """Tables of the same athletes that do not contradict each other."""
    apart: list[Part]
    """Tables that name others, nobody, or contradict the rest."""
    others: list[str]
    """The titles of those, and of worksheets that are no table."""
    logs: list[tuple[OpenedTable, LogLayout]]
    """Training logs."""
    athletes: set[str]
    """Every key of the athletes of `parts`."""
    day_first: bool | None
    """What a person said of dates such as 03/04/2025."""


def worksheets_of_squad(
    tables: Sequence[OpenedTable],
    titled: Callable[[OpenedTable], Part],
    day_first: bool | None,
) -> Workbook:
    """Sort the worksheets of a workbook.

    Parameters
    ----------
    tables
        Its worksheets.
    titled
        What reads one of them.
    day_first
        What a person said of dates such as 03/04/2025.

    Returns
    -------
    Workbook
        Each worksheet once.
    """
    book = Workbook([], [], [], [], set(), day_first)
    known: dict[tuple[str, Any], str] = {}
    for table in tables:
        layout = find_layout(table.lines)
        if layout is not None:
            book.logs.append((table, layout))
            continue
        try:
            part = titled(table)
        except CohortRefused:
            book.others.append(table.title)
            continue
        own = {key for who in who_in(part, None) for key in who.ids | who.names}
        told, alike = _told(part), len(own & book.athletes)
        is_alike = not book.parts or 2 * alike >= min(len(own), len(book.athletes))
        if not own or not is_alike or any(known.get(k, v) != v for k, v in told.items()):
            book.others.append(table.title)
            book.apart.append(part)
            continue
        book.parts.append(part)
        known |= told
        book.athletes.update(own)
    return book


def with_logs_of(book: Workbook) -> tuple[list[Part], list[str]]:
    """The parts of a workbook with the loads of its logs, and the titles of all other worksheets.

    Parameters
    ----------
    book
        Its worksheets. A log that no athlete of theirs can be told of is one of the others.

    Returns
    -------
    tuple
        The tables to be joined, and the titles of what is not.
    """
    parts, others = list(book.parts), list(book.others)
    screened = screened_dates(parts, book.day_first)
    for table, layout in book.logs:
        names_people = layout.of("athlete", "name") or athlete_key(table.title) in book.athletes
        if screened and names_people:
            parts.append(log_part(table, layout, screened=screened, day_first=book.day_first))
        else:
            others.append(table.title)
    return parts, others


def _told(part: Part) -> dict[tuple[str, Any], str]:
    """What a table says of each athlete and day, so that two that differ are not joined."""
    tidy = part.tidy
    dates = columns_meaning(tidy, DATE)
    told: dict[tuple[str, Any], str] = {}
    for row, who in zip(tidy.rows, who_in(part, None), strict=True):
        day = as_text(row.cells[dates[0]]) if dates else ""
        whose = min(who.ids | who.names, default="")
        for column, cell in zip(tidy.columns, row.cells, strict=True):
            if column.named.matches and column.named.matches[0].means in leg_names():
                leg = column.named.side or column.named.own_leg
                key = (whose, (day, column.named.matches[0].means, leg))
                told |= {} if is_missing(cell) else {key: as_text(cell)}
    return told
