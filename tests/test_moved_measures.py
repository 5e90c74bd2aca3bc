"""A measure moved by itself says what the whole feature matrix with that measure moved says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xgboost as xgb

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.model import Bundle
from kneerisk.model.base_rates import Count
from kneerisk.model.imputation import Expected
from kneerisk.model.margin import Margin, Scaler
from kneerisk.model.moved_measures import MovedMeasures, Screenings
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import SIDES, Columns, FloatArray

ATHLETES = 12
#: In SD: some reach beyond the farthest value that counts.
STEPS = (-6.0, -0.3, 0.0, 0.7, 9.0)


@pytest.fixture(scope="module")
def data() -> Columns:
    simulated = simulate(2_000, 3).cohort.columns()
    some = {name: values[:ATHLETES].copy() for name, values in simulated.items()}
    some["sport"][0] = some["sex"][1] = np.nan
    return some


def with_trees(model: RiskModel, data: Columns, *, shared: bool) -> RiskModel:
    """The model with trees that were fitted to noise, so that they read every kind of column."""
    features = model.features(data)
    drawn = np.random.default_rng(1)
    trees = BoostedTrees(
        columns=features.columns,
        fill=np.nan_to_num(np.nanmean(features.values.reshape(-1, len(features.columns)), axis=0)),
        booster=None,
        shared=shared,
    )
    rows = trees.rows(features)
    matrix = xgb.DMatrix(rows, label=drawn.integers(0, 2, len(rows)), nthread=1)
    options = {"max_depth": 3, "eta": 0.5, "min_child_weight": 0.1, "nthread": 1}
    booster = xgb.train(
        options | {"objective": "binary:logistic", "colsample_bytree": 0.2, "seed": 1}, matrix, 30
    )
    return replace(model, boosted=replace(trees, booster=booster))


def of_one_answer(margin: Margin) -> Margin:
    """The linear part with a single column, which no measure moves."""
    at = [c.subject for c in margin.between.columns].index("osteoarthritis")
    one = slice(at, at + 1)
    none = replace(margin.within, columns=(), centre=np.zeros(0), spread=np.zeros(0))
    between = Scaler(
        columns=margin.between.columns[one],
        centre=margin.between.centre[one],
        spread=margin.between.spread[one],
    )
    return replace(
        margin,
        within=none,
        between=between,
        within_weights=np.zeros(0),
        between_weights=margin.between_weights[one],
    )


def models(released: Bundle, data: Columns) -> dict[str, RiskModel]:
    model = released.model
    return {
        "default": model,
        "counted": model.counting(Count(7.0, 40.0)),
        "no sides": replace(model, odds_ratio=None),
        "few columns": replace(model, margin=of_one_answer(model.margin)),
        "trees": with_trees(model, data, shared=False),
        "trees of both legs": with_trees(model, data, shared=True),
    }


def in_full(
    model: RiskModel, measured: Screenings, moved: MovedMeasures, place: int, shift: FloatArray
) -> FloatArray:
    """Log-odds (n, 2) from the whole feature matrix, with one measure moved."""
    measure, leg = moved.columns.places[place]
    target = moved.columns.targets[measure]
    mean, variance = measured.expected.mean.copy(), measured.expected.variance.copy()
    legs = slice(None) if leg is None else slice(leg, leg + 1)
    mean[:, legs, target] += shift[:, None]
    if moved.columns.is_known:
        variance[:, legs, target] = 0.0
    expected = Expected(
        mean=mean, variance=variance, prior=mean, innovation=np.zeros((len(mean), 2, 0)), gains=()
    )
    return model.log_odds(model.features(measured.data, expected))


@pytest.mark.parametrize(
    "name", ["default", "counted", "no sides", "few columns", "trees", "trees of both legs"]
)
def test_moved_alone_as_in_full(released: Bundle, data: Columns, name: str) -> None:
    model = models(released, data)[name]
    expected = model.measurement_update.expected(data)
    measured = Screenings(data=data, expected=expected, features=model.features(data, expected))
    for moved in (model.moved, model.settled):
        n_places = len(moved.columns.places)
        shifts = np.array(STEPS)[:, None] * (1.0 + 0.1 * np.arange(ATHLETES))[:, None, None]
        shifts = np.broadcast_to(shifts, (ATHLETES, len(STEPS), n_places))
        found = model.calibrated(measured.features, moved.log_odds(measured, shifts))
        assert found.shape == (ATHLETES, len(STEPS), n_places, len(SIDES))
        told = 0 if moved.columns.entries else 1
        for place in range(n_places):
            for step in range(len(STEPS)):
                wanted = in_full(model, measured, moved, place, shifts[:, step, place])
                assert found[:, step, place] == pytest.approx(wanted, abs=1e-9)
                told += int(np.ptp(wanted) > 0)
        assert told
