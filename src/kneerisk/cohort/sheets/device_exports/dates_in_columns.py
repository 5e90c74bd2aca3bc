"""Headings that hold a date or the number of a trial: `KTW L 02.09.2024`, `SLR R trial 2`.

Dates become rows, one for each athlete and date. Of several trials the best or their mean counts,
as the measure's protocol says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from kneerisk.cohort.sheets.columns.column_names import (
    LONGEST_NAME,
    Named,
    beside_its_other,
    read_name,
)
from kneerisk.cohort.sheets.columns.own_legs import own_legs_of
from kneerisk.cohort.sheets.device_exports.tidy_table import (
    NO_NAME,
    TidyColumn,
    TidyRow,
    TidyTable,
    Trial,
    certain,
    has_commas,
    measure_of,
    one_of,
    refuse_too_large,
    takes_best,
)
from kneerisk.cohort.sheets.lexicon.leg_words import codes_of
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, DATE
from kneerisk.cohort.sheets.rows.headings import Heading, Table
from kneerisk.cohort.sheets.sheet_answer import SheetNote
from kneerisk.schema import leg_measures
from kneerisk.words import text, variant

#: A name this alike is likely a measure's (as in `questions`).
_LIKELY = 0.8
_DATE = re.compile(
    r"(?<!\d)(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2}))(?!\d)"
    r"(?:[ T]\d\d:\d\d(?::\d\d)?)?", re.ASCII
)  # fmt: skip
_TRIAL = re.compile(
    r"(?:(?<![^\W\d_])(?:trial|rep|attempt|try|versuch|essai|intento|ensayo|tentativa|prova|poging|"
    r"försök|forsøk|forsøg|yritys|próba|t|v|#|no|nr)[ ._]*)?(?<![\d.,])([1-9])(?![\d.,])",
    re.IGNORECASE,
)  # fmt: skip


def dates_in_columns(heading: Heading, table: Table, title: str | None = None) -> TidyTable | None:
    """A table with a column for each date or trial, as one row for each athlete and date.

    Parameters
    ----------
    heading
        The names of its columns.
    table
        Its rows.
    title
        What names the test where the headings are bare dates: the worksheet or the file.

    Returns
    -------
    TidyTable or None
        None where no heading holds a date or the number of a trial.
    """
    parts = [_split(name, _DATE) for name in heading.names]
    parts = [(stem or title or "", day) if day else ("", None) for stem, day in parts]
    stems = [stem for stem, day in parts if day]
    named = _read_stems([*stems, *(_split(stem, _TRIAL)[0] for stem in stems)], heading)
    dated = {
        at: (stem, day)
        for at, (stem, day) in enumerate(parts)
        if day and (_is_test(named[stem]) or _is_test(named[_split(stem, _TRIAL)[0]]))
    }
    if not dated:
        return _trials_in_columns(heading, table)
    return _Dated(heading, table, _without_trials(dated), named).tidy()


def _read_stems(stems: Sequence[str], heading: Heading) -> dict[str, Named]:
    """What headings say without their dates or numbers, beside each other: `KTW re`, `KTW li`."""
    unique = list(dict.fromkeys(stems))
    short = [stem[:LONGEST_NAME] for stem in unique]
    codes, legs = codes_of(short, heading.languages), own_legs_of(short)
    return {
        stem: beside_its_other(stem, leg) or read_name(stem, code)
        for stem, code, leg in zip(unique, codes, legs, strict=True)
    }


def _without_trials(dated: Mapping[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
    """Headings with a date and the number of a trial as those of the test: `KTW L 2 02.09.2024`."""
    numbers: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    bases = {at: _split(stem, _TRIAL) for at, (stem, _) in dated.items()}
    for at, (_, day) in dated.items():
        base, number = bases[at]
        if number is not None:
            numbers[base][day].add(number)
    counted = {
        base
        for base, days in numbers.items()
        if any(len(own) > 1 for own in days.values())
        and all(sorted(own) == [str(n) for n in range(1, len(own) + 1)] for own in days.values())
    }
    return {
        at: (bases[at][0] if bases[at][1] and bases[at][0] in counted else stem, day)
        for at, (stem, day) in dated.items()
    }


def holds_a_date(cell: Any) -> bool:
    """Whether a cell is a date: of Excel's, or written in figures."""
    if not isinstance(cell, str):
        return isinstance(cell, date)
    return len(cell) <= LONGEST_NAME and _DATE.fullmatch(cell.strip()) is not None


def _split(name: str, pattern: re.Pattern[str]) -> tuple[str, str | None]:
    """A heading without its date or number, and that."""
    match = pattern.search(name) if len(name) <= LONGEST_NAME else None
    if match is None:
        return name, None
    rest = f"{name[: match.start()]} {name[match.end() :]}"
    return " ".join(rest.replace("()", " ").replace("[]", " ").split()).strip(" -,;:_"), match[1]


def _is_test(named: Named) -> bool:
    matches = named.matches
    return bool(matches) and matches[0].likeness >= _LIKELY and matches[0].means not in {
        DATE, ATHLETE}  # fmt: skip


