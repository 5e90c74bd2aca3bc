"""Options that several commands share, their defaults, and how examples stand in the help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kneerisk.words import text

DEFAULT_ATHLETES = 30_000
DEFAULT_SEED = 1
#: Two hundred settle the ends of the band, fifty the mean (assumption: and take as long as the
#: cross-validation of a small cohort does).
DEFAULT_REFITS = 50
MODELS = Path("models")
#: Under these headings `kneerisk --help` lists the commands.
COHORT_PANEL, TRAIN_PANEL, RELEASE_PANEL, RECORDS_PANEL = (
    text("help.panel.cohort"),
    text("help.panel.train"),
    text("help.panel.release"),
    text("help.panel.records"),
)

Json = Annotated[bool, typer.Option("--json", help=text("help.option.json"))]
Out = Annotated[Path, typer.Option("--out", help=text("help.option.out"))]
CohortFile = Annotated[Path | None, typer.Option(
    "--data", exists=True, dir_okay=False, help=text("help.option.cohort_file"),
)]  # fmt: skip
Weeks = Annotated[Path | None, typer.Option(
    "--weeks", exists=True, dir_okay=False, help=text("help.option.weeks"),
)]  # fmt: skip
Models = Annotated[Path, typer.Option(
    envvar="KNEERISK_MODELS", help=text("help.option.models"),
)]  # fmt: skip
Measures = Annotated[Path | None, typer.Option(
    "--measures", exists=True, dir_okay=False, help=text("help.option.measures"),
)]  # fmt: skip
Athletes = Annotated[int, typer.Option(min=10, help=text("help.option.athletes"))]
Seed = Annotated[int, typer.Option(min=0, help=text("help.option.seed"))]
Refits = Annotated[int, typer.Option("--refits", min=0, help=text("help.option.refits"))]
Dask = Annotated[
    str | None, typer.Option("--dask", metavar="ADDRESS", help=text("help.option.dask"))
]
Club = Annotated[str, typer.Option(help=text("help.option.club"))]
Screenings = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help=text("help.option.screenings"))
]


def examples(*commands: str) -> str:
    """The end of a command's help: lines to copy."""
    return "\n".join(
        [f"[bold]{text('help.examples')}[/bold]", *(f"kneerisk {command}" for command in commands)]
    )
