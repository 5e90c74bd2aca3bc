"""The shapes of answers that are built as plain data: the OpenAPI document describes them by these.

The other answers have their models where they are made. Tests hold real answers against both.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kneerisk.evidence import Imbalance, Urgency
from kneerisk.schema import Screening

_FROZEN = ConfigDict(frozen=True)


class ColumnSeen(BaseModel):
    """What the training cohort held of a measure: the range or the choices seen."""

    model_config = _FROZEN

    low: float | None = None
    high: float | None = None
    choices: list[str] | None = None
    share: float
    """Of the screenings, those that had it."""


class MetGate(BaseModel):
    """A condition of a promotion, and whether the model meets it."""

    model_config = _FROZEN

    name: str
    passed: bool
    told: str
    reason: str


class Verdict(BaseModel):
    """Whether the model passes the gates of a promotion."""

    model_config = _FROZEN

    passes: bool
    reasons: list[str]
    gates: list[MetGate]


class ServedModel(BaseModel):
    """The served model: where it comes from, what it has seen, how common the outcome is."""

    model_config = _FROZEN

    version: str
    run_id: str
    git_sha: str | None = None
    cohort: Literal["simulated", "observed", "adapted"]
    outcome_kind: str
    horizon_months: int | None = None
    source: str
    schema_fingerprint: str = Field(alias="schema")
    athletes: int
    screenings: int
    events: float
    data_sha256: str
    population: dict[str, ColumnSeen]
    """By canonical column."""
    base_rates: dict[str, dict[str, float]]
    """By sport, and for `all`: the mean risk of a leg and of either knee."""
    choices: dict[str, float]
    base_version: str | None = None
    base_sha256: str | None = None
    validation: dict[str, Any] | None = None
    verdict: Verdict | None = None
    own_measures: dict[str, Any] | None = None
    """The club's own measures that the model reads, as declared."""


class SchemaDocument(BaseModel):
    """The JSON Schema (2020-12) of a screening, with label, protocol and error of each measure."""

    model_config = _FROZEN

    dialect: str = Field(alias="$schema")
    title: str
    description: str
    type: Literal["object"]
    properties: dict[str, dict[str, Any]]
    required: list[str]
    definitions: dict[str, dict[str, Any]] = Field(alias="$defs")


class OpenApiDocument(BaseModel):
    """The service described as OpenAPI 3.1."""

    model_config = _FROZEN

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, Any]]
    tags: list[dict[str, Any]]
    paths: dict[str, dict[str, Any]]
    components: dict[str, Any]


class ShownUnit(BaseModel):
    """Another unit that devices show a measure in."""

    model_config = _FROZEN

    unit: str
    scale: float
    """What a number in it is multiplied by."""
    per_body_mass: bool
    lever_arm: bool


class FlagQuestion(BaseModel):
    """A red flag as a question."""

    model_config = _FROZEN

    code: str
    urgency: Urgency
    needs_acute_injury: bool
    question: str
    reason: str


class UrgencyTime(BaseModel):
    """How soon a clinician should see somebody."""

    model_config = _FROZEN

    urgency: Urgency
    when: str


class ImbalanceLabel(BaseModel):
    """What an imbalance is called."""

    model_config = _FROZEN

    name: Imbalance
    label: str
    phrase: str
    usual_site: str


class Texts(BaseModel):
    """What a form of your own needs: questions, labels, units, drawings, an example."""

    model_config = _FROZEN

    units: dict[str, list[ShownUnit]]
    """By measure."""
    red_flags: list[FlagQuestion]
    urgencies: list[UrgencyTime]
    imbalances: list[ImbalanceLabel]
    leg_drawing: dict[str, Any]
    poses: list[str]
    effect_sizes: dict[str, int]
    example: Screening
    words: dict[str, Any]
