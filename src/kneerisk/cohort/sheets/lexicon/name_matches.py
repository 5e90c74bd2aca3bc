"""Which measures a name of some words may be, compared word by word with every way to name one.

Words that few measures share count for more (inverse document frequency, Spärck Jones 1972).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from kneerisk.cohort.sheets.lexicon.alike_words import Alike, alike_words, known_tokens
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    DATE,
    ROLES,
    SIDE,
    Tokens,
    denied,
    phrases,
    unsided,
    words_for,
)
from kneerisk.schema.own_measures import per_schema

#: Below this likeness (1: the same words) a name says nothing. Assumption: names that people
#: confirmed or refused would be needed to fit it.
LEAST_LIKENESS = 0.62
#: A word that no name has weighs as one that this many measures share (assumption).
_UNKNOWN_IN = 6
#: More meanings than these are never worth a question (assumption).
_MOST_MATCHES = 6


class Match(NamedTuple):
    """A measure or role that a name may stand for, and how alike the words are (0 to 1)."""

    means: str
    likeness: float
    needs_unit: bool = False
    """Whether these words alone are not enough."""
    is_whole: bool = False
    """Whether the word that may be a unit is one of the name: `sessions per week`."""
    has_more: bool = False
    """Whether the name has words besides, which may make it another quantity's: `Father height`."""
    is_own: bool = False
    """Whether it is the schema's own name, which has the unit in it."""


@per_schema
def _phrases_of() -> Mapping[str, tuple[int, ...]]:
    """Every word of the names of measures, and which of `phrases` have it."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, (_, phrase, _) in enumerate(phrases()):
        for word in phrase:
            places[word].append(at)
    return {word: tuple(at) for word, at in places.items()}


@per_schema
def _weights() -> Mapping[str, float]:
    return {word: _rarity(len(meanings)) for word, meanings in known_tokens().items()}


def _rarity(meanings: int) -> float:
    return math.log(1 + len(unsided()) / meanings)


def _weight(word: str) -> float:
    return _weights().get(word) or _rarity(_UNKNOWN_IN)


def matches_of(words: Tokens) -> tuple[Match, ...]:
    """The meanings of a name; only phrases that share a word with it are looked at."""
    alike = {word: alike_words(word) for word in words}
    shared = {part for parts in alike.values() for part in parts}
    best: dict[str, Match] = {}
    for at in sorted({at for part in shared for at in _phrases_of()[part]}):
        means, phrase, is_enough = phrases()[at]
        own = words_for(means, words)
        likeness = 1.0 if phrase == own else _likeness({w: alike[w] for w in own}, phrase)
        if likeness < LEAST_LIKENESS or _is_denied(means, words, phrase, alike):
            continue
        found = Match(
            means, likeness, needs_unit=not is_enough, has_more=bool(_over(own, phrase, alike))
        )
        if means not in best or (likeness, is_enough) > _worth(best[means]):
            best[means] = found
    order = {means: at for at, means in enumerate(unsided() | dict.fromkeys(ROLES))}
    ranked = sorted(best.values(), key=lambda match: (-match.likeness, order[match.means]))
    return tuple(ranked[:_MOST_MATCHES])


def _worth(match: Match) -> tuple[float, bool]:
    return match.likeness, not match.needs_unit


def _is_denied(means: str, words: Tokens, phrase: Tokens, alike: Mapping[str, Alike]) -> bool:
    """Whether a word that the phrase has not says that another quantity is meant."""
    if means in ROLES and means not in {DATE, SIDE}:
        return False
    return not _over(words, phrase, alike).isdisjoint(denied(means))


def _over(words: Tokens, phrase: Tokens, alike: Mapping[str, Alike]) -> Tokens:
    """The words of a name that a phrase has not."""
    return frozenset(w for w in words if not any(part in phrase for part in alike[w]))


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
