"""The rows of the evidence tables: effects, base rates, imbalances, red flags, advice and more.

Each CSV file of this package has one frozen pydantic model, whose fields are its columns in order.
Numbers without a source of their own carry ``assumption``; so do those whose sources are cited but
whose size, grade or range is a judgement made here rather than a published number.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from kneerisk.evidence.normal_points import NORMAL_90
from kneerisk.evidence.table_reader import (
    MeasureName,
    MeasureNames,
    Sources,
    TableRow,
    Words,
    YesOrNo,
)

Imbalance = Literal[
    "hamstring_dominance",
    "vmo_inhibition",
    "calf_tightness",
    "adductor_underactivity",
    "glute_underactivity",
]
Grade = Literal["high", "moderate", "low"]
Status = Literal["supported", "mixed", "null", "assumption"]
EffectSize = Literal["published", "judged", "null"]
Urgency = Literal["emergency", "urgent", "routine"]


class Effect(TableRow):
    """What a factor does to knee pain within 12 months, as natural log-odds.

    ``contrast`` is what the log-odds are for (a standard deviation, a category, a band), and
    ``population`` whom they hold for: all, a sex, an age, or sports separated by a space.
    """

    factor: str
    measure: MeasureName = ""
    contrast: str
    population: str
    low: float
    central: float
    high: float
    status: Status
    sources: Sources
    assumption: YesOrNo
    note: str = ""

    @property
    def sign(self) -> int:
        """1 where it raises risk, -1 where it lowers it, 0 where studies disagree about that."""
        return int(self.low >= 0.0 < self.high) - int(self.high <= 0.0 > self.low)

    @property
    def size_from(self) -> EffectSize:
        """Where the size comes from: printed in a study, judged from studies, or null."""
        if self.status == "null":
            return "null"
        return "judged" if self.assumption else "published"


class BaseRate(TableRow):
    """How often something happens in a population; low and high where an interval is given."""

    population: str
    sport: str = ""
    quantity: str
    low: float | None = None
    central: float | None = None
    high: float | None = None
    sources: Sources
    assumption: YesOrNo
    note: str = ""


class Range(NamedTuple):
    """A published or assumed number, and the range over which studies disagree."""

    low: float
    central: float
    high: float

    @property
    def triangular_variance(self) -> float:
        """Variance of a triangular distribution over the range, whose mode is the number."""
        low, mode, high = self
        return (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18.0

    @property
    def log_odds_sd(self) -> float:
        """SD of log-odds whose 90 % range is this range of a probability."""
        return math.log(self.high * (1.0 - self.low) / (self.low * (1.0 - self.high))) / (
            2.0 * NORMAL_90
        )


class ImbalanceDefinition(TableRow):
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
    sources: Sources
    assumption: YesOrNo
    note: str = ""


class ScreeningTest(TableRow):
    """A test or a question, and the minutes that it takes for both legs.

    ``measures`` are what a question asks for; empty for a test that the schema's measures name.
    """

    test: str
    label: str
    minutes: float
    measures: MeasureNames = ()
    sources: Sources
    assumption: YesOrNo


class ReverseCausation(TableRow):
    """How far present pain moves a measure, in standard deviations (negative: weaker)."""

    measure: MeasureName
    shift_sd_low: float
    shift_sd_central: float
    shift_sd_high: float
    sources: Sources
    assumption: YesOrNo
    note: str = ""


class Assumption(TableRow):
    """A number that no source gives, and the range in which it would be as plausible."""

    name: str
    low: float
    central: float
    high: float
    sources: Sources
    assumption: YesOrNo
    note: str


class Loading(TableRow):
    """How a measure moves with a latent factor of its own leg, and of the other leg (SD per SD)."""

    measure: MeasureName
    factor: str
    own: float
    other: float
    sources: Sources
    assumption: YesOrNo


class Factor(TableRow):
    """A latent factor that several measures share, and its correlation between the legs."""

    factor: str
    level: Literal["imbalance", "leg", "athlete"]
    left_right: float
    sources: Sources
    assumption: YesOrNo


class Symmetry(TableRow):
    """Correlation of a measure between the two legs of one athlete."""

    measure: MeasureName
    left_right: float
    sources: Sources
    assumption: YesOrNo


class Shift(TableRow):
    """By how many SDs the mean of a measure moves with one unit of a context."""

    measure: MeasureName
    context: str
    shift_sd: float
    sources: Sources
    assumption: YesOrNo


class Sport(TableRow):
    """Share of a sport among simulated athletes, with their sex and age (years)."""

    sport: str
    share: float
    female_share: float
    age_mean: float
    age_sd: float
    sources: Sources
    assumption: YesOrNo


class Battery(TableRow):
    """Tests that are done together, and the share of simulated screenings that do them."""

    battery: str
    share: float
    tests: Words
