"""What the name of a column says: the measures that it may be, the leg, and the unit."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kneerisk.cohort.sheets.columns.own_legs import NamedLeg, OwnLeg, own_leg_in
from kneerisk.cohort.sheets.lexicon.folded_text import spaced, split_words
from kneerisk.cohort.sheets.lexicon.languages import words_of
from kneerisk.cohort.sheets.lexicon.leg_words import leg_words
from kneerisk.cohort.sheets.lexicon.name_matches import Match, matches_of
from kneerisk.cohort.sheets.lexicon.name_units import without_unit
from kneerisk.cohort.sheets.lexicon.other_quantities import is_inverse
from kneerisk.cohort.sheets.lexicon.units import unit_named
from kneerisk.cohort.sheets.lexicon.vocabulary import (
    SIDE,
    Tokens,
    leg_names,
    side_codes,
    sides,
    tokens,
    unsided,
)
from kneerisk.schema import Quantity, Side, columns
from kneerisk.schema.own_measures import per_schema_at_most

#: A longer name, or one of more words, is a paragraph and says nothing (assumption: the questions
#: of web forms, which become names of columns, stay below). It also bounds what is remembered.
LONGEST_NAME, _MOST_WORDS = 300, 40
#: So many names are remembered, since sheets repeat them: one sheet's (assumption).
_NAMES_KEPT = 512


class Named(NamedTuple):
    """A column's name taken apart."""

    matches: tuple[Match, ...]
    """Likeliest first; none below `LEAST_LIKENESS`."""
    side: Side | None
    unit: str | None
    units: frozenset[str] = frozenset()
    """The units that its words are, wherever they stand."""
    own_leg: OwnLeg | None = None
    """The leg that only another column tells: the dominant one, the injured one."""


@per_schema_at_most(_NAMES_KEPT)
def _read_name(name: str, code: str | None) -> Named:
    if name in columns() or name in unsided():
        return _canonical(name)
    text, unit = without_unit(name, {code, *sides()})
    words, side = _without_side(text, code)
    if len(words) > _MOST_WORDS:
        return Named((), side, unit)
    matches = (_matches_of_leg if side else matches_of)(words) if words else ()
    if unit:
        whole, _ = _without_side(name, code)
        of_whole = matches_of(whole) if whole != words else ()
        matches += tuple(m._replace(is_whole=True) for m in of_whole if m.likeness == 1.0)
    if any(is_inverse(match.means, name) for match in matches):
        matches = ()
    named = {unit_named(word) for word in split_words(spaced(name))}
    found = Named(matches, side, unit, frozenset(filter(None, named)))
    return found if side else _of_own_leg(found, text, code)


@cache
def _leg_nouns() -> Tokens:
    """Words for a leg beside its side: `pierna der.`, `leg L`; a knee is what is tested."""
    listed = (split_words(word) for word in words_of(SIDE))
    return frozenset(words[0] for words in listed if len(words) == 1) - {"knee"}


def _matches_of_leg(words: Tokens) -> tuple[Match, ...]:
    """The meanings of a name that has a side, without a word for the leg if that says more."""
    found, rest = matches_of(words), words - _leg_nouns()
    if not rest or rest == words or (found and found[0].likeness == 1.0):
        return found
    plain = matches_of(rest)
    is_better = plain and (not found or plain[0].likeness > found[0].likeness)
    return plain if is_better else found


def _of_own_leg(found: Named, text: str, code: str | None) -> Named:
    """A name that is a measure's but for a word such as `dominant` or `injured`."""
    one = own_leg_in(text)
    if one is None or (found.matches and found.matches[0].likeness == 1.0):
        return found
    readings = [_read_name(rest, code) for rest in {one.rest, one.without_noun} if rest]
    best = max(readings, key=_likeness_of, default=found)
    if not best.matches or best.matches[0].means not in leg_names():
        return found
    return best._replace(
        side=best.side,
        unit=found.unit or best.unit,
        units=found.units,
        own_leg=None if best.side else one.leg,
    )


def read_name_in_lines(joined: str, fragments: list[str], code: str | None) -> Named:
    """A column under another's heading, which may be named well enough by its own part alone.

    Parameters
    ----------
    joined
        The name out of all lines.
    fragments
        Its part of each line.
    code
        The word of it that is a code for a leg.

    Returns
    -------
    Named
        What the name, or the part that says more, says.
    """
    together = read_name(joined, code) if joined else Named((), None, None)
    for end in range(len(fragments), 0, -1):
        own = " ".join(filter(None, fragments[1:end] if len(fragments) > 1 else fragments))
        if not own or names_only_a_side(own) or unit_named(own):
            continue
        alone = read_name(own, code)
        if _likeness_of(alone) > _likeness_of(together):
            return alone._replace(
                side=alone.side or together.side, unit=alone.unit or together.unit
            )
    return together


def beside_its_other(name: str, leg: NamedLeg | None) -> Named | None:
    """What the name of an athlete's own leg says that only its counterpart tells: `SLR ND`.

    Parameters
    ----------
    name
        The name.
    leg
        The leg, and the name without its word.

    Returns
    -------
    Named or None
        None where it is no measure of a leg.
    """
    named = read_name(leg.rest) if leg else None
    if leg is None or named is None or named.side or not named.matches or own_leg_in(name):
        return None
    return named._replace(own_leg=leg.leg) if named.matches[0].means in leg_names() else None


def _likeness_of(named: Named) -> float:
    return named.matches[0].likeness if named.matches else 0.0


def read_name(name: str, code: str | None = None) -> Named:
    """What a column's name says; of a paragraph nothing.

    Parameters
    ----------
    name
        The name.
    code
        The word of it that is a code for a leg (`leg_words.codes_of`).

    Returns
    -------
    Named
        Its measures, its side and its unit.
    """
    stripped = name.strip()
    if len(stripped) > LONGEST_NAME:
        return Named((), None, None)
    return _read_name(stripped, code)


def _canonical(name: str) -> Named:
    """A name of the schema itself, which has the unit in it."""
    first, _, rest = name.partition("_")
    is_leg = first in ("left", "right") and name in columns()
    means = rest if is_leg else name
    measure = unsided()[means]
    unit = measure.unit if isinstance(measure, Quantity) else None
    units = frozenset({unit}) if unit else frozenset[str]()
    match = Match(means, 1.0, is_own=True)
    return Named((match,), sides()[first] if is_leg else None, unit, units)


def _without_side(text: str, code: str | None = None) -> tuple[Tokens, Side | None]:
    words = leg_words(text)
    side_words = {word for word in words if word in sides()}
    if code in words and not side_words:
        side_words = {code}
    named = {sides().get(word) or side_codes()[word] for word in side_words}
    if len(named) != 1:
        return tokens(text), None
    return tokens(" ".join(w for w in words if w not in side_words) or text), named.pop()


def names_only_a_side(name: str) -> bool:
    """Whether a name says nothing but a side, such as `L`."""
    if len(name) > LONGEST_NAME:
        return False
    text, _ = without_unit(name.strip(), {*sides(), *side_codes()})
    words = set(split_words(text))
    return bool(words) and words <= sides().keys() | side_codes().keys()
