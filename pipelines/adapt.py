"""`kneerisk adapt`: champion + a club's cohort -> updated, compared model -> challenger.

Or champion + a club's count -> the same model with an updated base rate -> challenger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text, variant
from pipelines import console
from pipelines.adapt_clubs import CLUBS_TABLE, adapt_clubs, clubs_summary
from pipelines.hazard_lines import hazard_lines
from pipelines.options import (
    DEFAULT_REFITS,
    MODELS,
    TRAIN_PANEL,
    Dask,
    Json,
    Measures,
    Models,
    Refits,
    Weeks,
    examples,
)

app = typer.Typer()
#: The most athletes that a count may be of, as in a request's `setting`.
MOST_COUNTED = 100_000
_ROWS = {"cv_": "adapted", "cv_as_is_": "as_is", "cv_scratch_": "from_scratch"}


@app.command(
    help=text("help.adapt.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "adapt --data club.parquet",
        "adapt --data club.parquet --model kneerisk-new_pain-12m-v3",
        "adapt --data clubs/ --table clubs.csv --dask tcp://10.0.0.5:8786",
        "adapt --outcomes 14 --of 60",
    ),
)
def adapt(
    data: Annotated[
        Path | None,
        typer.Option("--data", exists=True, help=text("help.adapt.data")),
    ] = None,
    outcomes: Annotated[
        int | None, typer.Option("--outcomes", help=text("help.adapt.outcomes"))
    ] = None,
    of: Annotated[int | None, typer.Option("--of", help=text("help.adapt.of"))] = None,
    model: Annotated[str | None, typer.Option("--model", help=text("help.adapt.model"))] = None,
    weeks: Weeks = None,
    measures: Measures = None,
    refits: Refits = DEFAULT_REFITS,
    table: Annotated[Path, typer.Option("--table", help=text("help.adapt.table"))] = CLUBS_TABLE,
    models: Models = MODELS,
    dask: Dask = None,
    as_json: Json = False,
) -> None:
    """Adapt a version to a club and print how it compares."""
    if (data is None) == (outcomes is None and of is None):
        raise typer.BadParameter(text("command_line.adapt.one_way"))
    with console.own_measures(measures), console.progress() as progress:
        if data is not None and data.is_dir():
            if weeks is not None:
                raise typer.BadParameter(text("command_line.adapt.one_club"))
            result = adapt_clubs(data, model, models, progress, table, refits, dask)
            lines = clubs_summary(result)
        elif data is not None:
            result = adapt_model(data, model, models, progress, refits, weeks, dask)
            lines = summary(result)
        else:
            result = adapt_to_count(*checked_count(outcomes, of), model, models, progress)
            lines = count_summary(result)
    console.result(result, as_json, *lines)


def checked_count(outcomes: int | None, of: int | None) -> tuple[int, int]:
    """A count that can be one; a usage error says what is wrong with any other."""
    if outcomes is None or of is None:
        raise typer.BadParameter(text("command_line.adapt.count_needs_both"))
    if not 0 <= outcomes <= of <= MOST_COUNTED or of < 1:
        raise typer.BadParameter(text(
            "command_line.adapt.bad_count",
            outcomes=f"{outcomes:,}", of=f"{of:,}", most=f"{MOST_COUNTED:,}",
        ))  # fmt: skip
    return outcomes, of


def adapt_model(
    data: Path,
    version: str | None,
    models: Path,
    progress: Progress,
    refits: int = DEFAULT_REFITS,
    weeks: Path | None = None,
    dask: str | None = None,
) -> dict[str, Any]:
    """Update a version (the champion, if none is named) by a club's file.

    Parameters
    ----------
    data
        The club's canonical cohort file.
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    models
        The folder of released models.
    progress
        Called with what is being done.
    refits
        How often the version is updated again in bootstrap samples of the club's athletes.
    weeks
        The file of the cohort's weeks, where follow-up was weekly.
    dask
        The address of a cluster's scheduler, or `local`; None is this process.

    Returns
    -------
    `version` and `run_id` (both None where the champion is kept as it is), `base`, `step`, `needs`,
    `metrics`, and with weeks `proposed`: which of the risk and the hazard does better.
    """
    from kneerisk.training.tracking import require_store

    require_store(Path.cwd())
    from kneerisk.cohort.knee_weeks import read_weeks
    from kneerisk.training.new_versions.adapted_version import adapt_version
    from kneerisk.training.provenance import Source, load
    from kneerisk.training.registry.versions import load_version
    from kneerisk.training.updating.count_updating import refuse_counted
    from kneerisk.training.updating.hazard_beside import proposal
    from kneerisk.workers.dask_cluster import workers_at

    base = load_version(models, version)
    refuse_counted(base)
    source = Source(path=data.resolve())
    with base.model.own.also_in_force(), workers_at(dask) as workers:
        progress(event("reading_club"))
        club, _ = load(source)
        of_knees = None if weeks is None else read_weeks(weeks, club)
        adapted = adapt_version(base, source, club, refits, progress, of_knees, workers)
    logged = adapted.logged
    return {
        "version": logged and logged.version, "run_id": logged and logged.run_id,
        "base": base.metadata.version, "step": adapted.updated.step,
        "needs": adapted.updated.needs, "metrics": adapted.metrics,
        **({} if weeks is None else {"proposed": proposal(adapted.metrics)}),
    }  # fmt: skip


def adapt_to_count(
    outcomes: int, of: int, version: str | None, models: Path, progress: Progress
) -> dict[str, Any]:
    """Update the base rate of a version (the champion, if none is named) by a club's count.

    Parameters
    ----------
    outcomes
        How many of the counted athletes had knee pain within 12 months.
    of
        How many were counted.
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    `version`, `run_id`, `base`, `step`, `needs`, `count`, the `base_rate` of either knee before and
    after, empty `metrics`, and the `verdict` of the gates that need no champion.
    """
    from kneerisk.training.tracking import Tracking, require_store

    require_store(Path.cwd())
    from kneerisk.model.base_rates import Count
    from kneerisk.training.registry.count_record import STEP, log_count
    from kneerisk.training.registry.versions import load_version
    from kneerisk.training.updating.count_updating import update_by_count

    base = load_version(models, version)
    progress(event("updating", version=base.metadata.version))
    counted = update_by_count(base, Count(outcomes, of))
    progress(event("logging_run"))
    logged, verdict = log_count(Tracking(Path.cwd()), counted)
    return {
        "version": logged.version, "run_id": logged.run_id, "base": base.metadata.version,
        "step": STEP, "needs": text("training.adapt.no_screening"), "metrics": {},
        "count": {"outcomes": outcomes, "of": of},
        "base_rate": {"before": counted.rate_before, "after": counted.rate_after},
        "verdict": verdict,
    }  # fmt: skip


def count_summary(result: dict[str, Any]) -> list[str | console.Table]:
    """The result of a count for a person."""
    count = {name: f"{number:,}" for name, number in result["count"].items()}
    rates = {name: f"{100.0 * rate:.1f}" for name, rate in result["base_rate"].items()}
    return [
        text("command_line.adapt.counted", version=result["version"], run=result["run_id"],
             base=result["base"], **count),
        text("command_line.adapt.base_rate", **rates),
        *(text("command_line.adapt.not_promoted", reason=gate["told"])
          for gate in result["verdict"]["gates"] if not gate["passed"]),
        text("command_line.adapt.request_replaces"),
        result["needs"],
    ]  # fmt: skip


def summary(result: dict[str, Any]) -> list[str | console.Table]:
    """The result for a person."""
    from pipelines.console import left_out_table, metrics_table

    metrics, base = result["metrics"], result["base"]
    outcome = text("command_line.adapt.unchanged", base=base)
    if result["version"] is not None:
        corrected = variant("command_line.adapt.corrected", result["step"])
        outcome = text(
            "command_line.adapt.challenger",
            version=result["version"], run=result["run_id"], base=base, corrected=corrected,
        )  # fmt: skip
    lines: list[str | console.Table] = [
        outcome,
        result["needs"],
        *left_out_table(metrics, {f"ie{prefix}": row for prefix, row in _ROWS.items()}),
        metrics_table(metrics, _ROWS, text("command_line.table.cross_validated")),
    ]
    if "cv_scratch_log_loss" not in metrics:
        lines.append(text("command_line.adapt.too_few"))
    if "instability_mape" in metrics:
        lines.append(text(
            "command_line.adapt.instability", refits=f"{metrics['instability_refits']:.0f}",
            points=f"{100.0 * metrics['instability_mape']:.1f}",
        ))  # fmt: skip
    if "cv_log_loss_over_as_is" in metrics:
        more, error = (metrics[f"cv_log_loss_over_as_is{end}"] for end in ("", "_error"))
        lines.append(text(
            "command_line.adapt.difference", difference=f"{more:+.4f}", error=f"{error:.4f}"
        ))  # fmt: skip
    return [*lines, *hazard_lines(metrics, result.get("proposed"))]
