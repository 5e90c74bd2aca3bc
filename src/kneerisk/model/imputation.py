"""From measured to true: what the measured values say about every true measure of a leg.

With Gaussian true measures and errors this is one linear solve for each pattern of missing tests
(Kalman's measurement update): an expected z-score and a variance for every measure and imbalance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from kneerisk.evidence.population import Population, contexts
from kneerisk.schema import SIDES, Columns, FloatArray, category
from kneerisk.schema.rules import OPPOSITES, RATIOS
from kneerisk.schema.z_scores import CONDITION_OF, error_variance, to_z_of_all

#: Beyond this many SDs a reading says no more than at it; guards a model against wild values.
FARTHEST_Z = 4.0
#: Where a published step of the risk lies farther out: a doubled session is at 4.5 SDs.
FARTHER_Z = {"session_spike_ratio": 6.0}
#: Keeps a solve stable where two measures are one and the same up to rounding.
JITTER = 1e-9
#: How many patterns of missing tests a process remembers.
PATTERNS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Gain:
    """The solve for one pattern of missing tests.

    ``used`` are the places of the measured values in the state, ``weights`` (targets, n_used) how
    far each target moves with each of them, ``variance`` (targets,) what is left open.
    """

    used: np.ndarray
    weights: FloatArray
    variance: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expected true z-scores and their variances, of shape (n, 2 legs, targets).

    Targets are [athlete measures, the leg's own measures, the leg's own imbalances]. ``prior`` is
    what would be expected without any measured value, ``innovation`` (n, 2, n_measures) by how much
    each measured value differs from it (0 where not measured), and ``gains`` the solve of each row
    and leg: mean = prior + weights @ innovation[used].
    """

    mean: FloatArray
    variance: FloatArray
    prior: FloatArray
    innovation: FloatArray
    gains: tuple[tuple[Gain, Gain], ...]

    def take(self, n: int) -> Expected:
        """The first n screenings of it."""
        return Expected(
            mean=self.mean[:n],
            variance=self.variance[:n],
            prior=self.prior[:n],
            innovation=self.innovation[:n],
            gains=self.gains[:n],
        )


@dataclass(frozen=True, slots=True)
class MeasurementUpdate:
    """The measurement update of one population, with the patterns it has seen."""

    population: Population
    _gains: dict[bytes, Gain] = field(default_factory=dict, repr=False)
    _room: Lock = field(default_factory=Lock, repr=False, compare=False)

    def expected(self, data: Columns) -> Expected:
        """What the coded columns of n screenings say about the true measures of their legs.

        Every row is solved by itself, so that its numbers do not depend on its neighbours.
        """
        athlete, legs = measured(self.population, data)
        conditions = stated_protocols(data)
        own_means = contexts(data)
        n, targets = len(athlete), self._targets
        mean = np.empty((n, 2, len(targets)))
        variance, prior = np.empty_like(mean), np.empty_like(mean)
        innovation = np.zeros((n, 2, self.population.n_measures))
        gains: tuple[list[Gain], list[Gain]] = ([], [])
        for side in (0, 1):
            other = _read_once(self.population, legs[side], legs[1 - side])
            state = np.concatenate([athlete, legs[side], other], axis=1)
            before = self.population.means(own_means[side])
            prior[:, side] = before[:, targets]
            patterns = np.concatenate([~np.isnan(state), conditions], axis=1).astype(np.uint8)
            for row in range(n):
                gain = self._gain(patterns[row])
                apart = state[row, gain.used] - before[row, gain.used]
                mean[row, side] = prior[row, side] + gain.weights @ apart
                variance[row, side] = gain.variance
                innovation[row, side, gain.used] = apart
                gains[side].append(gain)
        return Expected(
            mean=mean,
            variance=variance,
            prior=prior,
            innovation=innovation,
            gains=tuple(zip(*gains, strict=True)),
        )

    @property
    def _targets(self) -> np.ndarray:
        people = self.population
        own = len(people.athlete) + len(people.leg)
        start = people.n_measures
        latent = np.arange(start, start + len(people.imbalances))
        return np.concatenate([np.arange(own), latent])

    def _gain(self, pattern: np.ndarray) -> Gain:
        key = pattern.tobytes()
        found = self._gains.get(key)
        if found is None:
            found = self._solve(pattern)
            # Requests share this; two of them must not make room at the same time.
            with self._room:
                while len(self._gains) >= PATTERNS_KEPT:
                    self._gains.pop(next(iter(self._gains)))
                self._gains[key] = found
        return found

    def _solve(self, pattern: np.ndarray) -> Gain:
        people, size = self.population, self.population.n_measures
        used = np.flatnonzero(pattern[:size])
        targets = self._targets
        noise = noise_under(people, pattern[size:])[used]
        known = people.covariance[np.ix_(used, used)] + np.diag(noise + JITTER)
        crossed = people.covariance[np.ix_(used, targets)]
        weights = cho_solve(cho_factor(known), crossed).T if len(used) else crossed.T
        left_over = np.diag(people.covariance)[targets] - (weights * crossed.T).sum(axis=1)
        return Gain(used, np.ascontiguousarray(weights), np.maximum(left_over, 0.0))


