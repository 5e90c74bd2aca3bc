"""What moves the risk of each knee away from a typical athlete's, in points of 100."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np

from kneerisk.answer.answer_schema import Advice, Driver, Effect, Knee
from kneerisk.answer.driver_statements import Statement, statement_of
from kneerisk.answer.predictions import Predictions, leg_row
from kneerisk.evidence import advice, effects
from kneerisk.model import contributions
from kneerisk.model.column_attributions import TESTS_DONE
from kneerisk.schema import SIDES, FloatArray, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import SQUEEZED_TOGETHER
from kneerisk.words import text

#: What the body mass index is computed from.
BODY_SIZE = frozenset({"height_cm", "mass_kg"})
SizeFrom = Literal["published", "judged", "null", "cohort"]
#: Below this many points of 100 a measure is rounding, and no driver.
LEAST_POINTS = 1e-9
#: From this many points of 100 on it is worth a word (assumption: less is rounding to a reader).
WORTH_A_WORD = 1.0


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
    measures, measure_index = measures_behind(predictions.contributions.sources)
    for knee in knees:
        log_odds = np.bincount(measure_index, predictions.contributions.values[i, leg_row(knee)])
        by_source = points_of(predictions, i, knee)
        points = np.bincount(measure_index, by_source)
        ranked = sorted(
            np.flatnonzero(np.abs(points) > LEAST_POINTS), key=lambda k: -abs(points[k])
        )
        drivers += [
            Driver(
                side=knee,
                measure=measures[k],
                points=float(points[k]),
                log_odds=float(log_odds[k]),
                **_facts(predictions, i, knee, measures[k], by_source),
            )
            for k in ranked
        ]
    return drivers


def with_advice(drivers: Sequence[Driver], told: Sequence[Advice]) -> list[Driver]:
    """The drivers, each that adds to the risk with the advice that leads from it.

    One that can change and adds a point or more without any is called untested: no trial shows
    that changing it helps.

    Parameters
    ----------
    drivers
        The drivers of the knees.
    told
        The advice of the same answer.

    Returns
    -------
    The same drivers, in their order.
    """
    linked: list[Driver] = []
    for driver in drivers:
        codes = [
            piece.code
            for piece in told
            if driver.points > 0.0
            and driver.measure in _acts_on().get(piece.code, ())
            and (not piece.sides or driver.side == "either" or driver.side in piece.sides)
        ]
        untested = driver.modifiable and driver.points >= WORTH_A_WORD and not codes
        linked.append(driver.model_copy(update={"advice": codes, "untested": untested or None}))
    return linked


@cache
def _acts_on() -> dict[str, tuple[str, ...]]:
    """The measures that each piece of advice leads from."""
    return {entry.code: entry.measures for entry in advice()}


@per_schema
def measures_behind(sources: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
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
    return contributions.percentage_points(base[i, leg_row(knee)], log_odds[i, leg_row(knee)])


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
    For each column with a value the points of 100 that it added to each knee's risk.
    """
    points = {knee: points_of(predictions, i, knee) for knee in knees}
    if not points:
        return {}
    row = predictions.rows[i]
    return {
        source: Effect(**{knee: float(points[knee][k]) for knee in knees})
        for k, source in enumerate(predictions.contributions.sources)
        if source in row and source != "sport"
    }


def _facts(
    predictions: Predictions, i: int, knee: Knee, measure: str, points: FloatArray
) -> dict[str, Any]:
    """What a driver is, apart from its size."""
    if measure == TESTS_DONE:
        label = text("answer.drivers.tests_done")
        return {"label": label, "group": "tests", "modifiable": False,
                "heading": label, "statement": label}  # fmt: skip
    facts = next(columns()[name] for name in (measure, f"left_{measure}") if name in columns())
    return {
        "label": facts.label,
        "group": facts.group,
        "modifiable": facts.modifiable,
        "size_from": _size_from(predictions, measure),
        **_statement(predictions, i, knee, measure, points).facts(),
    }


def _statement(
    predictions: Predictions, i: int, knee: Knee, measure: str, points: FloatArray
) -> Statement:
    """What was measured: of both legs' values, the one that moved the knee's risk more."""
    row, sources = predictions.rows[i], predictions.contributions.sources
    given = [k for k in _places(sources)[measure] if sources[k] in row]
    if not given:
        label = columns()[sources[_places(sources)[measure][0]]].label
        return Statement(heading=label, sentence=label)
    # The own leg's comes first where both moved it alike.
    column = sources[
        min(given, key=lambda k: (-abs(points[k]), not sources[k].startswith(f"{knee}_")))
    ]
    leg, usual_z = _leg_of(column, knee), _usual_z(predictions, i, column)
    return statement_of(column, columns()[column], row, leg, usual_z)


@per_schema
def _places(sources: tuple[str, ...]) -> dict[str, list[int]]:
    """Where the sources of each measure are, without sides."""
    names, index = measures_behind(sources)
    return {name: np.flatnonzero(index == k).tolist() for k, name in enumerate(names)}


def _usual_z(predictions: Predictions, i: int, column: str) -> float:
    """The z-score usual at the athlete's age and in the sport, with nothing measured."""
    people, measure = predictions.bundle.model.population, location_of(column)[-1]
    prior = predictions.expected.prior[i]
    if measure in people.athlete:
        return float(prior[0, people.athlete.index(measure)])
    if measure in people.leg:
        side = SIDES.index("right" if column.startswith("right_") else "left")
        return float(prior[side, len(people.athlete) + people.leg.index(measure)])
    return 0.0


def _leg_of(column: str, knee: Knee) -> str | None:
    """The leg of a value in words, where it is not that of the knee."""
    side, _, measure = column.partition("_")
    if side not in SIDES or side == knee or measure in SQUEEZED_TOGETHER:
        return None
    if knee == "either":
        return text("answer.drivers.side_leg", side=side)
    return text("answer.drivers.other_leg")


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
