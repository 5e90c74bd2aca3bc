"""The pattern of an imbalance: measures that go with it, their directions, and its threshold."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import ndtri

from kneerisk.evidence import assumption, imbalances
from kneerisk.evidence.population import published
from kneerisk.schema import FloatArray

#: A loading of exactly the threshold counts, whatever its last digit.
ROUNDING = 1e-9


@cache
def marks() -> dict[str, dict[str, int]]:
    """The leg's measures of each imbalance's pattern, the strongest first.

    The number is 1 where a higher value goes with the imbalance, -1 where a lower one does. A
    ratio is among them by itself, through the measures that it is made of.
    """
    population = published()
    least = assumption("imbalance_pattern_covariance") - ROUNDING
    start = len(population.athlete)
    own_leg = slice(start, start + len(population.leg))
    patterns: dict[str, dict[str, int]] = {}
    for k, imbalance in enumerate(population.imbalances):
        covariances = population.covariance[own_leg, population.n_measures + k]
        strongest_first = sorted(
            (-abs(covariance), measure, 1 if covariance > 0 else -1)
            for measure, covariance in zip(population.leg, covariances.tolist(), strict=True)
            if abs(covariance) >= least
        )
        patterns[imbalance] = {measure: sign for _, measure, sign in strongest_first}
    return patterns


def imbalance_thresholds() -> tuple[FloatArray, float]:
    """Where on its latent scale each imbalance begins: as many legs lie beyond as have it.

    Returns
    -------
    The thresholds in SDs of the latents, shape (5,), and the SD of the disagreement about them,
    in the same unit.
    """
    spread = assumption("imbalance_threshold_spread")
    prevalences = np.array([row.prevalence_central for row in imbalances().values()])
    return np.asarray(ndtri(1.0 - prevalences) * np.sqrt(1.0 + spread**2)), spread
