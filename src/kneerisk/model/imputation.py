"""Imputation by a Gaussian measurement update: the true value of every measure, given some.

True measures and errors are taken as jointly Gaussian, so that the expected true values and their
variances are one linear solve for each pattern of tests done: the update step of Kalman 1960,
doi 10.1115/1.3662552, which is regression imputation with known errors (Little & Rubin 2019,
doi 10.1002/9781119482260, chapter 4). Nothing is drawn or filled in: the variance goes along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from kneerisk.evidence.population import Population, contexts, row_products
from kneerisk.model.remembered import Remembered
from kneerisk.schema import SIDES, Columns, FloatArray, category
from kneerisk.schema.columns import rows_by_key
from kneerisk.schema.own_measures import per_schema_at_most
from kneerisk.schema.rules import RATIOS, SHARED_READINGS, SQUEEZED_TOGETHER
from kneerisk.schema.z_scores import CONDITION_OF, conditions_of, error_variance, to_z_of_all

#: Readings farther out than this many SDs of readings count as this many, so that a wild value
#: can't take over (assumption: fewer than 1 in 10,000 athletes are).
FARTHEST_SD = 4.0
#: Added to error variances: keeps a solve stable where two measures are one up to rounding.
JITTER = 1e-9
#: What the remembered patterns of tests done may hold in a process (assumption); one takes up to
#: 30 kB, and a club has some dozens.
MOST_BYTES = 32 * 2**20
#: Of so many sets of measures the farthest z-scores are kept: a model has two.
_SETS_KEPT = 16

#: The protocols that measurement errors depend on.
_PROTOCOLS = tuple(sorted(set(CONDITION_OF.values())))


@dataclass(frozen=True, slots=True)
class Gain:
    """The Kalman gain of one pattern of tests done.

    ``used`` (n_used,) are the places of the measured values in the state, ``weights`` (n_targets,
    n_used) how far each target moves with each of them, and ``variance`` (n_targets,) the variance
    that they leave.
    """

    used: NDArray[np.intp]
    weights: FloatArray
    variance: FloatArray

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.used.nbytes + self.weights.nbytes + self.variance.nbytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expected true z-scores and their variances, each of shape (n, 2 legs, n_targets).

    Targets are the athlete's measures, the leg's own measures and the leg's own imbalances.
    ``prior`` is what would be expected without any measured value, ``innovation`` (n, 2,
    n_measures) by how much each measured value differs from that (0 where not measured), and
    ``gains`` the gain of each row and leg: mean = prior + weights @ innovation[used].
    """

    mean: FloatArray
    variance: FloatArray
    prior: FloatArray
    innovation: FloatArray
    gains: tuple[tuple[Gain, Gain], ...]

    def take(self, n: int) -> Expected:
        """The first n screenings."""
        return Expected(
            mean=self.mean[:n],
            variance=self.variance[:n],
            prior=self.prior[:n],
            innovation=self.innovation[:n],
            gains=self.gains[:n],
        )


