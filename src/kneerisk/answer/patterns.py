"""Measured values beside what is typical: which speak for an imbalance, and which against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kneerisk.answer.answer_schema import PatternRow, Typical
from kneerisk.answer.norms import Norm, norm_of
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence.imbalance_markers import marks
from kneerisk.schema import SIDES, Side, quantity
from kneerisk.schema.detectable_change import READING_PER_SEM
from kneerisk.schema.measure import MDC_PER_SEM

#: Measures that come from one predictions, or read one thing twice: of a pattern they count once. A
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One measured value of a leg.

    ``apart`` is how far it lies above (negative: below) both what is typical and what is usual
    at this age, in this sport and with this pain, in errors of one reading; beyond 1 in size it is
    beyond error. ``side_apart`` is the same for this leg minus the other, in minimal detectable
    differences; None where the other leg was not measured.
    """

    measure: str
    value: float
    typical: Typical
    z: float
    error: float
    usual: float | None
    apart: float
    side_difference: float | None
    side_apart: float | None

    def speaks(self, sign: int) -> PatternRow:
        """The row of a pattern that higher values (sign 1) or lower ones (-1) mark."""
        towards = sign * self.apart > 1.0 or sign * (self.side_apart or 0.0) > 1.0
        away = sign * self.apart < -1.0
        measure = quantity(self.measure)
        return PatternRow(
            measure=self.measure,
            label=measure.label,
            unit=measure.unit,
            value=self.value,
            typical=self.typical,
            z=self.z,
            error=self.error,
            usual=self.usual,
            side_difference=self.side_difference,
            side_difference_beyond_error=(
                None if self.side_apart is None else abs(self.side_apart) > 1.0
            ),
            speaks="for" if towards else "against" if away else "neither",
        )


def patterns_of(predictions: Predictions, i: int, side: Side) -> dict[str, list[PatternRow]]:
    """The measured rows of each imbalance's pattern in one leg of screening i.

    Those that speak for it come first, then those against, each by size.
    """
    values = {value.measure: value for value in _values(predictions, i, side)}
    found = {}
    for name, signs in marks().items():
        rows = [
            values[measure].speaks(sign) for measure, sign in signs.items() if measure in values
        ]
        found[name] = sorted(rows, key=lambda row: (_ORDER[row.speaks], -abs(row.z)))
    return found


def readings_of(rows: list[PatternRow], torque_mode: str | None) -> set[str]:
    """The independent readings among some rows: what comes from one reading counts once."""
    once = {row.measure: ONE_READING.get(row.measure, row.measure) for row in rows}
    if torque_mode == "isokinetic_60" and "quad_torque_nm_kg" in once:
        once["quad_torque_nm_kg"] = "hamstring_quad_ratio"
    return set(once.values())


def _values(predictions: Predictions, i: int, side: Side) -> Iterator[Value]:
    """Every measured value of a leg that marks some imbalance."""
    row = predictions.rows[i]
    other = SIDES[1 - SIDES.index(side)]
    people = predictions.bundle.model.population
    usual = predictions.expected.prior[i, SIDES.index(side), len(people.athlete) :]
    for measure in dict.fromkeys(name for signs in marks().values() for name in signs):
        value = row.get(f"{side}_{measure}")
        if value is not None:
            usual_z = float(usual[people.leg.index(measure)])
            yield _beside(norm_of(measure, row), value, row.get(f"{other}_{measure}"), usual_z)


def _beside(norm: Norm, value: float, opposite: float | None, usual: float) -> Value:
    """A value beside its norm, the other leg, and the z-score usual for the athlete."""
    if norm.typical is None:
        raise ValueError(f"{norm.measure} marks an imbalance and has no norm")
    z = (norm.scaled(value) - norm.location) / norm.scale
    side = None
    if opposite is not None:
        side = (norm.scaled(value) - norm.scaled(opposite)) / norm.error_sd
    return Value(
        measure=norm.measure,
        value=float(value),
        typical=norm.typical,
        z=z,
        error=norm.error(value),
        usual=norm.value_at(usual) if abs(usual) > ROUNDING else None,
        apart=_nearer(z, z - usual) * norm.scale / (READING_PER_SEM * norm.error_sd),
        side_difference=None if opposite is None else float(value - opposite),
        side_apart=None if side is None else side / MDC_PER_SEM,
    )


def _nearer(first: float, second: float) -> float:
    """The smaller of two distances of one direction; 0 where they point to different ones."""
    if first * second <= 0.0:
        return 0.0
    return min(first, second, key=abs)
