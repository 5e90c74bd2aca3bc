"""What the evidence tables hold: one frozen class a table; `sources` are keys of the references.

``assumption`` says that the numbers of a row are a judgement made here, not published ones. A
field with a default may be an empty cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Imbalance = Literal[
    "hamstring_dominance",
    "vmo_inhibition",
    "calf_tightness",
    "adductor_underactivity",
    "glute_underactivity",
]
Grade = Literal["high", "moderate", "low"]
Status = Literal["supported", "mixed", "null", "assumption"]
Urgency = Literal["emergency", "urgent", "routine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a number was read; secondary: in someone else's summary, or not in a study."""

    key: str
    citation: str
    secondary: bool

    @property
    def short(self) -> str:
        """Who, when and where: the citation up to its first comma, semicolon or bracket."""
        return re.split(r"[,;]| \(", self.citation, maxsplit=1)[0].strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a factor does to knee pain within 12 months, as natural log-odds.

    ``contrast`` is what the log-odds are for (a standard deviation, a category, a band), and
    ``population`` whom they hold for: all, a sex, an age, or sports separated by a space.
    """

    factor: str
    measure: str = ""
    contrast: str
    population: str
    low: float
    central: float
    high: float
    status: Status
    sources: tuple[str, ...]
    assumption: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRate:
    """How often something happens in a population; low and high where an interval is given."""

    population: str
    sport: str = ""
    quantity: str
    low: float | None = None
    central: float | None = None
    high: float | None = None
    sources: tuple[str, ...]
    assumption: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number with the range it is varied in."""

    low: float
    central: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Correlation of two measures, or of two groups of measures where no measure is named."""

    pair: str
    first: str
    second: str
    low: float
    central: float
    high: float
    sources: tuple[str, ...]
    assumption: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImbalanceFacts:
    """One of the five patterns: its name in the literature of coaches and what may be said.

    ``phrase`` names it inside a sentence ("consistent with tight calves"). Where ``firmer_when``
    holds (conditions, as in `Advice`), the evidence has ``firmer_grade``.
    """

    name: Imbalance
    label: str
    phrase: str
    wording: str
    usual_site: str
    evidence_grade: Grade
    firmer_grade: Grade | None = None
    firmer_when: str = ""
    prevalence_low: float
    prevalence_central: float
    prevalence_high: float
    sources: tuple[str, ...]
    assumption: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedFlag:
    """A sign that sends the athlete to a clinician before anything is scored.

    With ``needs_acute_injury`` the urgency holds after an injury of the last 7 days; without one
    the sign is still a reason to refer, as a routine one.
    """

    code: str
    urgency: Urgency
    needs_acute_injury: bool
    question: str
    reason: str
    sources: tuple[str, ...]
    assumption: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing to do, how well its sources support it, and when to stop.

    The grade is judged here from the sources. ``when`` gives the conditions under which it is
    told: alternatives separated by a space, each of conditions joined by "+". ``stop_rule`` is the
    code of a `StopRule`.
    """

    code: str
    imbalance: Imbalance | Literal["load", "everyone"]
    when: str
    text: str
    dose: str = ""
    grade: Grade
    stop_rule: str
    sources: tuple[str, ...]
    assumption: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyFacts:
    """How soon a red flag is to be seen, and what to do until then; the wording is ours."""

    urgency: Urgency
    when: str
    act: str
    sources: tuple[str, ...]
    assumption: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When to stop with something and see a clinician; a convention of this project."""

    code: str
    text: str
    sources: tuple[str, ...]
    assumption: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that holds for an athlete or a leg, and how it is said to be so."""

    condition: str
    level: Literal["athlete", "leg"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningTest:
    """A test or a question, and the minutes that it takes for both legs.

    ``measures`` are what a question asks for; empty for a test that the schema's measures name.
    """

    test: str
    label: str
    minutes: float
    measures: tuple[str, ...] = ()
    sources: tuple[str, ...]
    assumption: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseCausation:
    """How far present pain moves a measure, in standard deviations (negative: weaker)."""

    measure: str
    shift_sd_low: float
    shift_sd_central: float
    shift_sd_high: float
    sources: tuple[str, ...]
    assumption: bool
    note: str = ""
