"""Which columns of the feature matrix move with a true measure, and how.

The measure's own column, the difference between the legs, and the published factors that rest on
it; of what is known for certain, its variance too.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kneerisk.evidence import Effect
from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import LINEAR_CONTRASTS, measures_of, risk_factors
from kneerisk.model.feature_columns import Column, ColumnKind, compared_between_legs
from kneerisk.schema import SIDES, FloatArray

Indices = NDArray[np.intp]
_Key = TypeVar("_Key", bound=Hashable)


class Entry(NamedTuple):
    """A column that moves with the measure of a place.

    ``by`` is what it changes in the left and the right row for a step of 1; of a contrast that is
    no line, what the change of the contrast is multiplied by.
    """

    place: int
    measure: str
    column: Column
    by: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class MeasureColumns:
    """Some measures, and the columns that move with each.

    A measure of the athlete has one place and moves both legs; a leg's own has a place for the left
    leg and, after all of these, one for the right. Where ``is_known``, a measure that is moved has
    its new value for certain. ``read`` are the columns that count.
    """

    population: Population
    measures: tuple[str, ...]
    is_known: bool
    read: Collection[Column]

    @cached_property
    def places(self) -> list[tuple[str, int | None]]:
        """The measure of each place, and its leg: 0 is the left one, None an athlete's measure."""
        people = self.population
        athlete = [(name, None) for name in self.measures if name in people.athlete]
        own = [name for name in self.measures if name in people.leg]
        return [*athlete, *((name, leg) for leg in range(len(SIDES)) for name in own)]

    @cached_property
    def places_by_leg(self) -> dict[str, list[int]]:
        """The places of each measure that move the left and the right leg."""
        place = {moved: i for i, moved in enumerate(self.places)}
        return {
            name: [place[name, None if (name, None) in place else leg] for leg in range(len(SIDES))]
            for name in self.measures
        }

    @cached_property
    def targets(self) -> dict[str, int]:
        """Where each measure stands among the expected values of a leg."""
        names = (*self.population.athlete, *self.population.leg)
        return {name: i for i, name in enumerate(names)}

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The columns that count of each place, in the order of the places."""
        return tuple(entry for entry in self._all_entries() if entry.column in self.read)

    def _all_entries(self) -> Iterator[Entry]:
        compared = compared_between_legs(self.population.leg)
        for place, (measure, leg) in enumerate(self.places):
            left, right = (float(leg in {None, row}) for row in range(len(SIDES)))
            yield Entry(place, measure, Column(ColumnKind.EXPECTED, measure), (left, right))
            if leg is not None and measure in compared:
                away = (left - right, right - left)
                yield Entry(place, measure, Column(ColumnKind.DIFFERENCE, measure), away)
            if self.is_known:
                yield Entry(place, measure, Column(ColumnKind.VARIANCE, measure), (left, right))
            for effect in risk_factors():
                if measure in measures_of(effect):
                    slope = LINEAR_CONTRASTS.get(effect.contrast, 1.0)
                    factor = Column(ColumnKind.FACTOR, effect.factor)
                    yield Entry(place, measure, factor, (slope * left, slope * right))

    @cached_property
    def steps(self) -> tuple[Indices, FloatArray]:
        """The place of each entry, and what a step changes in either row, (2, 1, 1, n_entries)."""
        places = np.array([entry.place for entry in self.entries], dtype=np.intp)
        by = np.array([entry.by for entry in self.entries]).reshape(-1, len(SIDES))
        return places, by.T[:, None, None]

    @cached_property
    def variances(self) -> dict[str, Indices]:
        """The entries that hold the variance of each measure."""
        return _grouped(
            entry.measure if entry.column.kind is ColumnKind.VARIANCE else None
            for entry in self.entries
        )

    @cached_property
    def nonlinear(self) -> dict[Effect, dict[str, Indices]]:
        """The entries of each contrast that is no line, by one of its effects and the measure."""
        effects = {(e.contrast, e.measure): e for e in reversed(risk_factors())}
        found: dict[Effect, dict[str, Indices]] = {}
        groups = _grouped(
            None
            if (own := entry.column.effect) is None or own.contrast in LINEAR_CONTRASTS
            else (effects[own.contrast, own.measure], entry.measure)
            for entry in self.entries
        )
        for (effect, measure), entries in groups.items():
            found.setdefault(effect, {})[measure] = entries
        return found

    @cached_property
    def populations(self) -> dict[str, Indices]:
        """The entries of effects that are about a part of all athletes, by its name."""
        effects = (entry.column.effect for entry in self.entries)
        return _grouped(
            None if effect is None or effect.population == "all" else effect.population
            for effect in effects
        )


def _grouped(keys: Iterable[_Key | None]) -> dict[_Key, Indices]:
    """The places of each key; None is no key."""
    places: dict[_Key, list[int]] = {}
    for place, key in enumerate(keys):
        if key is not None:
            places.setdefault(key, []).append(place)
    return {key: np.array(own, dtype=np.intp) for key, own in places.items()}
