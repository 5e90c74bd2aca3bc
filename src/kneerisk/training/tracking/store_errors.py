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
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from kneerisk.errors import KneeriskError
from kneerisk.words import text, variant

#: How long a store may take for its first sign of life, and another program may hold a database
#: (assumption: a slow network takes one second, logging a run less).
ANSWER_SECONDS = 3.0
SQLITE = "sqlite:///"
_SQLITE_HEADER = b"SQLite format 3\0"
#: Where a database server listens, if its address does not say so (its makers' choice).
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
#: What databases and MLflow say, as patterns, and which text says that to a person.
_MEANINGS: Mapping[str, str] = {
    "database is locked": "locked",
    "not a database": "not_a_database",
    "malformed": "damaged",
    "read-?only": "read_only",
    "disk is full": "disk_full",
    "disk I/O error": "disk_error",
    "unable to open database file": "not_opened",
    "out-of-date database schema": "other_tables",
    "Can't locate revision": "newer",
    "no such (table|column)": "not_mlflow",
}
#: What MLflow says where it can't fetch the files of a run, and the folders that it keeps them in.
_FILES_OF_A_RUN = re.compile(r"artifacts from (file://\S+?|/\S+?):?(?:\s|$)")
_FILES_OF_RUNS = {"mlartifacts", "mlruns"}


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


def _meaning(uri: str, message: str) -> str | None:
    """What a database's error means, or None for any other."""
    for pattern, name in _MEANINGS.items():
        if re.search(pattern, message):
            return _failed(uri, variant("training.store", name, uri=without_password(uri)))
    return _moved(uri, message)


def refuse_moved(uri: str, files: str) -> None:
    """Refuse a store whose folder of files, as MLflow wrote it down, is gone: `TrackingFailed`."""
    path = Path(unquote(urlsplit(files).path))
    root = next((folder for folder in path.parents if folder.name in _FILES_OF_RUNS), None)
    if urlsplit(files).scheme in ("", "file") and root is not None and not root.exists():
        raise TrackingFailed(_where_it_was(uri, root.parent))


def _moved(uri: str, message: str) -> str | None:
    """That the files of runs are not where MLflow wrote down, since the folder was moved."""
    found = _FILES_OF_A_RUN.search(message)
    files = Path(unquote(urlsplit(found[1]).path)) if found else None
    if files is None or files.exists():
        return None
    made_in = next((one.parent for one in files.parents if one.name in _FILES_OF_RUNS), files)
    return _where_it_was(uri, made_in)


def _where_it_was(uri: str, made_in: Path) -> str:
    store = Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else Path("mlflow.db")
    here = store.absolute().parent
    return _failed(uri, text("training.tracking.moved", made_in=made_in, here=here))


def _failed(uri: str, reason: str) -> str:
    return text("training.tracking.failed", address=without_password(uri), reason=reason)


def without_password(uri: str) -> str:
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
    reason = (
        reasons[0] if reasons else text("training.tracking.silent", seconds=f"{ANSWER_SECONDS:.0f}")
    )
    if reason:
        raise TrackingFailed(_failed(uri, text("training.tracking.no_answer", reason=reason)))


def _ask_server(uri: str) -> None:
    # Any status is an answer: what is behind the address is for MLflow to find out.
    with suppress(HTTPError):
        urlopen(f"{uri.rstrip('/')}/health", timeout=ANSWER_SECONDS).close()  # noqa: S310 - http


def _check_database(uri: str, path: Path) -> None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TrackingFailed(_failed(uri, text("training.tracking.not_a_file")))
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
        message = str(error)
        # A store that can only be read is still good for reading.
        if not re.search("read-?only", message):
            raise TrackingFailed(_meaning(uri, message) or _failed(uri, message)) from None
