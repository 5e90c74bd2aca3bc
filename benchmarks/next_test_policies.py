"""Policies that choose an athlete's next test: the next best one, a fixed order, or chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.fully_tested_athletes import (
    NO_TEST,
    TESTS,
    Done,
    FullyTestedAthletes,
    expected_losses,
    log_odds,
)
from kneerisk.answer.next_tests import LEAST_SHARE, shares_of
from kneerisk.model import Bundle
from kneerisk.model.value_of_information.expected_gain import value_of_information
from kneerisk.schema import FloatArray

#: Athletes in one pass of predictions, and in one pass of values of information.
PREDICTED_TOGETHER, VALUED_TOGETHER = 4_000, 16
#: Gives the position of each athlete's next test, shape (n,), `NO_TEST` for none.
Policy = Callable[[FullyTestedAthletes, Done], np.ndarray]


def predict(bundle: Bundle, athletes: FullyTestedAthletes, done: Done) -> FloatArray:
    """The model's log-odds of all athletes with the given tests done, shape (n, 2)."""
    chunks = np.array_split(np.arange(len(done)), max(1, len(done) // PREDICTED_TOGETHER))
    return np.concatenate([_predict_rows(bundle, athletes, done, rows) for rows in chunks])


def next_best(bundle: Bundle) -> Policy:
    """The test that the answer names first."""

    def pick(athletes: FullyTestedAthletes, done: Done) -> np.ndarray:
        model, picked = bundle.model, np.full(len(done), NO_TEST)
        for rows in np.array_split(np.arange(len(done)), max(1, len(done) // VALUED_TOGETHER)):
            data = athletes.uncovered(done, rows)
            expected = model.measurement_update.expected(data)
            known = bundle.metadata.population
            values = value_of_information(model, known, data, expected, range(len(rows)))
            for row, value in zip(rows, values, strict=True):
                shares = shares_of(value, athletes.free[row])
                if len(shares) and shares.max() >= LEAST_SHARE:
                    picked[row] = TESTS.index(tuple(value.missing)[int(shares.argmax())])
        return picked

    return pick


def fixed(order: list[int]) -> Policy:
    """The first test of an order that was not done."""
    return by_rank(lambda athletes: np.tile(np.argsort(order), (len(athletes.done), 1)))


def fixed_by_sport(orders: dict[int, list[int]]) -> Policy:
    """The first test of the sport's order that was not done."""
    ranks = {sport: np.argsort(order) for sport, order in orders.items()}
    return by_rank(
        lambda athletes: np.stack([ranks[int(sport)] for sport in athletes.readings["sport"]])
    )


def at_random(seed: int) -> Policy:
    """Any test that was not done, in an order drawn for each athlete."""
    return by_rank(lambda athletes: np.random.default_rng(seed).random(athletes.done.shape))


def by_rank(ranks_of: Callable[[FullyTestedAthletes], FloatArray]) -> Policy:
    """The test of the lowest rank that was not done; ranks have shape (n, n_tests)."""

    def pick(athletes: FullyTestedAthletes, done: Done) -> np.ndarray:
        ranks = np.where(done, np.inf, ranks_of(athletes))
        return np.where(done.all(axis=1), NO_TEST, ranks.argmin(axis=1))

    return pick


def greedy_order(bundle: Bundle, athletes: FullyTestedAthletes, rows: np.ndarray) -> list[int]:
    """Choose the order in which each next test lowers the loss most, given those before it.

    A test is tried again only while its last gain is the largest left, since what one test adds
    falls as others are done (Minoux 1978, accelerated greedy algorithms).

    Parameters
    ----------
    bundle
        The model.
    athletes
        Simulated athletes.
    rows
        Positions of those to choose on, shape (m,).

    Returns
    -------
    list
        Positions of all tests.
    """
    done = athletes.done.copy()
    loss = expected_losses(athletes.risk[rows], _predict_rows(bundle, athletes, done, rows))
    gains = dict.fromkeys(range(len(TESTS)), np.inf)
    tried: dict[int, FloatArray] = {}
    order: list[int] = []
    while gains:
        test = max(gains, key=lambda candidate: gains[candidate])
        if test in tried:
            order.append(test)
            loss, done[rows, test] = tried[test], True
            del gains[test]
            tried = {}
            continue
        tried[test] = _losses_with(bundle, athletes, done, rows, test, loss)
        gains[test] = float((loss - tried[test]).sum())
        if gains[test] <= 0.0 and all(gain <= 0.0 for gain in gains.values()):
            # No test left helps anybody: they follow in the order of their gains.
            order += sorted(gains, key=lambda candidate: -gains[candidate])
            break
    return order


def _losses_with(
    bundle: Bundle, athletes: FullyTestedAthletes, done: Done, rows: np.ndarray, test: int,
    loss: FloatArray,
) -> FloatArray:  # fmt: skip
    """Losses of the rows once this test is done too, given their losses before."""
    changed = np.flatnonzero(~done[rows, test])
    with_test = done.copy()
    with_test[rows, test] = True
    losses = loss.copy()
    if len(changed):
        changed_rows = rows[changed]
        predicted = _predict_rows(bundle, athletes, with_test, changed_rows)
        losses[changed] = expected_losses(athletes.risk[changed_rows], predicted)
    return losses


def _predict_rows(
    bundle: Bundle, athletes: FullyTestedAthletes, done: Done, rows: np.ndarray
) -> FloatArray:
    return log_odds(bundle.model, athletes.uncovered(done, rows))
