"""The linear part of the risk: a penalised logistic model in two parts.

Within: how the legs of one athlete differ, fitted on athletes of whom just one leg has the outcome
(a conditional likelihood, in which everything that the legs share cancels: Breslow & Day 1980,
chapter 7). Between: everything else, on all leg rows, with the within part as one more column, as
in the hybrid model of Neuhaus & Kalbfleisch 1998, doi 10.2307/3109770. An outcome may be a
probability, so that a simulated cohort's true risks are fitted as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kneerisk.model.feature_columns import Column
from kneerisk.model.features import FeatureMatrix, row_sums
from kneerisk.schema import FloatArray

#: Values beyond this many SDs of the training cohort count as this many (assumption).
FARTHEST_SD = 4.0
#: A column whose SD is below this does not vary (assumption: rounding leaves some 1e-16).
LEAST_SD = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """Centre and SD of columns in the training cohort; a missing value counts as the centre."""

    columns: tuple[Column, ...]
    centre: FloatArray
    spread: FloatArray

    def apply(self, values: FloatArray) -> FloatArray:
        """Standardise values.

        Parameters
        ----------
        values
            Shape ``(..., n_columns)``, in the units of the feature matrix; missing is NaN.

        Returns
        -------
        The same shape, in SD of the training cohort. Measures are at most `FARTHEST_SD` from 0.
        """
        z = np.where(np.isnan(values), self.centre, values)
        z -= self.centre
        z /= self.spread
        farthest = _farthest(self.columns)
        # As `numpy.clip`, which takes longer than the rest for one row.
        return np.minimum(np.maximum(z, -farthest, out=z), farthest, out=z)


@lru_cache
def _farthest(columns: tuple[Column, ...]) -> FloatArray:
    """How many SDs from the centre each column counts.

    A choice is no outlier however rare it is: cut short, the choices of one answer would no longer
    add up, and who was not asked would stand apart from everyone who was.
    """
    is_choice = [column.choice is not None for column in columns]
    return np.where(is_choice, np.inf, FARTHEST_SD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A fitted linear part; weights are log-odds per SD of the training cohort."""

    within: Scaler
    between: Scaler
    within_weights: FloatArray
    between_weights: FloatArray
    scale: float
    """What the within part is multiplied by where it enters the risk of a leg."""
    intercept: float

    def log_odds(self, features: FeatureMatrix) -> FloatArray:
        """Log-odds of each leg.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(n, 2)``, left leg first.
        """
        half = self.side_log_odds(features) / 2.0 * self.scale
        level = self.between.apply(between_values(features, self.between.columns))
        shared = row_sums(level * self.between_weights) + self.intercept
        return np.stack([shared + half, shared - half], axis=1)

    def side_log_odds(self, features: FeatureMatrix) -> FloatArray:
        """Log-odds that it is the left leg, given that it is just one.

        Parameters
        ----------
        features
            The feature matrix of n screenings.

        Returns
        -------
        Shape ``(n,)``.
        """
        differences = self.within.apply(within_values(features, self.within.columns))
        return row_sums(differences * self.within_weights)


def within_values(features: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """Left minus right; what is not known does not differ.

    Parameters
    ----------
    features
        The feature matrix of n screenings.
    columns
        Which of its columns.

    Returns
    -------
    Shape ``(n, len(columns))``, without missing values.
    """
    sides = features.pick(columns)
    difference = sides[:, 0] - sides[:, 1]
    difference[np.isnan(difference)] = 0.0
    return difference


def between_values(features: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """The mean of both legs; of an athlete's column, its value.

    Parameters
    ----------
    features
        The feature matrix of n screenings.
    columns
        Which of its columns.

    Returns
    -------
    Shape ``(n, len(columns))``; missing is NaN.
    """
    sides = features.pick(columns)
    mean = sides[:, 0] + sides[:, 1]
    mean /= 2.0
    return mean


def fit_scaler(
    columns: tuple[Column, ...],
    values: FloatArray,
    *,
    centred: bool,
    least: FloatArray | float = 0.0,
) -> Scaler:
    """Centre and SD of columns; those that never vary are left out.

    Parameters
    ----------
    columns
        The columns.
    values
        Their values in the training cohort, shape ``(n, len(columns))``; missing is NaN.
    centred
        Whether to subtract the mean. A difference between legs is not centred, so that swapping
        the legs swaps the answer.
    least
        The smallest SD that counts, shape ``(len(columns),)`` or one for all; a smaller one counts
        as this.

    Returns
    -------
    The scaler of the columns that vary.
    """
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    total = np.where(known, values, 0.0).sum(axis=0)
    centre = total / count if centred else np.zeros(len(columns))
    deviation = values - centre
    deviation[~known] = 0.0
    deviation *= deviation
    spread = np.sqrt(deviation.sum(axis=0) / count)
    varies = spread > LEAST_SD
    spread = np.maximum(spread, least)
    varying = tuple(column for column, vary in zip(columns, varies, strict=True) if vary)
    return Scaler(columns=varying, centre=centre[varies], spread=spread[varies])


def discordant_pairs(outcome: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How likely it is that just one leg has the outcome, and that it is the left one.

    Parameters
    ----------
    outcome
        Outcomes or true risks of both legs, shape ``(n, 2)``; NaN where not known.

    Returns
    -------
    The probability that just one leg has it (0 where either leg is not known), shape ``(n,)``.
    The probability that it is the left one, given that it is just one, shape ``(n,)``.
    """
    left, right = np.nan_to_num(outcome[:, 0]), np.nan_to_num(outcome[:, 1])
    known = ~np.isnan(outcome).any(axis=1)
    left_alone, right_alone = left * (1.0 - right), right * (1.0 - left)
    just_one = np.where(known, left_alone + right_alone, 0.0)
    return just_one, left_alone / np.where(just_one > 0, just_one, 1.0)
