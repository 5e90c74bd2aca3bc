"""Numbers that no source gives and the simulator still needs, each with its plausible range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kneerisk.evidence.tables import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number taken here, and the range in which it would be as plausible."""

    name: str
    low: float
    central: float
    high: float
    sources: tuple[str, ...]
    assumption: bool
    note: str


@cache
def _by_name() -> dict[str, Assumption]:
    return {row.name: row for row in read_table("assumptions", Assumption)}


def assumption(name: str) -> float:
    """The central value of an assumption."""
    return _by_name()[name].central
