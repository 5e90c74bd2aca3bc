"""What tests that were not done would say: how much of what is open each would settle.

The true measures of an athlete are Gaussian (`kneerisk.evidence.population`), so that the variance
which a test leaves does not hang on its outcome: it is known before the test is done (Lindley
1956, doi 10.1214/aoms/1177728069).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from kneerisk.evidence.population import Population
from kneerisk.model.imputation import JITTER, noise_under
from kneerisk.model.rowwise import row_sums
from kneerisk.schema import FloatArray

#: How many patterns of tests done a process remembers; one takes some 100 kB.
PATTERNS_KEPT = 128
#: A variance below this is none: the value is known.
CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Open:
    """What is open about the state of an athlete, in the order of a left leg's state.

    ``covariance`` (d, d) is that of the state given what was measured, and ``share`` (n_tests, d)
    how much of each of its variances a test removes. A test's rows of ``said`` (rows, d), from
    ``starts`` on, are what it says: the sum of their squares along a direction is the variance
    that the test removes of it.
    """

    covariance: FloatArray
    tests: tuple[str, ...]
    share: FloatArray
    starts: np.ndarray
    said: FloatArray

    def variance(self, directions: FloatArray) -> FloatArray:
        """Open variance along directions of shape (d, k), shape (k,)."""
        return row_sums((directions * (self.covariance @ directions)).T)

    def removed(self, directions: FloatArray) -> FloatArray:
        """The variance that each test removes along directions (d, k), shape (n_tests, k)."""
        if not self.tests:
            return np.zeros((0, directions.shape[1]))
        return np.asarray(np.add.reduceat((self.said @ directions) ** 2, self.starts, axis=0))


@dataclass(frozen=True, slots=True)
class Information:
    """What tests would say of one population, with the patterns it has seen."""

    population: Population
    _kept: dict[Hashable, Open] = field(default_factory=dict, repr=False)
    _room: Lock = field(default_factory=Lock, repr=False, compare=False)

    def open(
        self, used: np.ndarray, protocols: FloatArray, tests: Mapping[str, tuple[int, ...]]
    ) -> Open:
        """What is open after the measures ``used``, and what each of the tests would say of it.

        Parameters
        ----------
        used
            Places of what was measured, in the left leg's state.
        protocols
            Codes of the stated protocols, as `kneerisk.model.imputation.stated_protocols` has them.
        tests
            The places that each test would measure, at least one a test.
        """
        key = (used.tobytes(), protocols.tobytes(), tuple(tests.items()))
        found = self._kept.get(key)
        if found is None:
            found = self._solve(used, protocols, tests)
            # Requests share this; two of them must not make room at the same time.
            with self._room:
                while len(self._kept) >= PATTERNS_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = found
        return found

    def _solve(
        self, used: np.ndarray, protocols: FloatArray, tests: Mapping[str, tuple[int, ...]]
    ) -> Open:
        noise = noise_under(self.population, protocols) + JITTER
        covariance = self.population.covariance
        if len(used):
            known = covariance[np.ix_(used, used)] + np.diag(noise[used])
            covariance = covariance - covariance[:, used] @ cho_solve(
                cho_factor(known), covariance[used]
            )
        said = []
        for found in tests.values():
            places = np.array(found, dtype=np.intp)
            read = covariance[np.ix_(places, places)] + np.diag(noise[places])
            root = np.linalg.cholesky(read)
            said.append(solve_triangular(root, covariance[places], lower=True))
        sizes = [len(rows) for rows in said]
        removed = [(rows**2).sum(axis=0) for rows in said]
        spread = np.maximum(np.diag(covariance), CERTAIN)
        return Open(
            covariance=covariance,
            tests=tuple(tests),
            share=np.array(removed).reshape(len(tests), len(covariance)) / spread,
            starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp),
            said=np.concatenate(said) if said else np.zeros((0, len(covariance))),
        )
