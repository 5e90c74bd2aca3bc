"""What each test that was not done is worth to one athlete, in variance of the log-odds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan

import numpy as np
from scipy.special import expit

from kneerisk.evidence import measures_of_test, screening_tests
from kneerisk.evidence.population import Population
from kneerisk.model.imputation import Expected, stated_protocols
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.value_of_information.log_odds_slopes import (
    BANDS,
    Variants,
    ask,
    secants,
    slopes_from,
    stepped,
    stepped_measures,
)
from kneerisk.model.value_of_information.open_variance import CERTAIN
from kneerisk.model.value_of_information.unasked_questions import unasked
from kneerisk.schema import SIDES, Columns, FloatArray, category, leg_measures
from kneerisk.schema.rules import OPPOSITES, RATIOS

#: The left knee, the right one, either.
KNEES = 3
Missing = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOfInformation:
    """What tests would settle about the left knee, the right one and either.

    ``missing`` are the columns that each test would fill. ``gain`` (n_tests, 2) is by how much a
    test is expected to lower the log loss of the left and the right knee, ``most`` (2,) what all
    tests together would if none had an error. ``removed`` (n_tests, 3) is the variance of the
    log-odds that a test removes, of either knee too. ``settled`` (n_tests, 2, n_imbalances) is the
    share of what is open of each leg's latent imbalances that a test removes, and ``left``
    (n_tests, 2, targets) the variance of each expected value that it would leave.
    """

    missing: Missing
    gain: FloatArray
    most: FloatArray
    removed: FloatArray
    settled: FloatArray
    left: FloatArray


def value_of_information(
    model: RiskModel, known: Collection[str], data: Columns, expected: Expected, rows: Sequence[int]
) -> list[ValueOfInformation]:
    """What each test not done would add to the answer of some screenings.

    Parameters
    ----------
    known
        Columns that the model has seen; a test of none of them says nothing.
    data, expected
        The coded columns of the screenings, and what is expected of them.
    rows
        Which of the screenings.
    """
    inquiries = [_Inquiry(model, frozenset(known), data, expected, row) for row in rows]
    answers = ask(model, [inquiry.variants for inquiry in inquiries]) if inquiries else []
    return [
        inquiry.value_of_information(log_odds)
        for inquiry, log_odds in zip(inquiries, answers, strict=True)
    ]


def missing_columns(data: Columns, known: frozenset[str]) -> Missing:
    """The columns that each test or question would add, of one screening of shape (1,)."""
    found = {
        test: tuple(name for name in columns_of(test) if name in known and isnan(data[name][0]))
        for test in screening_tests()
    }
    told = _computed_ratios(data) | _read_on_the_other_leg(data)
    found = {test: tuple(n for n in names if n not in told) for test, names in found.items()}
    return {test: names for test, names in found.items() if names}


@cache
def columns_of(test: str) -> tuple[str, ...]:
    """The columns that a test fills; a ratio of two of its own measures is no further one."""
    measures = measures_of_test(test)
    ratios = {r.ratio for r in RATIOS if r.over in measures and r.under in measures}
    sided = leg_measures()
    columns: list[str] = []
    for name in measures:
        if name not in ratios:
            columns += [f"{side}_{name}" for side in SIDES] if name in sided else [name]
    return tuple(columns)


def _computed_ratios(data: Columns) -> set[str]:
    """Ratios whose parts were measured in one test, so that they are known."""
    found: set[str] = set()
    for rule in RATIOS:
        codes = [category(rule.protocol).choices.index(mode) for mode in rule.modes]
        for side in SIDES:
            parts = [data[f"{side}_{part}"][0] for part in (rule.over, rule.under)]
            if data[rule.protocol][0] in codes and not np.isnan(parts).any():
                found.add(f"{side}_{rule.ratio}")
    return found


def _read_on_the_other_leg(data: Columns) -> set[str]:
    """Of a reading that is both legs', the column that would tell nothing more."""
    return {
        f"left_{measure}" if isnan(data[f"left_{measure}"][0]) and not isnan(
            data[f"right_{measure}"][0]
        ) else f"right_{measure}"
        for measure in OPPOSITES
    }  # fmt: skip


def _places(people: Population) -> dict[str, int]:
    """Where each column stands in the left leg's state."""
    a, m = len(people.athlete), len(people.leg)
    places = {name: i for i, name in enumerate(people.athlete)}
    for start, side in zip((a, a + m), SIDES, strict=True):
        places |= {f"{side}_{name}": start + i for i, name in enumerate(people.leg)}
    return places


def _stepped_places(people: Population) -> list[int]:
    """Where the measures with a threshold stand in the state."""
    names = [*people.athlete, *people.leg, *people.leg]
    return [i for i, name in enumerate(names) if name in stepped_measures()]


