"""Log-odds of screenings in which one true measure at a time is moved.

A measure stands in few columns of the feature matrix (`kneerisk.model.measure_columns`), so that
only what these add is worked out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kneerisk.evidence import Effect
from kneerisk.evidence.population import Population
from kneerisk.evidence.risk_factors import (
    LegView,
    belongs,
    context_columns,
    contrast,
    measures_of,
)
from kneerisk.model.feature_columns import ColumnSet
from kneerisk.model.features import FeatureMatrix
from kneerisk.model.imputation import Expected
from kneerisk.model.margin import Margin, Scaler, between_values, within_values
from kneerisk.model.measure_columns import Indices, MeasureColumns
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import SIDES, Columns, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Screenings:
    """n screenings as a model sees them.

    Coded columns of shape ``(n,)``, missing is NaN; their expected true values; and their feature
    matrix, as the model reads it.
    """

    data: Columns
    expected: Expected
    features: FeatureMatrix

    def take(self, rows: Sequence[int]) -> Screenings:
        """Some of them, by their places."""
        expected, at = self.expected, np.array(rows, dtype=np.intp)
        if np.array_equal(at, np.arange(len(expected.mean))):
            return self
        return Screenings(
            data={name: values[at] for name, values in self.data.items()},
            expected=Expected(
                mean=expected.mean[at],
                variance=expected.variance[at],
                prior=expected.prior[at],
                innovation=expected.innovation[at],
                gains=tuple(expected.gains[row] for row in rows),
            ),
            features=self.features.take(at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the margin at the columns of some entries, which stand in the order of the places.

    ``scaler`` and ``weights`` (k,) are those of each entry's column, ``entries`` (k,) which of all
    entries they are, ``places`` their distinct places, and ``starts`` where each of these begins.
    """

    scaler: Scaler
    weights: FloatArray
    entries: Indices
    places: Indices
    starts: Indices

    def moved(self, values: FloatArray, change: FloatArray, n_places: int) -> FloatArray:
        """By how much the part moves, shape (n, n_steps, n_places).

        ``values`` (n, k) are those of its columns, ``change`` (n, n_steps, n_entries) by how much
        every entry changes.
        """
        moved = np.zeros((*change.shape[:2], n_places))
        if len(self.entries):
            then = self.scaler.apply(values[:, None] + change[..., self.entries])
            added = (then - self.scaler.apply(values)[:, None]) * self.weights
            moved[..., self.places] = np.add.reduceat(added, self.starts, axis=-1)
        return moved


