"""What the name of a column tells: measures that it may be, the leg, and the unit.

A name is compared word by word with every way to name a measure; words that few measures share
count for more (inverse document frequency, Sparck Jones 1972).
"""

from __future__ import annotations

import math
import re
from difflib import SequenceMatcher
from functools import cache
from typing import NamedTuple

from kneerisk.cohort.sheets.folding import fold
from kneerisk.cohort.sheets.recognise.vocabulary import (
    Tokens,
    known_tokens,
    leg_names,
    phrases,
    sides,
    tokens,
    unsided,
)
from kneerisk.cohort.sheets.units import unit_named
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
def name_read(name: str) -> Named:
    """A column's name: its measures, its side and its unit."""
    plain = name.strip()
    if plain in columns() or plain in unsided():
        side, _, rest = plain.partition("_")
        own = side if side in ("left", "right") and plain in columns() else None
        means = rest if own else plain
        measure = unsided()[means]
        # The unit is in the name.
        unit = measure.unit if isinstance(measure, Quantity) else None
        return Named((Match(means, 1.0),), _side(own), unit)
    text, unit = _without_unit(plain)
    words, side_word = _without_side(text)
    return Named(_matches(words), side_word, unit)


def _side(word: str | None) -> Side | None:
    return None if word is None else sides()[word]


def _without_unit(name: str) -> tuple[str, str | None]:
    """Brackets that hold a unit, or a unit as the last word, or after a comma."""
    for found in re.finditer(r"[(\[{]([^)\]}]*)[)\]}]", name):
        if unit := unit_named(found[1]):
            return name[: found.start()] + " " + name[found.end() :], unit
    for found in re.finditer(r"(?:[\s,;:_]+(?:in\s+)?)(?=\S)", name):
        tail = name[found.end() :]
        # A single letter says too little outside brackets: it may be short for anything.
        if (unit := unit_named(tail)) and (len(tail) > 1 or tail in "°%mN"):
            return name[: found.start()], unit
    return name, None


def _without_side(text: str) -> tuple[Tokens, Side | None]:
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", text)
    found = [word for word in re.findall(r"[^\W_]+", fold(apart)) if word in sides()]
    named = {sides()[word] for word in found}
    if len(named) != 1 or not tokens(text) - set(found):
        return tokens(text), next(iter(named)) if len(named) == 1 else None
    return tokens(text) - set(found), named.pop()


def only_side(name: str) -> bool:
    """Whether a name says nothing but a side, such as `L`."""
    text, _ = _without_unit(name.strip())
    return bool(text) and set(re.findall(r"[^\W_]+", fold(text))) <= set(sides())


@cache
def _weight(word: str) -> float:
    of = len(known_tokens().get(word, ())) or _UNKNOWN_IN
    return math.log(1 + len(unsided()) / of)


def _matches(words: Tokens) -> tuple[Match, ...]:
    if not words:
        return ()
    best: dict[str, float] = {}
    for means, phrase in phrases():
        likeness = 1.0 if phrase == words else _likeness(words, phrase)
        if likeness >= LEAST_LIKENESS and likeness > best.get(means, 0.0):
            best[means] = likeness
    ranked = sorted(best.items(), key=lambda pair: -pair[1])
    return tuple(Match(*pair) for pair in ranked[:6])


def _likeness(words: Tokens, phrase: Tokens) -> float:
    """Dice's coefficient of two sets of weighted words; under 1 unless they are equal."""
    shared = sum(_weight(part) * max(_alike(part, word) for word in words) for part in phrase)
    shared += sum(_weight(word) * max(_alike(word, part) for part in phrase) for word in words)
    return shared / (sum(map(_weight, words)) + sum(map(_weight, phrase)))


@cache
def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) >= 3 and long.startswith(short):
        return _NEARLY
    # Two words that names do use are two words: abduction is no misspelt adduction.
    if len(short) < 5 or (one in known_tokens() and other in known_tokens()):
        return 0.0
    return _NEARLY if SequenceMatcher(None, one, other).ratio() >= _SAME_LETTERS else 0.0


def is_leg(means: str) -> bool:
    """Whether each leg has a measure of this name."""
    return means in leg_names()
