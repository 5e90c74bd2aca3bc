"""Outcome logs of a club, one or several files together.

The walk: files to tables (`outcome_columns`), ids to athletes (`athlete_ids`), rows to check-ins
(`check_in_rows`), cases (`case_rows`) and exposure (`exposure_rows`), reports to events
(`episodes`). Nothing is kept and nothing is guessed: what the files don't say is a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kneerisk.cohort.sheets.files.sheet_limits import DESCRIBED, too_much
from kneerisk.cohort.sheets.files.workbook import open_sheet, open_worksheets
from kneerisk.errors import CohortRefused
from kneerisk.records.outcome_logs.athlete_ids import match_ids
from kneerisk.records.outcome_logs.case_rows import CasesRead, read_cases
from kneerisk.records.outcome_logs.check_in_rows import (
    CheckInsRead,
    read_daily_reports,
    read_questionnaires,
)
from kneerisk.records.outcome_logs.episodes import episodes, merged_cases
from kneerisk.records.outcome_logs.exposure_rows import read_exposure
from kneerisk.records.outcome_logs.log_rows import LogRows, is_word
from kneerisk.records.outcome_logs.outcome_columns import OutcomeTable, read_table
from kneerisk.records.outcome_logs.outcome_events import (
    Exposure,
    OutcomeLog,
    OutcomeQuestion,
)
from kneerisk.records.outcome_logs.outcome_mapping import OutcomeMapping
from kneerisk.words import plural, text, variant

#: Files of one import, and the size of one (assumptions: ten seasons of a federation are below).
MOST_FILES, MOST_BYTES = 200, 60_000_000
_NOTHING_STATED = OutcomeMapping()


class NamedFile(NamedTuple):
    """A file that is no path, such as an upload."""

    name: str
    content: bytes


class _Read(NamedTuple):
    rows: LogRows
    check_ins: CheckInsRead
    cases: CasesRead
    exposure: list[Exposure]


def read_outcome_logs(
    files: Sequence[Path | NamedFile], mapping: OutcomeMapping = _NOTHING_STATED
) -> OutcomeLog:
    """What one or several files of a club say of outcomes.

    Parameters
    ----------
    files
        Logs of outcomes and of exposure, and lists of players; one that is given twice counts once.
    mapping
        What a person said of them.

    Returns
    -------
    OutcomeLog
        Events, check-ins and exposure, what was left out and why, and what is still asked. While
        something is asked, the rows that wait for it are left out.

    Raises
    ------
    CohortRefused
        With every file that can't be read or is no such log.
    """
    tables = _tables(files, mapping)
    logs = [LogRows(table, mapping) for table in tables]
    matched = match_ids(logs)
    barred = _without_consent(logs)
    for rows in logs:
        rows.without_consent = barred
    read = [_rows_read(rows) for rows in logs]
    events = [
        event
        for one in read
        for event in (
            *episodes(one.check_ins.reports, one.rows.table.name),
            *merged_cases(one.cases.cases),
        )
    ]
    return OutcomeLog(
        files=[one.rows.file for one in read],
        events=sorted(events, key=lambda event: (event.athlete, event.onset_latest)),
        check_ins=[c for one in read for c in (*one.check_ins.check_ins, *one.cases.check_ins)],
        exposure=[exposure for one in read for exposure in one.exposure],
        followed=[period for one in read for period in one.cases.followed],
        questions=_questions(logs),
        notes=list(_notes(read)),
        matched=matched,
    )


def _tables(files: Sequence[Path | NamedFile], mapping: OutcomeMapping) -> list[OutcomeTable]:
    if len(files) > MOST_FILES:
        raise too_much("files", MOST_FILES)
    tables: list[OutcomeTable] = []
    faults: list[str] = []
    contents: set[bytes] = set()
    names: set[str] = set()
    for file in files:
        try:
            content = _content(file)
            if content in contents:
                continue
            contents.add(content)
            name = _own_name(file.name, names)
            found = _tables_in(name, content, mapping)
        except CohortRefused as error:
            faults.append(text("outcome_log.fault", file=file.name, fault=error))
            continue
        if not found:
            fault = text("outcome_log.no_log")
            faults.append(text("outcome_log.fault", file=file.name, fault=fault))
            continue
        tables += found
    if faults:
        raise CohortRefused("\n".join(faults))
    return tables


def _tables_in(name: str, content: bytes, mapping: OutcomeMapping) -> list[OutcomeTable]:
    """Every worksheet of a file that is a log; a workbook may hold cases, exposure and players."""
    sheets = open_worksheets(content) or [open_sheet(content, limits=DESCRIBED)]
    read = [
        read_table(
            f"{name}/{sheet.worksheet}" if len(sheets) > 1 else name, sheet.lines, mapping.columns
        )
        for sheet in sheets
    ]
    return [table for table in read if table is not None]


def _own_name(name: str, taken: set[str]) -> str:
    """A name that no other file has: two folders may hold files of one name."""
    own = next(
        candidate
        for number in range(1, MOST_FILES + 2)
        if (candidate := name if number == 1 else f"{name} ({number})") not in taken
    )
    taken.add(own)
    return own


def _content(file: Path | NamedFile) -> bytes:
    if isinstance(file, NamedFile):
        content = file.content
    else:
        try:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except OSError as error:
            reason = error.strerror
            raise CohortRefused(text("cohort.file.unreadable", file=file, reason=reason)) from None
    if len(content) > MOST_BYTES:
        raise too_much("unpacked", MOST_BYTES)
    return content


def _without_consent(logs: Sequence[LogRows]) -> frozenset[str]:
    """Athletes in lists that record consent, and record none of theirs."""
    given: set[str] = set()
    listed: set[str] = set()
    for rows in logs:
        if rows.table.has("consent"):
            for at, (_, cells) in enumerate(rows.table.rows):
                listed.add(rows.athlete(at))
                if is_word(rows.table.cell(cells, "consent"), "yes"):
                    given.add(rows.athlete(at))
    return frozenset(listed - given - {""})


def _rows_read(rows: LogRows) -> _Read:
    nothing = CheckInsRead([], [])
    none = CasesRead([], [], [])
    readers: dict[str, Callable[[LogRows], CheckInsRead]] = {
        "check_ins": read_questionnaires, "daily_reports": read_daily_reports,
    }  # fmt: skip
    kind = rows.table.kind
    if kind in readers:
        return _Read(rows, readers[kind](rows), none, [])
    if kind in {"cases", "follow_up"}:
        return _Read(rows, nothing, read_cases(rows), [])
    if kind == "exposure":
        return _Read(rows, nothing, none, read_exposure(rows))
    rows.file.as_players = sum(bool(rows.whose(at)) for at in range(len(rows.table.rows)))
    return _Read(rows, nothing, none, [])


def _questions(logs: Sequence[LogRows]) -> list[OutcomeQuestion]:
    """Each question once; words of several files are asked together."""
    asked: dict[str, OutcomeQuestion] = {}
    for rows in logs:
        for name, question in rows.questions.items():
            if name not in asked:
                asked[name] = question
                continue
            known = asked[name].choices
            more = [choice for choice in question.choices if choice not in known]
            asked[name] = asked[name].model_copy(update={"choices": [*known, *more]})
    return list(asked.values())


def _notes(read: Sequence[_Read]) -> Iterator[str]:
    """What a person has to know of these logs before they are used."""
    kinds = {one.rows.table.kind for one in read}
    if kinds & {"cases", "follow_up"}:
        # Only who lost time, or saw someone, stands in a case list.
        yield text("outcome_log.note.time_loss")
    if kinds & {"check_ins", "daily_reports"}:
        yield text("outcome_log.note.silence")
    for code, count in (
        ("sums_differ", sum(one.check_ins.sums_that_differ for one in read)),
        ("ends_before_onset", sum(one.cases.ends_before_onset for one in read)),
        ("code_against_area", sum(one.cases.code_against_area for one in read)),
    ):
        if count:
            yield variant("outcome_log.note.count", code, count=count)
    players = {one.rows.athlete(at) for one in read if one.rows.table.kind == "players"
               for at in range(len(one.rows.table.rows))}  # fmt: skip
    if players:
        others = {one.rows.athlete(at) for one in read for at in range(len(one.rows.table.rows))}
        if unlisted := len(others - players - {""}):
            yield plural("outcome_log.note.unlisted", unlisted)