@dataclass(frozen=True, kw_only=True)
class MovedMeasures:
    """What a model says where one of some measures is moved.

    ``is_known`` is whether a measure that is moved has its new value for certain.
    """

    population: Population
    margin: Margin
    boosted: BoostedTrees
    sided: bool
    measures: tuple[str, ...]
    is_known: bool = False

    @cached_property
    def columns(self) -> MeasureColumns:
        """The columns that move with each measure, of those that the model reads."""
        trees = () if self.boosted.booster is None else self.boosted.columns
        return MeasureColumns(
            population=self.population,
            measures=self.measures,
            is_known=self.is_known,
            read={*self.margin.between.columns, *self.margin.within.columns, *trees},
        )

    def log_odds(self, screenings: Screenings, shifts: FloatArray) -> FloatArray:
        """Log-odds of each leg, not calibrated yet, with the measure of each place moved alone.

        Parameters
        ----------
        screenings
            n screenings.
        shifts
            By how much the expected true value of each place is moved, in SD, shape
            ``(n, n_steps, n_places)``.

        Returns
        -------
        Shape ``(n, n_steps, n_places, 2)``, left leg first.
        """
        left, right = change = self._changes(screenings, shifts)
        features, between, within = screenings.features, self._between, self._within
        now, n_places = self.margin.log_odds(features)[:, None, None], shifts.shape[2]
        level = between.moved(
            between_values(features, between.scaler.columns), (left + right) / 2.0, n_places
        )
        half = (
            self.margin.scale
            / 2.0
            * within.moved(within_values(features, within.scaler.columns), left - right, n_places)
        )
        moved = now + np.stack([level + half, level - half], axis=-1)
        return moved if self.boosted.booster is None else self._with_trees(features, change, moved)

    def _with_trees(
        self, features: FeatureMatrix, change: FloatArray, log_odds: FloatArray
    ) -> FloatArray:
        """Log-odds (n, n_steps, n_places, 2) with what the trees add to them."""
        read, n_rows = self.boosted.columns, log_odds.size // len(SIDES)
        values = np.tile(features.pick(read)[:, None, None], (1, *log_odds.shape[1:3], 1, 1))
        moving = [(at, e) for at, e in enumerate(self.columns.entries) if e.column in read]
        entries, places = [at for at, _ in moving], [entry.place for _, entry in moving]
        columns = [read.index(entry.column) for _, entry in moving]
        for leg in range(len(SIDES)):
            values[:, :, places, leg, columns] += change[leg][..., entries]
        matrix = FeatureMatrix(read, values.reshape(n_rows, len(SIDES), len(read)))
        return self.boosted.log_odds(matrix, log_odds.reshape(-1)).reshape(log_odds.shape)

    def _changes(self, screenings: Screenings, shifts: FloatArray) -> FloatArray:
        """By how much each entry's column changes in either row, (2, n, n_steps, n_entries)."""
        own, (places, by) = self.columns, self.columns.steps
        change = shifts[..., places] * by
        for measure, at in own.variances.items():
            variance = screenings.expected.variance[:, :, own.targets[measure]]
            change[..., at] = -variance.T[:, :, None, None] * by[..., at]
        for effect, entries in own.nonlinear.items():
            moved = self._contrast_moved(effect, tuple(entries), screenings, shifts)
            for at, of_measure in zip(entries.values(), moved, strict=True):
                change[..., at] = of_measure[..., None] * by[..., at]
        for population, at in own.populations.items():
            change[..., at] *= belongs(population, screenings.data)[:, None, None]
        return change if self.sided else np.broadcast_to(change.mean(axis=0), change.shape)

    def _contrast_moved(
        self, effect: Effect, measures: tuple[str, ...], screenings: Screenings, shifts: FloatArray
    ) -> list[FloatArray]:
        """By how much a contrast that is no line changes, (2, n, n_steps) for each measure."""
        n, n_steps = shifts.shape[:2]
        # What it is now stands first, then the steps of one measure after the other.
        legs = np.zeros((len(SIDES), n, 1 + len(measures) * n_steps))
        own = self.columns
        mean, variance = (
            {
                name: values[:, :, own.targets[name]].T[..., None] + legs
                for name in measures_of(effect)
            }
            for values in (screenings.expected.mean, screenings.expected.variance)
        )
        for i, measure in enumerate(measures):
            steps = slice(1 + i * n_steps, 1 + (i + 1) * n_steps)
            mean[measure][..., steps] += shifts[..., own.places_by_leg[measure]].transpose(2, 0, 1)
            if own.is_known:
                variance[measure][..., steps] = 0.0
        row, unasked = (
            np.repeat([np.arange(n)] * len(SIDES), legs.shape[2]),
            np.full(legs.size, np.nan),
        )
        view = LegView(
            mean={name: values.ravel() for name, values in mean.items()},
            variance={name: values.ravel() for name, values in variance.items()},
            data={name: screenings.data[name][row] for name in context_columns()},
            prior=unasked,
            episodes=unasked,
            provoked=unasked,
        )
        values = contrast(effect, view).reshape(legs.shape)
        return np.split(values[..., 1:] - values[..., :1], len(measures), axis=2)

    @cached_property
    def _between(self) -> _Part:
        return self._part(self.margin.between, self.margin.between_weights)

    @cached_property
    def _within(self) -> _Part:
        return self._part(self.margin.within, self.margin.within_weights)

    def _part(self, scaler: Scaler, weights: FloatArray) -> _Part:
        at = {column: i for i, column in enumerate(scaler.columns)}
        pairs = [(i, at[e.column]) for i, e in enumerate(self.columns.entries) if e.column in at]
        entries, columns = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        places, starts = np.unique(self.columns.steps[0][entries], return_index=True)
        own = Scaler(
            columns=ColumnSet(scaler.columns[i] for i in columns),
            centre=scaler.centre[columns],
            spread=scaler.spread[columns],
        )
        return _Part(
            scaler=own, weights=weights[columns], entries=entries, places=places, starts=starts
        )
