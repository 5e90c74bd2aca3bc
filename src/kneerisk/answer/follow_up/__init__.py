"""Visits of one athlete, compared: what really changed, and what is within error."""

from kneerisk.answer.follow_up.compare import follow_up
from kneerisk.answer.follow_up.contract import FollowUpAnswer
from kneerisk.answer.follow_up.request import MOST_VISITS, FollowUp, Visit

__all__ = ["MOST_VISITS", "FollowUp", "FollowUpAnswer", "Visit", "follow_up"]
