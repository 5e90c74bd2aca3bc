"""Weekly questionnaires and daily reports: each row's answers, and the knees that it tells of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from kneerisk.records.outcome_logs.episodes import Report, worst_grade
from kneerisk.records.outcome_logs.log_rows import LogRows, number_in, says
from kneerisk.records.outcome_logs.ostrc import (
    Answers,
    Reading,
    Scored,
    reading_of,
    scored,
    with_coding,
)
from kneerisk.records.outcome_logs.outcome_columns import Questionnaire
from kneerisk.records.outcome_logs.outcome_events import CheckIn, EventKind, KneeSide

#: `"right_knee": "minor"`, with either kind of quotation marks.
_ENTRY = re.compile(r"""["']([^"']{1,60})["']\s*:\s*["']?([^"',}]{0,60})["']?""")


class CheckInsRead(NamedTuple):
    """What the reports of a file are."""

    check_ins: list[CheckIn]
    reports: list[Report]
    sums_that_differ: int = 0
    """Rows whose own sum is another than that of their answers."""


# -- four questions a week -----------------------------------------------------------------------


def read_questionnaires(rows: LogRows) -> CheckInsRead:
    """The reports of a file of weekly questionnaires."""
    groups = _about_the_knee(rows)
    days = rows.days("date")
    readings = {group: _reading(rows, group) for group in groups}
    seen: set[tuple[object, ...]] = set()
    found = CheckInsRead([], [])
    differ = 0
    for at, (line, cells) in enumerate(rows.table.rows):
        day = days[at]
        if not (athlete := rows.whose(at)):
            continue
        if day is None:
            rows.file.leave_out("no_day", line)
            continue
        if (key := (athlete, day, *cells)) in seen:
            rows.file.leave_out("repeated", line)
            continue
        seen.add(key)
        read = [_answered(rows, group, readings[group], cells) for group in groups]
        used = [
            (group, one) for group, one in zip(groups, read, strict=True) if isinstance(one, Scored)
        ]
        if not used:
            reasons = [one for one in read if isinstance(one, str)]
            told = [reason for reason in reasons if reason != "unanswered"] or reasons
            rows.file.leave_out(told[0] if told else "not_knee", line)
            continue
        differ += _sum_differs(rows, cells, used)
        rows.file.as_check_ins += 1
        for group, one in used:
            _take(found, rows, at, day, group, one, readings[group])
    return found._replace(sums_that_differ=differ)


def _about_the_knee(rows: LogRows) -> list[Questionnaire]:
    groups = rows.table.questionnaires
    knees = [group for group in groups if says(group.part, "knee")]
    if knees:
        return knees
    unnamed = [group for group in groups if not group.part]
    if unnamed and not rows.table.has("area") and rows.mapping.questions_about is None:
        rows.ask("questions_about", {"knee": "knee", "anywhere": "anywhere"})
    return unnamed


def _given(cells: Sequence[str], group: Questionnaire) -> list[str]:
    return ["" if at is None else cells[at] for at in group.places]


def _numbers(rows: LogRows, cells: Sequence[str], group: Questionnaire) -> Answers:
    told = rows.mapping.answer_words
    return tuple(told.get(cell, number_in(cell)) if cell else None for cell in _given(cells, group))


def _reading(rows: LogRows, group: Questionnaire) -> Reading:
    """How the answers are written; what is open is asked."""
    answers = [_numbers(rows, cells, group) for _, cells in rows.table.rows]
    stated = rows.mapping
    found = (
        with_coding(answers, stated.ostrc_coding) if stated.ostrc_coding else reading_of(answers)
    )
    if found.coding is None:
        rows.ask("ostrc_coding", {"from_1": "from_1", "from_0": "from_0", "scores": "scores"})
        return found
    version = stated.ostrc_version or found.version
    if version is None:
        rows.ask("ostrc_version", {"ostrc_v1": "v1", "ostrc_v2": "v2"})
    return Reading(version, found.coding)


def _answered(
    rows: LogRows, group: Questionnaire, reading: Reading, cells: Sequence[str]
) -> Scored | str:
    given, numbers = _given(cells, group), _numbers(rows, cells, group)
    if any(cell and number is None for cell, number in zip(given, numbers, strict=True)):
        return "not_an_answer"
    if reading.version is None or reading.coding is None:
        return "asked"
    total = _total(rows, cells) if len(rows.table.questionnaires) == 1 else None
    return scored(numbers, reading.version, reading.coding, total)


def _total(rows: LogRows, cells: Sequence[str]) -> float | None:
    return number_in(rows.table.cell(cells, "total") or rows.table.cell(cells, "severity"))


def _sum_differs(
    rows: LogRows, cells: Sequence[str], used: Sequence[tuple[Questionnaire, Scored]]
) -> bool:
    total = _total(rows, cells) if len(rows.table.questionnaires) == 1 else None
    return total is not None and used[0][1].severity not in {None, total}


def _take(
    found: CheckInsRead,
    rows: LogRows,
    at: int,
    day: date,
    group: Questionnaire,
    one: Scored,
    reading: Reading,
) -> None:
    """Add what one questionnaire of a row says."""
    line, cells = rows.table.rows[at]
    # The recall goes back from the day of the report: an answer tells nothing of days to come.
    start = day - timedelta(days=rows.mapping.recall_days - 1)
    kind, place = _problem_of(rows, cells, group) if one.says == "problem" else ("knee_pain", "")
    side: KneeSide = "unknown"
    if one.says == "problem" and kind != "other_problem":
        side = rows.side(group.side or rows.table.cell(cells, "side"), at) or "unknown"
    elif one.says == "nothing_new":
        stated = group.side or rows.table.cell(cells, "side")
        side = (rows.side(stated, at) if stated else None) or "both"
    elsewhere = kind == "other_problem"
    found.check_ins.append(
        CheckIn(
            athlete=rows.athlete(at), covers_from=start, covers_to=day, side=side,
            says="unknown" if elsewhere else one.says, severity=one.severity,
            substantial=one.substantial, answers=one.answers, version=f"ostrc_{reading.version}",
            file=rows.table.name, line=line,
        )
    )  # fmt: skip
    found.reports.append(
        Report(
            athlete=rows.athlete(at), kind=kind, side=side, first=start, last=day, says=one.says,
            line=line, part=place, severity=one.severity,
        )
    )  # fmt: skip


def _problem_of(rows: LogRows, cells: Sequence[str], group: Questionnaire) -> tuple[EventKind, str]:
    """What a problem that was reported is about, and where it is if not at the knee."""
    if says(group.part, "knee"):
        return "knee_pain", ""
    area = rows.table.cell(cells, "area")
    if area:
        return ("knee_pain", "") if says(area, "knee") else ("other_problem", area.casefold())
    return ("other_problem", "") if rows.mapping.questions_about != "knee" else ("knee_pain", "")


# -- a report a day ------------------------------------------------------------------------------


def read_daily_reports(rows: LogRows) -> CheckInsRead:
    """The reports of a file with the sore parts of each day (pmsys)."""
    days = rows.days("date")
    found = CheckInsRead([], [])
    seen: set[tuple[object, ...]] = set()
    for at, (line, cells) in enumerate(rows.table.rows):
        day, cell = days[at], rows.table.cell(cells, "reports")
        if not (athlete := rows.whose(at)):
            continue
        parts = _parts(cell)
        if day is None or parts is None:
            rows.file.leave_out("no_day" if day is None else "no_report", line)
            continue
        if (athlete, day, cell) in seen:
            rows.file.leave_out("repeated", line)
            continue
        seen.add((athlete, day, cell))
        rows.file.as_check_ins += 1
        for one in _reports(athlete, day, parts, line):
            found.reports.append(one)
            if one.kind == "knee_pain":
                found.check_ins.append(
                    CheckIn(
                        athlete=athlete, covers_from=day, covers_to=day, side=one.side,
                        says=one.says, version="pmsys", grade=one.grade,
                        file=rows.table.name, line=line,
                    )
                )  # fmt: skip
    return found


def _parts(cell: str) -> dict[str, str] | None:
    """The sore parts that a cell names, with the word for how sore; None where it is no report."""
    inside = cell.strip()
    if not (inside.startswith("{") and inside.endswith("}")):
        return None
    parts = {part: word.strip().casefold() for part, word in _ENTRY.findall(inside)}
    return parts if parts or not inside.strip("{} ") else None


def _reports(athlete: str, day: date, parts: dict[str, str], line: int) -> Iterator[Report]:
    """Of each knee that it is sore or, since the form asks for every part, that it is not."""

    def report(
        side: KneeSide, grade: str | None, kind: EventKind = "knee_pain", part: str = ""
    ) -> Report:
        return Report(
            athlete=athlete, kind=kind, side=side, first=day, last=day, line=line, part=part,
            says="problem" if grade is not None else "nothing_new", grade=grade or None,
        )  # fmt: skip

    sore: dict[KneeSide, str] = {}
    for part, word in parts.items():
        if not says(part, "knee"):
            yield report("unknown", word, "other_problem", part.casefold())
            continue
        side: KneeSide = (
            "left" if says(part, "left") else "right" if says(part, "right") else "unknown"
        )
        sore[side] = worst_grade([sore.get(side), word]) or ""
    if not sore:
        yield report("both", None)
        return
    for side, word in sore.items():
        yield report(side, word)
    if "unknown" not in sore:
        for other in ("left", "right"):
            if other not in sore:
                yield report(other, None)
