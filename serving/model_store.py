"""Puts the champion into BentoML's model store, from where a bento takes it: run before a build.

    python -m serving.model_store && bentoml build

The champion is stored anew each time, since a build takes the newest model of the store, which
after a rollback would be another one.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import bentoml

from kneerisk.errors import BundleRefused, KneeriskError
from kneerisk.model import champion
from kneerisk.model.bundle import load
from kneerisk.words import text
from serving.champion_holder import MODEL_NAME


def fill(models: Path) -> str:
    """Store the champion of a models folder.

    The stored model is itself a models folder that holds nothing but the champion.

    Parameters
    ----------
    models
        The folder of released models, with ``champion.json``.

    Returns
    -------
    str
        The tag of the stored model.

    Raises
    ------
    BundleRefused
        Where there is no champion, or its bundle is not sound.
    """
    pointer = champion.read(models)
    if pointer is None:
        raise BundleRefused(text("model.champion.none", models=models))
    load(pointer.folder, pointer.sha256)
    tag = f"{MODEL_NAME}:{pointer.version}"
    if any(str(model.tag) == tag for model in bentoml.models.list()):
        bentoml.models.delete(tag)
    with bentoml.models.create(tag, metadata={"sha256": pointer.sha256}) as stored:
        shutil.copytree(
            pointer.folder, stored.path_of(pointer.folder.relative_to(models).as_posix())
        )
        shutil.copy2(models / champion.FILE, stored.path_of(champion.FILE))
    return tag


def main() -> int:
    """Store the champion of ``models``, or of the folder given; ends with 1 if there is none."""
    models = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("models")
    try:
        sys.stdout.write(f"{fill(models)}\n")
    except KneeriskError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
