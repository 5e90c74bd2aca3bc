"""The weeks in which a knee was watched, and in which of them it was lost.

A week's columns are what was known when it began: the screening, and the training of the four weeks
before. Nothing of the week itself or of a later one enters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kneerisk.schema import FloatArray

#: Days of training before a week that say how much somebody trains (the chronic window of training
#: load research: Hulin et al. 2014, doi 10.1136/bjsports-2013-092524).
LOAD_DAYS = 28
DAYS_A_WEEK = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How long a knee, or both of an athlete, were watched after a visit, and how that ended.

    Attributes
    ----------
    visit_day
        The day of the visit.
    days
        Until pain was reported (`pain`), the horizon was reached (`free`), or the last day that
        was followed (`lost`).
    state
        How it ended.
    """

    visit_day: date
    days: int
    state: Literal["pain", "free", "lost"]

    @property
    def weeks(self) -> int:
        """The weeks in which it could be lost, among them the one in which it was.

        Pain is known by the report of its week: whoever was lost in that week did not tell of it.
        """
        if self.state == "lost":
            return self.days // DAYS_A_WEEK + 1
        return -(-self.days // DAYS_A_WEEK)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedWeeks:
    """The weeks of n watches, one below the other; m of them.

    Attributes
    ----------
    watch
        Whose week it is, a place among the watches, shape (m,).
    week
        1 for the first after the visit, shape (m,).
    is_lost
        Whether it was lost in this week, shape (m,).
    known_then
        Columns of what was known when the week began, shape (m, p).
    """

    watch: NDArray[np.intp]
    week: NDArray[np.intp]
    is_lost: NDArray[np.bool_]
    known_then: FloatArray


def watched_weeks(
    watches: Sequence[Watch],
    at_visit: FloatArray,
    load_of: Callable[[int], Callable[[date], float] | None],
) -> WatchedWeeks:
    """The weeks of some watches.

    Parameters
    ----------
    watches
        n of them.
    at_visit
        What was known at each visit, shape (n, p).
    load_of
        Of a watch, what gives the minutes trained a week before a day; None where training was not
        recorded.

    Returns
    -------
    WatchedWeeks
        With p + 2 columns: whether training was recorded, and the logarithm of its minutes.
    """
    counts = np.array([watch.weeks for watch in watches], dtype=np.intp)
    place = np.repeat(np.arange(len(watches)), counts)
    ends = np.cumsum(counts)
    week = np.arange(counts.sum()) - np.repeat(ends - counts, counts) + 1
    is_lost = np.zeros(len(place), dtype=np.bool_)
    lost = np.array([watch.state == "lost" for watch in watches], dtype=np.bool_)
    is_lost[ends[lost] - 1] = True
    load = np.zeros((len(place), 2))
    for i, watch in enumerate(watches):
        minutes_before = load_of(i)
        if minutes_before is not None:
            rows = slice(ends[i] - counts[i], ends[i])
            load[rows] = [
                (1.0, np.log1p(minutes_before(first_day_of(watch.visit_day, number))))
                for number in range(1, counts[i] + 1)
            ]
    return WatchedWeeks(
        watch=place, week=week, is_lost=is_lost, known_then=np.hstack([at_visit[place], load])
    )


def first_day_of(visit_day: date, week: int) -> date:
    """The first day of a week after a visit, counted from 1."""
    return visit_day + timedelta(days=1 + DAYS_A_WEEK * (week - 1))


def minutes_before(minutes: Mapping[date, float]) -> Callable[[date], float]:
    """What gives the minutes trained a week in the four weeks before a day.

    Parameters
    ----------
    minutes
        Minutes trained, by day.

    Returns
    -------
    A function of a day, which does not look at that day or a later one.
    """
    if not minutes:
        return lambda _: 0.0
    first = min(minutes)
    days = (max(minutes) - first).days + 1
    # The minutes before each day since the first one.
    sums = [0.0, *accumulate(minutes.get(first + i * _DAY, 0.0) for i in range(days))]

    def before(day: date) -> float:
        since = (day - first).days
        until, start = (min(max(n, 0), days) for n in (since, since - LOAD_DAYS))
        return (sums[until] - sums[start]) * DAYS_A_WEEK / LOAD_DAYS

    return before
