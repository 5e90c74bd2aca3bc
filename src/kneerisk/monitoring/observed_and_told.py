"""Observed against told with limits that are right at ten athletes.

Rows have to be independent: one for each athlete at a time (pain in either knee), or one side.
Events of a time are then a Poisson number around what was told for it, times how far off that is,
whatever the number of athletes; its exact limits hold where follow-up stops at a day and where it
stops at an event (Garwood 1936, Biometrika 28:437; Breslow & Day 1987, IARC 82, chapter 2, for
ratios of observed and expected events).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, poisson

from kneerisk.monitoring.followed_risks import DAYS_A_YEAR, FollowedRisks
from kneerisk.monitoring.monitoring_schema import CountsTold, OverallTold

#: Limits and chance are those of 95 % (convention).
LEVEL = 0.95
#: Events from which a curve and a slope say more than the level (Collins et al. 2016, Stat Med
#: 35:214, doi 10.1002/sim.6787, ask for at least 100; Van Calster et al. 2016, J Clin Epidemiol
#: 74:167, doi 10.1016/j.jclinepi.2015.12.005, for 200).
FEWEST_FOR_CURVE = 100


def compare(rows: FollowedRisks) -> CountsTold:
    """Observed events against what was told for the time followed.

    Parameters
    ----------
    rows
        Independent of each other: at any time at most one of an athlete.

    Returns
    -------
    The counts, their ratio and its exact limits.
    """
    observed, told = int(rows.event.sum()), float(rows.told.sum())
    low, high = poisson_limits(observed)
    return CountsTold(
        athletes=len(np.unique(rows.athlete)),
        years=float((rows.stop - rows.start).sum() / DAYS_A_YEAR),
        observed=observed,
        told=told,
        ratio=observed / told if told > 0.0 else None,
        low=low / told if told > 0.0 else None,
        high=high / told if told > 0.0 else None,
        p_value=two_sided(observed, told),
        chance=chance_counts(told),
    )


def compare_all(rows: FollowedRisks) -> OverallTold:
    """The same, with whether chance explains it: whether the limits hold a ratio of 1."""
    counts = compare(rows)
    is_chance = counts.low is None or counts.high is None or counts.low <= 1.0 <= counts.high
    return OverallTold(**dict(counts), could_be_chance=is_chance)


def chance_counts(told: float) -> tuple[int, int]:
    """Numbers of events that chance explains: the central 95 % of a Poisson number.

    Parameters
    ----------
    told
        Its mean, if the told risks are right.

    Returns
    -------
    The least and the most.
    """
    tail = (1.0 - LEVEL) / 2
    return int(poisson.ppf(tail, told)), int(poisson.ppf(1.0 - tail, told))


def poisson_limits(observed: int) -> tuple[float, float]:
    """Exact 95 % limits of the mean of a Poisson number (Garwood 1936).

    Parameters
    ----------
    observed
        The number.

    Returns
    -------
    Lower and upper limit.
    """
    tail = (1.0 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * observed) / 2) if observed else 0.0
    return low, float(chi2.isf(tail, 2 * observed + 2) / 2)


def two_sided(observed: int, told: float) -> float:
    """Twice the smaller tail of a Poisson number: below 0.05 where the limits leave 1 out.

    Parameters
    ----------
    observed
        The number.
    told
        Its mean, if the told risks are right.

    Returns
    -------
    A probability, at most 1.
    """
    tail = min(poisson.cdf(observed, told), poisson.sf(observed - 1, told))
    return float(min(1.0, 2.0 * tail))
