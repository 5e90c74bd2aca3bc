"""`kneerisk serve`: champion -> HTTP service, in the foreground."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kneerisk.words import text
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Measures, Models, examples

app = typer.Typer()

Keys = Annotated[Path | None, typer.Option(envvar="KNEERISK_KEYS", help=text("help.serve.keys"))]
Limit = Annotated[int | None, typer.Option(min=1, help=text("help.serve.limit"))]
Hosts = Annotated[list[str] | None, typer.Option(help=text("help.serve.allow_host"))]
Origins = Annotated[list[str] | None, typer.Option(help=text("help.serve.allow_origin"))]


@app.command(
    help=text("help.serve.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples("serve", "serve --port 8080 --models released"),
)
def serve(
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65_535)] = 3000,
    host: Annotated[str, typer.Option(help=text("help.serve.host"))] = ("127.0.0.1"),
    models: Models = MODELS,
    key_file: Annotated[Path | None, typer.Option(help=text("help.serve.key_file"))] = None,
    keys: Keys = None,
    per_minute: Limit = None,
    per_day: Limit = None,
    allow_host: Hosts = None,
    allow_origin: Origins = None,
    fhir: Annotated[bool, typer.Option("--fhir", help=text("help.serve.fhir"))] = False,
    measures: Measures = None,
    as_json: Json = False,
) -> None:
    """Become the HTTP service."""
    from kneerisk.model import champion
    from kneerisk.schema.measures_file import read_measures_file
    from pipelines.services import refuse_taken_port, service_arguments

    refuse_taken_port(port, "PORT")
    if measures is not None:
        read_measures_file(measures)
        os.environ["KNEERISK_MEASURES"] = str(measures.resolve())
    served = champion.read(models)
    result = {"url": f"http://{host}:{port}", "version": served.version if served else None}
    version = result["version"] or text("command_line.serve.no_model", models=models)
    starting = text("command_line.serve.starting", address=result["url"], version=version)
    console.result(result, as_json, starting)
    sys.stdout.flush()
    # This process becomes the service, and ends when that is stopped. With -P a folder `serving` of
    # someone else, where the command is run, is not taken for ours.
    arguments = [sys.executable, "-P", "-m", *service_arguments(port, models), "--host", host]
    arguments += ["--key-file", str(key_file)] if key_file else []
    arguments += [f"--allow-host={name}" for name in allow_host or ()]
    arguments += [f"--allow-origin={origin}" for origin in allow_origin or ()]
    arguments += ["--keys", str(keys)] if keys else []
    arguments += [f"--per-minute={per_minute}"] if per_minute else []
    arguments += [f"--per-day={per_day}"] if per_day else []
    arguments += ["--fhir"] if fhir else []
    os.execv(sys.executable, arguments)  # noqa: S606 - no shell is wanted
