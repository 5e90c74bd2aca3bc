"""Red flags come before any score."""

from __future__ import annotations

from collections.abc import Sequence

from kneerisk.answer.answer_schema import Flag
from kneerisk.evidence import Urgency, red_flags, urgencies
from kneerisk.schema import Screening
from kneerisk.words import text

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
    flags = []
    for code in codes:
        entry = red_flags()[code]
        urgency = "routine" if entry.needs_acute_injury and not acute else entry.urgency
        flags.append(_flag(code, urgency, entry.reason))
    if acute and screening.athlete.age_years >= OTTAWA_AGE_YEARS:
        reason = text("answer.red_flags.ottawa_age", age=OTTAWA_AGE_YEARS)
        flags.append(_flag("ottawa_age", "emergency", reason))
    order = list(urgencies())
    return sorted(flags, key=lambda flag: order.index(flag.urgency))


def _flag(code: str, urgency: Urgency, reason: str) -> Flag:
    entry = urgencies()[urgency]
    return Flag(code=code, urgency=urgency, reason=reason, when=entry.when, act=entry.act)


def must_refer(flags: Sequence[Flag]) -> bool:
    """Whether a flag needs a clinician, so that nothing may be scored."""
    return any(flag.urgency != "routine" for flag in flags)
