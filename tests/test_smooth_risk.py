"""Risk over a grid of every measure, in every sport: no jump, and no turn against the evidence.

A step is a tenth of the test's own error, over the whole range that the schema allows: nobody could
tell the two values apart, so no reader may find two different answers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from kneerisk.answer.what_if_changes import direction_of
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.model import Bundle
from kneerisk.schema import Quantity, coded, columns, from_row
from kneerisk.schema.columns import Columns, location_of
from kneerisk.schema.detectable_change import error_sd
from kneerisk.schema.sections import SIDES

pytestmark = pytest.mark.slow

ATHLETES, SEED = 1_000, 5
#: A step of a tenth of the test's error moves the risk by less than this share of itself.
JUMP = 0.1
#: More of one test tells a little about the others, and by that the risk may turn: over the whole
#: range by at most this share of itself, which rounding to one in a hundred hides.
TURN = 0.01
#: Points of the longest grid; a wider range is followed around the athlete's own value.
LONGEST = 1_500


class Walk(NamedTuple):
    """One athlete whose one measure goes through a grid."""

    column: str
    sign: int
    """What the evidence says that more of it does to the risk: 1, -1, or 0 for nothing."""
    rows: slice


def grid_of(column: str, measure: Quantity, data: Columns) -> np.ndarray | None:
    """Values from the lowest to the highest allowed; None where the test has no error."""
    value, error = float(data[column][0]), error_sd(location_of(column)[-1], data)[0]
    if not np.isfinite(error) or not np.isfinite(value):
        return None
    step = 1.0 if measure.whole else error / 10 * (value if measure.log_scale else 1.0)
    low = measure.low
    if (measure.high - low) / step > LONGEST:
        low = max(low, value - LONGEST / 2 * step)
    points = min(int((measure.high - low) / step) + 1, LONGEST)
    return np.minimum(low + step * np.arange(points), measure.high)


@pytest.fixture(scope="module")
def athletes() -> dict[str, Columns]:
    """One simulated athlete of each sport, with every test that the simulation draws."""
    frame = simulate(ATHLETES, SEED).cohort.frame
    first = frame[[name for name in frame if name in columns()]].groupby("sport").nth(0)
    rows = first.to_dict("records")
    kept = [{str(k): v for k, v in row.items() if not pd.isna(v)} for row in rows]
    return {str(row["sport"]): coded([from_row(row)]) for row in kept}


@pytest.fixture(scope="module")
def walks(athletes: dict[str, Columns]) -> dict[str, tuple[Columns, list[Walk]]]:
    """By sport, the rows of every grid one below the other. The legs are alike: one is enough."""
    found = {}
    for sport, data in athletes.items():
        values: list[np.ndarray] = []
        walks: list[Walk] = []
        at = 0
        for column, measure in columns().items():
            if column.startswith(SIDES[1]) or not isinstance(measure, Quantity):
                continue
            grid = grid_of(column, measure, data) if measure.model_input else None
            if grid is None:
                continue
            walks.append(Walk(column, direction_of(column, data), slice(at, at + len(grid))))
            values.append(grid)
            at += len(grid)
        rows = {name: np.repeat(column, at) for name, column in data.items()}
        for walk, grid in zip(walks, values, strict=True):
            rows[walk.column][walk.rows] = grid
        found[sport] = rows, walks
    return found


def test_every_sport_and_test_is_walked(walks: dict[str, tuple[Columns, list[Walk]]]) -> None:
    sports = next(m for name, m in columns().items() if name == "sport")
    assert set(walks) == set(sports.choices)
    walked = {walk.column for _, of_sport in walks.values() for walk in of_sport}
    assert len(walked) > 20


def test_no_jump_and_no_turn(
    default_bundle: Bundle, walks: dict[str, tuple[Columns, list[Walk]]]
) -> None:
    jumps, turns, model = [], [], default_bundle.model
    for sport, (rows, of_sport) in walks.items():
        risk = np.log(model.risks(model.features(rows)).left)
        for column, sign, place in of_sport:
            steps = np.diff(risk[place])
            whole = columns()[column].whole
            if not whole and np.abs(steps).max() > np.log1p(JUMP):
                jumps.append((sport, column, np.abs(steps).max()))
            against = np.minimum(sign * steps, 0.0).sum()
            if against < -TURN:
                turns.append((sport, column, against))
    assert (jumps, turns) == ([], [])
