"""`kneerisk compare`: runs by id, version or cohort -> their metrics side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.words import text
from pipelines import console
from pipelines.console import Cell, Table
from pipelines.options import TRAIN_PANEL, Json, examples

if TYPE_CHECKING:
    from kneerisk.evaluation.comparison import ComparedRun, Comparison, Row

app = typer.Typer()


@app.command(
    help=text("help.compare.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "compare kneerisk-new_pain-12m-v2 kneerisk-new_pain-12m-v3",
        "compare champion challenger",
        "compare 3f2a9c11 b7710d5e --every-metric",
        "compare --cohort 92117db8 --json",
    ),
)
def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help=text("help.compare.runs")),
    ] = None,
    cohort: Annotated[
        str | None,
        typer.Option(help=text("help.compare.cohort")),
    ] = None,
    every_run: Annotated[bool, typer.Option("--all", help=text("help.compare.every_run"))] = False,
    every_metric: Annotated[
        bool, typer.Option("--every-metric", help=text("help.compare.every_metric"))
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the metrics of several runs."""
    from kneerisk.evaluation import comparison
    from kneerisk.training.tracking import Tracking
    from kneerisk.training.tracking.run_lookup import runs_to_compare

    compared = runs_to_compare(
        Tracking(Path.cwd()), runs or [], cohort, every_run=every_run, every_metric=every_metric
    )
    result = comparison.compare(compared, every=every_metric)
    console.result(result.as_dict(), as_json, *summary(result))


def summary(comparison: Comparison) -> list[str | Table]:
    """The result for a person."""
    names = [_heading(run) for run in comparison.runs]
    two = len(names) == 2
    metrics = Table(
        [
            text("command_line.compare.metric"),
            *names,
            *([text("command_line.compare.difference")] if two else []),
        ],
        [
            [row.metric, *_cells(row), *([_difference(row)] if two else [])]
            for row in comparison.rows
        ],
    )
    parameters = [
        [name, *(_short(value or "-") for value in values)]
        for name, values in comparison.params.items()
    ]
    any_best = any(row.best is not None for row in comparison.rows)
    return [
        *comparison.warnings,
        metrics,
        *([text("command_line.compare.best")] if any_best else []),
        Table([text("command_line.compare.made_with"), *names], parameters) if parameters
        else text("command_line.compare.same_parameters"),
        comparison.verdict,
    ]  # fmt: skip


def _heading(run: ComparedRun) -> str:
    alias = f" {run.alias}" if run.alias else ""
    return f"{run.version or run.run_id[:8]}{alias}"


def _cells(row: Row) -> list[str | Cell]:
    return [
        "-" if value is None
        else Cell(f"{_number(value)} *", "bold green") if place == row.best
        else f"{_number(value)}{'  ' if row.best is not None else ''}"
        for place, value in enumerate(row.values)
    ]  # fmt: skip


def _difference(row: Row) -> str:
    first, second = row.values
    if first is None or second is None or first == second:
        return ""
    return f"{second - first:+,.0f}" if _are_whole(first, second) else f"{second - first:+.4f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if _are_whole(value) and abs(value) > 1.0 else f"{value:.4f}"


def _are_whole(*values: float) -> bool:
    return all(float(value).is_integer() for value in values)


def _short(text: str, most: int = 24) -> str:
    """A parameter as far as it tells runs apart at a glance; --json has all of it."""
    if text.count(".") == 1 and text.replace(".", "").isdecimal():
        return f"{float(text):.5g}"
    return text if len(text) <= most else f"{text[: most - 3]}..."
