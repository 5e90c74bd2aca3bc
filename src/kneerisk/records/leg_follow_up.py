"""What became of one knee after a visit: gradual pain that was new, none, or not known.

Pure rules over the events and check-ins of one athlete. What was there at the visit is not new, and
a flare of it is not either. Days without a report are unknown; only a stated number of them in a
row is bridged by a clean report behind them. A traumatic injury or surgery of the knee ends the
look-out for gradual pain, as does anything that may have been this knee and does not say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from kneerisk.records.outcome_logs.episodes import GAP_DAYS
from kneerisk.schema import Side

#: Days in a row without a report after which an athlete counts as lost, whatever came later: pain
#: that was found after the silence would count, and its absence would not (assumption: four weeks,
#: so that three weekly reports may be missing). Pain that came and went within them is missed.
LONGEST_SILENCE_DAYS = 28
_DAY = timedelta(days=1)
#: Kinds of events that are about a knee.
OF_A_KNEE = frozenset({"knee_pain", "knee_injury", "surgery"})

Ended = Literal[
    "pain", "horizon", "lost", "running", "knee_injury", "surgery", "unknown_side", "onset_unclear",
    "unexplained", "not_at_risk",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KneeEvent:
    """Something that happened to a knee; it began on one of the days from first to last."""

    kind: str
    side: str
    first_day: date | None
    """None: it was there when the reports began."""
    last_day: date
    last_reported: date | None = None
    free_by: date | None = None

    @property
    def reported_until(self) -> date:
        """The last day on which it is known to have been there."""
        return max(self.last_reported or self.last_day, self.last_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDays:
    """A check-in: the days that it covers, and whether a knee troubled on them."""

    side: str
    first_day: date
    last_day: date
    has_problem: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KneeHistory:
    """All that the records say of an athlete's knees."""

    events: tuple[KneeEvent, ...] = ()
    check_ins: tuple[ReportedDays, ...] = ()
    ends: tuple[date, ...] = ()
    """The last day that was followed, where a club stated it."""
    periods: tuple[tuple[date, date], ...] = ()
    """First and last days over which a log watched the athlete, as its owner stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What became of a knee.

    Attributes
    ----------
    outcome
        1: gradual pain that was new began within the horizon. 0: followed to the horizon without.
        None: not known.
    onset
        The first and the last day on which it may have begun.
    followed_until
        The last day that is known to be free of new pain; the day of the visit where none is.
    ended
        Why the look-out ended.
    """

    outcome: Literal[0, 1] | None
    onset: tuple[date, date] | None
    followed_until: date
    ended: Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOut:
    """For what is looked: one knee, from the day after a visit to the horizon.

    Attributes
    ----------
    side
        Which knee.
    visit_day
        The day of the visit.
    last_day
        The last day of the horizon.
    hurt_at_visit
        Whether it hurt then; None where nobody asked.
    today
        Nothing is known of later days.
    longest_silence_days
        Days without a report that a later report bridges.
    """

    side: Side
    visit_day: date
    last_day: date
    hurt_at_visit: bool | None
    today: date
    longest_silence_days: int = LONGEST_SILENCE_DAYS


def follow(look_out: LookOut, history: KneeHistory) -> FollowUp:
    """What became of a knee after a visit.

    Parameters
    ----------
    look_out
        The knee, the visit and the horizon.
    history
        Of the athlete.

    Returns
    -------
    FollowUp
        Its outcome and why the look-out ended.
    """
    history = _until(look_out.today, history)
    visit_day = look_out.visit_day
    if hurts_at_visit(look_out, history):
        return FollowUp(outcome=None, onset=None, followed_until=visit_day, ended="not_at_risk")
    known_until, silence = _watched(look_out, history)
    stops = [*_stops(look_out, history), (known_until + _DAY, silence)]
    stop_day, ended = min(stops, key=lambda stop: stop[0])
    pain = _first_pain(look_out, history)
    free_until = stop_day - _DAY
    if pain is not None:
        earliest = _earliest(look_out, pain)
        free_until = min(free_until, earliest - _DAY)
        if visit_day < earliest and pain.last_day < stop_day:
            return FollowUp(
                outcome=1, onset=(earliest, pain.last_day), followed_until=free_until, ended="pain"
            )
        # It may have begun before the visit, or within the horizon or after it.
        if pain.last_day < stop_day or (ended == "horizon" and earliest < stop_day):
            ended = "onset_unclear"
    return FollowUp(
        outcome=0 if ended == "horizon" else None,
        onset=None,
        followed_until=max(free_until, visit_day),
        ended=ended,
    )


