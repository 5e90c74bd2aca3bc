"""Reports and cases as episodes: repeats merged, onset between a clean and a painful report.

What was there at the first report is not new, and a flare of it is not either. Without a report
nothing is known, so that silence neither ends an episode nor makes the next one new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from kneerisk.records.outcome_logs.outcome_events import (
    CheckIn,
    Course,
    EventKind,
    KneeSide,
    OutcomeEvent,
    Says,
)

#: Reports of one problem with no more than so many days between them are one episode (assumption,
#: the length of an OSTRC recall period: one missed or clean week parts two episodes).
GAP_DAYS = 7
_DAY = timedelta(days=1)
#: Words for how bad something is, the worst last (injurytools; pmsys knows minor and major).
_GRADES = ("minor", "mild", "moderate", "major", "severe", "very_severe")
_TRACKS: dict[KneeSide, tuple[KneeSide, ...]] = {"both": ("left", "right")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one row says of one knee, or of a problem elsewhere."""

    athlete: str
    kind: EventKind
    side: KneeSide
    first: date
    """The first day that it covers."""
    last: date
    says: Says
    line: int
    part: str = ""
    """Of a problem elsewhere: where, so that two of them are not one."""
    severity: float | None = None
    grade: str | None = None


def worst_grade(grades: Iterable[str | None]) -> str | None:
    """The worst of some words for how bad it was; one that is not known counts least."""
    known = [grade for grade in grades if grade]
    rank = {grade: at for at, grade in enumerate(_GRADES)}
    return max(known, key=lambda grade: rank.get(grade.replace(" ", "_"), -1), default=None)


def episodes(reports: Sequence[Report], file: str) -> list[OutcomeEvent]:
    """The episodes that the reports of a file make up.

    Parameters
    ----------
    reports
        Painful ones and clean ones, in any order.
    file
        The file's name.

    Returns
    -------
    list of OutcomeEvent
        By athlete and onset; one of both knees where the two went the same way.
    """
    painful: dict[tuple[str, EventKind, KneeSide, str], list[Report]] = defaultdict(list)
    clean: dict[tuple[str, KneeSide], list[Report]] = defaultdict(list)
    for report in reports:
        for side in _TRACKS.get(report.side, (report.side,)):
            if report.says == "problem":
                painful[report.athlete, report.kind, side, report.part].append(report)
            elif report.says == "nothing_new":
                clean[report.athlete, side].append(report)
        if report.says == "nothing_new" and report.side == "both":
            clean[report.athlete, "unknown"].append(report)
    events = [
        event
        for (athlete, kind, side, _), own in painful.items()
        for event in _of_one_knee(own, clean.get((athlete, side), []), kind, side, file)
    ]
    return sorted(_of_both(events), key=lambda event: (event.athlete, event.onset_latest))


def _of_one_knee(
    painful: list[Report], clean: list[Report], kind: EventKind, side: KneeSide, file: str
) -> list[OutcomeEvent]:
    runs: list[list[Report]] = []
    for report in sorted(painful, key=lambda one: (one.last, one.line)):
        if runs and (report.first - runs[-1][-1].last).days <= GAP_DAYS:
            runs[-1].append(report)
        else:
            runs.append([report])
    clean_days = sorted((one.last, one.first) for one in clean)
    events: list[OutcomeEvent] = []
    before: date | None = None
    for run in runs:
        events.append(_episode(run, clean_days, before, kind, side, file))
        before = run[-1].last
    return events


def _episode(
    run: list[Report],
    clean: list[tuple[date, date]],
    before: date | None,
    kind: EventKind,
    side: KneeSide,
    file: str,
) -> OutcomeEvent:
    first, last = run[0].last, run[-1].last
    last_clean = max((day for day, _ in clean if day < first), default=None)
    if last_clean is not None and before is not None and last_clean <= before:
        last_clean = None
    free = min((max(start, last + _DAY) for day, start in clean if day > last), default=None)
    course: Course
    if before is None:
        course = "new" if last_clean else "at_first_report"
    else:
        course = "recurrence" if last_clean else "flare"
    known = last_clean or before
    severities = [report.severity for report in run if report.severity is not None]
    return OutcomeEvent(
        athlete=run[0].athlete, kind=kind, side=side,
        onset_earliest=known + _DAY if known else None, onset_latest=first,
        course=course, last_reported=last, free_by=free,
        severity=max(severities, default=None), grade=worst_grade(r.grade for r in run),
        file=file, lines=tuple(dict.fromkeys(report.line for report in run)),
    )  # fmt: skip


