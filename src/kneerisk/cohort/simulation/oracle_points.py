"""The points that the oracle integrates over: one fixed set of them, shared by all athletes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import poisson, qmc

from kneerisk.cohort.simulation.athletes import FURTHER_EPISODES
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.evidence.tables import assumption
from kneerisk.schema import FloatArray

#: Most readings of one screening that are only bounded; further ones would share points.
MOST_BOUNDED = 16
#: Fewer points than twice the numbers of one can't be whitened.
FEWEST = 256
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Draws of everything that an athlete's measures leave open, each of shape (n_points, ...).

    ``bounded`` are uniform numbers for bounded readings, ``normal`` standard numbers for true
    values, ``effects`` (n_points, factors) effect sizes from their published ranges, ``base`` a
    uniform number for the base rate, ``prior`` (n_points, 2 legs) an injury that was not asked
    for, and ``episodes`` how often a knee that was injured hurt.
    """

    bounded: FloatArray
    normal: FloatArray
    effects: FloatArray
    base: FloatArray
    prior: FloatArray
    episodes: FloatArray


@cache
def points_of(count: int, wanted: int) -> Points:
    """Scrambled Sobol points and their reflections, for so many wanted true values.

    Parameters
    ----------
    count
        How many points, an even number of at least `FEWEST`; twice a power of 2 is best.

    Raises
    ------
    ValueError
        Where there are too few to hold every direction.
    """
    if count < FEWEST or count % 2:
        raise ValueError(f"the oracle needs an even number of points, at least {FEWEST}")
    factors = risk_factors()
    # In the order of what they matter: the first numbers of a Sobol point are its most even ones.
    sizes = (2, 1, len(factors), 2, 2, MOST_BOUNDED, wanted - 2)
    sobol = qmc.Sobol(sum(sizes), rng=np.random.default_rng(SEED))
    normal = ndtri(np.clip(sobol.random(count // 2), 1e-12, 1.0 - 1e-12))
    # Whitened, and with its reflection, the set has no error in whatever is linear or a product.
    factor = np.linalg.cholesky(normal.T @ normal / len(normal))
    normal = np.linalg.solve(factor, normal.T).T
    uniform = ndtr(np.concatenate([normal, -normal]))
    first, base, sizes_of, prior, episodes, bounded, others = np.split(
        uniform, np.cumsum(sizes)[:-1], axis=1
    )
    drawn = [triangular(sizes_of[:, i], e.low, e.central, e.high) for i, e in enumerate(factors)]
    return Points(
        bounded=bounded,
        normal=ndtri(np.hstack([first, others])),
        effects=np.column_stack(drawn),
        base=base[:, 0],
        prior=_prior(prior),
        episodes=1.0 + poisson.ppf(episodes, FURTHER_EPISODES),
    )


def _prior(uniform: FloatArray) -> FloatArray:
    """Codes of earlier knee injury (0 none, 1 older, 2 recent) with their shares, (n, 2)."""
    recent, older = assumption("prior_injury_recent_share"), assumption("prior_injury_older_share")
    return (uniform > 1.0 - recent - older).astype(float) + (uniform > 1.0 - recent)


def triangular(uniform: FloatArray, low: float, mode: float, high: float) -> FloatArray:
    """Quantiles of a triangular distribution; of its one value where it has no range."""
    if high <= low:
        return np.full(uniform.shape, mode)
    width, rise = high - low, mode - low
    rising = low + np.sqrt(uniform * width * rise)
    falling = high - np.sqrt((1.0 - uniform) * width * (high - mode))
    return np.where(uniform < rise / width, rising, falling)
