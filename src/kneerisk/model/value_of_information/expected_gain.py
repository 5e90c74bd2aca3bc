"""How much each test that was not done would tell about one athlete's risk.

Preposterior analysis (Raiffa & Schlaifer 1961, Applied Statistical Decision Theory, chapter 4):
the expected fall of the log loss once a test's outcome is known. To second order in the log-odds
that is their variance which the test removes, weighted by p (1 - p) / 2 (`docs/decisions/0015`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kneerisk.evidence.population import Population
from kneerisk.model.imputation import stated_protocols
from kneerisk.model.measure_columns import MeasureColumns
from kneerisk.model.moved_measures import Screenings
from kneerisk.model.open_variance import CERTAIN
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.value_of_information.missing_tests import (
    Answers,
    MissingColumns,
    missing_columns,
    possible_answers,
)
from kneerisk.model.value_of_information.possible_log_odds import (
    answer_log_odds,
    band_log_odds,
    measure_slopes,
)
from kneerisk.schema import SIDES, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOfInformation:
    """What further tests would tell about the left knee and the right one.

    ``missing`` are the columns that each test would fill. ``gain`` (n_tests, 2) is by how much a
    test is expected to lower the log loss of the left and the right knee, ``largest_gain`` (2,)
    what all tests together would if none had an error. ``imbalance_share`` (n_tests, 2,
    n_imbalances) is the share that a test removes of the open variance of each leg's latent
    imbalances, and ``remaining_variance`` (n_tests, 2, n_targets) the variance of each expected
    value that it would leave.
    """

    missing: MissingColumns
    gain: FloatArray
    largest_gain: FloatArray
    imbalance_share: FloatArray
    remaining_variance: FloatArray


def value_of_information(
    model: RiskModel, known: Collection[str], screenings: Screenings, rows: Sequence[int]
) -> list[ValueOfInformation]:
    """What each test not done would add to the predictions of some screenings.

    Parameters
    ----------
    model
        The model that predicts.
    known
        Columns that the model has seen; a test of none of them says nothing.
    screenings
        n screenings.
    rows
        Which of them.

    Returns
    -------
    One for each of the rows, in their order.
    """
    if not len(rows):
        return []
    asked = screenings.take(rows)
    opened = [_Open(model, frozenset(known), asked, i) for i in range(len(rows))]
    return _gains(model, asked, opened)


@cache
def _state_places(athlete: tuple[str, ...], leg: tuple[str, ...]) -> dict[str, int]:
    """Where each column stands in the left leg's state."""
    a, m = len(athlete), len(leg)
    places = {name: i for i, name in enumerate(athlete)}
    for start, side in zip((a, a + m), SIDES, strict=True):
        places |= {f"{side}_{name}": start + i for i, name in enumerate(leg)}
    return places


class _Open:
    """What is open about one of some screenings, and what further tests would remove of it."""

    def __init__(
        self, model: RiskModel, known: frozenset[str], screenings: Screenings, row: int
    ) -> None:
        people = model.population
        self.data = {name: values[row : row + 1] for name, values in screenings.data.items()}
        self.missing = missing_columns(self.data, known)
        state_places = _state_places(people.athlete, people.leg)
        self.places = {
            test: tuple(state_places[name] for name in names if name in state_places)
            for test, names in self.missing.items()
        }
        self.posterior = model.open_variance.posterior(
            screenings.expected.gains[row][0].used,
            stated_protocols(self.data)[0],
            {test: places for test, places in self.places.items() if places},
        )
        self.variance = np.maximum(np.diag(self.posterior.covariance), 0.0)
        order = {test: i for i, test in enumerate(self.missing)}
        #: The places among all open tests of those that measure something.
        self.measuring = [order[test] for test in self.posterior.tests]

    def questions(self, model: RiskModel) -> Iterator[tuple[int, Answers]]:
        """The answers to each question that was not asked, by the place of its test."""
        for place, (test, names) in enumerate(self.missing.items()):
            if len(names) > len(self.places[test]):
                for answers in possible_answers(model, self.data, names):
                    yield place, answers


