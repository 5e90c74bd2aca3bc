"""Events, check-ins and exposure as plain rows, and the whole of a log in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from kneerisk.records.outcome_logs.outcome_events import (
    CheckIn,
    Exposure,
    OutcomeEvent,
    OutcomeLog,
)
from kneerisk.words import text, variant

#: The columns of each table, in order.
EVENT_COLUMNS = (
    "athlete_id", "event", "side", "onset_earliest", "onset_latest", "course", "last_reported",
    "free_by", "severity", "grade", "days_lost", "code", "code_class", "file", "lines",
)  # fmt: skip
CHECK_IN_COLUMNS = (
    "athlete_id", "covers_from", "covers_to", "side", "says", "severity", "substantial", "q1", "q2",
    "q3", "q4", "version", "grade", "file", "line",
)  # fmt: skip
EXPOSURE_COLUMNS = ("athlete_id", "date", "minutes", "match_minutes", "file", "line")


def event_row(event: OutcomeEvent) -> dict[str, Any]:
    """An event as plain values, days as ISO 8601."""
    lines = " ".join(map(str, event.lines))
    named = {"athlete_id": event.athlete, "event": event.kind, "lines": lines}
    return _plain({**asdict(event), **named}, EVENT_COLUMNS)


def check_in_row(check_in: CheckIn) -> dict[str, Any]:
    """A check-in as plain values, its answers as `q1` to `q4`."""
    answers = {f"q{number}": answer for number, answer in enumerate(check_in.answers, start=1)}
    return _plain({**asdict(check_in), "athlete_id": check_in.athlete, **answers}, CHECK_IN_COLUMNS)


def exposure_row(exposure: Exposure) -> dict[str, Any]:
    """A day's exposure as plain values."""
    named = {"athlete_id": exposure.athlete, "date": exposure.day}
    return _plain({**asdict(exposure), **named}, EXPOSURE_COLUMNS)


def _plain(values: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    row = {name: values.get(name) for name in names}
    return {name: v.isoformat() if isinstance(v, date) else v for name, v in row.items()}


def summary(log: OutcomeLog) -> dict[str, Any]:
    """A log in counts, without any athlete's values, for programs."""
    athletes = {event.athlete for event in log.events}
    athletes |= {check_in.athlete for check_in in log.check_ins}
    athletes |= {exposure.athlete for exposure in log.exposure}
    return {
        "athletes": len(athletes),
        "events": dict(Counter(event.kind for event in log.events)),
        "courses": dict(Counter(event.course for event in log.events)),
        "check_ins": len(log.check_ins),
        "exposure_days": len(log.exposure),
        "files": [
            {
                "file": file.name, "kind": file.kind, "rows": file.rows,
                "as_events": file.as_events, "as_check_ins": file.as_check_ins,
                "as_exposure": file.as_exposure, "as_players": file.as_players,
                "columns": file.columns,
                "left_out": {rows.reason: rows.lines for rows in file.left_out},
                "ids": log.matched.get(file.name),
            }
            for file in log.files
        ],
        "notes": log.notes,
        "questions": [question.model_dump() for question in log.questions],
    }  # fmt: skip


def told(log: OutcomeLog) -> Iterator[str]:
    """A log in words, line by line."""
    for file in log.files:
        yield text(
            "outcome_log.told.file", file=file.name, kind=variant("outcome_log.kind", file.kind),
            rows=file.rows,
        )  # fmt: skip
        if rule := log.matched.get(file.name):
            yield f"  {rule}"
        for rows in file.left_out:
            reason = variant("outcome_log.left_out", rows.reason)
            count = len(rows.lines)
            yield f"  {text('outcome_log.told.left_out', count=count, reason=reason)}"
    for kind, count in Counter(event.kind for event in log.events).items():
        yield text("outcome_log.told.events", count=count, kind=variant("outcome_log.event", kind))
    if log.check_ins:
        yield text("outcome_log.told.check_ins", count=len(log.check_ins))
    if log.exposure:
        yield text("outcome_log.told.exposure", count=len(log.exposure))
    yield from log.notes


def asked(log: OutcomeLog) -> str:
    """What has to be answered before a log is taken."""
    lines = []
    for question in log.questions:
        lines.append(
            text("outcome_log.told.question", name=question.name, question=question.question,
                 why=question.why)
        )  # fmt: skip
        lines += [f"  {_in_toml(choice.ask)}  # {choice.label}" for choice in question.choices]
    return text("outcome_log.answer_first", asked="\n".join(lines))


def _in_toml(ask: dict[str, Any]) -> str:
    """An answer as it stands in the mapping."""
    name, value = next(iter(ask.items()))
    if isinstance(value, dict):
        word, meaning = next(iter(value.items()))
        return f'{name}."{word}" = "{meaning}"'
    return f"{name} = {str(value).lower()}" if isinstance(value, bool) else f'{name} = "{value}"'
