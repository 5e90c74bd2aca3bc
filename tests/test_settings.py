"""Settings of a fit: today's numbers, read back as they were kept, and each of them acts."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.splits import subset
from kneerisk.model.feature_columns import monotone_directions
from kneerisk.training.fitting.boosting import BoostingRows, fit_boosted
from kneerisk.training.fitting.fit import fit
from kneerisk.training.fitting.fit_columns import tree_columns, usable_columns
from kneerisk.training.fitting.fit_inputs import (
    inputs_of,
    stratified_folds,
)
from kneerisk.training.fitting.margin_fit import Penalties, fit_margin
from kneerisk.training.fitting.population_shrinkage import population_of
from kneerisk.training.fitting.settings import DEFAULTS, Settings

OTHER = Settings(
    max_depth=2,
    step_size=0.3,
    least_child_weight=2.0,
    tree_ridge=1.0,
    most_rounds=20,
    light_penalty=60.0,
    tolerance_se=0.0,
    published_screenings=20.0,
)


@pytest.fixture(scope="module")
def small(simulated: Simulated) -> Cohort:
    """Three hundred of the athletes, as a club has them: outcomes, no truth."""
    some = subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < 300)
    return replace(some, kind="observed", source="a made-up club")


def test_are_read_back_from_what_a_run_and_a_bundle_keep() -> None:
    assert Settings.of(OTHER.numbers()) == OTHER
    assert Settings.of({name: str(x) for name, x in OTHER.numbers().items()}) == OTHER
    assert isinstance(Settings.of(OTHER.numbers()).max_depth, int)


def test_what_an_older_bundle_does_not_name_is_as_it_was() -> None:
    assert Settings.of({"boosting_rounds": 30.0}) == DEFAULTS


def test_the_other_settings_of_these_tests_differ_in_everything() -> None:
    assert all(getattr(OTHER, one.name) != getattr(DEFAULTS, one.name) for one in fields(Settings))


def test_a_fit_says_what_it_was_made_with_and_can_be_made_again(small: Cohort) -> None:
    first = fit(small, interval=False, settings=OTHER)
    again = fit(small, interval=False, settings=Settings.of(first.choices))
    one, other = (fitted.model.predict(small.columns()) for fitted in (first, again))
    assert np.array_equal(one.either, other.either)
    assert first.choices == again.choices
    assert not np.array_equal(
        one.either, fit(small, interval=False).model.predict(small.columns()).either
    )


def test_nobody_chose_is_the_defaults(small: Cohort) -> None:
    chosen = fit(small, interval=False, settings=Settings()).model.predict(small.columns())
    found = fit(small, interval=False).model.predict(small.columns())
    assert np.array_equal(chosen.either, found.either)


@pytest.fixture(scope="module")
def rows(simulated: Simulated) -> BoostingRows:
    """Trees start from a flat margin here, so that there is something for them to find."""
    inputs = inputs_of(simulated.cohort, simulated.truth, population_of(simulated.cohort))
    target = inputs.target.reshape(-1)
    return BoostingRows(
        legs=inputs.legs,
        base=np.full(len(target), -2.5),
        target=target,
        fold=np.repeat(stratified_folds(inputs, 3, 0), 2),
        columns=tree_columns(inputs)[:8],
        signs={},
    )


@pytest.mark.parametrize(
    "name", ["max_depth", "step_size", "least_child_weight", "tree_ridge", "most_rounds"]
)
def test_each_setting_of_the_trees_acts(rows: BoostingRows, name: str) -> None:
    base = Settings(most_rounds=10)
    value = 0 if name == "most_rounds" else getattr(OTHER, name)
    found = [
        fit_boosted(rows, settings=settings)[0].log_odds(rows.legs, rows.base)
        for settings in (base, replace(base, **{name: value}))
    ]
    assert not np.array_equal(*found)


def test_each_setting_of_the_linear_part_acts(simulated: Simulated) -> None:
    def tuned(cohort: Cohort, truth: pd.DataFrame | None, settings: Settings) -> Penalties:
        people = population_of(cohort)
        inputs = inputs_of(cohort, truth, people)
        columns = usable_columns(inputs)
        return fit_margin(inputs, columns, monotone_directions(people), 0, settings=settings)[1]

    light = tuned(simulated.cohort, simulated.truth, Settings(light_penalty=60.0))
    assert light.between == light.within == 60.0
    club = subset(simulated.cohort, np.arange(len(simulated.cohort.frame)) < 1_000)
    club = replace(club, kind="observed", source="a made-up club")
    eager, lazy = (tuned(club, None, Settings(tolerance_se=se)) for se in (0.0, 3.0))
    assert (eager.within, eager.between) < (lazy.within, lazy.between)


def test_the_published_covariance_counts_for_so_much(small: Cohort) -> None:
    heavy, middle, light = (
        population_of(small, Settings(published_screenings=n)).covariance for n in (1e6, 200.0, 5.0)
    )
    assert np.abs(middle - heavy).sum() < np.abs(light - heavy).sum()
