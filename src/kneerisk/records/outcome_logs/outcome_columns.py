"""Which columns of an outcome log hold what, and what kind of log that makes it.

Names are matched whole, by `outcome_words.csv` (rows a language, to be added to), after the few
patterns that tell a questionnaire (`Knee_1` to `Knee_4`, `OSTRC_Q1`) or a list of codes. A file is
known by the columns that tell its kind, never by a whole heading.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, get_args

from kneerisk.cohort.sheets.cells.cell_dates import date_forms
from kneerisk.cohort.sheets.cells.cell_text import as_text
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.lexicon.folded_text import split_words
from kneerisk.cohort.sheets.lexicon.languages import words_of
from kneerisk.cohort.sheets.lexicon.vocabulary import ATHLETE, BIRTH, DATE, SIDE
from kneerisk.records.outcome_logs.outcome_events import LogKind
from kneerisk.records.outcome_logs.outcome_mapping import ColumnField

#: Names are looked for in the first lines only, and a longer one is a remark (assumptions).
_HEADING_WITHIN, _LONGEST_NAME = 10, 120
#: Words around the number of a question; what is left is the body part.
_OF_QUESTIONS = frozenset(
    {"q", "question", "item", "ostrc", "o", "o2", "h", "h2", "answer", "score"}
)
_SIDE_OF = {"left": "left", "l": "left", "right": "right", "r": "right"}
_QUESTIONS: tuple[Literal["q1", "q2", "q3", "q4"], ...] = ("q1", "q2", "q3", "q4")
#: What tells that a row is a case.
_TELLS_A_CASE = ("problem", "area", "code", "what", "onset", "end_date", "days_lost", "subsequent")
_HOW_LONG = ("training_minutes", "match_minutes", "minutes", "hours", "exposure")
_EMPTY = frozenset({"", "na", "n/a", "nan", "null", "-", "--", "#n/a", "<na>", "nat"})
#: A table of days in its heading has at least so many (assumption).
_FEWEST_DAYS = 3
#: A share of cells above which a column is what they show (assumption).
_MOSTLY = 0.5

_AS_IN_SHEETS: Mapping[str, ColumnField] = {
    ATHLETE: "athlete", DATE: "date", BIRTH: "born", SIDE: "side",
}  # fmt: skip

Row = tuple[int, list[str]]


class Questionnaire(NamedTuple):
    """The columns of four questions about one body part."""

    part: str
    """Empty where their names have none."""
    side: str | None
    places: tuple[int | None, ...]
    """The column of each of the four."""


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """A file as a table: its columns, what each holds, and its rows as texts."""

    name: str
    kind: LogKind
    names: Sequence[str]
    fields: Mapping[ColumnField, list[int]]
    rows: Sequence[Row]
    questionnaires: Sequence[Questionnaire] = ()
    days_in_heading: Sequence[int] = ()

    def cell(self, row: Sequence[str], field: ColumnField) -> str:
        """The first entry of a row in the columns of a field."""
        return next((row[at] for at in self.fields.get(field, ()) if row[at]), "")

    def column(self, field: ColumnField) -> list[str]:
        """Every entry of the columns of a field."""
        return [row[at] for at in self.fields.get(field, ()) for _, row in self.rows]

    def has(self, *fields: ColumnField) -> bool:
        """Whether a column holds one of these."""
        return any(field in self.fields for field in fields)


@cache
def _fields_by_name() -> dict[tuple[str, ...], ColumnField]:
    table = files(__package__).joinpath("outcome_words.csv").read_text(encoding="utf-8")
    known: dict[str, ColumnField] = {field: field for field in get_args(ColumnField)}
    by_name: dict[tuple[str, ...], ColumnField] = {}
    for row in csv.DictReader(table.splitlines()):
        for word in row["words"].split("|"):
            by_name.setdefault(tuple(split_words(word)), known[row["field"]])
    # What sheets of people call these, in twelve languages.
    for means, field in _AS_IN_SHEETS.items():
        for word in words_of(means):
            by_name.setdefault(tuple(split_words(word)), field)
    return by_name


def _field(name: str, stated: Mapping[str, ColumnField]) -> ColumnField | None:
    if name in stated:
        return stated[name]
    words = tuple(split_words(name)) if len(name) <= _LONGEST_NAME else ()
    if words[:1] in {("osiics",), ("osics",)}:
        return "code"
    if words[-1:] == ("total",) and len(words) == 2:
        return _fields_by_name().get(words, "total")
    return _fields_by_name().get(words)


def _questionnaires(
    names: Sequence[str], fields: Sequence[ColumnField | None]
) -> list[Questionnaire]:
    groups: dict[tuple[str, str | None], dict[int, int]] = {}
    for at, (name, field) in enumerate(zip(names, fields, strict=True)):
        if field in _QUESTIONS:
            groups.setdefault(("", None), {}).setdefault(int(str(field)[1]), at)
            continue
        words = split_words(name) if field is None and len(name) <= _LONGEST_NAME else []
        number = words[-1].removeprefix("q") if words else ""
        if number not in {"1", "2", "3", "4"}:
            continue
        rest = [word for word in words[:-1] if word not in _OF_QUESTIONS]
        if not rest and words[-1] == number and len(words) == 1:
            continue
        side = next((_SIDE_OF[word] for word in rest if word in _SIDE_OF), None)
        part = " ".join(word for word in rest if word not in _SIDE_OF)
        groups.setdefault((part, side), {}).setdefault(int(number), at)
    return [
        Questionnaire(part, side, tuple(map(places.get, (1, 2, 3, 4))))
        for (part, side), places in groups.items()
        if 1 in places and len(places) >= 3
    ]


def read_table(name: str, lines: Lines, stated: Mapping[str, ColumnField]) -> OutcomeTable | None:
    """A file's lines as a table of one kind of log.

    Parameters
    ----------
    name
        The file's name.
    lines
        Its lines that have an entry.
    stated
        What a person said of columns, by their names.

    Returns
    -------
    OutcomeTable or None
        None where it is no log of outcomes, of exposure or of players.
    """
    best: OutcomeTable | None = None
    for at, (_, cells) in enumerate(lines[:_HEADING_WITHIN]):
        names = [as_text(cell).strip() for cell in cells]
        table = _table(name, names, lines[at + 1 :], stated)
        if table and (best is None or _known(table) > _known(best)):
            best = table
    return best


def _known(table: OutcomeTable) -> int:
    return len(table.fields) + 4 * len(table.questionnaires)


def _table(
    name: str, names: Sequence[str], below: Lines, stated: Mapping[str, ColumnField]
) -> OutcomeTable | None:
    fields = [_field(one, stated) if one else None for one in names]
    rows = [(number, _texts(cells, len(names))) for number, cells in below]
    groups = _questionnaires(names, fields)
    _settle(fields, rows, [at for group in groups for at in group.places if at is not None])
    places: dict[ColumnField, list[int]] = {}
    for at, field in enumerate(fields):
        if field and field != "not_used":
            places.setdefault(field, []).append(at)
    days = [at for at, one in enumerate(names) if one and date_forms([one], True).share == 1.0]
    kind = _kind(places, groups, len(days))
    if kind is None:
        return None
    in_heading = days if kind == "exposure" and not any(f in places for f in _HOW_LONG) else ()
    return OutcomeTable(name, kind, names, places, rows, groups, in_heading)


def _texts(cells: Sequence[Any], width: int) -> list[str]:
    texts = [as_text(cell).strip() for cell in cells[:width]]
    texts = ["" if text.casefold() in _EMPTY else text for text in texts]
    return [*texts, *[""] * (width - len(texts))]


def _settle(fields: list[ColumnField | None], rows: Sequence[Row], asked: Sequence[int]) -> None:
    """Decide by its cells what a column holds whose name has several meanings."""
    for at, field in enumerate(fields):
        if at in asked:
            fields[at] = None
            continue
        filled = [row[at] for _, row in rows if row[at]]
        if not filled or field == "not_used":
            continue
        if field in {None, "what", "problem"} or field == "onset":
            if sum(cell.startswith("{") for cell in filled) > _MOSTLY * len(filled):
                fields[at] = "reports"
            elif field == "onset" and date_forms(filled, True).share > _MOSTLY:
                fields[at] = "onset_date"
        # `Type` is no field of ours, unless its cells are the reports of a day.


def _kind(
    fields: Mapping[ColumnField, list[int]], groups: Sequence[Questionnaire], days: int
) -> LogKind | None:
    if {"athlete", "start", "stop"} <= fields.keys():
        return "follow_up"
    has_day = "date" in fields
    if groups and has_day:
        return "check_ins"
    if "reports" in fields and has_day:
        return "daily_reports"
    is_case = any(field in fields for field in _TELLS_A_CASE)
    if "onset_date" in fields or (has_day and is_case):
        return "cases"
    if has_day and any(field in fields for field in _HOW_LONG):
        return "exposure"
    if "athlete" in fields and days >= _FEWEST_DAYS:
        return "exposure"
    is_player = "athlete" in fields and (
        "born" in fields or "consent" in fields or "team" in fields
    )
    return "players" if is_player else None
