"""When a call is made again, and after how long.

Each call of the client may be made again: what reads or only computes by its nature, a recording by
its idempotency key, and outcomes because the service keeps the same outcome once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

#: Statuses after which the same call may be answered: the time ran out, too many, a gateway without
#: its service, a busy service.
RETRIED = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a call is made, and how long is waited between.

    Without a `Retry-After` a wait is a random part of twice the one before, so that clients that
    failed together don't return together.
    """

    attempts: int = 3
    """The first one counts; 1 never repeats."""
    first_wait_seconds: float = 0.5
    """At most so long before the second (assumption)."""
    longest_wait_seconds: float = 30.0
    """Where the service asks for more, the call fails at once (assumption)."""
    part: Callable[[], float] = random.random
    """What part of a wait is waited, from 0 to 1."""

    def wait_after_failure(self, attempt: int) -> float | None:
        """How long to wait after an attempt that had no answer, in seconds.

        Parameters
        ----------
        attempt
            Its number, from 1.

        Returns
        -------
        None where no other is to be made.
        """
        if attempt >= self.attempts:
            return None
        doubled = self.first_wait_seconds * 2.0 ** (attempt - 1)
        return self.part() * min(doubled, self.longest_wait_seconds)

    def wait_after(self, attempt: int, response: httpx.Response) -> float | None:
        """How long to wait after a response, in seconds.

        Parameters
        ----------
        attempt
            Its number, from 1.
        response
            What came.

        Returns
        -------
        None where the response stands, be it a refusal.
        """
        wait = self.wait_after_failure(attempt) if response.status_code in RETRIED else None
        asked = _asked_seconds(response.headers.get("retry-after"))
        if wait is None or asked is None:
            return wait
        return asked if asked <= self.longest_wait_seconds else None


def _asked_seconds(retry_after: str | None) -> float | None:
    """The seconds of a `Retry-After`, which is a number or a date; None where it is neither."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    # A date without a zone is in UTC (RFC 9110, 5.6.7).
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
