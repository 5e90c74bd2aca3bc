"""What is open after the tests done, and how much of it each further test would remove.

True measures are jointly Gaussian (`kneerisk.evidence.population`), so the variance that a test
leaves does not depend on its outcome: it is known before the test is done (Lindley 1956, doi
10.1214/aoms/1177728069). One solve a pattern of tests done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from kneerisk.evidence.population import Population
from kneerisk.model.features import row_sums
from kneerisk.model.imputation import JITTER, error_variances
from kneerisk.model.remembered import Remembered
from kneerisk.schema import FloatArray

#: What the remembered patterns of tests done may hold in a process (assumption); one takes some
#: 100 kB, and an answer needs three.
MOST_BYTES = 48 * 2**20
#: A variance below this, in SD squared, is none: the value is known (assumption).
CERTAIN = 1e-6

#: Tests with the places in the state that each would measure.
Tests = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Posterior:
    """The state of an athlete after the tests done, in the order of a left leg's state.

    ``covariance`` (d, d) is its covariance, and ``share_removed`` (n_tests, d) how much of each
    variance a further test would remove. The rows of ``whitened`` (n_rows, d) from a test's place
    in ``starts`` on are its uncorrelated readings' covariances with the state: the sum of their
    squares along a direction is the variance that the test removes of it.
    """

    covariance: FloatArray
    tests: tuple[str, ...]
    share_removed: FloatArray
    starts: NDArray[np.intp]
    whitened: FloatArray

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.covariance, self.share_removed, self.starts, self.whitened)
        return sum(array.nbytes for array in arrays)

    def variance(self, directions: FloatArray) -> FloatArray:
        """Open variance along directions.

        Parameters
        ----------
        directions
            Weights of the state's values, shape ``(d, k)``.

        Returns
        -------
        Shape ``(k,)``.
        """
        return row_sums((directions * (self.covariance @ directions)).T)

    def variance_removed(self, directions: FloatArray) -> FloatArray:
        """The variance that each test would remove along directions.

        Parameters
        ----------
        directions
            Weights of the state's values, shape ``(d, k)``.

        Returns
        -------
        Shape ``(n_tests, k)``.
        """
        if not self.tests:
            return np.zeros((0, directions.shape[1]))
        return np.asarray(np.add.reduceat((self.whitened @ directions) ** 2, self.starts, axis=0))


@dataclass(frozen=True)
class OpenVariance:
    """Posteriors of one population; it remembers the patterns of tests done that it has solved."""

    population: Population

    def posterior(
        self,
        used: NDArray[np.intp],
        protocols: FloatArray,
        tests: Mapping[str, tuple[int, ...]],
    ) -> Posterior:
        """The posterior after some measures, and what further tests would remove of it.

        Parameters
        ----------
        used
            Places in the left leg's state of what was measured, shape ``(n_used,)``.
        protocols
            Codes of the stated protocols, a row of `kneerisk.model.imputation.stated_protocols`.
        tests
            The places that each further test would measure, at least one a test.

        Returns
        -------
        The posterior, with the tests in the order given.
        """
        return self.solved(tuple(used.tolist()), tuple(protocols.tolist()), tuple(tests.items()))

    @cached_property
    def solved(self) -> Remembered[tuple[int, ...], tuple[float, ...], Tests, Posterior]:
        """The posterior of one pattern of tests done."""
        return Remembered(self._solve, MOST_BYTES)

    def _solve(
        self, measured: tuple[int, ...], protocols: tuple[float, ...], tests: Tests
    ) -> Posterior:
        noise = error_variances(self.population, np.array(protocols)) + JITTER
        covariance = self.population.covariance
        if measured:
            used = np.array(measured, dtype=np.intp)
            observed = covariance[np.ix_(used, used)] + np.diag(noise[used])
            covariance = covariance - covariance[:, used] @ cho_solve(
                cho_factor(observed), covariance[used]
            )
        whitened = []
        for _, test_places in tests:
            places = np.array(test_places, dtype=np.intp)
            reading = covariance[np.ix_(places, places)] + np.diag(noise[places])
            factor = np.linalg.cholesky(reading)
            whitened.append(solve_triangular(factor, covariance[places], lower=True))
        sizes = [len(rows) for rows in whitened]
        removed = [(rows**2).sum(axis=0) for rows in whitened]
        variance = np.maximum(np.diag(covariance), CERTAIN)
        return Posterior(
            covariance=covariance,
            tests=tuple(test for test, _ in tests),
            share_removed=np.array(removed).reshape(len(tests), len(covariance)) / variance,
            starts=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp),
            whitened=np.concatenate(whitened) if whitened else np.zeros((0, len(covariance))),
        )
