"""The words that sheets use for measures, legs and answers, and how words and names compare.

The schema's own names and labels come first. What else people write stands in a table for each
language (`languages`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal

from kneerisk.cohort.sheets.lexicon.folded_text import fold, split_words
from kneerisk.cohort.sheets.lexicon.languages import (
    ENGLISH,
    Languages,
    entries,
    plain_words,
    tables,
    words_of,
)
from kneerisk.schema import Category, Measure, Side, columns, leg_measures, measures_of
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import SQUEEZED_TOGETHER
from kneerisk.schema.sections import RED_FLAGS, LegPain

ATHLETE, DATE, BIRTH = "athlete_id", "screening_date", "birth_date"
SIDE, FLAGS = "side", "red_flags"
#: The measure that a date of birth tells, with the date of the screening.
AGE = "age_years"
SEX = "sex"
#: The measure that forces and torques are divided by.
MASS = "mass_kg"
#: What a column may mean besides a measure.
ROLES = (ATHLETE, DATE, BIRTH, SIDE, FLAGS)
#: Every question with the answers yes and no shares the words of this one.
_YES_NO = "osteoarthritis"
#: Accents of the European scripts. The marks of other scripts (Japanese dakuten, Devanagari vowel
#: signs) make another letter, so they are kept.
_FIRST_ACCENT, _LAST_ACCENT = "\u0300", "\u036f"
_APOSTROPHES = frozenset("'\u2019\u02bc\u0060\u00b4")

Tokens = frozenset[str]
#: The leg of a column, or both where it has one value for them.
Legs = Side | Literal["both"]


def athlete_key(name: str) -> str:
    """What tells one athlete from another, however the name or id is spelled.

    Capitals, accents, blanks and punctuation don't count: `José Peña`, `JOSE  PENA` and
    `Jose-Pena` are one person. The order of the parts does, and a punctuation mark still parts
    two of them, so that `1-11` and `11-1` stay two athletes.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    key = " ".join(decomposed.translate(_AS_KEY).split())
    # An id of nothing but punctuation has no key but itself.
    return key or name


