"""`kneerisk promote`: challenger -> gates -> released bundle -> champion.json -> test pack.

`kneerisk rollback`: champion -> the version that it replaced, put back into champion.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kneerisk.errors import PromotionRefused
from kneerisk.progress import Progress, event, ignore
from kneerisk.words import text, variant
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Models, examples
from pipelines.released_pack import release_pack

app = typer.Typer()


@app.command(
    help=text("help.promote.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples("promote", "promote kneerisk-new_pain-12m-v3 --json"),
)
def promote(
    version: Annotated[str | None, typer.Argument(help=text("help.promote.version"))] = None,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help=text("help.option.trained_on")),
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help=text("help.promote.serve"))] = False,
    accept_auc: Annotated[
        str | None,
        typer.Option(metavar="WHY", help=text("help.promote.accept_auc")),
    ] = None,
    accept_unvalidated: Annotated[
        str | None,
        typer.Option(metavar="WHY", help=text("help.promote.accept_unvalidated")),
    ] = None,
    testpack: Annotated[
        bool, typer.Option("--testpack/--no-testpack", help=text("help.promote.testpack"))
    ] = True,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Promote a version and print the gates that it passed."""
    for option, why in (("auc", accept_auc), ("unvalidated", accept_unvalidated)):
        if why is not None and not why.strip():
            say_why = variant("command_line.promote.say_why", option)
            raise typer.BadParameter(say_why, param_hint=f"--accept-{option}")
    with console.progress() as progress:
        progress(event("checking_gates"))
        try:
            result, summary = promote_version(
                version, data, models, serve=serve, accepted_auc=accept_auc,
                accepted_unvalidated=accept_unvalidated, testpack=testpack, progress=progress,
            )  # fmt: skip
        except PromotionRefused as refusal:
            if as_json and refusal.verdict is not None:
                console.result({"promoted": False, **refusal.verdict}, as_json)
            raise
    console.result(result, as_json, summary)


@app.command(
    help=text("help.rollback.command"), rich_help_panel=RELEASE_PANEL, epilog=examples("rollback")
)
def rollback(models: Models = MODELS, as_json: Json = False) -> None:
    """Put back the previous champion."""
    from kneerisk.training.registry import promotion
    from kneerisk.training.tracking import Tracking

    restored = promotion.rollback(models, lambda: Tracking(Path.cwd()))
    console.result(restored.as_dict(), as_json, restored.message)


def promote_version(
    version: str | None,
    data: Path | None,
    models: Path,
    *,
    serve: bool,
    accepted_auc: str | None = None,
    accepted_unvalidated: str | None = None,
    testpack: bool = True,
    progress: Progress = ignore,
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
    accepted_auc
        Why an AUC above the ceiling is no leak; None where nobody says so.
    accepted_unvalidated
        Why a version that was updated by a count alone may serve; None where nobody says so.
    testpack
        Whether a test pack is written beside the bundle, once the version is in service.
    progress
        Called with what is being done.

    Returns
    -------
    What was done, as plain data and for a person.
    """
    from kneerisk.training.tracking import Tracking, require_store

    require_store(Path.cwd())
    from kneerisk.training.registry.promotion import promote

    promoted = promote(
        Tracking(Path.cwd()), models, version, data=data, serve=serve, accepted_auc=accepted_auc,
        accepted_unvalidated=accepted_unvalidated,
    )  # fmt: skip
    lines = [text("command_line.promote.passed", gate=gate.message) for gate in promoted.gates]
    pack, told = release_pack(models, promoted.version, progress) if testpack else (None, None)
    summary = "\n  ".join([promoted.message, *lines, *([told] if told else [])])
    return {**promoted.as_dict(), "testpack": pack}, summary
