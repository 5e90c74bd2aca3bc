"""A runner's longest session of the coming week: advice about that session, no part of the risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from kneerisk.answer.cited_sources import Source, cited
from kneerisk.answer.pattern_schema import FROZEN
from kneerisk.evidence.session_hazard import hazard_ratio, session_hazards
from kneerisk.words import variant

#: A longest session beyond this multiple of the last 30 days' longest goes with more running
#: injuries (Frandsen 2025, PMID 40623829).
SPIKE = 1.10


class ComingWeek(BaseModel):
    """A runner's longest planned session, and the rate of injury in it; no part of the risk."""

    model_config = FROZEN

    session_spike_ratio: float
    """Its length over the longest session of the last 30 days."""
    hazard_ratio: float
    """The rate of any overuse running injury in it, over that of a session of usual length."""
    interval: tuple[float, float]
    """95 % interval of that ratio."""
    message: str
    sources: list[Source]


def spike_ratio(row: Mapping[str, Any]) -> float:
    """A runner's longest session over the longest of 30 days; 0 if unknown, or of another sport.

    As given, or from two runs: no other sport has been studied.
    """
    if "session_spike_ratio" in row and row.get("sport") == "running":
        return float(row["session_spike_ratio"])
    longest = row.get("longest_run_30d_km")
    return float(row.get("next_long_run_km", 0.0) / longest) if longest else 0.0


def coming_week(row: Mapping[str, Any]) -> ComingWeek | None:
    """What the longest session of the coming week goes with; None where it is not known."""
    ratio = spike_ratio(row)
    if ratio == 0.0:
        return None
    hazard = hazard_ratio(ratio)
    sources = dict.fromkeys(key for band in session_hazards() for key in band.sources)
    return ComingWeek(
        session_spike_ratio=ratio,
        hazard_ratio=hazard.central,
        interval=(hazard.low, hazard.high),
        message=variant(
            "answer.coming_week",
            "longer" if ratio > SPIKE else "usual",
            ratio=f"{ratio:.2f}",
            rate=f"{hazard.central:.1f}",
            low=f"{hazard.low:.1f}",
            high=f"{hazard.high:.1f}",
        ),
        sources=cited(sources),
    )
