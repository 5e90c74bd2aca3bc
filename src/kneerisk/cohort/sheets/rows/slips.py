"""Common slips of the pen: a value in another unit, and what it would be in the measure's own.

A slip is only ever proposed, and only for a value that the measure does not allow: nothing here
changes a value. The other units are those that sheets use. Where no unit was written and the result
is not a usual value of that measure, nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kneerisk.cohort.sheets.cells.cell_text import number_and_unit, number_shown
from kneerisk.cohort.sheets.cells.decimal_marks import Marks
from kneerisk.cohort.sheets.cells.unit_fits import fit
from kneerisk.cohort.sheets.columns.column_meaning import RecognisedColumn
from kneerisk.cohort.sheets.lexicon.units import OTHER_UNITS, OWN_UNIT, factor, unit_of
from kneerisk.cohort.sheets.lexicon.vocabulary import MASS
from kneerisk.errors import Fault, Proposal
from kneerisk.schema.columns import column_locations, columns
from kneerisk.schema.faults import FaultCode, json_pointer
from kneerisk.schema.measure import Quantity
from kneerisk.words import variant

#: Units with a sentence of their own in the catalogue.
_SENTENCES = {"inch": "inch", "ratio": "ratio", "%": "percent"}
#: A value this many standard deviations from every norm is not usual (assumption).
USUAL_SD = 3.0
#: A step is of either leg, so that a cadence counted for one leg is half of it.
STEPS_UNIT, BOTH_LEGS = "steps/min", 2.0
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
        if fault.code in {FaultCode.OUTSIDE_LIMITS, FaultCode.NOT_A_NUMBER}
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
    The usual value nearest to a norm, with a sentence, or what was written with its unit; None
    where no slip gives one, or the value is allowed as it is.
    """
    if isinstance(written, str):
        return _with_its_unit(measure, written, mass_kg)
    if not _is_number(written) or measure.low <= written <= measure.high:
        return None
    candidates = [
        (distance, Proposal(value=value, unit=measure.unit, message=sentence))
        for value, sentence in _candidates(measure, written, mass_kg)
        if measure.violation(value) is None
        and (distance := fit(measure, OWN_UNIT, [value], 1.0).distance) is not None
        and distance <= USUAL_SD
    ]
    return min(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def slip_of(column: RecognisedColumn, shown: str, values: Mapping[str, Any]) -> Proposal | None:
    """What a cell outside its limits may have been meant to be.

    Parameters
    ----------
    column
        Its column; one in another unit is told nothing, since what is put there is read in that.
    shown
        The cell as it stands.
    values
        What else the row holds.

    Returns
    -------
    The proposal of `proposal_for`.
    """
    measure = column.measure
    if not isinstance(measure, Quantity) or column.unit.name not in {None, measure.unit}:
        return None
    mass_kg = values.get(MASS)
    if columns()[MASS].violation(mass_kg) is not None:
        mass_kg = None
    return proposal_for(measure, number_shown(shown, column.values.marks), mass_kg)


def _candidates(
    measure: Quantity, written: float, mass_kg: float | None
) -> Iterator[tuple[float, str]]:
    """What a number would be in the measure's unit if it were in another, each with a sentence."""
    if measure.unit == STEPS_UNIT:
        yield _told("one_leg", measure, written, BOTH_LEGS)
    for name in OTHER_UNITS.get(measure.unit, ()):
        yield from _in_unit(measure, written, name, mass_kg)


def _in_unit(
    measure: Quantity, written: float, name: str, mass_kg: float | None
) -> Iterator[tuple[float, str]]:
    """What a number in a named unit is in the measure's own; nothing where that can't be told."""
    unit = unit_of(measure, name)
    if unit is None or (unit.per_body_mass and mass_kg is None):
        return
    divisor = mass_kg if unit.per_body_mass and mass_kg else 1.0
    scale = factor(measure, unit.name, per_body_mass=unit.per_body_mass) / divisor
    sentence = _SENTENCES.get(name, "of_mass" if unit.per_body_mass else "other")
    if name == measure.unit:
        sentence = "own"
    yield _told(sentence, measure, written, scale, other=name, mass=f"{divisor:g}")


def _with_its_unit(measure: Quantity, written: str, mass_kg: float | None) -> Proposal | None:
    """A number with its unit, such as `159 lb`: who writes the unit need not be usual in it."""
    number, name = number_and_unit(written.strip(), Marks(commas=True))
    if number is None or name is None:
        return None
    for value, sentence in _in_unit(measure, number, name, mass_kg):
        if measure.violation(value) is None:
            return Proposal(value=value, unit=measure.unit, message=sentence)
    return None


def _told(
    sentence: str, measure: Quantity, written: float, scale: float, **rest: str
) -> tuple[float, str]:
    value = _rounded(written * scale)
    message = variant(
        "schema.slip", sentence,
        written=f"{written:g}", value=f"{value:g}", unit=measure.unit, **rest,
    )  # fmt: skip
    return value, message


def _is_number(value: Any) -> bool:
    """Whether it is a number that any slip could have made."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= LARGEST


def _rounded(value: float) -> float:
    """Two decimals, and a third below 1: finer than any of these is read."""
    return round(value, 2 if abs(value) >= 1.0 else 3)
