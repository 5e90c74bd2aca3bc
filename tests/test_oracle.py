"""The oracle is what the simulator's own truth averages to, given what was recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import triang

from kneerisk.cohort.simulation.athletes import Athletes, draw_athletes
from kneerisk.cohort.simulation.observation import decimals
from kneerisk.cohort.simulation.oracle import POINTS, Oracle, oracle, oracle_of
from kneerisk.cohort.simulation.oracle_points import (
    draw_bounded,
    integration_points,
    triangular,
)
from kneerisk.cohort.simulation.oracle_readings import readings_of
from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.cohort.simulation.true_risks import draw_definitions, draw_effects, true_risk
from kneerisk.cohort.splits import subset, truth_subset
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.calibration.calibration_metrics import calibration_slope
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.metrics import log_loss
from kneerisk.evaluation.task_rows import Risks, task_rows
from kneerisk.evidence.imbalance_patterns import imbalance_thresholds
from kneerisk.evidence.population import contexts, published, state_measures
from kneerisk.evidence.risk_factors import risk_factors
from kneerisk.model.imputation import MeasurementUpdate
from kneerisk.schema import SIDES, columns, quantity
from kneerisk.schema.z_scores import CONDITION_OF, error_variance, location_and_scale

DRAWS = 100_000


@pytest.fixture(scope="module")
def cohort() -> Simulated:
    return simulate(800, 41)


@pytest.fixture(scope="module")
def best(cohort: Simulated) -> Oracle:
    return oracle(cohort.cohort.columns(), 512)


def legs(found: Oracle, cohort: Simulated) -> tuple[np.ndarray, np.ndarray]:
    risk = np.concatenate([found.left, found.right])
    true = np.concatenate([cohort.truth["risk_left"], cohort.truth["risk_right"]])
    assert (np.isnan(risk) == np.isnan(true)).all()
    known = ~np.isnan(true)
    return risk[known], true[known]


def only(data: dict, row: int, measures: tuple[str, ...]) -> dict:
    """One screening with no other measures than these; its facts and history stay."""
    athlete, leg = state_measures()
    gone = {*athlete, *(f"{side}_{name}" for side in SIDES for name in leg)}
    gone -= {*measures, *(f"{side}_{name}" for side in SIDES for name in measures)}
    return {
        name: np.array([np.nan if name in gone else values[row]]) for name, values in data.items()
    }


def likelihood(athletes: Athletes, row: dict, measures: tuple[str, ...]) -> np.ndarray:
    """Chance that athletes with other true values would have got the same record."""
    weight = np.ones(len(athletes))
    for name in measures:
        measure = quantity(name)
        half = 0.5 * 10.0 ** -decimals(measure)
        code = int(np.nan_to_num(row.get(CONDITION_OF.get(name, ""), [np.nan])[0] + 1))
        error = np.sqrt(error_variance(name, code))
        location, scale = (part[0] for part in location_and_scale(name, row))
        for side in SIDES:
            value = row[f"{side}_{name}"][0]
            ends = [
                -np.inf if value <= measure.low else value - half,
                np.inf if value >= measure.high else value + half,
            ]
            if measure.log_scale:
                ends = [np.log(end) for end in ends]
            low, high = ((end - location) / scale for end in ends)
            true = athletes.z(side, name)
            weight *= ndtr((high - true) / error) - ndtr((low - true) / error)
    return weight


@pytest.mark.parametrize(
    ("measures", "at_least"),
    [
        ((), {}),
        (("quad_torque_nm_kg",), {}),
        (("fppa_deg", "squat_heel_rise_grade"), {"left_squat_heel_rise_grade": 1.0}),
        (("quad_lag_grade", "hip_drop_deg"), {"right_quad_lag_grade": 1.0}),
    ],
)
def test_it_is_what_athletes_with_the_same_record_average_to(cohort, measures, at_least):
    """Importance sampling: true athletes drawn anew, weighted by how well they fit the record."""
    data = cohort.cohort.columns()
    wanted = (data["left_pain_nrs"] == 0) & (data["right_pain_nrs"] == 0)
    for name in measures:
        wanted &= ~np.isnan(data[f"left_{name}"])
    for name, least in at_least.items():
        wanted &= data[name] >= least
    row = only(data, int(np.flatnonzero(wanted)[0]), measures)
    found = oracle(row, 4096)
    rng = np.random.default_rng(3)
    people = published()
    many = {name: np.repeat(values, DRAWS) for name, values in row.items()}
    root = np.linalg.cholesky(people.covariance + 1e-12 * np.eye(len(people.covariance)))
    state = people.means(contexts(row)[0]) + rng.standard_normal((DRAWS, len(root))) @ root.T
    drawn = Athletes(data=many, state=state, population=people)
    truth = true_risk(drawn, draw_effects(drawn, rng), draw_definitions(drawn, rng))
    weight = likelihood(drawn, row, measures)
    weight /= weight.sum()

    def check(sampled: np.ndarray, told: float) -> None:
        mean = weight @ sampled
        error = np.sqrt((weight**2) @ (sampled - mean) ** 2)
        # The drawn mean has its own error; four of them, and what the points leave.
        assert abs(told - mean) < 4 * error + 2e-4

    check(truth.left, found.left[0])
    check(truth.right, found.right[0])
    check(truth.either, found.either[0])
    for side in (0, 1):
        for place in range(5):
            check(truth.imbalances[:, side, place], found.imbalances[0, side, place])


@pytest.mark.parametrize(
    ("asked", "silent_too"),
    [
        ("prior_knee_injury", ("prior_knee_injury", "same_side_episodes")),
        ("pain_on_squat_jump", ("pain_on_squat_jump",)),
    ],
)
def test_what_was_not_asked_counts_by_its_shares(cohort, asked, silent_too):
    data = cohort.cohort.columns()
    free = (data["left_pain_nrs"] == 0) & (data["right_pain_nrs"] == 0)
    row = only(data, int(np.flatnonzero(free)[0]), ())
    silent = row | {f"{side}_{name}": np.array([np.nan]) for side in SIDES for name in silent_too}
    drawn = draw_athletes(published(), 40_000, np.random.default_rng(8)).data
    answers = drawn[f"left_{asked}"][drawn["left_pain_nrs"] == 0]
    shares = {code: float((answers == code).mean()) for code in np.unique(answers).tolist()}
    told = {}
    for code in shares:
        given = silent | {f"left_{asked}": np.array([code])}
        told[code] = oracle(given, POINTS).left[0]
    mixed = sum(shares[code] * told[code] for code in shares)
    assert oracle(silent, POINTS).left[0] == pytest.approx(mixed, abs=0.001)
    assert list(told.values()) == sorted(told.values())
    assert told[0.0] < 0.9 * told[max(told)]


def test_it_is_calibrated_against_the_true_risk(cohort, best):
    risk, true = legs(best, cohort)
    assert calibration_slope(task_rows(risk, true)) == pytest.approx(1.0, abs=0.12)
    assert abs((true - risk).mean()) < 4 * (true - risk).std() / np.sqrt(len(risk) / 2)


def test_no_model_beats_it(cohort, best, fitted):
    found = fitted.model.predict(cohort.cohort.columns())
    risk, true = legs(best, cohort)
    other = np.concatenate([found.left, found.right])
    known = ~np.isnan(np.concatenate([cohort.truth["risk_left"], cohort.truth["risk_right"]]))
    limit = log_loss(task_rows(risk, true))
    assert limit < log_loss(task_rows(other[known], true))
    assert limit < log_loss(task_rows(np.full(len(true), true.mean()), true)) - 0.005


def test_what_was_measured_makes_it_sharper(cohort, best):
    data = cohort.cohort.columns()
    gone = {name: np.full(len(values), np.nan) for name, values in data.items()
            if columns()[name].test == "knee_strength"}  # fmt: skip
    assert gone
    weak = data["left_quad_torque_nm_kg"] < np.nanquantile(data["left_quad_torque_nm_kg"], 0.2)
    less = oracle(data | gone, 512)
    known = weak & ~np.isnan(best.left)
    assert (best.left[known] > less.left[known]).mean() > 0.8
    untouched = np.isnan(data["left_quad_torque_nm_kg"]) & ~np.isnan(best.left)
    np.testing.assert_allclose(best.left[untouched], less.left[untouched], rtol=1e-12)


def test_more_points_hardly_change_it(cohort, best):
    some = {name: values[:60] for name, values in cohort.cohort.columns().items()}
    many = oracle(some, 4096)
    for few, fine in ((best.left, many.left), (best.right, many.right)):
        assert np.nanmean(np.abs(few[:60] - fine)) < 4e-4
    assert np.abs(best.imbalances[:60] - many.imbalances).mean() < 1e-4


def test_an_athlete_does_not_hang_on_the_others(cohort, best):
    some = {name: values[33:37] for name, values in cohort.cohort.columns().items()}
    alone = oracle(some, 512)
    np.testing.assert_array_equal(alone.left, best.left[33:37])
    np.testing.assert_array_equal(alone.imbalances, best.imbalances[33:37])


def test_known_readings_give_an_imbalance_in_closed_form(cohort):
    data = cohort.cohort.columns()
    measured = np.flatnonzero(~np.isnan(data["left_wblt_dorsiflexion_deg"]))[:20]
    for row in measured:
        one = only(data, int(row), ("wblt_dorsiflexion_deg", "hip_drop_deg"))
        expected = MeasurementUpdate(published()).expected(one)
        thresholds, spread = imbalance_thresholds()
        z = (expected.mean[0, :, -5:] - thresholds) / np.sqrt(
            expected.variance[0, :, -5:] + spread**2
        )
        np.testing.assert_allclose(oracle(one, 256).imbalances[0], ndtr(z), atol=1e-6)


def test_a_knee_that_hurts_has_no_risk(cohort, best):
    frame = cohort.cohort.frame
    for side, risk in (("left", best.left), ("right", best.right)):
        assert (np.isnan(risk) == (frame[f"{side}_pain_nrs"] > 0)).all()
    assert np.isfinite(best.imbalances).all()


def test_of_a_large_cohort_it_is_that_of_the_first(cohort: Simulated, best: Oracle) -> None:
    """What stands beside it is then compared on the same screenings."""
    first = oracle_of(cohort.cohort, 512, most=300)
    assert first is not None
    for whole, part in ((best.left, first.left), (best.imbalances, first.imbalances)):
        np.testing.assert_array_equal(part[:300], whole[:300])
        assert np.isnan(part[300:]).all()
    some = np.arange(800) < 300
    people = subset(cohort.cohort, some)
    alone = evaluate(
        people, Risks(best.left[some], best.right[some], best.either[some]),
        truth=truth_subset(cohort.truth, some), imbalances=best.imbalances[some],
        oracle=oracle_of(people, 512),
    ).metrics  # fmt: skip
    among = evaluate(
        cohort.cohort, Risks(best.left, best.right, best.either), truth=cohort.truth,
        imbalances=best.imbalances, oracle=first,
    ).metrics  # fmt: skip
    beside = [name for name in alone if "oracle" in name]
    assert len(beside) > 10
    assert {name: among[name] for name in beside} == {name: alone[name] for name in beside}
    assert {alone[name] for name in beside if name.endswith("_below_oracle")} == {0.0}


def test_it_is_for_the_simulator_alone(cohort):
    data = cohort.cohort.columns()
    with pytest.raises(CohortRefused, match="sport"):
        oracle(data | {"sport": np.full(len(data["sport"]), np.nan)})
    assert oracle_of(replace(cohort.cohort, kind="observed")) is None
    assert oracle_of(replace(cohort.cohort, source="another simulator")) is None


class TestReadings:
    @pytest.fixture(scope="class")
    @classmethod
    def found(cls, cohort):
        return readings_of(published(), cohort.cohort.columns())

    def place(self, name: str, side: str) -> int:
        people = published()
        start = len(people.athlete) + (side == "right") * len(people.leg)
        return start + people.leg.index(name)

    def test_what_was_recorded_lies_inside_its_bounds(self, cohort, found):
        """A grade of 1 was read between 0.5 and 1.5; 0 and 2 are open to one side."""
        data = cohort.cohort.columns()
        column = self.place("quad_lag_grade", "left")
        grade = data["left_quad_lag_grade"]
        location, scale = location_and_scale("quad_lag_grade", data)
        one, none = grade == 1, grade == 0
        np.testing.assert_allclose((found.low[:, column] * scale + location)[one], 0.5)
        np.testing.assert_allclose((found.high[:, column] * scale + location)[one], 1.5)
        assert (found.low[none, column] == -np.inf).all()
        assert np.isnan(found.value[:, column]).all()

    def test_the_longer_leg_needed_less_than_the_shorter_one(self, cohort, found):
        data = cohort.cohort.columns()
        left, right = (data[f"{side}_leg_length_deficit_cm"] for side in SIDES)
        shorter = left > 0
        assert (right[shorter] == 0).all()
        column = self.place("leg_length_deficit_cm", "right")
        below = found.high[shorter, column]
        location, scale = location_and_scale("leg_length_deficit_cm", data)
        assert (below * scale[shorter] + location[shorter] < left[shorter]).all()
        assert np.isfinite(found.value[shorter, self.place("leg_length_deficit_cm", "left")]).all()

    def test_nothing_counts_twice(self, cohort, found):
        """One tilt is written down for both legs; a ratio of known torques is no news."""
        data = cohort.cohort.columns()
        assert np.isnan(found.value[:, self.place("lateral_pelvic_tilt_deg", "right")]).all()
        computed = ~np.isnan(data["left_adduction_abduction_ratio"])
        assert computed.any()
        assert np.isnan(found.value[:, self.place("adduction_abduction_ratio", "left")]).all()


class TestPieces:
    def test_triangular_quantiles_agree_with_scipy(self):
        u = np.linspace(0.001, 0.999, 97)
        expected = triang(c=0.2 / 0.7, loc=0.1, scale=0.7).ppf(u)
        np.testing.assert_allclose(triangular(u, 0.1, 0.3, 0.8), expected, atol=1e-12)
        assert (triangular(u, 0.4, 0.4, 0.4) == 0.4).all()

    def test_points_have_the_moments_they_stand_for(self):
        points = integration_points(512, 22)
        np.testing.assert_allclose(points.normal.mean(axis=0), 0.0, atol=1e-12)
        covariance = points.normal.T @ points.normal / 512
        np.testing.assert_allclose(covariance, np.eye(22), atol=1e-9)
        for place, effect in enumerate(risk_factors()):
            mean = (effect.low + effect.central + effect.high) / 3
            assert points.effects[:, place].mean() == pytest.approx(mean, abs=0.003)

    def test_too_few_points_are_refused(self):
        with pytest.raises(ValueError, match="at least"):
            integration_points(64, 22)

    def test_bounded_readings_stay_inside_and_have_their_mean(self):
        """Of two normals with correlation 0.6 that both lie below zero (checked by counting)."""
        root = np.linalg.cholesky(np.array([[1.0, 0.6], [0.6, 1.0]]))
        uniform = np.random.default_rng(1).random((20_000, 2))
        x, weight = draw_bounded(np.zeros(2), root, np.full(2, -np.inf), np.zeros(2), uniform)
        drawn = x @ root.T
        assert (drawn < 1e-9).all()
        counted = np.random.default_rng(2).standard_normal((400_000, 2)) @ root.T
        counted = counted[(counted < 0).all(axis=1)]
        np.testing.assert_allclose(weight @ drawn, counted.mean(axis=0), atol=0.015)
