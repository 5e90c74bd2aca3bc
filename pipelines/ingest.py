"""`kneerisk ingest`: published files or a club's sheet into the canonical cohort file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.words import text
from pipelines import console
from pipelines.options import Json, Measures, examples

if TYPE_CHECKING:
    from kneerisk.cohort.ingest_result import Ingested
    from kneerisk.cohort.sheets.file_parts import SheetUnmatched

app = typer.Typer(help=text("help.ingest.command"), no_args_is_help=True)
#: So many cells that were left out are listed; a report has all (assumption: more scroll away).
_MOST_CELLS = 20

Out = Annotated[Path, typer.Option(help=text("help.ingest.out"))]
Report = Annotated[Path | None, typer.Option(help=text("help.ingest.report"))]


@app.command(
    help=text("help.ingest.ric.command"),
    epilog=examples(
        "ingest ric --metadata run_data_meta.csv --kinematics run_kinematics.csv --out ric.parquet"
    ),
)
def ric(
    metadata: Annotated[Path, typer.Option(help="run_data_meta.csv")],
    kinematics: Annotated[Path, typer.Option(help="run_kinematics.csv")],
    out: Out,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Ingest the two files of the Running Injury Clinic."""
    from kneerisk.cohort.published import ric as published

    _refuse_overwriting((metadata, kinematics), (out, report))
    _write(published.ingest(metadata, kinematics), out, report, as_json=as_json)


