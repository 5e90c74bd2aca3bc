"""What the name of a column says: the measures that it may be, the leg, and the unit.

A name is compared word by word with every way to name a measure; words that few measures share
count for more (inverse document frequency, Spärck Jones 1972).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.units import unit_named
from kneerisk.cohort.sheets.vocabulary import (
    ROLES,
    Tokens,
    fold,
    phrases,
    sides,
    split_words,
    tokens,
    unsided,
)
from kneerisk.schema import Quantity, Side, columns
from kneerisk.schema.own_measures import per_schema, per_schema_at_most

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
#: A longer name, or one of more words, is a paragraph and says nothing (assumption: the questions
#: of web forms, which become names of columns, stay below). It also bounds what is remembered.
LONGEST_NAME, _MOST_WORDS = 300, 40
#: A longer word is no misspelt one of ours: the longest of them has 23 letters.
_LONGEST_WORD = 40
#: So many names and words are remembered, since sheets repeat them: one sheet's (assumption).
_NAMES_KEPT, _WORDS_KEPT = 512, 2_048
#: Brackets with no other bracket inside, so that a row of opening ones is passed in one go.
_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
#: What may part a name and a unit behind it, with a word in between: `Height in cm`.
_GAP = re.compile(r"(?:[\s,;:_]+(?:in\s+)?)(?=\S)")


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


@per_schema_at_most(_NAMES_KEPT)
def _read_name(name: str) -> Named:
    if name in columns() or name in unsided():
        return _canonical(name)
    text, unit = _without_unit(name)
    words, side = _without_side(text)
    return Named(_matches(words) if len(words) <= _MOST_WORDS else (), side, unit)


def read_name(name: str) -> Named:
    """A column's name: its measures, its side and its unit; of a paragraph none of them."""
    stripped = name.strip()
    return Named((), None, None) if len(stripped) > LONGEST_NAME else _read_name(stripped)


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
    for bracket in _BRACKETS.finditer(name):
        if unit := unit_named(bracket[1]):
            return name[: bracket.start()] + " " + name[bracket.end() :], unit
    for gap in _GAP.finditer(name):
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
    if len(name) > LONGEST_NAME:
        return False
    text, _ = _without_unit(name.strip())
    return bool(text) and set(re.findall(r"[^\W_]+", fold(text))) <= set(sides())


@per_schema
def _phrases_of() -> Mapping[str, tuple[int, ...]]:
    """Every word of the names of measures, and which of `phrases` have it."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, (_, phrase) in enumerate(phrases()):
        for word in phrase:
            places[word].append(at)
    return {word: tuple(at) for word, at in places.items()}


@per_schema
def known_tokens() -> Mapping[str, frozenset[str]]:
    """Every word of a name, and what it is a part of."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for means, words in phrases():
        for word in words:
            meanings[word].add(means)
    return {word: frozenset(means) for word, means in meanings.items()}


@per_schema
def _weights() -> Mapping[str, float]:
    return {word: _rarity(len(meanings)) for word, meanings in known_tokens().items()}


def _rarity(meanings: int) -> float:
    return math.log(1 + len(unsided()) / meanings)


def _weight(word: str) -> float:
    return _weights().get(word) or _rarity(_UNKNOWN_IN)


def _matches(words: Tokens) -> tuple[Match, ...]:
    """The meanings of a name; only phrases that share a word with it are looked at."""
    alike = {word: _alike_words(word) for word in words}
    shared = {part for parts in alike.values() for part in parts}
    best: dict[str, float] = {}
    for at in {at for part in shared for at in _phrases_of()[part]}:
        means, phrase = phrases()[at]
        likeness = 1.0 if phrase == words else _likeness(alike, phrase)
        if likeness >= LEAST_LIKENESS and likeness > best.get(means, 0.0):
            best[means] = likeness
    order = {means: at for at, means in enumerate(unsided() | dict.fromkeys(ROLES))}
    ranked = sorted(best.items(), key=lambda pair: (-pair[1], order[pair[0]]))
    return tuple(Match(*pair) for pair in ranked[:_MOST_MATCHES])


Alike = Mapping[str, tuple[float, float]]


def _likeness(alike: Mapping[str, Alike], phrase: Tokens) -> float:
    """Dice's coefficient of two sets of weighted words; under 1 unless they are equal."""
    shared = total = 0.0
    for part in phrase:
        weight = _weight(part)
        total += weight
        shared += weight * max(parts[part][0] if part in parts else 0.0 for parts in alike.values())
    for word, parts in alike.items():
        weight = _weight(word)
        total += weight
        shared += weight * max(parts[part][1] if part in parts else 0.0 for part in phrase)
    return shared / total


@per_schema_at_most(_WORDS_KEPT)
def _alike_short_word(word: str) -> Alike:
    return {
        part: likenesses
        for part in _candidates(word)
        if any(likenesses := (_alike(part, word), _alike(word, part)))
    }


def _alike_words(word: str) -> Alike:
    """The words of our names that a word may stand for, seen from them and from it."""
    return {} if len(word) > _LONGEST_WORD else _alike_short_word(word)


@per_schema
def _spellings() -> tuple[tuple[str, ...], NDArray[np.int_], NDArray[np.int_]]:
    """The words of our names, how often each has each letter, and their lengths."""
    words = tuple(known_tokens())
    letters = np.array([_letters(word) for word in words])
    return words, letters, letters.sum(axis=1)


def _letters(word: str) -> NDArray[np.int_]:
    """How often a word has each letter; those of other scripts share the places of ours."""
    return np.bincount([ord(letter) % 32 for letter in word], minlength=32)


def _candidates(word: str) -> list[str]:
    """The words of our names that begin alike, or have letters enough in common to be one."""
    words, letters, lengths = _spellings()
    common = np.minimum(letters, _letters(word)).sum(axis=1)
    is_near = 2.0 * common >= _SAME_LETTERS * (lengths + len(word))
    # One that begins with the other has all letters of the shorter.
    is_near |= common == np.minimum(lengths, len(word))
    return [words[at] for at in np.flatnonzero(is_near)]


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
