"""`kneerisk runs`: tracked runs -> a list, best calibrated first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.words import text
from pipelines import console
from pipelines.options import TRAIN_PANEL, Json, examples

if TYPE_CHECKING:
    from kneerisk.training.tracking import LoggedRun

app = typer.Typer()
#: As many fit on a screen (assumption).
_LISTED = 20


@app.command(
    help=text("help.runs.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples("runs", "runs --tag season=2027", "runs --cohort 92117db8 --json"),
)
def runs(
    cohort: Annotated[str | None, typer.Option(help=text("help.runs.cohort"))] = None,
    tag: Annotated[list[str] | None, typer.Option(help=text("help.runs.tag"))] = None,
    limit: Annotated[int, typer.Option(min=1, help=text("help.runs.limit"))] = _LISTED,
    as_json: Json = False,
) -> None:
    """List finished runs."""
    from kneerisk.training.new_versions.run_plan import key_values
    from kneerisk.training.tracking import Tracking
    from kneerisk.training.tracking.run_lookup import finished_runs

    wanted = key_values("--tag", tag or ())
    listed = finished_runs(Tracking(Path.cwd()), cohort, wanted, limit)
    result = {"runs": [_as_dict(run) for run in listed]}
    console.result(result, as_json, *_summary(listed))


def _as_dict(run: LoggedRun) -> dict[str, object]:
    return {
        "run_id": run.run_id, "version": run.version, "alias": run.alias, "name": run.name,
        "data_sha256": run.params.get("data_sha256"), "metrics": dict(run.metrics),
    }  # fmt: skip


def _summary(listed: list[LoggedRun]) -> list[str | console.Table]:
    """The runs for a person, or how to make one."""
    if not listed:
        return [text("command_line.runs.none")]
    from kneerisk.evaluation.metric_table import listed as metrics_of_view

    metrics = metrics_of_view("printed")
    heading = [text("command_line.runs.run"), *(metric.column for metric in metrics)]
    rows = [
        [_named(run), *(_value(run, metric.name, metric.digits) for metric in metrics)]
        for run in listed
    ]
    return [console.Table(heading, rows)]


def _named(run: LoggedRun) -> str:
    name = f"{run.version}, {run.name.partition(' ')[2]}" if run.version else run.name
    alias = f" ({run.alias})" if run.alias else ""
    return f"{run.run_id[:8]}  {name}{alias}"


def _value(run: LoggedRun, name: str, digits: int) -> str:
    value = run.metrics.get(name)
    return "-" if value is None else f"{value:.{digits}f}"
