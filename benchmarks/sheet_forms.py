"""Made-up sheets in other forms than a row an athlete: how well each is read, measure by measure.

They are `[[forms]]` of `sheet_layouts.toml`, and part of the table of `benchmarks.sheet_layouts`.
"""

from __future__ import annotations

import io
import random
import re
import tomllib
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from kneerisk.cohort.sheets.device_exports.tidy_table import takes_best
from kneerisk.cohort.sheets.lexicon.units import factor, unit_of
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.schema import SIDES, Quantity
from kneerisk.schema.columns import columns

LAYOUTS = Path(__file__).with_name("sheet_layouts.toml")
#: Athletes of a made-up sheet (assumption: a squad), and the seed of their values.
ROWS, SEED = 12, 20_261_127
#: The last of the two days of tests; the weeks of the calendar before it (assumptions).
TESTED = date(2026, 5, 4)
_BEFORE = TESTED - timedelta(84)
_LAST_WEEK, _WEEKS, _TRIALS = TESTED.isocalendar().week - 1, 5, 2
_TEST = re.compile(r"(?P<name>.+?) = (?P<holds>\w+)(?: @ (?P<unit>\S+))?")
_SEXES = {"en": "mf", "de": "mw", "fr": "HF", "es": "HM", "it": "MF", "sv": "MK", "pl": "MK"}
#: What the rounding of what is written, and of a body mass, leaves.
_ROUNDING = 0.006
#: What a sheet holds besides its measures, and is used rightly.
_PEOPLE = {"athlete_id", "screening_date", "age_years", "sex", "mass_kg", "side", "torque_mode"}
#: What an OpenDocument file says that it is.
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument.spreadsheet"
_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns"

Lines = list[list[str]]
Told = dict[str, dict[str, float]]
"""By canonical column, each athlete's value in the schema's unit."""


class Made(NamedTuple):
    """A made-up sheet and what it holds."""

    language: str
    form: str
    content: bytes
    told: Told


class _Person(NamedTuple):
    name: str
    age: int
    man: bool
    mass_kg: float


class _Test(NamedTuple):
    name: str
    holds: str
    unit: str | None


