"""How the model behaves: invariance, direction, missing tests, calibration, intervals."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from scipy.special import logit
from strategies import screenings

from kneerisk.cohort.simulation.simulated_cohort import Simulated, simulate
from kneerisk.evidence.pair_dependence import both, either
from kneerisk.evidence.population import published
from kneerisk.model import Bundle
from kneerisk.model.base_rates import Count
from kneerisk.model.feature_columns import (
    FEMALE,
    Column,
    ColumnKind,
    ColumnSet,
    feature_columns,
)
from kneerisk.model.features import feature_matrix
from kneerisk.model.imputation import MeasurementUpdate
from kneerisk.model.risk_model import RiskModel
from kneerisk.model.trees import BoostedTrees
from kneerisk.schema import Screening, coded, from_row, quantity, to_row
from kneerisk.schema.columns import rows_by_key
from kneerisk.schema.z_scores import error_variance, from_z

BROAD = {
    "athlete": {"age_years": 31, "sex": "female", "sport": "basketball", "height_cm": 178,
                "mass_kg": 68, "session_spike_ratio": 1.05, "resistance_sessions_per_week": 2},
    "left": {"wblt_dorsiflexion_deg": 38, "hip_drop_deg": 6, "fppa_deg": 8,
             "quad_torque_nm_kg": 2.3, "hamstring_torque_nm_kg": 1.1, "vmo_delay_ms": 2,
             "ake_deficit_deg": 15, "navicular_drop_mm": 7, "ober_adduction_deg": 24},
    "right": {"wblt_dorsiflexion_deg": 40, "hip_drop_deg": 5, "fppa_deg": 7,
              "quad_torque_nm_kg": 2.4, "hamstring_torque_nm_kg": 1.1, "vmo_delay_ms": 0,
              "ake_deficit_deg": 14, "navicular_drop_mm": 8, "ober_adduction_deg": 25},
    "protocol": {"torque_mode": "isometric", "valgus_task": "single_leg_squat"},
}  # fmt: skip


@given(screening=screenings())
@settings(max_examples=40)
def test_any_screening_is_answered_with_probabilities(
    released: Bundle, screening: Screening
) -> None:
    found = released.model.predict(coded([screening]))
    for name, (low, high) in found.intervals.items():
        probability = getattr(found, name)
        assert 0 < low[0] <= probability[0] <= high[0] < 1
    assert found.imbalances is not None
    assert ((found.imbalances > 0) & (found.imbalances < 1)).all()
    assert found.either[0] >= max(found.left[0], found.right[0])
    assert found.either[0] <= found.left[0] + found.right[0]


@given(screening=screenings())
@settings(max_examples=40)
def test_swapping_the_legs_swaps_the_answer(released: Bundle, screening: Screening) -> None:
    one = released.model.predict(coded([screening]))
    other = released.model.predict(coded([screening.swapped()]))
    assert one.left[0] == other.right[0]
    assert one.right[0] == other.left[0]
    assert one.either[0] == pytest.approx(other.either[0], abs=1e-12)
    assert np.array_equal(one.imbalances[:, 0], other.imbalances[:, 1])


def test_a_row_does_not_depend_on_its_neighbours(released: Bundle, simulated: Simulated) -> None:
    data = simulated.cohort.columns()
    whole = released.model.predict(data)
    order = np.random.default_rng(0).permutation(len(data["sex"]))[:50]
    some = released.model.predict({name: values[order] for name, values in data.items()})
    for name in ("left", "right", "either", "imbalances"):
        assert np.array_equal(getattr(whole, name)[order], getattr(some, name))
    for i in order:
        alone = released.model.predict({name: values[i : i + 1] for name, values in data.items()})
        assert alone.left[0] == whole.left[i]
        assert alone.intervals["either"][0][0] == whole.intervals["either"][0][i]


@pytest.mark.parametrize(
    "column", sorted(set(to_row(Screening.model_validate(BROAD))) - {"age_years", "sex"})
)
def test_dropping_any_measure_still_answers(released: Bundle, column: str) -> None:
    row = to_row(Screening.model_validate(BROAD))
    row.pop(column)
    if column in {"torque_mode", "valgus_task"}:
        needing = "torque" if column == "torque_mode" else "fppa"
        row = {name: value for name, value in row.items() if needing not in name}
    found = released.model.predict(coded([from_row(row)]))
    assert 0 < found.left[0] < 1


@pytest.mark.parametrize(
    ("column", "worse"),
    [
        ("left_quad_torque_nm_kg", 1.4),
        ("left_hip_drop_deg", 13),
        ("left_wblt_dorsiflexion_deg", 26),
        ("left_vmo_delay_ms", 25),
        ("left_prior_knee_injury", "within_12_months"),
        ("left_same_side_episodes", 4),
        ("left_pain_on_squat_jump", "yes"),
    ],
)
def test_worse_in_a_supported_direction_raises_the_risk(
    released: Bundle, column: str, worse: object
) -> None:
    row = to_row(Screening.model_validate(BROAD)) | {"left_prior_knee_injury": "none"}
    if column == "left_same_side_episodes":
        row |= {"left_prior_knee_injury": "over_12_months_ago", column: 1}
    before, after = (
        released.model.predict(coded([from_row(r)])).left[0] for r in (row, row | {column: worse})
    )
    assert after > before * 1.05


def test_the_hamstring_ratio_marks_the_imbalance_and_hardly_the_risk(released: Bundle) -> None:
    def at(ratio: float) -> tuple[float, float]:
        body = {
            "athlete": {"age_years": 28, "sex": "male", "sport": "football"},
            "left": {"hamstring_quad_ratio": ratio, "hip_drop_deg": 5},
        }
        found = released.model.predict(coded([Screening.model_validate(body)]))
        place = released.model.imbalance.names.index("hamstring_dominance")
        return found.left[0], found.imbalances[0, 0, place]

    (low_risk, low_pattern), (high_risk, high_pattern) = at(0.5), at(0.95)
    assert high_pattern > low_pattern + 0.2
    assert high_risk - low_risk < 0.06


def test_more_tests_make_the_interval_narrower(simulated: Simulated, released: Bundle) -> None:
    data = simulated.cohort.columns()
    full = (simulated.truth["battery"] == "full_lab").to_numpy()
    lab = {name: values[full] for name, values in data.items()}
    plain = {
        name: values if name in {"age_years", "sex", "sport"} else np.full(full.sum(), np.nan)
        for name, values in lab.items()
    }

    def width(model: RiskModel, part: dict[str, np.ndarray]) -> float:
        low, high = model.predict(part).intervals["left"]
        return float((logit(high) - logit(low)).mean())

    assert width(released.model, lab) < width(released.model, plain)
    # Most of the width is how pain is defined; where a club has counted, tests show.
    counted = released.model.counting(Count(1_200, 10_000))
    assert width(counted, lab) < 0.85 * width(counted, plain)


class TestOnAthletesItHasNotSeen:
    @pytest.fixture(scope="class")
    @classmethod
    def unseen(cls) -> Simulated:
        return simulate(6_000, 99)

    def test_intervals_cover_the_true_risk(self, unseen: Simulated, released: Bundle) -> None:
        found = released.model.predict(unseen.cohort.columns())
        for name, (low, high) in found.intervals.items():
            true = unseen.truth[f"risk_{name}"].to_numpy()
            known = ~np.isnan(true)
            covered = ((low <= true) & (true <= high))[known].mean()
            assert 0.86 < covered < 0.94, name

    def test_risks_are_calibrated(self, unseen: Simulated, released: Bundle) -> None:
        found = released.model.predict(unseen.cohort.columns())
        true = unseen.truth["risk_left"].to_numpy()
        known = ~np.isnan(true)
        assert found.left[known].mean() == pytest.approx(true[known].mean(), rel=0.05)
        top = known & (found.left > np.quantile(found.left[known], 0.9))
        assert found.left[top].mean() == pytest.approx(true[top].mean(), rel=0.12)

    def test_imbalances_are_calibrated(self, unseen: Simulated, released: Bundle) -> None:
        found = released.model.predict(unseen.cohort.columns()).imbalances
        for k, name in enumerate(released.model.imbalance.names):
            true = unseen.truth[f"left_{name}"].to_numpy()
            likely = found[:, 0, k] > 0.4
            assert found[:, 0, k].mean() == pytest.approx(true.mean(), abs=0.015)
            assert found[likely, 0, k].mean() == pytest.approx(true[likely].mean(), abs=0.08)


class TestTrees:
    @pytest.mark.parametrize("objective", ["reg:quantileerror", "binary:logistic"])
    def test_arrays_give_the_bits_of_xgboost(self, objective: str) -> None:
        rng = np.random.default_rng(3)
        rows = rng.normal(size=(600, 5)).astype(np.float32)
        rows[rng.random(rows.shape) < 0.2] = np.nan
        outcome = (np.nan_to_num(rows[:, 0]) * rows[:, 3] > 0.1).astype(float)
        settings = {"objective": objective, "max_depth": 4, "nthread": 1}
        if objective == "reg:quantileerror":
            settings["quantile_alpha"] = np.array([0.05, 0.95])
        booster = xgb.train(settings, xgb.DMatrix(rows, outcome, nthread=1), 25)
        columns = tuple(Column(ColumnKind.EXPECTED, f"m{i}") for i in range(5))
        trees = BoostedTrees(columns=columns, fill=np.zeros(5), booster=booster)
        tables = trees.tables
        # A value that lies on a threshold is what two programs are most likely to read differently.
        node = rng.integers(0, len(tables.column), size=len(rows))
        rows[np.arange(len(rows)), tables.column[node]] = tables.threshold[node]
        outputs = len(tables.trees)
        none = np.zeros((len(rows), outputs), dtype=np.float32)
        given = booster.inplace_predict(rows, predict_type="margin", base_margin=none)
        few = [tables.sums(rows[i : i + 7], none[0]) for i in range(0, len(rows), 7)]
        assert np.array_equal(np.concatenate(few), np.reshape(given, (-1, outputs)))


class TestColumns:
    def test_a_name_is_parsed_to_the_column_that_it_names(self) -> None:
        columns = feature_columns(published())
        assert {column.kind for column in columns} == set(ColumnKind)
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert [Column.parse(name) for name in names] == list(columns)

    @pytest.mark.parametrize("name", ["", "hip_drop_deg", "imbalances_x", "Expected_hip_drop_deg"])
    def test_another_name_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="is not a column"):
            Column.parse(name)

    def test_measures_that_a_column_rests_on(self) -> None:
        rests_on = {
            Column(ColumnKind.DIFFERENCE, "fppa_deg"): {"fppa_deg"},
            Column(ColumnKind.OWN, "prior_knee_injury"): {"prior_knee_injury"},
            Column(ColumnKind.ONE_HOT, "sport", "running"): {"sport"},
            Column(ColumnKind.IMBALANCE, "calf_tightness"): set(),
            Column(ColumnKind.FACTOR, "valgus_female"): {"fppa_deg"},
            Column(ColumnKind.FACTOR, "bmi_from_50"): {"height_cm", "mass_kg"},
            FEMALE: set(),
        }
        assert {column: column.measures for column in rests_on} == rests_on


class TestMeasurementUpdate:
    def test_one_measured_value_is_shrunk_by_its_error(self) -> None:
        """The textbook answer: z * s2 / (s2 + e2), with variance s2 * e2 / (s2 + e2)."""
        people = published()
        body = {
            "athlete": {"age_years": 30, "sex": "male", "sport": "running"},
            "left": {"hip_drop_deg": 9.0},
        }
        data = coded([Screening.model_validate(body)])
        legs = feature_matrix(people, MeasurementUpdate(people).expected(data), data)
        drop = quantity("hip_drop_deg")
        mean, of_readings = drop.norms[0].male
        sd = (of_readings**2 - drop.error.sem**2) ** 0.5
        z, noise = (9.0 - mean) / sd, (drop.error.sem / sd) ** 2
        kinds = (ColumnKind.EXPECTED, ColumnKind.VARIANCE)
        mean, variance = legs.pick(tuple(Column(kind, "hip_drop_deg") for kind in kinds))[0, 0]
        assert mean == pytest.approx(z / (1 + noise), rel=1e-6)
        assert variance == pytest.approx(noise / (1 + noise), rel=1e-6)

    def test_it_is_a_regression_on_what_was_measured(self) -> None:
        """Against draws: expected values are those of least squares on error-laden measures."""
        people = published()
        rng = np.random.default_rng(4)
        names = ("quad_torque_nm_kg", "hip_drop_deg", "ober_adduction_deg")
        place = [len(people.athlete) + people.leg.index(name) for name in names]
        noise = np.array([error_variance(name) for name in names])
        true = rng.multivariate_normal(
            np.zeros(3), people.covariance[np.ix_(place, place)], 200_000
        )
        seen = true + np.sqrt(noise) * rng.standard_normal(true.shape)
        weights = np.linalg.lstsq(seen, true, rcond=None)[0].T
        row = {"age_years": 30.0, "sex": "male", "sport": "running", "torque_mode": "isometric"}
        z = np.array([-1.0, 1.5, 0.5])
        data = coded([from_row(row)])
        for name, value in zip(names, z, strict=True):
            data[f"left_{name}"] = from_z(name, np.array([value]), data)
        expected = MeasurementUpdate(people).expected(data).mean[0, 0, place]
        assert expected == pytest.approx(weights @ z, abs=0.02)

    def test_nothing_measured_leaves_the_prior(self) -> None:
        people = published()
        body = {"athlete": {"age_years": 30, "sex": "male", "sport": "running"}}
        expected = MeasurementUpdate(people).expected(coded([Screening.model_validate(body)]))
        assert np.abs(expected.mean).max() < 1e-9
        assert np.allclose(expected.variance[0, 0, :10], np.diag(people.covariance)[:10])

    def test_expected_values_are_right_on_average(self, simulated: Simulated) -> None:
        """A true latent regressed on its expectation has slope one: it is not over-confident."""
        expected = MeasurementUpdate(published()).expected(simulated.cohort.columns())
        for k, name in enumerate(published().imbalances):
            given = expected.mean[:, 0, -5 + k]
            true = simulated.truth[f"left_{name}"].to_numpy()
            assert np.corrcoef(given, true)[0, 1] > 0.25


@pytest.mark.parametrize("odds_ratio", [0.5, 1.0, 3.0, 20.0])
def test_the_pair_of_knees_has_the_given_odds_ratio(odds_ratio: float) -> None:
    left, right = np.array([0.07, 0.4]), np.array([0.12, 0.2])
    joint = both(left, right, odds_ratio)
    neither = 1 - either(left, right, odds_ratio)
    found = joint * neither / ((left - joint) * (right - joint))
    assert found == pytest.approx(np.full(2, odds_ratio))


def test_a_remembered_hash_of_columns_does_not_go_to_another_process() -> None:
    columns = ColumnSet((FEMALE, Column(ColumnKind.EXPECTED, "mass_kg")))
    assert hash(columns) == hash(tuple(columns))
    # A copy is made as what is sent is: from the columns alone.
    assert copy(columns) == columns
    assert vars(columns)
    assert not vars(copy(columns))


def test_rows_share_a_key_in_order_of_its_first_row() -> None:
    found = {key: rows.tolist() for key, rows in rows_by_key(["b", "a", "b"]).items()}
    assert found == {"b": [0, 2], "a": [1]}
    assert list(found) == ["b", "a"]
    assert rows_by_key([]) == {}
