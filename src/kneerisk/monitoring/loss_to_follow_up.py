"""Who is followed and who was lost, and whether the lost had been told other risks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import numpy as np
from scipy.stats import mannwhitneyu

from kneerisk.monitoring.monitored_answers import MonitoredAnswers
from kneerisk.monitoring.monitoring_schema import FollowUpState
from kneerisk.records.follow_up_states import OVERDUE_DAYS
from kneerisk.records.followed_legs import FollowedLeg

#: Fewer lost, or others, than this are not compared (assumption).
FEWEST_COMPARED = 5


def loss_to_follow_up(answers: MonitoredAnswers, today: date) -> FollowUpState:
    """The state of follow-up on a day.

    Parameters
    ----------
    answers
        Of one version, or all.
    today
        The day.

    Returns
    -------
    Counts, and the told risks of the lost beside those of the others.
    """
    newest: dict[int, dict[str, FollowedLeg]] = {}
    for leg in answers.legs:
        legs = newest.setdefault(leg.athlete_id, {})
        if any(one.answer_id != leg.answer_id for one in legs.values()):
            legs.clear()
        legs[leg.side] = leg
    at_risk = [
        [leg for leg in legs.values() if leg.at_risk and leg.risk is not None]
        for legs in newest.values()
    ]
    at_risk = [legs for legs in at_risk if legs]
    lost = [_ended(legs, "lost") and not _ended(legs, "pain") for legs in at_risk]
    overdue = [_is_overdue(legs, today) for legs in at_risk]
    told = [float(np.mean([leg.risk for leg in legs])) for legs in at_risk]
    ended = Counter[str](leg.ended for legs in newest.values() for leg in legs.values())
    gone = [risk for risk, is_lost in zip(told, lost, strict=True) if is_lost]
    there = [risk for risk, is_lost in zip(told, lost, strict=True) if not is_lost]
    return FollowUpState(
        athletes=len(at_risk), overdue=sum(overdue), lost=len(gone), ended=dict(ended),
        lost_told=_median(gone), others_told=_median(there), p_value=_difference(gone, there),
    )  # fmt: skip


def _ended(legs: Sequence[FollowedLeg], why: str) -> bool:
    return any(leg.ended == why for leg in legs)


def _is_overdue(legs: Sequence[FollowedLeg], today: date) -> bool:
    """Whether a report is due of an athlete who had no new pain yet."""
    last = max(leg.followed_until for leg in legs)
    is_running = _ended(legs, "running") and not _ended(legs, "pain")
    return is_running and (today - last).days > OVERDUE_DAYS


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _difference(lost: Sequence[float], others: Sequence[float]) -> float | None:
    """By ranks (Mann & Whitney 1947, doi 10.1214/aoms/1177730491)."""
    if min(len(lost), len(others)) < FEWEST_COMPARED:
        return None
    return float(mannwhitneyu(lost, others).pvalue)
