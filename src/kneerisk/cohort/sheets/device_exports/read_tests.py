"""One test of a device's export as a column of the ordinary reader's: its measure, leg and unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, Named, read_name
from kneerisk.cohort.sheets.device_exports.device_tests import (
    KnownTest,
    TestDone,
    Words,
    known_as,
    question,
    why,
    words_of,
)
from kneerisk.cohort.sheets.device_exports.export_columns import ExportColumns, Role, ValueColumn
from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import Languages
from kneerisk.cohort.sheets.lexicon.leg_words import codes_of
from kneerisk.cohort.sheets.lexicon.name_matches import Match
from kneerisk.cohort.sheets.lexicon.units import unit_named
from kneerisk.cohort.sheets.lexicon.vocabulary import side_codes, sides, unsided
from kneerisk.schema import Quantity, Side
from kneerisk.words import text

#: Quantities, the nearest to a measure first: what is divided by body mass needs nothing else, and
#: a force may need a lever arm.
KIND_ORDER = ("force_per_mass", "torque_per_mass", "torque", "torque_share", "angle", "distance",
              "ratio", "any", "force")  # fmt: skip
#: The units of the measures that a quantity can become.
_BECOMES = {
    # A value in kg may be a dynamometer's, or the body mass itself.
    "force": {"N/kg", "% BW", "Nm/kg", "kg"},
    "force_per_mass": {"N/kg", "% BW"},
    "torque": {"Nm/kg"},
    "torque_per_mass": {"Nm/kg"},
    "torque_share": {"Nm/kg"},
    "angle": {"deg"},
    "distance": {"cm", "mm"},
    "ratio": {"ratio", "%"},
}


#: The two directions of a frame, and positions with straight legs.
_DIRECTIONS = frozenset({"squeeze", "pull", "inner", "outer"})
_STRAIGHT = frozenset({"long", "straight", "ankle", "ankles", "0", "extended"})


class DoneTest(NamedTuple):
    """One test as a row tells it."""

    label: str
    said: tuple[str, ...]
    """What was done, without the position, as the columns say it: together, and each."""
    words: Words
    position: Words
    unit: str | None
    """In a column of units."""
    side: Side | None
    code: str | None = None
    """The word of it that is a leg in the sheet's language: `D` beside `E`."""

    @property
    def has_straight_legs(self) -> bool:
        """Whether the position says so, in the words of `device_tests.csv`."""
        return bool(self.position & _STRAIGHT)


def _without_direction(done: DoneTest) -> DoneTest:
    """The test of a ratio, which stands in the rows of both directions of a frame."""
    if not done.words & _DIRECTIONS:
        return done
    parts = [part for part in done.label.split(", ") if fold(part) not in _DIRECTIONS]
    words = done.words - _DIRECTIONS
    return done._replace(label=", ".join(parts), said=done.said[1:], words=words)


class ColumnKey(NamedTuple):
    """What becomes one column: one test of one leg, in one quantity."""

    done: DoneTest
    value: ValueColumn


def column_key(done: DoneTest, value: ValueColumn) -> ColumnKey:
    """The column that a value of a test belongs into."""
    return ColumnKey(_without_direction(done) if value.quantity == "ratio" else done, value)


def with_codes(tests: Sequence[DoneTest], languages: Languages) -> dict[DoneTest, DoneTest]:
    """Tests with the codes for legs that only the others tell to be such.

    Parameters
    ----------
    tests
        The different tests of a file.
    languages
        The languages of its headings.

    Returns
    -------
    dict
        Each test with its code, if it has one.
    """
    names = [test.said[0] for test in tests]
    coded = {}
    for test, code in zip(tests, codes_of(names, languages), strict=True):
        side = test.side or (side_codes()[code] if code else None)
        coded[test] = test._replace(code=code, side=side)
    return coded


def done_test(row: Sequence[Any], found: ExportColumns) -> DoneTest:
    """The test of a row: the entries that say what was done, in which direction and position.

    Parameters
    ----------
    row
        Its cells.
    found
        What the columns are.

    Returns
    -------
    DoneTest
        The test; entries that another one holds already are not repeated.
    """
    entries = [as_text(row[at])[:LONGEST_NAME] for at in found.of("test") if row[at] != ""]
    told_by = {entry: _telling(entry) for entry in entries if not is_missing(entry)}
    # A region says nothing beside a movement that names it.
    said = [entry for entry, own in told_by.items() if not any(own < w for w in told_by.values())]
    direction, speed = _entry(row, found, "direction"), _speed(row, found)
    position = _entry(row, found, "position")
    words = words_of(direction, speed).union(*(told_by[entry] for entry in said))
    own = {sides()[word] for word in words if word in sides()}
    leg = sides().get(fold(_entry(row, found, "side"))) or (own.pop() if len(own) == 1 else None)
    # `Hip AD/AB - 45` repeats the test.
    place = position.removeprefix(said[0]).lstrip(" -:,") if said else position
    parts = filter(None, [*said, direction, place, speed])
    unit = unit_named(_entry(row, found, "unit"))
    unit = unit or next(filter(None, (read_name(entry).unit for entry in said)), None)
    # A direction alone, such as a squeeze, is no test.
    told = (" ".join(filter(None, [*said, direction, speed])), *said)
    return DoneTest(", ".join(parts), told, words - set(sides()), words_of(position), unit, leg)


