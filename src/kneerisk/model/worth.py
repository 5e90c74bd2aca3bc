"""What each test that was not done is worth to one athlete, in variance of the log-odds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan

import numpy as np

from kneerisk.evidence import measures_of_test, screening_tests
from kneerisk.evidence.population import Population
from kneerisk.model.information import CERTAIN
from kneerisk.model.posterior import Expected, stated_protocols
from kneerisk.model.questions import unasked
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.slopes import Variants, ask, secants, slopes_from, stepped, stepped_measures
from kneerisk.schema import SIDES, Columns, FloatArray, category, leg_measures
from kneerisk.schema.rules import RATIOS

#: The left knee, the right one, either.
KNEES = 3
Missing = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What tests would settle of the log-odds of the left knee, the right one and either.

    ``missing`` are the columns that each test would fill. ``removed`` (n_tests, 3) is the variance
    that a test is expected to remove, ``open`` (3,) what all tests together would remove if none
    had an error. ``settled`` (n_tests, 2, n_imbalances) is the share of what is open of each leg's
    latent imbalances that a test removes.
    """

    missing: Missing
    removed: FloatArray
    open: FloatArray
    settled: FloatArray


def worth(
    model: RiskModel, known: Collection[str], data: Columns, expected: Expected, rows: Sequence[int]
) -> list[Worth]:
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
    return [inquiry.worth(log_odds) for inquiry, log_odds in zip(inquiries, answers, strict=True)]


def missing_columns(data: Columns, known: frozenset[str]) -> Missing:
    """The columns that each test or question would add, of one screening of shape (1,)."""
    found = {
        test: tuple(name for name in columns_of(test) if name in known and isnan(data[name][0]))
        for test in screening_tests()
    }
    computed = _computed_ratios(data)
    found = {test: tuple(n for n in names if n not in computed) for test, names in found.items()}
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
        self.secants, self.steps = secants(
            self.variants, np.sqrt(self.spread[: self.size]), self.a, self.m
        )
        self.in_steps, self.asked = self._gather_steps(), self._gather_questions()

    def worth(self, log_odds: FloatArray) -> Worth:
        """The worth of every test, from the log-odds of the variants (count, 3)."""
        slopes = np.zeros((len(self.spread), KNEES))
        slopes[: self.size] = slopes_from(log_odds[self.secants], self.steps)
        slopes[self.stepped] = 0.0
        order = {test: i for i, test in enumerate(self.missing)}
        rows = [order[test] for test in self.left.tests]
        removed = np.zeros((len(order), KNEES))
        removed[rows] = self.left.removed(slopes)
        whole = self.left.variance(slopes)
        for where, place in self.in_steps:
            variance = _variance(log_odds[where])
            whole = whole + variance
            removed[rows] += self.left.share[:, place, None] * variance
        for where, shares, test in self.asked:
            variance = _variance(log_odds[where], shares)
            whole = whole + variance
            removed[order[test]] += variance
        k = len(self.model.population.imbalances)
        settled = np.zeros((len(order), 2, k))
        settled[rows] = self.left.share[:, self.size :].reshape(-1, 2, k)
        return Worth(missing=self.missing, removed=removed, open=whole, settled=settled)

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
        return self.model.posterior.expected(data).mean


def _variance(log_odds: FloatArray, shares: FloatArray | None = None) -> FloatArray:
    """Variance of log-odds (k, 3) over equally likely rows, or by their shares (k,); (3,)."""
    weights = np.full(len(log_odds), 1.0 / len(log_odds)) if shares is None else shares
    mean = (weights[:, None] * log_odds).sum(axis=0)
    return np.asarray((weights[:, None] * (log_odds - mean) ** 2).sum(axis=0))
