"""`kneerisk outcomes`: logs of outcomes into one table of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.words import plural, text
from pipelines import console
from pipelines.open_records import open_records
from pipelines.options import Json, examples

if TYPE_CHECKING:
    from kneerisk.records.outcome_logs.outcome_events import OutcomeLog

app = typer.Typer(help=text("help.outcomes.command"), no_args_is_help=True)


@app.callback()
def outcomes() -> None:
    """Keep the commands of outcomes together, however many there are."""


@app.command(
    "import",
    help=text("help.outcomes.import.command"),
    epilog=examples(
        "outcomes import weekly.csv --out events.csv --check-ins check-ins.csv",
        "outcomes import cases.csv exposure.csv players.csv --mapping club.toml --out events.csv",
        'outcomes import weekly.csv --mapping club.toml --club "Harbour FC"',
    ),
)
def import_(
    files: Annotated[list[Path], typer.Argument(help=text("help.outcomes.import.files"))],
    out: Annotated[Path | None, typer.Option(help=text("help.outcomes.import.out"))] = None,
    mapping: Annotated[Path | None, typer.Option(help=text("help.outcomes.import.mapping"))] = None,
    check_ins: Annotated[
        Path | None, typer.Option(help=text("help.outcomes.import.check_ins"))
    ] = None,
    exposure: Annotated[
        Path | None, typer.Option(help=text("help.outcomes.import.exposure"))
    ] = None,
    club: Annotated[str | None, typer.Option(help=text("help.outcomes.import.club"))] = None,
    as_json: Json = False,
) -> None:
    """Read outcome logs, and write their events once nothing is open."""
    from kneerisk.errors import CohortRefused
    from kneerisk.records.outcome_logs import event_table
    from kneerisk.records.outcome_logs.outcome_mapping import OutcomeMapping, read_outcome_mapping
    from kneerisk.records.outcome_logs.read_outcomes import read_outcome_logs

    outputs = [path for path in (out, check_ins, exposure) if path is not None]
    if out is None and club is None:
        raise CohortRefused(text("outcome_log.record.nowhere"))
    _refuse_overwriting([*files, *([mapping] if mapping else [])], outputs)
    stated = read_outcome_mapping(mapping) if mapping else OutcomeMapping()
    log = read_outcome_logs(files, stated)
    result = {"out": out and str(out), "club": club, **event_table.summary(log)}
    if log.questions:
        if as_json:
            console.result(result, as_json)
        raise CohortRefused(event_table.asked(log))
    done = [_record(log, club, result)] if club is not None else []
    _write(log, out, check_ins, exposure)
    done += [plural("outcome_log.told.done", len(log.events), file=out)] if out else []
    console.result(result, as_json, "\n".join([*done, *event_table.told(log)]))


def _record(log: OutcomeLog, club: str, result: dict[str, Any]) -> str:
    """Write a log into the records; what was done, in words."""
    with open_records() as database:
        from kneerisk.records.recorded_log import record_log

        counts = record_log(database, club, log, datetime.now(UTC)).as_dict()
    result["recorded"] = counts
    told = [text("outcome_log.record.done", club=club, **counts)]
    if counts["exposure_days"]:
        told.append(text("outcome_log.record.exposure", **counts))
    if counts["unknown_athletes"]:
        told.append(text("outcome_log.record.unknown", **counts))
    return "\n".join(told)


def _write(
    log: OutcomeLog, out: Path | None, check_ins: Path | None, exposure: Path | None
) -> None:
    from kneerisk.records.outcome_logs import event_table as table

    tables: list[tuple[Path | None, list[dict[str, Any]], Sequence[str]]] = [
        (out, [table.event_row(one) for one in log.events], table.EVENT_COLUMNS),
        (check_ins, [table.check_in_row(one) for one in log.check_ins], table.CHECK_IN_COLUMNS),
        (exposure, [table.exposure_row(one) for one in log.exposure], table.EXPOSURE_COLUMNS),
    ]
    for path, rows, columns in tables:
        if path is not None:
            console.write_table(_frame(rows, columns), path)


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(columns))
    # Whole numbers with gaps stay whole.
    return frame.convert_dtypes()


def _refuse_overwriting(inputs: Sequence[Path], outputs: Sequence[Path]) -> None:
    from kneerisk.cohort.file_rows import suffix_of
    from kneerisk.errors import CohortRefused

    used = [path.resolve() for path in inputs]
    for path in outputs:
        if path.suffix.lower() != ".xlsx":
            suffix_of(path)
        if path.resolve() in used:
            raise CohortRefused(text("command_line.ingest.same_file", file=path))
        used.append(path.resolve())
