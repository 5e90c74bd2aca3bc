"""A monitoring report in words, one screen of it."""

from __future__ import annotations

from collections.abc import Iterator

from kneerisk.monitoring.input_drift import SMALL_SHIFT_SD, SMALL_SPREAD
from kneerisk.monitoring.monitoring_schema import (
    CountsTold,
    MonitoringAnswer,
    MonitoringReport,
    OverallTold,
    PartTold,
    ShiftedMeasure,
    WeeklyAlarm,
)
from kneerisk.monitoring.next_step import FAR_OFF, FEWEST_FOR_LEVEL
from kneerisk.monitoring.observed_and_told import FEWEST_FOR_CURVE
from kneerisk.words import plural, text, variant

#: Ways for a knee's follow-up to end that leave open whether its own pain began.
_UNCLEAR = ("unknown_side", "onset_unclear", "unexplained")
#: A ratio to less than one event is none that says anything: one event makes it hundreds
#: (assumption).
FEWEST_TOLD = 1.0
#: Of fewer athletes no AUC or log loss is promised (assumption).
FEWEST_FOR_PROMISE = 10
_YES, _NO = "yes", "no"


def head_lines(report: MonitoringReport) -> list[str]:
    """Who was followed, what was told, what happened, and what to do."""
    counts = report.overall
    low, high = counts.chance
    return [
        plural(
            "monitoring.about", counts.athletes, version=report.version, day=report.day,
            years=f"{counts.years:.1f}", first_visit=report.first_visit,
        ),
        plural(
            "monitoring.observed", counts.athletes, observed=counts.observed,
            told=_events(counts.told),
            chance=variant("monitoring.chance", chance_of(counts), low=low, high=high),
        ),
        to_do(report),
    ]  # fmt: skip


def chance_of(counts: OverallTold) -> str:
    """Whether chance explains what happened; `none` before anybody was followed for a day."""
    return _word(is_so=counts.could_be_chance) if counts.years > 0.0 else "none"


def to_do(report: MonitoringReport) -> str:
    """The one sentence that says what to do, and why."""
    return variant(
        "monitoring.do", report.next_step.why, factor=f"{FAR_OFF:g}", needed=FEWEST_FOR_LEVEL
    )


def with_to_do(report: MonitoringReport) -> MonitoringAnswer:
    """The report with that sentence, as the command prints it and the service answers it."""
    return MonitoringAnswer(**dict(report), to_do=to_do(report))


def part_columns() -> list[str]:
    """The heads of the table of parts."""
    return [
        text("monitoring.column.by"), text("monitoring.column.name"),
        text("monitoring.column.athletes"), text("monitoring.column.observed"),
        text("monitoring.column.told"), text("monitoring.column.ratio"),
        text("monitoring.column.chance"),
    ]  # fmt: skip


def part_row(part: PartTold) -> list[str]:
    """A part as a row of that table."""
    counts = part.counts
    return [
        part.by, part.name or text("monitoring.not_stated"), str(counts.athletes),
        str(counts.observed), _events(counts.told), _ratio(counts),
        variant("monitoring.answer", _word(is_so=part.could_be_chance)),
    ]  # fmt: skip


def more_lines(report: MonitoringReport) -> list[str]:
    """Alarm, calibration, promise, inputs, follow-up."""
    return [
        *_alarm_lines(report.alarm), _slope_line(report), *_promise_lines(report),
        _drift_line(report), *_follow_up_lines(report),
    ]  # fmt: skip


def _alarm_lines(alarm: WeeklyAlarm) -> Iterator[str]:
    state = "quiet" if alarm.raised_on is None else "more" if alarm.more else "less"
    yield variant(
        "monitoring.alarm", state, since=alarm.since, raised_on=alarm.raised_on,
        evidence=f"{alarm.evidence:.2g}", raised_at=f"{alarm.raised_at:g}",
    )  # fmt: skip
    if alarm.told < FEWEST_TOLD:
        yield text(
            "monitoring.too_little_told", told=_events(alarm.told), needed=f"{FEWEST_TOLD:g}"
        )
    elif alarm.limits is not None:
        low, high = alarm.limits
        yield text("monitoring.limits_at_any_time", low=f"{low:.2f}", high=f"{high:.2f}")
    if alarm.raised_before:
        days = ", ".join(day.isoformat() for day in alarm.raised_before)
        yield text("monitoring.raised_before", days=days)


