"""From the columns of the feature matrix back to the measured values that they are made of.

Most columns are weighted sums of measured values (the measurement update), or flags of one value.
An attribution is what one value adds to a column, in the column's own unit, against a typical
athlete of the sport; what no value accounts for (the sport itself, tests that were not done) is
attributed to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kneerisk.evidence import Effect
from kneerisk.evidence.population import CONTEXTS, Population, contexts
from kneerisk.evidence.risk_factors import belongs
from kneerisk.model.feature_columns import FEMALE, Column, ColumnKind
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected
from kneerisk.schema import SIDES, Columns, FloatArray
from kneerisk.schema import columns as schema_columns

#: The source of what depends on how much was measured, and not on what came out.
TESTS_DONE = "tests_done"
_AGE = [CONTEXTS.index(name) for name in ("decades_over_30", "decades_over_40")]
_PAIN = [CONTEXTS.index(name) for name in ("own_pain", "other_pain")]
_LINEAR = {"per_sd_lower": -1.0, "per_sd_higher": 1.0}
#: The body mass index is attributed to the mass: it is what changes.
_INDEX_MEASURE = "mass_kg"


@dataclass(frozen=True)
class ColumnAttributions:
    """Finds the attributions on the columns of one population's feature matrix.

    ``columns`` are the columns that are asked about, ``reference`` their values in a typical
    athlete, shape (n_columns,).
    """

    population: Population
    columns: tuple[Column, ...]
    reference: FloatArray

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Every canonical column, and `TESTS_DONE`."""
        return (*schema_columns(), TESTS_DONE)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.sources)}

    @cached_property
    def _targets(self) -> dict[str, int]:
        people = self.population
        names = (*people.athlete, *people.leg, *people.imbalances)
        return {name: i for i, name in enumerate(names)}

    @cached_property
    def _state(self) -> np.ndarray:
        """For either leg, the source of each measure of the state, shape (2, n_measures)."""
        people, place = self.population, self._place
        own = [[place[f"{side}_{name}"] for name in people.leg] for side in SIDES]
        athlete = [place[name] for name in people.athlete]
        return np.array([[*athlete, *own[0], *own[1]], [*athlete, *own[1], *own[0]]])

    def of(self, data: Columns, expected: Expected, features: FeatureMatrix) -> list[FloatArray]:
        """The attributions of n screenings on both legs, each (2, n_columns, n_sources)."""
        values = features.pick(self.columns)
        own, other = contexts(data)
        scale = self._scales(data)
        given = ~np.isnan(np.column_stack([*(data[name] for name in schema_columns()), own[:, 0]]))
        found = []
        for row in range(len(values)):
            targets = [
                self._on_targets(expected, row, side, context[row])
                for side, context in ((0, own), (1, other))
            ]
            attributions = np.zeros((2, len(self.columns), len(self.sources)))
            for side in (0, 1):
                part = attributions[side]
                part[self._linear[0]] = scale[row][:, None] * targets[side][self._linear[1]]
                apart = targets[side] - targets[1 - side]
                part[self._apart[0]] = apart[self._apart[1]]
                at, source = self._deciding(side, given[row])
                part[at, source] = np.nan_to_num(values[row, side, at] - self.reference[at])
            found.append(attributions)
        return found

    def _on_targets(
        self, expected: Expected, row: int, side: int, context: FloatArray
    ) -> FloatArray:
        """What each source adds to the expected measures and imbalances, (n_targets, n_sources)."""
        gain = expected.gains[row][side]
        attributions = np.zeros((len(self._targets), len(self.sources)))
        attributions[:, self._state[side][gain.used]] = (
            gain.weights * expected.innovation[row, side][gain.used]
        )
        shifts = self._shifts
        attributions[:, self._place["age_years"]] += shifts[:, _AGE] @ context[_AGE]
        for pain, place in zip(_PAIN, (side, 1 - side), strict=True):
            source = self._place[f"{SIDES[place]}_pain_nrs"]
            attributions[:, source] += shifts[:, pain] * context[pain]
        return attributions

    @cached_property
    def _shifts(self) -> FloatArray:
        people = self.population
        own = len(people.athlete) + len(people.leg)
        latent = np.arange(people.n_measures, people.n_measures + len(people.imbalances))
        return np.asarray(people.shifts[np.concatenate([np.arange(own), latent])])

    @cached_property
    def _linear(self) -> tuple[np.ndarray, np.ndarray]:
        """Columns that are a target times a number, and which target."""
        found = []
        for at, column in enumerate(self.columns):
            effect = column.effect
            if column.kind in {ColumnKind.EXPECTED, ColumnKind.IMBALANCE}:
                found.append((at, self._targets[column.subject]))
            elif effect is not None and effect.contrast in _LINEAR:
                found.append((at, self._targets[effect.measure]))
        return _pairs(found)

    def _scales(self, data: Columns) -> FloatArray:
        """What the target of each linear column is multiplied by, shape (n, n_linear)."""
        scales = np.ones((len(data["age_years"]), len(self._linear[0])))
        for place, effect in self._effects:
            scales[:, place] = _LINEAR[effect.contrast] * belongs(effect.population, data)
        return scales

    @cached_property
    def _effects(self) -> list[tuple[int, Effect]]:
        """Those of the linear columns that are published effects."""
        found = [(place, self.columns[at].effect) for place, at in enumerate(self._linear[0])]
        return [(place, effect) for place, effect in found if effect is not None]

    @cached_property
    def _apart(self) -> tuple[np.ndarray, np.ndarray]:
        """Columns that are a target's difference between the legs, and which target."""
        return _pairs(
            (at, self._targets[column.subject])
            for at, column in enumerate(self.columns)
            if column.kind is ColumnKind.DIFFERENCE
        )

    def _deciding(self, side: int, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns that one given value decides, and the source of that value."""
        at, first, second = self._flags[side]
        source = np.where(given[first], first, second)
        return at[source >= 0], source[source >= 0]

    @cached_property
    def _flags(self) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
        """For either leg, columns that one value decides, its source, and the one in its stead."""
        sides = []
        for side in (0, 1):
            found = [(at, *self._read(column, side)) for at, column in enumerate(self.columns)]
            flags = np.array([row for row in found if row[1] >= 0], dtype=int).reshape(-1, 3)
            sides.append((flags[:, 0], flags[:, 1], flags[:, 2]))
        return tuple(sides)

    def _read(self, column: Column, side: int) -> tuple[int, int]:
        """The source of a flag, and the one in its stead where it is missing; -1 for none."""
        kind, subject = column.kind, column.subject
        if kind in {ColumnKind.VARIANCE, ColumnKind.IMBALANCE_VARIANCE}:
            return self._place[TESTS_DONE], -1
        if kind in {ColumnKind.OWN, ColumnKind.OTHER}:
            owner = side if kind is ColumnKind.OWN else 1 - side
            return self._place[f"{SIDES[owner]}_{subject}"], -1
        if kind is ColumnKind.ATHLETE or column == FEMALE:
            return self._place[subject], -1
        effect = column.effect
        if effect is None or effect.contrast in _LINEAR:
            return -1, -1
        measure = effect.measure or _INDEX_MEASURE
        source = measure if measure in self._place else f"{SIDES[side]}_{measure}"
        # Not measured, an effect on an age is what is usual at that age.
        of_age = effect.population.startswith("age_")
        return self._place[source], self._place["age_years"] if of_age else -1


def _pairs(found: Iterable[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Two index arrays of one length."""
    both = np.array([*found], dtype=int).reshape(-1, 2)
    return both[:, 0], both[:, 1]
