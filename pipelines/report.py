"""`kneerisk report`: one athlete of a file -> champion -> a page to print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kneerisk.errors import CohortRefused
from kneerisk.progress import Progress, event
from kneerisk.words import plural, text
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Measures, Models, Screenings, examples

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["html", "md"]
Reader = Literal["physio", "athlete"]
app = typer.Typer()
#: What a file's name may not hold; such characters of an athlete's id become a hyphen.
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


@app.command(
    help=text("help.report.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples(
        "report club.csv --athlete A17 --out a17.html",
        "report club.csv --athlete A17 --date 2026-03-01 --format md",
        "report club.csv --athlete A17 --for athlete --out a17-plan.html",
    ),
)
def report(
    file: Screenings,
    athlete: Annotated[str, typer.Option(help=text("help.report.athlete"))],
    date: Annotated[str | None, typer.Option(help=text("help.report.date"))] = None,
    out: Annotated[Path | None, typer.Option(help=text("help.report.out"))] = None,
    kind: Annotated[
        Format | None,
        typer.Option("--format", help=text("help.report.format")),
    ] = None,
    reader: Annotated[Reader, typer.Option("--for", help=text("help.report.reader"))] = "physio",
    measures: Measures = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Write the report of one athlete."""
    if reader == "athlete" and (kind or "html") != "html":
        raise typer.BadParameter(text("command_line.report.athlete_in_html"))
    is_markdown = out is not None and out.suffix == ".md" and reader == "physio"
    chosen = kind or ("md" if is_markdown else "html")
    name = _NOT_IN_A_NAME.sub("-", athlete).strip(".-") or "athlete"
    path = out or Path(f"{name}.{chosen}")
    with console.own_measures(measures), console.progress() as progress:
        result = write_report(file, athlete, date, path, chosen, reader, models, progress)
    console.result(result, as_json, text("command_line.report.done", file=path))


def write_report(
    file: Path,
    athlete: str,
    date: str | None,
    out: Path,
    kind: Format,
    reader: Reader,
    models: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Write the report of an athlete's last screening, or of the one on a date.

    Parameters
    ----------
    file
        A canonical file of screenings.
    athlete
        The athlete_id.
    date
        Of the screening, such as 2026-03-01; None is the last one.
    out
        The file to write.
    kind
        HTML or Markdown.
    reader
        Whom it is for: the report with its numbers, or the athlete's sheet.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    The file, the `status`, the `screening_date` and the `version`.
    """
    from kneerisk.answer import answer
    from kneerisk.answer.hand_out import hand_out_html
    from kneerisk.answer.report import report_html, report_markdown
    from kneerisk.cohort import read_screenings
    from kneerisk.training.registry.versions import load_version
    from pipelines.console import write_text

    bundle = load_version(models)
    progress(event("reading_file", file=file))
    with bundle.model.own.also_in_force():
        frame, screenings = read_screenings(file)
        row = row_of(frame, athlete, date, file)
        screening_date = _dates(frame)[row] or None
        progress(event("writing_report"))
        result = answer(bundle, screenings[row])
        if reader == "athlete":
            write_text(hand_out_html(result, screenings[row], date=screening_date), out)
        else:
            render = {"html": report_html, "md": report_markdown}[kind]
            write_text(render(result, screenings[row], athlete, screening_date), out)
    return {
        "file": str(out),
        "status": result.risk.status,
        "screening_date": screening_date,
        "version": bundle.metadata.version,
    }


def row_of(frame: pd.DataFrame, athlete: str, date: str | None, file: Path) -> int:
    """The athlete's row: the one of the date, else the last by date.

    Parameters
    ----------
    frame
        One row a screening.
    athlete
        The athlete_id.
    date
        The beginning of a date, or None.
    file
        Where the frame is from, for the error.

    Returns
    -------
    The row's position.

    Raises
    ------
    CohortRefused
        Where there is none. It never says who else is in the file.
    """
    from pandas import Series

    ids = frame["athlete_id"].astype(str) if "athlete_id" in frame else Series(dtype=str)
    rows = [row for row, name in enumerate(ids) if name == athlete]
    if not rows:
        count = ids.nunique()
        raise CohortRefused(
            plural("command_line.report.no_athlete", count, file=file, total=f"{count:,}")
        )
    dates = _dates(frame)
    on_date = [row for row in rows if date is None or dates[row].startswith(date)]
    if not on_date:
        raise CohortRefused(plural("command_line.report.not_on_date", len(rows), file=file))
    return max(on_date, key=lambda row: (dates[row], row))


def _dates(frame: pd.DataFrame) -> list[str]:
    """The date of each row as text; empty where there is none."""
    if "screening_date" not in frame:
        return [""] * len(frame)
    dates = frame["screening_date"]
    return ["" if missing else str(date) for date, missing in zip(dates, dates.isna(), strict=True)]
