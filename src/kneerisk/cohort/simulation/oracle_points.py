"""The points that the oracle integrates over: one fixed set of them, shared by all athletes.

Randomised quasi-Monte Carlo: scrambled Sobol points (Owen 1998, doi 10.1006/jcom.1998.0487) with
their reflections, whitened, so that whatever is linear or a product is integrated without error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import cholesky
from scipy.special import ndtr, ndtri
from scipy.stats import poisson, qmc

from kneerisk.cohort.simulation.athletes import FURTHER_EPISODES
from kneerisk.evidence import assumption
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.schema import FloatArray

#: Most readings of one screening that are only bounded (assumption); more would share points.
MOST_BOUNDED = 16
#: With fewer points than twice the numbers of one, they can't be whitened.
FEWEST = 256
SEED = 1
#: Keeps a factor of a covariance real where two true values are one and the same.
JITTER = 1e-10
#: Uniform numbers are kept this far from 0 and 1, where a normal quantile is infinite.
EDGE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Draws of everything that an athlete's measures leave open, each of shape (n_points, ...).

    ``bounded`` are uniform numbers for bounded readings, ``normal`` standard numbers for true
    values, ``effects`` (n_points, n_factors) effect sizes from their published ranges, ``base`` and
    ``definition`` uniform numbers for the base rate and the definition of pain, ``prior``
    (n_points, 2 legs) the code of an injury that was not asked for, ``episodes`` how often a knee
    that was injured has hurt, and ``provoked`` whether one that was not tested hurts in movement.
    """

    bounded: FloatArray
    normal: FloatArray
    effects: FloatArray
    base: FloatArray
    definition: FloatArray
    prior: FloatArray
    episodes: FloatArray
    provoked: FloatArray


@cache
def integration_points(count: int, wanted: int) -> Points:
    """Scrambled Sobol points and their reflections.

    Parameters
    ----------
    count
        How many points, an even number of at least `FEWEST`; twice a power of 2 is best.
    wanted
        How many true values they are for.

    Returns
    -------
    The points.

    Raises
    ------
    ValueError
        Where there are too few, or their number is odd.
    """
    if count < FEWEST or count % 2:
        raise ValueError(f"the oracle needs an even number of points, at least {FEWEST}")
    factors = risk_factors()
    # Most important first: the first numbers of a Sobol point are its most even ones.
    sizes = (2, 1, 1, len(factors), 2, 2, 2, MOST_BOUNDED, wanted - 2)
    sobol = qmc.Sobol(sum(sizes), rng=np.random.default_rng(SEED))
    normal = ndtri(np.clip(sobol.random(count // 2), 1e-12, 1.0 - 1e-12))
    # Whitened, and with its reflection, the set has no error in whatever is linear or a product.
    factor = np.linalg.cholesky(normal.T @ normal / len(normal))
    normal = np.linalg.solve(factor, normal.T).T
    uniform = ndtr(np.concatenate([normal, -normal]))
    first, definition, base, effect_sizes, prior, provoked, episodes, bounded, others = np.split(
        uniform, np.cumsum(sizes)[:-1], axis=1
    )
    drawn = [
        triangular(effect_sizes[:, i], e.low, e.central, e.high) for i, e in enumerate(factors)
    ]
    return Points(
        bounded=bounded,
        normal=ndtri(np.hstack([first, others])),
        effects=np.column_stack(drawn),
        base=base[:, 0],
        definition=definition[:, 0],
        prior=_prior(prior),
        episodes=1.0 + poisson.ppf(episodes, FURTHER_EPISODES),
        provoked=(provoked > 1.0 - assumption("pain_in_movement_share")).astype(np.float64),
    )


def _prior(uniform: FloatArray) -> FloatArray:
    """Codes of earlier knee injury (0 none, 1 older, 2 recent) with their shares, (n, 2)."""
    recent, older = assumption("prior_injury_recent_share"), assumption("prior_injury_older_share")
    return (uniform > 1.0 - recent - older).astype(float) + (uniform > 1.0 - recent)


def triangular(uniform: FloatArray, low: float, mode: float, high: float) -> FloatArray:
    """Quantiles of a triangular distribution.

    Parameters
    ----------
    uniform
        Probabilities, of any shape.
    low
        Its lower end; where the upper one is not above it, its one value is the mode.
    mode
        Where its density is highest.
    high
        Its upper end.

    Returns
    -------
    The quantiles, of the shape of ``uniform``.
    """
    if high <= low:
        return np.full(uniform.shape, mode)
    width, rise = high - low, mode - low
    rising = low + np.sqrt(uniform * width * rise)
    falling = high - np.sqrt((1.0 - uniform) * width * (high - mode))
    return np.where(uniform < rise / width, rising, falling)


def lower_factor(covariance: FloatArray) -> FloatArray:
    """Cholesky factor of a covariance that may be singular.

    Parameters
    ----------
    covariance
        Shape ``(t, t)``.

    Returns
    -------
    A lower triangle of the same shape.
    """
    return np.asarray(cholesky(covariance + JITTER * np.eye(len(covariance)), lower=True))


def draw_bounded(
    centre: FloatArray, factor: FloatArray, low: FloatArray, high: FloatArray, uniform: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draw bounded Gaussian readings one after the other, each inside its bounds.

    The simulator of Geweke, Hajivassiliou and Keane (Geweke 1991; Hajivassiliou & McFadden 1998,
    doi 10.2307/2999576): each draw is weighted by how likely its bounds were.

    Parameters
    ----------
    centre
        Mean of the readings in SD, shape ``(c,)``.
    factor
        Lower factor of their covariance, shape ``(c, c)``.
    low
        Their lower bounds in SD, shape ``(c,)``; minus infinity where there is none.
    high
        Their upper bounds, likewise.
    uniform
        Numbers between 0 and 1, shape ``(n_points, at least c)``.

    Returns
    -------
    Standard numbers x of shape ``(n_points, c)``, with the readings ``centre + factor @ x`` inside
    their bounds, and weights of shape ``(n_points,)`` that add up to 1.
    """
    points, c = len(uniform), len(centre)
    x, weight = np.empty((points, c)), np.ones(points)
    for j in range(c):
        middle = centre[j] + x[:, :j] @ factor[j, :j]
        below, above = ((bound - middle) / factor[j, j] for bound in (low[j], high[j]))
        # In the lower tail, where a normal probability keeps its digits.
        sign = np.where(below > 0.0, -1.0, 1.0)
        start, end = (
            ndtr(np.where(sign > 0, below, -above)),
            ndtr(np.where(sign > 0, above, -below)),
        )
        weight *= end - start
        share = np.where(sign > 0, uniform[:, j], 1.0 - uniform[:, j])
        inside = np.clip(start + share * (end - start), EDGE, 1.0 - EDGE)
        x[:, j] = sign * ndtri(inside)
    total = weight.sum()
    return x, weight / total if total > 0.0 else np.full(points, 1.0 / points)
