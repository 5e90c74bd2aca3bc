"""The state of a served version on a day: everything that `kneerisk monitor` tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control

from kneerisk.monitoring.expected_performance import (
    ExpectedPerformance,
    PromiseKept,
    expected_performance,
    promise_kept,
)
from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.monitoring.input_drift import MeasureDrift
from kneerisk.monitoring.loss_to_follow_up import LossToFollowUp, loss_to_follow_up
from kneerisk.monitoring.monitored_answers import (
    LabelledRows,
    MonitoredAnswers,
    athlete_rows,
    knee_rows,
    newest_told,
)
from kneerisk.monitoring.next_step import NextStep, next_step
from kneerisk.monitoring.observed_and_told import ObservedTold, compare
from kneerisk.monitoring.poisson_calibration import FlexibleCalibration, flexible_calibration
from kneerisk.monitoring.weekly_alarm import (
    PERIOD_DAYS,
    RAISED_AT,
    WeekSeen,
    limits_at_any_time,
    periods,
    weekly_looks,
    weeks_seen,
)
from kneerisk.records.followed_legs import FollowedLeg
from kneerisk.schema import SIDES

#: Of tests of parts, of which one in twenty would else be called more than chance (convention).
LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Observed against told in one part of the athletes.

    ``adjusted_p`` is corrected for the number of parts; ``could_be_chance`` goes by it.
    """

    by: str
    name: str
    counts: ObservedTold
    adjusted_p: float

    @property
    def could_be_chance(self) -> bool:
        """Whether chance explains the part, one of several that were looked at."""
        return self.adjusted_p >= LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The weekly alarm in the present year of a version.

    Attributes
    ----------
    since
        When the year began.
    evidence
        At the last look; the alarm is raised at `RAISED_AT`.
    raised_on
        The first look at which it was; None where it never was.
    more
        Whether more happened than was told, at that look or the last.
    told
        Events that were told of in this year.
    limits
        Of observed over told in this year, for all looks at once; None where nothing was told.
    raised_before
        In earlier years, the looks at which it was raised.
    weeks
        The looks of this year.
    """

    since: date
    evidence: float
    raised_on: date | None
    more: bool
    told: float
    limits: tuple[float, float] | None
    raised_before: tuple[date, ...]
    weeks: tuple[WeekSeen, ...]

    @property
    def stands(self) -> bool:
        """Whether it was raised this year or the year before.

        A year that has only begun says too little yet to take back what the last one showed.
        """
        year_before = self.since - timedelta(days=PERIOD_DAYS)
        return self.raised_on is not None or any(day > year_before for day in self.raised_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringReport:
    """The state of a version on a day; None where there is too little for a part."""

    version: str
    day: date
    first_visit: date
    overall: ObservedTold
    parts: tuple[Part, ...]
    alarm: Alarm
    calibration: FlexibleCalibration | None
    expected: ExpectedPerformance | None
    promise: PromiseKept | None
    drift: tuple[MeasureDrift, ...] | None
    follow_up: LossToFollowUp
    next_step: NextStep

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, days as ISO text."""
        plain: dict[str, Any] = _plain(asdict(self))
        plain["parts"] = [
            {**found, "could_be_chance": part.could_be_chance}
            for found, part in zip(plain["parts"], self.parts, strict=True)
        ]
        plain["overall"]["could_be_chance"] = self.overall.could_be_chance
        plain["alarm"]["raised_at"] = RAISED_AT
        return plain

    def metrics(self) -> dict[str, float]:
        """The numbers that a line over time is drawn of; what can't be measured is left out."""
        overall, alarm, found = self.overall, self.alarm, self.calibration
        low, high = alarm.limits or (None, None)
        values = {
            "observed": overall.observed, "told": overall.told,
            "observed_over_told": overall.ratio, "observed_over_told_low": overall.low,
            "observed_over_told_high": overall.high, "limits_at_any_time_low": low,
            "limits_at_any_time_high": high, "alarm_evidence": alarm.evidence,
            "alarm": float(alarm.raised_on is not None),
            "hazard_slope": None if found is None else found.slope,
            "expected_log_loss": None if self.expected is None else self.expected.log_loss,
            "expected_brier": None if self.expected is None else self.expected.brier,
            "expected_auc": None if self.expected is None else self.expected.auc,
            "drifted": None if self.drift is None else sum(one.drifted for one in self.drift),
            "lost_share": self.follow_up.lost_share, "overdue": self.follow_up.overdue,
            "athletes": overall.athletes,
        }  # fmt: skip
        return {name: float(value) for name, value in values.items() if value is not None}


