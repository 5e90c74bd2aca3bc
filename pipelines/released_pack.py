"""The test pack that is released beside a bundle, and what a command says about it."""

from __future__ import annotations

from pathlib import Path

from kneerisk.errors import KneeriskError
from kneerisk.progress import Progress, event
from kneerisk.words import text


def release_pack(models: Path, version: str, progress: Progress) -> tuple[str | None, str]:
    """Write the test pack of a version that is released already: nothing of that is taken back.

    Parameters
    ----------
    models
        The folder of released models.
    version
        The version.
    progress
        Called with what is being done.

    Returns
    -------
    The pack's folder, None where it could not be written; and a sentence about it.
    """
    from kneerisk.test_pack.pack_files import release

    progress(event("writing_testpack"))
    try:
        folder = release(models, version)
    except (KneeriskError, OSError) as error:
        return None, text("command_line.promote.no_testpack", reason=error, version=version)
    return str(folder), text("command_line.promote.testpack", folder=folder)
