"""Attributions of the feature matrix's columns to the measured values that they are made of.

Most columns are weighted sums of measured values, since the measurement update is linear: a value
is attributed its Kalman weight times its innovation, which adds up exactly (as Shapley values of a
linear model do: Štrumbelj & Kononenko 2014, doi 10.1007/s10115-013-0679-x). The others are flags
of one value. What no value accounts for (the sport, tests not done) is attributed to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kneerisk.evidence import Effect
from kneerisk.evidence.population import CONTEXTS, Population, contexts
from kneerisk.evidence.risk_factors import LINEAR_CONTRASTS, belongs
from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected
from kneerisk.schema import SIDES, Columns, FloatArray
from kneerisk.schema import columns as schema_columns

#: The source of what depends on how much was measured, and not on what came out.
TESTS_DONE = "tests_done"
_AGE = [CONTEXTS.index(name) for name in ("decades_over_30", "decades_over_40")]
_PAIN = [CONTEXTS.index(name) for name in ("own_pain", "other_pain")]
#: The linear contrast that compares with athletes of the same age: age by itself adds nothing.
_FOR_AGE = "per_sd_lower_for_age"
#: The body mass index is attributed to the mass: it is what changes.
_INDEX_MEASURE = "mass_kg"
#: Place of a source that there is none.
_NONE = -1

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class ColumnAttributions:
    """Attributions for one population's feature matrix, against a typical athlete of the sport.

    ``columns`` are the columns wanted, ``reference`` (n_columns,) their values in that athlete. An
    attribution has the unit of its column.
    """

    population: Population
    columns: tuple[Column, ...]
    reference: FloatArray

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """What a column may be attributed to: every canonical column, and `TESTS_DONE`."""
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
    def _state_sources(self) -> Indices:
        """For either leg, the source of each measure of the state, shape (2, n_measures)."""
        people, place = self.population, self._place
        own = [[place[f"{side}_{name}"] for name in people.leg] for side in SIDES]
        athlete = [place[name] for name in people.athlete]
        return np.array([[*athlete, *own[0], *own[1]], [*athlete, *own[1], *own[0]]])

    def attributions(
        self, data: Columns, expected: Expected, features: FeatureMatrix
    ) -> list[FloatArray]:
        """Attributions of n screenings.

        Parameters
        ----------
        data
            The screenings as coded columns, each of shape ``(n,)``; missing is NaN.
        expected
            Their expected true values.
        features
            Their feature matrix.

        Returns
        -------
        An array for each screening, of shape ``(2 legs, n_columns, n_sources)``.
        """
        values = features.pick(self.columns)
        own, other = contexts(data)
        scale = self._linear_scales(data)
        given = ~np.isnan(np.array([*(data[name] for name in schema_columns()), own[:, 0]]).T)
        by_screening = []
        for row in range(len(values)):
            targets = [
                self._target_attributions(expected, row, side, context[row])
                for side, context in ((0, own), (1, other))
            ]
            attributions = np.zeros((2, len(self.columns), len(self.sources)))
            for side in (0, 1):
                leg = attributions[side]
                leg[self._linear[0]] = scale[row][:, None] * targets[side][self._linear[1]]
                leg[self._for_age, self._place["age_years"]] = 0.0
                difference = targets[side] - targets[1 - side]
                leg[self._differences[0]] = difference[self._differences[1]]
                at, source = self._flagging(side, given[row])
                leg[at, source] = np.nan_to_num(values[row, side, at] - self.reference[at])
            by_screening.append(attributions)
        return by_screening

    def _target_attributions(
        self, expected: Expected, row: int, side: int, context: FloatArray
    ) -> FloatArray:
        """What each source adds to the expected measures and imbalances, (n_targets, n_sources)."""
        gain = expected.gains[row][side]
        attributions = np.zeros((len(self._targets), len(self.sources)))
        attributions[:, self._state_sources[side][gain.used]] = (
            gain.weights * expected.innovation[row, side][gain.used]
        )
        shifts = self._target_shifts
        attributions[:, self._place["age_years"]] += shifts[:, _AGE] @ context[_AGE]
        for pain, place in zip(_PAIN, (side, 1 - side), strict=True):
            source = self._place[f"{SIDES[place]}_pain_nrs"]
            attributions[:, source] += shifts[:, pain] * context[pain]
        return attributions

    @cached_property
    def _target_shifts(self) -> FloatArray:
        people = self.population
        own = len(people.athlete) + len(people.leg)
        latent = np.arange(people.n_measures, people.n_measures + len(people.imbalances))
        return np.asarray(people.shifts[np.concatenate([np.arange(own), latent])])

    @cached_property
    def _linear(self) -> tuple[Indices, Indices]:
        """Columns that are a target times a number, and which target."""
        pairs = []
        for at, column in enumerate(self.columns):
            effect = column.effect
            if column.kind in {ColumnKind.EXPECTED, ColumnKind.IMBALANCE}:
                pairs.append((at, self._targets[column.subject]))
            elif effect is not None and effect.contrast in LINEAR_CONTRASTS:
                pairs.append((at, self._targets[effect.measure]))
        return _index_arrays(pairs)

    @cached_property
    def _for_age(self) -> Indices:
        """Columns that compare with athletes of the same age."""
        effects = [column.effect for column in self.columns]
        return np.flatnonzero([e is not None and e.contrast == _FOR_AGE for e in effects])

    def _linear_scales(self, data: Columns) -> FloatArray:
        """What the target of each linear column is multiplied by, shape (n, n_linear)."""
        scales = np.ones((len(data["age_years"]), len(self._linear[0])))
        populations = dict.fromkeys(effect.population for _, effect in self._linear_effects)
        inside = {name: belongs(name, data) for name in populations}
        for place, effect in self._linear_effects:
            scales[:, place] = LINEAR_CONTRASTS[effect.contrast] * inside[effect.population]
        return scales

    @cached_property
    def _linear_effects(self) -> list[tuple[int, Effect]]:
        """Those of the linear columns that are effects of the evidence tables."""
        effects = [(place, self.columns[at].effect) for place, at in enumerate(self._linear[0])]
        return [(place, effect) for place, effect in effects if effect is not None]

    @cached_property
    def _differences(self) -> tuple[Indices, Indices]:
        """Columns that are a target's difference between the legs, and which target."""
        return _index_arrays(
            (at, self._targets[column.subject])
            for at, column in enumerate(self.columns)
            if column.kind is ColumnKind.DIFFERENCE
        )

    def _flagging(self, side: int, given: NDArray[np.bool_]) -> tuple[Indices, Indices]:
        """The columns that one given value decides, and the source of that value."""
        at, first, second = self._flags[side]
        source = np.where(given[first], first, second)
        return at[source >= 0], source[source >= 0]

    @cached_property
    def _flags(self) -> tuple[tuple[Indices, Indices, Indices], ...]:
        """For either leg: columns that one value decides, its source, and the one in its stead."""
        sides = []
        for side in (0, 1):
            sources = [(at, *self._flag_sources(c, side)) for at, c in enumerate(self.columns)]
            flags = np.array([row for row in sources if row[1] != _NONE], dtype=int).reshape(-1, 3)
            sides.append((flags[:, 0], flags[:, 1], flags[:, 2]))
        return tuple(sides)

    def _flag_sources(self, column: Column, side: int) -> tuple[int, int]:
        """The source of a flag, and the one in its stead where it is missing."""
        kind, subject = column.kind, column.subject
        if kind in {ColumnKind.VARIANCE, ColumnKind.IMBALANCE_VARIANCE}:
            return self._place[TESTS_DONE], _NONE
        if kind in {ColumnKind.OWN, ColumnKind.OTHER}:
            leg = side if kind is ColumnKind.OWN else 1 - side
            return self._place[f"{SIDES[leg]}_{subject}"], _NONE
        if kind is ColumnKind.ATHLETE or (kind is ColumnKind.ONE_HOT and subject != "sport"):
            return self._place[subject], _NONE
        effect = column.effect
        if effect is None or effect.contrast in LINEAR_CONTRASTS:
            return _NONE, _NONE
        measure = effect.measure or _INDEX_MEASURE
        source = measure if measure in self._place else f"{SIDES[side]}_{measure}"
        # Not measured, an effect on an age is what is usual at that age.
        of_age = effect.population.startswith("age_")
        return self._place[source], self._place["age_years"] if of_age else _NONE


def _index_arrays(pairs: Iterable[tuple[int, int]]) -> tuple[Indices, Indices]:
    """Two index arrays of one length."""
    table = np.array([*pairs], dtype=int).reshape(-1, 2)
    return table[:, 0], table[:, 1]
