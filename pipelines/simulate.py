"""`kneerisk simulate`: simulator -> canonical cohort file, and the truth beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kneerisk.progress import Progress, event
from kneerisk.words import text
from pipelines import console
from pipelines.options import (
    COHORT_PANEL,
    DEFAULT_ATHLETES,
    DEFAULT_SEED,
    Athletes,
    Dask,
    Json,
    Out,
    Seed,
    examples,
)

app = typer.Typer()


@app.command(
    help=text("help.simulate.command"),
    rich_help_panel=COHORT_PANEL,
    epilog=examples(
        "simulate --athletes 5000 --out cohort.parquet",
        "simulate --athletes 400 --base-odds 2 --out club.parquet",
    ),
)
def simulate(
    out: Out,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    base_odds: Annotated[float, typer.Option(help=text("help.simulate.base_odds"))] = 1.0,
    truth: Annotated[Path | None, typer.Option(help=text("help.simulate.truth"))] = None,
    dask: Dask = None,
    as_json: Json = False,
) -> None:
    """Simulate athletes into a cohort file."""
    with console.progress() as progress:
        result = write_simulated(out, athletes, seed, truth, progress, base_odds, dask)
    summary = text(
        "command_line.simulate.done",
        screenings=f"{result['screenings']:,}",
        file=out,
        truth=result["truth"],
    )
    console.result(result, as_json, summary)


def write_simulated(
    out: Path,
    athletes: int,
    seed: int,
    truth: Path | None,
    progress: Progress,
    base_odds: float = 1.0,
    dask: str | None = None,
) -> dict[str, Any]:
    """Write a simulated cohort, and what is true of it beside it or where asked for.

    Parameters
    ----------
    out
        The cohort file, CSV or Parquet.
    athletes
        How many.
    seed
        Of the simulation.
    truth
        The file of true risks and imbalances; None is beside ``out``.
    progress
        Called with what is being done.
    base_odds
        By what the odds of new pain are multiplied.
    dask
        The address of a cluster's scheduler, or `local`; None is this process.

    Returns
    -------
    Both files, counts, and the base odds where they are others than the studies'.
    """
    from kneerisk.cohort import write
    from kneerisk.cohort.simulation.simulated_cohort import (
        HIGHEST_BASE_ODDS,
        LOWEST_BASE_ODDS,
        simulate,
        truth_beside,
    )
    from kneerisk.workers.dask_cluster import workers_at
    from pipelines.console import write_table

    if not LOWEST_BASE_ODDS <= base_odds <= HIGHEST_BASE_ODDS:
        limits = {"low": f"{LOWEST_BASE_ODDS:g}", "high": f"{HIGHEST_BASE_ODDS:g}"}
        refusal = text("command_line.simulate.base_odds", given=f"{base_odds:g}", **limits)
        raise typer.BadParameter(refusal, param_hint="--base-odds")

    truth = truth or truth_beside(out)
    progress(event("simulating", athletes=athletes))
    with workers_at(dask) as workers:
        simulated = simulate(athletes, seed, base_odds, workers)
    progress(event("writing_file", file=out))
    write(simulated.cohort, out)
    write_table(simulated.truth, truth)
    return {
        "file": str(out),
        "truth": str(truth),
        "athletes": athletes,
        "screenings": len(simulated.cohort.frame),
        "seed": seed,
        **({} if base_odds == 1.0 else {"base_odds": base_odds}),
    }