class _Dated:
    """A table with a column for each date while it is turned into rows."""

    def __init__(
        self,
        heading: Heading,
        table: Table,
        dated: Mapping[int, tuple[str, str]],
        named: Mapping[str, Named],
    ) -> None:
        self._heading, self._table, self._named = heading, table, named
        self._places: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for at, (stem, day) in dated.items():
            self._places[day][stem].append(at)
        self._stems = list(dict.fromkeys(stem for stem, _ in dated.values()))
        self._fixed = [at for at in range(len(heading.names)) if at not in dated]
        self._commas = any(has_commas([[row[at] for row in table.rows] for at in dated]))

    def tidy(self) -> TidyTable:
        """One row for each athlete and date that has an entry."""
        named = self._named
        width = len(self._fixed) + 1 + len(self._stems)
        rows: list[TidyRow] = []
        for line, cells in zip(self._table.lines, self._table.rows, strict=True):
            rows += self._rows(line, cells, named)
            refuse_too_large(width, len(rows))
        columns = [self._fixed_column(at) for at in self._fixed]
        columns.append(TidyColumn(text("sheet.layout.date_column"), certain(DATE)))
        columns += [TidyColumn(stem, named[stem]) for stem in self._stems]
        message = text("sheet.note.dates_in_columns", count=len(self._places))
        note = SheetNote(code="dates_in_columns", message=message)
        return TidyTable(variant("sheet.layout", "dates_in_columns"), columns, rows, [note])

    def _fixed_column(self, at: int) -> TidyColumn:
        named = self._heading.meanings[at]
        if named.matches and named.matches[0].means == DATE:
            why = text("sheet.test.dates_in_names")
            return TidyColumn(self._heading.names[at], NO_NAME, why)
        return TidyColumn(self._heading.names[at], named)

    def _rows(self, line: int, cells: Sequence[Any], named: Mapping[str, Named]) -> list[TidyRow]:
        fixed = [cells[at] for at in self._fixed]
        rows = []
        for day, by_stem in self._places.items():
            own = {
                stem: [Trial(cells[at], line) for at in by_stem.get(stem, []) if cells[at] != ""]
                for stem in self._stems
            }
            if any(own.values()):
                values = [
                    one_of(own[stem], named[stem], commas=self._commas)[0] for stem in self._stems
                ]
                rows.append(_row(line, [*fixed, day, *values]))
        return rows or [_row(line, [*fixed, "", *[""] * len(self._stems)])]


def _row(line: int, cells: list[Any]) -> TidyRow:
    return TidyRow(cells, [(line,) if cell != "" else () for cell in cells])


def _trials_in_columns(heading: Heading, table: Table) -> TidyTable | None:
    """Columns of the trials of one test as one column; None where there are none."""
    numbered = _numbered(heading)
    named = _read_stems(list(numbered), heading)
    series = _series(heading, numbered, named)
    if not series:
        return None
    of_series = {at for places in series.values() for at in places}
    first = {places[0]: stem for stem, places in series.items()}
    kept = [at for at in range(len(heading.names)) if at not in of_series or at in first]
    commas = {
        stem: comma
        for (stem, places), comma in zip(
            series.items(),
            has_commas([[row[at] for row in table.rows for at in p] for p in series.values()]),
            strict=True,
        )
    }
    columns, notes = [], []
    for at in kept:
        if at in first:
            column, note = _of_trials(first[at], series[first[at]], named[first[at]])
            columns.append(column)
            notes.append(note)
        else:
            columns.append(TidyColumn(heading.names[at], heading.meanings[at]))
    rows = [
        _row(line, [
            one_of([Trial(cells[p], line) for p in series[first[at]] if cells[p] != ""],
                   named[first[at]], commas=commas[first[at]])[0]
            if at in first else cells[at]
            for at in kept
        ])
        for line, cells in zip(table.lines, table.rows, strict=True)
    ]  # fmt: skip
    return TidyTable(variant("sheet.layout", "trials_in_columns"), columns, rows, notes)


def _of_trials(stem: str, places: Sequence[int], named: Named) -> tuple[TidyColumn, SheetNote]:
    code = "best_of_trials" if takes_best(measure_of(named)) else "mean_of_trials"
    message = variant("sheet.note.of_trials", code, column=repr(stem), count=len(places))
    return TidyColumn(stem, named), SheetNote(code=code, message=message)


def _numbered(heading: Heading) -> dict[str, dict[str, int]]:
    """The columns that have a number, by the rest of their names."""
    numbered: dict[str, dict[str, int]] = defaultdict(dict)
    for at, name in enumerate(heading.names):
        stem, number = _split(name, _TRIAL)
        if number is not None and number not in numbered[stem]:
            numbered[stem][number] = at
    return numbered


def _series(
    heading: Heading, numbered: Mapping[str, Mapping[str, int]], named: Mapping[str, Named]
) -> dict[str, list[int]]:
    """The columns of each test's trials, numbered from 1, unless it has its own."""
    whole = {
        (own.matches[0].means, own.side or own.own_leg)
        for at, own in enumerate(heading.meanings)
        if own.matches and own.matches[0].likeness >= 1
        and not any(at in places.values() for places in numbered.values())
    }  # fmt: skip
    return {
        stem: list(places.values())
        for stem, places in numbered.items()
        if _are_trials(named[stem], places, whole)
    }


def _are_trials(named: Named, places: Mapping[str, int], whole: set[tuple[str, Any]]) -> bool:
    if len(places) < 2 or sorted(places) != [str(n) for n in range(1, len(places) + 1)]:
        return False
    is_test = bool(named.matches) and named.matches[0].likeness >= _LIKELY
    if not is_test or named.matches[0].means not in leg_measures() or measure_of(named) is None:
        return False
    return (named.matches[0].means, named.side or named.own_leg) not in whole
