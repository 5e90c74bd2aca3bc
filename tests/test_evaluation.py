"""Splits, metrics, baselines and the one evaluation object."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from kneerisk.cohort import Cohort, files, splits
from kneerisk.cohort.simulation.oracle import Oracle
from kneerisk.cohort.simulation.simulated_cohort import simulate, truth_beside
from kneerisk.errors import CohortRefused, KneeriskError
from kneerisk.evaluation import metric_table
from kneerisk.evaluation.auc_bootstrap import bootstrap_auc
from kneerisk.evaluation.baselines.baseline_design import Design, logistic_design
from kneerisk.evaluation.baselines.baselines import fit_baselines, fit_logistic
from kneerisk.evaluation.calibration import calibration_bins, calibration_metrics
from kneerisk.evaluation.comparison import compare
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import log_loss, paired_difference, row_loss
from kneerisk.evaluation.slices import AGE_BANDS, worst_of
from kneerisk.evaluation.task_rows import Risks, TaskRows, logit, task_rows, which_limb_task
from kneerisk.evidence import imbalances
from kneerisk.model import bundle
from kneerisk.training.card.performance import fairness, performance
from kneerisk.training.plots.evaluation_plots import plots
from kneerisk.training.provenance import digest
from kneerisk.training.tracking import Tracking
from pipelines.__main__ import app
from pipelines.console import metrics_table, plain, write_table
from pipelines.evaluate import evaluate_version, summary

VERSION = "kneerisk-new_pain-12m-v1"
ORACLES = Path(__file__).parent / "oracles"
#: Of "athlete-0" to "athlete-19". Another rule would judge a version on athletes it trained on.
HELD_OUT_OF_20 = [8, 13, 15, 16]


def cohort_of(n: int = 600, seed: int = 1, visits: int = 1) -> tuple[Cohort, pd.DataFrame]:
    """Athletes whose risk rises with hip drop, with the true risks."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(4.5, 2.0, (2, n))
    risk_left, risk_right = (1 / (1 + np.exp(-(-2.0 + 0.6 * (x - 4.5)))) for x in (left, right))
    frame = pd.DataFrame(
        {
            "athlete_id": [f"athlete {row // visits}" for row in range(n)],
            "age_years": rng.uniform(18, 50, n).round(1),
            "sex": rng.choice(["male", "female"], n),
            "left_hip_drop_deg": left,
            "right_hip_drop_deg": np.where(rng.random(n) < 0.2, np.nan, right),
            "outcome_left": (rng.random(n) < risk_left).astype(float),
            "outcome_right": (rng.random(n) < risk_right).astype(float),
        }
    )
    truth = pd.DataFrame(
        {
            "risk_left": risk_left,
            "risk_right": risk_right,
            "risk_either": 1 - (1 - risk_left) * (1 - risk_right),
        }
    )
    for name in imbalances():
        truth[f"left_{name}"] = rng.random(n)
        truth[f"right_{name}"] = rng.random(n)
    return Cohort(frame, "simulated", "new_pain", 12, "made for a test"), truth


def risks_of(truth: pd.DataFrame) -> Risks:
    return Risks(*(truth[f"risk_{task}"].to_numpy() for task in ("left", "right", "either")))


def either_only(cohort: Cohort) -> Cohort:
    either = cohort.outcomes().either
    frame = cohort.frame.drop(columns=["outcome_left", "outcome_right"])
    return replace(cohort, frame=frame.assign(outcome_either=either))