def _gains(
    model: RiskModel, screenings: Screenings, opened: Sequence[_Open]
) -> list[ValueOfInformation]:
    """What the tests of each screening would tell."""
    people, k = model.population, len(model.population.imbalances)
    sloping, stepping = (_places(people, moved.columns) for moved in (model.moved, model.settled))
    variance = np.array([own.variance for own in opened])
    slopes = np.zeros((*variance.shape, len(SIDES)))
    slopes[:, sloping] = measure_slopes(model, screenings, np.sqrt(variance[:, sloping]))
    now = model.log_odds(screenings.features)
    band_falls = _band_falls(model, screenings, variance[:, stepping], now)
    answer_falls = _answer_falls(model, screenings, opened, now)
    # To second order, a fall of variance lowers the log loss by p (1 - p) / 2 of it.
    weight = expit(now) * expit(-now) / 2.0
    targets = _target_places(len(people.athlete), len(people.leg), k)
    values = []
    for row, own in enumerate(opened):
        posterior, share, gain = own.posterior, own.posterior.share_removed, answer_falls[row]
        largest = posterior.variance(slopes[row]) * weight[row] + gain.sum(axis=0)
        gain[own.measuring] += posterior.variance_removed(slopes[row]) * weight[row]
        gain[own.measuring] += (share[:, stepping, None] * band_falls[row]).sum(axis=1)
        imbalance_share = np.zeros((len(gain), len(SIDES), k))
        imbalance_share[own.measuring] = share[:, people.n_measures :].reshape(-1, len(SIDES), k)
        remaining = np.repeat(screenings.expected.variance[row : row + 1], len(gain), axis=0)
        # Rounding may leave less than nothing.
        remaining[own.measuring] *= 1.0 - np.minimum(share[:, targets], 1.0)
        values.append(
            ValueOfInformation(
                missing=own.missing,
                gain=gain,
                largest_gain=largest + band_falls[row].sum(axis=0),
                imbalance_share=imbalance_share,
                remaining_variance=remaining,
            )
        )
    return values


def _places(people: Population, columns: MeasureColumns) -> NDArray[np.intp]:
    """Where the places of some measures stand in the left leg's state."""
    m = len(people.leg)
    return np.array(
        [columns.targets[measure] + (leg or 0) * m for measure, leg in columns.places],
        dtype=np.intp,
    )


@lru_cache
def _target_places(n_athlete: int, n_leg: int, n_latent: int) -> NDArray[np.intp]:
    """Where the expected values of each leg stand in the left leg's state, (2, n_targets)."""
    n_measures = n_athlete + len(SIDES) * n_leg
    athlete, leg, latent = np.arange(n_athlete), np.arange(n_leg), np.arange(n_latent)
    return np.array(
        [
            np.r_[athlete, n_athlete + side * n_leg + leg, n_measures + side * n_latent + latent]
            for side in range(len(SIDES))
        ]
    )


def _band_falls(
    model: RiskModel, screenings: Screenings, open_variance: FloatArray, now: FloatArray
) -> FloatArray:
    """By how much knowing each measure with a threshold lowers the log loss, (n, n_places, 2)."""
    then = band_log_odds(model, screenings, open_variance)
    falls = _log_loss_falls(then, now[:, None, None]).mean(axis=1)
    return np.where(open_variance[..., None] >= CERTAIN, falls, 0.0)


def _answer_falls(
    model: RiskModel, screenings: Screenings, opened: Sequence[_Open], now: FloatArray
) -> list[FloatArray]:
    """By how much the answers to each test's questions lower the log loss, (n_tests, 2) each."""
    falls = [np.zeros((len(own.missing), 2)) for own in opened]
    asked = [
        (row, *question) for row, own in enumerate(opened) for question in own.questions(model)
    ]
    if not asked:
        return falls
    then = answer_log_odds(model, screenings, [(row, answers) for row, _, answers in asked])
    counts = [len(shares) for _, _, (_, shares) in asked]
    shares = np.concatenate([shares for _, _, (_, shares) in asked])[:, None]
    before = now[np.repeat([row for row, _, _ in asked], counts)]
    starts = np.array([0, *np.cumsum(counts)[:-1]], dtype=np.intp)
    by_question = np.add.reduceat(shares * _log_loss_falls(then, before), starts, axis=0)
    for (row, test, _), fall in zip(asked, by_question, strict=True):
        falls[row][test] += fall
    return falls


def _log_loss_falls(then: FloatArray, now: FloatArray) -> FloatArray:
    """By how much the log loss of each knee falls with each answer, shape (..., 2).

    The answers are few and their effects large, so that this is the sum itself: the log loss of
    today's risk, less that of the risk with each answer.
    """
    risk = expit(then)
    before = np.logaddexp(0.0, now) - risk * now
    after = np.logaddexp(0.0, then) - risk * then
    return np.asarray(before - after)
