"""Visits of one athlete, compared: what really changed, and what is within error."""

from kneerisk.answer.follow_up.follow_up_request import MOST_VISITS, FollowUp, Visit
from kneerisk.answer.follow_up.follow_up_schema import FollowUpAnswer
from kneerisk.answer.follow_up.visit_comparison import follow_up

__all__ = ["MOST_VISITS", "FollowUp", "FollowUpAnswer", "Visit", "follow_up"]
