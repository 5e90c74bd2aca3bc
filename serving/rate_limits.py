"""How many requests a key may send in a minute and a day, counted over all workers of a service.

The counts are in one SQLite file that the workers share; nothing in it outlives a day but the
number itself. Windows are those of the clock: whole minutes, and days of UTC.
"""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kneerisk.errors import KneeriskError
from kneerisk.words import text, variant
from serving.monitoring import LOGGER
from serving.problem import Refusal

#: A worker waits so long for another one, which needs a ten-thousandth of it (assumption).
_WAIT_SECONDS = 1.0
_SPANS = {"minute": 60, "day": 86_400}


class Limits(NamedTuple):
    """The most requests of one key; None: any number."""

    minute: int | None = None
    day: int | None = None

    def over(self, other: Limits) -> Limits:
        """These, and of another set what is not stated here."""
        return Limits(self.minute or other.minute, self.day or other.day)


@dataclass(frozen=True, slots=True)
class Window:
    """One limit, and how far it is used up."""

    span: str
    most: int
    used: int
    seconds_left: int

    @property
    def left(self) -> int:
        """How many requests more it allows."""
        return max(0, self.most - self.used)


def rate_headers(windows: list[Window]) -> dict[str, str]:
    """The headers that tell a caller where it stands, as the IETF's draft has them."""
    policies = (f'"{w.span}";q={w.most};w={_SPANS[w.span]}' for w in windows)
    standing = (f'"{w.span}";r={w.left};t={w.seconds_left}' for w in windows)
    return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(standing)}


class RequestCounts:
    """Counts requests by caller in a file.

    Parameters
    ----------
    file
        The file, the same for all workers; it is made where it is missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def take(self, caller: str, limits: Limits, now: float) -> dict[str, str]:
        """Count one request, unless one of its limits is used up.

        Parameters
        ----------
        caller
            Whose request it is.
        limits
            Its limits.
        now
            The time in seconds since 1970, UTC.

        Returns
        -------
        The headers that tell where the caller stands; none without a limit.

        Raises
        ------
        Refusal
            Where a limit is used up, or the counts can't be read; the request is then not counted.
        """
        if limits.minute is None and limits.day is None:
            return {}
        try:
            before = self._counted(caller, limits, int(now))
        except sqlite3.Error as error:
            LOGGER.warning("requests can't be counted: %s", type(error).__name__)
            detail = text("service.limits.not_counted")
            raise Refusal("busy", detail, headers={"retry-after": "2"}) from None
        if spent := [window for window in before if not window.left]:
            wait = max(spent, key=lambda window: window.seconds_left)
            headers = {"retry-after": str(wait.seconds_left)} | rate_headers(before)
            detail = variant("service.limits.spent", wait.span, most=f"{wait.most:,}")
            raise Refusal("too_many_requests", detail, headers=headers)
        return rate_headers([Window(w.span, w.most, w.used + 1, w.seconds_left) for w in before])

    def prepare(self) -> None:
        """Make the file before the workers start, which would each try to."""
        self._open().close()
        self._connection = None

    def _counted(self, caller: str, limits: Limits, now: int) -> list[Window]:
        """Where a caller stood before this request, which is counted if every limit allows it."""
        connection = self._open()
        # The write lock before the read: no other worker may count between the two.
        connection.execute("begin immediate")
        try:
            windows = [
                self._window(connection, caller, span, most, now)
                for span, most in zip(_SPANS, limits, strict=True)
                if most is not None
            ]
            for window in windows if all(window.left for window in windows) else ():
                began = now + window.seconds_left - _SPANS[window.span]
                connection.execute(
                    "insert or replace into counts values (?, ?, ?, ?)",
                    (caller, window.span, began, window.used + 1),
                )
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
        return windows

    @staticmethod
    def _window(
        connection: sqlite3.Connection, caller: str, span: str, most: int, now: int
    ) -> Window:
        began, used = now - now % _SPANS[span], 0
        found = connection.execute(
            "select began, used from counts where caller = ? and span = ?", (caller, span)
        ).fetchone()
        # A clock that was set back does not begin a window again.
        if found and found[0] >= began:
            began, used = found
        return Window(span, most, used, began + _SPANS[span] - now)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                self._file, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            # A count that a crash of the machine loses is not worth a disk's wait for each request.
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = off")
            connection.execute(
                "create table if not exists counts (caller text not null, span text not null,"
                " began integer not null, used integer not null, primary key (caller, span))"
                " without rowid"
            )
            self._connection = connection
        return self._connection


class RateLimits:
    """The limits of one service: those of a key, else those that it was started with.

    Parameters
    ----------
    counts
        Where requests are counted; None: nobody has a limit.
    of_everyone
        For keys without limits of their own.
    """

    def __init__(self, counts: RequestCounts | None, of_everyone: Limits) -> None:
        self._counts = counts
        self._of_everyone = of_everyone

    @classmethod
    def from_environment(cls) -> RateLimits:
        """Read the limits that the start of the service has set.

        Returns
        -------
        RateLimits
            The limits.

        Raises
        ------
        KneeriskError
            Where one is no number, or there is no file for the workers to count in.
        """
        file = os.environ.get("KNEERISK_COUNTS")
        limits = Limits(*(_stated(f"KNEERISK_PER_{span.upper()}") for span in _SPANS))
        if not file and (any(limits) or os.environ.get("KNEERISK_KEYS")):
            raise KneeriskError(text("service.limits.no_file"))
        return cls(RequestCounts(Path(file)) if file else None, limits)

    def prepare(self) -> None:
        """Make what the workers count in."""
        if self._counts:
            self._counts.prepare()

    def take(self, caller: str, own: Limits | None) -> dict[str, str]:
        """Count a request of a caller, as `RequestCounts.take` does, now."""
        limits = (own or Limits()).over(self._of_everyone)
        return self._counts.take(caller, limits, time.time()) if self._counts else {}


def _stated(variable: str) -> int | None:
    """A limit that the environment states; None where it states none."""
    most = os.environ.get(variable)
    if not most:
        return None
    if not most.isascii() or not most.isdigit() or int(most) < 1:
        raise KneeriskError(text("service.limits.not_a_limit", variable=variable))
    return int(most)
