"""The shapes of answers that are built as plain data: the OpenAPI document describes them by these.

The other answers have their models where they are made. Tests hold real answers against both.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from kneerisk.evidence import Imbalance, Urgency
from kneerisk.schema import Screening

_FROZEN = ConfigDict(frozen=True)


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
