"""Numbers that no source gives and the simulator still needs, each with its plausible range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtri

from kneerisk.evidence.tables import imbalances, read_table
from kneerisk.schema import FloatArray


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


def imbalance_thresholds() -> tuple[FloatArray, float]:
    """Where on its latent each imbalance begins, shape (5,), and the spread of that judgement.

    A threshold is where as many legs lie beyond it as have the imbalance.
    """
    spread = assumption("imbalance_threshold_spread")
    shares = np.array([facts.prevalence_central for facts in imbalances().values()])
    return np.asarray(ndtri(1.0 - shares) * np.sqrt(1.0 + spread**2)), spread
