"""Commands that put a model in service, and answer with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines import console
from pipelines.commands.options import MODELS, Json, Models, Out, Screenings, examples

PANEL = "Release and answer"
app = typer.Typer()


@app.command(
    rich_help_panel=PANEL,
    epilog=examples("promote", "promote kneerisk-new_pain-12m-v3 --json"),
)
def promote(
    version: Annotated[str | None, typer.Argument(help="Default: the only challenger.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The file it was trained on, where that was moved."
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Also replace a champion of another outcome kind.")
    ] = False,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Make a challenger champion, if it passes the gates, and release it to be served."""
    from pipelines.promote import promote_to

    with console.progress() as progress:
        progress("Checking the gates")
        found, lines = promote_to(models, version, data, serve=serve)
    console.result(found, as_json, lines)


@app.command(rich_help_panel=PANEL, epilog=examples("rollback"))
def rollback(models: Models = MODELS, as_json: Json = False) -> None:
    """Serve again what the champion replaced."""
    from pipelines.rollback import rollback_in

    found, lines = rollback_in(models)
    console.result(found, as_json, lines)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples("score club.csv --out answers.csv"),
)
def score(
    file: Screenings,
    out: Out,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Answer every screening of a file, with the numbers that the service gives."""
    from pipelines.score import score_to

    with console.progress() as progress:
        found = score_to(file, out, models, progress)
    lines = f"{found['screenings']:,} screenings answered by {found['version']} in {out}"
    console.result(found, as_json, lines)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "report club.csv --athlete A17 --out a17.html",
        "report club.csv --athlete A17 --date 2026-03-01 --format md",
    ),
)
def report(
    file: Screenings,
    athlete: Annotated[str, typer.Option(help="The athlete_id; the last screening is taken.")],
    date: Annotated[str | None, typer.Option(help="Another screening, such as 2026-03-01.")] = None,
    out: Annotated[Path | None, typer.Option(help="Default: the athlete_id, here.")] = None,
    kind: Annotated[
        Literal["html", "md"] | None,
        typer.Option("--format", help="Default: by the suffix of OUT, else html."),
    ] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Write one athlete's answer as a page to print; the browser makes a PDF of it."""
    from pipelines.report import report_to

    with console.progress() as progress:
        found = report_to(file, athlete, date, out, kind, models, progress)
    console.result(found, as_json, f"The report is in {found['file']}: open it and print it")


@app.command(rich_help_panel=PANEL, epilog=examples("serve", "serve --port 8080 --models released"))
def serve(
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65_535)] = 3000,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 is everywhere.")] = (
        "127.0.0.1"
    ),
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Answer over HTTP until stopped."""
    from pipelines.serve import serve_on

    serve_on(host, port, models, as_json)
