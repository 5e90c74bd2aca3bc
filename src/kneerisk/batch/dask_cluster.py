"""Chunks of work on a Dask cluster: other machines' processes, or this one's.

Dask is an optional extra, which only this module imports. A chunk goes out with all that it takes,
so that the scheduler gives those of a worker that is lost to another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kneerisk.batch.worker_processes import cores
from kneerisk.errors import ClusterNotThere, WorkersLost
from kneerisk.words import text

#: The address that stands for a cluster on this machine, for as long as the command runs.
LOCAL = "local"
#: How long a scheduler may take to answer (assumption: one that is there does in less).
_ANSWERS_SECONDS = 5
#: Chunks that are out for each core of the cluster: one worked on, one waiting (assumption).
_OUT_PER_CORE = 2


@contextmanager
def dask_workers(
    address: str,
) -> Iterator[Callable[[Callable[..., Any], Any, Iterable[Any]], Iterator[Any]]]:
    """What does chunks of work on a cluster, while the ``with`` block lasts.

    Parameters
    ----------
    address
        Where its scheduler is, such as ``tcp://10.0.0.5:8786``; or `LOCAL`.

    Yields
    ------
    Called with a function of a module, what every call needs and the chunks; it gives the results
    in the order of the chunks.

    Raises
    ------
    ClusterNotThere
        Where Dask is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise ClusterNotThere(text("command_line.batch.no_dask")) from None
    if address == LOCAL:
        cluster = LocalCluster(
            n_workers=cores(), threads_per_worker=1, silence_logs="CRITICAL",
            host="127.0.0.1", dashboard_address="127.0.0.1:0",
        )  # fmt: skip
        with cluster, Client(cluster) as client:
            yield lambda work, shared, chunks: _results(client, work, shared, chunks)
        return
    try:
        client = Client(address, timeout=_ANSWERS_SECONDS)
    except (OSError, ValueError, TimeoutError):
        raise ClusterNotThere(text("command_line.batch.no_scheduler", address=address)) from None
    with client:
        yield lambda work, shared, chunks: _results(client, work, shared, chunks)


def _results(
    client: Any, work: Callable[..., Any], shared: Any, chunks: Iterable[Any]
) -> Iterator[Any]:
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    out, coming = deque[Any](), iter(chunks)
    try:
        while True:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            most = _OUT_PER_CORE * max(sum(worker["nthreads"] for worker in workers), 1)
            while len(out) < most and (chunk := next(coming, None)) is not None:
                # Not pure: the name of a task would be a digest of all its bytes.
                out.append(client.submit(work, shared, chunk, pure=False))
            if not out:
                return
            yield out[0].result()
            out.popleft()
    except (KilledWorker, CancelledError):
        raise WorkersLost(text("command_line.batch.cluster_lost")) from None
    finally:
        client.cancel(list(out))
