"""Rows of legs as trees read them, in this process; a cluster may hold them instead.

Code that boosts takes `HoldRows` and works with the `TreeRows` that it gives, wherever they lie.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.schema import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostingTarget:
    """What n rows of legs are boosted to.

    Attributes
    ----------
    label
        0 to 1, NaN where it is not known, shape (n,) or (n, k).
    base
        Log-odds that the trees start from, of the same shape.
    weight
        Of each row, shape (n,); None where all count alike.
    """

    label: FloatArray
    base: FloatArray
    weight: FloatArray | None


class TreeRows(ABC):
    """Rows of legs that boosters are fitted to and evaluated on."""

    def boost(
        self,
        parameters: Mapping[str, object],
        target: BoostingTarget,
        chosen: NDArray[np.bool_],
        rounds: int,
    ) -> xgb.Booster:
        """Fit a booster.

        Parameters
        ----------
        parameters
            Of XGBoost, with ``max_bin``.
        target
            Of all n rows.
        chosen
            The rows to fit to, shape (n,).
        rounds
            How many.

        Returns
        -------
        The booster.
        """
        return self._boost(parameters, target, chosen, rounds)

    def log_odds(
        self,
        booster: xgb.Booster,
        base: FloatArray,
        chosen: NDArray[np.bool_],
        rounds: Sequence[int],
    ) -> FloatArray:
        """What the first rounds of a booster say.

        Parameters
        ----------
        booster
            Fitted by `boost`.
        base
            Log-odds that the trees start from, of all n rows.
        chosen
            The m rows that are wanted, shape (n,).
        rounds
            After how many of its rounds, each at least 1.

        Returns
        -------
        Log-odds, shape (len(rounds), m) or (len(rounds), m, k).
        """
        return self._log_odds(booster, base, chosen, rounds)

    @abstractmethod
    def _boost(
        self,
        parameters: Mapping[str, object],
        target: BoostingTarget,
        chosen: NDArray[np.bool_],
        rounds: int,
    ) -> xgb.Booster:
        """Fit a booster where the rows lie."""

    @abstractmethod
    def _log_odds(
        self,
        booster: xgb.Booster,
        base: FloatArray,
        chosen: NDArray[np.bool_],
        rounds: Sequence[int],
    ) -> FloatArray:
        """Predict where the rows lie."""


#: Called with what gives the rows of some of n screenings, two for each of them, and with n.
HoldRows: TypeAlias = Callable[[Callable[[slice], NDArray[np.float32]], int], TreeRows]


@dataclass(frozen=True, slots=True)
class RowsHere(TreeRows):
    """Rows of legs in this process's memory, shape (n, n_columns)."""

    x: NDArray[np.float32]

    def _boost(
        self,
        parameters: Mapping[str, object],
        target: BoostingTarget,
        chosen: NDArray[np.bool_],
        rounds: int,
    ) -> xgb.Booster:
        matrix = xgb.QuantileDMatrix(
            self.x[chosen],
            label=target.label[chosen],
            weight=None if target.weight is None else target.weight[chosen],
            base_margin=target.base[chosen],
            max_bin=parameters["max_bin"],
        )
        return xgb.train(dict(parameters), matrix, rounds)

    def _log_odds(
        self,
        booster: xgb.Booster,
        base: FloatArray,
        chosen: NDArray[np.bool_],
        rounds: Sequence[int],
    ) -> FloatArray:
        return predicted_log_odds(booster, self.x[chosen], base[chosen], rounds)


def predicted_log_odds(
    booster: xgb.Booster, x: NDArray[np.float32], base: FloatArray, rounds: Sequence[int]
) -> FloatArray:
    """Log-odds by the first rounds of a booster.

    Parameters
    ----------
    booster
        A fitted one.
    x
        Shape (n, n_columns).
    base
        Log-odds that the trees start from, shape (n,) or (n, k).
    rounds
        After how many of its rounds, each at least 1.

    Returns
    -------
    Shape (len(rounds), n) or (len(rounds), n, k).
    """
    start = base.astype(np.float32)
    log_odds = [
        booster.inplace_predict(
            x, iteration_range=(0, count), predict_type="margin", base_margin=start
        )
        for count in rounds
    ]
    return np.array(log_odds, dtype=np.float64).reshape(len(rounds), *base.shape)


def hold_here(rows_of: Callable[[slice], NDArray[np.float32]], n: int) -> TreeRows:  # noqa: ARG001
    """The rows of all screenings, in this process; a `HoldRows`.

    Parameters
    ----------
    rows_of
        Gives the rows of some of n screenings, shape (2 m, n_columns).
    n
        How many screenings.

    Returns
    -------
    The rows.
    """
    return RowsHere(rows_of(slice(None)))
