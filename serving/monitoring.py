"""What the service says of itself: its log and its metrics.

Neither ever holds an athlete's value, a name that was sent, or an address that a client made up.
"""

from __future__ import annotations

import logging
import os
import traceback

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: BentoML shows the records of loggers below its own, so ours needs no set-up.
LOGGER = logging.getLogger("bentoml.kneerisk")


#: Whose messages are written as they are; any other library's may repeat what was sent.
_KNOWN_LOGGERS = frozenset({"root", "bentoml", "uvicorn", "asyncio"})


class RedactValues(logging.Filter):
    """Removes other libraries' messages, and those from tracebacks: they may repeat what was sent.

    The kinds of the exceptions and the lines of code they came through stay.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep every one."""
        if record.exc_info and record.exc_info[1]:
            record.exc_text = traceback_text(record.exc_info[1])
            record.exc_info = None
        if record.name == "asyncio":
            # Its later lines show the failed task with its exception.
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        library = record.name.partition(".")[0]
        if library not in _KNOWN_LOGGERS:
            record.msg, record.args = "a message of %s is left out", (library,)
        return True


def traceback_text(error: BaseException) -> str:
    """The traceback of an error and of its causes, without their messages."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    earlier = f"{traceback_text(cause)}\nand from it:\n" if cause else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error)
    return f"{earlier}{frames}{kind.__module__}.{kind.__qualname__}"


def redact_logs() -> None:
    """Put the filter on every handler that writes this process's log."""
    for name in ("", "bentoml", "uvicorn.error"):
        for handler in logging.getLogger(name).handlers:
            if not any(isinstance(existing, RedactValues) for existing in handler.filters):
                handler.addFilter(RedactValues())


class Metrics:
    """Counters of one worker; `text` adds up all workers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kneerisk_requests", "Requests by address and status.", ["route", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "kneerisk_request_seconds", "Time to the end of the answer.", ["route"],
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._answers = Counter(
            "kneerisk_answers", "Screenings answered, by model version.", ["version"],
            registry=self._registry,
        )  # fmt: skip
        self._champions = Counter(
            "kneerisk_champion_loads", "Attempts to load a champion.", ["result"],
            registry=self._registry,
        )  # fmt: skip

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Parameters
        ----------
        route
            Its name in the table of routes, never a path that a client made up.
        status
            The HTTP status of the answer.
        seconds
            From the first byte of the request to the end of the answer.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answered(self, version: str, screenings: int = 1) -> None:
        """Count answers of one model version."""
        self._answers.labels(version).inc(screenings)

    def champion(self, result: str) -> None:
        """Count a champion that was loaded or refused."""
        self._champions.labels(result).inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format, summed over the workers."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        all_workers = CollectorRegistry()
        MultiProcessCollector(all_workers)  # type: ignore[no-untyped-call]
        return generate_latest(all_workers)
