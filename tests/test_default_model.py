"""What the default model promises, on simulated athletes that it has not seen.

Their true risks are known, so that an interval can be held against what it is about.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import logit

from benchmarks.learning_limits import Limit, limits
from kneerisk.cohort.simulation.oracle import FEWER_POINTS, oracle
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.cohort.splits import subset
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.model import Bundle, Prediction
from kneerisk.model.logistic_calibration import fit_calibration
from kneerisk.schema import SIDES, Columns, FloatArray, columns

pytestmark = pytest.mark.slow

#: Enough legs that the slope in a battery of a tenth of them has a standard error near 0.02.
FRESH_ATHLETES, FRESH_SEED = 30_000, 2_027
#: Of these, those whose best possible risks are computed: it takes a second for 600 of them.
WITH_ORACLE = 12_000


class Fresh(NamedTuple):
    """Legs that were free of pain: their risk, its bounds, the true risk and the battery."""

    risk: FloatArray
    low: FloatArray
    high: FloatArray
    true: FloatArray
    battery: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        return np.asarray((self.low <= self.true) & (self.true <= self.high))


@pytest.fixture(scope="module")
def unseen() -> Simulated:
    return simulate(FRESH_ATHLETES, FRESH_SEED)


@pytest.fixture(scope="module")
def fresh(default_bundle: Bundle, unseen: Simulated) -> Fresh:
    return fresh_legs(default_bundle, unseen)


def fresh_legs(default_bundle: Bundle, unseen: Simulated) -> Fresh:
    found = default_bundle.model.predict(unseen.cohort.columns())
    true = np.concatenate([unseen.truth[f"risk_{side}"].to_numpy() for side in SIDES])
    battery = np.tile(unseen.truth["battery"].to_numpy(), 2)
    bounds = [np.concatenate([found.intervals[side][i] for side in SIDES]) for i in (0, 1)]
    assert found.left is not None
    assert found.right is not None
    known = ~np.isnan(true)
    parts = (np.concatenate([found.left, found.right]), *bounds, true, battery)
    return Fresh(*(part[known] for part in parts))


@pytest.fixture(scope="module")
def judged(default_bundle: Bundle, unseen: Simulated) -> dict[str, float]:
    """Metrics beside the oracle's, on some of them."""
    some = subset(unseen.cohort, np.arange(FRESH_ATHLETES) < WITH_ORACLE)
    data = some.columns()
    told = default_bundle.model.predict(data)
    return evaluate(
        some,
        risks_of(told),
        truth=unseen.truth.head(WITH_ORACLE),
        imbalances=told.imbalances,
        oracle=oracle(data, FEWER_POINTS),
        sliced=False,
    ).metrics


class TestIntervals:
    def test_cover_nine_true_risks_in_ten(self, fresh: Fresh) -> None:
        assert 0.88 <= fresh.covered.mean() <= 0.92

    def test_cover_in_every_battery(self, fresh: Fresh) -> None:
        for battery in np.unique(fresh.battery):
            assert 0.85 <= fresh.covered[fresh.battery == battery].mean() <= 0.95, battery

    def test_cover_in_every_tenth_of_risk(self, fresh: Fresh) -> None:
        tenth = np.argsort(np.argsort(fresh.risk)) * 10 // len(fresh.risk)
        for number in range(10):
            assert 0.85 <= fresh.covered[tenth == number].mean() <= 0.95, number

    @pytest.mark.parametrize("test", ["knee_strength", "hip_drop", "lunge_angle", "vmo_emg"])
    def test_grow_when_an_informative_test_is_left_out(
        self, default_bundle: Bundle, unseen: Simulated, test: str
    ) -> None:
        data = unseen.cohort.columns()
        names = [name for name, measure in columns().items() if measure.test == test]
        had = np.any([~np.isnan(data[name]) for name in names], axis=0)
        some = {name: values[had][:800] for name, values in data.items()}
        without = some | {name: np.full_like(some[name], np.nan) for name in names}
        assert _width(default_bundle, without) > _width(default_bundle, some)


class TestCalibration:
    def test_slope_against_the_true_risk_is_one_in_every_battery(
        self, default_bundle: Bundle, fresh: Fresh
    ) -> None:
        """On twice as many: of 30,000 the smallest battery leaves a slope an error of 0.02."""
        more = fresh_legs(default_bundle, simulate(FRESH_ATHLETES, FRESH_SEED + 1))
        legs = Fresh(*map(np.concatenate, zip(fresh, more, strict=True)))
        for battery in np.unique(legs.battery):
            rows = legs.battery == battery
            found = fit_calibration(logit(legs.risk[rows]), legs.true[rows])
            assert 0.95 <= found.slope <= 1.05, battery


class TestLimits:
    """How near the best that can be said; `benchmarks.learning_limits` measures 50,000 athletes."""

    @pytest.mark.parametrize("limit", limits(), ids=lambda limit: limit.metric)
    def test_holds(self, judged: dict[str, float], limit: Limit) -> None:
        assert limit.holds(judged), limit.as_row(judged)


def _width(found: Bundle, data: Columns) -> float:
    prediction: Prediction = found.model.predict(data)
    low, high = prediction.intervals["either"]
    return float(np.mean(logit(high) - logit(low)))
