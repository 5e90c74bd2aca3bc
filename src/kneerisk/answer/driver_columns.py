"""The strongest drivers of many screenings as columns: which measure, and how many points of 100.

The same measures and points as the drivers of an answer have (`kneerisk.answer.drivers`), worked
out for all rows at once and without words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.answer_schema import SHOWN, Knee
from kneerisk.answer.drivers import LEAST_POINTS, measures_behind
from kneerisk.answer.predictions import leg_row
from kneerisk.model import contributions
from kneerisk.model.contributions import Contributions
from kneerisk.model.imputation import Expected
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import Columns, FloatArray

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
    found = model.contributions(data, expected, legs)
    knees: tuple[Knee, ...] = SHOWN if model.sided else ("either",)
    result: dict[str, NDArray[Any]] = {}
    for knee in knees:
        points, measures = _points(found, leg_row(knee))
        points = np.where(given[knee][:, None] & (np.abs(points) > LEAST_POINTS), points, 0.0)
        order = np.argsort(-np.abs(points), axis=1, kind="stable")[:, :TOLD]
        names = np.array([*measures, None], dtype=object)
        for rank, place in enumerate(order.T, start=1):
            strength = points[np.arange(len(points)), place]
            some = strength != 0.0
            result[f"driver_{knee}_{rank}"] = names[np.where(some, place, len(measures))]
            result[f"driver_{knee}_{rank}_points"] = np.where(some, strength, np.nan)
    return result


def _points(found: Contributions, row: int) -> tuple[FloatArray, tuple[str, ...]]:
    """Points of each measure, shape (n, n_measures), and the measures."""
    by_source = contributions.percentage_points(found.base[:, row], found.values[:, row])
    measures, place = measures_behind(found.sources)
    points = np.zeros((len(by_source), len(measures)))
    for source, measure in enumerate(place.tolist()):
        points[:, measure] += by_source[:, source]
    return points, measures
