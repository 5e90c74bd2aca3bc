"""The conformal step: an interval is widened until it covers what it claims on athletes set aside.

Conformalised quantile regression (Romano, Patterson & Candès 2019, arXiv 1905.03222), split: the
screenings that widen the interval were not used to fit its quantiles. Everything is in log-odds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneerisk.model.intervals import COVERAGE
from kneerisk.schema import FloatArray

#: One screening in so many is set aside (assumption: enough to know a 90 % point, while the
#: quantiles keep most of the cohort).
ONE_IN = 4


def conformal_rows(n_screenings: int) -> NDArray[np.bool_]:
    """Which screenings are set aside for the conformal step.

    Parameters
    ----------
    n_screenings
        Of the cohort.

    Returns
    -------
    Mask of shape (n_screenings,).
    """
    return np.asarray(np.arange(n_screenings) % ONE_IN == 0)


def conformal_correction(low: FloatArray, high: FloatArray, true: FloatArray) -> float:
    """By how much both ends move out so that the interval covers `COVERAGE` of the rows.

    The quantile has the finite-sample rank, with which coverage of new rows is guaranteed.

    Parameters
    ----------
    low
        Lower end of each row set aside, shape (n,).
    high
        Upper end, shape (n,).
    true
        What the interval should hold, shape (n,).

    Returns
    -------
    Log-odds; below 0 the interval is too wide and becomes narrower.
    """
    scores = _conformity_scores(low, high, true)
    rank = min(1.0, np.ceil(COVERAGE * (len(scores) + 1)) / len(scores))
    return float(np.quantile(scores, rank))


def either_conformal_correction(low: FloatArray, high: FloatArray, true: FloatArray) -> float:
    """The same for either knee, whose ends are those of the legs taken together.

    The legs' intervals have their finite-sample correction already, so that here the plain
    quantile is taken.

    Parameters
    ----------
    low
        Lower end of each screening set aside, shape (n,).
    high
        Upper end, shape (n,).
    true
        True log-odds of either knee, shape (n,).

    Returns
    -------
    Log-odds.
    """
    return float(np.quantile(_conformity_scores(low, high, true), COVERAGE))


def _conformity_scores(low: FloatArray, high: FloatArray, true: FloatArray) -> FloatArray:
    """How far the truth lies outside of the interval; below 0 it lies inside."""
    return np.asarray(np.maximum(low - true, true - high))
