"""The bins of columns that XGBoost boosts on, found block by block, and rows put into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.schema import FloatArray

#: Where the bins of each column end: those of column j are `ends[start[j] : start[j + 1]]`.
Bins: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float32]]


class InBlocks(xgb.DataIter):  # type: ignore[misc]
    """The chosen rows, a block at a time.

    Parameters
    ----------
    rows_of
        Gives the rows of some screenings, two for each, shape (2 m, n_columns).
    blocks
        Of rows, each an even number of them.
    weight
        Of each row, shape (n,); None where all count alike.
    chosen
        The rows that are wanted, shape (n,).
    """

    def __init__(
        self,
        rows_of: Callable[[slice], NDArray[np.float32]],
        blocks: Sequence[slice],
        weight: FloatArray | None,
        chosen: NDArray[np.bool_],
    ) -> None:
        super().__init__()
        self._rows_of, self._weight, self._chosen = rows_of, weight, chosen
        self._blocks = [at for at in blocks if chosen[at].any()]
        self.reset()

    def next(self, input_data: Callable[..., None]) -> bool:
        """Hand over the next block.

        Parameters
        ----------
        input_data
            XGBoost's own, which takes the rows.

        Returns
        -------
        False where there is none.
        """
        at = next(self._coming, None)
        if at is None:
            return False
        rows = self._rows_of(slice(at.start // 2, at.stop // 2))[self._chosen[at]]
        weight = None if self._weight is None else self._weight[at][self._chosen[at]]
        input_data(data=rows, weight=weight)
        return True

    def reset(self) -> None:
        """Begin anew."""
        self._coming = iter(self._blocks)


def binned(rows: NDArray[np.float32], chosen: NDArray[np.bool_], bins: Bins) -> NDArray[np.float32]:
    """Each value as the end of the bin below its own, so that splits fall where they do anyway.

    Parameters
    ----------
    rows
        Shape (n, n_columns).
    chosen
        The m rows that are wanted, shape (n,).
    bins
        Where the bins of each column end.

    Returns
    -------
    Shape (m, n_columns).
    """
    starts, ends = bins
    in_bins = rows[chosen]
    for column, values in enumerate(in_bins.T):
        own = ends[starts[column] : starts[column + 1]]
        below = np.concatenate([own[:1] - 1, own])
        values[:] = below[np.searchsorted(own, values, side="right")]
    return in_bins
