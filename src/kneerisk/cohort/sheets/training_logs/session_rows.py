"""The sessions of a log as typed columns, whatever the file called and measured them.

`read_sessions` takes the lines of one file. What the file does not say (km or miles, the order of
day and month, who trained) is an open question, and what rests on it stays empty until it is
answered.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneerisk.cohort.sheets.cells.cell_dates import date_forms, parse_day
from kneerisk.cohort.sheets.cells.cell_text import as_text, is_missing
from kneerisk.cohort.sheets.files.sheet_limits import Lines
from kneerisk.cohort.sheets.training_logs.log_answer import DurationUnit, LogAsked, LogQuestion
from kneerisk.cohort.sheets.training_logs.log_cells import (
    Durations,
    Floats,
    Numbers,
    durations,
    numbers,
)
from kneerisk.cohort.sheets.training_logs.log_columns import (
    Field,
    LogColumn,
    LogLayout,
    cells_of,
)
from kneerisk.cohort.sheets.training_logs.log_questions import (
    ask_day_order,
    athletes_named,
    distance_in,
    distance_unit,
    duration_unit,
    km_in,
)
from kneerisk.cohort.sheets.training_logs.sessions import (
    LONGEST_HOURS,
    FileSessions,
    Sessions,
    is_of_a_log,
)
from kneerisk.cohort.sheets.training_logs.sports import kinds_of

#: A run longer than the schema's longest, or faster than a world record over three kilometres
#: (7:20, 6.8 m/s), is no run: a ride that was recorded as one, or another unit (assumption).
_LONGEST_RUN_KM, _FASTEST_KMH, _SPRINT_KM = 250.0, 25.0, 1.0
#: Steps of one foot are below this number a minute, those of both above (assumption: runners take
#: 140 to 210; the schema allows 120 to 230).
_ONE_FOOT_SPM, _STEPS = 115.0, (120.0, 230.0)


def read_sessions(
    lines: Lines, layout: LogLayout, asked: LogAsked, *, delimiter: str
) -> FileSessions:
    """The sessions of one file.

    Parameters
    ----------
    lines
        The lines of the file that have an entry.
    layout
        What its columns hold.
    asked
        What a person said of it.
    delimiter
        What parts the cells of a text: a semicolon goes with decimal commas.

    Returns
    -------
    FileSessions
        The sessions with a day, the open questions, and what was left out.
    """
    return _Reader(lines, layout, asked, commas_likely=delimiter == ";").read()


class _Reader:
    """Reads the columns of one file."""

    def __init__(
        self, lines: Lines, layout: LogLayout, asked: LogAsked, *, commas_likely: bool
    ) -> None:
        self.layout, self.asked, self.commas_likely = layout, asked, commas_likely
        self.lines, self.rows = cells_of(lines, layout)
        self.result = FileSessions(_empty())
        below = [number for number, _ in lines[layout.heading + 1 :]]
        self.result.left_out["samples"] = below[len(self.lines) :]

    def read(self) -> FileSessions:
        """The sessions and what is told of them."""
        found = self.result
        days, written = self._days()
        keep = ~np.isnat(days)
        found.left_out["no_day"] = self._lines(~keep)
        kinds = self._kinds(keep)
        is_run = kinds == "running"
        hours = self._hours(is_run)
        done_km = self._distances("distance", is_run, hours)
        planned = self._distances("planned_distance", is_run, hours)
        keep &= ~self._repeated(written, done_km, hours, keep)
        is_done = (done_km > 0) | (hours > 0)
        has_plan = bool(self.layout.of("planned_distance", "planned_duration"))
        if not has_plan:
            # Sets at a machine often have neither a distance nor a time.
            is_done |= kinds == "strength"
        is_plan = is_run & ~is_done & (planned > 0)
        left = "planned" if has_plan else "empty"
        found.left_out[left] = self._lines(keep & ~is_done & ~is_plan)
        km = self._possible(np.where(is_run, done_km, np.nan), hours, keep)
        found.sessions = Sessions(
            days, kinds, km, hours, self._steps(is_run), np.where(is_plan, planned, np.nan),
            self._athletes(keep), np.array(self.lines, dtype=int),
        ).where(keep & (is_done | is_plan))  # fmt: skip
        return found

    def _lines(self, mask: NDArray[np.bool_]) -> list[int]:
        return [line for line, marked in zip(self.lines, mask, strict=True) if marked]

    def _cells(self, column: LogColumn) -> list[Any]:
        return [row[column.place] for row in self.rows]

    def _days(self) -> tuple[NDArray[np.datetime64], list[Any]]:
        """The day of each row, from the column that has most of them."""
        columns = [self._cells(column) for column in self.layout.of("date")]
        day_first = self.asked.day_first
        if day_first is None and self.layout.maker == "polar":
            # Polar Flow writes the day first in every language.
            day_first = True
        forms = [date_forms(cells, day_first) for cells in columns]
        best = max(range(len(forms)), key=lambda at: forms[at].share)
        if forms[best].is_open:
            self._ask(ask_day_order(self.layout.of("date")[best].name))
        days = [None if is_missing(c) else parse_day(c, forms[best].formats) for c in columns[best]]
        known = [day.isoformat() if day and is_of_a_log(day) else "NaT" for day in days]
        return np.array(known, dtype="datetime64[D]"), columns[best]

    def _kinds(self, keep: NDArray[np.bool_]) -> NDArray[np.str_]:
        columns = self.layout.of("sport")
        words = [as_text(cell) for cell in self._cells(columns[0])] if columns else []
        of_runs = any(column.is_of_runs for column in self.layout.of("distance", "duration"))
        km, kmh = self._rough()
        by_word, questions = kinds_of(words, kmh, self.asked, of_runs=of_runs, km=km)
        self.result.questions += questions
        count = Counter(word for word, kept in zip(words, keep, strict=False) if kept and word)
        self.result.kinds = {word: (by_word[word], n) for word, n in count.most_common()}
        kinds = [by_word[word] for word in words or [""] * len(self.rows)]
        return np.array(kinds, dtype="U8")

    def _rough(self) -> tuple[Floats | None, Floats | None]:
        """Distances as if in km, and speeds, to tell runs of an unknown word from other sport."""
        distance, duration = self.layout.of("distance"), self.layout.of("moving", "duration")
        km = self._numbers(distance[0]).values if distance else None
        if km is None or not duration:
            return km, None
        times = self._durations(duration[0])
        hours = times.known(duration_unit(times, km, duration[0], self.asked)[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            return km, np.asarray(km / hours)

    def _numbers(self, column: LogColumn) -> Numbers:
        return numbers(self._cells(column), commas_likely=self.commas_likely)

    def _durations(self, column: LogColumn) -> Durations:
        # In seconds by Strava's own definition; its export has no units.
        unit = column.unit or ("s" if self.layout.maker == "strava" else None)
        return durations(self._cells(column), unit, commas_likely=self.commas_likely)

    def _hours(self, is_run: NDArray[np.bool_]) -> Floats:
        """How long each session took: moving, where that was recorded, else in all."""
        hours = np.full(len(self.rows), np.nan)
        km = self._rough()[0]
        km = hours if km is None else np.where(is_run, km, np.nan)
        for column in self.layout.of("moving", "duration"):
            times = self._durations(column)
            self.result.unread += times.bad
            unit: DurationUnit | None = None
            if np.isfinite(times.plain).any() or np.isfinite(times.pairs).any():
                unit, question = duration_unit(times, km, column, self.asked)
                self._ask(question)
            known = times.known(unit)
            is_better = np.isnan(hours) | ((column.field == "moving") & (known > 0))
            hours = np.where(is_better, known, hours)
        parts = [self._exposure(column) for column in self.layout.of("exposure")]
        if len(parts) > 1:
            hours = np.where(np.isnan(hours), np.nansum(parts, axis=0), hours)
        return np.where((hours > 0) & (hours <= LONGEST_HOURS), hours, np.nan)

    def _exposure(self, column: LogColumn) -> Floats:
        """The hours of one part of a day: of training, or of a match."""
        times = self._durations(column)
        self.result.unread += times.bad
        return times.known(None)

    def _ask(self, question: LogQuestion | None) -> None:
        names = {asked.name for asked in self.result.questions}
        if question is not None and question.name not in names:
            self.result.questions.append(question)

    def _distances(self, name: Field, is_run: NDArray[np.bool_], hours: Floats) -> Floats:
        """Distances in km, in the likeliest unit where the file has none."""
        columns = self.layout.of(name)
        if not columns:
            return np.full(len(self.rows), np.nan)
        read = [self._numbers(column) for column in columns]
        pairs = zip(columns, read, strict=True)
        units = [column.unit or distance_in(own.unit) for column, own in pairs]
        chosen, unit, question = distance_unit(
            [own.values for own in read],
            units,
            is_run, hours, self.asked, column=columns[0],
            is_metric=self.layout.maker in {"strava", "statsports"},
        )  # fmt: skip
        self.result.unread += read[chosen].bad
        self.result.unit = self.result.unit or unit
        self._ask(question)
        return read[chosen].values * km_in(unit)

    def _possible(self, km: Floats, hours: Floats, keep: NDArray[np.bool_]) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            too_fast = (km > _SPRINT_KM) & (km / hours > _FASTEST_KMH)
        bad = keep & ((km > _LONGEST_RUN_KM) | too_fast | (km < 0))
        self.result.left_out["no_run"] = self._lines(bad)
        return np.where(bad | ~(km > 0), np.nan, km)

    def _steps(self, is_run: NDArray[np.bool_]) -> Floats:
        columns = self.layout.of("cadence")
        if not columns:
            return np.full(len(self.rows), np.nan)
        # A column of runs is told from one of rides by its name, where there are both.
        steps = self._numbers(columns[0]).values
        steps = np.where(is_run & (steps > 0), steps, np.nan)
        if not np.isfinite(steps).any():
            return steps
        if np.nanmedian(steps) < _ONE_FOOT_SPM:
            steps = 2.0 * steps
        return np.where((steps >= _STEPS[0]) & (steps <= _STEPS[1]), steps, np.nan)

    def _athletes(self, keep: NDArray[np.bool_]) -> NDArray[np.object_]:
        athletes = np.full(len(self.rows), None, dtype=object)
        columns = self.layout.of("athlete") or self.layout.of("name")
        if not columns or self.layout.maker in {"strava", "garmin", "trainingpeaks"}:
            return athletes
        column = columns[0]
        cells = [as_text(cell).strip() for cell in self._cells(column)]
        names, question = athletes_named(
            column, [cell for cell, kept in zip(cells, keep, strict=True) if kept], self.asked,
            has_title=bool(self.layout.of("title")) or self.layout.maker == "polar",
        )  # fmt: skip
        self._ask(question)
        if names:
            athletes[:] = [cell if cell and not is_missing(cell) else None for cell in cells]
        return athletes

    def _repeated(
        self, written: list[Any], km: Floats, hours: Floats, keep: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Rows of one moment and one length: an export that holds a session twice."""
        seen: set[tuple[Any, ...]] = set()
        repeated = np.zeros(len(self.rows), dtype=bool)
        who = [self._cells(column) for column in self.layout.of("athlete", "name", "sport")]
        for at, raw in enumerate(written):
            has_clock = (isinstance(raw, datetime) and raw.time() != datetime.min.time()) or (
                isinstance(raw, str) and (":" in raw or raw.count(".") > 2)
            )  # fmt: skip
            if keep[at] and has_clock:
                key = (str(raw), f"{km[at]:g}", f"{hours[at]:g}", *(str(c[at]) for c in who))
                repeated[at] = key in seen
                seen.add(key)
        self.result.left_out["repeated"] = self._lines(repeated)
        return repeated


def _empty() -> Sessions:
    none = np.zeros(0)
    return Sessions(none.astype("datetime64[D]"), none.astype("U8"), none, none, none, none,
                    none.astype(object), none.astype(int))  # fmt: skip