class TestSplits:
    def test_an_athlete_is_held_out_in_every_cohort_or_in_none(self):
        some = [f"a{i}" for i in range(2_000)]
        alone = dict(zip(some, splits.held_out(some), strict=True))
        longer = [f"a{i}" for i in range(5_000, 0, -1)] * 2
        for athlete, held in zip(longer, splits.held_out(longer), strict=True):
            assert alone.get(athlete, held) == held

    def test_the_rule_itself_never_changes(self):
        held = splits.held_out(f"athlete-{i}" for i in range(20))
        assert np.flatnonzero(held).tolist() == HELD_OUT_OF_20

    def test_about_a_fifth_is_held_out(self):
        assert splits.held_out(range(20_000)).mean() == pytest.approx(0.2, abs=0.01)

    def test_folds_are_even_keep_athletes_together_and_ignore_row_order(self):
        ids = [f"a{i % 103}" for i in range(500)]
        fold = splits.folds(ids, 5, seed=3)
        by_athlete = pd.Series(fold).groupby(ids)
        assert (by_athlete.min() == by_athlete.max()).all()
        assert set(by_athlete.first().value_counts()) == {20, 21}
        backwards = splits.folds(ids[::-1], 5, seed=3)
        assert (backwards[::-1] == fold).all()
        assert (splits.folds(ids, 5, seed=4) != fold).any()


@pytest.fixture(scope="module")
def recalibration() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "recalibration.csv")


def oracle(name: str) -> dict:
    return json.loads((ORACLES / f"{name}.json").read_text())


def measured(rows: TaskRows) -> dict[str, float]:
    """Every metric of the table, whatever task it is of."""
    every = ("own", "either", "slice")
    return {name: value for task in every for name, value in measure(rows, task).items()}


