"""Who is overdue for a weekly check-in, by one rule, and a club's athletes page by page.

Apart from the database, so that a request is checked where none is installed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from kneerisk.records.leg_follow_up import LONGEST_SILENCE_DAYS

#: A check-in is about a week.
WEEK_DAYS = 7
#: Days without a report after which an athlete is overdue: a weekly report and a few days' grace
#: (assumption).
OVERDUE_DAYS = 10
#: Athletes of one page of the list, unless another number is asked for, and at most (assumptions).
PAGE, MOST_OF_A_PAGE = 100, 1_000

#: `answered`: heard of within the last week. `due`: a check-in is due. `overdue`: for more than
#: `OVERDUE_DAYS`. `lost`: for longer than a later report bridges (`LONGEST_SILENCE_DAYS`); only a
#: new screening begins follow-up again. `over`: the club ended it, or the time that the newest risk
#: is about has passed. `not_screened`: nothing was told that could be followed.
CheckInState = Literal["answered", "due", "overdue", "lost", "over", "not_screened"]
STATES: tuple[CheckInState, ...] = get_args(CheckInState)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardOf:
    """When an athlete was heard of.

    Attributes
    ----------
    athlete
        The club's id.
    last_visit
        The day of the newest screening; None where there is none.
    last_check_in
        The last day that a check-in covers; None where there is none.
    heard_of
        The last day of which anybody told how the knees were; None where nobody did.
    silent_days
        Days since then.
    follow_up
        What that means for the weekly check-in.
    """

    athlete: str
    last_visit: date | None
    last_check_in: date | None
    heard_of: date | None
    silent_days: int | None
    follow_up: CheckInState


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOfAthletes:
    """Some of a club's athletes by id, and how many there are in each state.

    ``last`` is the id after which the next page begins; None where this is the last one.
    """

    athletes: tuple[HeardOf, ...]
    counts: dict[CheckInState, int]
    last: str | None


def follow_up_state(
    last_visit: date | None, silent_days: int | None, *, is_over: bool
) -> CheckInState:
    """What days of silence mean.

    Parameters
    ----------
    last_visit
        The day of the newest screening, if any.
    silent_days
        Days since anybody told how the knees were; None where nobody did.
    is_over
        Whether follow-up was ended, or has reached the end of what was told.

    Returns
    -------
    One of `STATES`.
    """
    if last_visit is None or silent_days is None:
        return "not_screened"
    if is_over:
        return "over"
    if silent_days > LONGEST_SILENCE_DAYS:
        return "lost"
    if silent_days > OVERDUE_DAYS:
        return "overdue"
    return "answered" if silent_days < WEEK_DAYS else "due"


def page_of_athletes(
    everybody: Iterable[HeardOf], states: Collection[CheckInState], after: str, limit: int
) -> PageOfAthletes:
    """A page of the list.

    Parameters
    ----------
    everybody
        All athletes of a club.
    states
        Of these states alone; none stands for all.
    after
        The id that the page begins after.
    limit
        How many it has at most.

    Returns
    -------
    The page; its counts are of everybody.
    """
    ordered = sorted(everybody, key=lambda one: one.athlete)
    counts = Counter(one.follow_up for one in ordered)
    shown = [
        one for one in ordered if one.athlete > after and (not states or one.follow_up in states)
    ]
    page = tuple(shown[:limit])
    return PageOfAthletes(
        athletes=page, counts={state: counts[state] for state in STATES},
        last=page[-1].athlete if len(shown) > limit else None,
    )  # fmt: skip
