"""What the name of a measure may mean besides: a grade, a range of motion, another test."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from statistics import median
from typing import NamedTuple

from kneerisk.cohort.sheets.units import kind_of


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
