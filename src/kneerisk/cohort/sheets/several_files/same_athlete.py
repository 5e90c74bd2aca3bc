"""Which rows of several files are about one athlete: by id, or by name and date of birth.

A name that two athletes share is asked about, never guessed, and an athlete whom no other file has
stays an athlete of their own, so that a bad join loses nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.file_parts import SheetCandidate, SheetUnmatched
from kneerisk.cohort.sheets.lexicon.folded_text import split_words
from kneerisk.cohort.sheets.lexicon.vocabulary import AGE, ATHLETE, BIRTH, SEX, athlete_key
from kneerisk.cohort.sheets.several_files.parts_of_squad import (
    LONGEST_LABEL,
    Part,
    Place,
    columns_meaning,
    days_in,
    place_shown,
    unmatched_row,
)
from kneerisk.words import variant

#: Words in the name of a column of ids.
_ID_WORDS = frozenset({"id", "code", "nr", "no", "number", "nummer", "kürzel", "kuerzel", "numéro",
                       "numero", "número", "uuid", "guid", "key"})  # fmt: skip
#: So many athletes are offered for a row that fits none or several, out of so many that share a
#: word with it (assumptions: more help nobody, and a squad shares no name so often).
_MOST_CANDIDATES, _MOST_LOOKED_AT = 5, 50


class Who(NamedTuple):
    """What one row says of its athlete."""

    ids: frozenset[str]
    names: frozenset[str]
    born: date | None
    label: str


@dataclass(slots=True, eq=False)
class Person:
    """An athlete, and every row about them."""

    label: str
    ids: set[str]
    names: set[str]
    born: date | None
    rows: list[Place] = field(default_factory=list)

    def learn(self, who: Who) -> None:
        """Take what another row says of them."""
        self.ids |= who.ids
        self.names |= who.names
        self.born = self.born or who.born


def who_in(part: Part, day_first: bool | None) -> list[Who]:
    """Whom each row of a file is about."""
    tidy = part.tidy
    places = columns_meaning(tidy, ATHLETE)
    ids = [at for at in places if _ID_WORDS & set(split_words(tidy.columns[at].name))]
    names = [at for at in places if at not in ids]
    born: list[date | None] = [None] * len(tidy.rows)
    if birth := columns_meaning(tidy, BIRTH):
        born = days_in(tidy, birth[0], day_first)[0]
    return [_who(row.cells, ids, names, day) for row, day in zip(tidy.rows, born, strict=True)]


def _who(cells: Sequence[Any], ids: list[int], names: list[int], born: date | None) -> Who:
    own = [as_text(cells[at]).strip() for at in ids if not is_missing(cells[at])]
    name = " ".join(as_text(cells[at]).strip() for at in names if not is_missing(cells[at]))
    keys = {athlete_key(name)} if name else set()
    if len(parts := name.split(",")) == 2:
        # `Roe, Ann` is Ann Roe.
        keys.add(athlete_key(f"{parts[1]} {parts[0]}"))
    label = name or (own[0] if own else "")
    return Who(frozenset(map(athlete_key, own)), frozenset(keys), born, label)


class Squad:
    """The athletes of several files.

    Parameters
    ----------
    parts
        The files, as tidy tables.
    same
        What a person said of rows: the place of a row, and that of its athlete.
    day_first
        What a person said of dates such as 03/04/2025.
    """

    def __init__(
        self, parts: Sequence[Part], same: Mapping[str, str], day_first: bool | None
    ) -> None:
        self.people: list[Person] = []
        self.unmatched: list[SheetUnmatched] = []
        self.places: set[str] = set()
        """Every row that a person may name."""
        self._parts, self._same = parts, same
        self._by_key: dict[str, list[Person]] = defaultdict(list)
        self._by_word: dict[str, list[Person]] = defaultdict(list)
        self._at: dict[str, Person] = {}
        for turn, number in enumerate(sorted(range(len(parts)), key=self._telling)):
            self._take(number, who_in(parts[number], day_first), is_first=turn == 0)

    def _telling(self, number: int) -> tuple[int, int]:
        """The file that tells most of its athletes comes first."""
        tidy = self._parts[number].tidy
        told = sum(bool(columns_meaning(tidy, means)) for means in (BIRTH, SEX, AGE))
        return (-told - len(columns_meaning(tidy, ATHLETE)), number)

    def _take(self, number: int, rows: Sequence[Who], *, is_first: bool) -> None:
        part, known = self._parts[number], len(self.people)
        own: dict[tuple[Any, ...], Person] = {}
        new: list[Person] = []
        for row, who in enumerate(rows):
            place = place_shown(part, number, row)
            self.places.add(place)
            key = (who.ids or who.names or row, who.born)
            person = own.get(key)
            if person is None:
                person = self._found(who, place, (number, row), known, is_first=is_first)
                if person is None:
                    person = Person(who.label, set(who.ids), set(who.names), who.born)
                    new.append(person)
                own[key] = person
                person.learn(who)
            self._at[place] = person
            person.rows.append((number, row))
        self.people += new
        self._index(own.values())

    def _index(self, people: Iterable[Person]) -> None:
        for person in people:
            for key in person.ids | person.names:
                if len(self._by_key[key]) < _MOST_LOOKED_AT:
                    self._by_key[key].append(person)
                for word in key.split():
                    if len(self._by_word[word]) < _MOST_LOOKED_AT:
                        self._by_word[word].append(person)

    def _found(
        self, who: Who, place: str, at: Place, known: int, *, is_first: bool
    ) -> Person | None:
        """The athlete that a row is about; None where it is a new one."""
        if is_first or not known:
            return None
        if place in self._same:
            return self._at.get(self._same[place])
        found = self._by(who.ids) or self._by(who.names)
        alike = [person for person in found if _may_be(person, who)]
        if len(alike) == 1 and not _is_another(alike[0], who):
            return alike[0]
        if len(alike) > 1:
            code = "ambiguous_athlete"
        else:
            code = "other_athlete" if found else "no_such_athlete"
        self._note(code, who, at, alike or found or self._similar(who))
        return None

    def _by(self, keys: frozenset[str]) -> list[Person]:
        return list(dict.fromkeys(p for key in keys for p in self._by_key.get(key, [])))

    def _similar(self, who: Who) -> list[Person]:
        """Athletes who share a part of the name."""
        words = {word for key in who.names | who.ids for word in key.split()}
        count: dict[int, int] = defaultdict(int)
        by_id: dict[int, Person] = {}
        for word in words:
            for person in self._by_word.get(word, []):
                count[id(person)] += 1
                by_id[id(person)] = person
        return [by_id[one] for one in sorted(count, key=lambda one: -count[one])]

    def _note(self, code: str, who: Who, at: Place, candidates: Sequence[Person]) -> None:
        offered = [
            SheetCandidate(place=self._place_of(person), athlete=self._told(person)[:LONGEST_LABEL])
            for person in candidates[:_MOST_CANDIDATES]
        ]
        row = unmatched_row(self._parts, at, who.label, code, variant("sheet.unmatched", code))
        self.unmatched.append(row.model_copy(update={"candidates": offered}))

    def _place_of(self, person: Person) -> str:
        number, row = person.rows[0]
        return place_shown(self._parts[number], number, row)

    def _told(self, person: Person) -> str:
        """An athlete with what tells them from one of the same name."""
        others = [person.born.isoformat()] if person.born else sorted(person.ids)
        return f"{person.label} ({others[0]})" if others else person.label

    def labels(self) -> dict[int, str]:
        """The name of each athlete in the joined table, each once; by the athlete's `id()`."""
        count: dict[str, int] = defaultdict(int)
        for person in self.people:
            count[athlete_key(person.label)] += 1
        labels: dict[int, str] = {}
        taken: set[str] = set()
        for person in self.people:
            label = person.label
            if label and count[athlete_key(label)] > 1:
                label = self._told(person)
            if label and athlete_key(label) in taken:
                label = f"{person.label} ({self._place_of(person)})"
            taken.add(athlete_key(label))
            labels[id(person)] = label
        return labels


def _may_be(person: Person, who: Who) -> bool:
    """Two dates of birth are two people."""
    return person.born is None or who.born is None or person.born == who.born


def _is_another(person: Person, who: Who) -> bool:
    """One id under two names is two people: two systems counted alike."""
    is_by_id = bool(person.ids & who.ids)
    return is_by_id and bool(person.names and who.names) and not person.names & who.names
