"""Measured values compared with what is typical and with the other leg.

A value is evidence for an imbalance, or against it, only where it lies further from the norm than
the error of one reading (1.96 SEM), or from the other leg than the minimal detectable difference
(2.77 SEM; Weir 2005, doi 10.1519/15184.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from kneerisk.answer.inputs_and_norms import Norm, norm_of
from kneerisk.answer.pattern_schema import PatternRow, SideDifference, Typical
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence.imbalance_patterns import marks
from kneerisk.schema import SIDES, Side, quantity
from kneerisk.schema.detectable_change import READING_PER_SEM
from kneerisk.schema.measure import MDC_PER_SEM
from kneerisk.schema.rules import SQUEEZED_TOGETHER

#: Measures that come from one reading, or measure one thing twice: in a pattern they count once. A
#: ratio goes with the torques that it is made of.
ONE_READING = {
    "wblt_distance_cm": "wblt_dorsiflexion_deg",
    "hamstring_quad_functional_ratio": "hamstring_quad_ratio",
    "hip_adduction_torque_nm_kg": "adduction_abduction_ratio",
    "hip_abduction_torque_nm_kg": "adduction_abduction_ratio",
}
#: An expected z-score this small is the norm itself.
ROUNDING = 1e-9
_ORDER = {"for": 0, "against": 1, "neither": 2}


class LegValue(NamedTuple):
    """One measured value of a leg, compared with the norm and with the other leg.

    Attributes
    ----------
    norm
        What is typical of the measure.
    typical
        Mean and SD in uninjured adults, in the unit.
    value
        As measured, in the measure's unit.
    z
        Distance from the typical value in SDs.
    error
        Error of one reading, 95 %, in the unit.
    usual
        What is usual at this age, in this sport and with this pain, in the unit; None where that
        is the typical value.
    distance
        How far the value lies above (negative: below) both what is typical and what is usual, in
        errors of one reading; beyond 1 in size it is beyond error.
    side_difference
        This leg minus the other, in the unit; None where the other leg was not measured.
    side_distance
        The same in minimal detectable differences.
    """

    norm: Norm
    typical: Typical
    value: float
    z: float
    error: float
    usual: float | None
    distance: float
    side_difference: float | None
    side_distance: float | None

    def pattern_row(self, sign: int) -> PatternRow:
        """The row of a pattern that is marked by higher values (sign 1) or lower ones (-1)."""
        towards = sign * self.distance > 1.0 or sign * (self.side_distance or 0.0) > 1.0
        away = sign * self.distance < -1.0
        return PatternRow(
            measure=self.norm.measure,
            label=self.norm.quantity.label,
            unit=self.norm.quantity.unit,
            value=self.value,
            typical=self.typical,
            z=self.z,
            error=self.error,
            usual=self.usual,
            side_difference=self.side_difference,
            side_difference_beyond_error=(
                None if self.side_distance is None else abs(self.side_distance) > 1.0
            ),
            speaks="for" if towards else "against" if away else "neither",
        )


def patterns_of(predictions: Predictions, i: int, side: Side) -> dict[str, list[PatternRow]]:
    """The measured values that mark each imbalance, in one leg of a screening.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    side
        The leg.

    Returns
    -------
    For each imbalance its rows: evidence for it first, then against it, each by size.
    """
    values = {value.norm.measure: value for value in _leg_values(predictions, i, side)}
    patterns = {}
    for name, signs in marks().items():
        rows = [
            values[measure].pattern_row(sign)
            for measure, sign in signs.items()
            if measure in values
        ]
        patterns[name] = sorted(rows, key=lambda row: (_ORDER[row.speaks], -abs(row.z)))
    return patterns


def readings_of(rows: Sequence[PatternRow], torque_mode: str | None) -> set[str]:
    """The independent readings among some rows: what comes from one reading counts once."""
    return reading_names([row.measure for row in rows], torque_mode)


def reading_names(measures: Sequence[str], torque_mode: str | None) -> set[str]:
    """The independent readings that some measures come from.

    A ratio from a device comes with its torques.
    """
    names = {measure: ONE_READING.get(measure, measure) for measure in measures}
    if torque_mode == "isokinetic_60" and "quad_torque_nm_kg" in names:
        names["quad_torque_nm_kg"] = "hamstring_quad_ratio"
    return set(names.values())


def _leg_values(predictions: Predictions, i: int, side: Side) -> Iterator[LegValue]:
    """Every measured value of a leg that marks some imbalance."""
    row = predictions.rows[i]
    for measure, (column, other_column) in _columns_of_marks(side).items():
        value, opposite = row.get(column), row.get(other_column)
        if measure in SQUEEZED_TOGETHER:
            value, opposite = _of_both_legs(value, opposite), None
        if value is not None:
            usual_z = predictions.usual_z(i, column)
            yield _leg_value(norm_of(measure, row), value, opposite, usual_z)


@cache
def _columns_of_marks(side: Side) -> dict[str, tuple[str, str]]:
    """The columns of each measure that marks some imbalance: of a leg, and of the other one."""
    other = SIDES[1 - SIDES.index(side)]
    return {name: (f"{side}_{name}", f"{other}_{name}") for name in marking_measures()}


@cache
def marking_measures() -> tuple[str, ...]:
    """The measures that mark some imbalance."""
    return tuple(dict.fromkeys(name for signs in marks().values() for name in signs))


def _of_both_legs(value: float | None, opposite: float | None) -> float | None:
    """What both legs gave together: the geometric mean where it was written down twice."""
    given = [number for number in (value, opposite) if number is not None]
    return math.sqrt(given[0] * given[-1]) if given else None


def _leg_value(norm: Norm, value: float, opposite: float | None, usual_z: float) -> LegValue:
    """A value compared with its norm, the other leg, and the z-score usual for the athlete."""
    if norm.typical is None:
        raise ValueError(f"{norm.measure} marks an imbalance and has no norm")
    away = norm.scaled(value) - norm.location
    side_errors = None
    if opposite is not None:
        side_errors = (norm.scaled(value) - norm.scaled(opposite)) / norm.error_sd
    return LegValue(
        norm=norm,
        typical=norm.typical,
        value=float(value),
        z=away / norm.scale,
        error=norm.error(value),
        usual=norm.value_at(usual_z) if abs(usual_z) > ROUNDING else None,
        distance=_nearer(away, away - norm.true_scale * usual_z)
        / (READING_PER_SEM * norm.error_sd),
        side_difference=None if opposite is None else float(value - opposite),
        side_distance=None if side_errors is None else side_errors / MDC_PER_SEM,
    )


def _nearer(first: float, second: float) -> float:
    """The smaller of two distances in one direction; 0 where they point to different ones."""
    if first * second <= 0.0:
        return 0.0
    return first if abs(first) <= abs(second) else second


def side_differences(predictions: Predictions, i: int) -> list[SideDifference]:
    """How the legs of screening i differ in each measure with a published error taken on both."""
    compared, row = predictions.legs_compared, predictions.rows[i]
    if compared is None:
        return []
    pairs = compared.pairs
    numbers = zip(
        compared.measures,
        pairs.difference[i].tolist(),
        pairs.detectable[i].tolist(),
        pairs.beyond_error[i].tolist(),
        pairs.beyond_chance[i].tolist(),
        strict=True,
    )
    return [
        SideDifference(
            measure=name,
            label=quantity(name).label,
            unit=quantity(name).unit,
            right=row[f"right_{name}"],
            left=row[f"left_{name}"],
            difference=difference,
            detectable=detectable,
            beyond_error=beyond_error,
            beyond_chance=beyond_chance,
        )
        for name, difference, detectable, beyond_error, beyond_chance in numbers
        if not math.isnan(difference)
    ]
