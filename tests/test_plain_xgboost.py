"""The plain XGBoost baseline: a fair opponent, tuned among athletes and never among their rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.baselines.baselines import fit_prior, fit_xgboost
from kneerisk.evaluation.baselines.plain_xgboost import fit_trees


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_finds_what_no_line_can(rng: np.random.Generator) -> None:
    x = rng.normal(size=(1_500, 2))
    chance = np.where(np.abs(x[:, 0]) > 0.7, 0.8, 0.2)
    y = (rng.random(1_500) < chance).astype(float)

    trees = fit_trees(x[:1_000], y[:1_000], np.arange(1_000).astype(object), seed=0)

    assert trees is not None
    assert roc_auc_score(y[1_000:], trees.predict(x[1_000:])) > 0.7


def test_reads_a_missing_value_as_one(rng: np.random.Generator) -> None:
    x = rng.normal(size=(800, 1))
    gone = rng.random(800) < 0.5
    y = (rng.random(800) < np.where(gone, 0.8, 0.2)).astype(float)
    x[gone] = np.nan

    trees = fit_trees(x, y, np.arange(800).astype(object), seed=0)

    assert trees is not None
    with_gap, without = trees.predict(np.array([[np.nan], [0.0]]))
    assert with_gap > 0.6 > 0.4 > without


def test_athletes_who_come_again_are_not_learnt_by_heart(rng: np.random.Generator) -> None:
    """Ten rows each, alike, with one coin tossed for all ten: there is nothing to learn."""
    athlete = np.repeat(np.arange(80), 10)
    x = rng.normal(size=(80, 5))[athlete] + 0.01 * rng.normal(size=(800, 5))
    y = rng.integers(0, 2, 80).astype(float)[athlete]

    trees = fit_trees(x, y, athlete.astype(object), seed=0)

    assert trees is not None
    assert trees.rounds <= 10


def test_a_row_without_an_outcome_is_not_used(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(200, 1)), rng.integers(0, 2, 200).astype(float)
    athlete = np.arange(200).astype(object)
    more = np.vstack([x, [[1e9]]]), np.append(y, np.nan), np.append(athlete, "unknown")

    with_it, without = fit_trees(*more, seed=0), fit_trees(x, y, athlete, seed=0)

    assert with_it is not None
    assert without is not None
    assert np.array_equal(with_it.predict(x), without.predict(x))
    assert fit_trees(x, np.zeros(200), athlete, seed=0) is None


def test_beats_the_base_rate_on_simulated_athletes() -> None:
    train, test = simulate(1_500, 1).cohort, simulate(1_500, 2).cohort
    data, outcome = test.columns(), test.outcomes().left
    known = np.isfinite(outcome)

    found = fit_xgboost(train, seed=0, either=False).predict(data)
    prior = fit_prior(train).predict(data)

    assert found.left is not None
    assert prior.left is not None
    assert found.either is None
    assert log_loss(outcome[known], found.left[known]) < log_loss(outcome[known], prior.left[known])
