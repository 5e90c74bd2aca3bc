"""The unit in a column's name: in brackets, as its last words, or after a comma."""

from __future__ import annotations

import re
from collections.abc import Collection

from kneerisk.cohort.sheets.lexicon.folded_text import fold, spaced
from kneerisk.cohort.sheets.lexicon.units import unit_named

#: Brackets with no other bracket inside, so that a row of opening ones is passed in one go.
BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
#: What may part a name and a unit behind it, with a word in between: `Height in cm`.
_GAP = re.compile(r"(?:[\s,;:_]+(?:in\s+)?)(?=\S)")


def without_unit(name: str, sides: Collection[str | None] = ()) -> tuple[str, str | None]:
    """A name without the unit in it.

    Parameters
    ----------
    name
        The name.
    sides
        Folded words for a leg, which are none in brackets: `(D)` is no day.

    Returns
    -------
    tuple
        What is left of the name, and the unit; None where it has none.
    """
    for bracket in BRACKETS.finditer(name):
        if fold(bracket[1]) not in sides and (unit := unit_named(bracket[1])):
            return name[: bracket.start()] + " " + name[bracket.end() :], unit
    name = spaced(name)
    for gap in _GAP.finditer(name):
        tail = name[gap.end() :]
        # A single letter says too little outside brackets: it may be short for anything.
        if (unit := unit_named(tail)) and (len(tail) > 1 or tail in "°%mN"):
            return name[: gap.start()], unit
    return _before_a_leg(name, sides) or (name, None)


def _before_a_leg(name: str, sides: Collection[str | None]) -> tuple[str, str] | None:
    """A share of body weight in front of the leg: `Hip ABD %BW L`."""
    plain, _, last = name.rstrip().rpartition(" ")
    if "%" not in plain or fold(last) not in sides:
        return None
    found, unit = without_unit(plain, sides)
    return (f"{found} {last}", unit) if unit else None
