"""Which measures move a model's risks most, over the athletes that it is evaluated on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.model.column_attributions import TESTS_DONE
from kneerisk.model.contributions import percentage_points
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, Category, Columns, FloatArray, columns
from kneerisk.schema.columns import location_of

#: Screenings that are explained: the mean over so many has two sure digits, and each takes a
#: millisecond.
MOST_SCREENINGS = 1_500
#: Below this correlation of its values with what they add, a measure has no one direction.
LEAST_CORRELATION = 0.3

Direction = Literal["higher", "lower", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """How far a measure moves risks: the mean of its absolute points of 100 over all rows."""

    measure: str
    label: str
    points: float
    direction: Direction
    """Whether higher or lower values raise the risk."""
    measured: float
    """Share of the rows that had it."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def drivers(model: RiskModel, data: Columns, rows: TaskRows) -> tuple[Driver, ...]:
    """Every measure that moves risks, the strongest first.

    A measure counts with both its sides, as in an answer: the other leg's value says something
    about this leg too.

    Parameters
    ----------
    model
        Whose risks are explained.
    data
        Coded columns of the screenings, shape (n,) each.
    rows
        The evaluated rows: legs without a risk move nobody's.

    Returns
    -------
    Measures that move some risk, by falling points.
    """
    n = len(data["age_years"])
    evaluated = np.zeros((n, 2), dtype=bool)
    evaluated[rows.place % n, rows.place // n] = True
    chosen = np.unique(np.linspace(0, n - 1, min(n, MOST_SCREENINGS)).astype(int))
    sample = {name: values[chosen] for name, values in data.items()}
    expected = model.measurement_update.expected(sample)
    contributions = model.contributions(sample, expected, model.features(sample, expected))
    points = percentage_points(contributions.base, contributions.values)[evaluated[chosen]]
    ranked = sorted(
        _by_measure(contributions.sources, points, sample, evaluated[chosen]),
        key=lambda driver: -driver.points,
    )
    return tuple(driver for driver in ranked if driver.points > 0.0)


def _by_measure(
    sources: tuple[str, ...], points: FloatArray, data: Columns, legs: np.ndarray
) -> Iterator[Driver]:
    places: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        name = source if source == TESTS_DONE else location_of(source)[-1]
        places.setdefault(name, []).append(place)
    for name, members in places.items():
        moved = points[:, members].sum(axis=1)
        values = _values(name, data)[legs]
        yield Driver(
            measure=name,
            label=_label(name),
            points=float(np.abs(moved).mean()) if len(moved) else 0.0,
            direction=_direction(name, values, moved),
            measured=float(np.isfinite(values).mean()) if len(values) else 0.0,
        )


def _values(name: str, data: Columns) -> FloatArray:
    """The values of each leg's own measure, shape (n, 2), left first."""
    if name == TESTS_DONE:
        return np.zeros((len(data["age_years"]), 2))
    if name in data:
        return np.stack([data[name], data[name]], axis=1)
    return np.stack([data[f"{side}_{name}"] for side in SIDES], axis=1)


def _direction(name: str, values: FloatArray, moved: FloatArray) -> Direction:
    measure = columns().get(name) or columns().get(f"left_{name}")
    if isinstance(measure, Category) and not measure.ordinal and len(measure.choices) > 2:
        return "mixed"
    known = np.isfinite(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0.0 or np.ptp(moved[known]) == 0.0:
        return "mixed"
    correlation = float(np.corrcoef(values[known], moved[known])[0, 1])
    if abs(correlation) < LEAST_CORRELATION:
        return "mixed"
    return "higher" if correlation > 0.0 else "lower"


def _label(name: str) -> str:
    if name == TESTS_DONE:
        return "How much was measured"
    return next(columns()[c].label for c in (name, f"left_{name}") if c in columns())
