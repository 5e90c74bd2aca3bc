"""Where the published data sets lie, for tests that read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def real_data_folder() -> Path:
    """Where the published data are looked for."""
    return Path(os.environ.get("KNEERISK_DATA", ROOT.parent / "shared" / "data"))


def real_file(name: str) -> Path:
    """A file of the published data; the test is skipped where it was not fetched."""
    path = real_data_folder() / name
    if not path.is_file():
        pytest.skip(f"{name} was not fetched; KNEERISK_DATA names the folder it is looked for in")
    return path