class TestMetrics:
    @pytest.mark.parametrize("outcome", ["outcome", "true"])
    def test_recalibration_agrees_with_statsmodels(self, recalibration, outcome):
        rows = task_rows(recalibration["probability"].to_numpy(), recalibration[outcome].to_numpy())
        found = measured(rows)
        for name, value in oracle("recalibration")[outcome].items():
            assert found[name] == pytest.approx(value, rel=1e-6)

    def test_bootstrap_spread_agrees_with_delong_where_each_row_is_an_athlete(self, recalibration):
        expected = oracle("delong")
        rows = task_rows(
            recalibration["probability"].to_numpy(), recalibration["outcome"].to_numpy()
        )
        resampled = bootstrap_auc(replace(rows, resamples=2_000), seed=1)
        assert resampled.std() == pytest.approx(expected["standard_error"], rel=0.08)
        assert resampled.mean() == pytest.approx(expected["auc"], abs=0.003)

    def test_a_resample_is_what_repeated_rows_would_give(self):
        rng = np.random.default_rng(5)
        score, outcome = rng.integers(0, 6, 40) / 6, rng.integers(0, 2, 40).astype(float)
        athlete = np.repeat(np.arange(20), 2)
        found = bootstrap_auc(replace(task_rows(score, outcome, athlete), resamples=25), seed=9)
        drawn = np.random.default_rng(9).multinomial(20, np.full(20, 1 / 20), 25)
        for area, times in zip(found, drawn, strict=True):
            rows = np.repeat(np.arange(40), times[athlete])
            assert area == pytest.approx(roc_auc_score(outcome[rows], score[rows]))

    def test_whole_outcomes_are_resampled_as_if_each_weighed_one(self):
        rng = np.random.default_rng(7)
        score, outcome = rng.integers(0, 50, 300) / 50, rng.integers(0, 2, 300).astype(float)
        counted = task_rows(score, outcome, np.repeat(np.arange(100), 3))
        weighed = replace(counted, weight=np.ones(300))
        np.testing.assert_array_equal(bootstrap_auc(counted, 3), bootstrap_auc(weighed, 3))

    def test_every_other_number_agrees_with_other_programs(self, recalibration):
        expected = oracle("evaluation")
        wilson = expected.pop("wilson")
        found = measured(
            task_rows(
                recalibration["probability"].to_numpy(),
                recalibration["outcome"].to_numpy(),
                np.arange(600) // 2,
            )
        )
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-7)
        share, rows = np.array([(k / n, n) for k, n in wilson["shares"]]).T
        low, high = calibration_bins.share_limits(share, rows)
        np.testing.assert_allclose(np.column_stack([low, high]), wilson["limits"], atol=1e-7)

    @pytest.mark.parametrize("outcome", ["outcome", "true"])
    def test_the_parts_of_briers_score_add_up(self, recalibration, outcome):
        found = measured(
            task_rows(recalibration["probability"].to_numpy(), recalibration[outcome].to_numpy())
        )
        parts = [found[f"brier_{name}"] for name in ("reliability", "resolution", "uncertainty")]
        assert parts[0] - parts[1] + parts[2] == pytest.approx(found["brier"], abs=1e-12)
        assert min(parts) >= 0.0

    def test_a_true_probability_counts_as_a_part_of_a_row_with_pain(self):
        risk = np.array([0.1, 0.1, 0.1, 0.4, 0.4])
        outcome = np.array([0.0, 0.0, 1.0, 1.0, 0.0])
        short, part = np.array([0.1, 0.4]), np.array([1 / 3, 1 / 2])
        as_rows, as_parts = (
            measured(task_rows(risk, outcome)),
            measured(task_rows(np.repeat(short, [3, 2]), np.repeat(part, [3, 2]))),
        )
        for name in ("brier", "brier_reliability", "brier_resolution", "auc", "log_loss"):
            assert as_rows[name] == pytest.approx(as_parts[name])

    def test_risks_that_come_true_have_no_index_and_wrong_ones_have_their_distance(self):
        rng = np.random.default_rng(3)
        true = rng.uniform(0.05, 0.4, 4_000)
        right = calibration_metrics.integrated_calibration_index(task_rows(true, true))
        wrong = calibration_metrics.integrated_calibration_index(task_rows(true + 0.1, true))
        assert right < 0.002
        assert wrong == pytest.approx(0.1, abs=0.003)

    def test_few_outcomes_have_no_curve(self):
        outcome = np.zeros(500)
        outcome[:20] = 1.0
        few = task_rows(np.linspace(0.9, 0.01, 500), outcome)
        assert calibration_metrics.smooth(few) is None
        same = task_rows(np.full(500, 0.1), np.arange(500) % 2 * 1.0)
        assert calibration_metrics.integrated_calibration_index(same) is None

    def test_rows_with_one_risk_share_the_places_of_a_clinic(self):
        outcome = np.r_[np.ones(2), np.zeros(18)]
        found = measured(task_rows(np.full(20, 0.1), outcome))
        assert found["precision_top_10_pct"] == pytest.approx(0.1)
        assert found["sensitivity_top_10_pct"] == pytest.approx(0.1)
        ranked = measured(task_rows(np.linspace(0.2, 0.1, 20), outcome))
        assert ranked["precision_top_5_pct"] == ranked["precision_top_10_pct"] == 1.0
        assert ranked["precision_top_20_pct"] == 0.5

    def test_rows_of_one_athlete_widen_the_interval(self):
        cohort, truth = cohort_of(300, seed=2)
        one = evaluate(cohort, risks_of(truth)).metrics
        copied = pd.concat([cohort.frame] * 4, ignore_index=True)
        more = evaluate(
            replace(cohort, frame=copied), risks_of(pd.concat([truth] * 4, ignore_index=True))
        ).metrics
        assert more["auc"] == pytest.approx(one["auc"])
        assert more["auc_high"] - more["auc_low"] == pytest.approx(
            one["auc_high"] - one["auc_low"], rel=1e-6
        )

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_with_one_kind_of_outcome_only_accuracy_is_measured(self, value):
        rows = task_rows(np.linspace(0.1, 0.4, 10), np.full(10, value))
        assert set(measure(rows, "which_limb")) == {"log_loss", "brier"}

    def test_a_single_event_has_an_auc_without_an_interval(self):
        outcome = np.zeros(30)
        outcome[3] = 1.0
        found = measure(task_rows(np.linspace(0, 1, 30), outcome), "own")
        assert "auc" in found
        assert "auc_low" not in found

    def test_a_separated_outcome_has_no_slope(self):
        risk = np.linspace(0.01, 0.99, 40)
        found = measured(task_rows(risk, (risk > 0.5).astype(float)))
        assert "calibration_slope" not in found
        assert "calibration_slope_low" not in found

    def test_of_no_rows_only_counts_are_measured(self):
        nothing = task_rows(np.empty(0), np.empty(0))
        assert measured(nothing) == {}
        assert measure(nothing, "counts") == {"rows": 0.0, "events": 0.0, "athletes": 0.0}

    def test_a_paired_difference_counts_athletes_not_rows(self):
        rng = np.random.default_rng(0)
        difference = rng.normal(0.01, 0.1, 400)
        mean, error = paired_difference(difference, np.arange(400))
        assert error == pytest.approx(difference.std() / 20)
        again, wider = paired_difference(np.tile(difference, 3), np.tile(np.arange(400), 3))
        assert again == pytest.approx(mean)
        assert wider == pytest.approx(error)

    def test_row_loss_averages_to_log_loss(self):
        rng = np.random.default_rng(0)
        risk, outcome = rng.random(50), rng.integers(0, 2, 50).astype(float)
        assert row_loss(risk, outcome).mean() == pytest.approx(log_loss(task_rows(risk, outcome)))


