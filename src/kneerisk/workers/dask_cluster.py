"""Pieces of work on a Dask cluster: other machines' processes, or this one's.

Dask is an optional extra, which is imported where a cluster is asked for. A piece goes out with all
that it takes, so that the scheduler gives those of a worker that is lost to another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from kneerisk.errors import ClusterNotThere, WorkersLost
from kneerisk.schema.own_measures import OwnMeasures, own_measures_in_force
from kneerisk.words import text
from kneerisk.workers.this_process import Workers, in_this_process
from kneerisk.workers.worker_processes import cores

#: The address that stands for a cluster on this machine, for as long as the command runs.
LOCAL = "local"
#: How long a scheduler may take to answer (assumption: one that is there does in less).
_ANSWERS_SECONDS = 5
#: Pieces that are out for each core of the cluster: one worked on, one waiting (assumption).
_OUT_PER_CORE = 2
#: A piece may be so large before Dask warns of it: a cohort goes out with each of its fits.
_NO_WARNING_BELOW = "4 GiB"


def workers_at(dask: str | None) -> AbstractContextManager[Workers]:
    """What works on pieces: this process, or a cluster where one is asked for.

    Parameters
    ----------
    dask
        The address of a cluster's scheduler, or `LOCAL`; None is this process.

    Returns
    -------
    What works on pieces, while the ``with`` block lasts.
    """
    return nullcontext(in_this_process) if dask is None else dask_workers(dask)


@contextmanager
def dask_workers(address: str) -> Iterator[Workers]:
    """A cluster that works on pieces, while the ``with`` block lasts.

    Parameters
    ----------
    address
        Where its scheduler is, such as ``tcp://10.0.0.5:8786``; or `LOCAL`.

    Yields
    ------
    What works on pieces.

    Raises
    ------
    ClusterNotThere
        Where Dask is not installed, or no scheduler answers.
    """
    with dask_client(address) as client:
        yield lambda work, shared, pieces: _results(client, work, shared, pieces)


@contextmanager
def dask_client(address: str) -> Iterator[Any]:
    """A client of a cluster, while the ``with`` block lasts.

    Parameters
    ----------
    address
        Where its scheduler is, or `LOCAL`.

    Yields
    ------
    Dask's client.

    Raises
    ------
    ClusterNotThere
        Where Dask is not installed, or no scheduler answers.
    """
    with scheduler_at(address) as found:
        from dask import config
        from distributed import Client

        try:
            client = Client(found, timeout=_ANSWERS_SECONDS)
        except (OSError, ValueError, TimeoutError):
            raise ClusterNotThere(text("command_line.dask.no_scheduler", address=address)) from None
        large = {"distributed.admin.large-graph-warning-threshold": _NO_WARNING_BELOW}
        with client, config.set(large):
            yield client


@contextmanager
def scheduler_at(dask: str | None) -> Iterator[str | None]:
    """Where a scheduler is; that of a cluster of this machine is there for the block only.

    Parameters
    ----------
    dask
        Its address, or `LOCAL`; None is none.

    Yields
    ------
    Its address.

    Raises
    ------
    ClusterNotThere
        Where Dask is not installed.
    """
    if dask is None:
        yield None
        return
    try:
        from distributed import LocalCluster
    except ImportError:
        raise ClusterNotThere(text("command_line.dask.not_installed")) from None
    if dask != LOCAL:
        yield dask
        return
    with LocalCluster(
        n_workers=cores(), threads_per_worker=1, silence_logs="CRITICAL",
        host="127.0.0.1", dashboard_address="127.0.0.1:0",
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def _results(
    client: Any, work: Callable[..., Any], shared: Any, pieces: Iterable[Any]
) -> Iterator[Any]:
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    own = own_measures_in_force()
    out, coming = deque[Any](), iter(pieces)
    try:
        while True:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            most = _OUT_PER_CORE * max(sum(worker["nthreads"] for worker in workers), 1)
            while len(out) < most and (piece := next(coming, None)) is not None:
                # Not pure: the name of a task would be a digest of all its bytes.
                out.append(client.submit(_with_own_measures, own, work, shared, piece, pure=False))
            if not out:
                return
            yield out[0].result()
            out.popleft()
    except (KilledWorker, CancelledError):
        raise WorkersLost(text("command_line.dask.lost")) from None
    finally:
        client.cancel(list(out))


def _with_own_measures(own: OwnMeasures, work: Callable[..., Any], shared: Any, piece: Any) -> Any:
    """One piece, with the own measures in force that are in force where it comes from."""
    with own.in_force():
        return work(shared, piece)
