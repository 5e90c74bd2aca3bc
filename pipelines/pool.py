"""`kneerisk pool`: the reports of several clubs -> what they say together, as HTML and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import TRAIN_PANEL, Json, examples

app = typer.Typer()


@app.command(
    help=text("help.pool.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples("pool club-a.json club-b.json club-c.json --out pooled.html"),
)
def pool(
    reports: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help=text("help.pool.reports"))
    ],
    out: Annotated[Path, typer.Option(help=text("help.pool.out"))] = Path("pooled.html"),
    as_json: Json = False,
) -> None:
    """Pool the reports of several clubs and write the page."""
    with console.progress() as progress:
        result = pool_files(reports, out, progress)
    done = text("command_line.validate.done", page=out, numbers=result["numbers"])
    console.result(result, as_json, *result["findings"], done)


def pool_files(files: list[Path], out: Path, progress: Progress) -> dict[str, Any]:
    """Pool validation reports.

    Parameters
    ----------
    files
        The JSON files of `kneerisk validate`.
    out
        The page to write; the numbers go to a .json file beside it.
    progress
        Called with what is being done.

    Returns
    -------
    What they say together, with `run_id`, `findings`, and where `page` and `numbers` are.
    """
    from kneerisk.evaluation.external.pooled_validation import pool_reports
    from kneerisk.evaluation.external.validation_report import numbers_beside, read_reports
    from kneerisk.training.tracking import Tracking, require_store
    from kneerisk.training.validation import validation_record as record
    from kneerisk.training.validation.pooled_page import finding, pooled_html

    numbers = numbers_beside(out, files)
    progress(event("reading_files"))
    reports = read_reports(files)
    pooled = pool_reports(reports, files)
    require_store(Path.cwd())
    page, sentences = pooled_html(pooled), [finding(metric) for metric in pooled.metrics]
    progress(event("logging_run"))
    tracking = Tracking(Path.cwd())
    tags = record.run_tags("pool", pooled.model, pooled.outcome_kind)
    with tracking.start_run(record.pooled_run_name(pooled), tags, "pool") as run:
        record.log_pooled(run, tracking, pooled, page, reports, sentences)
        console.write_text(page, out)
        console.write_text(pooled.as_json(), numbers)
    return {
        "run_id": run.run_id,
        "page": str(out),
        "numbers": str(numbers),
        "findings": sentences,
        "pooled": pooled.flat(),
        **pooled.model_dump(mode="json"),
    }
