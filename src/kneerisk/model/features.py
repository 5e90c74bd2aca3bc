"""The feature matrix: one row a leg, the same in training, in a file and in a request.

Each screening gives a left and a right row. `kneerisk.model.feature_columns` says what the columns
hold: the athlete's answers, the history of either knee, the expected true value of every measure
with its variance (from the measurement update), and the published risk factors at those values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import (
    LegView,
    context_columns,
    contrasts,
    factor_measures,
    female,
)
from kneerisk.model.feature_columns import (
    FEMALE,
    Column,
    ColumnKind,
    athlete_columns,
    compared_between_legs,
    feature_columns,
    history_columns,
    sport_columns,
)
from kneerisk.model.imputation import Expected
from kneerisk.schema import SIDES, Columns, FloatArray, category
from kneerisk.schema.own_measures import per_schema

#: Of how many sets of columns a process remembers the places: a model reads about ten.
_SETS_KEPT = 256


@dataclass(frozen=True)
class FeatureMatrix:
    """Rows of legs: ``values`` has shape (n_screenings, 2, n_columns), left first."""

    columns: tuple[Column, ...]
    values: FloatArray

    def pick(self, columns: tuple[Column, ...]) -> FloatArray:
        """Values of some of the columns.

        Parameters
        ----------
        columns
            The columns to pick, in the order wanted.

        Returns
        -------
        Shape ``(n_screenings, 2, len(columns))``.
        """
        return self.values[:, :, _places(self.columns, columns)]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> FeatureMatrix:
        """The rows of some screenings.

        Parameters
        ----------
        rows
            A mask of shape ``(n_screenings,)``, positions, or a slice.

        Returns
        -------
        A matrix with the same columns.
        """
        return FeatureMatrix(self.columns, self.values[rows])


@lru_cache(maxsize=_SETS_KEPT)
def _places(columns: tuple[Column, ...], picked: tuple[Column, ...]) -> NDArray[np.intp]:
    """Where some columns stand among all; a model picks the same few sets again and again."""
    place = {column: at for at, column in enumerate(columns)}
    return np.array([place[column] for column in picked], dtype=np.intp)


def feature_matrix(people: Population, expected: Expected, data: Columns) -> FeatureMatrix:
    """Build the feature matrix of n screenings.

    Parameters
    ----------
    people
        The population that the expected values were computed for.
    expected
        Expected true z-scores of the screenings, from the measurement update.
    data
        The screenings as coded columns, each of shape ``(n,)``; missing is NaN.

    Returns
    -------
    Values of shape ``(n, 2, n_columns)``, left leg first.
    """
    blocks = [
        _athlete_values(data),
        _history_values(data),
        expected.mean,
        expected.variance,
        _leg_differences(people, expected),
        _factor_values(people, expected, data),
    ]
    return FeatureMatrix(feature_columns(people), np.concatenate(blocks, axis=2))


def averaged(features: FeatureMatrix) -> FeatureMatrix:
    """The feature matrix for outcomes without sides.

    Parameters
    ----------
    features
        The feature matrix of n screenings.

    Returns
    -------
    The same columns, with the mean of both legs in either row.
    """
    mean = np.asarray(features.values.mean(axis=1, keepdims=True))
    return FeatureMatrix(features.columns, np.repeat(mean, 2, axis=1))


def row_sums(terms: FloatArray) -> FloatArray:
    """Sum each row by itself, in an order that does not depend on how many rows there are.

    A BLAS product picks another kernel for one row than for many, and numpy another order of
    adding for another memory layout; either would give an athlete another last digit in a team.

    Parameters
    ----------
    terms
        Shape ``(..., n_terms)``.

    Returns
    -------
    Shape ``(...)``.
    """
    return np.asarray(np.ascontiguousarray(terms).sum(axis=-1))


def sport_of(features: FeatureMatrix) -> FloatArray:
    """The code of each screening's sport.

    Parameters
    ----------
    features
        The feature matrix of n screenings.

    Returns
    -------
    Shape ``(n,)``; NaN where no sport is stated.
    """
    flags = features.pick(sport_columns())[:, 0]
    return np.where(np.isnan(flags).any(axis=1), np.nan, flags.argmax(axis=1))


def _athlete_values(data: Columns) -> FloatArray:
    """The athlete's answers, repeated on both legs; a sport is one column each."""
    columns = athlete_columns()
    values = _marked(columns, np.array([data[column.subject] for column in columns]).T)
    values[:, columns.index(FEMALE)] = female(data)
    return np.repeat(values[:, None, :], 2, axis=1)


def _history_values(data: Columns) -> FloatArray:
    """Earlier trouble and pain in movement of the own and of the other knee, left row first."""
    columns = history_columns()
    legs = [
        [data[f"{own if column.kind is ColumnKind.OWN else other}_{column.subject}"]
         for column in columns]
        for own, other in (SIDES, SIDES[::-1])
    ]  # fmt: skip
    return _marked(columns, np.array(legs).transpose(2, 0, 1))


def _marked(columns: tuple[Column, ...], given: FloatArray) -> FloatArray:
    """Answers (..., n_columns) as given, or where a column marks a choice, whether it is that."""
    codes = _codes_marked(columns)
    return np.where(np.isnan(codes) | np.isnan(given), given, given == codes)


@per_schema
def _codes_marked(columns: tuple[Column, ...]) -> FloatArray:
    """The code of the choice that each column marks; NaN where it marks none."""
    return np.array(
        [
            np.nan if c.choice is None else category(c.subject).choices.index(c.choice)
            for c in columns
        ]
    )


def _leg_differences(people: Population, expected: Expected) -> FloatArray:
    """By how much the expected true measures of the own leg are above those of the other."""
    legs = expected.mean[:, :, _places_compared(len(people.athlete), people.leg)]
    return legs - legs[:, ::-1]


@lru_cache(maxsize=_SETS_KEPT)
def _places_compared(n_athlete: int, leg: tuple[str, ...]) -> NDArray[np.intp]:
    """Where the measures that can differ between the legs are among the expected values."""
    return np.array([n_athlete + leg.index(name) for name in compared_between_legs(leg)])


def _factor_values(people: Population, expected: Expected, data: Columns) -> FloatArray:
    """The published risk factors at the expected values, of both legs in one pass."""
    n = len(expected.mean)
    place = {name: i for i, name in enumerate((*people.athlete, *people.leg))}
    mean, variance = (
        values.transpose(1, 0, 2).reshape(2 * n, -1)
        for values in (expected.mean, expected.variance)
    )

    def both_legs(name: str) -> FloatArray:
        return np.concatenate([data[f"{side}_{name}"] for side in SIDES])

    view = LegView(
        mean={name: mean[:, place[name]] for name in factor_measures()},
        variance={name: variance[:, place[name]] for name in factor_measures()},
        data={name: np.concatenate([data[name], data[name]]) for name in context_columns()},
        prior=both_legs("prior_knee_injury"),
        episodes=both_legs("same_side_episodes"),
        provoked=both_legs("pain_on_squat_jump"),
    )
    return contrasts(view).reshape(-1, 2, n).transpose(2, 1, 0)