class TestTable:
    """One row of the table is all that a metric needs."""

    def test_a_name_stands_once_and_each_is_computed_or_said_to_come_from_elsewhere(self):
        names = [metric.name for metric in metric_table.METRICS]
        assert len(set(names)) == len(names)
        cohort, truth = cohort_of(400)
        found = evaluate(cohort, risks_of(truth)).metrics
        for metric in metric_table.METRICS:
            if metric.compute and {"own", "counts"} & metric.measured_on:
                # What weighted rows are worth is said of weighted rows alone.
                assert metric.name in found or metric.name.startswith("effective_")

    def test_a_metric_is_one_row_and_one_function(self, monkeypatch):
        """It then is in JSON, slices, the printed table, the card and the comparison of runs."""
        mean_risk = metric_table.Metric(
            "mean_risk", "mean risk", "near 0", lambda rows: float(rows.probability.mean())
        )
        monkeypatch.setattr(metric_table, "METRICS", (*metric_table.METRICS, mean_risk))
        cohort, truth = cohort_of(400)
        risks = risks_of(truth)

        evaluation = evaluate(cohort, risks, {"logistic": risks})

        plain_data = json.loads(json.dumps(evaluation.as_dict()))
        value = np.mean([risks.left, risks.right])
        assert plain_data["metrics"]["mean_risk"] == pytest.approx(value)
        assert plain_data["metrics"]["logistic_either_mean_risk"] == pytest.approx(
            risks.either.mean()
        )
        assert all("mean_risk" in part["metrics"] for part in plain_data["slices"])
        table = metrics_table(evaluation.metrics, {"": "model"}, "")
        assert dict(zip(table.columns, table.rows[0], strict=True))["mean risk"] == f"{value:.4f}"
        context = SimpleNamespace(evaluation=evaluation, metrics=evaluation.metrics, cohort=cohort,
                                unit="legs", plot=lambda *_: [])  # fmt: skip
        assert "| mean risk |" in performance(context)
        assert "| mean risk |" in fairness(context)
        runs = [SimpleNamespace(run_id=name, name=name, alias=None, params={},
                                metrics={"mean_risk": mean, "cv_mean_risk": mean})
                for name, mean in (("one", 0.2), ("other", 0.1))]  # fmt: skip
        compared = {row.metric: row.better for row in compare(runs).rows}
        assert compared == {"mean_risk": "near 0", "cv_mean_risk": "near 0"}


