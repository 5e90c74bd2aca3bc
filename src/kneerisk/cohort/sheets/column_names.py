"""What the name of a column says: the measures that it may be, the leg, and the unit.

A name is compared word by word with every way to name a measure; words that few measures share
count for more (inverse document frequency, Spärck Jones 1972).
"""

from __future__ import annotations

import math
import re
from difflib import SequenceMatcher
from functools import cache
from typing import NamedTuple

from kneerisk.cohort.sheets.units import unit_named
from kneerisk.cohort.sheets.vocabulary import (
    Tokens,
    fold,
    known_tokens,
    phrases,
    sides,
    split_words,
    tokens,
    unsided,
)
from kneerisk.schema import Quantity, Side, columns

#: Below this likeness (1: the same words) a name says nothing. Assumption: names that people
#: confirmed or refused would be needed to fit it.
LEAST_LIKENESS = 0.62
#: A misspelt or shortened word counts as this much of a word (assumption).
_NEARLY = 0.85
#: From here on two words are one, misspelt (the share of letters in common; assumption).
_SAME_LETTERS = 0.8
#: A word that no name has weighs as one that this many measures share (assumption).
_UNKNOWN_IN = 6
#: More meanings than these are never worth a question (assumption).
_MOST_MATCHES = 6


class Match(NamedTuple):
    """A measure or role that a name may stand for, and how alike the words are (0 to 1)."""

    means: str
    likeness: float


class Named(NamedTuple):
    """A column's name taken apart."""

    matches: tuple[Match, ...]
    """Likeliest first; none below `LEAST_LIKENESS`."""
    side: Side | None
    unit: str | None


@cache
def read_name(name: str) -> Named:
    """A column's name: its measures, its side and its unit."""
    stripped = name.strip()
    if stripped in columns() or stripped in unsided():
        return _canonical(stripped)
    text, unit = _without_unit(stripped)
    words, side = _without_side(text)
    return Named(_matches(words), side, unit)


def _canonical(name: str) -> Named:
    """A name of the schema itself, which has the unit in it."""
    first, _, rest = name.partition("_")
    is_leg = first in ("left", "right") and name in columns()
    means = rest if is_leg else name
    measure = unsided()[means]
    unit = measure.unit if isinstance(measure, Quantity) else None
    return Named((Match(means, 1.0),), sides()[first] if is_leg else None, unit)


def _without_unit(name: str) -> tuple[str, str | None]:
    """Brackets that hold a unit, or a unit as the last word, or after a comma."""
    for bracket in re.finditer(r"[(\[{]([^)\]}]*)[)\]}]", name):
        if unit := unit_named(bracket[1]):
            return name[: bracket.start()] + " " + name[bracket.end() :], unit
    for gap in re.finditer(r"(?:[\s,;:_]+(?:in\s+)?)(?=\S)", name):
        tail = name[gap.end() :]
        # A single letter says too little outside brackets: it may be short for anything.
        if (unit := unit_named(tail)) and (len(tail) > 1 or tail in "°%mN"):
            return name[: gap.start()], unit
    return name, None


def _without_side(text: str) -> tuple[Tokens, Side | None]:
    side_words = {word for word in split_words(text) if word in sides()}
    named = {sides()[word] for word in side_words}
    if len(named) != 1:
        return tokens(text), None
    return tokens(text) - side_words or tokens(text), named.pop()


def names_only_a_side(name: str) -> bool:
    """Whether a name says nothing but a side, such as `L`."""
    text, _ = _without_unit(name.strip())
    return bool(text) and set(re.findall(r"[^\W_]+", fold(text))) <= set(sides())


@cache
def _weight(word: str) -> float:
    meanings = len(known_tokens().get(word, ())) or _UNKNOWN_IN
    return math.log(1 + len(unsided()) / meanings)


def _matches(words: Tokens) -> tuple[Match, ...]:
    if not words:
        return ()
    best: dict[str, float] = {}
    for means, phrase in phrases():
        likeness = 1.0 if phrase == words else _likeness(words, phrase)
        if likeness >= LEAST_LIKENESS and likeness > best.get(means, 0.0):
            best[means] = likeness
    ranked = sorted(best.items(), key=lambda pair: -pair[1])
    return tuple(Match(*pair) for pair in ranked[:_MOST_MATCHES])


def _likeness(words: Tokens, phrase: Tokens) -> float:
    """Dice's coefficient of two sets of weighted words; under 1 unless they are equal."""
    shared = sum(_weight(part) * max(_alike(part, word) for word in words) for part in phrase)
    shared += sum(_weight(word) * max(_alike(word, part) for part in phrase) for word in words)
    return shared / (sum(map(_weight, words)) + sum(map(_weight, phrase)))


@cache
def _alike(word: str, other: str) -> float:
    if word == other:
        return 1.0
    short, long = sorted((word, other), key=len)
    if len(short) >= 3 and long.startswith(short):
        return _NEARLY
    # Two words that names do use are two words: abduction is no misspelt adduction.
    if len(short) < 5 or (word in known_tokens() and other in known_tokens()):
        return 0.0
    return _NEARLY if SequenceMatcher(None, word, other).ratio() >= _SAME_LETTERS else 0.0
