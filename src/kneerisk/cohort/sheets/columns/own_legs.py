"""Legs named by what they are to the athlete: the dominant or the other one, the injured or not.

Which leg that is differs from athlete to athlete, so that such a name tells a leg only together
with a column that says it (`device_exports.legs_by_athlete`). Kicking, preferred and dominant are
one leg (van Melick 2017 PLoS ONE: the leg that kicks a ball), and so are injured, operated and
involved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple, get_args

from kneerisk.cohort.sheets.cells.cell_text import as_text
from kneerisk.cohort.sheets.lexicon.folded_text import fold, spaced, split_words
from kneerisk.cohort.sheets.lexicon.languages import entries, plain_words
from kneerisk.cohort.sheets.lexicon.vocabulary import SIDE, answers, side_codes, sides
from kneerisk.schema import Side

OwnLeg = Literal["dominant", "non_dominant", "involved", "uninvolved"]
#: The leg that a column tells, of each pair.
Told = Literal["dominant", "involved"]

OTHER: Mapping[OwnLeg, OwnLeg] = {
    "dominant": "non_dominant", "non_dominant": "dominant",
    "involved": "uninvolved", "uninvolved": "involved",
}  # fmt: skip
_TOLD_BY: Mapping[OwnLeg, Told] = {
    "dominant": "dominant", "non_dominant": "dominant",
    "involved": "involved", "uninvolved": "involved",
}  # fmt: skip
#: The row of the tables of words.
_MEANS = "own_leg"
_WORD = re.compile(r"[^\W_]+")
#: No phrase of the tables has more words.
_MOST_WORDS = 4
#: A longer name is a paragraph and says nothing (as `column_names.LONGEST_NAME`).
_LONGEST_NAME = 300
#: So many names are remembered, since sheets repeat them: one sheet's (assumption).
_NAMES_KEPT = 512


class NamedLeg(NamedTuple):
    """A name taken apart: the leg, and what is left of the name."""

    leg: OwnLeg
    rest: str
    without_noun: str
    """The rest without `leg` or `limb` beside the word: of `Dominant leg SLR`, `SLR`."""


def told_by(leg: OwnLeg) -> Told:
    """Which leg has to be told of each athlete for one to be known: of the other one, its other."""
    return _TOLD_BY[leg]


def leg_of(leg: OwnLeg, told: Side) -> Side:
    """The side of a leg, where its pair's first is on the side that is told."""
    if leg == told_by(leg):
        return told
    return "right" if told == "left" else "left"


@cache
def _phrases() -> Mapping[tuple[str, ...], tuple[OwnLeg, bool]]:
    """The words for each leg, folded, and whether they are enough without a counterpart."""
    return {
        tuple(split_words(phrase)): (leg, is_enough)
        for leg in get_args(OwnLeg)
        for phrase, is_enough in entries().get((_MEANS, leg), {}).items()
    }


@cache
def _nouns() -> frozenset[str]:
    return frozenset(fold(word) for word in entries()[_MEANS, "noun"])


@lru_cache(maxsize=_NAMES_KEPT)
def _found(name: str) -> tuple[tuple[NamedLeg, bool], ...]:
    """Every leg that a name may be about, and whether its words are enough."""
    if len(name) > _LONGEST_NAME:
        return ()
    text = spaced(name)
    words = [(fold(word[0]), word.start(), word.end()) for word in _WORD.finditer(text)]
    found: list[tuple[NamedLeg, bool]] = []
    at = 0
    while at < len(words):
        longest = min(_MOST_WORDS, len(words) - at)
        known = (n for n in range(longest, 0, -1) if _phrase(words, at, n) in _phrases())
        length = next(known, 0)
        if length:
            leg, is_enough = _phrases()[_phrase(words, at, length)]
            found.append((NamedLeg(leg, *_without(text, words, at, length)), is_enough))
        at += max(1, length)
    return tuple(found)


def _phrase(words: Sequence[tuple[str, int, int]], at: int, length: int) -> tuple[str, ...]:
    return tuple(word for word, _, _ in words[at : at + length])


def _without(
    text: str, words: Sequence[tuple[str, int, int]], at: int, length: int
) -> tuple[str, str]:
    """A name without some of its words, and without the word for a leg beside them."""
    first, last = at, at + length - 1
    rest = _cut(text, words[first][1], words[last][2])
    if last + 1 < len(words) and words[last + 1][0] in _nouns():
        last += 1
    elif first > 0 and words[first - 1][0] in _nouns():
        first -= 1
    return rest, _cut(text, words[first][1], words[last][2])


def _cut(text: str, start: int, end: int) -> str:
    left = re.sub(r"[(\[{]\s*[)\]}]", " ", f"{text[:start].rstrip(' -')} {text[end:]}")
    return " ".join(left.split()).strip(" -,;:/")


def own_leg_in(name: str) -> NamedLeg | None:
    """The leg that a name tells by itself; None where it tells none, or both of a pair."""
    found = _found(name)
    sure = [one for one, is_enough in found if is_enough]
    return sure[0] if len(sure) == 1 else None


def own_legs_of(names: Sequence[str]) -> list[NamedLeg | None]:
    """The leg that each name of a sheet tells by itself or beside its counterpart.

    Parameters
    ----------
    names
        The names of a sheet's columns.

    Returns
    -------
    list
        One a name: `D` is a leg where another name has `ND` in its place.
    """
    known = {(one.leg, fold(one.rest)) for name in names for one, _ in _found(name)}
    return [own_leg_in(name) or next(_beside_its_other(name, known), None) for name in names]


def _beside_its_other(name: str, known: set[tuple[OwnLeg, str]]) -> Iterator[NamedLeg]:
    for one, _ in _found(name):
        if (OTHER[one.leg], fold(one.rest)) in known:
            yield one


@cache
def _told_names() -> Mapping[tuple[str, ...], Told]:
    """Whole names of columns that say which leg it is."""
    return {
        tuple(split_words(phrase)): told
        for told in get_args(Told)
        for phrase in entries()[_MEANS, f"told_{told}"]
    }


def leg_told_in(name: str) -> Told | None:
    """Which leg a column tells by its name: `Dominant leg`, `Injured side`; None for any other."""
    if len(name) > _LONGEST_NAME:
        return None
    if told := _told_names().get(tuple(split_words(name))):
        return told
    one = own_leg_in(name)
    if one is None or one.leg != told_by(one.leg):
        return None
    left = set(split_words(one.rest)) - plain_words("article") - _nouns()
    return None if left else told_by(one.leg)


def telling_legs(names: Sequence[str]) -> list[Told | None]:
    """Which leg each column of a sheet tells; `Dominant` beside `Non-dominant` tells none."""
    found = [own_leg_in(name) for name in names]
    held = {(one.leg, fold(one.rest)) for one in found if one}
    return [
        None if one and (OTHER[one.leg], fold(one.rest)) in held else leg_told_in(name)
        for name, one in zip(names, found, strict=True)
    ]


def side_told(cell: Any) -> Side | Literal["both"] | None:
    """The leg that a cell says: `R`, `links`, `pie derecho`; None where it says none."""
    known = answers(SIDE)
    entry = fold(as_text(cell))
    if entry in known:
        return _as_side(known[entry])
    legs = {sides().get(word) or side_codes().get(word) for word in split_words(entry)} - {None}
    return _as_side(legs.pop()) if len(legs) == 1 else None


def _as_side(told: str | None) -> Side | Literal["both"] | None:
    found: dict[str | None, Side | Literal["both"]] = {
        "left": "left", "right": "right", "both": "both"}  # fmt: skip
    return found.get(told)
