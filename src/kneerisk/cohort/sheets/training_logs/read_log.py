"""Training logs as the measures of load that a screening asks for.

The walk: files to lines (`log_files`), columns to their fields (`log_columns`), rows to sessions
(`sessions`), sessions to measures at the date of the screening (`load`). All of it happens in
memory, and neither a row nor a name is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from kneerisk.cohort.sheets.files.sheet_limits import MOST_LOGS, too_much
from kneerisk.cohort.sheets.lexicon.vocabulary import athlete_key
from kneerisk.cohort.sheets.training_logs.apple_health import sessions_of
from kneerisk.cohort.sheets.training_logs.load import Load, LoadValue, load_at
from kneerisk.cohort.sheets.training_logs.log_answer import (
    AthleteLoad,
    Kind,
    LogAnswer,
    LogAsked,
    LogChoice,
    LogColumnRead,
    LogFile,
    LogMeasure,
    LogQuestion,
    LogRowsLeftOut,
    LogWeek,
    QuestionName,
    SportRead,
)
from kneerisk.cohort.sheets.training_logs.log_files import (
    AppleExport,
    LogTable,
    open_logs,
)
from kneerisk.cohort.sheets.training_logs.session_rows import read_sessions
from kneerisk.cohort.sheets.training_logs.sessions import FileSessions, Sessions
from kneerisk.cohort.sheets.training_logs.sports import sport_kind
from kneerisk.errors import CohortRefused
from kneerisk.schema import columns
from kneerisk.words import plural, text, variant

#: So many lines of a kind are named, and so many athletes answered (assumptions).
_LINES_NAMED, _MOST_ATHLETES = 20, 1_000
_RUN_MEASURES = frozenset({"weekly_run_km", "longest_run_30d_km", "next_long_run_km", "acwr_ratio",
                           "session_spike_ratio", "run_speed_mps", "step_rate_spm"})  # fmt: skip
_IN_KM = frozenset({"weekly_run_km", "longest_run_30d_km", "next_long_run_km", "run_speed_mps"})
_TIMED = frozenset({"training_hours_per_week", "run_speed_mps"})
#: Which measures wait for each question; the others wait for all.
_WAITING: Mapping[QuestionName, frozenset[str]] = {
    "distance_unit": _IN_KM, "duration_unit": _TIMED, "sport": _RUN_MEASURES,
    "sports": _RUN_MEASURES,
}  # fmt: skip
_DIGITS = {"step_rate_spm": 1}


def read_training_logs(files: Sequence[bytes | Path], asked: LogAsked | None = None) -> LogAnswer:
    """What one or several files of training sessions say of the load before a screening.

    Parameters
    ----------
    files
        Their bytes, or where they are; one that is given twice counts once.
    asked
        What a person said of them; None: nothing yet.

    Returns
    -------
    LogAnswer
        Each athlete's measures, weeks, and everything that is open or was left out.

    Raises
    ------
    CohortRefused
        Where a file can't be read, or none of them is a training log.
    """
    asked = asked or LogAsked()
    if len(files) > MOST_LOGS:
        raise too_much("files", MOST_LOGS)
    parts = [part for file in dict.fromkeys(files) for part in open_logs(file)]
    if not parts:
        raise CohortRefused(text("training_log.none"))
    return answer_of(parts, asked)


def answer_of(parts: Sequence[LogTable | AppleExport], asked: LogAsked) -> LogAnswer:
    """The answer to files that are open already."""
    read = [_file(part, asked) for part in parts]
    sessions = Sessions.joined([found.sessions for _, found in read])
    if not len(sessions.day):
        raise CohortRefused(text("training_log.no_sessions"))
    people = people_of(sessions)
    questions = list({question.question: question for _, found in read
                      for question in found.questions}.values())  # fmt: skip
    screened, date_question = _screened(sessions, asked)
    questions += [date_question] if date_question else []
    if None in {name for name, _ in people.values()} and asked.athlete is None:
        questions.append(_whose(len(people)))
    loads = [(name or asked.athlete, load_at(own, screened)) for name, own in people.values()]
    questions += list(_outside(loads, screened, asked))
    return LogAnswer(
        files=[file for file, _ in read],
        questions=questions,
        athletes=[_athlete(name, load, screened, questions, asked) for name, load in loads],
        notes=list(_notes(read)),
    )


def people_of(sessions: Sessions) -> dict[str, tuple[str | None, Sessions]]:
    """The sessions of each person, whatever the spelling of the name."""
    keys = [athlete_key(name) if name else "" for name in sessions.athlete]
    rows: dict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        rows[key].append(at)
    if len(rows) > _MOST_ATHLETES:
        raise too_much("athletes", _MOST_ATHLETES)
    return {
        key: (sessions.athlete[own[0]], Sessions._make(column[own] for column in sessions))
        for key, own in rows.items()
    }


def _file(part: LogTable | AppleExport, asked: LogAsked) -> tuple[LogFile, FileSessions]:
    if isinstance(part, AppleExport):
        return _apple_file(part)
    found = read_sessions(part.lines, part.layout, asked, delimiter=part.delimiter)
    layout = part.layout
    file = LogFile(
        maker=layout.maker,
        label=variant("training_log.maker", layout.maker),
        rows=len(part.lines) - layout.heading - 1,
        sessions=len(found.sessions.day),
        distance_unit=found.unit,
        columns=[
            LogColumnRead(
                place=column.letter, column=column.name,
                read_as=variant("training_log.field", column.field) if column.field else None,
            )
            for column in layout.columns
        ],
        sports=[
            SportRead(word=word, kind=kind, sessions=count)
            for word, (kind, count) in found.kinds.items()
        ],
        left_out=[
            LogRowsLeftOut(reason=reason, message=variant("training_log.left_out", reason),
                           count=len(lines), lines=lines[:_LINES_NAMED])
            for reason, lines in found.left_out.items() if lines
        ],
    )  # fmt: skip
    return file, found


def _apple_file(part: AppleExport) -> tuple[LogFile, FileSessions]:
    sessions = sessions_of(part.workouts)
    count: dict[str, int] = defaultdict(int)
    for workout in part.workouts:
        count[workout.word] += 1
    unread = LogRowsLeftOut(reason="unread", message=variant("training_log.left_out", "unread"),
                            count=part.unread, lines=[])  # fmt: skip
    file = LogFile(
        maker="apple_health", label=variant("training_log.maker", "apple_health"),
        rows=len(part.workouts) + part.unread, sessions=len(part.workouts), distance_unit="km",
        sports=[SportRead(word=w, kind=_kind(w), sessions=n) for w, n in count.items()],
        left_out=[unread] if part.unread else [],
    )  # fmt: skip
    return file, FileSessions(sessions)


def _kind(word: str) -> Kind:
    return sport_kind(word) or "other"


# -- questions of the whole log ------------------------------------------------------------------


def _screened(sessions: Sessions, asked: LogAsked) -> tuple[date, LogQuestion | None]:
    """The date of the screening; where nobody said it, the day after the last session is shown."""
    if asked.date is not None:
        return date.fromisoformat(asked.date), None
    done = sessions.day[~np.isfinite(sessions.planned_km)]
    last: date = (done if len(done) else sessions.day).max().item()
    day = last + timedelta(days=1)
    question = LogQuestion(
        name="date", question=text("training_log.ask.date"),
        why=text("training_log.why.date", day=long_date(day)),
        choices=[LogChoice(label=long_date(day), ask={"date": day.isoformat()})],
    )  # fmt: skip
    return day, question


def _whose(people: int) -> LogQuestion:
    some = "some" if people > 1 else "all"
    return LogQuestion(
        name="athlete", question=variant("training_log.ask.athlete", some),
        why=text("training_log.why.athlete"),
    )  # fmt: skip


def _outside(
    loads: Sequence[tuple[str | None, Load]], screened: date, asked: LogAsked
) -> Iterator[LogQuestion]:
    """Whether days before the first session or after the last one were days without training."""
    short = [load for _, load in loads if any(not v.is_covered for v in load.values.values())]
    if not short or asked.outside is not None:
        return
    first = min(load.first_day for load in short if load.first_day)
    last = max(load.last_day for load in short if load.last_day)
    yield LogQuestion(
        name="outside",
        question=text("training_log.ask.outside", first=long_date(first), last=long_date(last)),
        why=text("training_log.why.outside", screened=long_date(screened)),
        choices=[
            LogChoice(
                label=text("training_log.choice.no_training"), ask={"outside": "no_training"}
            ),
            LogChoice(label=text("training_log.choice.not_known"), ask={"outside": "not_known"}),
        ],
    )


# -- one athlete ---------------------------------------------------------------------------------


def _athlete(
    name: str | None, load: Load, screened: date, questions: Sequence[LogQuestion], asked: LogAsked
) -> AthleteLoad:
    measures, notes = [], []
    for measure, value in load.values.items():
        if not value.is_covered and asked.outside == "not_known":
            notes.append(text("training_log.note.not_covered", label=columns()[measure].label))
            continue
        told = _measure(measure, value, questions)
        if columns()[measure].violation(told.value):
            notes.append(text("training_log.note.beyond", label=told.label, value=f"{told.value:g}",
                              allowed=columns()[measure].allowed))  # fmt: skip
            continue
        measures.append(told)
    if load.later:
        notes.append(plural("training_log.note.later", load.later, day=long_date(screened)))
    if load.without_time and "training_hours_per_week" in load.values:
        notes.append(plural("training_log.note.without_time", load.without_time))
    settled = {told.measure: told.value for told in measures if told.waits_for is None}
    return AthleteLoad(
        athlete=name, date=screened.isoformat(), sessions=load.before, later=load.later,
        first_day=load.first_day.isoformat() if load.first_day else None,
        last_day=load.last_day.isoformat() if load.last_day else None,
        measures=measures, notes=notes, screening={"athlete": settled} if settled else {},
        weeks=[
            LogWeek(**week._asdict() | {"first_day": week.first_day.isoformat(),
                                        "last_day": week.last_day.isoformat()})
            for week in load.weeks
        ],
    )  # fmt: skip


def _measure(name: str, value: LoadValue, questions: Sequence[LogQuestion]) -> LogMeasure:
    measure = columns()[name]
    open_names = [q.name for q in questions if q.name != "outside" or not value.is_covered]
    waiting = [question for question in open_names if waits(name, question)]
    how = variant(
        "training_log.how", name, of=f"{value.of:.4g}", against=f"{value.against:.4g}",
        sessions=value.sessions, first=long_date(value.first_day), last=long_date(value.last_day),
    )  # fmt: skip
    return LogMeasure(
        measure=name, label=measure.label, value=round(value.value, _DIGITS.get(name, 2)),
        unit=getattr(measure, "unit", ""), first_day=value.first_day.isoformat(),
        last_day=value.last_day.isoformat(), sessions=value.sessions, how=how,
        definition=measure.protocol, source=measure.source,
        waits_for=waiting[0] if waiting else None,
    )  # fmt: skip


def waits(measure: str, question: QuestionName) -> bool:
    """Whether a measure waits for the answer to a question."""
    return measure in _WAITING.get(question, frozenset({measure}))


def long_date(day: date) -> str:
    """`5 May 2026`."""
    return f"{day.day} {day:%B %Y}"


def _notes(read: Sequence[tuple[LogFile, FileSessions]]) -> Iterator[str]:
    unread = sum(found.unread for _, found in read)
    if unread:
        yield plural("training_log.note.unread", unread)
    kinds = {sport.kind for file, _ in read for sport in file.sports}
    if kinds and "strength" not in kinds:
        yield text("training_log.note.no_strength")
    if kinds == {"running"}:
        yield text("training_log.note.only_runs")
