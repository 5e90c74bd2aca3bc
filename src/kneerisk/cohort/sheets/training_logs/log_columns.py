"""Which columns of a training log hold what, by a few telling names.

Watches and apps change their columns from year to year and name them in the language of the
account, so a log is known by what it has (a day, and a distance or a time), never by a whole row.
The names stand in `log_words.csv`, a few rows a language, to be added to.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Literal, NamedTuple, get_args

from openpyxl.utils import get_column_letter

from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, read_name
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.lexicon.folded_text import fold, split_words
from kneerisk.cohort.sheets.lexicon.vocabulary import unsided
from kneerisk.cohort.sheets.training_logs.log_answer import DistanceUnit, Maker
from kneerisk.cohort.sheets.training_logs.sports import sport_kind
from kneerisk.errors import CohortRefused
from kneerisk.schema import leg_measures
from kneerisk.words import text, variant

Field = Literal[
    "date", "sport", "title", "distance", "runs", "duration", "moving", "cadence", "athlete",
    "name", "activity", "planned_distance", "planned_duration", "exposure",
]  # fmt: skip
_UNITS = ("km", "mile", "m", "h", "min", "s")
_DISTANCES = get_args(DistanceUnit)
_WITH_UNIT = ("distance", "planned_distance", "duration", "moving", "planned_duration", "exposure")
#: Names are looked for in the first lines only (assumption: an export has a title at most).
_HEADING_WITHIN = 10
#: Measures of legs, and facts that only a sheet of people has: where a column names one of them so
#: clearly, each row is a person.
_A_PERSON = frozenset({"age_years", "sex", "height_cm"})
_CLEARLY = 0.9
#: So many columns of a field are looked at (assumption: Strava has two of a name).
_MOST_ALIKE = 5
#: What only a table of tests has.
_TESTED = frozenset({"test", "test type", "direction", "movement", "body region", "laterality"})
_TESTED_IN = frozenset({"N", "Nm", "N/kg", "Nm/kg", "kgf", "lbf", "% BW", "deg"})


class LogColumn(NamedTuple):
    """A column of a log."""

    place: int
    name: str
    field: Field | None
    unit: str | None
    """Of a distance or a time, where the name has it."""
    is_of_runs: bool
    """Whether the name says that the column is of runs alone."""

    @property
    def letter(self) -> str:
        """Its letter as in Excel."""
        letter: str = get_column_letter(self.place + 1)
        return letter


@dataclass(frozen=True, slots=True)
class LogLayout:
    """How a file holds its sessions."""

    maker: Maker
    heading: int
    """The position of the line of names among the lines of the file."""
    columns: tuple[LogColumn, ...]

    def of(self, *fields: Field) -> list[LogColumn]:
        """The first columns of some fields, as they stand in the file."""
        own = (column for column in self.columns if column.field in fields)
        return list(islice(own, _MOST_ALIKE))


@cache
def _words() -> dict[str, list[tuple[str, ...]]]:
    """The folded words of each name, by field or unit."""
    table = files(__package__).joinpath("log_words.csv").read_text(encoding="utf-8")
    by_field: dict[str, list[tuple[str, ...]]] = {}
    for row in csv.DictReader(table.splitlines()):
        names = [tuple(split_words(word)) for word in row["words"].split("|")]
        by_field.setdefault(row["field"], []).extend(names)
    return by_field


@cache
def _fields_by_name() -> dict[tuple[str, ...], Field]:
    order: tuple[Field, ...] = get_args(Field)
    return {name: field for field in reversed(order) for name in _words().get(field, [])}


@cache
def _units_by_word() -> dict[str, str]:
    return {name[0]: unit for unit in _UNITS for name in _words()[unit] if len(name) == 1}


def unit_word(word: str) -> str | None:
    """`km`, `mile`, `m`, `h`, `min` or `s` for a word of one; None where it is none."""
    folded = split_words(word)
    return _units_by_word().get(folded[0]) if len(folded) == 1 else None


def read_column(place: int, name: str) -> LogColumn:
    """What the name of a column says."""
    words = tuple(split_words(name)) if len(name) <= LONGEST_NAME else ()
    units = _units_by_word()
    unit = next((units[word] for word in reversed(words) if word in units), None)
    rest = tuple(word for word in words if word not in units and word != "in")
    field = _fields_by_name().get(words) or _fields_by_name().get(rest) or _by_words(words)
    is_of_runs = field == "runs" or (unit is not None and sport_kind(" ".join(rest)) == "running")
    if unit and (field == "runs" or (field is None and (not rest or is_of_runs))):
        field = "distance" if unit in _DISTANCES else "duration"
    field = "distance" if field == "runs" else field
    if rest in _words()["exposure"] and field in {None, "exposure", "title"}:
        is_time = unit is not None and unit not in _DISTANCES
        field = "exposure" if is_time else None if field == "exposure" else field
    fits = (unit in _DISTANCES) == (field in {"distance", "planned_distance"})
    has_unit = fits and field in _WITH_UNIT
    return LogColumn(place, name, field, unit if has_unit else None, is_of_runs)


def _by_words(words: Sequence[str]) -> Field | None:
    return "cadence" if _is_cadence(words) else None


def _is_cadence(words: Sequence[str]) -> bool:
    cadences = {name[0] for name in _words()["cadence"] if len(name) == 1}
    others = ("max", "maks", "bike", "rad", "pedal", "swim", "stroke", "min")
    return bool(cadences.intersection(words)) and not any(w.startswith(others) for w in words)


def find_layout(lines: Lines) -> LogLayout | None:
    """How the lines of a file hold sessions; None where they don't.

    Parameters
    ----------
    lines
        The lines of a file that have an entry.

    Returns
    -------
    LogLayout or None
        The columns, and where their names stand.
    """
    best: LogLayout | None = None
    for at, (_, row) in enumerate(lines[:_HEADING_WITHIN]):
        if not all(isinstance(cell, str) for cell in row):
            continue
        columns = tuple(read_column(place, name) for place, name in enumerate(row))
        layout = LogLayout(_maker(columns), at, columns)
        if _is_log(layout) and (best is None or _known(layout) > _known(best)):
            best = layout
    return best


def refuse_log(lines: Lines, *, may_be: bool) -> None:
    """Say that a training log is no sheet of people, if lines that may be one are."""
    if may_be and (layout := find_layout(lines)):
        maker = variant("training_log.maker", layout.maker)
        raise CohortRefused(text("training_log.is_a_log", maker=maker))


def _known(layout: LogLayout) -> int:
    return len({column.field for column in layout.columns if column.field})


def _is_log(layout: LogLayout) -> bool:
    """A day, and how far or how long, and nothing that only a person has."""
    fields = {column.field for column in layout.columns}
    # Minutes of training beside minutes of matches; one of them alone may be a habit.
    is_exposure = len(layout.of("exposure")) > 1
    if "date" in fields and is_exposure and layout.maker == "table":
        return not any(map(_is_of_a_person, layout.columns))
    if "date" not in fields or not fields & {"distance", "duration", "moving"}:
        return False
    if layout.maker != "table":
        return True
    # A bare `Time` beside a date is the time of day.
    if not (fields & {"distance", "moving"} or "sport" in fields or _lasts(layout)):
        return False
    return not any(map(_is_of_a_person, layout.columns))


def _lasts(layout: LogLayout) -> bool:
    """Whether a column is named for how long something took: `Dauer`, `min`, not `Zeit`."""
    bare = {"time", "zeit", "tid", "tijd", "tempo", "tiempo", "temps", "heure", "aika", "czas"}
    return any(fold(column.name) not in bare for column in layout.of("duration"))


def _is_of_a_person(column: LogColumn) -> bool:
    if column.field is not None or not column.name:
        return False
    named = read_name(column.name)
    if fold(column.name) in _TESTED or named.unit in _TESTED_IN:
        return True
    return any(
        match.likeness >= _CLEARLY and (match.means in leg_measures() or match.means in _A_PERSON)
        for match in named.matches
        if match.means in unsided()
    )


@cache
def _telling() -> list[tuple[Maker, tuple[str, ...]]]:
    """A few columns that tell each maker's file, folded (formats of 2020 to 2026)."""
    table = files(__package__).joinpath("makers.csv").read_text(encoding="utf-8")
    makers: dict[str, Maker] = {maker: maker for maker in get_args(Maker)}
    return [
        (makers[row["maker"]], tuple(row["telling"].split("|")))
        for row in csv.DictReader(table.splitlines())
    ]


def _maker(columns: Sequence[LogColumn]) -> Maker:
    units = _units_by_word()
    names = {" ".join(w for w in split_words(c.name[:LONGEST_NAME]) if w not in units)
             for c in columns}  # fmt: skip
    for maker, telling in _telling():
        if names.issuperset(telling):
            return maker
    fields = Counter(column.field for column in columns)
    if fields["activity"] and fields["date"] and fields["sport"] and fields["title"]:
        return "strava"
    is_garmin = fields["sport"] and fields["title"] and fields["distance"] and fields["duration"]
    return "garmin" if is_garmin and len(columns) >= 6 and not fields["athlete"] else "table"


def cells_of(lines: Lines, layout: LogLayout) -> tuple[list[int], list[list[Any]]]:
    """The lines below the names, each as wide as they are.

    Parameters
    ----------
    lines
        The lines of the file that have an entry.
    layout
        Where the names stand.

    Returns
    -------
    tuple
        The numbers of the lines, and their cells.
    """
    width = len(layout.columns)
    below = lines[layout.heading + 1 :]
    if layout.maker == "polar":
        # One session a file: what stands below is heart rate second by second.
        below = below[:1]
    return [n for n, _ in below], [[*row, *[""] * (width - len(row))][:width] for _, row in below]