class _Form:
    """One form while it is filled."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.of, self.language = described, described["language"]
        self.rng = random.Random(f"{SEED} {described}")
        self.people = [self._person(at) for at in range(ROWS)]
        found = [_TEST.fullmatch(entry) for entry in described["tests"]]
        self.tests = [_Test(**match.groupdict()) for match in found if match]
        self.told: Told = defaultdict(dict)

    def _person(self, at: int) -> _Person:
        man = self.rng.random() < 0.5
        mass_kg = round(self.rng.gauss(78 if man else 63, 6), 1)
        return _Person(f"P{at:02d}", self.rng.randint(18, 34), man, mass_kg)

    def head(self) -> list[str]:
        """The names of the columns of people."""
        return [name for name in self.of["people"] if name]

    def cells(self, person: _Person) -> list[str]:
        """What the sheet says of a person."""
        sexes = _SEXES[self.language]
        written = (person.name, str(person.age), sexes[0] if person.man else sexes[1],
                   self.number(person.mass_kg), TESTED.isoformat())  # fmt: skip
        return [cell for name, cell in zip(self.of["people"], written, strict=True) if name]

    def number(self, value: float) -> str:
        """A number as the language writes it."""
        shown = f"{value:.2f}"
        return shown if self.language == "en" else shown.replace(".", ",")

    def measure(self, test: _Test) -> Quantity:
        """What a test measures."""
        measure = columns().get(test.holds) or columns()[f"left_{test.holds}"]
        if not isinstance(measure, Quantity):
            raise TypeError(test.holds)
        return measure

    def value(self, test: _Test, person: _Person) -> tuple[str, float]:
        """A value as it is written, and what it is in the schema's unit."""
        measure = self.measure(test)
        mean, sd = measure.norms[0].of("male" if person.man else "female") or (0.0, 1.0)
        drawn = min(max(self.rng.gauss(mean, sd / 2), measure.low), measure.high)
        unit = unit_of(measure, test.unit) if test.unit else None
        scale = factor(measure, unit.name, per_body_mass=unit.per_body_mass) if unit else 1.0
        divisor = person.mass_kg if unit and unit.per_body_mass else 1.0
        shown = round(drawn * divisor / scale, 2)
        return self.number(shown), shown * scale / divisor

    def wide(self) -> Lines:
        """A row an athlete, a column for each measure and leg."""
        names = [test.name.format(leg=leg) for test in self.tests for leg in self.of["legs"]]
        lines = [[*self.head(), *names]]
        for person in self.people:
            row = self.cells(person)
            for test in self.tests:
                for side in SIDES:
                    shown, value = self.value(test, person)
                    self.told[f"{side}_{test.holds}"][person.name] = value
                    row.append(shown)
            lines.append(row)
        return lines

    def own_legs(self) -> Lines:
        """As `wide`, by what the legs are to the athlete."""
        names = [test.name.format(leg=leg) for test in self.tests for leg in self.of["legs"]]
        lines = [[*self.head(), self.of["told"], *names]]
        for at, person in enumerate(self.people):
            first = SIDES[at % 2]
            row = [*self.cells(person), self.of["sides"][at % 2]]
            for test in self.tests:
                for side in (first, SIDES[1 - at % 2]):
                    shown, value = self.value(test, person)
                    self.told[f"{side}_{test.holds}"][person.name] = value
                    row.append(shown)
            lines.append(row)
        return lines

    def weeks(self) -> Lines:
        """A column for each week."""
        (test,) = self.tests
        weeks = range(_LAST_WEEK - _WEEKS + 1, _LAST_WEEK + 1)
        lines = [[*self.head(), *(test.name.format(week=week) for week in weeks)]]
        for person in self.people:
            pairs = [self.value(test, person) for _ in weeks]
            self.told[test.holds][person.name] = fmean(value for _, value in pairs[-4:])
            lines.append([*self.cells(person), *(shown for shown, _ in pairs)])
        return lines

    def dated_trials(self) -> Lines:
        """A column for each date, leg and trial; the last date is the visit."""
        order = [(test, leg, day, trial) for test in self.tests for leg in (0, 1)
                 for day in (_BEFORE, TESTED) for trial in range(1, _TRIALS + 1)]  # fmt: skip
        names = [test.name.format(leg=self.of["legs"][leg], trial=trial, date=f"{day:%d.%m.%Y}")
                 for test, leg, day, trial in order]  # fmt: skip
        lines = [[*self.head(), *names]]
        for person in self.people:
            trials: dict[tuple[_Test, int], list[float]] = defaultdict(list)
            row = self.cells(person)
            for test, leg, day, _ in order:
                shown, value = self.value(test, person)
                row.append(shown)
                if day == TESTED:
                    trials[test, leg].append(value)
            for (test, leg), values in trials.items():
                kept = max(values) if takes_best(self.measure(test)) else fmean(values)
                self.told[f"{SIDES[leg]}_{test.holds}"][person.name] = kept
            lines.append(row)
        return lines

    def rows(self) -> Lines:
        """A row for each test and leg, with its value and unit."""
        lines = [[*self.head(), *self.of["columns"]]]
        for person in self.people:
            for test in self.tests:
                for side, leg in zip(SIDES, self.of["legs"], strict=True):
                    shown, value = self.value(test, person)
                    self.told[f"{side}_{test.holds}"][person.name] = value
                    unit = self.measure(test).unit
                    lines.append([*self.cells(person), test.name, leg, shown, unit])
        return lines

    def isokinetic(self) -> Lines:
        """A row for each movement and speed, with a column a leg; 60 degrees a second counts."""
        lines = [[*self.head(), *self.of["columns"], *self.of["legs"]]]
        for person in self.people:
            for speed in ("60", "180"):
                for test in self.tests:
                    pairs = [self.value(test, person) for _ in SIDES]
                    lines.append([*self.cells(person), speed, test.name, *(s for s, _ in pairs)])
                    for side, (_, value) in zip(SIDES, pairs, strict=True):
                        if speed == "60":
                            self.told[f"{side}_{test.holds}"][person.name] = value
        return lines

    def made(self) -> Made:
        """The sheet as a file."""
        form = self.of["form"]
        writers: dict[str, Callable[[], Lines]] = {
            "own_legs": self.own_legs, "weeks": self.weeks, "dated_trials": self.dated_trials,
            "rows": self.rows, "isokinetic": self.isokinetic,
        }  # fmt: skip
        lines = writers.get(form, self.wide)()
        if form == "turned":
            lines = [list(row) for row in zip(*lines, strict=True)]
        mark = "," if self.language == "en" else ";"
        content = "\n".join(map(mark.join, lines)).encode()
        return Made(self.language, form, _ods(lines) if form == "ods" else content, self.told)


