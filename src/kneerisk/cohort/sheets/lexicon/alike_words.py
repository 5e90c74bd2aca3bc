"""Words of our names that a word of a sheet may be: the same, a misspelt or a shortened one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.lexicon.folded_text import fold
from kneerisk.cohort.sheets.lexicon.languages import words_of
from kneerisk.cohort.sheets.lexicon.vocabulary import phrases
from kneerisk.schema.own_measures import per_schema, per_schema_at_most

#: A misspelt or shortened word counts as this much of a word (assumption).
_NEARLY = 0.85
#: From here on two words are one, misspelt (the share of letters in common; assumption).
_SAME_LETTERS = 0.8
#: A longer word is no misspelt one of ours: the longest of them has 23 letters.
_LONGEST_WORD = 40
#: So many words are remembered, since sheets repeat them: one sheet's (assumption).
_WORDS_KEPT = 2_048

Alike = Mapping[str, tuple[float, float]]
"""Words of our names, and how much of it a word is, seen from them and from it."""


@per_schema
def known_tokens() -> Mapping[str, frozenset[str]]:
    """Every word of a name, and what it is a part of."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for means, words, _ in phrases():
        for word in words:
            meanings[word].add(means)
    return {word: frozenset(means) for word, means in meanings.items()}


@per_schema_at_most(_WORDS_KEPT)
def _alike_short_word(word: str) -> Alike:
    return {
        part: likenesses
        for part in _candidates(word)
        if any(likenesses := (_alike(part, word), _alike(word, part)))
    }


def alike_words(word: str) -> Alike:
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


@cache
def _says_otherwise() -> frozenset[str]:
    """Words that are none of ours misspelt: `Sprung` is no short `Sprunggelenk`."""
    return frozenset(fold(word) for word in words_of("any", "not"))


def _alike(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if _says_otherwise() & {word, other}:
        return 0.0
    short, long = sorted((word, other), key=len)
    if len(short) >= 3 and long.startswith(short):
        return _NEARLY
    # Two words that names of different measures use are two: abduction is no misspelt adduction.
    own, others = known_tokens().get(word), known_tokens().get(other)
    if len(short) < 5 or (own and others and not (own <= others or others <= own)):
        return 0.0
    return _NEARLY if SequenceMatcher(None, word, other).ratio() >= _SAME_LETTERS else 0.0
