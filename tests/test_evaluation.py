"""Splits, metrics, baselines and the one evaluation object."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from kneerisk.cohort import Cohort
from kneerisk.evidence import imbalances
from kneerisk.training import metrics, splits
from kneerisk.training.baselines import Design, Risks, fit_baselines, fit_logistic, logistic_design
from kneerisk.training.evaluation import evaluate, which_limb

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


class TestMetrics:
    @pytest.mark.parametrize("outcome", ["outcome", "true"])
    def test_recalibration_agrees_with_statsmodels(self, outcome):
        data = pd.read_csv(ORACLES / "recalibration.csv")
        expected = json.loads((ORACLES / "recalibration.json").read_text())[outcome]
        found = metrics.calibration(data["probability"].to_numpy(), data[outcome].to_numpy())
        assert found == pytest.approx(expected, rel=1e-6)

    def test_bootstrap_spread_agrees_with_delong_where_each_row_is_an_athlete(self):
        data = pd.read_csv(ORACLES / "recalibration.csv")
        expected = json.loads((ORACLES / "delong.json").read_text())
        arrays = data["probability"].to_numpy(), data["outcome"].to_numpy()
        resampled = metrics.bootstrap_auc(*arrays, np.arange(600), seed=1, resamples=2_000)
        assert resampled.std() == pytest.approx(expected["standard_error"], rel=0.08)
        assert resampled.mean() == pytest.approx(expected["auc"], abs=0.003)

    def test_a_resample_is_what_repeated_rows_would_give(self):
        rng = np.random.default_rng(5)
        score, outcome = rng.integers(0, 6, 40) / 6, rng.integers(0, 2, 40).astype(float)
        athlete = np.repeat(np.arange(20), 2)
        found = metrics.bootstrap_auc(score, outcome, athlete, seed=9, resamples=25)
        drawn = np.random.default_rng(9).multinomial(20, np.full(20, 1 / 20), 25)
        for auc, times in zip(found, drawn, strict=True):
            rows = np.repeat(np.arange(40), times[athlete])
            assert auc == pytest.approx(roc_auc_score(outcome[rows], score[rows]))

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
        chance, outcome = np.linspace(0.1, 0.4, 10), np.full(10, value)
        assert metrics.discrimination(chance, outcome, np.arange(10), 1) == {}
        assert metrics.calibration(chance, outcome) == {}
        assert set(metrics.accuracy(chance, outcome)) == {"log_loss", "brier"}

    def test_a_single_event_has_an_auc_without_an_interval(self):
        outcome = np.zeros(30)
        outcome[3] = 1.0
        found = metrics.discrimination(np.linspace(0, 1, 30), outcome, np.arange(30), 1)
        assert set(found) == {"auc"}

    def test_a_separated_outcome_has_no_slope(self):
        chance = np.linspace(0.01, 0.99, 40)
        found = metrics.calibration(chance, (chance > 0.5).astype(float))
        assert "calibration_slope" not in found

    def test_nothing_is_measured_on_nothing(self):
        empty = np.empty(0)
        assert metrics.accuracy(empty, empty) == {}
        assert metrics.calibration(empty, empty) == {}

    def test_a_paired_difference_counts_athletes_not_rows(self):
        rng = np.random.default_rng(0)
        difference = rng.normal(0.01, 0.1, 400)
        mean, error = metrics.paired_difference(difference, np.arange(400))
        assert error == pytest.approx(difference.std() / 20)
        again, wider = metrics.paired_difference(np.tile(difference, 3), np.tile(np.arange(400), 3))
        assert again == pytest.approx(mean)
        assert wider == pytest.approx(error)

    def test_row_loss_averages_to_log_loss(self):
        rng = np.random.default_rng(0)
        chance, outcome = rng.random(50), rng.integers(0, 2, 50).astype(float)
        assert metrics.row_loss(chance, outcome).mean() == pytest.approx(
            metrics.accuracy(chance, outcome)["log_loss"]
        )


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
        extreme = Risks(*(1 / (1 + np.exp(-2 * metrics.logit(np.asarray(r)))) for r in (
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
        limb = which_limb(cohort, risks_of(truth))
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
        assert model.leg.median[0] == pytest.approx(legs.median())
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
