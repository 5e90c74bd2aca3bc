"""Words of a heading that say that a test was done again: `re-test`, `post`, `Nachtest`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from kneerisk.cohort.sheets.lexicon.folded_text import fold, spaced, split_words
from kneerisk.cohort.sheets.lexicon.languages import entries

Visit = Literal["first", "later"]

_WORD = re.compile(r"[^\W_]+")
#: A longer name is a paragraph and says nothing (as `column_names.LONGEST_NAME`).
_LONGEST_NAME = 300
#: No phrase of the tables has more words.
_MOST_WORDS = 3
#: So many names are remembered, since sheets repeat them: one sheet's (assumption).
_NAMES_KEPT = 512


class NamedVisit(NamedTuple):
    """Which of two visits a heading is of, and what is left of it."""

    visit: Visit
    rest: str


@cache
def _phrases() -> Mapping[tuple[str, ...], Visit]:
    choices: tuple[Visit, ...] = ("first", "later")
    return {tuple(split_words(p)): choice for choice in choices for p in entries()["visit", choice]}


@lru_cache(maxsize=_NAMES_KEPT)
def visit_named(name: str) -> NamedVisit | None:
    """The visit that a heading names; None where it names none."""
    if len(name) > _LONGEST_NAME:
        return None
    plain = spaced(name)
    words = [(fold(word[0]), word.start(), word.end()) for word in _WORD.finditer(plain)]
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        for at in range(len(words) - length + 1):
            phrase = tuple(word for word, _, _ in words[at : at + length])
            if visit := _phrases().get(phrase):
                start, end = words[at][1], words[at + length - 1][2]
                return NamedVisit(visit, _cut(plain, start, end))
    return None


def _cut(name: str, start: int, end: int) -> str:
    left = f"{name[:start].rstrip(' -')} {name[end:]}"
    left = re.sub(r"[(\[{]\s*[)\]}]", " ", left)
    return " ".join(left.split()).strip(" -,;:/")
