"""The shape of an answer. What is not known is absent, never null."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kneerisk.evidence import Grade, Urgency
from kneerisk.evidence import Imbalance as ImbalanceName
from kneerisk.schema import Side
from kneerisk.schema.measure import Equipment, Group

Band = Literal["below", "near", "above", "well_above"]
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
    """90 %: measurement error, missing tests and what the literature disagrees on."""
    per_100: int
    """So many in 100 athletes like this one."""
    band: Band
    """Against the base rate of the sport: below 0.75 times, to 1.25, to 2, above."""
    typical_probability: float | None = None
    """The risk of an athlete of the sport who is typical in everything: there the drivers start."""


class BaseRate(BaseModel):
    """Mean risk in the sport, in two units: a leg's, and either knee's."""

    model_config = FROZEN

    leg: float | None = None
    either: float | None = None


class Reason(BaseModel):
    """Why the status is what it is."""

    model_config = FROZEN

    code: Status
    message: str
    column: str | None = None
    """The canonical column it is about, such as ``left_hip_drop_deg``."""


class Risks(BaseModel):
    """The risk of each knee and of either; absent where there is none to tell."""

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
    """What a measure did to the risk of a knee, against an athlete typical in everything.

    The drivers of a knee add up: in ``log_odds`` from the typical athlete's risk to this one's,
    and in ``points`` (of 100) likewise.
    """

    model_config = FROZEN

    side: Knee
    measure: str
    """A measure without its side; ``tests_done`` is how much was measured at all."""
    label: str
    group: Group | Literal["tests"]
    modifiable: bool
    points: float
    log_odds: float


class Typical(BaseModel):
    """What is usual in uninjured adults of the sex, by the protocol that was used."""

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
    """What a single reading is off by at most, 95 %, in the measure's unit."""
    side_difference: float | None = None
    """This leg minus the other, where both were measured."""
    side_difference_beyond_error: bool | None = None
    usual: float | None = None
    """What is usual at this age, in this sport and with this pain, where that is not typical."""
    speaks: Literal["for", "against", "neither"]
    """Neither: the value lies within error of what is typical, or of what is usual."""


class Imbalance(BaseModel):
    """How likely a leg's pattern is called one of the five imbalances."""

    model_config = FROZEN

    side: Side
    name: ImbalanceName
    label: str
    probability: float
    interval: tuple[float, float]
    """90 %: what the probability would be if every true value were known."""
    status: Literal["clear", "possible", "not_supported", "cannot_tell"]
    evidence_grade: Grade
    usual_site: str
    wording: str
    pattern: list[PatternRow]


class Likely(BaseModel):
    """The verdict on one leg: an imbalance, none, or that it can't be told."""

    model_config = FROZEN

    side: Side
    name: ImbalanceName | Literal["none", "indeterminate"]
    message: str


class SideDifference(BaseModel):
    """How the legs differ in a measure, and whether the test can see a difference so small."""

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
    """Beyond what error alone would show in this one measure."""
    beyond_chance: bool
    """Also beyond what it would show in any of so many measures."""


class NextTest(BaseModel):
    """A test that was not done, and what it would add."""

    model_config = FROZEN

    test: str
    label: str
    measures: list[str]
    equipment: Equipment
    minutes: float
    uncertainty_removed: float
    """Share of what every test together could settle about the risk that it is expected to.

    What the literature leaves open no test can settle, so that the interval narrows by less.
    """
    expected_interval_width: float | None = None
    """Expected width of the interval of either knee after it, in probability."""
    settles: list[ImbalanceName] = []
    """Imbalances that can't be told now and that it bears on."""


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


class Flag(BaseModel):
    """A red flag that applies."""

    model_config = FROZEN

    code: str
    urgency: Urgency
    reason: str
    when: str
    """How soon it is to be seen: today, within days, soon."""
    act: str
    """What to do until then."""


class Effect(BaseModel):
    """What one value did to the risk of each knee, in points of 100."""

    model_config = FROZEN

    left: float | None = None
    right: float | None = None
    either: float | None = None


class Input(BaseModel):
    """What became of a measure."""

    model_config = FROZEN

    column: str
    status: InputStatus
    unit: str | None = None
    value: float | str | None = None
    typical: Typical | None = None
    error: float | None = None
    """What a single reading is off by at most, 95 %, in the measure's unit."""
    range_seen: tuple[float, float] | None = None
    """The range of the measure that the model knows."""
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
    """What kneerisk says of one screening."""

    model_config = FROZEN

    red_flags: list[Flag]
    red_flags_status: Literal["not_asked", "cleared", "present"]
    risk: Risks
    drivers: list[Driver] = []
    likely: list[Likely] | None = None
    imbalances: list[Imbalance] | None = None
    side_differences: list[SideDifference] = []
    next_tests: list[NextTest] = []
    advice: list[Advice] = []
    inputs: list[Input]
    model: Lineage
    notice: str
