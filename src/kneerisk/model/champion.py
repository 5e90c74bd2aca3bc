"""``champion.json``: the one file that says which released bundle is served.

Here too is how a file of the models folder is read and written: a pipe or a device in the place of
a file must not stop the service, and a file is replaced whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneerisk.errors import BundleRefused
from kneerisk.words import text

FILE = "champion.json"
#: A version is the name of a folder in the models folder, never a way out of it.
VERSION = re.compile(r"\w[\w.+-]*", re.ASCII)
#: The largest file that is read (assumption: twenty times those of the default model).
MOST_BYTES = 64 * 2**20


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
        content = json.loads(read_file(path, links=True).decode("utf-8"))
        version, sha256 = content["version"], content["sha256"]
        previous = content.get("previous")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BundleRefused(text("model.champion.not_a_champion", file=path)) from None
    if not _is_version(version) or not (previous is None or _is_version(previous)):
        raise BundleRefused(text("model.champion.no_version", file=path))
    if not isinstance(sha256, str):
        raise BundleRefused(text("model.champion.no_sha256", file=path))
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
    content = {"version": version, "sha256": sha256, "previous": previous}
    write_json(models / FILE, content)
    return Champion(models, version, sha256, previous)


def write_json(path: Path, content: Any) -> None:
    """Replace a JSON file in one step; where that fails the old one stays, and nothing else."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def read_file(path: Path, most_bytes: int = MOST_BYTES, *, links: bool = False) -> bytes:
    """The content of a regular file; anything else in its place is refused, never waited for.

    Parameters
    ----------
    path
        The file.
    most_bytes
        A larger one is refused.
    links
        Whether the name may be a link to the file.

    Returns
    -------
    Its content.

    Raises
    ------
    BundleRefused
        Where it is a link, a folder, a pipe, a device, or too large.
    OSError
        Where it can't be read.
    """
    if path.is_symlink() and not links:
        raise BundleRefused(text("model.champion.link", file=path.name))
    # Without this flag opening a pipe waits until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if links else os.O_NOFOLLOW))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BundleRefused(text("model.champion.not_regular", file=path.name))
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(most_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > most_bytes:
        raise BundleRefused(
            text("model.champion.too_large", file=path.name, most=f"{most_bytes:,}")
        )
    return content
