"""Several files of one squad as one table: a row for each athlete and visit.

Rows of one athlete within some days of each other are one visit; a row without a date holds for
every visit. What fits nowhere has a row of its own and is told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    NO_NAME,
    TidyColumn,
    certain,
    refuse_too_large,
)
from kneerisk.cohort.sheets.file_parts import Arrangement, SheetUnmatched
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, ATHLETE, BIRTH, DATE, SEX
from kneerisk.cohort.sheets.several_files.athlete_visits import Visit, Visits
from kneerisk.cohort.sheets.several_files.parts_of_squad import Part, columns_meaning
from kneerisk.cohort.sheets.several_files.same_athlete import Squad
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import text, variant

#: What stays the same from visit to visit.
_LASTING = (SEX, BIRTH, "height_cm", "sport")
#: An age is taken over to another visit of the same year (assumption: a year more changes little).
_SAME_AGE_DAYS = 365
#: So many are listed in a note (assumption: more help nobody).
_MOST_LISTED = 12


class Joined(NamedTuple):
    """The one table, and where each of its cells stood."""

    columns: list[TidyColumn]
    rows: list[list[Any]]
    sources: list[list[tuple[int, tuple[int, ...]] | None]]
    """Of each row, of each cell: the file and its lines."""
    unmatched: list[SheetUnmatched]
    notes: list[SheetNote]
    places: set[str]
    """Every row that a person may name."""


class _Slot(NamedTuple):
    """A column of the joined table, and the columns of the files that it is made of."""

    column: TidyColumn
    places: list[tuple[int, int]]


def joined(parts: Sequence[Part], how: Arrangement) -> Joined:
    """Several files of one squad as one table.

    Parameters
    ----------
    parts
        The files, as tidy tables that say whose their rows are.
    how
        The window of days, and what a person said of unmatched rows and of dates.

    Returns
    -------
    Joined
        A row for each athlete and visit, and everything that did not match.
    """
    squad = Squad(parts, how.same_athletes, how.day_first)
    visits = Visits(parts, how.within_days, how.day_first)
    found = [visit for person in squad.people for visit in visits.of(person)]
    table = _Table(parts, found, visits, squad.labels())
    unmatched = [*squad.unmatched, *visits.unmatched]
    notes = [*_without_rows(parts, squad), *visits.notes(), *table.notes()]
    return Joined(table.columns, table.rows, table.sources, unmatched, notes, squad.places)


def _without_rows(parts: Sequence[Part], squad: Squad) -> list[SheetNote]:
    """Athletes of other files whom a file does not have."""
    notes, labels = [], squad.labels()
    tables = Counter((part.file, part.sheet) for part in parts)
    for number, part in enumerate(parts):
        if tables[part.file, part.sheet] > 1:
            # Taken apart from one table: whoever lacks in one of them stands in another.
            continue
        lacking = [
            labels[id(p)] for p in squad.people if number not in {file for file, _ in p.rows}
        ]
        if lacking:
            more = len(lacking) - _MOST_LISTED
            listed = ", ".join(label[:60] for label in lacking[:_MOST_LISTED])
            listed += text("sheet.note.and_more", count=more) if more > 0 else ""
            name = repr(part.sheet or part.file)
            message = text("sheet.note.not_in_file", file=name, athletes=listed)
            notes.append(SheetNote(code="not_in_file", message=message))
    return notes


class _Table:
    """The joined table while it is filled."""

    def __init__(
        self, parts: Sequence[Part], visits: Sequence[Visit], of: Visits, labels: dict[int, str]
    ) -> None:
        self._parts, self._of, self._labels = parts, of, labels
        self._conflicts: dict[str, list[str]] = defaultdict(list)
        self._slots = _slots(parts, of.date_columns)
        has_dates = any(at is not None for at in of.date_columns)
        head = [TidyColumn(text("sheet.layout.athlete_column"), certain(ATHLETE))]
        if has_dates:
            name = text("sheet.layout.date_column")
            head.append(TidyColumn(name, certain(DATE), order_is_open=of.is_open))
        self.columns = [*head, *(slot.column for slot in self._slots)]
        refuse_too_large(len(self.columns), len(visits))
        self.rows: list[list[Any]] = []
        self.sources: list[list[tuple[int, tuple[int, ...]] | None]] = []
        latest: dict[int, date] = {}
        for visit in visits:
            if visit.day:
                own = latest.setdefault(id(visit.person), visit.day)
                latest[id(visit.person)] = max(own, visit.day)
        for visit in visits:
            self._add(visit, latest.get(id(visit.person)), has_dates=has_dates)
        self._carry(visits)

    def _add(self, visit: Visit, latest: date | None, *, has_dates: bool) -> None:
        cells: list[Any] = [self._labels[id(visit.person)]]
        sources: list[tuple[int, tuple[int, ...]] | None] = [None]
        if has_dates:
            cells.append(self._day(visit))
            sources.append(None)
        for slot in self._slots:
            named = slot.column.named
            means = named.matches[0].means if named.matches else None
            cell, source = self._cell(visit, slot, means, latest)
            cells.append(cell)
            sources.append(source)
        self.rows.append(cells)
        self.sources.append(sources)

    def _day(self, visit: Visit) -> Any:
        if visit.dated is None:
            return ""
        number, row = visit.dated
        at = self._of.date_columns[number]
        is_raw = self._of.is_open or visit.day is None
        return self._parts[number].tidy.rows[row].cells[at or 0] if is_raw else visit.day

    def _cell(
        self, visit: Visit, slot: _Slot, means: str | None, latest: date | None
    ) -> tuple[Any, tuple[int, tuple[int, ...]] | None]:
        found: list[tuple[Any, tuple[int, tuple[int, ...]]]] = []
        for number, at in slot.places:
            if self._of.holds(visit, number, means, latest):
                row = self._parts[number].tidy.rows[visit.rows[number]]
                if not is_missing(row.cells[at]):
                    found.append((row.cells[at], (number, row.sources[at])))
        if not found:
            return "", None
        if any(_differ(found[0][0], other) for other, _ in found[1:]):
            number, lines = found[1][1]
            self._conflicts[slot.column.name].append(f"{number + 1}:{lines[0] if lines else ''}")
        return found[0]

    def _carry(self, visits: Sequence[Visit]) -> None:
        """What lasts holds for an athlete's other visits, an age for those of the same year."""
        of_person: dict[int, list[int]] = defaultdict(list)
        for at, visit in enumerate(visits):
            of_person[id(visit.person)].append(at)
        for place, column in enumerate(self.columns):
            means = column.named.matches[0].means if column.named.matches else None
            if means in _LASTING or means == AGE:
                for rows in of_person.values():
                    self._carry_one(visits, rows, place, means == AGE)

    def _carry_one(
        self, visits: Sequence[Visit], rows: Sequence[int], place: int, is_age: bool
    ) -> None:
        known = [at for at in rows if self.rows[at][place] != ""]
        for at in (at for at in rows if known and at not in known):
            nearest = min(known, key=lambda other: _apart(visits[at], visits[other]))
            if not is_age or _apart(visits[at], visits[nearest]) <= _SAME_AGE_DAYS:
                self.rows[at][place] = self.rows[nearest][place]
                self.sources[at][place] = self.sources[nearest][place]

    def notes(self) -> list[SheetNote]:
        """What two files tell differently."""
        notes = []
        for column, places in self._conflicts.items():
            more = len(places) - _MOST_LISTED
            listed = ", ".join(places[:_MOST_LISTED])
            listed += text("sheet.note.and_more", count=more) if more > 0 else ""
            message = text("sheet.note.files_differ", column=repr(column), places=listed)
            notes.append(SheetNote(code="files_differ", message=message))
        return notes


