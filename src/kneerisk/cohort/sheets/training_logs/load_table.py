"""The load of each athlete in words for the command line, and as a table beside a squad's sheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE, guarded
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogQuestion
from kneerisk.errors import CohortRefused
from kneerisk.schema import columns
from kneerisk.words import text, variant


def told(answer: LogAnswer) -> str:
    """What a log says, line by line."""
    return "\n".join(_lines(answer))


def _lines(answer: LogAnswer) -> Iterator[str]:
    for load in answer.athletes:
        who = load.athlete or text("training_log.told.nobody")
        yield text("training_log.told.heading", athlete=who, date=load.date, sessions=load.sessions)
        for measure in load.measures:
            status = "asked" if measure.waits_for else "settled"
            line = variant(
                "training_log.told.measure", status, label=measure.label,
                value=f"{measure.value:g}", unit=measure.unit, how=measure.how,
            )  # fmt: skip
            yield f"  {line}"
        yield from (f"  {note}" for note in load.notes)
    yield from answer.notes
    for file in answer.files:
        for left in file.left_out:
            yield text("training_log.told.left_out", file=file.label, count=left.count,
                       reason=left.message)  # fmt: skip
    for question in answer.questions:
        yield from _asked(question)


def _asked(question: LogQuestion) -> Iterator[str]:
    yield text("training_log.told.question", name=question.name, question=question.question,
               why=question.why)  # fmt: skip
    for choice in question.choices:
        (name, value), *_ = choice.ask.items()
        if isinstance(value, dict):
            (word, value), *_ = value.items()
            name = f"{name}.{word}"
        shown = str(value).lower() if isinstance(value, bool) else value
        option = f"{name}={shown}"
        yield f"  {text('training_log.told.choice', answer=option, label=choice.label)}"


def write_loads(answer: LogAnswer, path: Path) -> None:
    """Write the settled measures as CSV, one row for each athlete.

    Parameters
    ----------
    answer
        What the logs say.
    path
        The file to write.

    Raises
    ------
    CohortRefused
        Where a question is still open, or the file can't be written.
    """
    if answer.questions:
        asked = "\n".join(line for question in answer.questions for line in _asked(question))
        raise CohortRefused(text("training_log.answer_first", asked=asked))
    found = {name for load in answer.athletes for name in load.screening.get("athlete", {})}
    names = [name for name in columns() if name in found]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([ATHLETE_ID, SCREENING_DATE, *names])
            for load in answer.athletes:
                values = load.screening.get("athlete", {})
                row = [load.athlete, load.date, *(values.get(name, "") for name in names)]
                writer.writerow(map(guarded, row))
    except OSError as error:
        reason = error.strerror
        raise CohortRefused(text("cohort.file.unwritable", file=path, reason=reason)) from None
