"""A service's own keys: many, each with a name, a use, an end and limits, in one private file.

A key is `ks_<id>_<secret>`; only a hash of its secret is kept. The service looks at the file's time
with each request, so that a key that is revoked ends at once, in every worker.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kneerisk.errors import KneeriskError
from kneerisk.records.bearer_keys import has_secret, id_of, new_key
from kneerisk.records.identifiers import SERVICE_KEY_START
from kneerisk.words import text
from serving.private_files import is_open_to_others

_CLOSED = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
Most = Annotated[int, Field(ge=1)]


class KeyFileRefused(KneeriskError):
    """A file of keys that can't be used, or a change of it that can't be made."""


class KeyUse(StrEnum):
    """What a key opens."""

    CALL = "call"
    """Every address but those of a club's records."""
    METRICS = "metrics"
    """The metrics, and nothing else."""


class ServiceKey(BaseModel):
    """A key as it is kept: everything but its secret."""

    model_config = _CLOSED

    key_id: str
    name: Annotated[str, Field(min_length=1, max_length=100)]
    use: KeyUse
    secret_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    per_minute: Most | None = None
    per_day: Most | None = None

    def has_ended(self, now: datetime) -> bool:
        """Whether it opens nothing any more."""
        return self.revoked_at is not None or (
            self.expires_at is not None and self.expires_at <= now
        )


class _Keys(BaseModel):
    """The content of the file."""

    model_config = _CLOSED

    keys: list[ServiceKey] = []


class KeyFile:
    """The file of a service's keys.

    Parameters
    ----------
    path
        Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._by_id: dict[str, ServiceKey] = {}

    def every_key(self) -> tuple[ServiceKey, ...]:
        """Every key, in the order in which they were made.

        Returns
        -------
        The keys.

        Raises
        ------
        KeyFileRefused
            Where there is no such file, others can read it, or it is damaged.
        """
        self._refresh()
        return tuple(self._by_id.values())

    def find(self, key: str) -> ServiceKey | None:
        """The key that was sent, ended or not.

        Parameters
        ----------
        key
            As it was sent.

        Returns
        -------
        None where the file has no such key.

        Raises
        ------
        KeyFileRefused
            Where the file can't be read.
        """
        self._refresh()
        known = self._by_id.get(id_of(SERVICE_KEY_START, key) or "")
        kept = bytes.fromhex(known.secret_sha256) if known else None
        return known if has_secret(SERVICE_KEY_START, key, kept) else None

    def add(
        self,
        name: str,
        use: KeyUse,
        now: datetime,
        expires_at: datetime | None = None,
        per_minute: int | None = None,
        per_day: int | None = None,
    ) -> str:
        """Make a key, and the file where it is missing.

        Parameters
        ----------
        name
            Whose it is, for the list.
        use
            What it opens.
        now
            The time, with its time zone.
        expires_at
            When it ends; None: never.
        per_minute
            The most requests in a minute; None: as the service has it.
        per_day
            The most requests in a day of UTC; None: likewise.

        Returns
        -------
        The key, which is told this once.

        Raises
        ------
        KeyFileRefused
            Where it would have ended already, or the file can't be used.
        """
        if expires_at is not None and expires_at <= now:
            raise KeyFileRefused(text("records.ended_already"))
        made = new_key(SERVICE_KEY_START)
        kept = ServiceKey(
            key_id=made.key_id, name=name, use=use, secret_sha256=made.secret_sha256.hex(),
            created_at=now, expires_at=expires_at, per_minute=per_minute, per_day=per_day,
        )  # fmt: skip
        with self._locked():
            self._write([*(self.every_key() if self.path.exists() else ()), kept])
        return made.key

    def revoke(self, key_id: str, now: datetime) -> bool:
        """End a key now, for good.

        Parameters
        ----------
        key_id
            The twelve characters after ``ks_``.
        now
            The time, with its time zone.

        Returns
        -------
        Whether there is such a key.

        Raises
        ------
        KeyFileRefused
            Where the file can't be used.
        """
        with self._locked():
            keys = self.every_key()
            if key_id not in self._by_id:
                return False
            ended = {"revoked_at": now}
            self._write(
                [
                    k.model_copy(update=ended) if k.key_id == key_id and not k.revoked_at else k
                    for k in keys
                ]
            )
        return True

    def _refresh(self) -> None:
        """Read the file again where it is another one than the last time."""
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen == self._seen:
                return
            if is_open_to_others(status):
                raise KeyFileRefused(text("service.access.key_readable", file=self.path))
            read = _Keys.model_validate_json(self.path.read_bytes())
        except OSError as error:
            raise KeyFileRefused(
                text("service.access.keys_unreadable", reason=error.strerror)
            ) from None
        except ValidationError:
            raise KeyFileRefused(text("service.access.keys_damaged", file=self.path)) from None
        self._by_id, self._seen = {key.key_id: key for key in read.keys}, seen

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other commands from changing the file meanwhile."""
        lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, keys: list[ServiceKey]) -> None:
        """Put a new file in the place of the old one, in one step."""
        new = self.path.with_name(f"{self.path.name}.new")
        new.unlink(missing_ok=True)
        content = _Keys(keys=keys).model_dump_json(indent=1, exclude_none=True)
        new.touch(0o600, exist_ok=False)
        with new.open("w", encoding="utf-8") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
