"""The measures of load at a screening, worked out from the sessions before it.

Each is what the schema's protocol says of it, so that a number of a watch and one of a diary are
the same thing. A session on the day of the screening, or later, is never looked at: it may have
come of what the screening found.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.training_logs.sessions import Sessions

#: The protocols' four weeks and thirty days (`schema.athlete`), the acute week, and the coming one.
_WEEKS, _MONTH, _WEEK = 4, 30, 7
_FOUR_WEEKS = 7 * _WEEKS
#: So many weeks are drawn (assumption: a block of training and what was before it).
WEEKS_SHOWN = 12
#: A log may begin so many days late, or end so many early, and still tell of a window: rest days
#: (assumptions).
_LATE, _EARLY = 3, 8
_DAY = np.timedelta64(1, "D")
#: No measure looks further back: a spike of the last week is held against the month before it.
_LOOKED_AT = _MONTH + _WEEK


class LoadValue(NamedTuple):
    """One measure, and the days and sessions that it was made of."""

    value: float
    first_day: date
    last_day: date
    sessions: int
    of: float
    """The sum, or the longest session, that the value comes from."""
    against: float = float("nan")
    """What that is divided by, where it is a ratio of two sessions."""
    is_covered: bool = True
    """Whether the log tells of all of those days."""


class Week(NamedTuple):
    """Seven days before a screening."""

    first_day: date
    last_day: date
    run_km: float
    hours: float
    runs: int
    sessions: int
    longest_run_km: float


class Load(NamedTuple):
    """What a log says of one athlete at a screening."""

    values: dict[str, LoadValue]
    """By canonical column."""
    weeks: list[Week]
    before: int
    later: int
    """Sessions from the day of the screening on, which don't count."""
    first_day: date | None
    last_day: date | None
    without_time: int
    """Sessions of the last four weeks without a time."""


def load_at(sessions: Sessions, screened: date) -> Load:
    """The load of one athlete at a screening.

    Parameters
    ----------
    sessions
        The athlete's sessions, in any order.
    screened
        The date of the screening.

    Returns
    -------
    Load
        The measures that the log tells of, and its last weeks.
    """
    day = np.datetime64(screened, "D")
    is_plan = np.isfinite(sessions.planned_km)
    done = sessions.where(~is_plan & (sessions.day < day))
    coming = sessions.where(is_plan & (sessions.day >= day) & (sessions.day < day + _WEEK * _DAY))
    later = int((~is_plan & (sessions.day >= day)).sum())
    if not len(done.day):
        return Load({}, [], 0, later, None, None, 0)
    window = _Windows(done, day, is_followed=later > 0)
    values = window.of_four_weeks() | window.of_runs(coming) | window.of_steps()
    recent = window.last(_FOUR_WEEKS)
    first, last = _date(done.day.min()), _date(done.day.max())
    without_time = int(np.isnan(done.hours[recent]).sum())
    return Load(values, window.weeks(), len(done.day), later, first, last, without_time)


def lines_looked_at(sessions: Sessions, screened: date) -> list[int]:
    """The lines of the sessions that the measures of load at a screening may come from.

    Parameters
    ----------
    sessions
        The athlete's sessions.
    screened
        The date of the screening.

    Returns
    -------
    list of int
        In the order of the file.
    """
    ago = (np.datetime64(screened, "D") - sessions.day).astype(int)
    is_plan = np.isfinite(sessions.planned_km)
    done = ~is_plan & (ago > 0) & (ago <= _LOOKED_AT)
    coming = is_plan & (ago <= 0) & (ago > -_WEEK)
    return sorted(sessions.line[done | coming].tolist())


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