def _slope_line(report: MonitoringReport) -> str:
    found = report.calibration
    if found is None:
        events = report.follow_up.ended.get("pain", 0)
        if events >= FEWEST_FOR_CURVE:
            return text("monitoring.same_risks")
        return text("monitoring.no_slope", needed=FEWEST_FOR_CURVE, events=events)
    slope, low, high = (f"{x:.2f}" for x in (found.slope, found.slope_low, found.slope_high))
    return text("monitoring.slope", slope=slope, low=low, high=high)


def _promise_lines(report: MonitoringReport) -> Iterator[str]:
    expected, kept = report.expected, report.promise
    if expected is not None and report.overall.athletes >= FEWEST_FOR_PROMISE:
        auc = "-" if expected.auc is None else f"{expected.auc:.3f}"
        yield text(
            "monitoring.expected", log_loss=f"{expected.log_loss:.3f}",
            brier=f"{expected.brier:.3f}", auc=auc,
        )  # fmt: skip
    if kept is not None:
        chance = variant("monitoring.difference", _word(is_so=kept.could_be_chance))
        yield text(
            "monitoring.kept", promised=f"{kept.promised:.3f}", happened=f"{kept.happened:.3f}",
            chance=chance,
        )  # fmt: skip


def _drift_line(report: MonitoringReport) -> str:
    if report.drift is None:
        return text("monitoring.no_drift", version=report.version)
    drifted = [one for one in report.drift if one.drifted]
    if not drifted:
        return text(
            "monitoring.not_drifted", looked_at=len(report.drift), least=f"{SMALL_SHIFT_SD:g}",
            spread=f"{SMALL_SPREAD - 1.0:.0%}",
        )  # fmt: skip
    measures = ", ".join(told for one in drifted for told in _told_of(one))
    return text(
        "monitoring.drifted", measures=measures, drifted=len(drifted), looked_at=len(report.drift)
    )


def _told_of(drift: ShiftedMeasure) -> Iterator[str]:
    if drift.shifted:
        shift = f"{drift.shift_sd:+.2f}"
        yield text("monitoring.drift_of", measure=drift.measure, shift=shift)
    if drift.spread_changed and drift.spread is not None:
        yield text("monitoring.spread_of", measure=drift.measure, ratio=f"{drift.spread:.2f}")


def _follow_up_lines(report: MonitoringReport) -> Iterator[str]:
    found = report.follow_up
    yield text(
        "monitoring.follow_up", lost=found.lost, athletes=found.athletes,
        share=f"{found.lost_share:.0%}", overdue=found.overdue,
    )  # fmt: skip
    if found.p_value is not None:
        lost, others = f"{found.lost_told:.0%}", f"{found.others_told:.0%}"
        yield text(
            "monitoring.lost_told", lost=lost, others=others,
            chance=variant("monitoring.difference", _word(is_so=not found.lost_differ)),
        )  # fmt: skip
    unclear = sum(found.ended.get(why, 0) for why in _UNCLEAR)
    if unclear:
        yield text("monitoring.unclear", count=unclear)


def _word(*, is_so: bool) -> str:
    return _YES if is_so else _NO


def _events(told: float) -> str:
    """Events that were told of, which need not be whole."""
    return text("monitoring.hardly_any") if 0.0 < told < 0.05 else f"{told:.1f}"


def _ratio(counts: CountsTold) -> str:
    if (
        counts.told < FEWEST_TOLD
        or counts.ratio is None
        or counts.low is None
        or counts.high is None
    ):
        return "-"
    ratio, low, high = (f"{value:.2f}" for value in (counts.ratio, counts.low, counts.high))
    return text("monitoring.ratio", ratio=ratio, low=low, high=high)
