"""`kneerisk testpack`: a version -> 500 screenings with its answers; or they -> a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneerisk.progress import event
from kneerisk.words import text
from pipelines import console
from pipelines.options import MODELS, RELEASE_PANEL, Json, Models, examples

if TYPE_CHECKING:
    from kneerisk.test_pack.pack_check import Checked
    from kneerisk.test_pack.pack_files import Pack

app = typer.Typer()
#: So many differences are printed; ``--json`` has all of them.
_SHOWN = 20


@app.command(
    "testpack",
    help=text("help.testpack.command"),
    rich_help_panel=RELEASE_PANEL,
    epilog=examples(
        "testpack --out pack",
        "testpack --check http://127.0.0.1:3000 pack",
        "testpack --check https://knee.example.org pack --key-file key",
    ),
)
def make_or_check(
    folder: Annotated[
        Path | None, typer.Argument(file_okay=False, help=text("help.testpack.folder"))
    ] = None,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help=text("help.testpack.out"))
    ] = None,
    check: Annotated[
        str | None, typer.Option(metavar="URL", help=text("help.testpack.check"))
    ] = None,
    model: Annotated[str | None, typer.Option(help=text("help.testpack.model"))] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help=text("help.testpack.key_file")),
    ] = None,
    models: Models = MODELS,
    as_json: Json = False,
) -> None:
    """Make a test pack, or check a service against one."""
    if (folder is None) != (check is None):
        raise typer.BadParameter(text("command_line.testpack.which"))
    if folder is None or check is None:
        result = make_pack(model, models, out)
        console.result(result, as_json, text("command_line.testpack.made", **result))
        return
    checked, pack = check_pack(check, folder, key_file)
    console.result(checked.as_dict(), as_json, _summary(checked, pack))
    if checked.passed < checked.total:
        raise typer.Exit(1)


def make_pack(version: str | None, models: Path, out: Path | None) -> dict[str, Any]:
    """Make the test pack of a version.

    Parameters
    ----------
    version
        A released version; None is the champion.
    models
        The folder of released models.
    out
        Where to write; None is beside the version's bundle.

    Returns
    -------
    The folder and the manifest.
    """
    from kneerisk.test_pack.pack_files import beside, write
    from kneerisk.training.registry.versions import load_version

    with console.progress() as progress:
        progress(event("loading_model"))
        bundle = load_version(models, version)
        folder = out or beside(models, bundle.metadata.version)
        progress(event("writing_testpack"))
        manifest = write(bundle, folder)
    return {"folder": str(folder), **manifest}


def check_pack(url: str, folder: Path, key_file: Path | None) -> tuple[Checked, Pack]:
    """Check a service against a test pack.

    Parameters
    ----------
    url
        The service's address.
    folder
        The pack.
    key_file
        The file of the key that opens the service; None where it needs none.

    Returns
    -------
    What was found, and the pack.
    """
    from kneerisk.test_pack.pack_check import check_service
    from kneerisk.test_pack.pack_files import read

    pack = read(folder)
    key = key_file.read_text("utf-8").strip() if key_file else None
    with console.progress() as progress:
        return check_service(url, pack, key, progress), pack


def _summary(checked: Checked, pack: Pack) -> str:
    lines = [
        text(
            "command_line.testpack.checked",
            passed=checked.passed, total=checked.total, version=checked.version,
        )
    ]  # fmt: skip
    if checked.served_version not in {None, checked.version}:
        lines.append(text("command_line.testpack.other_version", served=checked.served_version))
    if not pack.is_as_made:
        lines.append(text("command_line.testpack.changed"))
    listed = [(case, one) for case, some in checked.found.items() for one in some]
    lines += [
        text(
            "command_line.testpack.difference", case=case, pointer=one.pointer,
            expected=json.dumps(one.expected), found=json.dumps(one.found),
        )
        for case, one in listed[:_SHOWN]
    ]  # fmt: skip
    if len(listed) > _SHOWN:
        lines.append(text("command_line.testpack.more", count=len(listed) - _SHOWN))
    return "\n  ".join(lines)
