"""The two legs of n screenings compared in each measure that was taken on both."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from kneerisk.schema import Columns, leg_measures, quantities
from kneerisk.schema.detectable_change import CONDITIONS, Pair, PairComparison, compare
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import SHARED_READINGS

#: Each is one reading of both legs, so that the legs can't be compared by it: a pelvis that is
#: higher on one side is lower on the other, only one leg is the shorter one, and both squeeze.
NOT_COMPARED = (*SHARED_READINGS, "leg_length_deficit_cm")


class LegComparison(NamedTuple):
    """The legs of n screenings compared in k measures, right minus left."""

    measures: tuple[str, ...]
    pairs: PairComparison
    """NaN where a measure was not taken on both legs."""


def compare_legs(data: Columns, names: Collection[str]) -> LegComparison | None:
    """Compare the legs of n screenings; a screening's result does not depend on the others.

    Parameters
    ----------
    data
        Coded columns of the screenings, each of shape (n,); missing is NaN.
    names
        The columns that some screening has.

    Returns
    -------
    The comparison; None where no measure was taken on both legs.
    """
    given = set(names)
    measures = tuple(n for n in _compared() if {f"left_{n}", f"right_{n}"} <= given)
    if not measures:
        return None
    conditions = {name: data[name] for name in CONDITIONS}
    pairs = [
        Pair(measure=n, first=data[f"left_{n}"], second=data[f"right_{n}"], data=conditions)
        for n in measures
    ]
    return LegComparison(measures, compare(pairs))


@per_schema
def _compared() -> tuple[str, ...]:
    """The measures by which legs are compared: those with a published error, each leg's own."""
    measures = quantities(leg_measures()).items()
    return tuple(name for name, m in measures if m.error and name not in NOT_COMPARED)
