"""`kneerisk rollback`: champion -> the version that it replaced, put back into champion.json."""

from __future__ import annotations

from pathlib import Path

import typer

from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Models, examples

app = typer.Typer()


@app.command(rich_help_panel=RELEASE_PANEL, epilog=examples("rollback"))
def rollback(models: Models = MODELS, as_json: Json = False) -> None:
    """Serve the previous champion again."""
    from kneerisk.training.registry import promotion
    from kneerisk.training.tracking import Tracking

    restored = promotion.rollback(Tracking(Path.cwd()), models)
    console.result(restored.as_dict(), as_json, restored.message)
