"""The words that sheets use for measures, legs and answers, and how words and names compare.

The schema's own names and labels come first. What else people write is listed in
`column_words.csv`: English and German and, for the commonest measures, French and Spanish.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

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


def fold(text: str) -> str:
    """Lower case without accents or repeated blanks, so that `Größe` and `GROSSE` are one word."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def without_blanks(text: str) -> str:
    """A folded text without any blank: how units are compared."""
    return fold(text).replace(" ", "")


def athlete_key(name: str) -> str:
    """What tells one athlete from another, however the name or id is spelled.

    Capitals, accents, blanks and punctuation don't count: `José Peña`, `JOSE  PENA` and
    `Jose-Pena` are one person. The order of the parts does, and a punctuation mark still parts
    two of them, so that `1-11` and `11-1` stay two athletes.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    letters = (c for c in decomposed if not _FIRST_ACCENT <= c <= _LAST_ACCENT)
    key = " ".join("".join(map(_as_key, letters)).split())
    # An id of nothing but punctuation has no key but itself.
    return key or name


def _as_key(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _APOSTROPHES or kind == "Cf":
        return ""
    return " " if kind.startswith(("P", "Z")) else character


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    text = files(__package__).joinpath("column_words.csv").read_text(encoding="utf-8")
    return {
        (row["means"], row["choice"]): tuple(row["words"].split("|"))
        for row in csv.DictReader(text.splitlines())
    }


def _choices_of(means: str) -> dict[str, tuple[str, ...]]:
    return {choice: words for (name, choice), words in _table().items() if name == means and choice}


@per_schema
def leg_names() -> dict[str, Measure]:
    """Measures that each leg has, by their name without a side."""
    return leg_measures() | measures_of(LegPain)


def side_held(means: str, side: Side | None, rows_are_legs: bool) -> Side | None:
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
    """A word for a leg, folded, to its side."""
    by_word: dict[str, Side] = {}
    side: Side
    for side in ("left", "right"):
        by_word |= {fold(word): side for word in _table()[SIDE, side]}
    return by_word


@cache
def plain_words(kind: str) -> frozenset[str]:
    """The folded words of one of the kinds without a choice: `total`, `missing`, `filler`."""
    return frozenset(fold(word) for word in _table()[kind, ""])


@per_schema
def answers(means: str) -> Mapping[str, str]:
    """What the folded words of a column of answers stand for."""
    if means == FLAGS:
        return _schema_words(RED_FLAGS)
    if means == SIDE:
        return sides()
    measure = unsided().get(means)
    if not isinstance(measure, Category):
        return {}
    table = _choices_of(means if set(measure.choices) != {"no", "yes"} else _YES_NO)
    by_word = {fold(word): choice for choice, words in table.items() for word in words}
    return by_word | _schema_words(measure.choices)


def _schema_words(names: Iterable[str]) -> dict[str, str]:
    """The schema's own names, folded, with underscores and with blanks."""
    return {fold(form): name for name in names for form in (name, name.replace("_", " "))}


def tokens(text: str) -> Tokens:
    """The words of a name, folded; `kneeToWall`, `knee_to_wall` and `Knee-to-wall` are the same."""
    words = frozenset(split_words(text))
    return words - plain_words("filler") or words


_NEW_WORD = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_WORD = re.compile(r"[^\W_]+")


def split_words(text: str) -> list[str]:
    """The folded words of a text, in order; a capital after a small letter begins a new one."""
    return _WORD.findall(fold(_NEW_WORD.sub(" ", text)))


@per_schema
def phrases() -> tuple[tuple[str, Tokens], ...]:
    """Every way to name a measure or a role: what it means, and the words of the name."""
    names: dict[tuple[str, Tokens], None] = {}
    for name, measure in unsided().items():
        names[name, tokens(name)] = names[name, tokens(measure.label)] = None
    for (means, choice), words in _table().items():
        if not choice and (means in ROLES or means in unsided()):
            names |= {(means, tokens(word)): None for word in words}
    return tuple(names)
