"""Which measure a device's test is: the table of tests (`device_tests.csv`), first match first.

A line of it names tests and positions by words that must all occur, `|` between alternatives. Its
outcome is `used`, `asked` (the file does not say what decides) or `left_out`, with a reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from kneerisk.cohort.sheets.lexicon.folded_text import split_words
from kneerisk.words import text, variant

Words = frozenset[str]
Outcome = Literal["used", "asked", "left_out"]

#: The speed of an isokinetic test within its name, in degrees a second.
_SPEED = re.compile(r"(?<![\d.])(\d{2,3})\s*(?:deg(?:rees)?|°|º|grad|grados|degrés)?\s*"
                    r"(?:/|per |pro |\.)\s*(?:s|sec|second|sek)\b", re.IGNORECASE)  # fmt: skip
#: Speeds that isokinetic devices are set to (assumption: others have their unit with them).
USUAL_SPEEDS = (30, 60, 90, 120, 180, 240, 300)


class KnownTest(NamedTuple):
    """One line of the table."""

    tests: tuple[Words, ...]
    positions: tuple[Words, ...]
    """Empty: any position; a single empty set: none is stated."""
    quantities: Words
    measure: str | None
    outcome: Outcome
    reason: str
    protocol: Mapping[str, str]
    source: str
    in_words: tuple[str, str]
    """Its tests and positions as the table writes them."""


class TestDone(NamedTuple):
    """What was tested, as far as the file says."""

    words: Words
    """Of the test, its direction, its kind and its speed (`60/s`)."""
    position: Words
    quantity: str
    """`force`, `torque_per_mass`, `angle`, ...; `any` where only a value is given."""


@cache
def known_tests() -> tuple[KnownTest, ...]:
    """The table of tests, in its order."""
    content = files(__package__).joinpath("device_tests.csv").read_text(encoding="utf-8")
    return tuple(_rule(row) for row in csv.DictReader(content.splitlines()))


def _rule(row: dict[str, str]) -> KnownTest:
    positions = (frozenset[str](),) if row["position"] == "none" else _sets(row["position"])
    protocol = dict([row["protocol"].split("=")]) if row["protocol"] else {}
    outcome: Outcome = "left_out"
    if row["outcome"] != "left_out":
        outcome = "used" if row["outcome"] == "used" else "asked"
    return KnownTest(
        _sets(row["test"]),
        positions,
        frozenset(filter(None, row["quantity"].split("|"))),
        row["measure"] or None,
        outcome,
        row["reason"],
        protocol,
        row["source"],
        (row["test"].replace("|", ", "), row["position"].replace("|", ", ")),
    )


def _sets(cell: str) -> tuple[Words, ...]:
    alternatives = filter(None, cell.split("|"))
    return tuple(frozenset(words.split()) for words in alternatives)


def words_of(*descriptions: str) -> Words:
    """The words of a test, with the speed of an isokinetic one as `60/s` and `/s`."""
    words: set[str] = set()
    for description in descriptions:
        speeds = set(_SPEED.findall(description))
        words |= set(split_words(_SPEED.sub(" ", description)))
        words |= {f"{int(speed)}/s" for speed in speeds} | ({"/s"} if speeds else set())
    return frozenset(words)


def known_as(test: TestDone) -> KnownTest | None:
    """The first line of the table that a test fits; None where the table does not know it."""
    return next((rule for rule in known_tests() if _fits(rule, test)), None)


def _fits(rule: KnownTest, test: TestDone) -> bool:
    if rule.quantities and test.quantity not in rule.quantities:
        return False
    if not any(words <= test.words for words in rule.tests):
        return False
    if rule.positions == (frozenset(),):
        return not test.position
    # A name such as `Squeeze 45` has its position with it.
    stated = test.position | test.words
    return not rule.positions or any(words <= stated for words in rule.positions)


def why(rule: KnownTest, label: str) -> str:
    """Why a test is read as a measure, or left out, for people."""
    if rule.outcome == "left_out":
        return variant("sheet.test.left_out", rule.reason)
    return text("sheet.test.known", label=label)


def question(rule: KnownTest, name: str, label: str) -> str | None:
    """What has to be answered before a test is used, if anything.

    Parameters
    ----------
    rule
        The test as the table has it.
    name
        The name of its column.
    label
        The measure's name for people.

    Returns
    -------
    str or None
        None where the file says enough.
    """
    if rule.outcome != "asked":
        return None
    return variant("sheet.test.asked", rule.reason, name=name, label=label)
