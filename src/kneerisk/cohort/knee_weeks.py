"""The weeks of a cohort's knees, where follow-up was weekly, and the file that holds them.

A cohort's file has what became of a knee by the horizon; this one has each week in which the knee
was watched, with the training of the four weeks before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneerisk.cohort.files import Cohort
from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE
from kneerisk.errors import CohortRefused
from kneerisk.schema import SIDES, FloatArray
from kneerisk.words import text

#: Columns of the file: whose week, which knee, which week after the screening, how many of its days
#: are within the horizon, whether new pain may have begun in it, minutes trained a week before it,
#: and the horizon in days.
COLUMNS = (ATHLETE_ID, SCREENING_DATE, "side", "week", "days", "may_hurt", "minutes",
           "horizon_days")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KneeWeeks:
    """The weeks of the knees of n visits, one below the other; m of them.

    Attributes
    ----------
    visit
        The visit's place, shape (m,).
    side
        0 for its left knee, 1 for its right one, shape (m,).
    week
        Counted from 1 after the visit, shape (m,).
    days
        How many days of the week are within the horizon, shape (m,).
    may_hurt
        Whether new pain may have begun in it; no of a week that is known to be free, shape (m,).
        The weeks of a knee in which it may have begun follow each other, and are its last.
    minutes
        Trained a week in the four weeks before it; NaN where training was not recorded, shape (m,).
    minutes_at_visit
        The same at each visit, shape (n,).
    horizon_days
        How many days each knee was looked at.
    """

    visit: NDArray[np.intp]
    side: NDArray[np.intp]
    week: NDArray[np.intp]
    days: FloatArray
    may_hurt: NDArray[np.bool_]
    minutes: FloatArray
    minutes_at_visit: FloatArray
    horizon_days: int


def weeks_table(weeks: KneeWeeks, cohort: Cohort) -> pd.DataFrame:
    """The weeks as a table.

    Parameters
    ----------
    weeks
        Of the cohort's screenings, in the same order.
    cohort
        Whose weeks they are.

    Returns
    -------
    One row a week, with `COLUMNS`.
    """
    whose = cohort.frame[[ATHLETE_ID, SCREENING_DATE]].iloc[weeks.visit].reset_index(drop=True)
    return whose.assign(
        side=np.array(SIDES)[weeks.side], week=weeks.week, days=weeks.days,
        may_hurt=weeks.may_hurt, minutes=weeks.minutes, horizon_days=weeks.horizon_days,
    )[[*COLUMNS]]  # fmt: skip


def read_weeks(path: Path, cohort: Cohort, part: Cohort | None = None) -> KneeWeeks:
    """The weeks of a cohort's screenings from their file.

    Parameters
    ----------
    path
        As written by ``kneerisk records cohort --weeks``, .parquet or .csv.
    cohort
        That was written with it.
    part
        Some of its screenings, whose weeks are wanted; None: all.

    Returns
    -------
    KneeWeeks
        In the order of the part, or of the cohort.

    Raises
    ------
    CohortRefused
        Where the file has other columns, or weeks of other screenings.
    """
    table = pd.read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    if set(table.columns) != set(COLUMNS) or SCREENING_DATE not in cohort.frame or table.empty:
        raise CohortRefused(text("cohort.weeks.no_weeks", file=path, columns=", ".join(COLUMNS)))
    others = set(_keys(table)) - set(_keys(cohort.frame))
    if others:
        raise CohortRefused(text("cohort.weeks.others", file=path, count=len(others)))
    frame = cohort.frame if part is None else part.frame
    place = pd.Index(_keys(frame)).get_indexer(pd.Index(_keys(table)))
    table, visit = table[place >= 0], place[place >= 0]
    minutes, week = table["minutes"].to_numpy(np.float64), table["week"].to_numpy(np.intp)
    at_visit = np.full(len(frame), np.nan)
    at_visit[visit[week == 1]] = minutes[week == 1]
    return KneeWeeks(
        visit=visit, side=np.where(table["side"] == SIDES[1], 1, 0).astype(np.intp), week=week,
        days=table["days"].to_numpy(np.float64), may_hurt=table["may_hurt"].to_numpy(np.bool_),
        minutes=minutes, minutes_at_visit=at_visit,
        horizon_days=int(table["horizon_days"].max()),
    )  # fmt: skip


def _keys(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Whose screening each row is of."""
    return [*zip(frame[ATHLETE_ID].astype(str), frame[SCREENING_DATE].astype(str), strict=True)]
