"""Red flags come before any score."""

from __future__ import annotations

from kneerisk.answer.answer_schema import Flag
from kneerisk.evidence import Urgency, red_flags, urgencies
from kneerisk.schema import Screening

ACUTE = "acute_injury_within_7_days"
#: From this age on an acute knee injury needs an X-ray decision (Ottawa knee rule, Stiell).
OTTAWA_AGE_YEARS = 55


def flags_of(screening: Screening) -> list[Flag]:
    """The red flags that apply, most urgent first.

    Ottawa's items are urgent with an injury of the last 7 days only; without one they stand as
    routine. An acute injury at 55 or over is one of them.
    """
    codes = screening.red_flags or []
    acute = ACUTE in codes
    found = []
    for code in codes:
        facts = red_flags()[code]
        urgency = "routine" if facts.needs_acute_injury and not acute else facts.urgency
        found.append(_flag(code, urgency, facts.reason))
    if acute and screening.athlete.age_years >= OTTAWA_AGE_YEARS:
        reason = f"an acute knee injury at {OTTAWA_AGE_YEARS} or over needs a decision on an X-ray"
        found.append(_flag("ottawa_age", "emergency", reason))
    order = list(urgencies())
    return sorted(found, key=lambda flag: order.index(flag.urgency))


def _flag(code: str, urgency: Urgency, reason: str) -> Flag:
    facts = urgencies()[urgency]
    return Flag(code=code, urgency=urgency, reason=reason, when=facts.when, act=facts.act)


def must_refer(flags: list[Flag]) -> bool:
    """Whether a flag stops the score."""
    return any(flag.urgency != "routine" for flag in flags)
