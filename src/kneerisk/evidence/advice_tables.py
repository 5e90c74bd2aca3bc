"""The rows of the tables that say what to do: red flags, advice, exercises, when to stop.

The wording of all of it is ours; grades are judged here from the sources.
"""

from __future__ import annotations

from typing import Literal

from kneerisk.evidence.table_models import Grade, Imbalance, Urgency
from kneerisk.evidence.table_reader import MeasureNames, Sources, TableRow, Words, YesOrNo


class RedFlag(TableRow):
    """A sign that sends the athlete to a clinician before anything is scored.

    With ``needs_acute_injury`` the urgency holds after an injury of the last 7 days; without one
    the sign is still a reason to refer, as a routine one.
    """

    code: str
    urgency: Urgency
    needs_acute_injury: YesOrNo
    question: str
    reason: str
    sources: Sources
    assumption: YesOrNo


class Advice(TableRow):
    """One thing to do, how well its sources support it, and when to stop.

    The grade is judged here from the sources. ``when`` gives the conditions under which it is
    told: alternatives separated by a space, each of conditions joined by "+". ``stop_rule`` is the
    code of a `StopRule`; ``measures`` are the drivers of risk that it leads from.
    """

    code: str
    imbalance: Literal[Imbalance, "load", "everyone"]
    when: str
    text: str
    dose: str = ""
    grade: Grade
    stop_rule: str
    measures: MeasureNames = ()
    sources: Sources
    assumption: YesOrNo


class Exercise(TableRow):
    """Something that an athlete can do at home or in training, in the athlete's own words.

    It carries out the pieces of advice whose codes are in ``advice``. Without ``sets`` it is no
    exercise but a way to train. ``days_per_week``, ``sets`` and so on are the dose; ``assumption``
    says that no trial tested it. ``both_legs`` work at once, not in turn.
    """

    exercise: str
    advice: Words
    name: str
    how: str
    sets: int | None = None
    repeats: int | None = None
    hold_seconds: int | None = None
    days_per_week: int | None = None
    both_legs: YesOrNo
    sources: Sources
    assumption: YesOrNo


class UrgencyLevel(TableRow):
    """How soon a red flag is to be seen, and what to do until then; the wording is ours."""

    urgency: Urgency
    when: str
    act: str
    sources: Sources
    assumption: YesOrNo


class StopRule(TableRow):
    """When to stop with something and see a clinician; a convention of this project."""

    code: str
    text: str
    sources: Sources
    assumption: YesOrNo


class Condition(TableRow):
    """Something that holds for an athlete or a leg, and how it is said to be so."""

    condition: str
    level: Literal["athlete", "leg"]
    reason: str