def _apart(visit: Visit, other: Visit) -> int:
    return abs((visit.day - other.day).days) if visit.day and other.day else 0


def _differ(cell: Any, other: Any) -> bool:
    one, two = fold(as_text(cell)), fold(as_text(other))
    try:
        return one != two and float(one) != float(two)
    except ValueError:
        return one != two


def _slots(parts: Sequence[Part], date_columns: Sequence[int | None]) -> list[_Slot]:
    """The columns of all files; what certainly means the same is one."""
    slots: dict[Any, _Slot] = {}
    names: dict[str, int] = defaultdict(int)
    for number, part in enumerate(parts):
        left_out = {*columns_meaning(part.tidy, ATHLETE), date_columns[number]}
        for at, column in enumerate(part.tidy.columns):
            if at in left_out:
                continue
            key = _meaning(column) or (number, at)
            if key in slots and all(number != file for file, _ in slots[key].places):
                slots[key].places.append((number, at))
                continue
            if key in slots:
                key = (number, at)
            own = _second_date(column)
            label = part.sheet or part.file
            if names[fold(own.name)] and label:
                own = own._replace(name=f"{own.name} ({label})")
            names[fold(own.name)] += 1
            slots[key] = _Slot(own, [(number, at)])
    return list(slots.values())


def _second_date(column: TidyColumn) -> TidyColumn:
    """Another date than that of the tests stands for itself."""
    if column.named.matches and column.named.matches[0].means == DATE:
        return TidyColumn(column.name, NO_NAME, variant("sheet.test.left_out", "second_date"))
    return column


def _meaning(column: TidyColumn) -> Any:
    named = column.named
    if column.question or not named.matches or named.matches[0].likeness < 1:
        return None
    return (named.matches[0].means, named.side, named.own_leg, named.unit, column.protocol)