@app.command(
    help=text("help.ingest.weightlifters.command"),
    epilog=examples("ingest weightlifters wlinj.csv --out lifters.parquet"),
)
def weightlifters(
    file: Annotated[Path, typer.Argument(help="wlinj.csv")],
    out: Out,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Ingest the file of the weightlifters."""
    from kneerisk.cohort.published import weightlifters as published

    _refuse_overwriting((file,), (out, report))
    _write(published.ingest(file), out, report, as_json=as_json)


@app.command(
    help=text("help.ingest.sheet.command"),
    epilog=examples(
        "ingest sheet club.csv --propose club.toml",
        "ingest sheet club.csv --mapping club.toml --out club.parquet",
        "ingest sheet club.xlsx --mapping club.toml --out club.parquet --skip-bad-rows bad.csv",
        "ingest sheet people.csv force-frame.csv nordic.csv --propose squad.toml",
    ),
)
def sheet(
    files: Annotated[list[Path], typer.Argument(help=text("help.ingest.sheet.files"))],
    mapping: Annotated[Path | None, typer.Option(help=text("help.ingest.sheet.mapping"))] = None,
    out: Annotated[Path | None, typer.Option(help=text("help.ingest.out"))] = None,
    propose: Annotated[
        Path | None,
        typer.Option(help=text("help.ingest.sheet.propose")),
    ] = None,
    skip_bad_rows: Annotated[
        Path | None, typer.Option(help=text("help.ingest.sheet.skip_bad_rows"))
    ] = None,
    report: Report = None,
    measures: Measures = None,
    as_json: Json = False,
) -> None:
    """Ingest a club's sheet, or propose a mapping for it."""
    with console.own_measures(measures):
        if propose is not None:
            if {mapping, out, skip_bad_rows, report} != {None}:
                raise typer.BadParameter(text("command_line.ingest.propose_alone"))
            _refuse_overwriting(files, (propose,))
            _propose(files, propose, as_json=as_json)
            return
        if mapping is None or out is None:
            raise typer.BadParameter(text("command_line.ingest.needs_mapping"))
        _ingest(files, mapping, out, skip_bad_rows, report, as_json=as_json)


def _ingest(
    files: Sequence[Path],
    mapping: Path,
    out: Path,
    skip_bad_rows: Path | None,
    report: Path | None,
    *,
    as_json: bool,
) -> None:
    from kneerisk.cohort.ingest_result import write_bad_rows
    from kneerisk.cohort.sheets import club_cohort

    first, *others = files
    _refuse_overwriting((*files, mapping), (out, skip_bad_rows, report))
    ingested = club_cohort.ingest(first, mapping, *others, skip_bad_rows=skip_bad_rows is not None)
    _write(ingested, out, report, as_json=as_json)
    if skip_bad_rows is not None and ingested.bad_rows is not None:
        write_bad_rows(ingested.bad_rows, skip_bad_rows)


@app.command(
    help=text("help.ingest.log.command"),
    epilog=examples(
        "ingest log activities.csv --athlete R1 --date 2026-06-15",
        "ingest log garmin.csv --athlete R1 --date 2026-06-15 --answer distance_unit=km",
        "ingest log squad.csv --date 2026-06-15 --out load.csv",
    ),
)
def log(
    files: Annotated[list[Path], typer.Argument(help=text("help.ingest.log.files"))],
    athlete: Annotated[str | None, typer.Option(help=text("help.ingest.log.athlete"))] = None,
    date: Annotated[str | None, typer.Option(help=text("help.ingest.log.date"))] = None,
    answer: Annotated[list[str] | None, typer.Option(help=text("help.ingest.log.answer"))] = None,
    out: Annotated[Path | None, typer.Option(help=text("help.ingest.log.out"))] = None,
    as_json: Json = False,
) -> None:
    """Work out the load before a screening from training logs."""
    from kneerisk.cohort.sheets.training_logs.load_table import told, write_loads
    from kneerisk.cohort.sheets.training_logs.log_answer import asked_of
    from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs

    _refuse_overwriting(files, (out,))
    read = read_training_logs(files, asked_of({"athlete": athlete, "date": date}, answer or ()))
    if out is not None:
        write_loads(read, out)
    console.result(read.model_dump(exclude_none=True), as_json, told(read))


def _propose(files: Sequence[Path], mapping: Path, *, as_json: bool) -> None:
    from kneerisk.cohort.ingest_result import write_mapping
    from kneerisk.cohort.sheets.undescribed_sheet import recognise_paths

    sheet = recognise_paths(*files)
    write_mapping(sheet.mapping, mapping)
    used = [column for column in sheet.columns if column.applied]
    open_columns = [column for column in sheet.columns if column.question]
    result = {
        "mapping": str(mapping),
        "columns": {column.column: column.means for column in used},
        "questions": {column.column: column.question for column in open_columns},
        "unmatched": [row.model_dump(exclude_none=True) for row in sheet.unmatched],
    }
    lines = [
        text(
            "command_line.ingest.proposed",
            mapping=mapping, used=len(used), all=len(sheet.columns),
        ),
        *(f"  {text('command_line.ingest.asked', question=c.question)}" for c in open_columns),
        *(f"  {_unmatched(row)}" for row in sheet.unmatched),
    ]  # fmt: skip
    console.result(result, as_json, "\n".join(lines))


def _unmatched(row: SheetUnmatched) -> str:
    """A row that stands by itself, and who may be meant."""
    known = text("command_line.ingest.unmatched", place=row.place, file=row.file,
                 athlete=row.athlete or "-", why=row.message)  # fmt: skip
    listed = ", ".join(f"{one.place} {one.athlete}" for one in row.candidates)
    may_be = text("command_line.ingest.may_be", athletes=listed) if listed else ""
    return known + may_be


def _refuse_overwriting(inputs: Sequence[Path], outputs: Sequence[Path | None]) -> None:
    from kneerisk.errors import CohortRefused

    used = [path.resolve() for path in inputs]
    for path in outputs:
        if path is not None and path.resolve() in used:
            raise CohortRefused(text("command_line.ingest.same_file", file=path))
        used += [path.resolve()] if path is not None else []


def _write(ingested: Ingested, out: Path, report: Path | None, *, as_json: bool) -> None:
    from kneerisk.cohort import write
    from kneerisk.cohort.ingest_result import write_report

    write(ingested.cohort, out)
    if report is not None:
        write_report(ingested.blanked, report)
    cohort = ingested.cohort
    result = {"out": str(out), **cohort.constants, **ingested.summary()}
    first = [cell.fault for cell in ingested.blanked[:_MOST_CELLS]]
    cells = [
        text("schema.faults.cell", line=fault.line, column=fault.column, fault=fault.message)
        for fault in first
    ]
    console.result(result, as_json, _summary(result, cells))


def _summary(result: dict[str, Any], cells: Sequence[str]) -> str:
    """The result for people, with the first of the cells that were left out."""
    lines = [
        text(
            "command_line.ingest.outcomes",
            side=side, recorded=result["recorded"][side], events=events,
        )
        for side, events in result["events"].items()
        if result["recorded"][side]
    ]  # fmt: skip
    lines += [
        text("command_line.ingest.left_out", count=count, reason=reason)
        for reason, count in result["dropped"].items()
        if count
    ]
    if result["blanked_cells"]:
        by_column = result["blanked_by_column"].items()
        counts = ", ".join(f"{column} {count}" for column, count in by_column)
        count = result["blanked_cells"]
        lines.append(text("command_line.ingest.blanked", count=count, columns=counts))
        lines += [f"  {cell}" for cell in cells]
        if count > len(cells):
            lines.append(f"  {text('command_line.ingest.blanked_more', count=count - len(cells))}")
    heading = text(
        "command_line.ingest.done",
        file=result["out"],
        rows=result["rows"],
        athletes=result["athletes"],
        cohort_kind=result["cohort_kind"],
        outcome_kind=result["outcome_kind"],
    )
    return "\n  ".join([heading, *lines])
