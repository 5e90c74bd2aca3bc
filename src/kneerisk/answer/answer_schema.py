"""The shape of an answer. What is not known is absent, never null.

Parts of which an answer has dozens are dataclasses: they are made by us and read as they are, and a
pydantic model takes four times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from kneerisk.answer.cited_sources import Source
from kneerisk.answer.coming_week import ComingWeek
from kneerisk.answer.pattern_schema import FROZEN, Imbalance, LegVerdict, SideDifference, Typical
from kneerisk.evidence import Grade, Urgency
from kneerisk.evidence import Imbalance as ImbalanceName
from kneerisk.schema import Side
from kneerisk.schema.measure import Equipment, Group

Band = Literal["below", "near", "above", "well_above", "not_assessed"]
UncertaintySource = Literal["definition", "studies", "tests_not_done", "test_error"]
Status = Literal["refer", "current_pain", "out_of_population", "low_information", "ok"]
InputStatus = Literal["used", "missing", "out_of_range", "recorded_only", "unknown_to_model"]
#: A knee, or either of the two where a model does not tell them apart.
Knee = Literal["left", "right", "either"]
#: Right comes first wherever both sides are shown: so they stand in a front view.
SHOWN: tuple[Side, Side] = ("right", "left")
KNEES: tuple[Knee, ...] = (*SHOWN, "either")


class Risk(BaseModel):
    """How likely the outcome is."""

    model_config = FROZEN

    probability: float
    interval: tuple[float, float]
    """90 %: errors and gaps of tests, what studies disagree on and what they count as knee pain."""
    per_100: int
    """The probability as whole people of 100 like this athlete."""
    band: Band
    """Risk over the base rate of the sport: below 0.75, to 1.25, to 2, above.

    Not assessed where nothing but age, sex and sport is known.
    """
    information: float | None = None
    """Of what measuring could settle about the knee, the share that is settled."""
    interval_from: dict[UncertaintySource, float] | None = None
    """Where the width of the interval comes from, as shares of its variance."""
    typical_probability: float | None = None
    """The risk of an athlete of the sport who is typical in everything, where the drivers start."""


class BaseRate(BaseModel):
    """Mean risk in the sport, in two units: of one leg, and of either knee."""

    model_config = FROZEN

    leg: float | None = None
    either: float | None = None
    from_club: Literal[True] | None = None
    """The club's own count of knee pain is in it."""
    rests_on: str | None = None
    """What it rests on, where no study counted new knee pain in the sport."""


class Reason(BaseModel):
    """Why the status is what it is."""

    model_config = FROZEN

    code: Status
    message: str
    column: str | None = None
    """The canonical column it is about, such as ``left_hip_drop_deg``."""


class Risks(BaseModel):
    """The risk of each knee and of either; absent where none can be given."""

    model_config = FROZEN

    status: Status
    reasons: list[Reason]
    outcome_kind: str
    horizon_months: int | None = None
    base_rate: BaseRate
    left: Risk | None = None
    right: Risk | None = None
    either: Risk | None = None


def suggested_by(cohort: str, risks: Risks) -> str:
    """Whose numbers risks are, as a key of the catalogue: the cohort's kind, or a club's count."""
    return "counted" if risks.base_rate.from_club else cohort


@dataclass(slots=True, kw_only=True)
class Driver:
    """What a measure adds to the risk of a knee, against an athlete typical in everything.

    The drivers of a knee add up: in ``log_odds`` from the typical athlete's risk to this one's,
    and in ``points`` (of 100) likewise.
    """

    side: Knee
    measure: str
    """Name of the measure without its side; ``tests_done`` stands for how much was measured."""
    label: str
    heading: str
    """What was found, in words that fit the value: `Ankle bends little`."""
    statement: str
    """The same with the value and what is usual: `Ankle bends little: 34.5°, usual 40`."""
    value: float | str | None = None
    """The value that moved the risk most, in ``unit``; of the other leg where the heading says."""
    unit: str | None = None
    usual: float | None = None
    """What is usual at this age, in this sport and by this protocol, in ``unit``."""
    against_usual: Literal["lower", "near", "higher"] | None = None
    group: Group | Literal["tests"]
    modifiable: bool
    points: float
    log_odds: float
    size_from: Literal["published", "judged", "null", "cohort"] | None = None
    """Where the size of its effect comes from: printed in a study, judged from studies, or the
    cohort that the model was fitted to. Absent where no effect of its own moves the risk."""
    advice: list[str]
    """Codes of the advice that leads from it."""
    untested: Literal[True] | None = None
    """It can change and adds a point or more, but no trial shows that changing it helps."""


