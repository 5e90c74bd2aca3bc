"""What moved the risk of each knee away from a typical athlete's, in points of 100."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import expit

from kneerisk.answer.answer_schema import Driver, Effect, Knee
from kneerisk.answer.predictions import Predictions
from kneerisk.model.attribution import contributions
from kneerisk.model.attribution.column_attributions import TESTS_DONE
from kneerisk.schema import SIDES, FloatArray, columns
from kneerisk.schema.columns import location_of

#: Below this many points of 100 a measure is not worth a line.
LEAST_POINTS = 1e-9


def typical_risk(predictions: Predictions, i: int, knee: Knee) -> float:
    """The risk of an athlete of the same sport who is typical in everything."""
    return float(expit(predictions.contributions.base[i, _row(knee)]))


def drivers_of(predictions: Predictions, i: int, knees: list[Knee]) -> list[Driver]:
    """The drivers of each knee that has a risk, the strongest first; they add up to it.

    A measure counts with both its sides: the other leg's value tells of this one too.
    """
    told: list[Driver] = []
    measures, of = _measures(predictions.contributions.sources)
    for knee in knees:
        log_odds = np.bincount(of, predictions.contributions.values[i, _row(knee)])
        points = np.bincount(of, points_of(predictions, i, knee))
        ranked = sorted(
            np.flatnonzero(np.abs(points) > LEAST_POINTS), key=lambda k: -abs(points[k])
        )
        told += [_driver(knee, measures[k], float(points[k]), float(log_odds[k])) for k in ranked]
    return told


@cache
def _measures(sources: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """The measures behind the sources, without sides, and which one each source is of."""
    plain = [s if s == TESTS_DONE else location_of(s)[-1] for s in sources]
    names = tuple(dict.fromkeys(plain))
    return names, np.array([names.index(name) for name in plain])


def points_of(predictions: Predictions, i: int, knee: Knee) -> FloatArray:
    """What each source added to the risk of a knee, in points of 100, shape (n_sources,)."""
    found = predictions.contributions
    return contributions.percentage_points(found.base[i, _row(knee)], found.values[i, _row(knee)])


def effects_of(predictions: Predictions, i: int, knees: list[Knee]) -> dict[str, Effect]:
    """What each canonical column did to the risk of the knees, in points of 100.

    The sport has none: the typical athlete, where the drivers start, is one of the same sport.
    """
    points = {knee: points_of(predictions, i, knee) for knee in knees}
    if not points:
        return {}
    return {
        source: Effect(**{knee: float(points[knee][at]) for knee in knees})
        for at, source in enumerate(predictions.contributions.sources)
        if source != "sport"
    }


def _driver(knee: Knee, measure: str, points: float, log_odds: float) -> Driver:
    if measure == TESTS_DONE:
        return Driver(side=knee, measure=measure, label="How much was measured", group="tests",
                      modifiable=False, points=points, log_odds=log_odds)  # fmt: skip
    facts = next(columns()[name] for name in (measure, f"left_{measure}") if name in columns())
    return Driver(side=knee, measure=measure, label=facts.label, group=facts.group,
                  modifiable=facts.modifiable, points=points, log_odds=log_odds)  # fmt: skip


def _row(knee: Knee) -> int:
    """A model without sides has the same in both rows."""
    return 0 if knee == "either" else SIDES.index(knee)
