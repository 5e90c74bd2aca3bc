"""`kneerisk reproduce`: version -> its run -> the same cohort, fitted again -> what differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneerisk.progress import Progress, event, within
from kneerisk.words import text
from pipelines import console
from pipelines.options import MODELS, TRAIN_PANEL, Json, Models, examples

if TYPE_CHECKING:
    from kneerisk.training.registry.reproduction import Reproduced

app = typer.Typer()


@app.command(
    help=text("help.reproduce.command"),
    rich_help_panel=TRAIN_PANEL,
    epilog=examples("reproduce kneerisk-new_pain-12m-v3", "reproduce --data moved/club.parquet"),
)
def reproduce(
    version: Annotated[str | None, typer.Argument(help=text("help.option.champion"))] = None,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help=text("help.option.trained_on")),
    ] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Refit a version and print how far it agrees."""
    with console.progress() as progress:
        reproduced = reproduce_version(version, data, models, progress)
    console.result(reproduced.as_dict(), as_json, summary(reproduced))
    if not reproduced.agrees:
        raise typer.Exit(1)


def reproduce_version(
    version: str | None, data: Path | None, models: Path, progress: Progress
) -> Reproduced:
    """Fit a version (the champion, if none is named) again, and compare the predictions.

    Parameters
    ----------
    version
        Such as ``kneerisk-new_pain-12m-v3``; None is the champion.
    data
        The cohort file of the version, where it was moved.
    models
        The folder of released models.
    progress
        Called with what is being done.

    Returns
    -------
    How far the predictions agree.
    """
    from kneerisk.training.tracking import Tracking, require_store

    require_store(Path.cwd())
    from kneerisk.training.provenance import load_again
    from kneerisk.training.registry.count_record import count_of
    from kneerisk.training.registry.reproduction import compare, count_again, fit_again
    from kneerisk.training.registry.versions import load_version

    progress(event("loading_model"))
    original = load_version(models, version)
    parameters, _ = Tracking(Path.cwd()).logged_values(original.metadata.run_id)
    base_version = original.metadata.base_version
    base = load_version(models, base_version) if base_version else None
    if base is not None and (count := count_of(parameters)) is not None:
        return count_again(original, base, count, parameters)
    progress(event("reading_original_cohort"))
    with original.model.own.in_force():
        cohort, truth = load_again(parameters, data)
        model = fit_again(parameters, cohort, truth, base,
                          within("fitting_again", progress))  # fmt: skip
        progress(event("comparing"))
        return compare(original, model, cohort, parameters)


def summary(reproduced: Reproduced) -> str:
    """The result for a person."""
    version, difference = reproduced.version, f"{reproduced.largest_difference:.2g}"
    if reproduced.identical:
        outcome = text("command_line.reproduce.identical", version=version)
    elif reproduced.agrees:
        outcome = text("command_line.reproduce.agrees", version=version, difference=difference)
    else:
        outcome = text(
            "command_line.reproduce.differs",
            version=version, difference=difference, allowed=f"{reproduced.allowed:g}",
        )  # fmt: skip
    if not reproduced.differs:
        return f"{outcome}\n{text('command_line.reproduce.same_environment')}"
    differences = [f"  {difference}" for difference in reproduced.differs]
    return "\n".join([outcome, text("command_line.reproduce.other_environment"), *differences])