class _Inquiry:
    """Everything that the model is asked about one athlete, and what follows from its answers."""

    def __init__(
        self, model: RiskModel, known: frozenset[str], data: Columns, expected: Expected, row: int
    ) -> None:
        own = {name: values[row : row + 1] for name, values in data.items()}
        self.model, people = model, model.population
        self.missing, of_state = missing_columns(own, known), _places(people)
        self.places = {
            test: tuple(of_state[name] for name in names if name in of_state)
            for test, names in self.missing.items()
        }
        self.left = model.information.open(
            expected.gains[row][0].used,
            stated_protocols(own)[0],
            {test: places for test, places in self.places.items() if places},
        )
        self.a, self.m, self.size = len(people.athlete), len(people.leg), people.n_measures
        self.spread = np.maximum(np.diag(self.left.covariance), 0.0)
        self.stepped = _stepped_places(people)
        self.variants = Variants(own, expected.mean[row], expected.variance[row])
        self.now = self.variants.add(expected.mean[row][None])
        self.secants, self.steps = secants(
            self.variants, np.sqrt(self.spread[: self.size]), self.a, self.m
        )
        self.in_steps, self.asked = self._gather_steps(), self._gather_questions()

    def value_of_information(self, log_odds: FloatArray) -> ValueOfInformation:
        """The worth of every test, from the log-odds of the variants (count, 3)."""
        slopes = np.zeros((len(self.spread), KNEES))
        slopes[: self.size] = slopes_from(log_odds[self.secants], self.steps)
        slopes[self.stepped] = 0.0
        order = {test: i for i, test in enumerate(self.missing)}
        rows = [order[test] for test in self.left.tests]
        removed = np.zeros((len(order), KNEES))
        removed[rows] = self.left.removed(slopes)
        now = log_odds[self.now][0]
        # To second order, a fall of variance lowers the log loss by p (1 - p) / 2 of it.
        weight = expit(now[:2]) * expit(-now[:2]) / 2.0
        gain, most = removed[:, :2] * weight, self.left.variance(slopes)[:2] * weight
        equal = np.full(BANDS, 1.0 / BANDS)
        for where, place in self.in_steps:
            share = self.left.share[:, place, None]
            fall = _fall(log_odds[where], equal, now)
            most = most + fall
            gain[rows] += share * fall
            removed[rows] += share * _variance(log_odds[where], equal)
        for where, shares, test in self.asked:
            fall = _fall(log_odds[where], shares, now)
            most = most + fall
            gain[order[test]] += fall
            removed[order[test]] += _variance(log_odds[where], shares)
        k = len(self.model.population.imbalances)
        settled = np.zeros((len(order), 2, k))
        settled[rows] = self.left.share[:, self.size :].reshape(len(rows), 2, k)
        return ValueOfInformation(
            missing=self.missing,
            gain=gain,
            most=most,
            removed=removed,
            settled=settled,
            left=self._left(rows, len(order)),
        )

    def _left(self, rows: list[int], count: int) -> FloatArray:
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
        left = np.repeat(self.variants.variance[None], count, axis=0)
        left[rows] *= 1.0 - np.clip(self.left.share[:, places], 0.0, 1.0)
        return left

    def _gather_steps(self) -> list[tuple[slice, int]]:
        """What each measure with a threshold may turn out to be, and its place in the state."""
        found = []
        for place in self.stepped:
            if (variance := float(self.spread[place])) >= CERTAIN:
                side = None if place < self.a else (place - self.a) // self.m
                target = place if side is None else self.a + (place - self.a) % self.m
                found.append((stepped(self.variants, side, target, variance), place))
        return found

    def _gather_questions(self) -> list[tuple[slice, FloatArray, str]]:
        """Each answer to each question that was not asked."""
        found = []
        for test, missing in self.missing.items():
            if len(missing) == len(self.places[test]):
                continue
            for answers, shares in unasked(self.model, self.variants.data, missing):
                mean = self._expected_with(answers, len(shares))
                found.append((self.variants.add(mean, answers=answers), shares, test))
        return found

    def _expected_with(self, answers: Mapping[str, FloatArray], count: int) -> FloatArray:
        """What is expected with each answer: the sport moves what is usual."""
        if "sport" not in answers:
            return np.repeat(self.variants.mean[None], count, axis=0)
        own = self.variants.data
        data = {name: np.repeat(values, count) for name, values in own.items()} | dict(answers)
        return self.model.measurement_update.expected(data).mean


def _variance(log_odds: FloatArray, shares: FloatArray) -> FloatArray:
    """Variance of log-odds (k, 3) that occur with some shares (k,), shape (3,)."""
    mean = (shares[:, None] * log_odds).sum(axis=0)
    return np.asarray((shares[:, None] * (log_odds - mean) ** 2).sum(axis=0))


def _fall(log_odds: FloatArray, shares: FloatArray, now: FloatArray) -> FloatArray:
    """By how much the log loss of each knee falls, shape (2,), once the answer is known.

    The answers are few and their effects large, so that this is the sum itself: the log loss of
    what is told now, less that of what is told then.
    """
    then = log_odds[:, :2]
    risk = expit(then)
    before = np.logaddexp(0.0, now[:2]) - risk * now[:2]
    after = np.logaddexp(0.0, then) - risk * then
    return np.asarray((shares[:, None] * (before - after)).sum(axis=0))
