"""A file with a row for each test, as one row for each athlete and date.

The test, its direction, position and speed tell the measure (`device_tests`); a test that the table
does not know goes through the same recognition of names as a heading of any other sheet.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.device_exports.device_tests import words_of
from kneerisk.cohort.sheets.device_exports.export_columns import (
    ExportColumns,
    Layout,
    ValueColumn,
    export_columns,
    greatest_first,
    layout_of,
    name_words,
    quantity_in,
)
from kneerisk.cohort.sheets.device_exports.export_notes import export_notes
from kneerisk.cohort.sheets.device_exports.isokinetic_columns import share_asked, share_units
from kneerisk.cohort.sheets.device_exports.read_tests import (
    KIND_ORDER,
    ColumnKey,
    DoneTest,
    ReadTest,
    column_key,
    done_test,
    of_one_position,
    read_test,
    with_codes,
)
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    TidyColumn,
    TidyRow,
    TidyTable,
    Trial,
    certain,
    day_of,
    has_commas,
    is_word,
    one_of,
    refuse_too_large,
)
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, DATE, MASS, athlete_key, sides
from kneerisk.cohort.sheets.rows.headings import Heading, Table
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.words import variant

#: A name this alike says what was tested (the likeness from which a column's name is likely).
_LIKELY = 0.8
#: So many different tests are read, the commonest of a file, and so many that have no measure get
#: a column (assumptions: a lab does fewer, more help nobody).
_MOST_TESTS, _MOST_WITHOUT = 200, 24


def tests_in_rows(heading: Heading, table: Table) -> TidyTable | None:
    """A file with a row for each test, as one row for each athlete and date.

    Parameters
    ----------
    heading
        The names of its columns.
    table
        Its rows.

    Returns
    -------
    TidyTable or None
        None where rows are no tests.
    """
    found = export_columns(heading)
    layout = layout_of(heading.names)
    export = _Export(heading, table, found, layout)
    if layout is None and not export.has_known_tests():
        return None
    return export.tidy()


class _Export:
    """An export while it is put together to rows of athletes and dates."""

    def __init__(
        self, heading: Heading, table: Table, found: ExportColumns, layout: Layout | None
    ) -> None:
        self._heading, self._table, self._found = heading, table, found
        self._layout = layout
        self._force_unit = layout.force_unit if layout else None
        self._values = greatest_first(found)
        meanings = heading.meanings
        self._masses = {
            at for at in found.others if [m.means for m in meanings[at].matches[:1]] == [MASS]
        }
        self._share_units = share_units(
            heading, [row[v.at] for v in self._values if v.quantity == "torque_share"
                      for row in table.rows]
        )  # fmt: skip
        tests = [done_test(row, found) for row in table.rows]
        common = [done for done, _ in Counter(tests).most_common(_MOST_TESTS)]
        coded = with_codes(common, heading.languages)
        self._tests = [coded.get(done, done) for done in tests]
        self._count = Counter(self._tests)
        self._used_lines: set[int] = set()
        self._loaded: list[int] = []
        self._own: list[int] = []

    def has_known_tests(self) -> bool:
        """Whether a column names tests that have a measure, beside one of their values."""
        if not self._found.of("test") or not self._found.values:
            return False
        return any(self._is_known(done) for done, _ in self._count.most_common(_MOST_TESTS))

    def _is_known(self, done: DoneTest) -> bool:
        named = [self._read(column_key(done, value)).named for value in self._values]
        return any(one.matches and one.matches[0].likeness >= _LIKELY for one in named)

    def _read(self, key: ColumnKey) -> ReadTest:
        done, value = key
        unit = value.unit or done.unit
        if value.quantity == "force" and unit is None:
            unit = self._force_unit
        quantity = value.quantity if value.quantity != "any" else quantity_in(unit)
        if quantity == "torque_share":
            unit = self._share_units[0]
        read = read_test(done, quantity, unit, value.side or done.side, value.direction)
        if value.own_leg and not read.named.side:
            read = read._replace(named=read.named._replace(own_leg=value.own_leg))
        return share_asked(read, self._share_units) if quantity == "torque_share" else read

    def tidy(self) -> TidyTable:
        """One row for each athlete and date, with a column for each test of each leg."""
        groups = self._groups()
        self._own = self._of_athletes(groups)
        people = self._people(groups)
        trials = self._trials(groups)
        reads = self._chosen({key: self._read(key) for key in trials})
        kept = self._with_columns(reads)
        columns = self._people_columns()
        refuse_too_large(len(columns) + len(kept), len(people))
        commas = has_commas([[t.cell for own in trials[k].values() for t in own] for k in kept])
        for (key, read), comma in zip(kept.items(), commas, strict=True):
            columns.append(self._column(key, read))
            for group, row in enumerate(people):
                own = trials[key].get(group, [])
                cell, lines = one_of(own, read.named, commas=comma)
                self._used_lines.update(trial.line for trial in own)
                row.cells.append(cell)
                row.sources.append(lines)
        layout = variant("sheet.layout", self._layout.name if self._layout else "tests_in_rows")
        return TidyTable(layout, columns, people, self._notes(reads, kept))

    def _of_athletes(self, groups: Sequence[int]) -> list[int]:
        """Unknown columns that tell the same in all rows of an athlete and day, such as an outcome.

        A number is the device's, unless it is a yes or no.
        """
        places = []
        for at in self._found.unused:
            told: dict[int, Any] = {}
            rows = zip(groups, self._table.rows, strict=True)
            cells = [(group, row[at]) for group, row in rows if row[at] != ""]
            if cells and all(
                told.setdefault(group, cell) == cell and is_word(cell) for group, cell in cells
            ):
                places.append(at)
        return places

    def _trials(self, groups: Sequence[int]) -> dict[ColumnKey, dict[int, list[Trial]]]:
        """The entries of each test and leg, by the place of the athlete and date."""
        trials: dict[ColumnKey, dict[int, list[Trial]]] = defaultdict(lambda: defaultdict(list))
        read = {done for done, _ in self._count.most_common(_MOST_TESTS)}
        rows = zip(self._table.lines, self._table.rows, self._tests, groups, strict=True)
        for line, row, done, group in rows:
            if done in read:
                for value in self._values:
                    if not is_missing(row[value.at]):
                        trials[column_key(done, value)][group].append(Trial(row[value.at], line))
        return trials

    def _with_columns(self, reads: dict[ColumnKey, ReadTest]) -> dict[ColumnKey, ReadTest]:
        """The tests that get a column: of those without a measure only some."""
        without = [key for key, read in reads.items() if not read.named.matches]
        left_out = set(without[_MOST_WITHOUT:])
        return {key: read for key, read in reads.items() if key not in left_out}

    def _column(self, key: ColumnKey, read: ReadTest) -> TidyColumn:
        done, value = key
        name = self._heading.names[value.at]
        label = f"{done.label}: {name}"
        if not value.side and not value.own_leg:
            leg = done.side
            leg = None if words_of(done.label) & set(sides()) else leg
            label = " ".join(filter(None, [done.label, leg]))
            label += f" ({read.named.unit})" if read.named.unit else f": {name}"
        asked = read.question.format(name=repr(label)) if read.question else None
        return TidyColumn(label, read.named, read.why, asked, read.protocol, read.other_units)

    def _chosen(self, reads: dict[ColumnKey, ReadTest]) -> dict[ColumnKey, ReadTest]:
        """Of each test, leg and measure the quantity that is nearest to it; the rest is told."""
        best: dict[tuple[Any, ...], ColumnKey] = {}
        has_measure = {(k.done, k.value.leg) for k, r in reads.items() if r.named.matches}
        ranked = sorted(reads, key=lambda key: self._rank(key.value))
        for key in ranked:
            read = reads[key]
            means = read.named.matches[0].means if read.named.matches else None
            if means is None and (key.done, key.value.leg) in has_measure:
                continue
            best.setdefault((key.done, key.value.leg, key.value.direction, means), key)
        chosen = of_one_position(set(best.values()), reads)
        return {key: read for key, read in reads.items() if key in chosen}

    def _rank(self, value: ValueColumn) -> int:
        # A torque still to be divided comes after a share of body weight that needs no division.
        is_divided = value.quantity == "torque" and not self._masses
        return KIND_ORDER.index("torque_share" if is_divided else value.quantity) + is_divided

    def _groups(self) -> list[int]:
        """The place of each row's athlete and date among all of them."""
        order: dict[tuple[str, ...], int] = {}
        groups: list[int] = []
        for row in self._table.rows:
            who = tuple(athlete_key(as_text(row[at])) for at in self._found.of("athlete"))
            when = tuple(as_text(day_of(row[at])) for at in self._found.of("date")[:1])
            groups.append(order.setdefault((*who, *when), len(order)))
        return groups

    def _people(self, groups: Sequence[int]) -> list[TidyRow]:
        members: dict[int, list[int]] = defaultdict(list)
        for at, group in enumerate(groups):
            members[group].append(at)
        return [self._person(rows) for rows in members.values()]

    def _person(self, rows: list[int]) -> TidyRow:
        row = TidyRow([], [])
        for at in self._people_places():
            named = self._heading.meanings[at]
            own = [Trial(day_of(self._table.rows[r][at]), self._table.lines[r]) for r in rows
                   if not (at in self._masses and self._carries_load(r))]  # fmt: skip
            if at in self._masses:
                self._used_lines.update(trial.line for trial in own if not is_missing(trial.cell))
            cell, source = one_of(own, named, commas=False)
            row.cells.append(cell)
            row.sources.append(source)
        return row

    def _carries_load(self, row: int) -> bool:
        """Whether the plate weighed more than the athlete."""
        loads = [at for at in self._found.unused
                 if {"additional", "load"} <= set(name_words(self._heading.names[at]))]  # fmt: skip
        carries = any(as_text(self._table.rows[row][at]) not in {"", "0", "0.0"} for at in loads)
        if carries:
            self._loaded.append(self._table.lines[row])
        return carries

    def _people_places(self) -> list[int]:
        """The columns that tell of the athlete and the day, in the file's order."""
        found = self._found
        return sorted([*found.of("athlete"), *found.of("date")[:1], *found.others, *self._own])

    def _people_columns(self) -> list[TidyColumn]:
        meanings: dict[int, Named] = {at: certain(ATHLETE) for at in self._found.of("athlete")}
        meanings |= {at: certain(DATE) for at in self._found.of("date")[:1]}
        return [
            TidyColumn(self._heading.names[at], meanings.get(at, self._heading.meanings[at]))
            for at in self._people_places()
        ]

    def _notes(
        self, reads: dict[ColumnKey, ReadTest], kept: dict[ColumnKey, ReadTest]
    ) -> list[SheetNote]:
        used = {key.value.at for key in kept}
        used |= {*self._people_places(), *self._found.of_tests()}
        names = self._heading.names
        unused = [names[at] for at in range(len(names)) if at not in used and names[at]]
        empty = [line for line in self._table.lines if line not in self._used_lines]
        dropped = {key.done.label: None for key, read in reads.items() if not read.named.matches}
        dropped |= {done.label: None for done, _ in self._count.most_common()[_MOST_TESTS:]}
        return export_notes(
            {"tests_without_measure": list(dropped), "columns_of_the_device": unused},
            {"tests_without_value": empty, "weighed_with_load": sorted(set(self._loaded))},
        )
