"""A cohort of a club's records: each visit with what became of it, weighted for who was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.layout import (
    ATHLETE_ID,
    GROUP,
    NO_RED_FLAG,
    OUTCOMES,
    RED_FLAGS_COLUMN,
    SCREENING_DATE,
    WEIGHTS,
)
from kneerisk.cohort.row_weights import effective_number
from kneerisk.records.cohort_of_records.censoring_weights import (
    CensoringWeights,
    censoring_weights,
)
from kneerisk.records.cohort_of_records.recorded_visits import (
    RecordedVisit,
    RecordedVisits,
    either_watch,
    known_at_visits,
    leg_watch,
    minutes_by_athlete,
    recorded_visits,
)
from kneerisk.records.cohort_of_records.watched_weeks import Watch, minutes_before, watched_weeks
from kneerisk.records.followed_legs import DAYS_A_MONTH
from kneerisk.schema import FloatArray

_OUTCOME = {"pain": 1.0, "free": 0.0, "lost": np.nan}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAccount:
    """What a cohort of records is made of, in counts.

    Attributes
    ----------
    visits
        Rows of the cohort.
    athletes
        Whose they are.
    too_recent
        Visits left out since their horizon is not over.
    repeated
        Visits left out since another one of the same day came after.
    unreadable
        Visits left out since the schema does not allow their screening.
    legs
        Knees by how the look-out ended.
    events
        Knees with new pain.
    known
        Knees whose outcome is known.
    least_weight
        Of a knee whose outcome is known.
    largest_weight
        Likewise.
    trimmed
        Knees whose weight was cut to the largest that is allowed.
    effective
        How many knees of the same weight say as much (Kish).
    weighted_share
        Of knees with new pain, as weighted.
    plain_share
        The same of those whose outcome is known.
    """

    visits: int
    athletes: int
    too_recent: int
    repeated: int
    unreadable: int
    legs: dict[str, int]
    events: int
    known: int
    least_weight: float
    largest_weight: float
    trimmed: int
    effective: float
    weighted_share: float
    plain_share: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data; what can't be said of none is absent."""
        return {name: value for name, value in asdict(self).items() if value == value}


def cohort_of_records(
    session: Session,
    clubs: dict[str, int],
    today: date,
    horizon_months: int | None = None,
) -> tuple[Cohort, RecordAccount]:
    """The cohort of some clubs.

    Parameters
    ----------
    session
        Of the records.
    clubs
        Row numbers by name.
    today
        Nothing of later days is used.
    horizon_months
        How long to look for pain; None for as long as the answers told of.

    Returns
    -------
    tuple
        The cohort, and what it is made of.

    Raises
    ------
    RecordsFailed
        Where there is no visit whose horizon is over, or the answers told of several horizons.
    """
    found = recorded_visits(session, [*clubs.values()], today, horizon_months)
    minutes = minutes_by_athlete(session, [visit.athlete_id for visit in found.visits])
    return cohort_of_visits(found, minutes, [*clubs])


def cohort_of_visits(
    found: RecordedVisits, minutes: Mapping[int, Mapping[date, float]], clubs: Sequence[str]
) -> tuple[Cohort, RecordAccount]:
    """The cohort of visits that were read already.

    Parameters
    ----------
    found
        The visits.
    minutes
        Minutes trained by day, by the athlete's row number; who has none recorded is absent.
    clubs
        Whose visits they are.

    Returns
    -------
    tuple
        The cohort, and what it is made of.
    """
    visits = found.visits
    sides = [[leg_watch(visit.legs[side]) for visit in visits] for side in (0, 1)]
    either = [either_watch(left, right) for left, right in zip(*sides, strict=True)]
    legs = _weighted([*visits, *visits], [*sides[0], *sides[1]], [0, 1], minutes)
    both = _weighted(visits, either, [None], minutes)
    n = len(visits)
    outcome = _outcomes([*sides[0], *sides[1]])
    outcomes = (outcome[:n], outcome[n:], _outcomes(either))
    weights = (legs.weight[:n], legs.weight[n:], both.weight)
    frame = _frame(visits, several_clubs=len(clubs) > 1)
    frame = frame.assign(**dict(zip(OUTCOMES, outcomes, strict=True)))
    frame = frame.assign(**dict(zip(WEIGHTS, weights, strict=True)))
    months = round(found.horizon_days / DAYS_A_MONTH)
    cohort = Cohort(frame, "observed", "new_pain", months, ", ".join(clubs))
    return cohort, _account(found, outcome, legs)


def _weighted(
    visits: Sequence[RecordedVisit],
    watches: Sequence[Watch | None],
    sides: Sequence[int | None],
    minutes: Mapping[int, Mapping[date, float]],
) -> CensoringWeights:
    """Weights of the watches of visits, shape (n,); the sides follow on each other."""
    at_risk = [place for place, watch in enumerate(watches) if watch is not None]
    own = [watch for watch in watches if watch is not None]
    per_side = len(visits) // len(sides)
    chosen = [visits[place] for place in at_risk]
    load_of = {
        athlete: minutes_before(minutes[athlete])
        for athlete in {visit.athlete_id for visit in chosen} & minutes.keys()
    }
    weeks = watched_weeks(
        own,
        known_at_visits(chosen, [sides[place // per_side] for place in at_risk]),
        lambda i: load_of.get(chosen[i].athlete_id),
    )
    fitted = censoring_weights(weeks, np.array([watch.state != "lost" for watch in own], bool))
    weight = np.full(len(watches), np.nan)
    weight[at_risk] = fitted.weight
    return CensoringWeights(weight=weight, trimmed=fitted.trimmed)


def _outcomes(watches: Sequence[Watch | None]) -> FloatArray:
    return np.array([np.nan if watch is None else _OUTCOME[watch.state] for watch in watches])


def _frame(visits: Sequence[RecordedVisit], *, several_clubs: bool) -> pd.DataFrame:
    rows = []
    for visit in visits:
        flags = visit.screening.red_flags
        asked = {} if flags is None else {RED_FLAGS_COLUMN: ";".join(flags) or NO_RED_FLAG}
        club = {GROUP: visit.club} if several_clubs else {}
        athlete = f"{visit.club}/{visit.athlete}" if several_clubs else visit.athlete
        who = {ATHLETE_ID: athlete, SCREENING_DATE: visit.day.isoformat()}
        rows.append(who | club | visit.row() | asked)
    return pd.DataFrame(rows)


def _account(found: RecordedVisits, outcome: FloatArray, legs: CensoringWeights) -> RecordAccount:
    known = np.isfinite(outcome)
    weight = legs.weight[known]
    some = bool(known.any())
    return RecordAccount(
        visits=len(found.visits),
        athletes=len({visit.athlete_id for visit in found.visits}),
        too_recent=found.too_recent, repeated=found.repeated, unreadable=found.unreadable,
        legs=dict(Counter(leg.ended for visit in found.visits for leg in visit.legs)),
        events=int(np.nansum(outcome)), known=int(known.sum()),
        least_weight=float(weight.min()) if some else np.nan,
        largest_weight=float(weight.max()) if some else np.nan,
        trimmed=legs.trimmed, effective=effective_number(weight),
        weighted_share=float(np.average(outcome[known], weights=weight)) if some else np.nan,
        plain_share=float(outcome[known].mean()) if some else np.nan,
    )  # fmt: skip
