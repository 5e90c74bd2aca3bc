"""Outcomes of a club's sheet: what was recorded, for whom long enough, and what was not.

No outcome recorded is not "no pain". Of an athlete followed for less than the horizon, pain that
came is known and its absence is not.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any

from kneerisk.cohort.cells import NotAllowed
from kneerisk.cohort.layout import OUTCOMES
from kneerisk.cohort.sheets.mapping import Cell, OutcomeMap
from kneerisk.cohort.sheets.sheetcells import SheetRows

#: What each place of an injury says of left, right and either knee; None is not recorded. Where
#: only "a knee" is known, neither side is.
PLACES: dict[str | None, tuple[int | None, int | None, int | None]] = {
    "left": (1, 0, 1),
    "right": (0, 1, 1),
    "both": (1, 1, 1),
    "either": (None, None, 1),
    "none": (0, 0, 0),
    "unknown": (None, None, None),
    None: (None, None, None),
}
LEG_OUTCOME = "leg"


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months on, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class _Watch:
    """How long one athlete was watched, as far as the sheet says."""

    start: date | None
    pain: date | None
    end: date | None
    months: float | None
    lost: bool
    horizon: int
    is_length_mapped: bool

    @property
    def deadline(self) -> date | None:
        """The last day that counts."""
        return None if self.start is None else months_later(self.start, self.horizon)

    @property
    def is_complete(self) -> bool:
        """Whether the absence of pain is known up to the horizon."""
        if self.end is not None and self.deadline is not None:
            return self.end >= self.deadline
        if self.months is not None:
            return self.months >= self.horizon
        return not self.is_length_mapped and not self.lost

    @property
    def is_longer(self) -> bool:
        """Whether pain may have come after the horizon."""
        if self.end is not None and self.deadline is not None:
            return self.end > self.deadline
        return self.months is not None and self.months > self.horizon

    def outcome(self, recorded: float | None) -> float | None:
        """The outcome at the horizon, from what was recorded at the end."""
        if recorded is None:
            return None
        if recorded == 0:
            return 0.0 if self.is_complete else None
        if self.pain is not None and self.deadline is not None:
            # Pain after the horizon: up to the horizon there was none.
            return 1.0 if self.pain <= self.deadline else 0.0
        return None if self.is_longer else 1.0


def outcomes(
    outcome: OutcomeMap, rows: SheetRows, starts: list[date | None]
) -> dict[str, list[float | None]]:
    """The outcome columns of each row, by canonical name (or `LEG_OUTCOME`)."""
    recorded = _recorded(outcome, rows)
    if outcome.kind != "new_pain":
        return recorded
    watches = _watches(outcome, rows, starts, recorded)
    return {
        name: [watch.outcome(value) for watch, value in zip(watches, values, strict=True)]
        for name, values in recorded.items()
    }


def _recorded(outcome: OutcomeMap, rows: SheetRows) -> dict[str, list[float | None]]:
    if outcome.words is not None:
        told = [PLACES[place] for place in rows.places(outcome.words)]
        return {name: [p[i] for p in told] for i, name in enumerate(OUTCOMES)}
    cells = {
        OUTCOMES[0]: outcome.left,
        OUTCOMES[1]: outcome.right,
        OUTCOMES[2]: outcome.either,
        LEG_OUTCOME: outcome.leg,
    }
    return {name: _zero_or_one(rows, cell) for name, cell in cells.items() if cell is not None}


def _zero_or_one(rows: SheetRows, cell: Cell) -> list[float | None]:
    allowed = "0, 1 or empty"
    if cell.meanings:
        allowed = "one of " + ", ".join([*cell.meanings, "or empty"])
    values = rows.numbers(cell, allowed)
    for row, value in enumerate(values):
        if value not in (None, 0.0, 1.0):
            rows.refuse(row, cell.column, NotAllowed("is no outcome", allowed))
            values[row] = None
    return values


def _is_painful(recorded: dict[str, list[float | None]], row: int) -> bool:
    return any(values[row] == 1 for values in recorded.values())


def _watches(
    outcome: OutcomeMap,
    rows: SheetRows,
    starts: list[date | None],
    recorded: dict[str, list[float | None]],
) -> list[_Watch]:
    nothing: list[Any] = [None] * len(rows)
    ends = rows.days(outcome.follow_up_end) if outcome.follow_up_end else nothing
    months = nothing
    if outcome.follow_up_months:
        months = rows.numbers(outcome.follow_up_months, "a number of months")
    lost = rows.words(outcome.lost, ("yes", "no")) if outcome.lost else nothing
    pains = rows.days(outcome.date) if outcome.date else nothing
    for row, pain in enumerate(pains):
        if pain and outcome.date and not outcome.leg and not _is_painful(recorded, row):
            refused = NotAllowed("is given, but no pain is recorded", "a date only with pain")
            rows.refuse(row, outcome.date.column, refused)
    for name, days in ((outcome.date, pains), (outcome.follow_up_end, ends)):
        for row, (start, day) in enumerate(zip(starts, days, strict=True)):
            if name and start and day and day < start:
                refused = NotAllowed("is before the screening", "the screening's date or later")
                rows.refuse(row, name.column, refused)
    return [
        _Watch(
            start=starts[row],
            pain=pains[row],
            end=ends[row],
            months=months[row],
            lost=lost[row] == "yes",
            horizon=outcome.horizon_months or 0,
            is_length_mapped=bool(outcome.follow_up_end or outcome.follow_up_months),
        )
        for row in range(len(rows))
    ]
