"""Ridge logistic regression of one plain matrix, as baselines take it.

Ridge logistic regression (le Cessie & van Houwelingen 1992, Appl Stat 41:191) on median-imputed,
standardised columns, its penalty chosen by cross-validation over athletes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlog1py, xlogy
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from kneerisk.cohort.row_weights import scaled_to_effective
from kneerisk.cohort.splits import folds
from kneerisk.schema import FloatArray

#: Weights of the data against the ridge penalty (scikit-learn's C), from shrinking most to least.
_WEIGHTS = (0.0001, 0.001, 0.01, 0.1, 1.0)
#: With more rows than this, the penalty no longer matters and is not searched for.
_ROWS_TO_SEARCH = 25_000
_FOLDS = 5
#: For a finer search: more weights, and with few rows, where how they fall into folds would decide,
#: folds that are dealt several times.
_FINE_WEIGHTS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_FEW_ROWS, _DEALS = 1_000, 3
#: Rows to train and to test on.
Split = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True)
class LinearWeights:
    """A logistic regression as numbers: what stands for a missing value, slopes, intercept."""

    medians: Sequence[float]
    slopes: Sequence[float]
    intercept: float

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Probabilities of the outcome.

        Parameters
        ----------
        matrix
            Columns as fitted, shape (n, p), missing as NaN.

        Returns
        -------
        Shape (n,).
        """
        filled = _filled(matrix, np.asarray(self.medians))
        return np.asarray(expit(filled @ np.asarray(self.slopes) + self.intercept))


def fit_linear(
    matrix: FloatArray,
    outcome: FloatArray,
    athlete: NDArray[np.object_],
    seed: int,
    row_weight: FloatArray | None = None,
    *,
    fine: bool = False,
) -> LinearWeights | None:
    """Ridge logistic regression, its penalty chosen by cross-validation over athletes.

    Parameters
    ----------
    matrix
        Columns, shape (n, p), missing as NaN.
    outcome
        0 or 1, shape (n,), NaN where it is not known.
    athlete
        Whom each row is of, shape (n,): no athlete is on both sides of a fold.
    seed
        Of the folds.
    row_weight
        How many rows each stands for, shape (n,); None where all count alike.
    fine
        Search the penalty finely.

    Returns
    -------
    None where there is only one kind of outcome.
    """
    known = np.isfinite(outcome)
    x, y, athlete = matrix[known], outcome[known], athlete[known]
    if len(np.unique(y)) < 2:
        return None
    own = None if row_weight is None else scaled_to_effective(row_weight, known)[known]
    deals = _DEALS if fine and len(y) <= _FEW_ROWS else 1
    splits = _splits(y, athlete, seed, deals) if len(y) <= _ROWS_TO_SEARCH else []
    weight = _WEIGHTS[-1]
    # Checks of parameters and values at each of the hundreds of small fits take half their time.
    with config_context(skip_parameter_validation=True, assume_finite=True):
        if splits:
            weight = _best_weight(x, y, own, splits, _FINE_WEIGHTS if fine else _WEIGHTS)
        medians, scaler = _medians(x), StandardScaler()
        standardised = scaler.fit_transform(_filled(x, medians))
        fitted = _regression(weight).fit(standardised, y, sample_weight=own)
    slopes = fitted.coef_[0] / scaler.scale_
    intercept = float(fitted.intercept_[0] - slopes @ scaler.mean_)
    return LinearWeights(medians.tolist(), slopes.tolist(), intercept)


def _medians(matrix: FloatArray) -> FloatArray:
    """The median of each column, 0 of an empty one.

    As scikit-learn's imputer takes them, which masks all columns together: six times as long.
    """
    known = ~np.isnan(matrix).all(axis=0)
    medians = np.zeros(matrix.shape[1])
    medians[known] = np.nanmedian(matrix[:, known], axis=0)
    return medians


def _filled(matrix: FloatArray, medians: FloatArray) -> FloatArray:
    return np.where(np.isnan(matrix), medians, matrix)


def _regression(weight: float) -> LogisticRegression:
    return LogisticRegression(C=weight, max_iter=2_000)


def _best_weight(
    x: FloatArray,
    y: FloatArray,
    row_weight: FloatArray | None,
    splits: Sequence[Split],
    weights: Sequence[float],
) -> float:
    """The weight with the least mean log loss of left-out rows; the smaller of equal ones.

    What `GridSearchCV` finds, too. It copies, fills and checks anew for each weight, which takes
    ten times as long as the regressions of a cohort of a few hundred.
    """
    losses = np.empty((len(weights), len(splits)))
    for column, (train, test) in enumerate(splits):
        medians, scaler = _medians(x[train]), StandardScaler()
        x_train = scaler.fit_transform(_filled(x[train], medians))
        x_test = scaler.transform(_filled(x[test], medians))
        own, others = (None if row_weight is None else row_weight[part] for part in (train, test))
        for row, weight in enumerate(weights):
            fitted = _regression(weight).fit(x_train, y[train], sample_weight=own)
            losses[row, column] = _log_loss(y[test], fitted.predict_proba(x_test)[:, 1], others)
    return weights[int(losses.mean(axis=1).argmin())]


def _log_loss(outcome: FloatArray, probability: FloatArray, row_weight: FloatArray | None) -> float:
    least = np.finfo(np.float64).eps
    inside = np.clip(probability, least, 1.0 - least)
    gain = xlogy(outcome, inside) + xlog1py(1.0 - outcome, -inside)
    return -float(np.average(gain, weights=row_weight))


def _splits(
    outcome: FloatArray, athlete: NDArray[np.object_], seed: int, deals: int
) -> list[Split]:
    """Rows to train and to test on: folds of athletes, where both outcomes can be trained on."""
    splits = []
    for deal in range(deals):
        fold = folds(athlete, _FOLDS, seed + 1_000 * deal)
        for number in np.unique(fold):
            train = fold != number
            if len(np.unique(outcome[train])) == 2:
                splits.append((np.flatnonzero(train), np.flatnonzero(~train)))
    return splits
