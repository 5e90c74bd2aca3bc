"""The test worth doing next of many screenings as columns: which, and what it would settle.

The same test and share as the first of an answer's next tests (`kneerisk.answer.next_tests`), where
nothing is said of the equipment: a file of screenings does not say what is at hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.next_tests import LEAST_SHARE, TOGETHER, is_possible, shares_of
from kneerisk.model import Bundle
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.value_of_information.expected_gain import (
    ValueOfInformation,
    value_of_information,
)


def next_test_columns(
    bundle: Bundle, screenings: Screenings, free: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """The test that is worth most to each screening.

    Parameters
    ----------
    bundle
        The released model.
    screenings
        n screenings.
    free
        Whether the left and the right knee may be scored, shape (n, 2).

    Returns
    -------
    By name, shape (n,): ``next_test``, None where no test would tell much, and
    ``next_test_uncertainty_removed``, the share of what is open that it would settle, NaN there.
    """
    names = np.full(len(free), None, dtype=object)
    shares = np.full(len(free), np.nan)
    asked, known = np.flatnonzero(free.any(axis=1)).tolist(), bundle.metadata.population
    for first in range(0, len(asked), TOGETHER):
        some = asked[first : first + TOGETHER]
        values = value_of_information(bundle.model, known, screenings, some)
        for row, value in zip(some, values, strict=True):
            names[row], shares[row] = _best(value, free[row])
    return {"next_test": names, "next_test_uncertainty_removed": shares}


def _best(value: ValueOfInformation, free: NDArray[np.bool_]) -> tuple[str | None, float]:
    shares = shares_of(value, free)
    possible = [
        share if share >= LEAST_SHARE and is_possible(test, None) else -np.inf
        for test, share in zip(value.missing, shares.tolist(), strict=True)
    ]
    best = int(np.argmax(possible)) if possible else None
    if best is None or possible[best] < LEAST_SHARE:
        return None, np.nan
    return list(value.missing)[best], possible[best]
