"""A file as it comes with others of a squad."""

from __future__ import annotations

from typing import NamedTuple


class SquadFile(NamedTuple):
    """One of the files that were given together."""

    name: str
    content: bytes
