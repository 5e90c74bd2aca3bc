"""Options that several commands share, their defaults, and how examples stand in the help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_ATHLETES = 30_000
DEFAULT_SEED = 1
MODELS = Path("models")
#: Under these headings `kneerisk --help` lists the commands.
COHORT_PANEL, TRAIN_PANEL, RELEASE_PANEL = (
    "Make a cohort",
    "Train and evaluate",
    "Release and answer",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write, .csv or .parquet.")]
CohortFile = Annotated[Path | None, typer.Option(
    "--data", exists=True, dir_okay=False, help="A canonical cohort file. Default: simulate one.",
)]  # fmt: skip
Models = Annotated[Path, typer.Option(
    envvar="KNEERISK_MODELS", help="The folder of released models.",
)]  # fmt: skip
Athletes = Annotated[int, typer.Option(min=10, help="How many athletes to simulate.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")]
Screenings = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Screenings.")]


def examples(*commands: str) -> str:
    """The end of a command's help: lines to copy."""
    return "\n".join(["[bold]Examples[/bold]", *(f"kneerisk {command}" for command in commands)])