class TestEvaluation:
    def test_true_risks_are_calibrated_and_reach_their_own_ceiling(self):
        cohort, truth = cohort_of(4_000)
        found = evaluate(cohort, risks_of(truth), truth=truth).metrics
        assert found["calibration_slope"] == pytest.approx(1.0, abs=0.15)
        assert found["true_calibration_slope"] == pytest.approx(1.0)
        assert found["true_risk_mae"] == 0.0
        assert found["true_risk_auc"] == found["auc"]
        assert found["auc_low"] < found["auc"] < found["auc_high"]
        assert found["rows"] == 8_000
        assert found["athletes"] == 4_000

    def test_too_extreme_risks_have_a_slope_below_one(self):
        cohort, truth = cohort_of(4_000)
        extreme = Risks(*(1 / (1 + np.exp(-2 * logit(np.asarray(r)))) for r in (
            truth["risk_left"], truth["risk_right"], truth["risk_either"])))  # fmt: skip
        found = evaluate(cohort, extreme, truth=truth).metrics
        assert found["true_calibration_slope"] == pytest.approx(0.5, abs=0.01)
        assert found["calibration_slope"] < 0.7

    def test_either_only_is_judged_on_athletes(self):
        cohort, truth = cohort_of(800)
        only = either_only(cohort)
        found = evaluate(only, Risks(None, None, truth["risk_either"].to_numpy())).metrics
        assert found["rows"] == 800
        assert found["auc"] == found["either_auc"]
        assert "which_limb_auc" not in found

    def test_unrecorded_outcomes_and_risks_not_given_are_left_out(self):
        cohort, truth = cohort_of(100)
        frame = cohort.frame.assign(outcome_left=np.nan)
        missing = truth["risk_right"].where(np.arange(100) >= 10)
        risks = risks_of(truth.assign(risk_right=missing))
        found = evaluate(replace(cohort, frame=frame), risks, truth=truth).metrics
        assert found["rows"] == 90

    def test_which_limb_uses_screenings_with_exactly_one_painful_leg(self):
        cohort, truth = cohort_of(3_000)
        limb = which_limb_task(cohort, risks_of(truth))
        assert limb is not None
        sides = cohort.frame["outcome_left"] + cohort.frame["outcome_right"]
        assert len(limb.outcome) == (sides == 1).sum()
        found = evaluate(cohort, risks_of(truth)).metrics
        assert found["which_limb_auc"] == pytest.approx(
            roc_auc_score(limb.outcome, limb.probability)
        )
        mirrored = Risks(risks_of(truth).right, risks_of(truth).left, None)
        assert evaluate(cohort, mirrored).metrics["which_limb_auc"] == pytest.approx(
            1 - found["which_limb_auc"]
        )

    def test_each_imbalance_is_judged_by_its_name(self):
        cohort, truth = cohort_of(300)
        predicted = np.stack(
            [truth[[f"{side}_{name}" for name in imbalances()]] for side in ("left", "right")],
            axis=1,
        )
        found = evaluate(cohort, risks_of(truth), truth=truth, imbalances=predicted).metrics
        for name in imbalances():
            assert found[f"imbalance_{name}_calibration_slope"] == pytest.approx(1.0)
            assert found[f"imbalance_{name}_auc"] > 0.7

    def test_the_oracle_stands_beside_the_model_under_the_same_names(self):
        cohort, truth = cohort_of(1_500)
        true = risks_of(truth)
        chances = np.stack(
            [truth[[f"{side}_{name}" for name in imbalances()]] for side in ("left", "right")],
            axis=1,
        )
        best = Oracle(left=true.left, right=true.right, either=true.either, imbalances=chances)
        worse = Risks(*(1 / (1 + np.exp(-0.5 * logit(x) + 1)) for x in (
            true.left, true.right, true.either)))  # fmt: skip
        blurred = chances + np.random.default_rng(0).normal(0.0, 0.1, chances.shape)
        found = evaluate(
            cohort, worse, {"logistic": worse}, truth, np.clip(blurred, 0.0, 1.0), best
        ).metrics
        assert found["logistic_oracle_mae"] == found["oracle_mae"]
        assert "oracle_oracle_mae" not in found
        assert found["oracle_auc"] == pytest.approx(found["auc"])
        assert found["auc_below_oracle"] == pytest.approx(0.0, abs=1e-12)
        assert found["oracle_mae"] == found["true_risk_mae"] > 0.01
        assert found["oracle_true_risk_mae"] == 0.0
        assert found["oracle_true_log_loss"] < found["true_log_loss"]
        for name in imbalances():
            below = found[f"imbalance_{name}_auc_below_oracle"]
            assert below == pytest.approx(
                found[f"oracle_imbalance_{name}_auc"] - found[f"imbalance_{name}_auc"]
            )
            assert below > 0.005

    def test_all_of_it_is_plain_data(self):
        cohort, truth = cohort_of(400)
        found = evaluate(cohort, risks_of(truth), truth=truth).as_dict()
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        assert set(found) == {
            "metrics", "slices", "worst_slice", "drivers", "calibration_curve", "decision_curve",
        }  # fmt: skip


