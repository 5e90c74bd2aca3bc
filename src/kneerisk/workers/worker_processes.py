"""Work in several processes of this machine, as many as its cores or its container allow."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from kneerisk.errors import WorkersLost
from kneerisk.words import text

Work = TypeVar("Work")
Result = TypeVar("Result")
#: Chunks that wait beside each that is worked on: a worker never waits for the next (assumption).
_WAITING = 1
#: So often new processes take the place of ones that ended before anything more is done
#: (assumption: a chunk that ends its process twice will do so again).
_MOST_RESTARTS = 2
#: Where Linux says how many cores' time a container gets: version 2 of control groups.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """Cores that this process may use: those it may run on, and no more than its container has."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = _QUOTA.read_text("ascii").split()
        limit = max(int(int(quota) / int(period)), 1)
    except (OSError, ValueError):
        # No file, or no limit: then it holds the word max.
        limit = allowed or 1
    return max(min(allowed or 1, limit), 1)


def in_processes(
    work: Callable[..., Result], shared: Any, chunks: Iterable[Work], workers: int
) -> Iterator[Result]:
    """Do pieces of work in processes; the results come in the order of the chunks.

    A process that is killed is replaced, and its chunks are done again.

    Parameters
    ----------
    work
        A function of a module, called with `shared` and one chunk.
    shared
        What every call needs.
    chunks
        The chunks, taken as they are needed.
    workers
        How many processes; with one, the work is done in this process.

    Yields
    ------
    What each call returns.

    Raises
    ------
    WorkersLost
        Where processes end again and again without finishing anything.
    """
    if workers <= 1:
        yield from (work(shared, chunk) for chunk in chunks)
        return
    waiting, coming, restarts = deque[Work](), iter(chunks), 0
    while restarts <= _MOST_RESTARTS:
        try:
            for result in _from_pool(work, shared, waiting, coming, workers):
                restarts = 0
                yield result
        except BrokenProcessPool:
            restarts += 1
        else:
            return
    raise WorkersLost(text("command_line.batch.workers_lost", restarts=restarts))


def _from_pool(
    work: Callable[..., Result],
    shared: Any,
    waiting: deque[Work],
    coming: Iterator[Work],
    workers: int,
) -> Iterator[Result]:
    """Do the waiting chunks and those that come; what is not finished is left waiting."""
    running: deque[tuple[Future[Result], Work]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin) as pool:
        try:
            while True:
                while len(running) < workers * (1 + _WAITING):
                    chunk = waiting.popleft() if waiting else next(coming, None)
                    if chunk is None:
                        break
                    running.append((pool.submit(work, shared, chunk), chunk))
                if not running:
                    return
                result = running[0][0].result()
                running.popleft()
                yield result
        finally:
            waiting.extendleft(chunk for _, chunk in reversed(running))
            for future, _ in running:
                future.cancel()


def _begin() -> None:
    """A worker has one core, and ends with the process that it works for, even a killed one."""
    # Threads of linear algebra would wait for each other; read when the libraries are loaded.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
