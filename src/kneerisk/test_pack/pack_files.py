"""A test pack as a folder: ``manifest.json``, and ``cases.jsonl`` with one case a line.

Both are canonical (keys in order, no blanks), so that the same program writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.errors import KneeriskError
from kneerisk.model.bundle import Bundle, load
from kneerisk.test_pack.expected_answers import TOLERANCE, expected_cases
from kneerisk.words import text

FORMAT = 1
MANIFEST, CASES = "manifest.json", "cases.jsonl"
#: How the folder of a pack begins while it is written; a promotion clears what a killed one left.
_INCOMING = ".incoming-"
Json = dict[str, Any]


class PackRefused(KneeriskError):
    """A test pack that can't be written, read or checked."""


@dataclass(frozen=True, slots=True)
class Pack:
    """The cases of a version; ``is_as_made`` is false where they were changed since."""

    manifest: Json
    cases: list[Json]
    is_as_made: bool

    @property
    def version(self) -> str:
        """Which version's answers they are."""
        return str(self.manifest["version"])


def write(bundle: Bundle, folder: Path) -> Json:
    """Make the test pack of a version.

    Parameters
    ----------
    bundle
        The version.
    folder
        Where to; it is new or empty.

    Returns
    -------
    The manifest: version, hash of the bundle, fingerprint of the schema, tolerance, cases.

    Raises
    ------
    PackRefused
        Where the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise PackRefused(text("command_line.testpack.not_empty", folder=folder))
    cases = expected_cases(bundle)
    lines = "".join(f"{_canonical(case)}\n" for case in cases).encode()
    manifest = {
        "format": FORMAT,
        "version": bundle.metadata.version,
        "bundle_sha256": bundle.sha256,
        "schema": bundle.metadata.schema,
        "tolerance": TOLERANCE,
        "cases": len(cases),
        "refused": sum("problem" in case for case in cases),
        "cases_sha256": hashlib.sha256(lines).hexdigest(),
    }
    (folder / CASES).write_bytes(lines)
    (folder / MANIFEST).write_text(_canonical(manifest) + "\n", encoding="utf-8")
    return manifest


def beside(models: Path, version: str) -> Path:
    """Where the pack of a released version lies: beside its bundle."""
    return models / f"{version}-testpack"


def release(models: Path, version: str) -> Path:
    """Put the test pack of a released version beside its bundle: all of it, or nothing.

    Parameters
    ----------
    models
        The folder of released models.
    version
        The version; a pack of the same bundle stays as it is, one of another is replaced.

    Returns
    -------
    The folder of the pack.

    Raises
    ------
    PackRefused
        Where something else lies there.
    """
    bundle, folder = load(models / version), beside(models, version)
    if folder.exists() and read(folder).manifest.get("bundle_sha256") == bundle.sha256:
        return folder
    with TemporaryDirectory(dir=models, prefix=_INCOMING) as temporary:
        write(bundle, Path(temporary))
        if folder.exists():
            shutil.rmtree(folder)
        Path(temporary).replace(folder)
    return folder


def read(folder: Path) -> Pack:
    """Read a test pack.

    Parameters
    ----------
    folder
        Where it is.

    Returns
    -------
    The pack.

    Raises
    ------
    PackRefused
        Where the folder holds none that this program can read.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        lines = (folder / CASES).read_bytes()
        cases = [json.loads(line) for line in lines.decode().splitlines()]
        is_readable = manifest["format"] == FORMAT and bool(manifest["version"])
    except (OSError, ValueError, LookupError, TypeError):
        is_readable = False
    if not is_readable:
        raise PackRefused(text("command_line.testpack.no_pack", folder=folder))
    is_as_made = hashlib.sha256(lines).hexdigest() == manifest.get("cases_sha256")
    return Pack(manifest, cases, is_as_made)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
