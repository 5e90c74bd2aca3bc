"""Inverse probability of censoring weights: those who were watched stand for those who were lost.

A knee whose outcome is known counts for as many as had, by the model, its chance of being watched
that long (Robins & Finkelstein 2000, Biometrics 56:779, doi 10.1111/j.0006-341X.2000.00779.x; of a
binary outcome of a horizon: Vock et al. 2016, J Biomed Inform 61:119,
doi 10.1016/j.jbi.2016.03.009). The chance of being lost in a week is a pooled logistic regression
on what was known when the week began (D'Agostino et al. 1990, Stat Med 9:1501). That mends what
hangs on those columns, and nothing else: who leaves because of pain that nobody was told of is not
made up for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kneerisk.model.logistic_calibration import logistic_weights
from kneerisk.records.cohort_of_records.watched_weeks import WatchedWeeks
from kneerisk.schema import FloatArray

#: The largest weight: fewer than one in ten of such knees were watched that long, and none of them
#: may speak for more than ten (assumption; trimming: Cole & Hernan 2008, Am J Epidemiol 168:656,
#: doi 10.1093/aje/kwn164).
LARGEST_WEIGHT = 10.0
#: Ridge penalty of a column per SD: a normal prior of SD 1 in log-odds (assumption).
PENALTY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CensoringWeights:
    """Weights of n watches.

    Attributes
    ----------
    weight
        Of those whose outcome is known, else NaN, shape (n,).
    trimmed
        How many were cut to `LARGEST_WEIGHT`.
    """

    weight: FloatArray
    trimmed: int


def censoring_weights(weeks: WatchedWeeks, is_known: NDArray[np.bool_]) -> CensoringWeights:
    """How many knees each known outcome stands for.

    They are not stabilised by the chance of everybody: pain is known early and its absence only at
    the horizon, and to divide that out would leave pain overcounted.

    Parameters
    ----------
    weeks
        Of n watches.
    is_known
        Whose outcome is known, shape (n,).

    Returns
    -------
    CensoringWeights
        All 1 where nobody was lost.
    """
    chance = np.ones(len(is_known))
    if weeks.is_lost.any():
        hazard = lost_hazard(weeks)
        np.multiply.at(chance, weeks.watch, 1.0 - hazard)
    # A loss that came is no chance of having been watched, and has no weight.
    weight = np.where(is_known, 1.0 / np.maximum(chance, 1.0 / LARGEST_WEIGHT), np.nan)
    trimmed = int((is_known & (chance < 1.0 / LARGEST_WEIGHT)).sum())
    return CensoringWeights(weight=weight, trimmed=trimmed)


def lost_hazard(weeks: WatchedWeeks) -> FloatArray:
    """The fitted chance of being lost in each week.

    Parameters
    ----------
    weeks
        m of them.

    Returns
    -------
    Shape (m,).
    """
    # Time as a fractional polynomial (Royston & Altman 1994, Appl Stat 43:429).
    time = np.column_stack([np.log(weeks.week), weeks.week.astype(np.float64)])
    columns = np.column_stack([time, weeks.known_then])
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    penalty = np.r_[0.0, np.full(scaled.shape[1], PENALTY)]
    fitted = logistic_weights(design, weeks.is_lost.astype(np.float64), penalty=penalty)
    return np.asarray(expit(design @ fitted))
