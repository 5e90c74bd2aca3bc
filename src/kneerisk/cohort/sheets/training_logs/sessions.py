"""The sessions of a log as typed columns, whatever the file called and measured them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.training_logs.log_answer import Kind, LogQuestion

Floats = NDArray[np.float64]

#: No session is longer than two days (assumption).
LONGEST_HOURS = 48.0
#: Days of a log are of this century or the last one's end: no watch recorded before, and a
#: calendar's first or last day has no day before or after it.
_FIRST_YEAR, _LAST_YEAR = 1971, 2100


def is_of_a_log(day: date) -> bool:
    """Whether a session may have been on that day."""
    return _FIRST_YEAR <= day.year <= _LAST_YEAR


class Sessions(NamedTuple):
    """Sessions, one in each row of every column."""

    day: NDArray[np.datetime64]
    kind: NDArray[np.str_]
    """`running`, `strength` or `other`."""
    distance_km: Floats
    """NaN where it was not recorded, or is no run's."""
    hours: Floats
    cadence_spm: Floats
    """Steps of both feet in a minute, of runs."""
    planned_km: Floats
    """Of a run that is planned and was not done yet."""
    athlete: NDArray[np.object_]
    """As the file names them; None where it does not."""
    line: NDArray[np.int_]
    """Of its file; 0 where sessions are no lines."""

    @classmethod
    def joined(cls, several: Sequence[Sessions]) -> Sessions:
        """The sessions of several files."""
        return cls._make(np.concatenate(columns) for columns in zip(*several, strict=True))

    def where(self, mask: NDArray[np.bool_]) -> Sessions:
        """The sessions that a mask of one truth value each marks.

        Parameters
        ----------
        mask
            Which of them.

        Returns
        -------
        Sessions
            Those, in the same order.
        """
        return Sessions._make(column[mask] for column in self)


@dataclass(slots=True)
class FileSessions:
    """What one file says."""

    sessions: Sessions
    questions: list[LogQuestion] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Lines that are no session, by the reason."""
    kinds: dict[str, tuple[Kind, int]] = field(default_factory=dict)
    """What each word for a sport was taken as, and of how many sessions."""
    unit: str | None = None
    """The unit of the distances."""
    unread: int = 0
    """Cells of distances and times that can't be read."""
