"""How long each athlete trained and played on each day: a row a day, or a column a day."""

from __future__ import annotations

from collections.abc import Sequence

from kneerisk.cohort.sheets.cells.cell_dates import parse_day
from kneerisk.records.outcome_logs.log_rows import LogRows, number_in
from kneerisk.records.outcome_logs.outcome_events import Exposure
from kneerisk.records.outcome_logs.outcome_mapping import ColumnField

#: Nobody trains longer than the day is.
_MOST_MINUTES = 24 * 60.0


def read_exposure(rows: LogRows) -> list[Exposure]:
    """The exposure in a file, in minutes."""
    if rows.table.days_in_heading:
        return _days_in_heading(rows)
    days = rows.days("date")
    found = []
    for at, (line, cells) in enumerate(rows.table.rows):
        day = days[at]
        if not (athlete := rows.whose(at)):
            continue
        if day is None:
            rows.file.leave_out("no_day", line)
            continue
        minutes, match = _minutes(rows, cells)
        if isinstance(minutes, str):
            rows.file.leave_out(minutes, line)
            continue
        rows.file.as_exposure += 1
        found.append(
            Exposure(athlete=athlete, day=day, minutes=minutes, match_minutes=match,
                     file=rows.table.name, line=line)
        )  # fmt: skip
    return found


def _minutes(rows: LogRows, cells: Sequence[str]) -> tuple[float | str, float | None]:
    """The minutes of a row and those of them in matches; or why there are none."""

    def read(field: ColumnField, factor: float = 1.0) -> float | None:
        cell = rows.table.cell(cells, field)
        value = number_in(cell) if cell else None
        return None if value is None else value * factor

    match = read("match_minutes")
    parts = [part for part in (read("training_minutes"), match) if part is not None]
    whole = read("minutes")
    if whole is None:
        whole = read("hours", 60.0)
    if whole is None and (counted := read("exposure")) is not None:
        factor = {"minutes": 1.0, "hours": 60.0, "matches": rows.mapping.minutes_a_match}
        if rows.mapping.exposure_unit is None:
            rows.ask("exposure_unit", {unit: unit for unit in factor})
            return "asked", None
        whole = counted * factor[rows.mapping.exposure_unit]
    if not parts and whole is None:
        return "empty", None
    # A column of both together counts where there is one.
    minutes = whole if whole is not None else sum(parts)
    possible = all(0.0 <= value <= _MOST_MINUTES for value in (minutes, *parts))
    return (minutes, match) if possible else ("not_possible", None)


def _days_in_heading(rows: LogRows) -> list[Exposure]:
    names = rows.table.names
    places = rows.table.days_in_heading
    formats = rows.formats([names[at] for at in places])
    days = [parse_day(names[at], formats) for at in places]
    found = []
    for at, (line, cells) in enumerate(rows.table.rows):
        if not (athlete := rows.whose(at)):
            continue
        values = [
            (day, number_in(cells[n])) for day, n in zip(days, places, strict=True) if cells[n]
        ]
        own = [
            Exposure(athlete=athlete, day=day, minutes=value, file=rows.table.name, line=line)
            for day, value in values
            if day is not None and value is not None and 0.0 <= value <= _MOST_MINUTES
        ]
        if not own or len(own) < len(values):
            rows.file.leave_out("not_possible" if values else "empty", line)
            continue
        rows.file.as_exposure += 1
        found += own
    return found
