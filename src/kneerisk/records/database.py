"""Opens the records: SQLite or PostgreSQL, by the address in `KNEERISK_RECORDS`.

Nothing is kept without it. An acknowledged write is on the disk before it is acknowledged, and what
is deleted is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from kneerisk.errors import KneeriskError
from kneerisk.words import text

VARIABLE = "KNEERISK_RECORDS"
MIGRATIONS = Path(__file__).with_name("migrations")
#: A writer waits for another one for so long (assumption: a hundred of them are done in a few
#: seconds).
WAIT_SECONDS = 30.0
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


class RecordsFailed(KneeriskError):
    """The records can't be used, or refuse what was asked."""


class Database:
    """The records at one address.

    Parameters
    ----------
    address
        The path of a SQLite file, or a URL such as ``postgresql://user@host/database``.
    wait_seconds
        So long it waits for a server that does not answer, and for other writers.

    Raises
    ------
    RecordsFailed
        Where the address is none, or names another kind of database.
    """

    def __init__(self, address: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self.url = url_of(address)
        self._engine = _engine(self.url, wait_seconds)

    @classmethod
    def from_environment(cls, *, current: bool = True) -> Database:
        """The records that the environment names.

        Parameters
        ----------
        current
            Whether their tables have to be those of this program.

        Returns
        -------
        The database.

        Raises
        ------
        RecordsFailed
            Where it names none, or their tables are not those of this program.
        """
        address = os.environ.get(VARIABLE)
        if not address:
            raise RecordsFailed(text("records.no_address", variable=VARIABLE))
        database = cls(address)
        if current:
            database.require_current()
        return database

    @property
    def file(self) -> Path | None:
        """The SQLite file; None of another database."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the records.

        Yields
        ------
        The session.

        Raises
        ------
        RecordsFailed
            Where the database can't be reached or refuses.
        """
        with _told(self.url), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are kept at the end of the block, all or none.

        Yields
        ------
        The session.

        Raises
        ------
        RecordsFailed
            Where the database can't be reached or refuses.
        """
        engine = self._engine.execution_options(kneerisk_writes=True)
        with _told(self.url), Session(engine) as session, session.begin():
            yield session

    def revision(self) -> str | None:
        """Which migration the tables are at; None of an empty database."""
        if self.file is not None and not self.file.exists():
            return None
        with _told(self.url), self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def require_current(self) -> None:
        """Refuse tables that are not those of this program.

        Raises
        ------
        RecordsFailed
            With what to do.
        """
        if self.revision() != newest_revision():
            raise RecordsFailed(text("records.other_tables"))

    def upgrade(self) -> None:
        """Make the tables, or bring older ones to those of this program; rows stay.

        Raises
        ------
        RecordsFailed
            Where that fails; the tables are then as they were.
        """
        if self.file is not None:
            self._make_private()
        engine = self._engine.execution_options(kneerisk_writes=True)
        with _told(self.url), engine.begin() as connection:
            command.upgrade(_alembic(connection), "head")

    def empty_deleted(self) -> None:
        """Give back the place of deleted rows, so that no file of the database holds them.

        Raises
        ------
        RecordsFailed
            Where another program still reads the old state.
        """
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with _told(self.url), engine.connect() as connection:
            if self.file is None:
                connection.exec_driver_sql("VACUUM FULL")
                return
            connection.exec_driver_sql("VACUUM")
            # The log before it holds the rows until all of it is in the file.
            is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if is_busy:
                raise RecordsFailed(text("records.still_read"))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _make_private(self) -> None:
        """The file belongs to its owner alone, from its first byte on."""
        file = self.file or Path()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise RecordsFailed(text("records.failed", place=file, reason=reason)) from None


def url_of(address: str) -> URL:
    """The URL of an address, with the driver that this program uses.

    Parameters
    ----------
    address
        A path or a URL.

    Returns
    -------
    A SQLite or PostgreSQL URL.

    Raises
    ------
    RecordsFailed
        Where it is neither.
    """
    if "://" not in address:
        return URL.create("sqlite", database=address)
    with suppress(ArgumentError):
        url = make_url(address)
        driver = _DRIVERS.get(url.get_backend_name())
        if driver is not None and url.database:
            return url.set(drivername=driver)
    raise RecordsFailed(text("records.bad_address", variable=VARIABLE))


def newest_revision() -> str | None:
    """The last migration of this program."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _alembic(connection: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _engine(url: URL, wait_seconds: float) -> Engine:
    # Parameters are values of athletes: no error may repeat them.
    more: dict[str, Any] = {"hide_parameters": True, "pool_timeout": wait_seconds}
    if url.get_backend_name() != "sqlite":
        waits = {
            "connect_timeout": max(2, round(wait_seconds)),  # the least that libpq takes
            "tcp_user_timeout": round(wait_seconds * 1000),
            "options": f"-c lock_timeout={round(wait_seconds * 1000)}",
        }
        unstated = {name: wait for name, wait in waits.items() if name not in url.query}
        return create_engine(url, pool_pre_ping=True, connect_args=unstated, **more)
    engine = create_engine(url, connect_args={"timeout": wait_seconds}, **more)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # Python's own handling of transactions would begin them too late (see `_begin_sqlite`).
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",  # readers don't wait for a writer
        "synchronous=FULL",  # an acknowledged write survives a crash
        "secure_delete=ON",  # what is deleted is overwritten
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    # A writer takes its lock at the start: one that read first could not wait for another one.
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        writes = options.get("kneerisk_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told(url: URL) -> Iterator[None]:
    """Say in one line what a database refuses, without a value or a password."""
    try:
        yield
    except PoolTimeout:
        reason = PoolTimeout.__name__
        raise RecordsFailed(text("records.failed", place=_place(url), reason=reason)) from None
    except DBAPIError as error:
        original = error.orig
        reason = type(original).__name__
        if isinstance(original, sqlite3.Error) and original.sqlite_errorname:
            reason = original.sqlite_errorname
        raise RecordsFailed(text("records.failed", place=_place(url), reason=reason)) from None


def _place(url: URL) -> str:
    """Where a database is, without who opens it."""
    host = url.host or url.query.get("host")
    return f"{url.database} ({host})" if host else str(url.database)