def measured(people: Population, data: Columns) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Measured z-scores: the athlete's (n, a) and each leg's (n, m); missing is NaN."""
    own = to_z_of_all(people.athlete, _table(people.athlete, "", data), data)
    sided = [to_z_of_all(people.leg, _table(people.leg, f"{side}_", data), data) for side in SIDES]
    for z in sided:
        _forget_computed_ratios(people, z, data)
    return _clipped(people.athlete, own), tuple(_clipped(people.leg, z) for z in sided)


def _clipped(names: tuple[str, ...], z: FloatArray) -> FloatArray:
    farthest = np.array([FARTHER_Z.get(name, FARTHEST_Z) for name in names])
    return np.clip(z, -farthest, farthest)


def _read_once(people: Population, own: FloatArray, other: FloatArray) -> FloatArray:
    """The other leg's z-scores but those of a reading that is the own leg's too, shape (n, m)."""
    found = other.copy()
    for place in (people.leg.index(name) for name in OPPOSITES):
        found[~np.isnan(own[:, place]), place] = np.nan
    return found


def _table(names: tuple[str, ...], prefix: str, data: Columns) -> FloatArray:
    """Some of the columns side by side, shape (n, len(names))."""
    return np.stack([data[f"{prefix}{name}"] for name in names], axis=1)


def _forget_computed_ratios(people: Population, z: FloatArray, data: Columns) -> None:
    """A ratio computed from two torques of the same test says nothing that they don't."""
    for rule in RATIOS:
        choices = category(rule.protocol).choices
        same_test = np.isin(data[rule.protocol], [choices.index(mode) for mode in rule.modes])
        over, under, ratio = (people.leg.index(x) for x in (rule.over, rule.under, rule.ratio))
        known = same_test & ~np.isnan(z[:, over]) & ~np.isnan(z[:, under])
        z[known, ratio] = np.nan


def stated_protocols(data: Columns) -> np.ndarray:
    """Codes of the protocols that measurement errors depend on, (n, n_protocols); 0: not stated."""
    return np.column_stack([np.nan_to_num(data[name] + 1.0, nan=0.0) for name in _PROTOCOLS])


_PROTOCOLS = tuple(sorted(set(CONDITION_OF.values())))


def measurement_noise(people: Population) -> FloatArray:
    """Error variance of every measure of the state for unstated protocols, shape (n_measures,)."""
    return noise_under(people, np.zeros(len(_PROTOCOLS)))


def noise_under(people: Population, conditions: np.ndarray) -> FloatArray:
    """Error variance of every measure of the state, in z-scores, shape (n_measures,)."""
    stated = dict(zip(_PROTOCOLS, conditions.tolist(), strict=True))

    def variance(name: str) -> float:
        return error_variance(name, int(stated.get(CONDITION_OF.get(name, ""), 0)))

    leg = [variance(name) for name in people.leg]
    return np.array([*(variance(name) for name in people.athlete), *leg, *leg])
