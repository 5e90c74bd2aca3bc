"""What the service says for building a form: questions, labels, units, drawings, an example."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from kneerisk.cohort.sheets.device_units import ShownUnit
from kneerisk.evidence import Imbalance, Urgency
from kneerisk.schema import Screening

#: Made of the rows of evidence, which have more.
_OF_A_ROW = ConfigDict(frozen=True, from_attributes=True)


class FlagQuestion(BaseModel):
    """A red flag as a question."""

    model_config = _OF_A_ROW

    code: str
    urgency: Urgency
    needs_acute_injury: bool
    question: str
    reason: str


class UrgencyTime(BaseModel):
    """How soon a clinician should see somebody."""

    model_config = _OF_A_ROW

    urgency: Urgency
    when: str


class ImbalanceLabel(BaseModel):
    """What an imbalance is called."""

    model_config = _OF_A_ROW

    name: Imbalance
    label: str
    phrase: str
    usual_site: str


class Texts(BaseModel):
    """What a form of your own needs: questions, labels, units, drawings, an example."""

    model_config = ConfigDict(frozen=True)

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
