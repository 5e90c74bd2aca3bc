"""Commands that make a cohort file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import console
from pipelines.commands.options import (
    DEFAULT_ATHLETES,
    DEFAULT_SEED,
    Athletes,
    Json,
    Out,
    Seed,
    examples,
)
from pipelines.ingest import app as ingest

PANEL = "Make a cohort"
app = typer.Typer()
app.add_typer(ingest, name="ingest", rich_help_panel=PANEL)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples("simulate --athletes 5000 --out cohort.parquet"),
)
def simulate(
    out: Out,
    athletes: Athletes = DEFAULT_ATHLETES,
    seed: Seed = DEFAULT_SEED,
    truth: Annotated[Path | None, typer.Option(help="The true risks; default: beside OUT.")] = None,
    as_json: Json = False,
) -> None:
    """Write a simulated cohort, drawn from published effect sizes."""
    from pipelines.simulate import simulate_to

    with console.progress() as progress:
        found = simulate_to(out, athletes, seed, truth, progress)
    lines = f"{found['screenings']:,} simulated screenings in {out}, the truth in {found['truth']}"
    console.result(found, as_json, lines)