@dataclass(frozen=True)
class MeasurementUpdate:
    """The measurement update of one population; it remembers the patterns that it has solved."""

    population: Population

    def expected(self, data: Columns) -> Expected:
        """Expected true values of both legs of n screenings.

        Rows of one pattern share a gain; a row's numbers do not depend on its neighbours.

        Parameters
        ----------
        data
            The screenings as coded columns in the schema's units, each of shape ``(n,)``; missing
            is NaN.

        Returns
        -------
        Means and variances in SD of the schema's norms, of shape ``(n, 2, n_targets)``.
        """
        state, prior_state, patterns = self._states(data)
        n, targets = len(state) // 2, self._targets
        prior = prior_state[:, targets]
        mean, variance = prior.copy(), np.empty_like(prior)
        innovation = state - prior_state[:, : state.shape[1]]
        innovation[np.isnan(state)] = 0.0
        gains = {}
        for pattern, rows in rows_by_key(patterns).items():
            gains[pattern] = gain = self.gain(pattern)
            mean[rows] += row_products(gain.weights, innovation[rows[:, None], gain.used])
            variance[rows] = gain.variance
        by_leg = [gains[pattern] for pattern in patterns]
        return Expected(
            mean=mean.reshape(n, 2, -1),
            variance=variance.reshape(n, 2, -1),
            prior=prior.reshape(n, 2, -1),
            innovation=innovation.reshape(n, 2, -1),
            gains=tuple(zip(by_leg[::2], by_leg[1::2], strict=True)),
        )

    def _states(self, data: Columns) -> tuple[FloatArray, FloatArray, list[bytes]]:
        """State and prior mean of each leg, left and right in turn, and its pattern of tests."""
        athlete, legs = measured_z_scores(self.population, data)
        protocols, own_contexts = stated_protocols(data), contexts(data)
        n, size = len(athlete), self.population.n_measures
        state = np.empty((n, 2, size))
        for side in (0, 1):
            other = _without_shared_readings(self.population, legs[side], legs[1 - side])
            state[:, side] = np.concatenate([athlete, legs[side], other], axis=1)
        prior = self.population.means(np.stack(own_contexts, axis=1).reshape(2 * n, -1))
        known = ~np.isnan(state.reshape(2 * n, size))
        codes = np.concatenate([known, np.repeat(protocols, 2, axis=0)], axis=1).astype(np.uint8)
        return state.reshape(2 * n, size), prior, codes.view(f"V{codes.shape[1]}").ravel().tolist()

    @cached_property
    def gain(self) -> Remembered[bytes, Gain]:
        """The gain of a pattern: a byte a measure of the state, then the code of each protocol."""
        return Remembered(self._solve, MOST_BYTES)

    @cached_property
    def _targets(self) -> NDArray[np.intp]:
        people = self.population
        own = len(people.athlete) + len(people.leg)
        start = people.n_measures
        latent = np.arange(start, start + len(people.imbalances))
        return np.concatenate([np.arange(own), latent])

    @cached_property
    def _covariance_with_targets(self) -> FloatArray:
        """Covariance of the state (rows) with the targets."""
        return np.ascontiguousarray(self.population.covariance[:, self._targets])

    def _solve(self, pattern: bytes) -> Gain:
        people, size = self.population, self.population.n_measures
        codes = np.frombuffer(pattern, dtype=np.uint8)
        used = np.flatnonzero(codes[:size])
        crossed = self._covariance_with_targets[used]
        weights = crossed.T
        if len(used):
            observed = people.covariance[used[:, None], used]
            observed.flat[:: len(used) + 1] += self.noise(pattern[size:])[used] + JITTER
            # By Cholesky's factors; SciPy's own functions take half as long again to call it.
            _, solution, fault = dposv(observed, crossed, overwrite_a=True)
            if fault:  # no covariance: not positive definite
                raise np.linalg.LinAlgError
            weights = solution.T
        remaining = np.diag(people.covariance)[self._targets] - (weights * crossed.T).sum(axis=1)
        return Gain(used, np.ascontiguousarray(weights), np.maximum(remaining, 0.0))

    @cached_property
    def noise(self) -> Callable[[bytes], FloatArray]:
        """Error variances of the state by the codes of the protocols, a byte each, of the few."""
        return cache(lambda codes: error_variances(self.population, np.frombuffer(codes, np.uint8)))


