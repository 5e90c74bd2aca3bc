"""An alarm that may be looked at every week: raised without cause in at most 5 % of years.

Events of a model that is right are a Poisson process of what was told. The likelihood of as many
events if pain is some factor as frequent as told, over that if it is just as frequent, averaged
over factors, is 1 on average at any time and whenever one stops looking, so that it seldom ever
gets high (Ville 1939; Robbins 1970, Ann Math Stat 41:1397, doi 10.1214/aoms/1177696786). With gamma
distributions of the factor the average is a formula. How seldom is worked out exactly, as for the
counts of a vaccine's surveillance (Kulldorff et al. 2011, Seq Anal 30:58,
doi 10.1080/07474946.2011.539924).

Each year begins anew: years of calm would else have to be outweighed before a change shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp

from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.monitoring.monitoring_schema import WeekSeen
from kneerisk.monitoring.observed_and_told import chance_counts
from kneerisk.schema import FloatArray

#: Which factors the told risks may be off by: weight, shape and rate of gamma distributions.
#: Doubled pain, with an SD of 0.35, is looked for first; less pain than told (half of it, SD 0.25)
#: harms nobody and gets a tenth of the weight (assumption).
FACTORS = ((0.9, 32.0, 16.0), (0.1, 4.0, 8.0))
#: The alarm is raised at this evidence: of right models at most 5 % ever reach it in a year, as
#: `tests/test_monitoring.py` works out for up to 60 events told of. The share grows slowly with the
#: events: worked out once for 3,000, it is 4.9 %. Ville's inequality alone would ask for 20;
#: evidence jumps with each event, and so leaves room.
RAISED_AT = 16.5
#: More evidence than this is not told apart: of a large club it would leave the range of numbers.
MOST_EVIDENCE = 1e9
#: A period that the share of false alarms is about.
PERIOD_DAYS = 365
#: Between looks.
WEEK_DAYS = 7
#: Factors beyond these are not looked for in limits (assumption).
_FARTHEST_FACTOR = 1e4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """The weekly looks of one period, each array of shape (n_looks,).

    Attributes
    ----------
    day
        Day numbers.
    observed, told
        Events since the period began, and what was told for the same time.
    evidence
        How much more likely the events are with some other factor than with the told risks.
    """

    day: FloatArray
    observed: FloatArray
    told: FloatArray
    evidence: FloatArray

    @property
    def raised(self) -> int | None:
        """Place of the first look at which the alarm is raised; None where it never is."""
        over = np.flatnonzero(self.evidence >= RAISED_AT)
        return int(over[0]) if len(over) else None


def weeks_seen(looks: Looks) -> tuple[WeekSeen, ...]:
    """The looks of a period one by one, for a chart over time.

    Parameters
    ----------
    looks
        Of the period.

    Returns
    -------
    By day. The limits of each are those of one look; the alarm has its own for all of them.
    """
    return tuple(
        WeekSeen(
            day=date.fromordinal(int(day)), observed=int(observed), told=float(told),
            chance=chance_counts(float(told)),
        )
        for day, observed, told in zip(looks.day, looks.observed, looks.told, strict=True)
    )  # fmt: skip


def log_evidence(observed: FloatArray, told: FloatArray) -> FloatArray:
    """Log of the average likelihood ratio of a number of events.

    Parameters
    ----------
    observed
        Events, shape (n,).
    told
        What was told for the same time, shape (n,).

    Returns
    -------
    Shape (n,); 0 before anything was told.
    """
    parts = [
        np.log(weight) + shape * np.log(rate) - gammaln(shape) + gammaln(shape + observed)
        - (shape + observed) * np.log(rate + told) + told
        for weight, shape, rate in FACTORS
    ]  # fmt: skip
    return np.asarray(logsumexp(parts, axis=0))


def weekly_looks(rows: FollowedRisks, first: float, last: float) -> Looks:
    """What weekly looks of a period see, the last one on its last day.

    Parameters
    ----------
    rows
        Independent of each other: at any time at most one of an athlete.
    first
        The day number on which the period begins.
    last
        That of the last look.

    Returns
    -------
    The looks; they depend on the records alone, not on when somebody looked.
    """
    rows = rows.since(first).until(last)
    day = np.append(np.arange(first + WEEK_DAYS, last, WEEK_DAYS), last)
    seen = np.minimum(rows.stop[:, None], day) - rows.start[:, None]
    told = rows.daily_hazard @ np.maximum(seen, 0.0)
    observed = (rows.event[:, None] & (rows.stop[:, None] <= day)).sum(axis=0).astype(np.float64)
    return Looks(
        day=day,
        observed=observed,
        told=told,
        evidence=np.exp(np.minimum(log_evidence(observed, told), np.log(MOST_EVIDENCE))),
    )


def periods(first: float, last: float) -> list[tuple[float, float]]:
    """The years from a day on, each with an alarm of its own.

    Parameters
    ----------
    first
        The day number of the first visit.
    last
        That of the last look.

    Returns
    -------
    First and last day of each; the last one may be short. None before a day has passed.
    """
    starts = np.arange(first, last, PERIOD_DAYS)
    return [(float(start), float(min(start + PERIOD_DAYS, last))) for start in starts]


def limits_at_any_time(observed: float, told: float) -> tuple[float, float] | None:
    """Limits of observed over told that hold at every look at once, with 95 %.

    Parameters
    ----------
    observed
        Events.
    told
        What was told for the same time.

    Returns
    -------
    The factors that the events do not raise an alarm against; None where nothing was told.

    References
    ----------
    Howard et al. 2021, Ann Stat 49:1055, doi 10.1214/20-AOS1991.
    """
    if told <= 0.0:
        return None

    def over(log_factor: float) -> float:
        evidence = log_evidence(np.array(observed), np.array(told * np.exp(log_factor)))
        return float(evidence - np.log(RAISED_AT))

    # Of factors the one that explains the events about best lies between the limits.
    middle = float(np.log(max(observed, 0.5) / told))
    farthest = float(np.log(_FARTHEST_FACTOR))
    high = float(np.exp(brentq(over, middle, middle + farthest)))
    if over(middle - farthest) < 0.0:
        return 0.0, high
    return float(np.exp(brentq(over, middle - farthest, middle))), high
