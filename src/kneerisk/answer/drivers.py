"""What moves the risk of each knee away from a typical athlete's, in points of 100."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
from scipy.special import expit

from kneerisk.answer.answer_schema import Driver, Effect, Knee
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import effects
from kneerisk.model import contributions
from kneerisk.model.column_attributions import TESTS_DONE
from kneerisk.schema import SIDES, FloatArray, columns
from kneerisk.schema.columns import location_of
from kneerisk.words import text

#: What the body mass index is computed from.
BODY_SIZE = frozenset({"height_cm", "mass_kg"})
SizeFrom = Literal["published", "judged", "null", "cohort"]
#: Below this many points of 100 a measure is rounding, and no driver.
LEAST_POINTS = 1e-9


def typical_risk(predictions: Predictions, i: int, knee: Knee) -> float:
    """The risk of an athlete of the same sport who is typical in everything.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    knee
        The knee, or either.

    Returns
    -------
    A probability.
    """
    return float(expit(predictions.contributions.base[i, _leg_row(knee)]))


def drivers_of(predictions: Predictions, i: int, knees: Sequence[Knee]) -> list[Driver]:
    """The drivers of each knee that has a risk, the strongest first; they add up to it.

    A measure counts with both its sides: the other leg's value is evidence about this leg too.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    knees
        The knees with a risk of their own.

    Returns
    -------
    One driver for each knee and measure that moved its risk.
    """
    drivers: list[Driver] = []
    measures, measure_index = _measures(predictions.contributions.sources)
    for knee in knees:
        log_odds = np.bincount(measure_index, predictions.contributions.values[i, _leg_row(knee)])
        points = np.bincount(measure_index, points_of(predictions, i, knee))
        ranked = sorted(
            np.flatnonzero(np.abs(points) > LEAST_POINTS), key=lambda k: -abs(points[k])
        )
        drivers += [
            _driver(predictions, knee, measures[k], float(points[k]), float(log_odds[k]))
            for k in ranked
        ]
    return drivers


@cache
def _measures(sources: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """The measures behind the sources, without sides, and the index of each source's measure."""
    names = [s if s == TESTS_DONE else location_of(s)[-1] for s in sources]
    measures = tuple(dict.fromkeys(names))
    return measures, np.array([measures.index(name) for name in names])


def points_of(predictions: Predictions, i: int, knee: Knee) -> FloatArray:
    """What each source added to the risk of a knee.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    knee
        The knee, or either.

    Returns
    -------
    Points of 100, shape (n_sources,).
    """
    base, log_odds = predictions.contributions.base, predictions.contributions.values
    return contributions.percentage_points(base[i, _leg_row(knee)], log_odds[i, _leg_row(knee)])


def effects_of(predictions: Predictions, i: int, knees: Sequence[Knee]) -> dict[str, Effect]:
    """What each canonical column did to the risk of the knees.

    The sport has none: the typical athlete, where the drivers start, is one of the same sport.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    knees
        The knees with a risk of their own.

    Returns
    -------
    For each column the points of 100 that it added to each knee's risk.
    """
    points = {knee: points_of(predictions, i, knee) for knee in knees}
    if not points:
        return {}
    return {
        source: Effect(**{knee: float(points[knee][k]) for knee in knees})
        for k, source in enumerate(predictions.contributions.sources)
        if source != "sport"
    }


def _driver(
    predictions: Predictions, knee: Knee, measure: str, points: float, log_odds: float
) -> Driver:
    if measure == TESTS_DONE:
        label = text("answer.drivers.tests_done")
        return Driver(side=knee, measure=measure, label=label, group="tests",
                      modifiable=False, points=points, log_odds=log_odds)  # fmt: skip
    facts = next(columns()[name] for name in (measure, f"left_{measure}") if name in columns())
    return Driver(side=knee, measure=measure, label=facts.label, group=facts.group,
                  modifiable=facts.modifiable, points=points, log_odds=log_odds,
                  size_from=_size_from(predictions, measure))  # fmt: skip


def _size_from(predictions: Predictions, measure: str) -> SizeFrom | None:
    """Where the size of a measure's effect comes from."""
    if predictions.metadata.cohort == "observed":
        return "cohort"
    return _size_in_tables(measure)


@cache
def _size_in_tables(measure: str) -> SizeFrom | None:
    """The least certain of the measure's effects; None where it moves the risk through others."""
    # The body mass index has no measure of its own.
    sizes = {
        effect.size_from
        for effect in effects().values()
        if effect.measure == measure or (not effect.measure and measure in BODY_SIZE)
    }
    order: tuple[SizeFrom, ...] = ("judged", "published", "null")
    return next((size for size in order if size in sizes), None)


def _leg_row(knee: Knee) -> int:
    """The row of the knee's leg; a model without sides has the same in both rows."""
    return 0 if knee == "either" else SIDES.index(knee)
