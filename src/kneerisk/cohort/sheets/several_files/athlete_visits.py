"""The visits of each athlete: rows of several files within some days of each other.

A row without a date holds for every visit, its tests for the latest one only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from kneerisk.cohort.sheets.cells.cell_text import is_missing
from kneerisk.cohort.sheets.file_parts import SheetUnmatched
from kneerisk.cohort.sheets.lexicon.vocabulary import DATE, leg_names
from kneerisk.cohort.sheets.several_files.parts_of_squad import (
    Part,
    Place,
    columns_meaning,
    days_in,
    unmatched_row,
)
from kneerisk.cohort.sheets.several_files.same_athlete import Person
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text


@dataclass(slots=True)
class Visit:
    """Rows of one athlete that are one visit."""

    person: Person
    day: date | None
    dated: Place | None
    rows: dict[int, int] = field(default_factory=dict)
    """The row of each file."""


class Visits:
    """The visits of each athlete, and the rows that are near none.

    Parameters
    ----------
    parts
        The files, as tidy tables.
    within_days
        Tests so many days from a visit belong to it.
    day_first
        What a person said of dates such as 03/04/2025.
    """

    def __init__(self, parts: Sequence[Part], within_days: int, day_first: bool | None) -> None:
        self._parts, self._window = parts, within_days
        self.unmatched: list[SheetUnmatched] = []
        self._days: list[list[date | None]] = []
        self.date_columns: list[int | None] = []
        self.is_open = False
        """Whether the dates of a file could be read in two ways."""
        self._undated: set[int] = set()
        for part in parts:
            dates = columns_meaning(part.tidy, DATE)
            self.date_columns.append(dates[0] if dates else None)
            days: list[date | None] = [None] * len(part.tidy.rows)
            if dates:
                days, is_open = days_in(part.tidy, dates[0], day_first)
                self.is_open |= is_open
            self._days.append(days)

    def of(self, person: Person) -> list[Visit]:
        """The visits of an athlete, in the order of the files."""
        by_part: dict[int, list[int]] = defaultdict(list)
        undated: list[Place] = []
        for number, row in person.rows:
            if self._days[number][row] is None:
                undated.append((number, row))
            else:
                by_part[number].append(row)
        visits: list[Visit] = []
        for number in sorted(by_part):
            self._place(person, number, by_part[number], visits)
        for number, row in sorted(undated):
            self._place_undated(person, number, row, visits)
        return visits

    def _place(self, person: Person, number: int, rows: list[int], visits: list[Visit]) -> None:
        """The nearest visit of each dated row; one that is near none is a visit itself."""
        days = self._days[number]
        near = sorted(
            (abs((visit.day - day).days), row, at)
            for row in rows if (day := days[row])
            for at, visit in enumerate(visits)
            if visit.day and abs((visit.day - day).days) <= self._window
        )  # fmt: skip
        placed: set[int] = set()
        for _, row, at in near:
            if row not in placed and number not in visits[at].rows:
                visits[at].rows[number] = row
                placed.add(row)
        is_first = not visits
        for row in rows:
            if row not in placed:
                visits.append(Visit(person, days[row], (number, row), {number: row}))
                if not is_first:
                    self._note("no_date_near", person, (number, row))

    def _place_undated(self, person: Person, number: int, row: int, visits: list[Visit]) -> None:
        free = [visit for visit in visits if number not in visit.rows]
        if not visits or not free:
            visits.append(Visit(person, None, None, {number: row}))
            return
        if len(visits) > 1 and self._has_tests(number, row):
            self._undated.add(number)
        for visit in free:
            visit.rows[number] = row

    def _has_tests(self, number: int, row: int) -> bool:
        tidy = self._parts[number].tidy
        return any(
            column.named.matches and column.named.matches[0].means in leg_names()
            and not is_missing(cell)
            for column, cell in zip(tidy.columns, tidy.rows[row].cells, strict=True)
        )  # fmt: skip

    def holds(self, visit: Visit, number: int, means: str | None, latest: date | None) -> bool:
        """Whether a value of a file belongs to a visit.

        Parameters
        ----------
        visit
            The visit.
        number
            The file.
        means
            What the value is: an undated test belongs to the latest visit only.
        latest
            The day of the athlete's latest visit.

        Returns
        -------
        bool
            Whether the visit has the value.
        """
        row = visit.rows.get(number)
        is_test = means in leg_names()
        if row is None or not is_test or self._days[number][row] or visit.day is None:
            return row is not None
        return visit.day == latest

    def _note(self, code: str, person: Person, at: Place) -> None:
        message = text("sheet.unmatched_date.none_near", days=self._window)
        self.unmatched.append(unmatched_row(self._parts, at, person.label, code, message))

    def notes(self) -> list[SheetNote]:
        """What was done with dates."""
        notes = []
        if sum(at is not None for at in self.date_columns) > 1:
            message = text("sheet.note.nearest_date", days=self._window)
            notes.append(SheetNote(code="nearest_date", message=message))
        for number in sorted(self._undated):
            part = self._parts[number]
            message = text("sheet.note.undated_tests", file=repr(part.sheet or part.file))
            notes.append(SheetNote(code="undated_tests", message=message))
        return notes
