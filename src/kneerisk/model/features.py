"""The feature matrix: one row a leg, the same in training, in a file and in a request.

Each screening gives a left and a right row. Columns, by prefix: ``athlete_`` (sex, sport,
history of the athlete, missing stays missing), ``own_`` and ``other_`` (earlier trouble of either
knee), ``expected_`` and ``spread_`` (what all measured values together say about a true one, with
its variance, in z-scores), ``difference_`` (expected, own minus other leg), ``imbalance_`` and
``imbalance_spread_`` (the latent imbalances), ``factor_`` (published risk factors, evaluated at
the expected values).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import (
    LegView,
    context_columns,
    contrasts,
    factor_measures,
    female,
    risk_factors,
)
from kneerisk.model.imputation import Expected, MeasurementUpdate
from kneerisk.schema import SIDES, Category, Columns, FloatArray, athlete_measures, quantity


@dataclass(frozen=True)
class FeatureMatrix:
    """Rows of legs: ``values`` has shape (n_screenings, 2, n_columns), left first."""

    names: tuple[str, ...]
    values: FloatArray

    def pick(self, names: tuple[str, ...]) -> FloatArray:
        """Some of the columns, shape (n_screenings, 2, len(names))."""
        return self.values[:, :, _places(self.names, names)]


@cache
def _places(names: tuple[str, ...], picked: tuple[str, ...]) -> NDArray[np.intp]:
    """Where some columns stand among all; a model picks the same few sets again and again."""
    place = {name: at for at, name in enumerate(names)}
    return np.array([place[name] for name in picked], dtype=np.intp)


def matrix(measurement_update: MeasurementUpdate, data: Columns) -> FeatureMatrix:
    """The feature matrix of n screenings, given as coded columns of shape (n,)."""
    return feature_matrix_of(measurement_update.population, measurement_update.expected(data), data)


def feature_matrix_of(people: Population, expected: Expected, data: Columns) -> FeatureMatrix:
    """The feature matrix of what is expected of n screenings."""
    blocks: list[tuple[list[str], FloatArray]] = [
        _athlete(data),
        _history(data),
        _expected(people, expected),
        _factors(people, expected, data),
    ]
    names = tuple(name for block, _ in blocks for name in block)
    return FeatureMatrix(names, np.concatenate([values for _, values in blocks], axis=2))


def averaged(legs: FeatureMatrix) -> FeatureMatrix:
    """The same matrix with the mean of both legs in either row, for outcomes without sides."""
    mean = np.asarray(legs.values.mean(axis=1, keepdims=True))
    return FeatureMatrix(legs.names, np.repeat(mean, 2, axis=1))


def _athlete(data: Columns) -> tuple[list[str], FloatArray]:
    """Facts of the athlete, repeated on both legs; a sport is one column each."""
    columns = {"athlete_female": female(data), "athlete_age_years": data["age_years"]}
    for name, measure in athlete_measures().items():
        if name == "sport" and isinstance(measure, Category):
            for code, choice in enumerate(measure.choices):
                stated = np.where(np.isnan(data[name]), np.nan, data[name] == code)
                columns[f"athlete_sport_{choice}"] = stated
        elif isinstance(measure, Category) and name != "sex":
            columns[f"athlete_{name}"] = data[name]
    values = np.column_stack(list(columns.values()))
    return list(columns), np.repeat(values[:, None, :], 2, axis=1)


def _history(data: Columns) -> tuple[list[str], FloatArray]:
    """Earlier trouble of the own and of the other knee."""
    names, parts = [], []
    for name in ("prior_knee_injury", "same_side_episodes"):
        sides = np.stack([data[f"{side}_{name}"] for side in SIDES], axis=1)
        names += [f"own_{name}", f"other_{name}"]
        parts += [sides, sides[:, ::-1]]
    return names, np.stack(parts, axis=2)


def _expected(people: Population, expected: Expected) -> tuple[list[str], FloatArray]:
    """Expected true measures, how uncertain they are, and how the legs differ."""
    a, m = len(people.athlete), len(people.leg)
    means, spreads = expected.mean, expected.variance
    legs = means[:, :, a : a + m]
    names = [
        *(f"expected_{name}" for name in (*people.athlete, *people.leg)),
        *(f"imbalance_{name}" for name in people.imbalances),
        *(f"spread_{name}" for name in (*people.athlete, *people.leg)),
        *(f"imbalance_spread_{name}" for name in people.imbalances),
        *(f"difference_{name}" for name in people.leg),
    ]
    return names, np.concatenate([means, spreads, legs - legs[:, ::-1]], axis=2)


def _factors(people: Population, expected: Expected, data: Columns) -> tuple[list[str], FloatArray]:
    """The published risk factors at the expected values, of both legs in one pass."""
    n = len(expected.mean)
    place = {name: i for i, name in enumerate((*people.athlete, *people.leg))}
    mean, variance = (
        part.transpose(1, 0, 2).reshape(2 * n, -1) for part in (expected.mean, expected.variance)
    )

    def of_legs(name: str) -> FloatArray:
        return np.concatenate([data[f"{side}_{name}"] for side in SIDES])

    view = LegView(
        mean={name: mean[:, place[name]] for name in factor_measures()},
        variance={name: variance[:, place[name]] for name in factor_measures()},
        data={name: np.concatenate([data[name], data[name]]) for name in context_columns()},
        prior=of_legs("prior_knee_injury"),
        episodes=of_legs("same_side_episodes"),
    )
    found = contrasts(view)
    both = np.column_stack(list(found.values())).reshape(2, n, len(found)).transpose(1, 0, 2)
    return [f"factor_{factor}" for factor in found], both


def directions(people: Population) -> dict[str, int]:
    """Columns whose effect on risk has a supported direction: +1 raises it, -1 lowers it.

    A published factor counts towards its published sign; a measure towards its schema direction.
    """
    signs = {f"factor_{e.factor}": 1 if e.high > 0 else -1 for e in risk_factors()}
    for name in (*people.athlete, *people.leg):
        direction = quantity(name).direction
        if direction is None:
            continue
        sign = 1 if direction == "raises" else -1
        signs[f"expected_{name}"] = sign
        if name in people.leg:
            signs[f"difference_{name}"] = sign
    return signs