def measured_z_scores(
    people: Population, data: Columns
) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Measured values as z-scores of the schema's norms.

    Parameters
    ----------
    people
        The population, whose measures are wanted.
    data
        Coded columns in the schema's units, each of shape ``(n,)``; missing is NaN.

    Returns
    -------
    The athlete's, of shape ``(n, n_athlete)``, and those of the left and the right leg, each of
    shape ``(n, n_leg)``; missing is NaN, and so is a ratio of two measured torques.
    """
    names = (*people.athlete, *people.leg, *people.leg)
    columns = (*people.athlete, *(f"{side}_{name}" for side in SIDES for name in people.leg))
    z = to_z_of_all(names, np.array([data[column] for column in columns]).T, data)
    ends = [len(people.athlete), len(people.athlete) + len(people.leg)]
    legs = np.split(z, ends, axis=1)[1:]
    for leg in legs:
        _drop_computed_ratios(people, leg, data)
    _average_squeezes(people, legs)
    farthest = farthest_z(names)
    athlete, left, right = np.split(np.clip(z, -farthest, farthest), ends, axis=1)
    return athlete, (left, right)


@per_schema_at_most(_SETS_KEPT)
def farthest_z(names: tuple[str, ...]) -> FloatArray:
    """How far from a norm a reading can count, in SDs of the true values.

    Parameters
    ----------
    names
        Measures, without their side.

    Returns
    -------
    Shape ``(len(names),)``; of a measure with several protocols, that of the least precise.
    """
    errors = [
        max(error_variance(name, code) for code in range(len(conditions_of(name))))
        for name in names
    ]
    return np.asarray(FARTHEST_SD * np.sqrt(1.0 + np.array(errors)))


def _without_shared_readings(people: Population, own: FloatArray, other: FloatArray) -> FloatArray:
    """The other leg's z-scores (n, m) without readings that the own leg has as well."""
    z = other.copy()
    for place in (people.leg.index(name) for name in SHARED_READINGS):
        z[~np.isnan(own[:, place]), place] = np.nan
    return z


def _average_squeezes(people: Population, legs: list[FloatArray]) -> None:
    """Give both legs the mean of what both squeezed together, where it was given for both."""
    for place in (people.leg.index(name) for name in SQUEEZED_TOGETHER):
        mean = (legs[0][:, place] + legs[1][:, place]) / 2.0
        for z in legs:
            z[:, place] = np.where(np.isnan(mean), z[:, place], mean)


def _drop_computed_ratios(people: Population, z: FloatArray, data: Columns) -> None:
    """Drop ratios computed from two torques of one test: they say nothing that these don't."""
    for rule in RATIOS:
        choices = category(rule.protocol).choices
        modes = [choices.index(mode) for mode in rule.modes]
        same_test = (data[rule.protocol][:, None] == modes).any(axis=1)
        over, under, ratio = (people.leg.index(x) for x in (rule.over, rule.under, rule.ratio))
        computed = same_test & ~np.isnan(z[:, over]) & ~np.isnan(z[:, under])
        z[computed, ratio] = np.nan


def stated_protocols(data: Columns) -> FloatArray:
    """Codes of the protocols that measurement errors depend on.

    Parameters
    ----------
    data
        Coded columns, each of shape ``(n,)``.

    Returns
    -------
    Shape ``(n, n_protocols)``: 0 where a protocol is not stated, else its choice's code plus 1.
    """
    codes = np.stack([data[name] for name in _PROTOCOLS], axis=1)
    return np.where(np.isnan(codes), 0.0, codes + 1.0)


def error_variances(people: Population, protocols: np.ndarray | None = None) -> FloatArray:
    """Error variance of every measure of the state.

    Parameters
    ----------
    people
        The population, whose state it is.
    protocols
        Codes of the stated protocols, shape ``(n_protocols,)``; None where none is stated.

    Returns
    -------
    Shape ``(n_measures,)``, in z-scores squared.
    """
    codes = np.zeros(len(_PROTOCOLS)) if protocols is None else protocols
    stated = dict(zip(_PROTOCOLS, codes.tolist(), strict=True))

    def variance(name: str) -> float:
        return error_variance(name, int(stated.get(CONDITION_OF.get(name, ""), 0)))

    leg = [variance(name) for name in people.leg]
    return np.array([*(variance(name) for name in people.athlete), *leg, *leg])
