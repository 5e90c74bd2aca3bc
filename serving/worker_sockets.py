"""How the workers of a service reach each other: sockets in its private folder, bytes both ways.

`multiprocessing.connection` frames the bytes; nothing is pickled. Where there is no such folder (as
under `bentoml serve`) or a worker can't listen there, each works by itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import Thread, get_native_id

#: The environment variable in which the supervisor names the folder to its workers.
FOLDER_VARIABLE = "KNEERISK_WORKERS_FOLDER"
#: A request of another worker is a few screenings; the largest body of a client has 10 MB.
_MOST_BYTES = 20_000_000
_SUFFIX = ".worker"
#: Those who ask the workers themselves come first where the processors are busy (assumption: as for
#: a sheet, `serving.sheet_import`).
_NICENESS = 10


def listen(answer: Callable[[bytes], bytes]) -> None:
    """Answer the other workers from now on, one after the other, in a thread of its own.

    Parameters
    ----------
    answer
        Gives the answer to a request; it must not raise.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        # A path may be too long for a socket, or the folder be gone.
        with suppress(OSError):
            listener = Listener(str(_socket_of(Path(folder), os.getpid())), "AF_UNIX")
            Thread(target=_serve, args=(listener, answer), daemon=True).start()


def other_workers() -> list[Path]:
    """The sockets of the other workers; of one that has died its socket may be there still."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return []
    own = _socket_of(Path(folder), os.getpid())
    return sorted(path for path in Path(folder).glob(f"*{_SUFFIX}") if path != own)


def ask(worker: Path, request: bytes) -> bytes:
    """Ask another worker, and wait for its answer.

    Parameters
    ----------
    worker
        Its socket, of `other_workers`.
    request
        What `listen` of that worker was given to answer.

    Returns
    -------
    bytes
        The answer.

    Raises
    ------
    OSError
        Where nobody listens there any more.
    EOFError
        Where it ended before it had answered.
    """
    with Client(str(worker), "AF_UNIX") as connection:
        connection.send_bytes(request)
        return connection.recv_bytes()


def _socket_of(folder: Path, pid: int) -> Path:
    return folder / f"{pid}{_SUFFIX}"


def _serve(listener: Listener, answer: Callable[[bytes], bytes]) -> None:
    # Elsewhere a thread has no niceness of its own.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)
    while True:
        try:
            connection = listener.accept()
        except OSError:
            return
        # Who has asked may have ended meanwhile.
        with connection, suppress(OSError, EOFError):
            connection.send_bytes(answer(connection.recv_bytes(_MOST_BYTES)))
