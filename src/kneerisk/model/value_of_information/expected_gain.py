"""How much each test that was not done would tell about one athlete's risk.

Preposterior analysis (Raiffa & Schlaifer 1961, Applied Statistical Decision Theory, chapter 4):
the expected fall of the log loss once a test's outcome is known. To second order in the log-odds
that is their variance which the test removes, weighted by p (1 - p) / 2 (`docs/decisions/0015`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from kneerisk.evidence.population import Population
from kneerisk.model.imputation import Expected, stated_protocols
from kneerisk.model.open_variance import CERTAIN
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.value_of_information.log_odds_slopes import (
    BANDS,
    Variants,
    add_bands,
    add_secants,
    secant_slopes,
    threshold_measures,
    variant_log_odds,
)
from kneerisk.model.value_of_information.missing_tests import (
    MissingColumns,
    missing_columns,
    possible_answers,
)
from kneerisk.schema import SIDES, Columns, FloatArray

#: The left knee, the right one, either.
KNEES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOfInformation:
    """What further tests would tell about the left knee, the right one and either.

    ``missing`` are the columns that each test would fill. ``gain`` (n_tests, 2) is by how much a
    test is expected to lower the log loss of the left and the right knee, ``largest_gain`` (2,)
    what all tests together would if none had an error. ``variance_removed`` (n_tests, 3) is the
    variance of the log-odds that a test removes, of either knee too. ``imbalance_share`` (n_tests,
    2, n_imbalances) is the share that a test removes of the open variance of each leg's latent
    imbalances, and ``remaining_variance`` (n_tests, 2, n_targets) the variance of each expected
    value that it would leave.
    """

    missing: MissingColumns
    gain: FloatArray
    largest_gain: FloatArray
    variance_removed: FloatArray
    imbalance_share: FloatArray
    remaining_variance: FloatArray


def value_of_information(
    model: RiskModel, known: Collection[str], data: Columns, expected: Expected, rows: Sequence[int]
) -> list[ValueOfInformation]:
    """What each test not done would add to the predictions of some screenings.

    Parameters
    ----------
    model
        The model that predicts.
    known
        Columns that the model has seen; a test of none of them says nothing.
    data
        The screenings as coded columns, each of shape ``(n,)``; missing is NaN.
    expected
        Their expected true values.
    rows
        Which of the screenings.

    Returns
    -------
    One for each of the rows, in their order.
    """
    analyses = [_Preposterior(model, frozenset(known), data, expected, row) for row in rows]
    if not analyses:
        return []
    log_odds = variant_log_odds(model, [analysis.variants for analysis in analyses])
    return [
        analysis.value_of_information(own) for analysis, own in zip(analyses, log_odds, strict=True)
    ]


def _state_places(people: Population) -> dict[str, int]:
    """Where each column stands in the left leg's state."""
    a, m = len(people.athlete), len(people.leg)
    places = {name: i for i, name in enumerate(people.athlete)}
    for start, side in zip((a, a + m), SIDES, strict=True):
        places |= {f"{side}_{name}": start + i for i, name in enumerate(people.leg)}
    return places


def _threshold_places(people: Population) -> list[int]:
    """Where the measures with a threshold stand in the state."""
    names = [*people.athlete, *people.leg, *people.leg]
    return [i for i, name in enumerate(names) if name in threshold_measures()]


