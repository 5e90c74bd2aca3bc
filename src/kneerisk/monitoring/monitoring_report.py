"""The state of a served version on a day: everything that `kneerisk monitor` tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np
from scipy.stats import false_discovery_control

from kneerisk.monitoring.expected_performance import expected_performance, promise_kept
from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.monitoring.loss_to_follow_up import loss_to_follow_up
from kneerisk.monitoring.monitored_answers import (
    LabelledRows,
    MonitoredAnswers,
    athlete_rows,
    knee_rows,
    newest_told,
)
from kneerisk.monitoring.monitoring_schema import (
    LEVEL,
    CountsTold,
    MonitoringReport,
    PartTold,
    ShiftedMeasure,
    WeeklyAlarm,
)
from kneerisk.monitoring.next_step import next_step
from kneerisk.monitoring.observed_and_told import compare, compare_all
from kneerisk.monitoring.poisson_calibration import flexible_calibration
from kneerisk.monitoring.weekly_alarm import (
    PERIOD_DAYS,
    RAISED_AT,
    limits_at_any_time,
    periods,
    weekly_looks,
    weeks_seen,
)
from kneerisk.records.followed_legs import FollowedLeg
from kneerisk.schema import SIDES


def monitor(
    answers: MonitoredAnswers,
    version: str,
    today: date,
    drift: tuple[ShiftedMeasure, ...] | None = None,
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
    overall, alarm = compare_all(athletes.rows), _alarm(athletes.rows, first, today)
    calibration, follow_up = flexible_calibration(both), loss_to_follow_up(own, today)
    step = next_step(
        overall, alarm.limits, calibration, follow_up, alarm=alarm_stands(alarm),
        drifted=any(one.drifted for one in drift or ()),
    )  # fmt: skip
    return MonitoringReport(
        version=version, day=today, first_visit=first, overall=overall,
        parts=_parts(answers, athletes, of_side), alarm=alarm, calibration=calibration,
        expected=expected_performance(knees.rows.risk), promise=promise_kept(both),
        drift=drift, follow_up=follow_up, next_step=step,
    )  # fmt: skip


def alarm_stands(alarm: WeeklyAlarm) -> bool:
    """Whether it was raised this year or the year before.

    A year that has only begun says too little yet to take back what the last one showed.
    """
    year_before = alarm.since - timedelta(days=PERIOD_DAYS)
    return alarm.raised_on is not None or any(day > year_before for day in alarm.raised_before)


def _alarm(rows: FollowedRisks, first: date, today: date) -> WeeklyAlarm:
    start = float(first.toordinal())
    years = periods(start, float(today.toordinal())) or [(start, start)]
    looks = [weekly_looks(rows, *year) for year in years]
    raised = [
        None if one.raised is None else date.fromordinal(int(one.day[one.raised])) for one in looks
    ]
    last = looks[-1]
    place = -1 if last.raised is None else last.raised
    return WeeklyAlarm(
        since=date.fromordinal(int(years[-1][0])), evidence=float(last.evidence[-1]),
        raised_on=raised[-1], more=bool(last.observed[place] > last.told[place]),
        told=float(last.told[-1]),
        limits=limits_at_any_time(float(last.observed[-1]), float(last.told[-1])),
        raised_before=tuple(day for day in raised[:-1] if day is not None),
        raised_at=RAISED_AT, weeks=weeks_seen(last),
    )  # fmt: skip


def _parts(
    answers: MonitoredAnswers, athletes: LabelledRows, of_side: list[LabelledRows]
) -> tuple[PartTold, ...]:
    """By version, club, sex, sport and side; what has one part alone is no part."""
    found: list[tuple[str, str, CountsTold]] = []
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
        PartTold(
            by=by, name=name, counts=counts, adjusted_p=float(p), could_be_chance=bool(p >= LEVEL)
        )
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