def _of_both(events: list[OutcomeEvent]) -> list[OutcomeEvent]:
    """Left and right that are told by the same rows from the first to the last are one event."""
    lefts = {_course_of(event): event for event in events if event.side == "left"}
    joined: list[OutcomeEvent] = []
    taken: set[int] = set()
    for event in events:
        left = lefts.get(_course_of(event)) if event.side == "right" else None
        if left is not None:
            grade = worst_grade([left.grade, event.grade])
            joined.append(replace(event, side="both", grade=grade))
            taken |= {id(left), id(event)}
    return [event for event in events if id(event) not in taken] + joined


def _course_of(event: OutcomeEvent) -> tuple[object, ...]:
    return (event.athlete, event.kind, event.onset_earliest, event.free_by, event.lines)


# -- cases ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A row of a case list, before repeats of it are merged."""

    event: OutcomeEvent
    part: str
    """What tells problems elsewhere apart."""
    stated: Course | None
    """What the list itself says of an earlier one."""


def merged_cases(cases: Sequence[Case]) -> list[OutcomeEvent]:
    """Cases with the repeats of each merged, and how each follows on earlier ones.

    Parameters
    ----------
    cases
        The rows, in any order.

    Returns
    -------
    list of OutcomeEvent
        By athlete and onset.
    """
    tracks: dict[tuple[str, EventKind, KneeSide, str], list[Case]] = defaultdict(list)
    for case in cases:
        event = case.event
        tracks[event.athlete, event.kind, event.side, case.part].append(case)
    events = [event for own in tracks.values() for event in _one_track(own)]
    return sorted(events, key=lambda event: (event.athlete, event.onset_latest))


def _one_track(cases: list[Case]) -> list[OutcomeEvent]:
    events: list[OutcomeEvent] = []
    for case in sorted(cases, key=lambda one: (one.event.onset_latest, one.event.lines)):
        event = case.event
        earlier = events[-1] if events else None
        if earlier and event.kind != "end_of_follow_up" and _goes_on(earlier, event):
            events[-1] = _joined(earlier, event)
            continue
        course = case.stated or event.course
        if earlier and case.stated is None:
            is_over = earlier.free_by is not None and earlier.free_by <= event.onset_latest
            course = "recurrence" if is_over else "flare"
        events.append(replace(event, course=course))
    return events


def _goes_on(earlier: OutcomeEvent, event: OutcomeEvent) -> bool:
    until = earlier.last_reported or earlier.onset_latest
    if earlier.free_by is not None and event.onset_latest < earlier.free_by:
        return True
    return (event.onset_latest - until).days <= GAP_DAYS and earlier.free_by is None


def _joined(earlier: OutcomeEvent, event: OutcomeEvent) -> OutcomeEvent:
    lost = [one for one in (earlier.days_lost, event.days_lost) if one is not None]
    severities = [one for one in (earlier.severity, event.severity) if one is not None]
    ends = [one for one in (earlier.free_by, event.free_by) if one is not None]
    return replace(
        earlier,
        last_reported=event.last_reported or event.onset_latest,
        free_by=max(ends, default=None),
        days_lost=max(lost, default=None),
        severity=max(severities, default=None),
        grade=worst_grade([earlier.grade, event.grade]),
        code=earlier.code or event.code,
        code_class=earlier.code_class or event.code_class,
        lines=(*earlier.lines, *event.lines),
    )


# -- the days that are known ---------------------------------------------------------------------


def covered_days(check_ins: Iterable[CheckIn]) -> dict[str, list[tuple[date, date]]]:
    """The days of each athlete that reports cover, overlaps merged; all others are unknown.

    Parameters
    ----------
    check_ins
        The reports; those that leave their knee unknown cover nothing.

    Returns
    -------
    dict
        Periods by athlete, first and last day included, in order.
    """
    periods: dict[str, list[tuple[date, date]]] = defaultdict(list)
    told = [one for one in check_ins if one.says != "unknown"]
    for one in sorted(told, key=lambda one: (one.covers_from, one.covers_to)):
        own = periods[one.athlete]
        if own and one.covers_from <= own[-1][1] + _DAY:
            own[-1] = (own[-1][0], max(own[-1][1], one.covers_to))
        else:
            own.append((one.covers_from, one.covers_to))
    return dict(periods)


def gaps_between(periods: Sequence[tuple[date, date]]) -> list[tuple[date, date]]:
    """The days between periods of reports, of which nothing is known."""
    return [(one[1] + _DAY, other[0] - _DAY) for one, other in pairwise(periods)]
