"""`kneerisk tune`: cohort -> study of settings -> winner against the defaults -> challenger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import (
    DEFAULT_ATHLETES,
    DEFAULT_SEED,
    TRAIN_PANEL,
    Athletes,
    CohortFile,
    Dask,
    Json,
    Measures,
    Seed,
    examples,
)

if TYPE_CHECKING:
    from kneerisk.training.tuning.search import SearchPlan

app = typer.Typer()


@app.command(
    help=text("help.tune.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples(
        "tune --data club.parquet --trials 40 --study club",
        "tune --athletes 5000 --trials 30 --workers 2",
    ),
)
def tune(
    data: CohortFile = None,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    measures: Measures = None,
    trials: Annotated[int, typer.Option(min=1, help=text("help.tune.trials"))] = 30,
    workers: Annotated[int, typer.Option(min=1, help=text("help.tune.workers"))] = 1,
    study: Annotated[str, typer.Option(help=text("help.tune.study"))] = "study",
    timeout: Annotated[int | None, typer.Option(min=1, help=text("help.tune.timeout"))] = None,
    dask: Dask = None,
    as_json: Json = False,
) -> None:
    """Search for settings and print the winner."""
    from kneerisk.training.tuning.search import SearchPlan
    from kneerisk.training.tuning.winner import describe_result

    plan = SearchPlan(study, trials, workers, timeout, dask)
    with console.own_measures(measures), console.progress() as progress:
        result = tune_settings(data, athletes, seed, plan, progress)
    console.result(result, as_json, describe_result(result))


def tune_settings(
    data: Path | None, athletes: int, seed: int, plan: SearchPlan, progress: Progress
) -> dict[str, Any]:
    """Search settings on a file's or simulated athletes, or continue the search.

    Parameters
    ----------
    data
        A canonical cohort file; None simulates.
    athletes
        How many to simulate.
    seed
        Of the simulation.
    plan
        How the study is worked at.
    progress
        Called with what is being done.

    Returns
    -------
    `version` (None where the defaults stay), `run_id` of the winner, `parent_run_id`, `study`,
    `trials`, `best` and `metrics`.
    """
    from kneerisk.training.tracking import require_store

    require_store(Path.cwd())
    from kneerisk.cohort.splits import train_test_split
    from kneerisk.training.leakage.leakage_checks import refuse_unsound
    from kneerisk.training.provenance import Source, load
    from kneerisk.training.tuning.search import Search
    from kneerisk.training.tuning.winner import record_winner
    from kneerisk.workers.dask_cluster import scheduler_at, workers_at

    with scheduler_at(plan.dask) as dask, workers_at(dask) as workers:
        plan, source = replace(plan, dask=dask), Source.of(data, athletes, seed)
        progress(event("reading_cohort") if data else event("simulating", athletes=athletes))
        cohort, truth = load(source)
        progress(event("checking_cohort"))
        refuse_unsound(cohort, *train_test_split(cohort), true=truth is not None)
        search = Search.open(plan, Path.cwd(), source, (cohort, truth))
        if finished := search.study.finished:
            left = max(0, plan.trials - finished)
            progress(event("continuing_study", study=plan.study, finished=finished, left=left))
        with search.parent_run() as (tracking, runs):
            search.run_trials(runs, progress, console.say, workers)
            return record_winner(search, tracking, runs, progress, workers)
