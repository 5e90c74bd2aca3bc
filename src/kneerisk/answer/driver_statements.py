"""What a driver is, in words made from the value: what was measured, and what is usual.

A heading never says the contrary of the value that it stands over. It is about the leg whose value
moved the risk more: the other leg's is evidence about this one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from kneerisk.answer.inputs_and_norms import norm_of
from kneerisk.answer.number_format import amount, number
from kneerisk.schema import Quantity, columns, quantity
from kneerisk.schema.own_measures import per_schema
from kneerisk.words import section, short, text, variant

Against = Literal["lower", "near", "higher"]
#: A value within so many SDs of the usual is told as near it (assumption).
NEAR_SD = 0.25
#: A z-score that is smaller is rounding.
ROUNDING = 1e-9
#: Of these a number beside the usual one says nothing: the heading says it all.
IN_WORDS = frozenset({"grade"})


class Statement(NamedTuple):
    """A value in words, and against the usual one, as a driver has it; what is not known is None.

    ``value`` and ``usual`` are in ``unit``.
    """

    heading: str
    statement: str
    value: float | str | None = None
    unit: str | None = None
    usual: float | None = None
    against_usual: Against | None = None


def statement_of(
    name: str, column: str, row: Mapping[str, Any], leg: str | None, usual_z: float
) -> Statement:
    """What was measured, in words.

    Parameters
    ----------
    name
        The measure without its side.
    column
        Canonical column of the value.
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
    measure, value = columns()[column], row[column]
    if not isinstance(measure, Quantity):
        heading = _of_leg(_choice(name, measure.label, str(value)), leg)
        return Statement(heading, heading, str(value))
    unit, norm = measure.unit, norm_of(name, row) if measure.norms else None
    if norm is None or norm.typical is None:
        heading = _of_leg(measure.label, leg)
        told = text("answer.drivers.plain", heading=heading, value=amount(value, unit))
        return Statement(heading, told, float(value), unit)
    usual = norm.typical.mean if abs(usual_z) < ROUNDING else norm.value_at(usual_z)
    z = (norm.scaled(value) - norm.location - norm.true_scale * usual_z) / norm.scale
    against: Against = "near" if abs(z) < NEAR_SD else "lower" if z < 0.0 else "higher"
    told = heading = _of_leg(_heading(name, against), leg)
    if unit not in IN_WORDS:
        numbers = {"value": amount(value, unit), "usual": number(usual, unit)}
        told = text("answer.drivers.told", heading=heading, **numbers)
    return Statement(heading, told, float(value), unit, usual, against)


def _of_leg(heading: str, leg: str | None) -> str:
    return text("answer.drivers.of_leg", heading=heading, leg=leg) if leg else heading


@per_schema
def _choice(name: str, label: str, value: str) -> str:
    """A category in words; one without words of its own is named with its value."""
    key = f"{name}_{value}"
    if key in section("answer")["drivers"]["choice"]:
        return variant("answer.drivers.choice", key)
    return text("answer.drivers.plain", heading=label, value=value.replace("_", " "))


@per_schema
def _heading(name: str, against: Against) -> str:
    """The measure against the usual, in words of its own where it has them."""
    label = short(quantity(name).label)
    if against == "near":
        return text("answer.drivers.near", label=label)
    if name not in section("answer")["drivers"][against]:
        if against == "lower":
            return text("answer.drivers.below", label=label)
        return text("answer.drivers.above", label=label)
    if against == "lower":
        return variant("answer.drivers.lower", name)
    return variant("answer.drivers.higher", name)
