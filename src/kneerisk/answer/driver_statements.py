"""What a driver is, in words made from the value: what was measured, and what is usual.

A heading never says the contrary of the value that it stands over. It is about the leg whose value
moved the risk more: the other leg's is evidence about this one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kneerisk.answer.inputs_and_norms import norm_of
from kneerisk.answer.number_format import amount, number
from kneerisk.schema import Measure, Quantity
from kneerisk.schema.columns import location_of
from kneerisk.words import section, short, text, variant

Against = Literal["lower", "near", "higher"]
#: A value within so many SDs of the usual is told as near it (assumption).
NEAR_SD = 0.25
#: A z-score that is smaller is rounding.
ROUNDING = 1e-9
#: Of these a number beside the usual one says nothing: the heading says it all.
IN_WORDS = frozenset({"grade"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A value in words, and against the usual one; what does not apply is None."""

    heading: str
    sentence: str
    value: float | str | None = None
    unit: str | None = None
    usual: float | None = None
    against: Against | None = None

    def facts(self) -> dict[str, Any]:
        """The fields of a driver."""
        return {
            "heading": self.heading,
            "statement": self.sentence,
            "value": self.value,
            "unit": self.unit,
            "usual": self.usual,
            "against_usual": self.against,
        }


def statement_of(
    column: str, measure: Measure, row: Mapping[str, Any], leg: str | None, usual_z: float
) -> Statement:
    """What was measured, in words.

    Parameters
    ----------
    column
        Canonical column of the value.
    measure
        What the schema says of it.
    row
        The flat row of measured values.
    leg
        Which leg it is of, in words; None where it is of the knee that the driver is about.
    usual_z
        The z-score that is usual at this age and in this sport.

    Returns
    -------
    Its heading and sentence, with the numbers behind them.
    """
    name, value = location_of(column)[-1], row[column]
    if not isinstance(measure, Quantity):
        heading = _of_leg(_choice(name, measure, str(value)), leg)
        return Statement(heading=heading, sentence=heading, value=str(value))
    norm = norm_of(name, row) if measure.norms else None
    if norm is None or norm.typical is None:
        heading = _of_leg(measure.label, leg)
        told = text("answer.drivers.plain", heading=heading, value=amount(value, measure.unit))
        return Statement(heading=heading, sentence=told, value=value, unit=measure.unit)
    usual = norm.typical.mean if abs(usual_z) < ROUNDING else norm.value_at(usual_z)
    z = (norm.scaled(value) - norm.location - norm.true_scale * usual_z) / norm.scale
    against: Against = "near" if abs(z) < NEAR_SD else "lower" if z < 0.0 else "higher"
    heading = _of_leg(_heading(name, measure.label, against), leg)
    values = {"value": amount(value, measure.unit), "usual": number(usual, measure.unit)}
    is_told = measure.unit in IN_WORDS
    return Statement(
        heading=heading,
        sentence=heading if is_told else text("answer.drivers.told", heading=heading, **values),
        value=value,
        unit=measure.unit,
        usual=usual,
        against=against,
    )


def _of_leg(heading: str, leg: str | None) -> str:
    return text("answer.drivers.of_leg", heading=heading, leg=leg) if leg else heading


def _choice(name: str, measure: Measure, value: str) -> str:
    """A category in words; one without words of its own is named with its value."""
    key = f"{name}_{value}"
    if key in section("answer")["drivers"]["choice"]:
        return variant("answer.drivers.choice", key)
    return text("answer.drivers.plain", heading=measure.label, value=value.replace("_", " "))


def _heading(name: str, label: str, against: Against) -> str:
    """The measure against the usual, in words of its own where it has them."""
    if against == "near":
        return text("answer.drivers.near", label=short(label))
    if name not in section("answer")["drivers"][against]:
        if against == "lower":
            return text("answer.drivers.below", label=short(label))
        return text("answer.drivers.above", label=short(label))
    if against == "lower":
        return variant("answer.drivers.lower", name)
    return variant("answer.drivers.higher", name)
