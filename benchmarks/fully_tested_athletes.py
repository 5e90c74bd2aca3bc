"""Simulated athletes with the readings of every test, which a policy uncovers one by one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import logit

from kneerisk.cohort.simulation.athletes import draw_athletes
from kneerisk.cohort.simulation.observation import (
    batteries,
    drop_unneeded_protocols,
    observe_every_test,
)
from kneerisk.cohort.simulation.simulated_cohort import draw_effects, true_risk
from kneerisk.evidence import assumption, measures_of_test, screening_tests
from kneerisk.evidence.population import published
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, FloatArray, columns, leg_measures

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
    truth = true_risk(drawn, draw_effects(drawn, rng))
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
