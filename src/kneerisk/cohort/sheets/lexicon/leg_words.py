"""Which leg the names of columns tell: words that always do, and codes that do among others.

`der` is right in Spanish and an article in German, `re` is right in German and means again
elsewhere, `d` is right in five languages. Such a code counts where another name differs from this
one in nothing but the other side, or at an end of a name in its own language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from kneerisk.cohort.sheets.lexicon.folded_text import fold, split_words
from kneerisk.cohort.sheets.lexicon.languages import (
    ENGLISH,
    Languages,
    is_enough,
    tables,
    without_mark,
)
from kneerisk.cohort.sheets.lexicon.name_units import BRACKETS, without_unit
from kneerisk.cohort.sheets.lexicon.vocabulary import SIDE, phrases, side_codes, sides
from kneerisk.schema.own_measures import per_schema

#: A letter before an apostrophe is an article: `l'abduction`.
_ELIDED = re.compile(r"\b[^\W\d_]['\u2019](?=\w)")


def leg_words(name: str) -> list[str]:
    """The folded words of a name, among which those for a leg are looked for."""
    return split_words(_ELIDED.sub(" ", name))


@cache
def _codes() -> dict[str, dict[str, dict[str, bool]]]:
    """Of each language the words for each side, and whether each is enough by itself."""
    return {
        language: {
            side: {
                fold(without_mark(word)): is_enough(word) for word in table.get((SIDE, side), ())
            }
            for side in ("left", "right")
        }
        for language, table in tables().items()
    }


def codes_of(names: Sequence[str], languages: Languages) -> list[str | None]:
    """The code for a leg in each name, where it is one.

    Parameters
    ----------
    names
        The names of a sheet's columns.
    languages
        The languages that they are written in.

    Returns
    -------
    list
        One folded word a name, or None.
    """
    words = [tuple(leg_words(name)) for name in names]
    known = set(words)
    return [
        _code(name, own, known, languages) if side_codes().keys() & own else None
        for name, own in zip(names, words, strict=True)
    ]


def _code(
    name: str, words: tuple[str, ...], known: set[tuple[str, ...]], languages: Languages
) -> str | None:
    if any(word in sides() for word in words):
        return None
    for at, word in enumerate(words):
        if any((*words[:at], other, *words[at + 1 :]) in known for other in _opposites(word)):
            return word
    own = [code for language in languages - ENGLISH for code in _weak(language)]
    # `VAS` is a scale of pain too: beside no counterpart it tells no leg.
    own = [code for code in own if code not in _names_alone()]
    at_ends = {words[0], words[-1], *map(fold, BRACKETS.findall(name)), *_last_before_unit(name)}
    return next((word for word in words if word in own and word in at_ends), None)


@per_schema
def _names_alone() -> frozenset[str]:
    """Words that name something by themselves."""
    return frozenset(word for _, words, _ in phrases() if len(words) == 1 for word in words)


def _weak(language: str) -> Iterator[str]:
    for words in _codes()[language].values():
        yield from (word for word, is_enough in words.items() if not is_enough)


def _opposites(word: str) -> Iterator[str]:
    """The words for the other side in each language in which a word is a code."""
    for of_language in _codes().values():
        for side, other in (("left", "right"), ("right", "left")):
            if of_language[side].get(word) is False:
                yield from of_language[other]


def _last_before_unit(name: str) -> list[str]:
    """The last word in front of a unit, or of the first bracket."""
    plain, _ = without_unit(name, side_codes())
    return [*leg_words(plain)[-1:], *leg_words(plain.partition("(")[0].partition("[")[0])[-1:]]
