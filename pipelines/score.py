"""`kneerisk score`: file of screenings -> champion -> file of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import (
    MODELS,
    RELEASE_PANEL,
    Dask,
    Json,
    Measures,
    Models,
    Out,
    examples,
)

if TYPE_CHECKING:
    import pandas as pd

    from kneerisk.cohort.sheets.sheet_screenings import SheetScreening
    from kneerisk.model import Bundle
    from kneerisk.schema import Screening
    from kneerisk.workers.this_process import Workers

app = typer.Typer()


@app.command(
    help=text("help.score.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples(
        "score cohort.csv --out answers.csv",
        "score club.xlsx --sheet --out scored.xlsx",
        "score club.csv --mapping club.toml --out scored.csv",
        "score people.csv force-frame.csv --sheet --out scored.xlsx",
    ),
)
def score(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help=text("help.score.files"))
    ],
    out: Out,
    models: Models = MODELS,
    measures: Measures = None,
    sheet: Annotated[bool, typer.Option("--sheet", help=text("help.score.sheet"))] = False,
    mapping: Annotated[Path | None, typer.Option(help=text("help.score.mapping"))] = None,
    drivers: Annotated[bool, typer.Option("--drivers", help=text("help.score.drivers"))] = False,
    next_test: Annotated[
        bool, typer.Option("--next-test", help=text("help.score.next_test"))
    ] = False,
    dask: Dask = None,
    as_json: Json = False,
) -> None:
    """Answer a file of screenings, or a club's own sheet."""
    with console.own_measures(measures), console.progress() as progress:
        if (drivers or next_test or dask) and (sheet or mapping):
            raise typer.BadParameter(text("command_line.score.not_of_a_sheet"))
        if sheet or mapping:
            result = score_sheet(files, mapping, out, models, progress)
        elif len(files) > 1:
            raise typer.BadParameter(text("command_line.score.one_file"))
        else:
            result = score_file(
                files[0], out, models, progress, drivers=drivers, next_test=next_test, dask=dask
            )
    screenings = f"{result['screenings']:,}"
    summary = text(
        "command_line.score.done", screenings=screenings, version=result["version"], file=out
    )
    left = result.get("not_scored")
    not_scored = text("command_line.score.not_scored", count=left) if left else None
    without = result.get("cells_left_out")
    cells = text("command_line.score.cells_left_out", count=without) if without else None
    lines = filter(None, (summary, not_scored, cells, result.get("validation")))
    console.result(result, as_json, "\n".join(lines))


def score_file(
    file: Path,
    out: Path,
    models: Path,
    progress: Progress,
    *,
    drivers: bool = False,
    next_test: bool = False,
    dask: str | None = None,
) -> dict[str, Any]:
    """Answer every screening of a file.

    Parameters
    ----------
    file
        A canonical file of screenings.
    out
        The file of answers, CSV or Parquet.
    models
        The folder of released models.
    progress
        Called with what is being done.
    drivers
        Whether the strongest drivers of each knee are wanted too.
    next_test
        Whether the test that is worth most to each screening is wanted too.
    dask
        The address of a cluster's scheduler, or `local`; None is this machine's processes.

    Returns
    -------
    The file, how many `screenings`, the `version` that answered, and of a model of people its
    `validation`.
    """
    import pandas as pd

    from kneerisk.batch.scored_chunk import LINE, packed
    from kneerisk.batch.scored_file import score_in_chunks, write_answers
    from kneerisk.cohort.file_rows import suffix_of
    from kneerisk.schema.own_measures import own_measures_in_force
    from kneerisk.training.registry.versions import load_version

    is_workbook = out.suffix.lower() == ".xlsx"
    if not is_workbook:
        suffix_of(out)
    bundle = load_version(models)
    progress(event("reading_file", file=file))
    model = packed(bundle, own_measures_in_force(), drivers=drivers, next_test=next_test)
    with _workers(file, dask) as workers:
        run = score_in_chunks(model, file, out, workers, progress)
    if not is_workbook:
        return _result(bundle, out, write_answers(run, out))
    frame = pd.concat([table.drop_columns([LINE]).to_pandas() for table in run.tables()])
    console.write_table(frame, out)
    run.clear()
    return _result(bundle, out, len(frame))


