"""Outcomes of a club's sheet: what was recorded, and what is known at the horizon.

No outcome recorded is not "no pain". Of an athlete followed for less than the horizon, pain that
came is known but its absence is not: the follow-up is right-censored.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kneerisk.cohort.layout import OUTCOMES
from kneerisk.cohort.sheets.mapping import Cell, OutcomeMap
from kneerisk.cohort.sheets.rows.cell_reading import ColumnReader
from kneerisk.schema.faults import FaultCode
from kneerisk.words import text

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
#: The outcome of the row's own leg, where the sheet has a row for each leg.
LEG_OUTCOME = "leg"


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months on, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class _FollowUp:
    """How long one athlete was followed, as far as the sheet says."""

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


def outcomes_at_horizon(
    outcome: OutcomeMap, reader: ColumnReader, screened: Sequence[date | None]
) -> dict[str, list[float | None]]:
    """The outcome columns of each row.

    Parameters
    ----------
    outcome
        Which columns hold the outcome and the follow-up.
    reader
        The rows; it notes bad cells.
    screened
        The date of each row's screening.

    Returns
    -------
    dict
        0, 1 or None (not known) a row, by canonical name (or `LEG_OUTCOME`).
    """
    recorded = _recorded(outcome, reader)
    if outcome.kind != "new_pain":
        return recorded
    follow_ups = _follow_ups(outcome, reader, screened, recorded)
    return {
        name: [known.outcome(value) for known, value in zip(follow_ups, values, strict=True)]
        for name, values in recorded.items()
    }


def _recorded(outcome: OutcomeMap, reader: ColumnReader) -> dict[str, list[float | None]]:
    if outcome.words is not None:
        knees = [PLACES[place] for place in reader.places(outcome.words)]
        return {name: [knee[i] for knee in knees] for i, name in enumerate(OUTCOMES)}
    cells = {
        OUTCOMES[0]: outcome.left,
        OUTCOMES[1]: outcome.right,
        OUTCOMES[2]: outcome.either,
        LEG_OUTCOME: outcome.leg,
    }
    return {name: _zero_or_one(reader, cell) for name, cell in cells.items() if cell is not None}


def _zero_or_one(reader: ColumnReader, cell: Cell) -> list[float | None]:
    allowed = text("cohort.allowed.outcome")
    if cell.meanings:
        allowed = text("sheet.allowed.outcome_words", words=", ".join(cell.meanings))
    values = reader.numbers(cell, allowed)
    for row, value in enumerate(values):
        if value not in (None, 0.0, 1.0):
            reader.refuse(row, cell.column, FaultCode.NOT_AN_OUTCOME, allowed)
            values[row] = None
    return values


def _follow_ups(
    outcome: OutcomeMap,
    reader: ColumnReader,
    screened: Sequence[date | None],
    recorded: dict[str, list[float | None]],
) -> list[_FollowUp]:
    unknown: list[Any] = [None] * len(reader)
    ends = reader.days(outcome.follow_up_end) if outcome.follow_up_end else unknown
    months = unknown
    if outcome.follow_up_months:
        months = reader.numbers(outcome.follow_up_months, text("sheet.allowed.months"))
    lost = reader.words(outcome.lost, ("yes", "no")) if outcome.lost else unknown
    onsets = reader.days(outcome.date) if outcome.date else unknown
    if outcome.date and not outcome.leg:
        _refuse_dates_without_pain(reader, outcome.date.column, onsets, recorded)
    for day, dates in ((outcome.date, onsets), (outcome.follow_up_end, ends)):
        if day:
            _refuse_dates_before(reader, day.column, dates, screened)
    return [
        _FollowUp(
            start=screened[row],
            pain=onsets[row],
            end=ends[row],
            months=months[row],
            lost=lost[row] == "yes",
            horizon=outcome.horizon_months or 0,
            is_length_mapped=bool(outcome.follow_up_end or outcome.follow_up_months),
        )
        for row in range(len(reader))
    ]


def _refuse_dates_without_pain(
    reader: ColumnReader,
    column: str,
    onsets: Sequence[date | None],
    recorded: dict[str, list[float | None]],
) -> None:
    for row, onset in enumerate(onsets):
        if onset and not any(values[row] == 1 for values in recorded.values()):
            reader.refuse(
                row, column, FaultCode.DATE_WITHOUT_PAIN, text("sheet.allowed.date_with_pain")
            )


def _refuse_dates_before(
    reader: ColumnReader,
    column: str,
    dates: Sequence[date | None],
    screened: Sequence[date | None],
) -> None:
    for row, (start, day) in enumerate(zip(screened, dates, strict=True)):
        if start and day and day < start:
            reader.refuse(
                row, column, FaultCode.BEFORE_SCREENING, text("sheet.allowed.date_after_screening")
            )
