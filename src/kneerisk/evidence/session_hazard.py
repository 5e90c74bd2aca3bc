"""The rate of injury in one running session, by its length over the longest of the last 30 days.

The published rates hold for one session and any overuse injury, so they say nothing of a year: a
runner has some 75 sessions in one. They are given for three bands, of which the second lies a
little below the first. Never falling, and smooth between the bands: isotonic regression of the
logarithms (weights from their intervals), then a monotone cubic (Fritsch & Carlson 1980, doi
10.1137/0717021).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kneerisk.evidence.normal_points import PUBLISHED_95
from kneerisk.evidence.table_models import Range
from kneerisk.evidence.table_reader import Sources, TableRow, YesOrNo, read_table

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

#: The ratio at which a session is like those before it, where the rate begins to rise (assumption:
#: the source compares with sessions up to 1.10).
USUAL_RATIO = 1.0
#: So many ratios are remembered, some 50 kB: an answer asks for its own twice (assumption).
_MOST_RATIOS = 256


class SessionHazard(TableRow):
    """How the rate of injury in one session rises with its length over the month's longest.

    Hazard rate ratios against sessions that are at most a tenth longer, for a band of that ratio
    (from ``above`` to ``up_to``); ``at`` is where in the band the number is taken to hold.
    """

    above: float
    up_to: float | None = None
    at: float
    low: float
    central: float
    high: float
    sources: Sources
    assumption: YesOrNo
    note: str = ""


@lru_cache(_MOST_RATIOS)
def hazard_ratio(ratio: float) -> Range:
    """How many times the usual rate a session goes with.

    Parameters
    ----------
    ratio
        Its length over the longest of the last 30 days.

    Returns
    -------
    The rate ratio with its 95 % interval; 1 where the session is no longer than usual.
    """
    curves, last = _curves()
    at = min(max(ratio, USUAL_RATIO), last)
    low, central, high = (float(np.exp(curve(at))) for curve in curves)
    return Range(low=low, central=central, high=high)


@cache
def session_hazards() -> tuple[SessionHazard, ...]:
    """The published bands, from the shortest sessions to the longest."""
    return read_table("session_hazards", SessionHazard)


@cache
def _curves() -> tuple[tuple[PchipInterpolator, ...], float]:
    """Logarithms of the rate ratio's lower end, itself and its upper end; and the last ratio."""
    # Here: both take a sixth of a second to load, and few screenings state a ratio.
    from scipy.interpolate import PchipInterpolator
    from scipy.optimize import isotonic_regression

    bands = session_hazards()
    logs = np.log([[band.low, band.central, band.high] for band in bands])
    weights = ((logs[:, 2] - logs[:, 0]) / (2.0 * PUBLISHED_95)) ** -2.0
    fit = isotonic_regression(logs[:, 1], weights=weights)
    half = PUBLISHED_95 / np.sqrt(np.add.reduceat(weights, fit.blocks[:-1]))
    half = np.repeat(half, np.diff(fit.blocks))
    at = np.array([USUAL_RATIO, *(band.at for band in bands)])
    ends = (fit.x - half, fit.x, fit.x + half)
    curves = tuple(PchipInterpolator(at, np.r_[0.0, np.maximum.accumulate(end)]) for end in ends)
    return curves, float(at[-1])
