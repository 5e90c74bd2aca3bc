"""Columns that a fit may use: those of measures that enough of the screenings have."""

from __future__ import annotations

import numpy as np

from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.fit_inputs import Inputs

#: A measure enters a fit when at least this share of the cohort's screenings have it (assumption).
LEAST_SHARE = 0.05
#: Trees of an observed cohort read a measure when at least this share has it: two splits around
#: the value that stands for a missing one would single out who was not measured (assumption).
NEARLY_ALL = 0.95
#: Columns whose means are taken together (assumption): no number hangs on it.
COLUMNS_TOGETHER = 8
#: Columns that say which tests were done, and those of the latent variables.
_UNCERTAIN = frozenset({ColumnKind.VARIANCE, ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE})


def usable_columns(inputs: Inputs, least_share: float = LEAST_SHARE) -> tuple[Column, ...]:
    """Columns of the feature matrix that rest on a measure which so many of the screenings have.

    How uncertain an expected value is says which tests were done. In a simulated cohort that is
    chance; in an observed one it says where and when, so it is never an input there.
    """
    known = {measure for measure, share in inputs.measured.items() if share >= least_share}
    return tuple(
        column
        for column in inputs.legs.columns
        if column.measures <= known and (inputs.true or column.kind not in _UNCERTAIN)
    )


def tree_columns(inputs: Inputs) -> tuple[Column, ...]:
    """The usable columns that trees may read; what the latents say is in the others already."""
    usable = usable_columns(inputs, LEAST_SHARE if inputs.true else NEARLY_ALL)
    return tuple(column for column in usable if column.kind not in _UNCERTAIN)


def column_means(features: FeatureMatrix, columns: tuple[Column, ...]) -> FloatArray:
    """Means of columns in a training cohort, over both legs.

    Parameters
    ----------
    features
        The feature matrix of the cohort.
    columns
        Which of its columns.

    Returns
    -------
    Shape ``(len(columns),)``; 0 for a column without values.
    """
    # A few columns at a time: of a large cohort, a copy of all would be gigabytes.
    few = range(0, len(columns), COLUMNS_TOGETHER)
    means = [_means(features.pick(columns[at : at + COLUMNS_TOGETHER])) for at in few]
    return np.concatenate([np.empty(0), *means])


def _means(legs: FloatArray) -> FloatArray:
    rows = legs.reshape(-1, legs.shape[2])
    missing = np.isnan(rows)
    rows[missing] = 0.0
    return np.asarray(rows.sum(axis=0) / np.maximum((~missing).sum(axis=0), 1))