@contextmanager
def _workers(file: Path, dask: str | None) -> Iterator[Workers]:
    """A cluster, or as many processes of this machine as the file has work for."""
    from functools import partial

    from kneerisk.cohort.file_chunks import CHUNK_ROWS, row_count
    from kneerisk.workers.dask_cluster import dask_workers
    from kneerisk.workers.worker_processes import cores, in_processes

    if dask is not None:
        with dask_workers(dask) as workers:
            yield workers
    else:
        # A process takes a second to start, which a chunk must be worth.
        yield partial(in_processes, workers=min(cores(), row_count(file) // CHUNK_ROWS))


def score_sheet(
    files: Sequence[Path], mapping: Path | None, out: Path, models: Path, progress: Progress
) -> dict[str, Any]:
    """Answer every athlete of a club's own sheet; what was measured stands beside the answers.

    Parameters
    ----------
    files
        CSV, tab-separated, Excel or OpenDocument files of one squad, without outcomes.
    mapping
        The mapping file that says what its columns mean; None where it says so itself.
    out
        The file of answers, CSV, Excel file or Parquet; it comes back through the import.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    As of `score_file`, how many rows were `not_scored`, and how many without some cells.
    """
    from kneerisk.cohort.sheets.sheet_screenings import screenings_in
    from kneerisk.training.registry.versions import load_version

    bundle = load_version(models)
    first, *others = files
    progress(event("reading_file", file=first))
    with bundle.model.own.also_in_force():
        return _score_visits(bundle, screenings_in(first, mapping, *others), out, progress)


def _score_visits(
    bundle: Bundle, visits: list[SheetScreening], out: Path, progress: Progress
) -> dict[str, Any]:
    """Answer every visit of a sheet, and write them with what was measured."""
    import pandas as pd

    from kneerisk.cohort.layout import ATHLETE_ID, SCREENING_DATE

    scored = [visit.screening for visit in visits if visit.screening is not None]
    answered = iter(_answers(bundle, scored, progress))
    rows = [
        {ATHLETE_ID: visit.athlete, SCREENING_DATE: visit.date}
        | ({} if visit.screening is None else next(answered) | _measured(visit.screening))
        | {
            "line": visit.line,
            "not_scored": "; ".join(visit.reasons) or None,
            "cells_left_out": "; ".join(visit.left_out) or None,
        }
        for visit in visits
    ]
    console.write_table(_in_order(pd.DataFrame(rows)), out)
    return _result(bundle, out, len(scored)) | {
        "not_scored": len(visits) - len(scored),
        "cells_left_out": sum(bool(visit.left_out) for visit in visits),
    }


def _measured(screening: Screening) -> dict[str, Any]:
    """What was measured, as a row of a cohort has it, with the red flags that were asked."""
    from kneerisk.cohort.layout import RED_FLAGS_COLUMN
    from kneerisk.schema import to_row

    return to_row(screening) | {RED_FLAGS_COLUMN: _asked(screening)}


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Who and when, what was measured, then the answers."""
    from kneerisk.cohort.layout import row_columns

    first = [name for name in row_columns() if name in frame]
    return frame[[*first, *(name for name in frame if name not in first)]]


def _answers(
    bundle: Bundle, screenings: list[Screening], progress: Progress
) -> Iterator[dict[str, Any]]:
    """The answers as rows, in the order of the screenings."""
    import numpy as np
    import pandas as pd

    from kneerisk.answer.score_columns import score_columns
    from kneerisk.schema import coded

    if screenings:
        progress(event("answering", number=1, total=len(screenings)))
        asked = np.array([_asked(screening) for screening in screenings], dtype=object)
        frame = pd.DataFrame(score_columns(bundle, coded(screenings), asked), dtype=object)
        yield from frame.where(frame.notna(), None).to_dict("records")  # type: ignore[misc]


def _asked(screening: Screening) -> str | None:
    """The red flags that were asked, as a file has them."""
    return None if screening.red_flags is None else ";".join(screening.red_flags) or "none"


def _result(bundle: Bundle, out: Path, count: int) -> dict[str, Any]:
    from kneerisk.answer.compose_answer import validated_on

    result = {"file": str(out), "screenings": count, "version": bundle.metadata.version}
    if bundle.metadata.cohort == "simulated":
        return result
    return {**result, "validation": validated_on(bundle.metadata)}
