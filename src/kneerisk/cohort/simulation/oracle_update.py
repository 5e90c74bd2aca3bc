"""From readings to true values: one Gaussian solve a pattern of readings, and draws from it.

Readings that are known condition the Gaussian state in closed form. Those that are only bounded
are drawn inside their bounds one after the other, each weighted by how likely the bounds were
(Geweke, Hajivassiliou and Keane's simulator; Geweke 1991), and condition the rest in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.special import ndtr, ndtri

from kneerisk.cohort.simulation.oracle_readings import Readings
from kneerisk.evidence.population import Population
from kneerisk.schema import FloatArray

#: Keeps a factor of a covariance real where two true values are one and the same.
JITTER = 1e-10
#: Uniform numbers are kept this far from 0 and 1.
EDGE = 1e-12


@dataclass(frozen=True, slots=True)
class Gain:
    """The solve for one pattern of readings; t wanted true values, c bounded readings.

    ``known`` and ``bounded`` are places in the state, ``weights`` (c + t, n_known) how far what
    is asked moves with the known readings, ``first`` (c, c) the bounded readings' factor, ``then``
    (t, c) how the wanted values follow it, and ``rest`` (t, t) their covariance after that.
    """

    known: np.ndarray
    bounded: np.ndarray
    weights: FloatArray
    first: FloatArray
    then: FloatArray
    rest: FloatArray


def solve(
    covariance: FloatArray,
    wanted: np.ndarray,
    known: np.ndarray,
    bounded: np.ndarray,
    noise: FloatArray,
) -> Gain:
    """The solve for the places of known and bounded readings with error variances `noise`."""
    bounded = _related(covariance, wanted, bounded)
    asked = np.concatenate([bounded, wanted])
    own_noise = np.concatenate([noise[bounded], np.zeros(len(wanted))])
    after = covariance[np.ix_(asked, asked)] + np.diag(own_noise)
    weights = np.zeros((len(asked), len(known)))
    if len(known):
        seen = covariance[np.ix_(known, known)] + np.diag(noise[known] + JITTER)
        crossed = covariance[np.ix_(known, asked)]
        weights = cho_solve(cho_factor(seen), crossed).T
        after = after - weights @ crossed
    c = len(bounded)
    first = cholesky(after[:c, :c] + JITTER * np.eye(c), lower=True)
    then = solve_triangular(first, after[:c, c:], lower=True).T
    return Gain(known, bounded, weights, first, then, after[c:, c:] - then @ then.T)


def _related(covariance: FloatArray, wanted: np.ndarray, bounded: np.ndarray) -> np.ndarray:
    """Bounded readings that have anything to do with what is wanted or with each other."""
    among = np.abs(covariance[np.ix_(bounded, np.concatenate([wanted, bounded]))])
    return np.asarray(
        bounded[(among > JITTER).sum(axis=1) > (~np.isin(bounded, wanted)).astype(int)]
    )


def root(covariance: FloatArray) -> FloatArray:
    """A lower factor of a covariance, one that may be singular."""
    return np.asarray(cholesky(covariance + JITTER * np.eye(len(covariance)), lower=True))


def draw_bounded(
    centre: FloatArray, first: FloatArray, low: FloatArray, high: FloatArray, uniform: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Draws of bounded Gaussian readings, as standard numbers, and their weights.

    Parameters
    ----------
    centre, first
        Mean (c,) and lower factor (c, c) of the readings.
    low, high
        Their bounds, shape (c,).
    uniform
        Numbers between 0 and 1, shape (n_points, at least c).

    Returns
    -------
    Standard numbers x of shape (n_points, c), with readings ``centre + first @ x`` inside the
    bounds, and weights of shape (n_points,) that add up to 1.
    """
    points, c = len(uniform), len(centre)
    x, weight = np.empty((points, c)), np.ones(points)
    for j in range(c):
        middle = centre[j] + x[:, :j] @ first[j, :j]
        below, above = ((bound - middle) / first[j, j] for bound in (low[j], high[j]))
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


@dataclass(slots=True)
class Update:
    """The measurement update of a simulated cohort: one solve for each pattern of readings."""

    people: Population
    wanted: np.ndarray
    found: Readings
    _gains: dict[bytes, Gain]

    def gain(self, row: int) -> Gain:
        """The solve of a screening's pattern."""
        value, low, noise = (part[row] for part in (self.found.value, self.found.low,
                                                    self.found.noise))  # fmt: skip
        known, bounded = ~np.isnan(value), ~np.isnan(low)
        key = known.tobytes() + bounded.tobytes() + np.where(known | bounded, noise, 0.0).tobytes()
        gain = self._gains.get(key)
        if gain is None:
            places = np.flatnonzero(known), np.flatnonzero(bounded)
            gain = self._gains[key] = solve(self.people.covariance, self.wanted, *places, noise)
        return gain
