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

from kneerisk.evidence import Effect, effects
from kneerisk.evidence.population import CONTEXTS, Population, contexts
from kneerisk.evidence.risk_factors import belongs
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected
from kneerisk.schema import SIDES, Columns, FloatArray, columns

#: The source of what depends on how much was measured, and not on what came out.
TESTS_DONE = "tests_done"
_AGE = [CONTEXTS.index(name) for name in ("decades_over_30", "decades_over_40")]
_PAIN = [CONTEXTS.index(name) for name in ("own_pain", "other_pain")]
_LINEAR = {"per_sd_lower": -1.0, "per_sd_higher": 1.0}
#: What a flag of the feature matrix is read from, where its name does not say so.
_READ_FROM = {
    "within_12_months": "prior_knee_injury",
    "over_12_months_ago": "prior_knee_injury",
    "per_5_kg_m2": "mass_kg",
    "novice": "level",
    "female": "sex",
}


@dataclass(frozen=True)
class ColumnAttributions:
    """Finds the attributions on the columns of one population's feature matrix.

    ``names`` are the columns that are asked about, ``reference`` their values in a typical
    athlete, shape (n_columns,).
    """

    population: Population
    names: tuple[str, ...]
    reference: FloatArray

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Every canonical column, and `TESTS_DONE`."""
        return (*columns(), TESTS_DONE)

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

    def of(self, data: Columns, expected: Expected, legs: FeatureMatrix) -> list[FloatArray]:
        """The attributions of n screenings on both legs, each (2, n_columns, n_sources)."""
        values = legs.pick(self.names)
        own, other = contexts(data)
        scale = self._scales(data)
        given = ~np.isnan(np.column_stack([*(data[name] for name in columns()), own[:, 0]]))
        found = []
        for row in range(len(values)):
            targets = [
                self._on_targets(expected, row, side, context[row])
                for side, context in ((0, own), (1, other))
            ]
            attributions = np.zeros((2, len(self.names), len(self.sources)))
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
        for at, name in enumerate(self.names):
            prefix, _, rest = name.partition("_")
            effect = _effect(name)
            if prefix in {"expected", "imbalance"} and not name.startswith("imbalance_spread_"):
                found.append((at, self._targets[rest]))
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
        found = [(place, _effect(self.names[at])) for place, at in enumerate(self._linear[0])]
        return [(place, effect) for place, effect in found if effect is not None]

    @cached_property
    def _apart(self) -> tuple[np.ndarray, np.ndarray]:
        """Columns that are a target's difference between the legs, and which target."""
        return _pairs(
            (at, self._targets[name.removeprefix("difference_")])
            for at, name in enumerate(self.names)
            if name.startswith("difference_")
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
            found = [(at, *self._read(name, side)) for at, name in enumerate(self.names)]
            flags = np.array([row for row in found if row[1] >= 0], dtype=int).reshape(-1, 3)
            sides.append((flags[:, 0], flags[:, 1], flags[:, 2]))
        return tuple(sides)

    def _read(self, name: str, side: int) -> tuple[int, int]:
        """The source of a flag, and the one in its stead where it is missing; -1 for none."""
        prefix, _, rest = name.partition("_")
        if prefix == "spread" or name.startswith("imbalance_spread_"):
            return self._place[TESTS_DONE], -1
        if prefix in {"own", "other"}:
            return self._place[f"{SIDES[side if prefix == 'own' else 1 - side]}_{rest}"], -1
        if prefix == "athlete" and not rest.startswith("sport_"):
            return self._place["sex" if rest == "female" else rest], -1
        effect = _effect(name)
        if effect is None or effect.contrast in _LINEAR:
            return -1, -1
        measure = _READ_FROM.get(effect.contrast, effect.measure)
        column = measure if measure in self._place else f"{SIDES[side]}_{measure}"
        # Not measured, an effect on an age is what is usual at that age.
        of_age = effect.population.startswith("age_")
        return self._place[column], self._place["age_years"] if of_age else -1


def _pairs(found: Iterable[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Two index arrays of one length."""
    both = np.array([*found], dtype=int).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _effect(name: str) -> Effect | None:
    """The published effect that a column holds the contrast of."""
    return effects().get(name.removeprefix("factor_")) if name.startswith("factor_") else None
