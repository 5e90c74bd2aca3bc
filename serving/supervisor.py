"""Keeps the workers alive: starts those anew that ended, and gives up where none can ever start."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from socket import socket

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from kneerisk.words import text

LOGGER = logging.getLogger("kneerisk.serving")
#: So many workers may end before one was ever ready (assumption).
MOST_FAILED_STARTS = 4
#: A new worker that ended before it was ready is not followed at once by the next (assumption).
PAUSE_SECONDS = 2.0


class Supervisor(Multiprocess):
    """uvicorn's, with another rule for workers that end.

    uvicorn's ends a service that answers where one new worker can't start, and starts workers anew
    for ever that end before they are ready. This one gives up only where no worker was ever ready.
    Each worker leaves a file when it is, which outlives it: one that is killed a moment later has
    been ready, whether or not the supervisor had asked it by then.

    Parameters
    ----------
    config
        What the workers serve; they are told to leave their files.
    sockets
        What they listen on.
    folder
        A private folder for their files.
    """

    has_failed = False
    _was_ready = False
    _failed_starts = 0

    def __init__(self, config: Config, sockets: list[socket], folder: Path) -> None:
        super().__init__(config, sockets)
        self._folder = folder
        # uvicorn calls it as soon as a worker takes requests, and every 30 s from then on.
        config.callback_notify = partial(_leave_ready_file, folder)

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that have ended or do not respond."""
        self._was_ready |= any(map(self._has_been_ready, self.processes))
        for index, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            # The worker's end of the pipe: were it held here too, the supervisor would wait for the
            # reply of a worker that dies while it is asked.
            worker.child_conn.close()
            if worker.is_alive(self.config.timeout_worker_healthcheck):
                continue
            worker.kill()
            worker.join()
            LOGGER.info(text("service.start.worker_ended", pid=worker.pid, code=worker.exitcode))
            if not self._has_been_ready(worker):
                self._note_failed_start(worker)
            if not self.should_exit.is_set():
                self.processes[index] = Process(self.config, self.sockets)
                self.processes[index].start()

    def _note_failed_start(self, ended: Process) -> None:
        """Give up where no worker was ever ready; else wait a little before the next."""
        if any(map(self._has_been_ready, self.processes)) or self._was_ready:
            self.should_exit.wait(PAUSE_SECONDS)
            return
        self._failed_starts += 1
        if ended.exitcode == STARTUP_FAILURE or self._failed_starts >= MOST_FAILED_STARTS:
            self.has_failed = True
            self.should_exit.set()

    def _has_been_ready(self, worker: Process) -> bool:
        return _ready_file(self._folder, worker.pid).exists()


def _ready_file(folder: Path, pid: int | None) -> Path:
    return folder / f"ready-{pid}"


async def _leave_ready_file(folder: Path) -> None:
    # Where someone has cleared temporary folders meanwhile, the supervisor knows by now.
    with suppress(OSError):
        _ready_file(folder, os.getpid()).touch()
