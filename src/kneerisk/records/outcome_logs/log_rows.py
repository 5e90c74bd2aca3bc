"""The rows of one outcome log: whose each is, on which day, of which knee, and what is asked."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from kneerisk.cohort.sheets.cells.cell_dates import date_forms, parse_day
from kneerisk.cohort.sheets.lexicon.folded_text import fold, split_words
from kneerisk.cohort.sheets.lexicon.vocabulary import SIDE, answers, athlete_key, sides
from kneerisk.cohort.sheets.training_logs.log_answer import LogChoice
from kneerisk.records.outcome_logs.outcome_columns import OutcomeTable
from kneerisk.records.outcome_logs.outcome_events import KneeSide, OutcomeFile, OutcomeQuestion
from kneerisk.records.outcome_logs.outcome_mapping import ColumnField, OutcomeMapping
from kneerisk.words import variant

_DATES: tuple[ColumnField, ...] = ("date", "onset_date", "end_date", "start", "stop", "born")
#: A name of a column of ids, among several that name an athlete.
_ID = frozenset({"id", "code", "no", "number", "nr", "uuid", "record"})
#: So long a word is told, and so many answers to words (assumptions: more is no list of words).
_LONGEST_WORD, _MOST_CHOICES = 30, 40
SIDES: tuple[KneeSide, ...] = ("left", "right", "both", "unknown")
Beginning = Literal["gradual", "traumatic"]


@cache
def words_for(means: str) -> tuple[tuple[str, ...], ...]:
    """The folded words of each phrase that means something, in all languages."""
    table = files(__package__).joinpath("problem_words.csv").read_text(encoding="utf-8")
    return tuple(
        tuple(split_words(phrase))
        for row in csv.DictReader(table.splitlines())
        if row["means"] == means
        for phrase in row["words"].split("|")
    )


def says(cell: str, means: str) -> bool:
    """Whether a cell has one of the phrases that mean something among its words."""
    own = split_words(cell)
    return any(
        own[at : at + len(phrase)] == list(phrase)
        for phrase in words_for(means)
        for at in range(len(own) - len(phrase) + 1)
    )


def without_phrases(words: Sequence[str], means: str) -> list[str]:
    """Words without the phrases among them that mean something, the longest taken first."""
    rest = [*words]
    for phrase in sorted(words_for(means), key=len, reverse=True):
        at = 0
        while at + len(phrase) <= len(rest):
            if tuple(rest[at : at + len(phrase)]) == phrase:
                del rest[at : at + len(phrase)]
            else:
                at += 1
    return rest


def side_named(cell: str) -> KneeSide | None:
    """The side that words of a text name; a lone letter in it is no side."""
    named = {sides()[word] for word in split_words(cell) if len(word) > 2 and word in sides()}
    if len(named) == 2:
        return "both"
    return next(iter(named), None)


def is_word(cell: str, means: str) -> bool:
    """Whether a cell is one of the phrases that mean something."""
    return tuple(split_words(cell)) in words_for(means)


def number_in(cell: str) -> float | None:
    """The number that a cell shows; None where it is none."""
    try:
        value = float(cell.replace(",", ".")) if len(cell) <= 20 else float("nan")
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None


class LogRows:
    """One file while its rows are read.

    Parameters
    ----------
    table
        The file.
    mapping
        What a person said.
    """

    def __init__(self, table: OutcomeTable, mapping: OutcomeMapping) -> None:
        self.table, self.mapping = table, mapping
        self.file = OutcomeFile(name=table.name, kind=table.kind, rows=len(table.rows))
        self.file.columns = {
            table.names[at]: field for field, places in table.fields.items() for at in places
        }
        self.questions: dict[str, OutcomeQuestion] = {}
        self.renamed: Mapping[str, str] = {}
        self.without_consent: frozenset[str] = frozenset()
        self._sides = {athlete_key(name): side for name, side in mapping.sides.items()}
        self.raw = self._athletes()

    def _athletes(self) -> list[str]:
        """The id of each row as the file has it."""
        places = self.table.fields.get("athlete", [])
        by_id = [at for at in places if _ID & set(split_words(self.table.names[at]))]
        used = by_id[:1] or places
        whole = self.mapping.file_athletes.get(self.table.name, self.mapping.athlete) or ""
        if not used:
            if not whole:
                self.ask("athlete")
            return [whole] * len(self.table.rows)
        found = [" ".join(row[at] for at in used if row[at]) for _, row in self.table.rows]
        found = [name or whole for name in found]
        return self._by_team(found) if self.table.has("team") else found

    def _by_team(self, found: list[str]) -> list[str]:
        teams = [self.table.cell(row, "team") for _, row in self.table.rows]
        of: dict[str, set[str]] = {}
        for name, team in zip(found, teams, strict=True):
            of.setdefault(athlete_key(name), set()).add(fold(team))
        if self.mapping.ids_by_team:
            return [f"{t}/{n}" if t and n else n for n, t in zip(found, teams, strict=True)]
        if self.mapping.ids_by_team is None and any(len(own) > 1 for own in of.values()):
            self.ask("ids_by_team", {"one_person": False, "several_people": True})
        return found

    def athlete(self, at: int) -> str:
        """Whose the row is, as all files call them; empty where it does not say."""
        return self.renamed.get(self.raw[at], self.raw[at])

    def whose(self, at: int) -> str:
        """Whose the row is; empty where it is left out, which is noted."""
        athlete = self.athlete(at)
        if not athlete or athlete in self.without_consent:
            self.file.leave_out("no_consent" if athlete else "no_athlete", self.table.rows[at][0])
            return ""
        return athlete

    # -- what is asked ---------------------------------------------------------------------------

    def ask(self, name: str, labels: Mapping[str, object] | None = None) -> None:
        """Ask once what the file does not say; each answer has what the mapping takes."""
        if name not in self.questions:
            self.questions[name] = OutcomeQuestion(
                name=name,
                question=variant("outcome_log.ask", name, file=self.table.name),
                why=variant("outcome_log.why", name),
                choices=[
                    LogChoice(label=variant("outcome_log.choice", label), ask={name: value})
                    for label, value in (labels or {}).items()
                ],
            )

    def ask_word(self, name: str, word: str, meanings: Sequence[str]) -> None:
        """Ask what a word of the file stands for; each of some words once.

        Parameters
        ----------
        name
            The table of the mapping that tells it.
        word
            The word.
        meanings
            What it may stand for.
        """
        self.ask(name)
        asked = self.questions[name]
        if len(word) > _LONGEST_WORD or len(asked.choices) >= _MOST_CHOICES:
            return
        choices = [
            LogChoice(label=f"{word} = {meaning}", ask={name: {word: meaning}})
            for meaning in meanings
        ]
        if choices[0] not in asked.choices:
            new = {"choices": [*asked.choices, *choices]}
            self.questions[name] = asked.model_copy(update=new)

    # -- days ------------------------------------------------------------------------------------

    def days(self, field: ColumnField) -> list[date | None]:
        """The day of each row in a column; its form is decided over all of it."""
        cells = self.table.column(field)
        if not cells:
            return [None] * len(self.table.rows)
        formats = self.formats(cells)
        return [parse_day(self.table.cell(row, field), formats) for _, row in self.table.rows]

    def formats(self, cells: Sequence[str]) -> list[str]:
        """The forms of some dates; where they can be read both ways, the file's others decide."""
        forms = date_forms(cells, None)
        if not forms.is_open:
            return forms.formats
        every = [cell for field in _DATES for cell in self.table.column(field)]
        every += [self.table.names[at] for at in self.table.days_in_heading]
        together = date_forms([*cells, *every], None)
        if not together.is_open:
            return together.formats
        if self.mapping.day_first is None:
            self.ask("day_first", {"day_first": True, "month_first": False})
        return date_forms(cells, self.mapping.day_first).formats

    # -- the knee --------------------------------------------------------------------------------

    def side(self, cell: str, at: int) -> KneeSide | None:
        """Which knee a row is about; None where nothing says it, and it is asked."""
        word = self._side_word(cell) if cell else None
        if word is not None and word != "unknown":
            return word
        line = self.table.rows[at][0]
        names = (f"{self.table.name}:{line}", self.athlete(at), self.raw[at])
        told = next((s for n in names if (s := self._sides.get(athlete_key(n)))), None)
        known = told or (word if cell and word else None) or self.mapping.side
        if known is None and not cell:
            self.ask("side", {side: side for side in SIDES})
        return known

    def _side_word(self, cell: str) -> KneeSide | None:
        if cell in self.mapping.side_words:
            return self.mapping.side_words[cell]
        for side in SIDES:
            if is_word(cell, side):
                return side
        known = answers(SIDE).get(fold(cell))
        if known is not None:
            return cast("KneeSide", known)
        if named := side_named(cell):
            return named
        self.ask_word("side_words", cell, SIDES)
        return None


def beginning_of(cell: str) -> Beginning | None:
    """How a problem began, as a cell tells it; None where it does not, or tells both."""
    words = split_words(cell)
    rest = without_phrases(words, "gradual")
    # A stress fracture is no fracture, and "repetitive, sudden" is gradual.
    gradual, sudden = len(rest) < len(words), len(without_phrases(rest, "traumatic")) < len(rest)
    if gradual == sudden:
        return None
    return "gradual" if gradual else "traumatic"
