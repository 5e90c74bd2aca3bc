"""A club's records as the service uses them: opened by a key, in threads of their own.

What needs a database is imported where records are kept, and only there. A database that is away or
locked costs what was to be recorded, never the answers of others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from starlette.datastructures import Headers

from kneerisk.errors import KneeriskError
from kneerisk.records.identifiers import KEY_START
from kneerisk.records.roles import Role
from kneerisk.words import text
from serving.access import SEND_KEY, sent_key
from serving.monitoring import LOGGER
from serving.problem import Refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from kneerisk.records.access_keys import Caller
    from kneerisk.records.database import Database
    from kneerisk.records.visit_records import Screened, Told

#: A request waits so long for other writers and for a server (assumption: its sender would not
#: wait longer); requests are given up after 50 s.
WAIT_SECONDS = 10.0
#: Requests of a worker that use the database at once, and that wait for it (assumptions).
_THREADS, _MOST_WAITING = 4, 200
_RETRY = {"retry-after": "2"}

_Result = TypeVar("_Result")


class ClubRecords:
    """The records that the environment names, if it names any.

    Parameters
    ----------
    database
        Where they are; None: nothing is kept.
    """

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._file_id: tuple[int, int] | None = None
        self._is_current = False
        self._waiting = 0
        self._threads = ThreadPoolExecutor(_THREADS, "records")

    @classmethod
    def from_environment(cls) -> ClubRecords:
        """The records of ``$KNEERISK_RECORDS``; nothing is opened yet.

        Returns
        -------
        The records.

        Raises
        ------
        KneeriskError
            Where it is no address, or the packages for records are not installed.
        """
        address = os.environ.get("KNEERISK_RECORDS")
        if not address:
            return cls(None)
        try:
            from kneerisk.records.database import Database
        except ModuleNotFoundError as error:
            detail = text("service.records.not_installed", module=error.name)
            raise KneeriskError(detail) from None
        return cls(Database(address, WAIT_SECONDS))

    @property
    def are_kept(self) -> bool:
        """Whether there are any."""
        return self._database is not None

    def require_usable(self) -> None:
        """Refuse records that can't be used; for the start, where a person reads it.

        Raises
        ------
        KneeriskError
            With what to do.
        """
        if self._database is not None:
            self._database.require_current()

    async def open(self, headers: Headers, role: Role) -> OpenClub:
        """The records of the club whose key was sent.

        Parameters
        ----------
        headers
            Of the request.
        role
            What the key has to allow.

        Returns
        -------
        The club's records.

        Raises
        ------
        Refusal
            Where there are no records, or the key is none of theirs, has ended or allows less.
        """
        if self._database is None:
            raise Refusal("no_records", text("service.records.none"))
        key = sent_key(headers)
        if not key.startswith(KEY_START):
            raise Refusal("key_required", text("service.records.send_key"), headers=SEND_KEY)
        caller = await self.use(lambda database: _caller(database, key))
        if not caller.role.allows(role):
            detail = text("service.records.role_needed", wanted=role.value, role=caller.role.value)
            raise Refusal("role_needed", detail)
        return OpenClub(self, caller)

    async def use(self, work: Callable[[Database], _Result]) -> _Result:
        """Do something with the database in a thread, so that nobody else waits for it.

        Parameters
        ----------
        work
            What to do.

        Returns
        -------
        What it gives.

        Raises
        ------
        Refusal
            Where the database can't be used, or too many wait for it.
        """
        from kneerisk.records.database import RecordsFailed
        from kneerisk.records.visit_records import SentBefore

        if self._waiting >= _MOST_WAITING:
            raise Refusal("busy", text("service.records.busy"), headers=_RETRY)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: work(self._checked()))
        except SentBefore as error:
            raise Refusal("idempotency_key_used", str(error)) from None
        except RecordsFailed as error:
            LOGGER.warning("%s", error)
            detail = text("service.records.unavailable")
            raise Refusal("records_unavailable", detail, headers=_RETRY) from None
        finally:
            self._waiting -= 1

    def _checked(self) -> Database:
        """The database, once its tables are known to be those of this program."""
        database = self._database
        if database is None:
            raise RuntimeError("there are no records")
        file_id = _file_id(database)
        if file_id != self._file_id or not self._is_current:
            # Another file has taken the place of the one that is open: a restored one, or none.
            database.close()
            database.require_current()
            self._file_id, self._is_current = file_id, True
        return database


@dataclass(frozen=True, slots=True)
class OpenClub:
    """The records of one club, as far as the key that was sent opens them."""

    _records: ClubRecords
    _caller: Caller

    @property
    def key_id(self) -> str:
        """The id of the key that opened them."""
        return self._caller.key_id

    async def read(self, work: Callable[[Session, int], _Result]) -> _Result:
        """Read the records.

        Parameters
        ----------
        work
            Is given a session that sees one state of them, and the club's number.

        Returns
        -------
        What it gives.

        Raises
        ------
        Refusal
            Where the database can't be used.
        """

        def done(database: Database) -> _Result:
            with database.reading() as session:
                return work(session, self._caller.club_id)

        return await self._records.use(done)

    async def write(self, work: Callable[[Session, int, str, datetime], _Result]) -> _Result:
        """Change the records; what is changed is on the disk when this returns.

        Parameters
        ----------
        work
            Is given a session that writes, the club's number, the key's id and the time.

        Returns
        -------
        What it gives.

        Raises
        ------
        Refusal
            Where the database can't be used; nothing is then changed.
        """

        def done(database: Database) -> _Result:
            with database.writing() as session:
                now = datetime.now(UTC)
                return work(session, self._caller.club_id, self._caller.key_id, now)

        return await self._records.use(done)

    async def keep_answer(self, screened: Screened, told: Told, idempotency_key: str | None) -> str:
        """Keep a screening and what was told about it.

        Parameters
        ----------
        screened
            The screening.
        told
            The answer's numbers.
        idempotency_key
            Of the request, if it had one.

        Returns
        -------
        The id under which the answer is kept.

        Raises
        ------
        Refusal
            Where it can't be kept.
        """
        from kneerisk.records.visit_records import record_answer

        return await self.write(
            lambda session, club_id, actor, now: record_answer(
                session, club_id, actor, screened, told, now, idempotency_key
            )
        )


def _caller(database: Database, key: str) -> Caller:
    from kneerisk.records.access_keys import caller_of, is_known

    with database.reading() as session:
        caller = caller_of(session, key, datetime.now(UTC))
        if caller is not None:
            return caller
        if is_known(session, key):
            raise Refusal("key_ended", text("service.records.key_ended"), headers=SEND_KEY)
    raise Refusal("key_refused", text("service.records.key_refused"), headers=SEND_KEY)


def _file_id(database: Database) -> tuple[int, int] | None:
    """Which file it is that the path leads to now; None where it is no file, or away."""
    if database.file is None:
        return None
    try:
        found = database.file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
