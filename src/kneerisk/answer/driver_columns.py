"""The strongest drivers of many screenings as columns: which measure, and how many points of 100.

The same measures and points as the drivers of an answer have (`kneerisk.answer.drivers`), worked
out for all rows at once and without words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.answer_schema import SHOWN, Knee
from kneerisk.answer.measure_contributions import LEAST_POINTS, MeasureContributions, leg_row
from kneerisk.model.imputation import Expected
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import Columns

#: Drivers of a knee in a file, the strongest first (assumption: more are rarely read).
TOLD = 3


def driver_columns(
    model: RiskModel, data: Columns, expected: Expected, legs: Any, given: dict[Knee, Any]
) -> dict[str, NDArray[Any]]:
    """The strongest drivers of each knee whose risk is given.

    Parameters
    ----------
    model
        The model.
    data
        Coded columns of n screenings.
    expected
        Their expected true values.
    legs
        Their feature matrix.
    given
        By knee, whether each screening has a risk of it, shape (n,).

    Returns
    -------
    By name, shape (n,): ``driver_right_1`` and so on, a measure or None, and its
    ``driver_right_1_points``, NaN where there is none.
    """
    found = MeasureContributions(by_source=model.contributions(data, expected, legs))
    knees: tuple[Knee, ...] = SHOWN if model.sided else ("either",)
    names, rows = np.array([*found.measures, None], dtype=object), np.arange(len(data["sex"]))
    result: dict[str, NDArray[Any]] = {}
    for knee in knees:
        leg = leg_row(knee)
        for rank, place in enumerate(found.strongest_first[:, leg, :TOLD].T, start=1):
            strength = found.points[rows, leg, place]
            some = given[knee] & (np.abs(strength) > LEAST_POINTS)
            result[f"driver_{knee}_{rank}"] = names[np.where(some, place, len(found.measures))]
            result[f"driver_{knee}_{rank}_points"] = np.where(some, strength, np.nan)
    return result
