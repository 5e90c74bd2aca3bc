"""Told risks and how long each was followed, as arrays; what was told for that time.

A risk of 12 months is spread over the months evenly: the hazard that was told is the same on each
day (assumption; nothing is told of when in the year). What was told for the time that somebody was
followed is that hazard times the days, up to the pain or the end of follow-up. Days that nobody
reported on count for neither side. The number of events less what was told is then 0 on average
however follow-up ended, as long as whoever is lost is like the others (Crowson, Atkinson & Therneau
2016, Stat Methods Med 25:1692, doi 10.1177/0962280213497434).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from kneerisk.schema import FloatArray

#: On average; follow-up of several years is told in years.
DAYS_A_YEAR = 365.25
#: A risk of 1 would be an infinite hazard.
_HIGHEST_RISK = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowedRisks:
    """Told risks and what became of them, each array of shape (n,).

    Attributes
    ----------
    risk
        The probability that was told.
    horizon_days
        How many days it is about.
    start
        The day of the visit, as a day number (`datetime.date.toordinal`).
    stop
        The day on which pain began, or until which there was none; halves are the middle of days
        between which it began.
    event
        Whether new pain began at `stop`.
    athlete
        Whose risk it is, as any codes.
    place
        Where a row comes from, as any codes.
    """

    risk: FloatArray
    horizon_days: FloatArray
    start: FloatArray
    stop: FloatArray
    event: NDArray[np.bool_]
    athlete: NDArray[np.intp]
    place: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.risk)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> FollowedRisks:
        """Some of the rows.

        Parameters
        ----------
        rows
            A mask of shape (n,), or places.

        Returns
        -------
        Those rows.
        """
        return FollowedRisks(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    @property
    def daily_hazard(self) -> FloatArray:
        """What was told for each day, shape (n,)."""
        return np.asarray(-np.log1p(-np.minimum(self.risk, _HIGHEST_RISK)) / self.horizon_days)

    @property
    def told(self) -> FloatArray:
        """Events that were told for the time followed, shape (n,)."""
        return np.asarray(self.daily_hazard * (self.stop - self.start))

    def until(self, day: float) -> FollowedRisks:
        """What is known of the time up to a day.

        Parameters
        ----------
        day
            A day number; whoever was screened on it or later is left out.

        Returns
        -------
        Without events and time after the day.
        """
        known = self.take(self.start < day)
        event = known.event & (known.stop <= day)
        return replace(known, stop=np.minimum(known.stop, day), event=event)

    def since(self, day: float) -> FollowedRisks:
        """What is known of the time from a day on.

        Parameters
        ----------
        day
            A day number.

        Returns
        -------
        Without events and time before the day; the hazard stays that of the whole horizon.
        """
        known = self.take(self.stop > day)
        return replace(known, start=np.maximum(known.start, day))

    def newest_told(self) -> FollowedRisks:
        """Each athlete's time under the risk that was told last: a new screening ends an older one.

        Without it, pain of an athlete who was screened twice would count twice.

        Returns
        -------
        By athlete and start; rows whose time is taken by a later one of the same day are left out.
        """
        ordered = self.take(np.lexsort((np.arange(len(self)), self.start, self.athlete)))
        same = np.append(ordered.athlete[1:] == ordered.athlete[:-1], False)[: len(self)]
        following = np.where(same, np.append(ordered.start[1:], np.inf)[: len(self)], np.inf)
        event = ordered.event & (ordered.stop <= following)
        kept = replace(ordered, stop=np.minimum(ordered.stop, following), event=event)
        return kept.take(kept.start < following)
