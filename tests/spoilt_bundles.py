"""A bundle's files spoilt in turn, and what becomes of each spoilt bundle.

A child of the tests loads them, so that this module needs no more than a bundle does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from kneerisk.errors import BundleRefused
from kneerisk.model import bundle


def _spoilings(content: bytes) -> Iterator[bytes]:
    """What is done to a file of a bundle."""
    for share in (0.0, 0.5, 0.95):
        yield content[: int(share * len(content))]
    for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        at = int(share * len(content))
        for bit in (0, 7):
            yield content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]
    yield b"{}"
    yield content * 2


def spoil(folder: Path) -> Iterator[str]:
    """Every file of a bundle spoilt in turn, vouched for again or not, and mended after."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    manifest = (folder / "manifest.json").read_bytes()
    for path in files:
        content, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for number, spoilt in enumerate(_spoilings(content)):
            for vouched in (False, True):
                path.write_bytes(spoilt)
                if vouched and name != "manifest.json":
                    vouch(folder, manifest, name, spoilt)
                yield f"{name} {number} {'vouched' if vouched else 'as it is'}"
                (folder / "manifest.json").write_bytes(manifest)
                path.write_bytes(content)
        for kind, replace_by in _OTHER_KINDS.items():
            path.unlink()
            replace_by(path)
            yield f"{name} {kind}"
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(
                missing_ok=True
            )
            path.write_bytes(content)
    for name in ("extra.json", "plots/extra.png", "extra.ubj"):
        (folder / name).write_bytes(b"{}")
        yield f"{name} extra"
        (folder / name).unlink()


_OTHER_KINDS = {
    "missing": lambda path: None,
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to("/dev/zero"),
    "link to a file": lambda path: path.symlink_to(Path(__file__)),
}


def vouch(folder: Path, manifest: bytes, name: str, content: bytes) -> None:
    data = json.loads(manifest)
    part = "documents" if name in data.get("documents", {}) else "files"
    data[part][name] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(data))


def load_spoilt(folder: str, told: str, every: int) -> None:
    """Load every n-th spoilt bundle, and write down what became of it before the next."""
    with Path(told).open("w", buffering=1) as file:
        for number, spoiling in enumerate(spoil(Path(folder))):
            if number % every == 0:
                file.write(f"{spoiling}: ")
                try:
                    bundle.load(Path(folder))
                    file.write("loaded\n")
                except BundleRefused as error:
                    file.write(f"refused, {str(error).splitlines()[0]}\n")