class _AsKey(dict[int, str]):
    """What each character is in a key, looked up once for each that occurs."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        if character in _APOSTROPHES or kind == "Cf" or _FIRST_ACCENT <= character <= _LAST_ACCENT:
            self[code] = ""
        else:
            self[code] = " " if kind.startswith(("P", "Z")) else character
        return self[code]


_AS_KEY = _AsKey()


@per_schema
def leg_names() -> dict[str, Measure]:
    """Measures that each leg has, by their name without a side."""
    return leg_measures() | measures_of(LegPain)


def side_held(means: str, side: Legs | None, rows_are_legs: bool) -> Legs | None:
    """The leg of a column; a reading of both legs that names none stands in the left one's.

    Parameters
    ----------
    means
        The measure without its side.
    side
        The leg that the column names, if any.
    rows_are_legs
        Whether the sheet has a row for each leg.

    Returns
    -------
    The leg, or None where the column is of no leg.
    """
    if side is None and means in SQUEEZED_TOGETHER and not rows_are_legs:
        return "left"
    return side


@per_schema
def unsided() -> dict[str, Measure]:
    """Every measure by its name without a side."""
    sided = {f"{side}_{name}" for side in ("left", "right") for name in leg_names()}
    unpaired = {name: measure for name, measure in columns().items() if name not in sided}
    return unpaired | leg_names()


@cache
def sides() -> Mapping[str, Side]:
    """A folded word for a leg that is one wherever it stands, to its side."""
    return _sides(enough=True)


@cache
def side_codes() -> Mapping[str, Side]:
    """Short words for a leg that may be another word: `der`, `re`, `d`, to their side."""
    return {word: side for word, side in _sides(enough=False).items() if word not in sides()}


def _sides(*, enough: bool) -> dict[str, Side]:
    by_word: dict[str, Side] = {}
    side: Side
    for side in ("left", "right"):
        known = entries()[SIDE, side]
        by_word |= {fold(word): side for word, is_enough in known.items() if is_enough == enough}
    return by_word


@per_schema
def answers(means: str) -> Mapping[str, str]:
    """What the folded words of a column of answers stand for, whatever the language."""
    if means == FLAGS:
        return _schema_words(RED_FLAGS)
    if means == SIDE:
        both = {fold(word): "both" for word in words_of(SIDE, "both")}
        return {**both, **side_codes(), **sides()}
    measure = unsided().get(means)
    if not isinstance(measure, Category):
        return {}
    named = means if set(measure.choices) != {"no", "yes"} else _YES_NO
    by_word = {fold(word): choice for choice in measure.choices for word in words_of(named, choice)}
    return by_word | _schema_words(measure.choices)


def answers_in(
    means: str, words: Iterable[str], languages: Languages = ENGLISH
) -> Mapping[str, str]:
    """What a column's words stand for; letters for a sex depend on the others and the language.

    Parameters
    ----------
    means
        A category, or a role with answers.
    words
        The folded words of the column.
    languages
        Those of the column's name, or of the names of the sheet.

    Returns
    -------
    Mapping
        The choice of every word that is known.
    """
    known = answers(means)
    if means != SEX:
        return known
    letters = {word.rstrip(".") for word in words}
    letters = {word for word in letters if len(word) == 1 and word.isalpha()}
    by_letter = _sexes(frozenset(letters), languages)
    return {**known, **by_letter, **{f"{letter}.": sex for letter, sex in by_letter.items()}}


def _sexes(letters: frozenset[str], languages: Languages) -> dict[str, str]:
    """What letters for a sex stand for; none where the language leaves it open.

    In Spanish, m is masculino beside f, and mujer beside h.
    """
    for considered in (languages, tables().keys()):
        systems = [
            dict(zip(system, ("male", "female", "unspecified"), strict=False))
            for language in considered
            for system in tables()[language].get((SEX, "letters"), ())
        ]
        fitting = [system for system in systems if letters <= system.keys()]
        if fitting:
            meanings = {letter: {system[letter] for system in fitting} for letter in letters}
            return {letter: min(sex) for letter, sex in meanings.items() if len(sex) == 1}
    return {}


@per_schema
def denied(means: str) -> frozenset[str]:
    """Words that make a name one of another quantity: an asymmetry is no strength."""
    own = {word for name, words, _ in phrases() if name == means for word in words}
    listed = (*words_of("any", "not"), *words_of(means, "not"))
    return frozenset(fold(word) for word in listed) - own


def _schema_words(names: Iterable[str]) -> dict[str, str]:
    """The schema's own names, folded, with underscores and with blanks."""
    return {fold(form): name for name in names for form in (name, name.replace("_", " "))}


def tokens(text: str) -> Tokens:
    """The words of a name, folded; `kneeToWall`, `knee_to_wall` and `Knee-to-wall` are the same."""
    words = frozenset(split_words(text))
    return words - plain_words("article") or words


def words_for(means: str, words: Tokens) -> Tokens:
    """The words of a name that count where it may mean something.

    Of a test, `max` and `best` say which trial; of anything else they say another thing. Whose
    measure it is (`Player age`) matters only to a column that names athletes.
    """
    if means in ROLES:
        return words
    if means in leg_names():
        words = words - plain_words("trial") or words
    return words - plain_words("owner") or words


@per_schema
def phrases() -> tuple[tuple[str, Tokens, bool], ...]:
    """Every way to name a measure or a role, and whether it is enough without a unit."""
    names: dict[tuple[str, Tokens], bool] = {}

    def add(means: str, name: str, *, is_enough: bool = True) -> None:
        key = (means, words_for(means, tokens(name)))
        names[key] = names.get(key, False) or is_enough

    for name, measure in unsided().items():
        add(name, name)
        add(name, measure.label)
    for (means, choice), known in entries().items():
        if not choice and (means in ROLES or means in unsided()):
            for word, is_enough in known.items():
                add(means, word, is_enough=is_enough)
    return tuple((means, words, is_enough) for (means, words), is_enough in names.items())