def monitor(
    answers: MonitoredAnswers,
    version: str,
    today: date,
    drift: tuple[MeasureDrift, ...] | None = None,
) -> MonitoringReport:
    """The state of a version.

    Parameters
    ----------
    answers
        Of every version.
    version
        Which is monitored; it has answers.
    today
        The day of the look.
    drift
        Of its inputs; None where the model's bundle is not at hand.

    Returns
    -------
    The report.
    """
    own = answers.of_version(version)
    athletes, knees = newest_told(athlete_rows(own)), knee_rows(own)
    of_side = [newest_told(_where(knees, _side, side)) for side in SIDES]
    both = _joined([one.rows for one in of_side])
    first = min(leg.visit_day for leg in own.legs)
    overall, alarm = compare(athletes.rows), _alarm(athletes.rows, first, today)
    calibration, follow_up = flexible_calibration(both), loss_to_follow_up(own, today)
    step = next_step(
        overall, alarm.limits, calibration, follow_up, alarm=alarm.stands,
        drifted=any(one.drifted for one in drift or ()),
    )  # fmt: skip
    return MonitoringReport(
        version=version, day=today, first_visit=first, overall=overall,
        parts=_parts(answers, athletes, of_side), alarm=alarm, calibration=calibration,
        expected=expected_performance(knees.rows.risk), promise=promise_kept(both),
        drift=drift, follow_up=follow_up, next_step=step,
    )  # fmt: skip


def _alarm(rows: FollowedRisks, first: date, today: date) -> Alarm:
    start = float(first.toordinal())
    years = periods(start, float(today.toordinal())) or [(start, start)]
    looks = [weekly_looks(rows, *year) for year in years]
    raised = [
        None if one.raised is None else date.fromordinal(int(one.day[one.raised])) for one in looks
    ]
    last = looks[-1]
    place = -1 if last.raised is None else last.raised
    return Alarm(
        since=date.fromordinal(int(years[-1][0])), evidence=float(last.evidence[-1]),
        raised_on=raised[-1], more=bool(last.observed[place] > last.told[place]),
        told=float(last.told[-1]),
        limits=limits_at_any_time(float(last.observed[-1]), float(last.told[-1])),
        raised_before=tuple(day for day in raised[:-1] if day is not None),
        weeks=weeks_seen(last),
    )  # fmt: skip


def _parts(
    answers: MonitoredAnswers, athletes: LabelledRows, of_side: list[LabelledRows]
) -> tuple[Part, ...]:
    """By version, club, sex, sport and side; what has one part alone is no part."""
    found: list[tuple[str, str, ObservedTold]] = []
    for version in answers.versions:
        rows = newest_told(athlete_rows(answers.of_version(version)))
        found.append(("version", version, compare(rows.rows)))
    labels: Mapping[str, Callable[[FollowedLeg], str]] = {
        "club": lambda leg: answers.clubs[leg.club_id],
        "sex": lambda leg: _stated(leg, "sex"),
        "sport": lambda leg: _stated(leg, "sport"),
    }
    for by, label in labels.items():
        names = sorted({label(leg) for leg in athletes.legs})
        found += [(by, name, compare(_where(athletes, label, name).rows)) for name in names]
    for name, rows in zip(SIDES, of_side, strict=True):
        found.append(("side", name, compare(rows.rows)))
    several = {by for by, _, _ in found if sum(by == other for other, _, _ in found) > 1}
    found = [one for one in found if one[0] in several]
    if not found:
        return ()
    adjusted = false_discovery_control([counts.p_value for _, _, counts in found])
    return tuple(
        Part(by=by, name=name, counts=counts, adjusted_p=float(p))
        for (by, name, counts), p in zip(found, adjusted, strict=True)
    )


def _stated(leg: FollowedLeg, name: str) -> str:
    value = (leg.screening.get("athlete") or {}).get(name)
    return value if isinstance(value, str) else ""


def _side(leg: FollowedLeg) -> str:
    return leg.side


def _where(labelled: LabelledRows, label: Callable[[FollowedLeg], str], name: str) -> LabelledRows:
    legs = labelled.legs
    places = np.array([place for place, leg in enumerate(legs) if label(leg) == name], dtype=int)
    return LabelledRows(
        rows=labelled.rows.take(places), legs=tuple(legs[place] for place in places)
    )


def _joined(rows: list[FollowedRisks]) -> FollowedRisks:
    names = FollowedRisks.__dataclass_fields__
    return FollowedRisks(
        **{name: np.concatenate([getattr(one, name) for one in rows]) for name in names}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
