"""Who works at what: a lock that the system frees when a process ends, however it ends.

Optuna's heartbeat, which would tell a dead worker's trial, is there for databases alone, and it
guesses by the clock. A record lock (POSIX `fcntl`) is held by a process that lives, and no other.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What a lock has to be; Optuna names its own two alone.
from optuna.storages.journal._file import BaseJournalFileLock

#: Bytes of the file: who asks for a trial, who writes to MLflow, who judges the winner, who appends
#: to the journal; trials.
ASKING, WRITING, JUDGING, _APPENDING, _FIRST_TRIAL = range(5)


class Locks:
    """The locks of a study, each a byte of one file.

    The file stays open as long as the process: closing it would free all that the process holds.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._mine: set[int] = set()

    @contextmanager
    def held(self, place: int) -> Iterator[None]:
        """Waits until nobody else holds the lock, and holds it for a block."""
        self._lock(place, fcntl.LOCK_EX)
        try:
            yield
        finally:
            self._lock(place, fcntl.LOCK_UN)

    def take_journal(self) -> None:
        """Wait until nobody else appends to the journal, and hold it."""
        self._lock(_APPENDING, fcntl.LOCK_EX)

    def let_journal_go(self) -> None:
        """Hold the journal no more."""
        self._lock(_APPENDING, fcntl.LOCK_UN)

    def take(self, trial: int) -> None:
        """Hold a trial for as long as this process lives, or until it is let go."""
        self._lock(_FIRST_TRIAL + trial, fcntl.LOCK_EX)
        self._mine.add(trial)

    def let_go(self, trial: int) -> None:
        """Hold a trial no more."""
        self._mine.discard(trial)
        self._lock(_FIRST_TRIAL + trial, fcntl.LOCK_UN)

    def is_held(self, trial: int) -> bool:
        """Whether a living process works at a trial."""
        if trial in self._mine:
            return True
        try:
            self._lock(_FIRST_TRIAL + trial, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return True
            raise
        self._lock(_FIRST_TRIAL + trial, fcntl.LOCK_UN)
        return False

    def wait_for(self, trial: int) -> None:
        """Return when the process that works at a trial is done with it, or has ended."""
        with self.held(_FIRST_TRIAL + trial):
            pass

    def _lock(self, place: int, how: int) -> None:
        fcntl.lockf(self._file, how, 1, place)


class JournalLock(BaseJournalFileLock):
    """The lock under which Optuna appends to the journal, freed when its process ends.

    Optuna's own is a file that it makes and renames. Where that fails, as on a disk that is full,
    it tries without end.
    """

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def acquire(self) -> bool:
        """Wait for the lock; it is always had in the end."""
        self._locks.take_journal()
        return True

    def release(self) -> None:
        """Let others append."""
        self._locks.let_journal_go()
