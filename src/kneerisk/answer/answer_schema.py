"""The shape of an answer. What is not known is absent, never null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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

FROZEN = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)


class Risk(BaseModel):
    """How likely the outcome is."""

    model_config = FROZEN

    probability: float
    interval: tuple[float, float]
    """90 % interval: measurement error, missing tests and disagreement in the literature."""
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
    from_club: bool = False
    """Whether the club's own count of knee pain is in it."""


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


class Driver(BaseModel):
    """What a measure adds to the risk of a knee, against an athlete typical in everything.

    The drivers of a knee add up: in ``log_odds`` from the typical athlete's risk to this one's,
    and in ``points`` (of 100) likewise.
    """

    model_config = FROZEN

    side: Knee
    measure: str
    """Name of the measure without its side; ``tests_done`` stands for how much was measured."""
    label: str
    group: Group | Literal["tests"]
    modifiable: bool
    points: float
    log_odds: float
    size_from: Literal["published", "judged", "null", "cohort"] | None = None
    """Where the size of its effect comes from: printed in a study, judged from studies, or the
    cohort that the model was fitted to. Absent where no effect of its own moves the risk."""


class Typical(BaseModel):
    """Norm of uninjured adults of the sex, for the protocol that was used."""

    model_config = FROZEN

    mean: float
    sd: float
    source: str


class PatternRow(BaseModel):
    """One measured value that speaks for a pattern, against it, or neither."""

    model_config = FROZEN

    measure: str
    label: str
    unit: str
    value: float
    typical: Typical
    z: float
    """Distance from the typical value in SDs, signed as measured."""
    error: float
    """Error of a single reading, 95 %, in the measure's unit."""
    side_difference: float | None = None
    """This leg minus the other, where both were measured."""
    side_difference_beyond_error: bool | None = None
    usual: float | None = None
    """The value usual at this age, in this sport and with this pain, where it is not typical."""
    speaks: Literal["for", "against", "neither"]
    """``neither``: the value lies within error of the typical value, or of the usual one."""


class Imbalance(BaseModel):
    """How likely a leg has one of the five patterns, by the thresholds of the model.

    No assessor was asked: where a pattern begins is an assumption with a spread.
    """

    model_config = FROZEN

    side: Side
    name: ImbalanceName
    label: str
    probability: float
    interval: tuple[float, float]
    """90 % interval of the probability if every true value were known."""
    status: Literal["clear", "possible", "not_supported", "cannot_tell"]
    named_again: float | None = None
    """How likely a repeat of the same tests would point to the pattern again, with nothing changed.

    Given where today's measurements do; the pattern is clear from 0.8 and possible from 0.6.
    """
    evidence_grade: Grade
    usual_site: str
    wording: str
    pattern: list[PatternRow]


def named(imbalances: Sequence[Imbalance]) -> list[Imbalance]:
    """Those that are clear or possible, in the order given."""
    return [imbalance for imbalance in imbalances if imbalance.status in {"clear", "possible"}]


class LegVerdict(BaseModel):
    """The verdict on one leg: an imbalance, none, or that it can't be decided."""

    model_config = FROZEN

    side: Side
    name: ImbalanceName | Literal["none", "indeterminate"]
    message: str


class SideDifference(BaseModel):
    """How the legs differ in a measure, and whether the test can detect so small a difference."""

    model_config = FROZEN

    measure: str
    label: str
    unit: str
    right: float
    left: float
    difference: float
    """Right minus left."""
    detectable: float
    """The minimal detectable difference between two readings, 95 %."""
    beyond_error: bool
    """Beyond what error alone explains in this measure by itself."""
    beyond_chance: bool
    """Also beyond what error explains in any of the measures compared (false discovery rate)."""


class NextTest(BaseModel):
    """A test that was not done, and what it would add."""

    model_config = FROZEN

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
    settles: list[ImbalanceName] = []
    """Imbalances that are undecided now and that the test helps to decide."""


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
    sources: list[str]


class ComingWeek(BaseModel):
    """A runner's longest planned session, and the rate of injury in it; no part of the risk."""

    model_config = FROZEN

    session_spike_ratio: float
    """Its length over the longest session of the last 30 days."""
    hazard_ratio: float
    """The rate of any overuse running injury in it, over that of a session of usual length."""
    interval: tuple[float, float]
    """95 % interval of that ratio."""
    message: str
    sources: list[str]


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


class Effect(BaseModel):
    """What one value adds to the risk of each knee, in points of 100."""

    model_config = FROZEN

    left: float | None = None
    right: float | None = None
    either: float | None = None


class Input(BaseModel):
    """How a measure was used."""

    model_config = FROZEN

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

    red_flags: list[Flag]
    red_flags_status: Literal["not_asked", "cleared", "present"]
    risk: Risks
    drivers: list[Driver] = []
    likely: list[LegVerdict] | None = None
    imbalances: list[Imbalance] | None = None
    side_differences: list[SideDifference] = []
    next_tests: list[NextTest] = []
    advice: list[Advice] = []
    coming_week: ComingWeek | None = None
    inputs: list[Input]
    model: Lineage
    notice: str
