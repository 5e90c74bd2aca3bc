"""Where the published data sets lie, for tests that read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def real_file(name: str) -> Path:
    """A file of the published data; the test is skipped where it was not fetched."""
    folder = Path(os.environ.get("KNEERISK_DATA", ROOT.parent / "shared" / "data"))
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} was not fetched; KNEERISK_DATA names the folder it is looked for in")
    return path
