"""``champion.json``: the one file that says which released bundle is served."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from kneerisk.errors import BundleRefused

FILE = "champion.json"
#: A version is the name of a folder in the models folder, never a way out of it.
VERSION = re.compile(r"\w[\w.+-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Champion:
    """The served version, the SHA-256 of its bundle, and the version that it replaced."""

    models: Path
    version: str
    sha256: str
    previous: str | None

    @property
    def folder(self) -> Path:
        """Where its bundle is."""
        return self.models / self.version


def read(models: Path) -> Champion | None:
    """The champion of a models folder.

    Parameters
    ----------
    models
        The models folder.

    Returns
    -------
    The champion; None where the folder names none.

    Raises
    ------
    BundleRefused
        Where the file is there but is not what `write` writes.
    """
    path = models / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, sha256 = content["version"], content["sha256"]
        previous = content.get("previous")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BundleRefused(f"{path} is not a champion file") from None
    if not _is_version(version) or not (previous is None or _is_version(previous)):
        raise BundleRefused(f"{path} does not name a version")
    if not isinstance(sha256, str):
        raise BundleRefused(f"{path} does not name a SHA-256")
    return Champion(models, version, sha256, previous)


def _is_version(name: object) -> bool:
    return isinstance(name, str) and VERSION.fullmatch(name) is not None


def write(models: Path, version: str, sha256: str, previous: str | None) -> Champion:
    """Name the champion in one step: a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    models
        The models folder; it is made where it does not exist.
    version
        Name of the champion's folder in it.
    sha256
        Hash of its bundle.
    previous
        The version that it replaces; None for the first.

    Returns
    -------
    The champion.
    """
    models.mkdir(parents=True, exist_ok=True)
    unfinished = models / f".{FILE}.{os.getpid()}"
    content = {"version": version, "sha256": sha256, "previous": previous}
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(models / FILE)
    return Champion(models, version, sha256, previous)
