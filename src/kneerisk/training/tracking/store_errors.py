"""What is wrong with a tracking store, in one line: checked before MLflow is asked, and translated.

MLflow tries an address or a database again for minutes, and logs a traceback for each try. So a
store is asked once here, with a limit of time, before MLflow gets it.
"""

from __future__ import annotations

import re
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from kneerisk.errors import KneeriskError

#: How long a store may take for its first sign of life, and another program may hold a database
#: (assumption: a slow network takes one second, logging a run less).
ANSWER_SECONDS = 3.0
SQLITE = "sqlite:///"
_SQLITE_HEADER = b"SQLite format 3\0"
#: Where a database server listens, if its address does not say so (its makers' choice).
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
#: What databases and MLflow say, as patterns, and what that means for a person.
_MEANINGS: Mapping[str, str] = {
    "database is locked": "another program is writing to it; try again when that has ended",
    "not a database": "that file is no database; move it away, and a new store is made",
    "malformed": "the database is damaged; put back a copy, or move it away for a new store",
    "read-?only": "it can't be written to; change its permissions or choose a folder that can be",
    "disk is full": "the disk is full; make room, then run the command again",
    "disk I/O error": "the disk can't be read or written to (is it full?)",
    "unable to open database file": "it can't be opened: is its folder there, and open to you?",
    "out-of-date database schema": (
        "its tables are of another MLflow; copy it, then bring it up to date with "
        "`python -m mlflow db upgrade {uri}`, or use the MLflow that made it"
    ),
    "Can't locate revision": "it was made by a newer MLflow; use that one, or move the store away",
    "no such (table|column)": "it is not MLflow's, or is damaged; move it away for a new store",
}
_UNREACHABLE = "start it, or correct MLFLOW_TRACKING_URI; without it runs are kept in this folder"


class TrackingFailed(KneeriskError):
    """The tracking store can't be reached, or does not hold what was asked for."""


def check_store(uri: str) -> None:
    """Refuse a store that does not answer in seconds, or a file that is none: `TrackingFailed`."""
    address = urlsplit(uri)
    if uri.startswith(SQLITE):
        _check_database(uri, Path(uri.removeprefix(SQLITE)))
    elif address.scheme in ("http", "https"):
        _answers(uri, lambda: _ask_server(uri))
    elif address.hostname:
        place = (address.hostname, address.port or _PORTS.get(address.scheme.split("+")[0], 0))
        _answers(uri, lambda: socket.create_connection(place, ANSWER_SECONDS).close())


@contextmanager
def translated_errors(uri: str, message: str | None = None) -> Iterator[None]:
    """Turn a store's errors in this block into `TrackingFailed`, with its reason or another one."""
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, CommandError, RequestException) as error:
        meaning = _meaning(uri, str(error))
        raise TrackingFailed(meaning or message or _failed(uri, _first_line(error))) from None


def _meaning(uri: str, text: str) -> str | None:
    """What a database's error means, or None for any other."""
    for pattern, meaning in _MEANINGS.items():
        if re.search(pattern, text):
            return _failed(uri, meaning.format(uri=_shown(uri)))
    return None


def _failed(uri: str, reason: str) -> str:
    return f"MLflow at {_shown(uri)}: {reason}"


def _shown(uri: str) -> str:
    """An address without the password that it may hold."""
    address = urlsplit(uri)
    return uri.replace(f":{address.password}@", ":***@") if address.password else uri


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, sqlite3.Error):
        reason = getattr(error, "reason", error)
        return str(getattr(reason, "strerror", None) or reason)
    return (str(error).splitlines() or [type(error).__name__])[0]


def _answers(uri: str, ask: Callable[[], object]) -> None:
    """Ask in a thread: looking up a name has no limit of time of its own."""
    reasons: list[str] = []

    def run() -> None:
        try:
            ask()
            reasons.append("")
        except (OSError, ValueError) as error:
            reasons.append(_first_line(error))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    reason = reasons[0] if reasons else f"nothing within {ANSWER_SECONDS:.0f} seconds"
    if reason:
        raise TrackingFailed(_failed(uri, f"it does not answer ({reason}); {_UNREACHABLE}"))


def _ask_server(uri: str) -> None:
    # Any status is an answer: what is behind the address is for MLflow to find out.
    with suppress(HTTPError):
        urlopen(f"{uri.rstrip('/')}/health", timeout=ANSWER_SECONDS).close()  # noqa: S310 - http


def _check_database(uri: str, path: Path) -> None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TrackingFailed(_failed(uri, "that is no file; move it away for a new store"))
        with path.open("rb") as file:
            header = file.read(len(_SQLITE_HEADER))
        if header and header != _SQLITE_HEADER:
            raise sqlite3.DatabaseError("not a database")
        with closing(sqlite3.connect(path, ANSWER_SECONDS, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            database.execute("ROLLBACK")
    except FileNotFoundError:
        return
    except OSError as error:
        raise TrackingFailed(_failed(uri, str(error.strerror))) from None
    except sqlite3.Error as error:
        text = str(error)
        # A store that can only be read is still good for reading.
        if not re.search("read-?only", text):
            raise TrackingFailed(_meaning(uri, text) or _failed(uri, text)) from None
