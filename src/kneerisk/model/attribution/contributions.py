"""What each measured value did to the log-odds of each knee: additive contributions.

The log-odds are a sum over columns of the feature matrix: the margin is linear in them, and the
trees are split by TreeSHAP (Lundberg 2020, doi 10.1038/s42256-019-0138-9). What a column adds goes
back to the measured values it is made of: for the margin in proportion to their attribution, which
is exact; for the trees, which are not linear, by the size of the attribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xgboost as xgb
from scipy.special import expit

from kneerisk.evidence.population import Population
from kneerisk.model.attribution.column_attributions import ColumnAttributions
from kneerisk.model.calibration import Calibration
from kneerisk.model.feature_columns import Column
from kneerisk.model.features import FeatureMatrix, averaged
from kneerisk.model.imputation import Expected
from kneerisk.model.margin import Margin, Scaler, between_values, within_values
from kneerisk.model.rowwise import row_sums
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import Columns, FloatArray

#: Log-odds that add up to less than this have not moved.
_NOTHING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Contributions to the log-odds of each leg.

    ``base`` (n, 2) are the log-odds of an athlete of the same sport who is typical in everything;
    ``parts`` (n, 2, n_sources) what each source adds. A source is a canonical column, or
    `TESTS_DONE`. base + parts.sum(axis=2) are the model's log-odds.
    """

    sources: tuple[str, ...]
    base: FloatArray
    parts: FloatArray


def points_of(base: FloatArray, parts: FloatArray) -> FloatArray:
    """What each source added to a risk, in points of 100, the shape of ``parts`` (..., n_sources).

    The risk bends, log-odds don't: the points are shared out in proportion, so that they add up
    to the difference between this risk and the typical one, whose log-odds are ``base`` (...).
    """
    total = parts.sum(axis=-1)
    start, end = expit(base), expit(base + total)
    moved = np.abs(total) > _NOTHING
    # Where nothing moved in sum the slope of the curve takes the place of the difference.
    rate = np.where(moved, (end - start) / np.where(moved, total, 1.0), start * (1.0 - start))
    return np.asarray(100.0 * rate[..., None] * parts)


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """Splits the log-odds of one model; what does not depend on the screening is kept."""

    population: Population
    margin: Margin
    boosted: BoostedTrees
    calibration: Calibration
    sided: bool

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        """Every column that the log-odds read."""
        margin = (*self.margin.between.columns, *self.margin.within.columns)
        return tuple(dict.fromkeys((*margin, *self.boosted.columns)))

    @cached_property
    def _attributions(self) -> ColumnAttributions:
        return ColumnAttributions(self.population, self._columns, self._typical)

    @cached_property
    def _typical(self) -> FloatArray:
        """The columns of a typical athlete, shape (n_columns,): the training cohort's means."""
        between, boosted = self.margin.between, self.boosted
        means = dict(zip(boosted.columns, boosted.fill.tolist(), strict=True))
        means |= dict(zip(between.columns, between.centre.tolist(), strict=True))
        return np.array([means.get(column, 0.0) for column in self._columns])

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the columns of the margin's two parts and of the trees are among all."""
        place = {column: at for at, column in enumerate(self._columns)}
        read = (self.margin.between.columns, self.margin.within.columns, self.boosted.columns)
        between, within, trees = (
            np.array([place[c] for c in columns], dtype=int) for columns in read
        )
        return between, within, trees

    def contributions(
        self, data: Columns, expected: Expected, legs: FeatureMatrix
    ) -> Contributions:
        """Contributions in n screenings, from what is expected of them and their feature matrix."""
        margin, alike = self.margin, self.boosted.shared or not self.sided
        shared, between = self._linear(margin.between, legs)
        half, within = self._linear(margin.within, legs)
        trees, bias = self._trees(legs)
        level, apart = row_sums(shared) + margin.intercept + bias, row_sums(half)
        raw = np.stack([level + apart, level - apart], axis=1) + row_sums(trees)
        values = (averaged(legs) if alike else legs).pick(self._columns)
        parts = np.zeros((len(raw), 2, len(self._attributions.sources)))
        for row, sides in enumerate(self._attributions.of(data, expected, legs)):
            mean, difference = sides.mean(axis=0), sides[0] - sides[1]
            together, moved = between[row] @ mean, within[row] @ difference
            for side, sign in ((0, 1.0), (1, -1.0)):
                away = np.nan_to_num(values[row, side] - self._typical)
                grown = _by_size(trees[row, side], mean if alike else sides[side], away)
                parts[row, side] = together + sign * moved + grown
        parts *= self.calibration.slope
        base = self.calibration.apply(raw) - row_sums(parts)
        return Contributions(sources=self._attributions.sources, base=base, parts=parts)

    def _linear(self, scaler: Scaler, legs: FeatureMatrix) -> tuple[FloatArray, FloatArray]:
        """What each column of a part of the margin adds (n, k), and a unit of it (n, n_columns).

        A column at its centre adds nothing, also where it is missing; one beyond the farthest
        value that counts adds less a unit.
        """
        margin, (between, within, _) = self.margin, self._places
        if scaler is margin.between:
            values, weights, at = (
                between_values(legs, scaler.columns),
                margin.between_weights,
                between,
            )
        else:
            values, at = within_values(legs, scaler.columns), within
            weights = margin.within_weights * margin.scale / 2.0
        terms = scaler.apply(values) * weights
        moved = np.nan_to_num(values - scaler.centre)
        slopes = np.zeros((len(values), len(self._columns)))
        slopes[:, at] = terms / np.where(moved == 0.0, 1.0, moved)
        return terms, slopes

    def _trees(self, legs: FeatureMatrix) -> tuple[FloatArray, float]:
        """TreeSHAP of each column (n, 2, n_columns), and what the trees add on average."""
        found = np.zeros((len(legs.values), 2, len(self._columns)))
        if self.boosted.booster is None:
            return found, 0.0
        rows = self.boosted.rows(legs)
        # A few rows are copied before a second thread has started.
        given = xgb.DMatrix(rows, base_margin=np.zeros(len(rows)), nthread=1)
        # The rows are laid out by the booster's own columns: comparing names takes longest.
        told = self.boosted.booster.predict(given, pred_contribs=True, validate_features=False)
        split = told.astype(np.float64)
        found[:, :, self._places[2]] = split[:, :-1].reshape(len(found), 2, -1)
        return found, float(split[0, -1])


def _by_size(terms: FloatArray, attributions: FloatArray, moved: FloatArray) -> FloatArray:
    """What the columns of a tree add, shared among the sources by the size of their attributions.

    Terms have shape (k,), attributions (k, n_sources), and ``moved`` (k,) is by how much each
    column differs from a typical athlete's; what no source accounts for stays with the base.
    """
    sizes = np.abs(attributions)
    rest = np.abs(moved - attributions.sum(axis=1))
    total = sizes.sum(axis=1) + rest
    return np.asarray((terms / np.where(total > 0.0, total, 1.0)) @ sizes)
