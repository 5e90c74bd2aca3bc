"""What each measured value adds to the log-odds of each knee: additive contributions.

The log-odds are a sum over columns of the feature matrix: the linear part is one already, and the
trees are split by TreeSHAP (Lundberg 2020, doi 10.1038/s42256-019-0138-9). What a column adds goes
back to the measured values that it is made of: of the linear part in proportion to their
attributions, which is exact; of the trees, which are not linear, by the size of the attributions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from kneerisk.evidence.population import Population
from kneerisk.model.column_attributions import ColumnAttributions
from kneerisk.model.feature_columns import Column, ColumnSet
from kneerisk.model.features import FeatureMatrix, averaged, row_sums
from kneerisk.model.imputation import Expected
from kneerisk.model.logistic_calibration import Calibration
from kneerisk.model.margin import Margin, Scaler, between_values, within_values
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import Columns, FloatArray

#: Log-odds that add up to less than this have not moved (assumption: far below any digit shown).
_NOTHING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Contributions to the log-odds of each leg.

    ``base`` (n, 2) are the log-odds of an athlete of the same sport who is typical in everything;
    ``values`` (n, 2, n_sources) what each source adds. A source is a canonical column, or
    `TESTS_DONE`. base + values.sum(axis=2) are the model's log-odds.
    """

    sources: tuple[str, ...]
    base: FloatArray
    values: FloatArray


def percentage_points(base: FloatArray, contributions: FloatArray) -> FloatArray:
    """What each source adds to a risk.

    The logistic curve bends: the percentage points are shared out in proportion to the log-odds,
    so that they add up to the difference between this risk and the typical one.

    Parameters
    ----------
    base
        Log-odds of the typical athlete, shape ``(...)``.
    contributions
        Log-odds that each source adds, shape ``(..., n_sources)``.

    Returns
    -------
    Percentage points, of the shape of ``contributions``.
    """
    total = contributions.sum(axis=-1)
    start, end = expit(base), expit(base + total)
    moved = np.abs(total) > _NOTHING
    # Where nothing moved in sum the slope of the curve takes the place of the difference.
    rate = np.where(moved, (end - start) / np.where(moved, total, 1.0), start * (1.0 - start))
    return np.asarray(100.0 * rate[..., None] * contributions)


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """Splits the log-odds of one model; what no screening changes is worked out once."""

    population: Population
    margin: Margin
    boosted: BoostedTrees
    calibration: Calibration
    sided: bool

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        """Every column that the log-odds read."""
        margin = (*self.margin.between.columns, *self.margin.within.columns)
        return ColumnSet(dict.fromkeys((*margin, *self._tree_columns)))

    @property
    def _tree_columns(self) -> tuple[Column, ...]:
        """Those that the trees read."""
        return () if self.boosted.booster is None else self.boosted.columns

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
        margin = self.margin
        between, within, boosted = (
            np.array([place[column] for column in columns], dtype=int)
            for columns in (margin.between.columns, margin.within.columns, self._tree_columns)
        )
        return between, within, boosted

    def contributions(
        self, data: Columns, expected: Expected, features: FeatureMatrix
    ) -> Contributions:
        """Contributions in n screenings.

        Parameters
        ----------
        data
            The screenings as coded columns, each of shape ``(n,)``; missing is NaN.
        expected
            Their expected true values.
        features
            Their feature matrix, as the model reads it.

        Returns
        -------
        Log-odds that each source adds to either leg.
        """
        margin, alike = self.margin, self.boosted.shared or not self.sided
        between_terms, between_units = self._linear(margin.between, features)
        within_terms, within_units = self._linear(margin.within, features)
        tree_terms, tree_bias = self._tree_terms(features)
        level = row_sums(between_terms) + margin.intercept + tree_bias
        half = row_sums(within_terms)
        raw = np.stack([level + half, level - half], axis=1) + row_sums(tree_terms)
        values = (averaged(features) if alike else features).pick(self._columns)
        added = np.zeros((len(raw), 2, len(self._attributions.sources)))
        for row, sides in enumerate(self._attributions.attributions(data, expected, features)):
            mean, difference = sides.mean(axis=0), sides[0] - sides[1]
            together, apart = between_units[row] @ mean, within_units[row] @ difference
            added[row] = together + apart, together - apart
            if self.boosted.booster is None:
                continue
            for side in (0, 1):
                away = np.nan_to_num(values[row, side] - self._typical)
                of_leg = mean if alike else sides[side]
                added[row, side] += _shared_by_size(tree_terms[row, side], of_leg, away)
        added *= self.calibration.slope
        base = self.calibration.apply(raw) - row_sums(added)
        return Contributions(sources=self._attributions.sources, base=base, values=added)

    def _linear(self, scaler: Scaler, features: FeatureMatrix) -> tuple[FloatArray, FloatArray]:
        """What each column of a part of the margin adds (n, k), and a unit of it (n, n_columns).

        A column at its centre adds nothing, also where it is missing; one beyond the farthest
        value that counts adds less a unit.
        """
        margin, (between, within, _) = self.margin, self._places
        if scaler is margin.between:
            values, at = between_values(features, scaler.columns), between
            weights = margin.between_weights
        else:
            values, at = within_values(features, scaler.columns), within
            weights = margin.within_weights * margin.scale / 2.0
        terms = scaler.apply(values) * weights
        moved = np.nan_to_num(values - scaler.centre)
        units = np.zeros((len(values), len(self._columns)))
        units[:, at] = terms / np.where(moved == 0.0, 1.0, moved)
        return terms, units

    def _tree_terms(self, features: FeatureMatrix) -> tuple[FloatArray, float]:
        """TreeSHAP of each column (n, 2, n_columns), and what the trees add on average."""
        terms = np.zeros((len(features.values), 2, len(self._columns)))
        if self.boosted.booster is None:
            return terms, 0.0
        import xgboost as xgb

        rows = self.boosted.rows(features)
        # A few rows are copied before a second thread has started.
        matrix = xgb.DMatrix(rows, base_margin=np.zeros(len(rows)), nthread=1)
        # The rows are laid out by the booster's own columns: comparing names takes longest.
        shap = self.boosted.booster.predict(matrix, pred_contribs=True, validate_features=False)
        shap = shap.astype(np.float64)
        terms[:, :, self._places[2]] = shap[:, :-1].reshape(len(terms), 2, -1)
        return terms, float(shap[0, -1])


def _shared_by_size(terms: FloatArray, attributions: FloatArray, moved: FloatArray) -> FloatArray:
    """What the columns of trees add, shared among the sources by the size of their attributions.

    Terms have shape (k,), attributions (k, n_sources), and ``moved`` (k,) is by how much each
    column differs from a typical athlete's; what no source accounts for stays with the base.
    """
    sizes = np.abs(attributions)
    rest = np.abs(moved - attributions.sum(axis=1))
    total = sizes.sum(axis=1) + rest
    return np.asarray((terms / np.where(total > 0.0, total, 1.0)) @ sizes)