def _ods(lines: Sequence[Sequence[str]]) -> bytes:
    """Lines as an OpenDocument file."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        f"<table:table-row>{''.join(cell.format(escape(one)) for one in row)}</table:table-row>"
        for row in lines
    )
    names = "".join(
        f' xmlns:{name}="{_NAMESPACE}:{name}:1.0"' for name in ("office", "table", "text")
    )
    body = f'<office:body><office:spreadsheet><table:table table:name="S1">{rows}</table:table>'
    document = f"<office:document-content{names}>{body}</office:spreadsheet></office:body>"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("mimetype", _OPEN_DOCUMENT)
        archive.writestr("content.xml", f"{document}</office:document-content>")
    return written.getvalue()


def forms() -> Iterator[Made]:
    """Every form, filled with values; the same ones each time."""
    tables = tomllib.loads(LAYOUTS.read_text(encoding="utf-8"))
    yield from (_Form(described).made() for described in tables["forms"])


def outcomes(made: Made) -> Counter[str]:
    """What became of each measure of a sheet, and its pointless questions.

    Parameters
    ----------
    made
        The sheet.

    Returns
    -------
    Counter
        By `used`, `asked`, `missed`, `wrong` and `pointless`.
    """
    answer = recognise(made.content)
    counts = Counter(_outcome(answer, canonical, told) for canonical, told in made.told.items())
    known = {*made.told, *_PEOPLE}
    for column in answer.columns:
        if column.applied and column.means and column.means not in known:
            counts["wrong"] += 1
        counts["pointless"] += bool(column.question) and column.means not in known
    return counts


def _outcome(answer: SheetAnswer, canonical: str, told: dict[str, float]) -> str:
    by_leg = canonical.removeprefix("left_").removeprefix("right_")
    own = [column for column in answer.columns if column.means in {canonical, by_leg}]
    if any(column.applied for column in own):
        held = _held(answer, canonical)
        is_right = held.keys() == told.keys() and all(
            abs(held[name] - value) <= _ROUNDING * max(1.0, abs(value))
            for name, value in told.items()
        )
        return "used" if is_right else "wrong"
    asks = [one.proposal or next((other.ask for other in one.alternatives), None) for one in own]
    return "asked" if any(ask and ask.means == canonical for ask in asks) else "missed"


def _held(answer: SheetAnswer, canonical: str) -> dict[str, float]:
    """Each athlete's value at the last visit, whatever the row still waits for."""
    side, _, name = canonical.partition("_")
    held: dict[str, tuple[str, float]] = {}
    places = {column.place: column.means for column in answer.columns if column.applied}
    for row in answer.rows:
        legs = [cell.value for cell in row.cells if places.get(cell.place) == "side"]
        for cell in row.cells:
            is_own = places.get(cell.place) == canonical or (
                places.get(cell.place) == name and side in legs
            )
            if is_own and isinstance(cell.value, int | float) and row.status != "earlier":
                before = held.get(str(row.athlete), ("", 0.0))
                held[str(row.athlete)] = max(before, (row.date or "", float(cell.value)))
    return {athlete: value for athlete, (_, value) in held.items()}
