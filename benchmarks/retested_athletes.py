"""Simulated athletes who are measured repeatedly: true values stay or change, errors are new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kneerisk.answer.leg_comparison import NOT_COMPARED
from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.cohort.simulation.observation import batteries
from kneerisk.evidence.population import published, state_measures
from kneerisk.schema import SIDES, FloatArray, Quantity, category
from kneerisk.schema.detectable_change import Pair, PairComparison, compare
from kneerisk.schema.rules import RATIOS
from kneerisk.schema.z_scores import CONDITION_OF, error_variance, from_z

Readings = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetestedAthletes:
    """n athletes with true values ``z`` (z-scores, shape (n,) by column), measured at will."""

    z: Readings
    data: Readings
    measures: dict[str, Quantity]

    def measure(self, rng: Generator, shift: Readings | None = None) -> Readings:
        """Simulate one visit: true values, shifted by ``shift`` (z-scores), plus error; unrounded.

        Grades are whole numbers. Values stay inside the limits of the schema. What is a single
        reading stays consistent: the two sides of the pelvis, the shorter leg, a ratio of two
        torques of one test.
        """
        values = {
            column: self._reading(column, z + (shift or {}).get(column, 0.0), rng)
            for column, z in self.z.items()
        }
        values["right_lateral_pelvic_tilt_deg"] = -values["left_lateral_pelvic_tilt_deg"]
        left, right = (values[f"{side}_leg_length_deficit_cm"] for side in SIDES)
        values["left_leg_length_deficit_cm"] = np.where(left > right, left, 0.0)
        values["right_leg_length_deficit_cm"] = np.where(right > left, right, 0.0)
        for rule in RATIOS:
            modes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
            same_test = np.isin(self.data[rule.protocol], modes)
            for side in SIDES:
                computed = values[f"{side}_{rule.over}"] / values[f"{side}_{rule.under}"]
                measured = values[f"{side}_{rule.ratio}"]
                values[f"{side}_{rule.ratio}"] = np.where(same_test, computed, measured)
        return values

    def _reading(self, column: str, z: FloatArray, rng: Generator) -> FloatArray:
        name, measure = without_side(column), self.measures[column]
        value = from_z(name, z + self.error(column) * rng.standard_normal(len(z)), self.data)
        return np.clip(np.round(value) if measure.whole else value, measure.low, measure.high)

    def error(self, column: str) -> FloatArray:
        """SD of the error of a reading in z-scores, shape (n,)."""
        name = without_side(column)
        protocol = self.data.get(CONDITION_OF.get(name, ""))
        if protocol is None:
            return np.full(len(self.data["sex"]), error_variance(name) ** 0.5)
        choices = category(CONDITION_OF[name]).choices
        by_protocol = np.sqrt([error_variance(name, code + 1) for code in range(len(choices))])
        return np.asarray(by_protocol[protocol.astype(int)])


def without_side(column: str) -> str:
    """The measure of a column."""
    side, _, name = column.partition("_")
    return name if side in SIDES else column


def draw(athletes: int, rng: Generator, *, symmetric: bool = False) -> RetestedAthletes:
    """Draw athletes who do the full laboratory battery; symmetric ones have two equal legs."""
    drawn = draw_athletes(published(), athletes, rng)
    data = dict(drawn.data)
    for protocol in ("torque_mode", "hip_torque_mode", "valgus_task", "hip_drop_task"):
        data[protocol] = rng.integers(len(category(protocol).choices), size=athletes).astype(float)
    [full] = [row for row in batteries() if row.battery == "full_lab"]
    athlete, leg = state_measures()
    measures = {n: m for n, m in athlete.items() if m.error and m.test in full.tests}
    for name, measure in leg.items():
        if measure.error and measure.test in full.tests:
            measures |= {f"{side}_{name}": measure for side in SIDES}
    z = {column: _true_values(drawn, column, symmetric=symmetric) for column in measures}
    return RetestedAthletes(z=z, data=data, measures=measures)


def _true_values(drawn: Athletes, column: str, *, symmetric: bool) -> FloatArray:
    side = "right" if column.startswith("right_") and not symmetric else "left"
    return drawn.z(side, without_side(column))


def compare_visits(athletes: RetestedAthletes, first: Readings, second: Readings) -> PairComparison:
    """Compare every column of two visits, as a follow-up does."""
    return compare(
        [
            Pair(
                measure=without_side(column),
                first=first[column],
                second=second[column],
                data=athletes.data,
                side=column.partition("_")[0] if without_side(column) != column else "",
            )
            for column in athletes.measures
        ]
    )


def compare_legs(athletes: RetestedAthletes, values: Readings) -> tuple[list[str], PairComparison]:
    """Compare the two legs of one visit, as an answer does; gives the measures too."""
    names = [without_side(c) for c in athletes.measures if c.startswith("left_")]
    names = [name for name in names if name not in NOT_COMPARED]
    pairs = [
        Pair(
            measure=name,
            first=values[f"left_{name}"],
            second=values[f"right_{name}"],
            data=athletes.data,
        )
        for name in names
    ]
    return names, compare(pairs)