def hurts_at_visit(look_out: LookOut, history: KneeHistory) -> bool:
    """Whether the knee hurt at the visit, or pain of it was not known to be over.

    Parameters
    ----------
    look_out
        The knee and the visit.
    history
        Of the athlete.

    Returns
    -------
    Whether the knee is not at risk of new pain.
    """
    return look_out.hurt_at_visit is True or any(
        event.last_day <= look_out.visit_day and not _is_over(event, look_out, history)
        for event in _pains(look_out.side, history)
    )


def _until(today: date, history: KneeHistory) -> KneeHistory:
    return KneeHistory(
        events=tuple(event for event in history.events if event.last_day <= today),
        check_ins=tuple(one for one in history.check_ins if one.last_day <= today),
        ends=tuple(end for end in history.ends if end <= today),
        periods=tuple((first, min(last, today)) for first, last in history.periods),
    )


def _is_over(event: KneeEvent, look_out: LookOut, history: KneeHistory) -> bool:
    """Whether pain is known to have ended by the visit: silence does not say so."""
    day, until = look_out.visit_day, event.reported_until
    if event.free_by is not None and event.free_by <= day:
        return True
    return until < day and (
        look_out.hurt_at_visit is False
        or any(
            _covers(one.side, look_out.side) and not one.has_problem
            and until < one.first_day and one.last_day <= day
            for one in history.check_ins
        )
    )  # fmt: skip


def _earliest(look_out: LookOut, pain: KneeEvent) -> date:
    """The first day on which pain may have begun: a visit that was free of it is a clean report."""
    earliest = pain.first_day or look_out.visit_day
    if look_out.hurt_at_visit is False:
        earliest = max(earliest, look_out.visit_day + _DAY)
    return earliest


def _first_pain(look_out: LookOut, history: KneeHistory) -> KneeEvent | None:
    pains = _pains(look_out.side, history)
    later = [event for event in pains if event.last_day > look_out.visit_day]
    return min(later, key=lambda event: event.last_day, default=None)


def _pains(side: Side, history: KneeHistory) -> list[KneeEvent]:
    return [
        event for event in history.events if event.kind == "knee_pain" and _covers(event.side, side)
    ]


def _stops(look_out: LookOut, history: KneeHistory) -> Iterator[tuple[date, Ended]]:
    """The days on which the look-out ends for another reason than pain or silence."""
    first = look_out.visit_day + _DAY
    for event in history.events:
        is_later = event.last_day >= first
        day = max(event.first_day or first, first)
        if event.side == "unknown" and event.kind in OF_A_KNEE:
            is_pain = event.kind == "knee_pain"
            if is_later or (is_pain and not _is_over(event, look_out, history)):
                yield day, "unknown_side"
        elif is_later and _covers(event.side, look_out.side):
            if event.kind == "knee_injury":
                yield day, "knee_injury"
            elif event.kind == "surgery":
                yield day, "surgery"
    for check_in in history.check_ins:
        if check_in.last_day >= first and _is_unexplained(check_in, look_out.side, history):
            yield max(check_in.first_day, first), "unexplained"


def _is_unexplained(check_in: ReportedDays, side: Side, history: KneeHistory) -> bool:
    """Whether a knee troubled that may be this one, and no event says what it was."""
    if not check_in.has_problem or check_in.side not in ("unknown", "both", side):
        return False
    near = timedelta(days=GAP_DAYS)
    sides = ("left", "right", "both", "unknown") if check_in.side == "unknown" else (
        side, "both", "unknown",
    )  # fmt: skip
    return not any(
        event.kind in OF_A_KNEE
        and event.side in sides
        and (event.first_day or event.last_day) - near <= check_in.last_day
        and check_in.first_day <= event.reported_until + near
        for event in history.events
    )


def _watched(look_out: LookOut, history: KneeHistory) -> tuple[date, Ended]:
    """The last day of which there is a report, and why there is no later one.

    A stated period or end says that somebody watched, where the athlete was never asked.
    """
    reached, longest = look_out.visit_day, timedelta(days=look_out.longest_silence_days)
    check_ins = [
        (one.first_day, one.last_day)
        for one in history.check_ins
        if one.last_day > reached and one.side in ("both", "unknown", look_out.side)
    ]
    events = [(event.last_day, event.reported_until) for event in history.events]
    ends = [end for end in history.ends if end >= reached]
    if not check_ins:
        check_ins = list(history.periods) or [(reached, end) for end in ends]
    for first_day, last_day in sorted([*check_ins, *events]):
        if first_day > reached + longest + _DAY:
            break
        reached = max(reached, last_day)
    reached = min([reached, *ends])
    if reached >= look_out.last_day:
        return look_out.last_day, "horizon"
    is_running = not ends and reached + longest >= look_out.today
    return reached, "running" if is_running else "lost"


def _covers(side: str, wanted: Side) -> bool:
    return side in ("both", wanted)
