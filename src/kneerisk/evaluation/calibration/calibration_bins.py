"""Observed shares in bins of predicted risk, with their limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kneerisk.cohort.row_weights import effective_number
from kneerisk.evaluation.task_rows import TaskRows
from kneerisk.evidence.normal_points import NORMAL_95
from kneerisk.schema import FloatArray

#: Fewer rows than this in a bin would show chance, not calibration (assumption).
ROWS_A_BIN = 30
#: Of a curve (assumption: the usual tenths).
MOST_BINS = 10


@dataclass(frozen=True, slots=True)
class Bins:
    """Rows in equally full bins of predicted risk, each array of shape (n_bins,).

    ``low`` and ``high`` are the 95 % limits of the observed share (Wilson 1927).
    """

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    rows: FloatArray

    def as_dict(self) -> dict[str, list[float]]:
        """Lists by name."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}


def bins(rows: TaskRows) -> Bins:
    """Mean risk and observed share in equally full bins, at most `MOST_BINS` of them."""
    count = max(2, min(MOST_BINS, len(rows.outcome) // ROWS_A_BIN))
    order = np.argsort(rows.probability, kind="stable")
    members = [index for index in np.array_split(order, count) if len(index)]
    parts = [rows.take(index) for index in members]
    predicted = np.array([part.mean(part.probability) for part in parts])
    share = np.array([part.mean(part.outcome) for part in parts])
    sizes = np.array([float(len(index)) for index in members])
    low, high = share_limits(share, np.array([effective_number(part.weights) for part in parts]))
    return Bins(predicted, share, low, high, sizes)


def share_limits(share: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wilson's 95 % limits of observed shares.

    Parameters
    ----------
    share
        Of the rows with pain, 0 to 1, shape (k,).
    rows
        How many rows each share is of, shape (k,).

    Returns
    -------
    Lower and upper limits, each of shape (k,).

    References
    ----------
    Wilson 1927, J Am Stat Assoc 22:209, doi 10.1080/01621459.1927.10502953.
    """
    middle = (share + NORMAL_95**2 / (2 * rows)) / (1 + NORMAL_95**2 / rows)
    spread = np.sqrt(share * (1 - share) / rows + NORMAL_95**2 / (4 * rows**2))
    half = NORMAL_95 * spread / (1 + NORMAL_95**2 / rows)
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)