@dataclass(slots=True, kw_only=True)
class NextTest:
    """A test that was not done, and what it would add."""

    test: str
    label: str
    measures: list[str]
    equipment: Equipment
    minutes: float
    uncertainty_removed: float
    """Expected gain of the test over that of all tests together, between 0 and 1.

    No test can settle what the literature leaves open, so that the interval narrows by less.
    """
    expected_interval_width: float | None = None
    """Expected width of the interval of either knee after it, in probability."""
    settles: list[ImbalanceName]
    """Imbalances that are undecided now and that the test helps to decide."""
    worth_the_time: bool = False
    """It narrows the interval by a tenth or more, or settles a pattern worth acting on."""


class Advice(BaseModel):
    """One thing to do, why, how well it is supported, and when to stop."""

    model_config = FROZEN

    code: str
    about: ImbalanceName | Literal["load", "everyone"]
    sides: list[Side] = []
    reason: str
    text: str
    dose: str | None = None
    grade: Grade
    stop_rule: str
    sources: list[Source]
    """The best evidence first; where the idea comes from, last."""


class PlanItem(BaseModel):
    """One thing of the plan: a piece of the advice, as something to do in the week."""

    model_config = FROZEN

    code: str
    """Code of the advice that it carries out."""
    title: str
    sides: list[Side] = []
    """The legs that it is for; empty where it is for both, or for neither."""
    exercise: str | None = None
    """Name of the drawing, and of what the athlete's sheet calls it."""
    dose: str | None = None
    """How much of it; absent where none is known."""
    dose_untested: Literal[True] | None = None
    """No trial tested the dose: it is a convention of this project."""
    why: str
    grade: Grade
    sources: list[Source]


class TestAgain(BaseModel):
    """When to take which measures again."""

    model_config = FROZEN

    weeks: int
    measures: list[str]
    """Names without their side; empty where no measure of the plan was taken."""
    text: str


class Plan(BaseModel):
    """At most three things to do, when to stop, when to test again, and whom to see."""

    model_config = FROZEN

    items: list[PlanItem]
    stop: str
    test_again: TestAgain
    see: str


class Flag(BaseModel):
    """A red flag that applies."""

    model_config = FROZEN

    code: str
    urgency: Urgency
    reason: str
    when: str
    """How soon a clinician should see it: today, within a few days, soon."""
    act: str
    """What to do until then."""


@dataclass(slots=True, kw_only=True)
class Effect:
    """What one value adds to the risk of each knee, in points of 100."""

    left: float | None = None
    right: float | None = None
    either: float | None = None

    @property
    def moves(self) -> bool:
        """Whether it adds anything to the risk of any knee."""
        return any((self.left, self.right, self.either))


@dataclass(slots=True, kw_only=True)
class Input:
    """How a measure was used."""

    column: str
    status: InputStatus
    unit: str | None = None
    value: float | str | None = None
    typical: Typical | None = None
    error: float | None = None
    """Error of a single reading, 95 %, in the measure's unit."""
    range_seen: tuple[float, float] | None = None
    """The range of the measure in the model's cohort."""
    effect: Effect | None = None


class Lineage(BaseModel):
    """Which model answered."""

    model_config = FROZEN

    version: str
    run_id: str
    git_sha: str | None = None
    cohort: str
    outcome_kind: str
    schema_fingerprint: str = Field(alias="schema")


class Answer(BaseModel):
    """The answer to one screening."""

    model_config = FROZEN

    summary: list[str] = []
    """Two sentences made from the parts below: what is likely, and what to do next."""
    red_flags: list[Flag]
    red_flags_status: Literal["not_asked", "cleared", "present"]
    risk: Risks
    drivers: list[Driver] = []
    likely: list[LegVerdict] | None = None
    imbalances: list[Imbalance] | None = None
    side_differences: list[SideDifference] = []
    next_tests: list[NextTest] = []
    advice: list[Advice] = []
    plan: Plan | None = None
    coming_week: ComingWeek | None = None
    inputs: list[Input]
    model: Lineage
    notice: str
    answer_id: str | None = None
    """Under which the club's records keep it; absent where it was not to be recorded."""
