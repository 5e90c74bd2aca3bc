"""Duplicate athletes: a person on both sides of a split, under one id or under two."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.layout import ATHLETE_ID
from kneerisk.schema import Quantity, columns

#: Two screenings that agree in so many readings are one and the same (assumption): readings are
#: numbers with a fraction, of which two people seldom share even one.
FEWEST_READINGS = 6


def duplicate_athletes(parts: tuple[Cohort, ...]) -> Iterator[str]:
    """Why a split is refused: athletes on more than one side of it, by id or by their readings."""
    for pair in combinations(parts, 2):
        ids = [set(part.frame[ATHLETE_ID].map(plain_id)) for part in pair]
        if both := ids[0] & ids[1]:
            yield f"{len(both)} athlete(s) are on both sides of the split, by {ATHLETE_ID!r}"
        readings = [_readings(part, ids[1 - side]) for side, part in enumerate(pair)]
        if repeated := readings[0] & readings[1]:
            yield (
                f"{len(repeated)} screening(s) stand on both sides of the split with the same "
                f"readings under different {ATHLETE_ID!r}: give a person one id"
            )


def _readings(part: Cohort, ids: set[str]) -> set[tuple[float, ...]]:
    """The readings of each screening that has enough of them, of athletes not in ``ids``."""
    names = [
        name
        for name, measure in columns().items()
        if isinstance(measure, Quantity) and not measure.whole and name in part.frame
    ]
    rows = part.frame[names].to_numpy(dtype=np.float64)
    fractions = (np.isfinite(rows) & (rows != np.round(rows))).sum(axis=1)
    others = ~part.frame[ATHLETE_ID].map(plain_id).isin(ids).to_numpy()
    readings = np.nan_to_num(rows[(fractions >= FEWEST_READINGS) & others], nan=-1e9)
    return {tuple(row) for row in readings.tolist()}


def plain_id(athlete_id: object) -> str:
    """An id as a person reads it: without spaces and whatever the case."""
    return "".join(str(athlete_id).split()).casefold()
