"""What each measure adds to the risk of each knee, for n screenings at once.

A measure counts with both its sides: the other leg's value is evidence about this leg too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.answer.answer_schema import Knee
from kneerisk.model.column_attributions import TESTS_DONE
from kneerisk.model.contributions import Contributions, percentage_points
from kneerisk.schema import SIDES, FloatArray, columns
from kneerisk.schema.columns import location_of
from kneerisk.schema.own_measures import per_schema

#: Below this many points of 100 a measure is rounding, and moves nothing.
LEAST_POINTS = 1e-9


class Contribution(NamedTuple):
    """What one measure adds to the risk of one knee, in points of 100 and in log-odds."""

    knee: Knee
    measure: str
    modifiable: bool
    points: float
    log_odds: float


@dataclass(frozen=True, kw_only=True)
class MeasureContributions:
    """The contributions to n screenings' log-odds, summed by measure.

    Attributes
    ----------
    by_source
        The contributions of the sources, each of which is a side of a measure.
    """

    by_source: Contributions

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The measures behind the sources, without sides."""
        return measures_behind(self.by_source.sources)[0]

    @cached_property
    def source_points(self) -> FloatArray:
        """Points of 100 that each source adds to each knee, shape (n, 2, n_sources)."""
        return percentage_points(self.by_source.base, self.by_source.values)

    @cached_property
    def points(self) -> FloatArray:
        """Points of 100 that each measure adds to each knee, shape (n, 2, n_measures)."""
        return self._summed(self.source_points)

    @cached_property
    def log_odds(self) -> FloatArray:
        """Log-odds that each measure adds to each knee, shape (n, 2, n_measures)."""
        return self._summed(self.by_source.values)

    @cached_property
    def strongest_first(self) -> NDArray[np.intp]:
        """The places of the measures by the size of their points, shape (n, 2, n_measures)."""
        return np.argsort(-np.abs(self.points), axis=2, kind="stable")

    def of_knee(self, i: int, knee: Knee) -> list[Contribution]:
        """The measures that move the risk of a knee of screening i, the strongest first."""
        leg, can_change = leg_row(knee), _modifiable(self.measures)
        points, log_odds = self.points[i, leg].tolist(), self.log_odds[i, leg].tolist()
        return [
            Contribution(knee, self.measures[k], can_change[k], points[k], log_odds[k])
            for k in self.strongest_first[i, leg].tolist()
            if abs(points[k]) > LEAST_POINTS
        ]

    def _summed(self, values: FloatArray) -> FloatArray:
        measure = measures_behind(self.by_source.sources)[1]
        legs, count = values.reshape(-1, len(measure)), len(self.measures)
        place = np.arange(len(legs))[:, None] * count + measure
        summed = np.bincount(place.ravel(), legs.ravel(), minlength=len(legs) * count)
        return summed.reshape(*values.shape[:-1], count).astype(np.float64, copy=False)


def leg_row(knee: Knee) -> int:
    """The row of the knee's leg; a model without sides has the same in both rows."""
    return 0 if knee == "either" else SIDES.index(knee)


@per_schema
def measures_behind(sources: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The measures behind some sources.

    Parameters
    ----------
    sources
        Canonical columns, and `TESTS_DONE`.

    Returns
    -------
    The measures without sides, and for each source the index of its measure, shape (n_sources,).
    """
    names = [s if s == TESTS_DONE else location_of(s)[-1] for s in sources]
    measures = tuple(dict.fromkeys(names))
    return measures, np.array([measures.index(name) for name in names], dtype=np.intp)


@per_schema
def _modifiable(measures: tuple[str, ...]) -> list[bool]:
    """Whether each measure can change; that so little or much was measured is none."""
    by_name = {location_of(column)[-1]: measure for column, measure in columns().items()}
    return [name != TESTS_DONE and by_name[name].modifiable for name in measures]
