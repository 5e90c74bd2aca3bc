"""What the name of a measure may mean besides: a grade, a range of motion, an inverse ratio."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from statistics import median
from typing import NamedTuple

from kneerisk.cohort.sheets.lexicon.folded_text import split_words
from kneerisk.cohort.sheets.lexicon.units import kind_of

#: Words that a ratio begins and ends with; a `*` stands for any end of a word.
_HAMSTRINGS = ("h", "ham*", "ij", "isch*", "isq*", "isc*", "flex*", "flx", "beuge*", "kniebeuge*")
_QUADS = ("q", "quad*", "cuad*", "ext*", "streck*", "kniestreck*", "est*")
_RATIOS = {
    "hamstring_quad_ratio": (_HAMSTRINGS, _QUADS),
    "hamstring_quad_functional_ratio": (_HAMSTRINGS, _QUADS),
    "adduction_abduction_ratio": (("add*", "adu*", "adductor*"), ("abd*",)),
    "vmo_vl_ratio": (("vmo",), ("vl",)),
}


class _OtherQuantity(NamedTuple):
    means: str
    code: str
    low: float
    high: float


@cache
def _listed_quantities() -> tuple[_OtherQuantity, ...]:
    content = files(__package__).joinpath("other_quantities.csv").read_text(encoding="utf-8")
    return tuple(
        _OtherQuantity(row["means"], row["code"], float(row["low"]), float(row["high"]))
        for row in csv.DictReader(content.splitlines())
    )


def is_inverse(means: str, name: str) -> bool:
    """Whether a name tells a ratio the other way round: `ABD/ADD`, `Q:H`.

    Parameters
    ----------
    means
        A measure.
    name
        The name of a column.

    Returns
    -------
    bool
        False where the name has not both of its parts, or the measure is no ratio.
    """
    if means not in _RATIOS:
        return False
    words = split_words(name)
    first, second = (
        next((at for at, word in enumerate(words) if _is_one_of(word, part)), None)
        for part in _RATIOS[means]
    )
    return first is not None and second is not None and second < first


def _is_one_of(word: str, listed: Sequence[str]) -> bool:
    return any(word == one or (one[-1] == "*" and word.startswith(one[:-1])) for one in listed)


def other_quantities(means: str, numbers: Sequence[float], unit: str | None) -> tuple[str, ...]:
    """What else is called so and has such values; a unit that it is not in excludes it.

    Parameters
    ----------
    means
        A measure.
    numbers
        The column's numbers.
    unit
        The unit that they are told in, if any.

    Returns
    -------
    tuple of str
        Codes of `sheet.other`.
    """
    if not numbers or not (unit is None or kind_of(unit) == "angle"):
        return ()
    middle = median(numbers)
    is_whole = all(number.is_integer() for number in numbers)
    return tuple(
        other.code
        for other in _listed_quantities()
        if other.means == means
        and other.low <= middle <= other.high
        and (is_whole or other.code == "unloaded_ankle")
    )