class TestSlices:
    @pytest.fixture(scope="class")
    @classmethod
    def found(cls):
        cohort, truth = cohort_of(2_000)
        frame = cohort.frame.assign(
            sport=np.where(np.arange(2_000) % 2, "running", "football"),
            left_wblt_dorsiflexion_deg=np.where(np.arange(2_000) % 2, 40.0, np.nan),
        )
        cohort = replace(cohort, frame=frame)
        risks = risks_of(truth)
        # Of footballers the risk says nothing.
        blind = [np.where(np.arange(2_000) % 2, risk, 0.15 + 0.001 * (np.arange(2_000) % 7))
                 for risk in (risks.left, risks.right, risks.either)]  # fmt: skip
        return cohort, evaluate(cohort, Risks(*blind), truth=truth)

    def test_every_cut_holds_every_row_once(self, found):
        _, evaluation = found
        by = pd.DataFrame([{"by": s.by, **s.metrics} for s in evaluation.slices]).groupby("by")
        assert set(by.groups) == {"sex", "age", "sport", "side", "battery"}
        assert (by["rows"].sum() == evaluation.metrics["rows"]).all()
        assert (by["events"].sum() == evaluation.metrics["events"]).all()

    def test_a_slice_has_the_numbers_of_its_rows(self, found):
        cohort, evaluation = found
        left = next(one for one in evaluation.slices if one.name == "left")
        assert left.metrics["events"] == cohort.frame["outcome_left"].sum()
        rows = [i for i, place in enumerate(evaluation.task_rows.place) if place < 2_000]
        assert left.metrics["auc"] == pytest.approx(
            roc_auc_score(
                evaluation.task_rows.outcome[rows], evaluation.task_rows.probability[rows]
            )
        )
        running = next(one for one in evaluation.slices if one.name == "running")
        assert {"log_loss", "brier_reliability", "integrated_calibration_index",
                "calibration_slope_low", "calibration_intercept", "net_benefit_at_10_pct",
                "precision_top_10_pct"} <= running.metrics.keys()  # fmt: skip
        young = next(one for one in evaluation.slices if one.name == "18 to 29")
        ages = cohort.frame["age_years"]
        assert young.metrics["rows"] == 2 * ((ages >= 18) & (ages < 30)).sum()
        assert young.name in AGE_BANDS

    def test_the_worst_is_named_if_it_has_outcomes_enough(self, found):
        _, evaluation = found
        lowest = evaluation.worst_slice
        assert (lowest.by, lowest.name) == ("sport", "football")
        assert evaluation.metrics["worst_slice_auc"] == lowest.metrics["auc"] < 0.55
        few = tuple(
            replace(one, metrics={**one.metrics, "events": 29.0}) for one in evaluation.slices
        )
        assert worst_of(few) is None

    def test_a_battery_is_known_by_its_tests(self, found):
        _, evaluation = found
        batteries = {one.name for one in evaluation.slices if one.by == "battery"}
        assert batteries == {"isokinetic_ratio", "wall_and_video"}

    def test_pictures_say_whom_they_show(self, found):
        cohort, evaluation = found
        drawn = plots(evaluation, "a test")
        assert set(drawn) == {
            "calibration", "roc", "decision_curve", "risk_distribution", "slices",
        }  # fmt: skip
        for figure in drawn.values():
            assert any("2,000 athletes" in text.get_text() for text in figure.texts)
        true = evaluation.truth
        best = Oracle(left=true[:2_000], right=true[2_000:], either=None, imbalances=None)
        beside = evaluate(cohort, Risks(true[:2_000], true[2_000:], None), oracle=best)
        assert "oracle_gap" in plots(beside, "a test")


