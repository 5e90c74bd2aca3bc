"""What the service says of itself: its model, what a screening may hold, how it is called."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    description: str | None = None
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
