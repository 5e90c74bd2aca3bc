"""The words that sheets use: for measures, sides, units and answers; folded to be compared.

The schema's own names and labels come first. What people write besides stands in `words.csv`, in
English and German and, for the commonest, French and Spanish.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from kneerisk.cohort.sheets.folding import fold
from kneerisk.schema import Category, Measure, Side, columns, leg_measures, measures_of
from kneerisk.schema.history import RED_FLAGS, LegPain

ATHLETE, DATE, BIRTH = "athlete_id", "screening_date", "birth_date"
SIDE, FLAGS = "side", "red_flags"
#: The measure that a date of birth tells, with the date of the screening.
AGE = "age_years"
#: What a column may mean besides a measure, with its name for people.
ROLES = {
    ATHLETE: "Athlete",
    DATE: "Date of the screening",
    BIRTH: "Date of birth",
    SIDE: "Leg of the row",
    FLAGS: "Red flags",
}
_YES_NO = "osteoarthritis"

Tokens = frozenset[str]


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    text = files(__package__).joinpath("words.csv").read_text(encoding="utf-8")
    return {
        (row["means"], row["choice"]): tuple(row["words"].split("|"))
        for row in csv.DictReader(text.splitlines())
    }


def _choices_of(means: str) -> dict[str, tuple[str, ...]]:
    return {choice: words for (name, choice), words in _table().items() if name == means and choice}


@cache
def leg_names() -> dict[str, Measure]:
    """Measures that each leg has, by their name without a side."""
    return leg_measures() | measures_of(LegPain)


@cache
def unsided() -> dict[str, Measure]:
    """Every measure by its name without a side."""
    sided = {f"{side}_{name}" for side in ("left", "right") for name in leg_names()}
    own = {name: measure for name, measure in columns().items() if name not in sided}
    return own | leg_names()


@cache
def sides() -> Mapping[str, Side]:
    """A word for a leg, folded, to its side."""
    found: dict[str, Side] = {}
    side: Side
    for side in ("left", "right"):
        found |= {fold(word): side for word in _table()[SIDE, side]}
    return found


@cache
def plain_words(kind: str) -> frozenset[str]:
    """The folded words of one of the kinds without a choice: `total`, `missing`, `filler`."""
    return frozenset(fold(word) for word in _table()[kind, ""])


@cache
def answers(means: str) -> Mapping[str, str]:
    """What the folded words of a column of answers stand for."""
    if means == FLAGS:
        return {fold(code): code for code in RED_FLAGS} | {
            fold(code.replace("_", " ")): code for code in RED_FLAGS
        }
    if means == SIDE:
        return sides()
    measure = unsided().get(means)
    if not isinstance(measure, Category):
        return {}
    own = {fold(form): c for c in measure.choices for form in (c, c.replace("_", " "))}
    table = _choices_of(means if set(measure.choices) != {"no", "yes"} else _YES_NO)
    return {fold(word): choice for choice, words in table.items() for word in words} | own


def tokens(text: str) -> Tokens:
    """The words of a name, folded; `kneeToWall`, `knee_to_wall` and `Knee-to-wall` are the same."""
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", text)
    found = re.findall(r"[^\W_]+", fold(apart))
    return frozenset(found) - plain_words("filler") or frozenset(found)


@cache
def phrases() -> tuple[tuple[str, Tokens], ...]:
    """Every way to name a measure or a role: what it means, and the words of the name."""
    found: dict[tuple[str, Tokens], None] = {}
    for name, measure in unsided().items():
        found[name, tokens(name)] = found[name, tokens(measure.label)] = None
    for (means, choice), words in _table().items():
        if not choice and (means in ROLES or means in unsided()):
            found |= {(means, tokens(word)): None for word in words}
    return tuple(found)


@cache
def known_tokens() -> Mapping[str, frozenset[str]]:
    """Every word of a name, and what it is a part of."""
    found: dict[str, set[str]] = defaultdict(set)
    for means, words in phrases():
        for word in words:
            found[word].add(means)
    return {word: frozenset(means) for word, means in found.items()}
