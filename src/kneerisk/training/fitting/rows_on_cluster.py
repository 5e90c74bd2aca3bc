"""Rows of legs in the memory of a Dask cluster's workers, boosted by `xgboost.dask`.

For cohorts whose matrices outgrow one machine. Each worker has histograms of its own rows, which
are added up for each split, so that the trees are those of all rows. Where a histogram's bins end
would depend on how the rows are dealt out: XGBoost looks at them here, block by block, as it does
in one process, and workers put the rows into those bins. What is left is the order of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from kneerisk.errors import WorkersLost
from kneerisk.schema import FloatArray
from kneerisk.training.fitting.column_bins import Bins, InBlocks, binned
from kneerisk.training.fitting.tree_rows import (
    BoostingTarget,
    HoldRows,
    TreeRows,
    hold_here,
    predicted_log_odds,
)
from kneerisk.words import text
from kneerisk.workers.dask_cluster import dask_client

Result = TypeVar("Result")
#: Screenings whose rows go out together (assumption: some 100 MB).
BLOCK = 100_000
#: How long a first worker may take to come (assumption: one that is started anew does in less).
_COMES_SECONDS = 60
#: So often the rows are sent again to the workers that are left (assumption: as for processes).
_MOST_RESTARTS = 2


def rows_held(dask: str | None) -> AbstractContextManager[HoldRows]:
    """What holds the rows of trees: this process, or a cluster where one is asked for.

    Parameters
    ----------
    dask
        The address of a cluster's scheduler, or `LOCAL`; None is this process.

    Returns
    -------
    What holds rows, while the ``with`` block lasts.
    """
    return nullcontext(hold_here) if dask is None else _rows_on(dask)


@contextmanager
def _rows_on(dask: str) -> Iterator[HoldRows]:
    with dask_client(dask) as client:
        yield lambda rows_of, n: RowsOnCluster(client, rows_of, n)


class RowsOnCluster(TreeRows):
    """Rows of legs in blocks, dealt out to the workers.

    Parameters
    ----------
    client
        Of the cluster.
    rows_of
        Gives the rows of some of n screenings, two for each, shape (2 m, n_columns).
    n
        How many screenings.

    Raises
    ------
    WorkersLost
        Where workers are lost again and again; `boost` and `log_odds` too.
    """

    def __init__(
        self, client: Any, rows_of: Callable[[slice], NDArray[np.float32]], n: int
    ) -> None:
        self._client, self._rows_of, self._n = client, rows_of, n
        self._blocks: list[tuple[slice, Any]] = []
        self._deal_out()

    def _boost(
        self,
        parameters: Mapping[str, object],
        target: BoostingTarget,
        chosen: NDArray[np.bool_],
        rounds: int,
    ) -> xgb.Booster:
        return self._despite_losses(lambda: self._boost_once(parameters, target, chosen, rounds))

    def _log_odds(
        self,
        booster: xgb.Booster,
        base: FloatArray,
        chosen: NDArray[np.bool_],
        rounds: Sequence[int],
    ) -> FloatArray:
        raw = bytes(booster.save_raw("ubj"))

        def from_all() -> FloatArray:
            parts = [
                self._client.submit(_predicted, rows, chosen[at], base[at], raw, rounds, pure=False)
                for at, rows in self._blocks
                if chosen[at].any()
            ]
            together: FloatArray = np.concatenate(self._client.gather(parts), axis=1)
            return together

        return self._despite_losses(from_all)

    def _deal_out(self) -> None:
        """Send the rows to the workers that are there, to each as many."""
        try:
            self._client.wait_for_workers(1, timeout=_COMES_SECONDS)
        except TimeoutError:
            raise WorkersLost(text("command_line.dask.lost")) from None
        workers = sorted(self._client.scheduler_info(n_workers=-1)["workers"])
        size = min(BLOCK, -(-self._n // len(workers)))
        self._blocks = []
        for place, start in enumerate(range(0, self._n, size)):
            some = slice(start, min(start + size, self._n))
            worker = workers[place % len(workers)]
            rows = self._client.scatter(self._rows_of(some), workers=[worker], hash=False)
            self._blocks.append((slice(2 * some.start, 2 * some.stop), rows))

    def _boost_once(
        self,
        parameters: Mapping[str, object],
        target: BoostingTarget,
        chosen: NDArray[np.bool_],
        rounds: int,
    ) -> xgb.Booster:
        from dask import array
        from xgboost import dask as xgboost_dask

        bins = self._bins(parameters, target, chosen)
        blocks = [(at, rows) for at, rows in self._blocks if chosen[at].any()]
        sizes = tuple(int(chosen[at].sum()) for at, _ in blocks)
        blocks_in_bins = [
            array.from_delayed(
                self._client.submit(binned, rows, chosen[at], bins, pure=False),
                shape=(size, len(bins[0]) - 1),
                dtype=np.float32,
            )
            for size, (at, rows) in zip(sizes, blocks, strict=True)
        ]

        def beside(values: FloatArray | None) -> Any:
            if values is None:
                return None
            return array.from_array(values[chosen], chunks=(sizes, *values.shape[1:]))

        most = int(np.diff(bins[0]).max()) + 1
        matrix = xgboost_dask.DaskQuantileDMatrix(
            self._client, array.concatenate(blocks_in_bins), beside(target.label),
            weight=beside(target.weight), base_margin=beside(target.base), max_bin=most,
        )  # fmt: skip
        # Each worker takes the threads that it was started with.
        used = {name: value for name, value in parameters.items() if name != "nthread"}
        fitted = xgboost_dask.train(
            self._client, used | {"max_bin": most}, matrix, num_boost_round=rounds
        )
        booster: xgb.Booster = fitted["booster"]
        return booster

    def _bins(
        self, parameters: Mapping[str, object], target: BoostingTarget, chosen: NDArray[np.bool_]
    ) -> Bins:
        """Where the bins of the chosen rows end, as XGBoost finds them in one process."""
        matrix = xgb.QuantileDMatrix(
            InBlocks(self._rows_of, [at for at, _ in self._blocks], target.weight, chosen),
            max_bin=parameters["max_bin"], nthread=parameters["nthread"],
        )  # fmt: skip
        starts, ends = matrix.get_quantile_cut()
        return starts.astype(np.int64), ends

    def _despite_losses(self, work: Callable[[], Result]) -> Result:
        """Do it; where a worker is lost with its rows, deal them out and do it again."""
        from distributed import CancelledError
        from distributed.scheduler import KilledWorker

        # XGBoost asserts that its parts are there.
        losses = (KilledWorker, CancelledError, OSError, AssertionError, xgb.core.XGBoostError)
        for _ in range(_MOST_RESTARTS + 1):
            try:
                with self._client.as_current():
                    return work()
            except losses:
                self._deal_out()
        raise WorkersLost(text("command_line.dask.lost"))


def _predicted(
    rows: NDArray[np.float32],
    chosen: NDArray[np.bool_],
    base: FloatArray,
    raw: bytes,
    rounds: Sequence[int],
) -> FloatArray:
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(raw))
    return predicted_log_odds(booster, rows[chosen], base[chosen], rounds)
