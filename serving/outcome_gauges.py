"""What `/metrics` says of outcomes where records are kept: counts by version, of all clubs.

The records are read in the background and seldom, so that no scrape waits for them. A club's key
does not get these gauges: whoever knows one of two clubs could work out the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from kneerisk.words import variant
from serving.monitoring import LOGGER
from serving.problem import Refusal

if TYPE_CHECKING:
    from kneerisk.records.database import Database
    from serving.club_records import ClubRecords

#: So long a look is given again (assumption: outcomes come by the day, and a look at a federation
#: takes seconds).
FRESH_SECONDS = 900.0
_GAUGES = (
    "athletes", "observed", "told", "observed_over_told", "observed_over_told_low",
    "observed_over_told_high", "alarm", "lost_share", "overdue",
)  # fmt: skip


class OutcomeGauges:
    """The last look of one worker at all records."""

    def __init__(self) -> None:
        self._seen: Mapping[str, Mapping[str, float]] = {}
        self._looked_at: float | None = None
        self._look: asyncio.Task[None] | None = None

    def text(self, records: ClubRecords) -> bytes:
        """The gauges of the last look; begins another where that is old.

        Parameters
        ----------
        records
            Of all clubs.

        Returns
        -------
        In Prometheus' text format; nothing where no records are kept, or none were read yet.
        """
        if not records.are_kept:
            return b""
        now = time.monotonic()
        is_old = self._looked_at is None or now - self._looked_at > FRESH_SECONDS
        if is_old and (self._look is None or self._look.done()):
            self._look = asyncio.get_running_loop().create_task(self._read(records))
        registry = CollectorRegistry()
        registry.register(_Collected(self._seen))
        return generate_latest(registry)

    async def _read(self, records: ClubRecords) -> None:
        try:
            self._seen = await records.use(_versions)
        except Refusal:
            self._seen = {}  # why, is in the log
        except Exception:  # noqa: BLE001 - a task's error would be seen by nobody
            self._seen = {}
            LOGGER.exception("the outcomes can't be counted")
        self._looked_at = time.monotonic()


class _Collected:
    """A look as Prometheus collects it: nothing of it is kept from one to the next."""

    def __init__(self, seen: Mapping[str, Mapping[str, float]]) -> None:
        self._seen = seen

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge for each metric, labelled by version."""
        for name in _GAUGES:
            meaning = variant("service.gauge", name)
            gauge = GaugeMetricFamily(f"kneerisk_outcomes_{name}", meaning, labels=["version"])
            for version, metrics in self._seen.items():
                if name in metrics:
                    gauge.add_metric([version], metrics[name])
            if gauge.samples:
                yield gauge


def _versions(database: Database) -> Mapping[str, Mapping[str, float]]:
    from kneerisk.monitoring.monitored_versions import monitored_versions

    with database.reading() as session:
        return monitored_versions(session, datetime.now(UTC).date())
