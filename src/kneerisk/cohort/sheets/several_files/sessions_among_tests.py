"""A sheet of a squad in which rows of a training log lie among those of tests.

It is taken apart into people, tests and sessions, which are then joined as three files would be: a
run is no visit, and its distance no weekly one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.columns.column_names import Named
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    AGE,
    ATHLETE,
    BIRTH,
    DATE,
    SEX,
    athlete_key,
    leg_names,
)
from kneerisk.cohort.sheets.rows.headings import Heading
from kneerisk.cohort.sheets.several_files.logs_of_squad import OpenedTable
from kneerisk.cohort.sheets.training_logs.log_columns import read_column
from kneerisk.words import text

#: What a session is known by, and what else is told of one.
_LENGTHS = frozenset({"distance", "runs", "duration", "moving"})
_OF_SESSIONS = _LENGTHS | {"sport", "title", "cadence", "activity", "exposure"}
#: What stays the same from visit to visit.
_LASTING = frozenset({AGE, SEX, BIRTH, "height_cm", "level", "training_years"})
#: So many days with a session make a log of an athlete's rows, and this share of the sessions is on
#: rows without a test (assumptions: visits are fewer, and each has its tests).
_LEAST_DAYS, _LEAST_APART = 2, 0.5


class _Places(NamedTuple):
    """The columns of a sheet, by what they are about."""

    who: list[int]
    day: int
    lasting: list[int]
    sessions: list[int]
    lengths: list[int]
    tests: list[int]


def sessions_apart(table: OpenedTable, heading: Heading) -> list[OpenedTable] | None:
    """The people, the tests and the sessions of a sheet as tables of their own.

    Parameters
    ----------
    table
        The sheet.
    heading
        The names of its columns.

    Returns
    -------
    list of OpenedTable or None
        With the lines of the sheet; None where no sessions lie among its rows.
    """
    places = _places(heading)
    if places is None:
        return None
    rows = [(n, [*row, *[""] * len(heading.names)]) for n, row in table.lines
            if n > heading.lines[-1]]  # fmt: skip
    sessions = [one for one in rows if _is_filled(one[1], places.lengths)]
    tests = [one for one in rows if _is_filled(one[1], places.tests)]
    if not _are_a_log(sessions, tests, places):
        return None
    own = {line for line, _ in (*sessions, *tests)}
    people = _people(rows, own, places)
    parts = (
        (people, places.lasting),
        (tests, [places.day, *places.tests]),
        (sessions, [places.day, *places.sessions]),
    )
    return [
        table._replace(lines=list(_lines(heading, places.who, kept, taken)))
        for taken, kept in parts
        if taken
    ]


def _people(rows: Lines, own: set[int], places: _Places) -> Lines:
    """What stays the same of each athlete, once; a row that says another thing stays."""
    told: dict[str, list[Any]] = {}
    kept: Lines = []
    for line, row in rows:
        name = athlete_key(_name(row, places.who))
        facts = [row[at] for at in places.lasting]
        before = told.get(name)
        is_repeated = before is not None and line in own and all(
            is_missing(fact) or as_text(fact) == as_text(known)
            for fact, known in zip(facts, before, strict=True)
        )  # fmt: skip
        if not is_repeated and (line not in own or _is_filled(row, places.lasting)):
            told.setdefault(name, facts)
            kept.append((line, row))
    return kept


def _places(heading: Heading) -> _Places | None:
    means = [_means(named) for named in heading.meanings]
    who = [at for at, meaning in enumerate(means) if meaning == ATHLETE]
    days = [at for at, meaning in enumerate(means) if meaning == DATE]
    if not who or len(days) != 1:
        return None
    fields = {
        at: column.field
        for at, name in enumerate(heading.names)
        if at not in (*who, *days) and means[at] not in leg_names() | dict.fromkeys(_LASTING)
        and (column := read_column(at, name)).field in _OF_SESSIONS
    }  # fmt: skip
    lasting = [at for at, meaning in enumerate(means) if meaning in _LASTING]
    others = {*who, *days, *fields, *lasting}
    tests = [at for at, name in enumerate(heading.names) if at not in others and name]
    lengths = [at for at, field in fields.items() if field in _LENGTHS]
    return _Places(who, days[0], lasting, list(fields), lengths, tests) if lengths else None


def _means(named: Named) -> str | None:
    first = named.matches[0] if named.matches else None
    return first.means if first and first.likeness == 1.0 else None


def _is_filled(row: Sequence[Any], places: Sequence[int]) -> bool:
    return any(not is_missing(row[at]) for at in places)


def _are_a_log(sessions: Lines, tests: Lines, places: _Places) -> bool:
    if not any(not is_missing(row[places.day]) for _, row in tests):
        return False
    tested = {line for line, _ in tests}
    apart = sum(line not in tested for line, _ in sessions)
    if not apart or apart < _LEAST_APART * len(sessions):
        return False
    days: dict[str, set[str]] = defaultdict(set)
    for _, row in sessions:
        if not is_missing(row[places.day]):
            days[athlete_key(_name(row, places.who))].add(as_text(row[places.day]))
    return any(len(own) >= _LEAST_DAYS for own in days.values())


def _name(row: Sequence[Any], who: Sequence[int]) -> str:
    return " ".join(filter(None, (as_text(row[at]) for at in who)))


def _lines(
    heading: Heading, who: Sequence[int], kept: Sequence[int], rows: Lines
) -> Iterator[tuple[int, list[Any]]]:
    """The names and the rows of some columns, with who they are of in the first one."""
    first = heading.names[who[0]] if len(who) == 1 else text("sheet.layout.athlete_column")
    yield heading.lines[-1], [first, *(heading.names[at] for at in kept)]
    for line, row in rows:
        yield line, [_name(row, who), *(row[at] for at in kept)]
