"""What moves the risk of each knee away from a typical athlete's, in points of 100."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

from kneerisk.answer.answer_schema import Advice, Driver, Effect, Knee
from kneerisk.answer.driver_statements import Statement, statement_of
from kneerisk.answer.measure_contributions import Contribution, leg_row
from kneerisk.answer.predictions import Predictions
from kneerisk.evidence import advice, effects
from kneerisk.model.column_attributions import TESTS_DONE
from kneerisk.schema import SIDES, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.measure import Group
from kneerisk.schema.own_measures import per_schema
from kneerisk.schema.rules import SQUEEZED_TOGETHER
from kneerisk.words import text

#: What the body mass index is computed from.
BODY_SIZE = frozenset({"height_cm", "mass_kg"})
SizeFrom = Literal["published", "judged", "null", "cohort"]
#: From this many points of 100 on it is worth a word (assumption: less is rounding to a reader).
WORTH_A_WORD = 1.0


def contributions_of(predictions: Predictions, i: int, knees: Sequence[Knee]) -> list[Contribution]:
    """What moves the risk of each knee of screening i, the strongest first; it adds up to it.

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
    One for each knee and measure that moved its risk.
    """
    return [found for knee in knees for found in predictions.by_measure.of_knee(i, knee)]


def drivers_of(
    predictions: Predictions,
    i: int,
    contributions: Sequence[Contribution],
    told: Sequence[Advice],
) -> list[Driver]:
    """What moves the risk of each knee, in words, and the advice that leads from what adds to it.

    One that can change and adds a point or more without any advice is called untested: no trial
    shows that changing it helps.

    Parameters
    ----------
    predictions
        What the model says of the screenings.
    i
        Place of the screening.
    contributions
        What moves the risk of its knees.
    told
        The advice of the same answer.

    Returns
    -------
    One driver for each contribution, in their order.
    """
    leading_to, cohort = _leading_to(told), predictions.metadata.cohort
    facts_of = _facts_by_measure(predictions.contributions.sources)
    statements = _statements(predictions, i, contributions, facts_of)
    return [
        _driver(
            contribution,
            facts_of[contribution.measure],
            statement,
            _codes(leading_to.get(contribution.measure, ()), contribution),
            cohort,
        )
        for contribution, statement in zip(contributions, statements, strict=True)
    ]


def _driver(
    contribution: Contribution, facts: _Facts, statement: Statement, codes: list[str], cohort: str
) -> Driver:
    knee, measure, modifiable, points, log_odds = contribution
    untested = modifiable and points >= WORTH_A_WORD and not codes
    return Driver(
        side=knee,
        measure=measure,
        label=facts.label,
        heading=statement.heading,
        statement=statement.statement,
        value=statement.value,
        unit=statement.unit,
        usual=statement.usual,
        against_usual=statement.against_usual,
        group=facts.group,
        modifiable=modifiable,
        points=points,
        log_odds=log_odds,
        size_from=_size_from(measure, cohort),
        advice=codes,
        untested=untested or None,
    )


class _Facts(NamedTuple):
    """What a driver is called, what it belongs to, and where its columns are in the sources."""

    label: str
    group: Group | Literal["tests"]
    places: dict[str, int]


@per_schema
def _facts_by_measure(sources: tuple[str, ...]) -> dict[str, _Facts]:
    facts = {TESTS_DONE: _Facts(text("answer.drivers.tests_done"), "tests", {})}
    for place, column in enumerate(sources):
        if column != TESTS_DONE:
            measure = columns()[column]
            own = facts.setdefault(
                location_of(column)[-1], _Facts(measure.label, measure.group, {})
            )
            own.places[column] = place
    return facts


def _statements(
    predictions: Predictions,
    i: int,
    contributions: Sequence[Contribution],
    facts_of: Mapping[str, _Facts],
) -> Iterator[Statement]:
    """What is said of the value behind each contribution; what is alike for both knees once."""
    row, points = predictions.rows[i], predictions.by_measure.source_points[i].tolist()
    said: dict[tuple[str, str | None], Statement] = {}
    for knee, measure, *_ in contributions:
        places = facts_of[measure].places
        given = [column for column in places if column in row]
        if not given:
            label = facts_of[measure].label
            yield Statement(label, label)
            continue
        column = _strongest(given, places, points[leg_row(knee)], knee)
        value = column, _leg_of(column, knee)
        if value not in said:
            usual_z = predictions.usual_z(i, column)
            said[value] = statement_of(measure, column, row, value[1], usual_z)
        yield said[value]


def _strongest(
    given: Sequence[str], places: Mapping[str, int], points: Sequence[float], knee: Knee
) -> str:
    """Of both legs' values, the one that moved the knee's risk more; the own leg's if alike."""
    if len(given) == 1:
        return given[0]
    first, second = given
    moved, other_moved = abs(points[places[first]]), abs(points[places[second]])
    if moved == other_moved:
        return second if second.startswith(knee) else first
    return first if moved > other_moved else second


def _leading_to(told: Sequence[Advice]) -> dict[str, list[Advice]]:
    """The advice that leads from each measure, in its order."""
    leading_to: dict[str, list[Advice]] = {}
    for piece in told:
        for measure in _acts_on().get(piece.code, ()):
            leading_to.setdefault(measure, []).append(piece)
    return leading_to


@cache
def _acts_on() -> dict[str, tuple[str, ...]]:
    """The measures that each piece of advice leads from."""
    return {entry.code: entry.measures for entry in advice()}


def _codes(pieces: Sequence[Advice], contribution: Contribution) -> list[str]:
    """The codes of the advice that leads from what adds to the risk of a knee."""
    knee = contribution.knee
    return [
        piece.code
        for piece in pieces
        if contribution.points > 0.0
        and (not piece.sides or knee == "either" or knee in piece.sides)
    ]


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
    if not knees:
        return {}
    row, points = predictions.rows[i], predictions.by_measure.source_points[i].tolist()
    by_knee = {knee: points[leg_row(knee)] for knee in knees}
    return {
        source: Effect(**{knee: points[k] for knee, points in by_knee.items()})
        for k, source in enumerate(predictions.contributions.sources)
        if source in row and source != "sport"
    }


def _leg_of(column: str, knee: Knee) -> str | None:
    """The leg of a value in words, where it is not that of the knee."""
    side, _, measure = column.partition("_")
    if side not in SIDES or side == knee or measure in SQUEEZED_TOGETHER:
        return None
    if knee == "either":
        return text("answer.drivers.side_leg", side=side)
    return text("answer.drivers.other_leg")


@cache
def _size_from(measure: str, cohort: str) -> SizeFrom | None:
    """Where the size of a measure's effect comes from, the least certain of them.

    None where it moves the risk through others.
    """
    if cohort == "observed":
        return None if measure == TESTS_DONE else "cohort"
    # The body mass index has no measure of its own.
    sizes = {
        effect.size_from
        for effect in effects().values()
        if effect.measure == measure or (not effect.measure and measure in BODY_SIZE)
    }
    order: tuple[SizeFrom, ...] = ("judged", "published", "null")
    return next((size for size in order if size in sizes), None)