class TestCommand:
    @pytest.fixture(scope="class")
    @classmethod
    def file(cls, tmp_path_factory):
        path = tmp_path_factory.mktemp("data") / "cohort.csv"
        drawn = simulate(300, 71)
        files.write(drawn.cohort, path)
        write_table(drawn.truth, truth_beside(path))
        return path

    @pytest.fixture(scope="class")
    @classmethod
    def printed(cls, champion_models, file):
        before = {path: path.stat().st_mtime_ns for path in champion_models.rglob("*")}
        arguments = ["evaluate", "--model", VERSION, "--data", str(file), "--models",
                     str(champion_models), "--json"]  # fmt: skip
        ended = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert {path: path.stat().st_mtime_ns for path in champion_models.rglob("*")} == before
        return json.loads(ended.stdout)

    def test_it_tells_every_task(self, printed):
        assert printed["version"] == VERSION
        assert set(printed["metrics"]) == {"risk", "which_limb", "imbalances", "oracle"}
        assert 0.0 < printed["metrics"]["which_limb"]["which_limb_auc"] < 1.0
        for name in ("auc", "logistic_auc", "prior_log_loss", "either_precision_top_10_pct"):
            assert np.isfinite(printed["metrics"]["risk"][name])
        assert printed["metrics"]["oracle"]["oracle_mae"] < 0.02
        assert "imbalance_calf_tightness_auc" in printed["metrics"]["imbalances"]
        assert printed["judged_on"] == "all athletes of the file"

    def test_a_person_reads_the_model_beside_the_others(self, printed):
        lines = plain(*summary(printed)).splitlines()
        starts = [line.split("  ")[0] for line in lines]
        for label in ("model", "logistic", "base rate", "oracle"):
            assert label in starts
        assert f"{printed['metrics']['risk']['auc']:.4f}" in lines[starts.index("model")]

    def test_without_the_truth_there_is_no_task_of_imbalances(
        self, champion_models, file, tmp_path
    ):
        cohort = files.read(file)
        files.write(replace(cohort, frame=cohort.frame.head(150)), tmp_path / "alone.csv")
        found = evaluate_version(None, tmp_path / "alone.csv", champion_models, lambda _: None)
        assert "imbalances" not in found["metrics"]
        assert "oracle_mae" in found["metrics"]["oracle"]
        assert "true_risk_mae" not in found["metrics"]["oracle"]

    @pytest.mark.parametrize(
        ("other", "words"),
        [
            ({"outcome_kind": "present_pain", "horizon_months": None}, "the cohort is present"),
            ({"horizon_months": 6}, "within 6 months"),
        ],
    )
    def test_another_outcome_is_refused(self, champion_models, file, tmp_path, other, words):
        files.write(replace(files.read(file), **other), tmp_path / "other.csv")
        with pytest.raises(KneeriskError, match=words):
            evaluate_version(None, tmp_path / "other.csv", champion_models, lambda _: None)

    @pytest.mark.parametrize("version", ["../models", "kneerisk-new_pain-12m-v99"])
    def test_a_version_that_is_not_there_is_refused(
        self, champion_models, file, tmp_path, monkeypatch, version
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with pytest.raises(KneeriskError, match=r"is not in|not a version"):
            evaluate_version(version, file, champion_models, lambda _: None)
        assert not list(tmp_path.iterdir())

    def test_athletes_that_it_was_trained_on_are_left_out(
        self, champion_models, simulated, tmp_path
    ):
        """The champion's facts name its cohort by digest; here they name this file."""
        path = tmp_path / "own.csv"
        some = simulated.cohort.frame.head(500)
        files.write(replace(simulated.cohort, frame=some), path)
        models = tmp_path / "models"
        own = bundle.load(champion_models / VERSION)
        metadata = replace(own.metadata, data_sha256=digest(files.read(path)), version="again")
        bundle.save(own.model, metadata, models / "again")
        found = evaluate_version("again", path, models, lambda _: None)
        assert found["judged_on"].startswith("held-out")
        assert found["screenings"] == splits.held_out(some["athlete_id"]).sum()

    def test_athletes_of_another_file_that_it_was_trained_on_are_left_out(
        self, champion_models, simulated, tmp_path, monkeypatch
    ):
        """A season later the club's file holds old athletes and new ones."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        frame = simulated.cohort.frame
        club = replace(simulated.cohort, kind="observed")
        for name, part in (("then", frame.head(300)), ("now", frame[200:500])):
            files.write(replace(club, frame=part.reset_index(drop=True)), tmp_path / f"{name}.csv")
        then = files.read(tmp_path / "then.csv")
        with Tracking(tmp_path).start_run("then", {}) as run:
            sha256 = digest(then)
            params = {"data_file": tmp_path / "then.csv", "data_sha256": sha256}
            run.log_values(params, {})
        models = tmp_path / "models"
        own = bundle.load(champion_models / VERSION)
        metadata = replace(own.metadata, cohort="observed", run_id=run.run_id, data_sha256=sha256,
                        version="again")  # fmt: skip
        bundle.save(own.model, metadata, models / "again")

        found = evaluate_version("again", tmp_path / "now.csv", models, lambda _: None)

        old = 100 - splits.held_out(frame["athlete_id"][200:300]).sum()
        assert found["screenings"] == 300 - old
        assert f"({old} of the file left out)" in found["judged_on"]

        trained = then.frame[~splits.held_out(then.frame["athlete_id"])]
        files.write(replace(then, frame=trained), tmp_path / "trained.csv")
        with pytest.raises(CohortRefused, match="every athlete"):
            evaluate_version("again", tmp_path / "trained.csv", models, lambda _: None)


class TestBaselines:
    def test_logistic_finds_the_signal_and_the_controls_do_not(self):
        train, _ = cohort_of(3_000, seed=1)
        unseen, truth = cohort_of(3_000, seed=2)
        fitted = fit_baselines(train, seed=0)
        predicted = {name: model.predict(unseen.columns()) for name, model in fitted.items()}
        found = evaluate(unseen, risks_of(truth), predicted).metrics
        assert found["logistic_auc"] == pytest.approx(found["auc"], abs=0.03)
        assert found["logistic_calibration_slope"] == pytest.approx(1.0, abs=0.2)
        assert found["control_auc"] == pytest.approx(0.5, abs=0.04)
        assert found["prior_auc"] == 0.5
        assert "prior_calibration_slope" not in found
        assert found["log_loss"] < found["logistic_log_loss"] < found["prior_log_loss"]

    def test_legs_are_exchangeable(self):
        train, _ = cohort_of(500)
        model = fit_logistic(train, logistic_design(), seed=0)
        data = train.columns()
        swapped = {
            name: data[{"left": "right", "right": "left"}[side] + name[len(side) :]]
            for name in data
            for side in [name.split("_")[0]]
            if side in ("left", "right")
        }
        there, back = model.predict(data), model.predict({**data, **swapped})
        np.testing.assert_array_equal(there.left, back.right)
        np.testing.assert_array_equal(there.either, back.either)

    def test_medians_come_from_the_athletes_trained_on(self):
        train, _ = cohort_of(400)
        model = fit_logistic(train, Design((), ("hip_drop_deg",)), seed=0)
        assert model.leg is not None
        legs = pd.concat([train.frame["left_hip_drop_deg"], train.frame["right_hip_drop_deg"]])
        assert model.leg.medians[0] == pytest.approx(legs.median())
        nothing = {name: np.full(3, np.nan) for name in train.columns()}
        assert np.isfinite(model.predict(nothing).left).all()

    def test_a_cohort_without_sides_has_a_baseline_for_either_knee(self):
        cohort, _ = cohort_of(500)
        predicted = {
            name: model.predict(cohort.columns())
            for name, model in fit_baselines(either_only(cohort), seed=0).items()
        }
        for risks in predicted.values():
            assert risks.left is None
            assert risks.either is not None

    def test_one_kind_of_outcome_leaves_no_logistic_baseline(self):
        cohort, _ = cohort_of(50)
        frame = cohort.frame.assign(outcome_left=0.0, outcome_right=0.0)
        risks = fit_baselines(replace(cohort, frame=frame), 0)["logistic"].predict(cohort.columns())
        assert risks == Risks(None, None, None)
