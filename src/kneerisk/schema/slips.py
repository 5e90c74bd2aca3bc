"""Common slips of the pen: a value in another unit, and what it would be in the measure's own.

A slip is only ever proposed, and only for a value that the measure does not allow: nothing here
changes a value. Which slips there are follows from the unit of the measure. Where the result is
not a usual value of that measure, nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kneerisk.errors import Fault, Proposal
from kneerisk.schema.columns import column_locations, columns
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.schema.measure import Quantity
from kneerisk.words import variant


class Slip(NamedTuple):
    """What people write instead of a unit."""

    name: str
    """Its sentence in the catalogue."""
    factor: float
    """Written number times this is the value, in the measure's unit."""
    per_body_mass: bool = False
    """Whether it still has to be divided by body mass in kg."""


#: Slips by the unit of the measure. The factors are exact by definition (NIST Special Publication
#: 811, appendix B); a step is of either leg, so that one leg makes half of them.
SLIPS: Mapping[str, tuple[Slip, ...]] = {
    "cm": (Slip("metres", 100.0), Slip("inches", 2.54), Slip("millimetres", 0.1)),
    "mm": (Slip("centimetres", 10.0),),
    "kg": (Slip("pounds", 0.45359237),),
    "Nm/kg": (Slip("newton_metres", 1.0, per_body_mass=True),),
    "N/kg": (Slip("newtons", 1.0, per_body_mass=True),),
    "% BW": (
        Slip("newtons", 100.0 / 9.80665, per_body_mass=True),
        Slip("share", 100.0),
    ),
    "steps/min": (Slip("one_leg", 2.0),),
    "ratio": (Slip("percent", 0.01),),
    "s": (Slip("milliseconds", 0.001),),
    "m/s": (Slip("km_per_hour", 1.0 / 3.6),),
}
#: A value this many standard deviations from every norm is not usual (assumption).
USUAL_SD = 3.0
#: No slip makes a larger number (assumption: a height in micrometres is smaller).
LARGEST = 1e7


def with_proposals(faults: Sequence[Fault], body: Mapping[str, Any]) -> list[Fault]:
    """The faults of a screening's body, with a proposal where a common slip explains a value.

    Parameters
    ----------
    faults
        What is wrong with the body.
    body
        The body as it was sent.

    Returns
    -------
    The same faults in the same order.
    """
    mass_kg = _value_at(body, json_pointer(*column_locations()["mass_kg"]))
    if columns()["mass_kg"].violation(mass_kg) is not None:
        mass_kg = None
    measures = {json_pointer(*place): columns()[name] for name, place in column_locations().items()}
    return [
        replace(fault, proposal=proposal_for(measure, _value_at(body, fault.pointer), mass_kg))
        if fault.code == FaultCode.OUTSIDE_LIMITS
        and isinstance(measure := measures.get(fault.pointer), Quantity)
        else fault
        for fault in faults
    ]


def _value_at(body: Mapping[str, Any], pointer: str) -> Any:
    """What stands at the place of a measure; None where nothing does."""
    value: Any = body
    for name in pointer.split("/")[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def proposal_for(measure: Quantity, written: Any, mass_kg: float | None = None) -> Proposal | None:
    """What a value outside its limits may have been meant to be.

    Parameters
    ----------
    measure
        The measure.
    written
        What was given for it, whatever it is.
    mass_kg
        Body mass in kg, allowed; None where it is not known, and no force is divided by it.

    Returns
    -------
    The usual value nearest to a norm, with a sentence; None where no slip gives one, or the value
    is allowed as it is.
    """
    if not _is_number(written) or measure.low <= written <= measure.high:
        return None
    candidates = []
    for slip in SLIPS.get(measure.unit, ()):
        divisor = mass_kg if slip.per_body_mass else 1.0
        if divisor is None:
            continue
        value = _rounded(written * slip.factor / divisor)
        distance = _distance(measure, value)
        if measure.violation(value) is None and distance <= USUAL_SD:
            candidates.append((distance, value, slip))
    if not candidates:
        return None
    _, value, slip = min(candidates)
    sentence = variant(
        "schema.slip", slip.name,
        written=f"{written:g}", value=f"{value:g}", unit=measure.unit, mass=f"{mass_kg or 0:g}",
    )  # fmt: skip
    return Proposal(value=value, unit=measure.unit, message=sentence)


def _is_number(value: Any) -> bool:
    """Whether it is a number that any slip could have made."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= LARGEST


def _rounded(value: float) -> float:
    """Two decimals, and a third below 1: finer than any of these is read."""
    return round(value, 2 if abs(value) >= 1.0 else 3)


def _distance(measure: Quantity, value: float) -> float:
    """How far from the nearest norm, in its standard deviations; 0 where there is no norm."""
    pairs = [norm.of(sex) for norm in measure.norms for sex in ("male", "female")]
    return min((abs(value - mean) / sd for mean, sd in filter(None, pairs)), default=0.0)
