"""One test of a device's export as a column of the ordinary reader's: its measure, leg and unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kneerisk.cohort.sheets.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.column_names import LONGEST_NAME, Match, Named, read_name
from kneerisk.cohort.sheets.device_exports.device_tests import (
    KnownTest,
    TestDone,
    Words,
    known_as,
    question,
    why,
    words_of,
)
from kneerisk.cohort.sheets.device_exports.export_columns import ExportColumns, Role
from kneerisk.cohort.sheets.units import unit_named
from kneerisk.cohort.sheets.vocabulary import fold, sides, unsided
from kneerisk.schema import Quantity, Side
from kneerisk.words import text

#: Quantities, the nearest to a measure first: what is divided by body mass needs nothing else, and
#: a force may need a lever arm.
KIND_ORDER = ("force_per_mass", "torque_per_mass", "torque", "torque_share", "angle", "distance",
              "ratio", "any", "force")  # fmt: skip
#: The units of the measures that a quantity can become.
_BECOMES = {
    "force": {"N/kg", "% BW", "Nm/kg"},
    "force_per_mass": {"N/kg", "% BW"},
    "torque": {"Nm/kg"},
    "torque_per_mass": {"Nm/kg"},
    "torque_share": {"Nm/kg"},
    "angle": {"deg"},
    "distance": {"cm", "mm"},
    "ratio": {"ratio", "%"},
}


class DoneTest(NamedTuple):
    """One test as a row tells it."""

    label: str
    words: Words
    position: Words
    unit: str | None
    """In a column of units."""
    side: Side | None


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
    said: list[str] = []
    for at in found.of("test"):
        entry = "" if is_missing(row[at]) else as_text(row[at])[:LONGEST_NAME]
        if not words_of(entry) <= words_of(*said):
            said.append(entry)
    direction, speed = _entry(row, found, "direction"), _speed(row, found)
    position = _entry(row, found, "position")
    words = words_of(*said, direction, speed)
    own = {sides()[word] for word in words if word in sides()}
    leg = sides().get(fold(_entry(row, found, "side"))) or (own.pop() if len(own) == 1 else None)
    parts = filter(None, [*said, direction, position, speed])
    unit = unit_named(_entry(row, found, "unit"))
    return DoneTest(", ".join(parts), words - set(sides()), words_of(position), unit, leg)


def _entry(row: Sequence[Any], found: ExportColumns, role: Role) -> str:
    entries = (row[at] for at in found.of(role) if not is_missing(row[at]))
    return as_text(next(entries, ""))[:LONGEST_NAME]


def _speed(row: Sequence[Any], found: ExportColumns) -> str:
    speed = _entry(row, found, "speed")
    return f"{speed}/s" if speed.replace(".", "").isdigit() else speed


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
    label: str,
    words: Words,
    position: Words,
    quantity: str,
    unit: str | None,
    side: Side | None,
) -> ReadTest:
    """What a test of a leg is read as.

    Parameters
    ----------
    label
        The test as the file names it.
    words
        Its words, with direction and speed.
    position
        The words of the position that it was done in.
    quantity
        What was measured: `force`, `torque_per_mass`, `angle`, ..., or `any`.
    unit
        The unit, if the file says it.
    side
        The leg, if the file says it.

    Returns
    -------
    ReadTest
        Its measure, or why it is left out.
    """
    known = known_as(TestDone(words, position, quantity))
    if known is None:
        return _by_name(label, quantity, unit, side)
    if known.measure is None:
        return ReadTest(Named((), side, unit), why(known, ""))
    return _known(known, unit, side)


def _known(known: KnownTest, unit: str | None, side: Side | None) -> ReadTest:
    means = str(known.measure)
    measure = unsided()[means]
    # A ratio or an angle that names no unit is in the schema's own.
    own = measure.unit if isinstance(measure, Quantity) else None
    named = Named((Match(means, 1.0),), side, unit or own)
    asked = question(known, "{name}", measure.label)
    return ReadTest(named, why(known, repr(measure.label)), asked, tuple(known.protocol.items()))


def _by_name(label: str, quantity: str, unit: str | None, side: Side | None) -> ReadTest:
    """A test that the table does not know, by the names of measures."""
    ways = [label, *label.split(", ")]
    named = max(map(read_name, ways), key=lambda one: one.matches[0].likeness if one.matches else 0)
    matches = tuple(match for match in named.matches if _can_be(match.means, quantity))
    reason = None if matches else text("sheet.test.unknown")
    return ReadTest(Named(matches, side or named.side, unit or named.unit), reason)


def _can_be(means: str, quantity: str) -> bool:
    measure = unsided().get(means)
    if measure is None:
        return False
    if not isinstance(measure, Quantity):
        return quantity == "any"
    return quantity == "any" or measure.unit in _BECOMES[quantity]
