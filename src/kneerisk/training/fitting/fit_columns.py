"""Columns that a fit may use: those of measures that enough of the screenings have."""

from __future__ import annotations

import numpy as np

from kneerisk.model.feature_columns import Column, ColumnKind
from kneerisk.model.features import FeatureMatrix
from kneerisk.schema import Columns, FloatArray, athlete_measures, leg_measures
from kneerisk.training.fitting.fit_inputs import Inputs

#: A measure enters a fit when at least this share of the cohort's screenings have it (assumption).
LEAST_SHARE = 0.05
#: Trees of an observed cohort read a measure when at least this share has it: two splits around
#: the value that stands for a missing one would single out who was not measured (assumption).
NEARLY_ALL = 0.95
#: Columns that say which tests were done, and those of the latent variables.
_UNCERTAIN = frozenset({ColumnKind.VARIANCE, ColumnKind.IMBALANCE, ColumnKind.IMBALANCE_VARIANCE})


def usable_columns(inputs: Inputs, least_share: float = LEAST_SHARE) -> tuple[Column, ...]:
    """Columns of the feature matrix that rest on a measure which so many of the screenings have.

    How uncertain an expected value is says which tests were done. In a simulated cohort that is
    chance; in an observed one it says where and when, so it is never an input there.
    """
    known = _known_measures(inputs.data, least_share)
    return tuple(
        column
        for column in inputs.legs.columns
        if column.measures <= known and (inputs.true or column.kind not in _UNCERTAIN)
    )


def tree_columns(inputs: Inputs) -> tuple[Column, ...]:
    """The usable columns that trees may read; what the latents say is in the others already."""
    usable = usable_columns(inputs, LEAST_SHARE if inputs.true else NEARLY_ALL)
    return tuple(column for column in usable if column.kind not in _UNCERTAIN)


def _known_measures(data: Columns, least_share: float) -> frozenset[str]:
    def share(*names: str) -> float:
        return float(np.mean([~np.isnan(data[name]) for name in names]))

    athlete = {name for name in athlete_measures() if share(name) >= least_share}
    legs = {n for n in leg_measures() if share(f"left_{n}", f"right_{n}") >= least_share}
    return frozenset(athlete | legs)


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
    rows = features.pick(columns).reshape(-1, len(columns))
    known = ~np.isnan(rows)
    np.copyto(rows, 0.0, where=~known)  # in place: of a large cohort, a copy would be gigabytes
    return np.asarray(rows.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
