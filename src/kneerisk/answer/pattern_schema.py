"""The shape of what is said of a leg's patterns: values beside norms, imbalances and verdicts.

Parts of which an answer has dozens are dataclasses, as in `kneerisk.answer.answer_schema`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from kneerisk.evidence import Grade
from kneerisk.evidence import Imbalance as ImbalanceName
from kneerisk.schema import Side

FROZEN = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)


class Typical(BaseModel):
    """Norm of uninjured adults of the sex, for the protocol that was used."""

    model_config = FROZEN

    mean: float
    sd: float
    source: str


@dataclass(slots=True, kw_only=True)
class PatternRow:
    """One measured value that speaks for a pattern, against it, or neither."""

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


@dataclass(slots=True, kw_only=True)
class Imbalance:
    """How likely a leg has one of the five patterns, by the thresholds of the model.

    No assessor was asked: where a pattern begins is an assumption with a spread.
    """

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


@dataclass(slots=True, kw_only=True)
class SideDifference:
    """How the legs differ in a measure, and whether the test can detect so small a difference."""

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