class _Windows:
    """The days before a screening."""

    def __init__(self, done: Sessions, day: np.datetime64, *, is_followed: bool) -> None:
        self.done, self.day = done, day
        self.ago = (day - done.day).astype(int)
        self.is_run = done.kind == "running"
        self.km = np.where(np.isnan(done.distance_km), 0.0, done.distance_km)
        self.hours = np.where(np.isnan(done.hours), 0.0, done.hours)
        self._is_followed = is_followed

    def last(self, days: int, until: int = 0) -> NDArray[np.bool_]:
        """Sessions of so many days, up to so many days before the screening."""
        return (self.ago > until) & (self.ago <= until + days)

    def _value(
        self, value: float, days: int, mask: NDArray[np.bool_], of: float, *,
        until: int = 0, against: float = float("nan"),
    ) -> LoadValue:  # fmt: skip
        first, last = self.day - (until + days) * _DAY, self.day - (until + 1) * _DAY
        begins = self.done.day.min() <= first + _LATE * _DAY
        ends = self._is_followed or self.done.day.max() >= last - _EARLY * _DAY
        is_covered = bool(begins and ends)
        return LoadValue(value, _date(first), _date(last), int(mask.sum()), of, against, is_covered)

    def of_four_weeks(self) -> dict[str, LoadValue]:
        """Means of a week, over the last four."""
        recent = self.last(_FOUR_WEEKS)
        values: dict[str, LoadValue] = {}
        has_runs = bool((self.km[self.is_run] > 0).any())
        if has_runs:
            runs = recent & self.is_run & (self.km > 0)
            total = float(self.km[runs].sum())
            values["weekly_run_km"] = self._value(total / _WEEKS, _FOUR_WEEKS, runs, total)
            if total > 0:
                acute = float(self.km[runs & self.last(_WEEK)].sum())
                values["acwr_ratio"] = self._value(
                    acute * _WEEKS / total, _FOUR_WEEKS, runs, acute, against=total / _WEEKS
                )
        if (self.hours > 0).any():
            total = float(self.hours[recent].sum())
            timed = recent & (self.hours > 0)
            values["training_hours_per_week"] = self._value(
                total / _WEEKS, _FOUR_WEEKS, timed, total
            )
        # Who never writes down strength training may do it all the same.
        strength = self.done.kind == "strength"
        if strength.any():
            count = int((recent & strength).sum())
            values["resistance_sessions_per_week"] = self._value(
                count / _WEEKS, _FOUR_WEEKS, recent & strength, count
            )
        return values

    def of_runs(self, coming: Sessions) -> dict[str, LoadValue]:
        """The longest run, the planned one, and the one over the other."""
        values: dict[str, LoadValue] = {}
        month = self.last(_MONTH) & self.is_run & (self.km > 0)
        longest = float(self.km[month].max()) if month.any() else 0.0
        if longest:
            values["longest_run_30d_km"] = self._value(longest, _MONTH, month, longest)
        plans = coming.planned_km
        if len(plans):
            planned = float(plans.max())
            first, last = _date(self.day), _date(self.day + (_WEEK - 1) * _DAY)
            values["next_long_run_km"] = LoadValue(planned, first, last, len(plans), planned)
            if longest:
                values["session_spike_ratio"] = self._value(
                    planned / longest, _MONTH, month, planned, against=longest
                )
        elif spike := self._last_spike():
            values["session_spike_ratio"] = spike
        return values

    def _last_spike(self) -> LoadValue | None:
        """The longest run of the last week over the longest of the thirty days before it."""
        week = self.last(_WEEK) & self.is_run & (self.km > 0)
        if not week.any():
            return None
        longest = float(self.km[week].max())
        # Of two that are as long, the one that was first.
        until = int(self.ago[week & (self.km == longest)].max())
        before = self.last(_MONTH, until) & self.is_run & (self.km > 0)
        if not before.any():
            return None
        against = float(self.km[before].max())
        return self._value(longest / against, _MONTH, before, longest, until=until, against=against)

    def of_steps(self) -> dict[str, LoadValue]:
        """The step rate and the speed of the runs that have one, weighted by their time."""
        runs = self.last(_FOUR_WEEKS) & self.is_run & np.isfinite(self.done.cadence_spm)
        if not runs.any():
            return {}
        timed = runs & (self.hours > 0) & (self.km > 0)
        weights = self.hours[timed] if timed.any() else np.ones(int(runs.sum()))
        steps = self.done.cadence_spm[timed if timed.any() else runs]
        mean = float(np.average(steps, weights=weights))
        values = {"step_rate_spm": self._value(mean, _FOUR_WEEKS, runs, mean)}
        if timed.any():
            speed = float(self.km[timed].sum() / self.hours[timed].sum()) / 3.6
            values["run_speed_mps"] = self._value(speed, _FOUR_WEEKS, timed, speed)
        # A mean of the runs that there are needs no full window.
        return {name: value._replace(is_covered=True) for name, value in values.items()}

    def weeks(self) -> list[Week]:
        """The weeks up to the screening, from that of the first session on."""
        count = min(WEEKS_SHOWN, (int(self.ago.max()) + _WEEK - 1) // _WEEK)
        return [self._week(at) for at in reversed(range(count))]

    def _week(self, at: int) -> Week:
        own = self.last(_WEEK, _WEEK * at)
        runs = own & self.is_run & (self.km > 0)
        first, last = self.day - _WEEK * (at + 1) * _DAY, self.day - (_WEEK * at + 1) * _DAY
        return Week(
            _date(first), _date(last), round(float(self.km[runs].sum()), 2),
            round(float(self.hours[own].sum()), 2), int(runs.sum()), int(own.sum()),
            round(float(self.km[runs].max()), 2) if runs.any() else 0.0,
        )  # fmt: skip
