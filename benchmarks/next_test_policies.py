"""Policies that choose an athlete's next test: the next best one, a fixed order, or chance.

They uncover, one by one, the readings of simulated athletes who have done every test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import logit

from kneerisk.answer.next_tests import LEAST_SHARE, shares_of
from kneerisk.cohort.simulation.athletes import draw_athletes
from kneerisk.cohort.simulation.observation import batteries, observe_every_test
from kneerisk.cohort.simulation.true_risks import draw_definitions, draw_effects, true_risk
from kneerisk.evidence import assumption, measures_of_test, screening_tests
from kneerisk.evidence.population import published
from kneerisk.model import Bundle
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.value_of_information.expected_gain import value_of_information
from kneerisk.schema import SIDES, FloatArray, columns, leg_measures
from kneerisk.schema.z_scores import drop_unneeded_protocols

#: Which tests were done, shape (n, n_tests).
Done = NDArray[np.bool_]
TESTS = tuple(screening_tests())
#: In place of a test's position: no test.
NO_TEST = -1
QUESTIONS = tuple(name for name, row in screening_tests().items() if row.measures)
#: What an athlete may have done at the start, in equal shares; batteries as the evidence names
#: them.
STARTS = (
    "sport only", "interview", "tape_and_phone", "wall_and_video", "isokinetic_ratio",
    "dynamometer", "gait_lab", "random tests",
)  # fmt: skip


@dataclass(frozen=True)
class FullyTestedAthletes:
    """Readings of every test for n athletes, their true risks, and the tests they start with.

    A reading is drawn once, so that it is the same whenever its test is done. ``risk`` (n, 2) is
    NaN for a knee that hurts. ``done`` (n, n_tests) tells which tests were done at the start,
    ``start`` (n,) which of `STARTS` that was.
    """

    readings: dict[str, FloatArray]
    risk: FloatArray
    done: Done
    start: NDArray[np.int64]

    @cached_property
    def free(self) -> Done:
        """Which knees are free of pain, shape (n, 2)."""
        return ~np.isnan(self.risk)

    def uncovered(self, done: Done, rows: NDArray[np.int64] | None = None) -> dict[str, FloatArray]:
        """The coded columns of some athletes (all by default) once the given tests are done."""
        rows = np.arange(len(done)) if rows is None else rows
        data = {name: values[rows] for name, values in self.readings.items()}
        for i, test in enumerate(TESTS):
            for name in _columns(test):
                data[name] = np.where(done[rows, i], data[name], np.nan)
        drop_unneeded_protocols(data)
        return data

    def losses(self, log_odds: FloatArray) -> FloatArray:
        """Expected log loss of log-odds (n, 2) under the true risk, summed over knees, (n,)."""
        return expected_losses(self.risk, log_odds)


def expected_losses(risk: FloatArray, log_odds: FloatArray) -> FloatArray:
    """Expected log loss of predicted log-odds (n, 2), summed over the knees with a risk, (n,)."""
    loss = np.logaddexp(0.0, log_odds) - np.nan_to_num(risk) * log_odds
    return np.asarray(np.where(np.isnan(risk), 0.0, loss).sum(axis=1))


def lowest_losses(athletes: FullyTestedAthletes) -> FloatArray:
    """The expected loss of a prediction that equals the true risk, shape (n,)."""
    return expected_losses(athletes.risk, logit(np.nan_to_num(athletes.risk, nan=0.5)))


def draw(athletes: int, seed: int) -> FullyTestedAthletes:
    """Simulate athletes with all their readings, and draw the tests that they start with."""
    rng = np.random.default_rng(seed)
    drawn = draw_athletes(published(), athletes, rng)
    truth = true_risk(drawn, draw_effects(drawn, rng), draw_definitions(drawn, rng))
    readings = observe_every_test(drawn, rng)
    free = np.stack([drawn.data[f"{side}_pain_nrs"] == 0 for side in SIDES], axis=1)
    risk = np.where(free, np.stack([truth.left, truth.right], axis=1), np.nan)
    start = rng.integers(len(STARTS), size=athletes)
    return FullyTestedAthletes(readings, risk, _draw_starts(start, rng), start)


def _draw_starts(start: NDArray[np.int64], rng: Generator) -> Done:
    """Which tests each athlete did at the start, shape (n, n_tests)."""
    n = len(start)
    tests_of = {row.battery: row.tests for row in batteries()}
    done = np.zeros((n, len(TESTS)), dtype=bool)
    answered = rng.random((n, len(QUESTIONS)))
    not_asked = {"knee_history": assumption("history_not_asked_share"),
               "other_history": assumption("elsewhere_not_asked_share")}  # fmt: skip
    shares = rng.random(n)
    for code, name in enumerate(STARTS):
        rows = start == code
        for i, test in enumerate(TESTS):
            if test == "sport":
                done[rows, i] = True
            elif name == "random tests":
                done[rows, i] = rng.random(int(rows.sum())) < 0.8 * shares[rows]
            elif test in QUESTIONS:
                asked = answered[rows, QUESTIONS.index(test)] >= not_asked.get(test, 0.0)
                done[rows, i] = asked & (name != "sport only")
            else:
                done[rows, i] = test in tests_of.get(name, ())
    return done


def log_odds(model: RiskModel, data: dict[str, FloatArray]) -> FloatArray:
    """The model's log-odds of both knees for coded columns, shape (n, 2)."""
    return model.log_odds(model.features(data))


def _columns(test: str) -> list[str]:
    """Every column that a test fills, with its protocol and what is only recorded."""
    measures = set(measures_of_test(test))
    if not screening_tests()[test].measures:
        return [name for name, measure in columns().items() if measure.test == test]
    sided = set(leg_measures())
    return [
        column for name in measures
        for column in ([f"{side}_{name}" for side in SIDES] if name in sided else [name])
    ]  # fmt: skip


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
            asked = Screenings(
                data=data, expected=expected, features=model.features(data, expected)
            )
            values = value_of_information(model, known, asked, range(len(rows)))
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