class _Preposterior:
    """The variants of one athlete that the model has to predict, and what follows from them."""

    def __init__(
        self, model: RiskModel, known: frozenset[str], data: Columns, expected: Expected, row: int
    ) -> None:
        own = {name: values[row : row + 1] for name, values in data.items()}
        self.model, people = model, model.population
        self.missing, state_places = missing_columns(own, known), _state_places(people)
        self.places = {
            test: tuple(state_places[name] for name in names if name in state_places)
            for test, names in self.missing.items()
        }
        self.posterior = model.open_variance.posterior(
            expected.gains[row][0].used,
            stated_protocols(own)[0],
            {test: places for test, places in self.places.items() if places},
        )
        self.a, self.m, self.size = len(people.athlete), len(people.leg), people.n_measures
        self.open_variance = np.maximum(np.diag(self.posterior.covariance), 0.0)
        self.thresholds = _threshold_places(people)
        self.variants = Variants(own, expected.mean[row], expected.variance[row])
        self.now = self.variants.add(1)
        self.secants, self.steps = add_secants(
            self.variants, np.sqrt(self.open_variance[: self.size]), self.a, self.m
        )
        self.bands, self.answers = self._gather_bands(), self._gather_answers()

    def value_of_information(self, log_odds: FloatArray) -> ValueOfInformation:
        """The value of every test, from the log-odds of the variants (count, 3)."""
        slopes = np.zeros((len(self.open_variance), KNEES))
        slopes[: self.size] = secant_slopes(log_odds[self.secants], self.steps)
        slopes[self.thresholds] = 0.0
        order = {test: i for i, test in enumerate(self.missing)}
        rows = [order[test] for test in self.posterior.tests]
        removed = np.zeros((len(order), KNEES))
        removed[rows] = self.posterior.variance_removed(slopes)
        now = log_odds[self.now][0]
        # To second order, a fall of variance lowers the log loss by p (1 - p) / 2 of it.
        weight = expit(now[:2]) * expit(-now[:2]) / 2.0
        gain, largest = removed[:, :2] * weight, self.posterior.variance(slopes)[:2] * weight
        falls, variances = self._outcomes(log_odds, now)
        for (_, place), fall, variance in zip(self.bands, falls, variances, strict=False):
            share = self.posterior.share_removed[:, place, None]
            largest = largest + fall
            gain[rows] += share * fall
            removed[rows] += share * variance
        asked = len(self.bands)
        for (_, _, test), fall, variance in zip(
            self.answers, falls[asked:], variances[asked:], strict=True
        ):
            largest = largest + fall
            gain[order[test]] += fall
            removed[order[test]] += variance
        k = len(self.model.population.imbalances)
        imbalance_share = np.zeros((len(order), 2, k))
        imbalance_share[rows] = self.posterior.share_removed[:, self.size :].reshape(
            len(rows), 2, k
        )
        return ValueOfInformation(
            missing=self.missing,
            gain=gain,
            largest_gain=largest,
            variance_removed=removed,
            imbalance_share=imbalance_share,
            remaining_variance=self._remaining_variance(rows, len(order)),
        )

    def _outcomes(self, log_odds: FloatArray, now: FloatArray) -> tuple[FloatArray, FloatArray]:
        """By how much each band and each answer, once known, lowers log loss and variance.

        The bands come first; shapes (n_outcomes, 2) and (n_outcomes, 3).
        """
        equal = np.full(BANDS, 1.0 / BANDS)
        outcomes = [(where, equal) for where, _ in self.bands]
        outcomes += [(where, probabilities) for where, probabilities, _ in self.answers]
        if not outcomes:
            return np.zeros((0, 2)), np.zeros((0, KNEES))
        sizes = np.array([len(probabilities) for _, probabilities in outcomes])
        # They were gathered one after the other.
        then = log_odds[outcomes[0][0].start : outcomes[-1][0].stop]
        probability = np.concatenate([probabilities for _, probabilities in outcomes])[:, None]
        first = np.cumsum(sizes) - sizes
        mean = np.add.reduceat(probability * then, first, axis=0)
        away = then - np.repeat(mean, sizes, axis=0)
        variances = np.add.reduceat(probability * away**2, first, axis=0)
        falls = np.add.reduceat(probability * _log_loss_falls(then[:, :2], now[:2]), first, axis=0)
        return falls, variances

    def _remaining_variance(self, rows: list[int], count: int) -> FloatArray:
        """The variance of each leg's targets that each test leaves, shape (count, 2, targets)."""
        a, m, size = self.a, self.m, self.size
        k = len(self.model.population.imbalances)
        own = np.arange(a)
        places = np.stack(
            [
                np.r_[own, a + side * m + np.arange(m), size + side * k + np.arange(k)]
                for side in range(len(SIDES))
            ]
        )
        remaining = np.repeat(self.variants.variance[None], count, axis=0)
        remaining[rows] *= 1.0 - np.clip(self.posterior.share_removed[:, places], 0.0, 1.0)
        return remaining

    def _gather_bands(self) -> list[tuple[slice, int]]:
        """What each measure with a threshold may turn out to be, and its place in the state."""
        gathered = []
        for place in self.thresholds:
            if (variance := float(self.open_variance[place])) >= CERTAIN:
                side = None if place < self.a else (place - self.a) // self.m
                target = place if side is None else self.a + (place - self.a) % self.m
                gathered.append((add_bands(self.variants, side, target, variance), place))
        return gathered

    def _gather_answers(self) -> list[tuple[slice, FloatArray, str]]:
        """Each answer to each question that was not asked, its probability, and the question."""
        gathered = []
        for test, missing in self.missing.items():
            if len(missing) == len(self.places[test]):
                continue
            for answers, shares in possible_answers(self.model, self.variants.data, missing):
                mean = self._expected_with(answers, len(shares))
                place = self.variants.add(len(shares), mean, answers=answers)
                gathered.append((place, shares, test))
        return gathered

    def _expected_with(self, answers: Mapping[str, FloatArray], count: int) -> FloatArray | None:
        """Expected true values with each answer: the sport alone moves what is usual."""
        if "sport" not in answers:
            return None
        own = self.variants.data
        data = {name: np.repeat(values, count) for name, values in own.items()} | dict(answers)
        return self.model.measurement_update.expected(data).mean


def _log_loss_falls(then: FloatArray, now: FloatArray) -> FloatArray:
    """By how much the log loss of each knee falls with each answer, shape (k, 2).

    The answers are few and their effects large, so that this is the sum itself: the log loss of
    today's risk, less that of the risk with each answer.
    """
    risk = expit(then)
    before = np.logaddexp(0.0, now) - risk * now
    after = np.logaddexp(0.0, then) - risk * then
    return np.asarray(before - after)
