"""Counts and durations for Prometheus, by known address only so that they stay few."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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