#: What a device that does both in one test may name together: `Knee Ext/Flex`.
_EXTENSION = frozenset({"ext", "extension", "extensor", "extensors"})
_FLEXION = frozenset({"flex", "flx", "flexion", "flexor", "flexors"})


def _telling(entry: str) -> Words:
    """The words of an entry; one that names both of two movements tells neither."""
    words = words_of(entry)
    both = words & _EXTENSION and words & _FLEXION
    return words - _EXTENSION - _FLEXION if both else words


def _entry(row: Sequence[Any], found: ExportColumns, role: Role) -> str:
    entries = (row[at] for at in found.of(role) if not is_missing(row[at]))
    return as_text(next(entries, ""))[:LONGEST_NAME]


def _speed(row: Sequence[Any], found: ExportColumns) -> str:
    speed = _entry(row, found, "speed")
    return f"{speed}/s" if speed.replace(".", "").isdigit() else speed


#: Joints and muscles of the squeeze that is a measure.
_OF_HIP = frozenset({"hip", "groin", "adductor", "adductors", "abductor", "abductors"})
#: Words that say of no test which it is.
_GENERAL = frozenset({
    "range", "of", "motion", "rom", "strength", "mobility", "flexibility", "isometric", "test",
    "screening", "hip", "knee", "ankle", "foot", "leg", "lower", "limb", "body", "extremity",
})  # fmt: skip
#: A test that is named by a part of its entries is asked about (below certain, see `questions`).
_MOST_IN_PART = 0.95


class ReadTest(NamedTuple):
    """What a test is read as."""

    named: Named
    """Without a match it is left out."""
    why: str | None
    question: str | None = None
    """With `{name}` for the name of the column."""
    protocol: tuple[tuple[str, str], ...] = ()
    other_units: tuple[str, ...] = ()


def read_test(
    done: DoneTest, quantity: str, unit: str | None, side: Side | None, direction: str = ""
) -> ReadTest:
    """What a test of a leg is read as.

    Parameters
    ----------
    done
        The test as its row tells it.
    quantity
        What was measured: `force`, `torque_per_mass`, `angle`, ..., or `any`.
    unit
        The unit, if the file says it.
    side
        The leg, if the file says it.
    direction
        The direction, where the column of the value names it.

    Returns
    -------
    ReadTest
        Its measure, or why it is left out.
    """
    words = done.words | ({direction} if direction else frozenset())
    known = known_as(TestDone(words, done.position, quantity))
    if known is None:
        return _by_name(done, quantity, unit, side)
    if known.measure is None:
        return ReadTest(Named((), side, unit), why(known, ""))
    return _known(known, quantity, unit, side)


def _known(known: KnownTest, quantity: str, unit: str | None, side: Side | None) -> ReadTest:
    means = str(known.measure)
    measure = unsided()[means]
    # A ratio or an angle that names no unit is in the schema's own; of a force that is open.
    own = None
    if isinstance(measure, Quantity) and quantity in {"angle", "ratio"}:
        own = measure.unit
    named = Named((Match(means, 1.0),), side, unit or own)
    asked = question(known, "{name}", measure.label)
    return ReadTest(named, why(known, repr(measure.label)), asked, tuple(known.protocol.items()))


def _by_name(done: DoneTest, quantity: str, unit: str | None, side: Side | None) -> ReadTest:
    """A test that the table does not know, by the names of measures."""
    matches: dict[str, Match] = {}
    own_side: Side | None = None
    # Of a force frame, which squeezes and pulls many joints, the direction alone names none.
    is_of_hip = bool(_OF_HIP & done.words) or not {"squeeze", "pull"} & done.words
    for entry in done.said if is_of_hip else done.said[1:]:
        named = read_name(entry, done.code)
        own_side = own_side or named.side
        # What another column says of the test may make it another one.
        unsaid = words_of(*done.said) - words_of(entry) - _GENERAL - set(sides())
        most = 1.0 if not unsaid else _MOST_IN_PART
        for match in named.matches:
            found = match._replace(likeness=min(match.likeness, most))
            before = matches.get(match.means, found)
            if _can_be(match.means, quantity):
                matches[match.means] = max(before, found, key=lambda one: one.likeness)
    ranked = sorted(matches.values(), key=lambda match: -match.likeness)
    reason = None if matches else text("sheet.test.unknown")
    return ReadTest(Named(tuple(ranked), side or own_side, unit), reason)


def _can_be(means: str, quantity: str) -> bool:
    measure = unsided().get(means)
    if measure is None:
        return False
    if not isinstance(measure, Quantity):
        return quantity == "any"
    return quantity == "any" or measure.unit in _BECOMES[quantity]


def of_one_position(keys: set[ColumnKey], reads: Mapping[ColumnKey, ReadTest]) -> set[ColumnKey]:
    """Of a ratio that was taken in several positions, the one with straight legs, if any.

    Parameters
    ----------
    keys
        The columns.
    reads
        What each is read as.

    Returns
    -------
    set of ColumnKey
        Without those of the other positions.
    """
    by_measure: dict[tuple[Any, ...], list[ColumnKey]] = defaultdict(list)
    for key in keys:
        if key.value.quantity == "ratio" and reads[key].named.matches:
            by_measure[key.value.leg, reads[key].named.matches[0].means].append(key)
    for same in by_measure.values():
        straight = [key for key in same if key.done.has_straight_legs]
        if len(straight) == 1:
            keys = keys - set(same) | set(straight)
    return keys
