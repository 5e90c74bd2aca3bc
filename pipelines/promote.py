"""`kneerisk promote`: challenger -> gates -> released bundle -> champion.json."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kneerisk.progress import event
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Models, examples

app = typer.Typer()


@app.command(
    rich_help_panel=RELEASE_PANEL,
    epilog=examples("promote", "promote kneerisk-new_pain-12m-v3 --json"),
)
def promote(
    version: Annotated[str | None, typer.Argument(help="Default: the only challenger.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The file it was trained on, if it was moved."
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Also replace a champion of another outcome kind.")
    ] = False,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Promote a challenger to champion if it passes the gates, and release it."""
    with console.progress() as progress:
        progress(event("checking_gates"))
        result, summary = promote_version(version, data, models, serve=serve)
    console.result(result, as_json, summary)


def promote_version(
    version: str | None, data: Path | None, models: Path, *, serve: bool
) -> tuple[dict[str, Any], str]:
    """Promote a version.

    Parameters
    ----------
    version
        A challenger; None is the only one.
    data
        The cohort file of the version, where it was moved.
    models
        The folder of released models.
    serve
        Whether to replace a served champion of another outcome kind.

    Returns
    -------
    What was done, as plain data and for a person.
    """
    from kneerisk.training.registry.promotion import promote
    from kneerisk.training.tracking import Tracking

    promoted = promote(Tracking(Path.cwd()), models, version, data=data, serve=serve)
    gates = [f"  passed: {gate.message}" for gate in promoted.gates]
    return promoted.as_dict(), "\n".join([promoted.message, *gates])
