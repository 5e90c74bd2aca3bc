"""Whole groups left out: merged groups, ranks within a fold, models that travel and that don't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut

from kneerisk.answer.compose_answer import notice_of
from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.simulated_cohort import Simulated
from kneerisk.cohort.splits import FEWEST_IN_GROUP, MOST_GROUPS, groups_of
from kneerisk.evaluation.auc_bootstrap import bootstrap_auc
from kneerisk.evaluation.baselines.baseline_design import logistic_design
from kneerisk.evaluation.baselines.baselines import MeasureBaseline, fit_logistic
from kneerisk.evaluation.calibration.calibration_metrics import (
    calibration_intercept,
    calibration_intercept_interval,
    calibration_slope,
)
from kneerisk.evaluation.comparison import compare
from kneerisk.evaluation.decision_curves import (
    GATE_THRESHOLDS,
    net_benefit,
    net_benefit_over_default,
    net_benefit_over_default_interval,
    treat_all_net_benefit,
)
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.internal_external_validation import (
    OutOfFold,
    off_in_a_group,
    travel_faults,
)
from kneerisk.evaluation.left_out_folds import predict_left_out
from kneerisk.evaluation.metrics import auc
from kneerisk.evaluation.run_verdict import verdict
from kneerisk.evaluation.task_rows import Risks, task_rows
from kneerisk.model import Bundle
from kneerisk.training.card.model_card import model_card
from kneerisk.training.fitting.cross_validation import evaluate_people
from kneerisk.training.registry.verdict import GROUPS_PARAMETER, gates_of, verdict_of
from kneerisk.training.tuning.objective import Objective
from kneerisk.training.updating.update_comparison import compare_update

OBSERVED = {"cohort_kind": "observed", "outcome_kind": "present_pain", GROUPS_PARAMETER: "3"}


#: Measures of the athletes that say nothing of their pain: mean and SD.
IDLE = {"wblt_dorsiflexion_deg": (38, 4), "fppa_deg": (8, 4), "ober_adduction_deg": (20, 4)}


def cohort_of(effects: Mapping[str, float], athletes: int = 110, base: float = -1.2) -> Cohort:
    """Groups of athletes; pain rises by so many log-odds an SD of hip drop in each."""
    rng = np.random.default_rng(5)
    parts = []
    for group, effect in effects.items():
        z = rng.normal(0.0, 1.0, (2, athletes))
        pain = rng.random((2, athletes)) < 1.0 / (1.0 + np.exp(-(base + effect * z)))
        parts.append(pd.DataFrame({
            "athlete_id": [f"{group} {number}" for number in range(athletes)], "group": group,
            "age_years": rng.uniform(18, 40, athletes).round(1), "sex": "female",
            "left_hip_drop_deg": 5.0 + 2.0 * z[0], "right_hip_drop_deg": 5.0 + 2.0 * z[1],
            "outcome_left": pain[0].astype(float), "outcome_right": pain[1].astype(float),
            **{f"{side}_{name}": rng.normal(*spread, athletes)
               for name, spread in IDLE.items() for side in ("left", "right")},
        }))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return Cohort(frame, "observed", "present_pain", None, "made for a test")


def counted(events: Mapping[str, int], athletes: int = 60) -> Cohort:
    """Groups with so many painful left knees each."""
    frame = pd.DataFrame({
        "athlete_id": [f"{group} {i}" for group in events for i in range(athletes)],
        "group": np.repeat(list(events), athletes),
        "outcome_left": [float(i < n) for n in events.values() for i in range(athletes)],
        "outcome_right": 0.0,
    })  # fmt: skip
    return Cohort(frame, "observed", "present_pain", None, "made for a test")


@pytest.fixture(scope="module")
def backwards() -> tuple[Cohort, OutOfFold]:
    cohort = cohort_of({"2021": 0.9, "2022": 0.9, "2023": -0.9})
    return cohort, evaluate_people(cohort, range(1))


@pytest.fixture(scope="module")
def travelling() -> tuple[Cohort, OutOfFold]:
    cohort = cohort_of({"2021": 0.9, "2022": 0.9, "2023": 0.9})
    return cohort, evaluate_people(cohort, range(1))


class TestGroups:
    def test_neighbours_are_merged_until_each_has_enough(self) -> None:
        groups = groups_of(counted({"2009": 10, "2010": 25, "2011": 40, "2012": 30, "2013": 5}))
        assert groups is not None
        assert groups.names == ("2009 to 2010", "2011", "2012 to 2013")
        assert np.bincount(groups.code).tolist() == [120, 60, 120]

    def test_the_order_of_rows_does_not_matter_and_numbers_count(self) -> None:
        cohort = counted({"club 10": 35, "club 9": 20, "club 8": 20})
        shuffled = replace(cohort, frame=cohort.frame.sample(frac=1.0, random_state=1))
        for each in (cohort, shuffled):
            groups = groups_of(each)
            assert groups is not None
            assert groups.names == ("club 8 to club 9", "club 10")
            where = each.frame["group"].eq("club 10").to_numpy()
            assert (groups.code == 1).tolist() == where.tolist()

    def test_too_few_without_the_outcome_count_as_well(self) -> None:
        cohort = counted({"a": 60, "b": 60})
        frame = cohort.frame.assign(outcome_right=np.nan)
        assert groups_of(replace(cohort, frame=frame)) is None

    @pytest.mark.parametrize("events", [{"a": 40}, {"a": 40, "b": 10}])
    def test_there_are_two_or_none(self, events: dict[str, int]) -> None:
        assert groups_of(counted(events)) is None

    def test_a_cohort_without_a_group_has_none(self) -> None:
        cohort = counted({"a": 40, "b": 40})
        assert groups_of(replace(cohort, frame=cohort.frame.drop(columns="group"))) is None

    def test_there_are_at_most_ten(self) -> None:
        groups = groups_of(counted({f"club {i}": int(FEWEST_IN_GROUP) for i in range(25)}))
        assert groups is not None
        assert 2 <= len(groups.names) <= MOST_GROUPS

    def test_screenings_without_a_group_are_one(self) -> None:
        cohort = counted({"a": 40, "b": 40, "c": 40})
        frame = cohort.frame.assign(group=cohort.frame["group"].where(cohort.frame["group"] != "b"))
        groups = groups_of(replace(cohort, frame=frame))
        assert groups is not None
        assert groups.names == ("a", "c", "no group")


class TestWithinFolds:
    """Models of different folds have different intercepts; only rows of one fold are ranked."""

    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls):
        rng = np.random.default_rng(0)
        fold = rng.integers(0, 4, 400)
        margin = rng.normal(0.0, 1.0, 400)
        outcome = (rng.random(400) < 1.0 / (1.0 + np.exp(1.0 - 0.7 * margin))).astype(float)
        shifted = 1.0 / (1.0 + np.exp(-(margin + 3.0 * fold)))
        return task_rows(shifted, outcome, fold=fold), margin, fold

    def test_the_auc_is_that_of_the_pairs_within_folds(self, rows) -> None:
        rows, margin, fold = rows
        parts = [(rows.outcome[fold == k], margin[fold == k]) for k in range(4)]
        pairs = [y.sum() * (1 - y).sum() for y, _ in parts]
        areas = [roc_auc_score(y, score) for y, score in parts]
        assert auc(rows) == pytest.approx(np.average(areas, weights=pairs), abs=1e-12)

    def test_a_shift_of_a_fold_changes_neither_auc_nor_slope(self, rows) -> None:
        rows, margin, fold = rows
        plain = task_rows(1.0 / (1.0 + np.exp(-margin)), rows.outcome, fold=fold)
        assert auc(rows) == pytest.approx(auc(plain), abs=1e-12)
        assert calibration_slope(rows) == pytest.approx(calibration_slope(plain), abs=1e-6)
        assert np.allclose(bootstrap_auc(rows, 1), bootstrap_auc(plain, 1))

    def test_the_slope_is_that_of_a_regression_with_an_intercept_for_each_fold(self, rows) -> None:
        rows, _, fold = rows
        design = np.column_stack([np.eye(4)[fold], rows.log_odds])
        independent = LogisticRegression(C=1e8, fit_intercept=False, tol=1e-10, max_iter=5_000)
        slope = independent.fit(design, rows.outcome).coef_[0][-1]
        assert calibration_slope(rows) == pytest.approx(slope, abs=1e-3)

    def test_the_interval_of_the_intercept_holds_it(self, rows) -> None:
        low, high = calibration_intercept_interval(rows[0])
        assert low < calibration_intercept(rows[0]) < high

    def test_net_benefit_over_the_better_default(self, rows) -> None:
        plain = task_rows(1.0 / (1.0 + np.exp(1.0 - 0.7 * rows[1])), rows[0].outcome)
        gains = [
            net_benefit(plain, at) - max(0.0, treat_all_net_benefit(plain, at))
            for at in GATE_THRESHOLDS
        ]
        low, high = net_benefit_over_default_interval(plain)
        assert low < net_benefit_over_default(plain) < high
        assert any(net_benefit_over_default(plain) == pytest.approx(gain) for gain in gains)


def test_groups_are_left_out_as_scikit_learn_leaves_them_out() -> None:
    cohort = cohort_of({"a": 0.5, "b": 0.5, "c": 0.5}, athletes=90)
    groups = groups_of(cohort)
    assert groups is not None
    seen = []

    def predict(train, test) -> dict[str, Risks]:
        seen.append((np.flatnonzero(train).tolist(), np.flatnonzero(test).tolist()))
        return {"model": Risks(None, None, np.full(int(test.sum()), float(len(seen))))}

    risks = predict_left_out(cohort, groups.code, predict)["model"]
    splits = LeaveOneGroupOut().split(groups.code, groups=groups.code)
    assert seen == [(train.tolist(), test.tolist()) for train, test in splits]
    assert risks.either.tolist() == (groups.code + 1.0).tolist()


def test_an_athlete_of_the_left_out_group_is_not_trained_on_elsewhere() -> None:
    cohort = cohort_of({"a": 0.5, "b": 0.5}, athletes=90)
    frame = cohort.frame.assign(athlete_id=[str(row % 90) for row in range(180)])
    frame.loc[150:, "athlete_id"] = [f"only b {row}" for row in range(30)]
    trained = []

    def predict(train, test) -> dict[str, Risks]:
        trained.append(int(train.sum()))
        return {"model": Risks(None, None, np.full(int(test.sum()), 0.1))}

    predict_left_out(replace(cohort, frame=frame), np.repeat([0, 1], 90), predict)
    assert trained == [30, 30]


class TestTravel:
    def test_a_model_that_ranks_backwards_later_is_refused_for_that(self, backwards) -> None:
        _, out_of_fold = backwards
        metrics = out_of_fold.metrics
        assert metrics["does_not_travel"] == 1.0
        assert "backwards" in travel_faults(metrics)
        assert metrics["iecv_auc"] < metrics["cv_auc"]
        given = verdict_of(gates_of(OBSERVED, metrics, dict))
        assert given["reasons"][0] == "does_not_travel"
        assert verdict(metrics).startswith("Does not travel")

    def test_one_that_travels_passes(self, travelling) -> None:
        _, out_of_fold = travelling
        metrics = out_of_fold.metrics
        assert metrics["does_not_travel"] == 0.0
        assert not off_in_a_group(metrics)
        assert verdict_of(gates_of(OBSERVED, metrics, dict))["reasons"] == []
        assert verdict(metrics).startswith("Holds in groups that were left out")

    def test_each_group_has_its_own_metrics_and_the_spread_is_theirs(self, travelling) -> None:
        cohort, out_of_fold = travelling
        assert [group.name for group in out_of_fold.groups] == ["2021", "2022", "2023"]
        areas = [group.metrics["auc"] for group in out_of_fold.groups]
        metrics = out_of_fold.metrics
        assert metrics["iecv_groups"] == 3.0
        assert metrics["iecv_lowest_group_auc"] == min(areas)
        assert metrics["iecv_highest_group_auc"] == max(areas)
        assert sum(group.metrics["rows"] for group in out_of_fold.groups) == 2 * len(cohort.frame)

    def test_baselines_stand_beside_it_in_the_same_folds(self, travelling) -> None:
        metrics = travelling[1].metrics
        for prefix in ("iecv_", "cv_"):
            for name in ("prior", "logistic"):
                difference = metrics[f"{prefix}log_loss"] - metrics[f"{prefix}{name}_log_loss"]
                assert metrics[f"{prefix}log_loss_over_{name}"] == pytest.approx(difference)
        assert metrics["iecv_prior_auc"] == 0.5

    def test_a_level_that_is_off_twofold_in_a_group_is_refused(self) -> None:
        base = {
            "iecv_log_loss": 0.4,
            "iecv_groups": 3.0,
            "iecv_calibration_intercept": 0.0,
            "iecv_calibration_intercept_low": -0.1,
            "iecv_calibration_intercept_high": 0.1,
        }
        for low, passes in ((0.6, True), (0.8, False)):
            metrics = base | {"iecv_highest_group_calibration_intercept_low": low}
            gates = {gate.name: gate for gate in gates_of(OBSERVED, metrics, dict)}
            assert gates["calibration_intercept"].passed == passes

    def test_the_worst_slice_is_named(self, backwards) -> None:
        evaluation = backwards[1].beside(evaluate(backwards[0], _risks(backwards[0])))
        plain = evaluation.as_dict()
        gates = {gate.name: gate for gate in gates_of(OBSERVED, evaluation.metrics, lambda: plain)}
        worst = plain["worst_left_out"]
        assert f"{worst['by']} {worst['name'].replace('_', ' ')}" in gates["worst_slice"].message
        assert gates["worst_slice"].passed

    def test_a_run_of_people_from_before_groups_were_left_out_is_refused(self) -> None:
        params = {"cohort_kind": "observed", "outcome_kind": "present_pain"}
        gates = gates_of(params, {"log_loss": 0.4}, dict)
        assert not gates[0].passed
        assert gates[0].reason == "not_measured"

    def test_numbers_that_were_not_measured_pass_no_gate(self) -> None:
        failed = {gate.name for gate in gates_of({}, {}, dict) if not gate.passed}
        assert failed == {
            "log_loss_over_prior", "log_loss_over_logistic", "calibration_slope", "net_benefit"
        }  # fmt: skip

    def test_the_card_begins_with_left_out_groups(self, backwards, released: Bundle) -> None:
        cohort, out_of_fold = backwards
        evaluation = out_of_fold.beside(evaluate(cohort, _risks(cohort)))
        given = verdict_of(gates_of(OBSERVED, evaluation.metrics, dict))
        text = model_card(replace(released.metadata, verdict=given), cohort, evaluation)
        assert "**It does not travel.**" in text
        assert "`does_not_travel`" in text
        assert text.index("With whole groups left out") < text.index("On held-out athletes")
        assert "| 2023 |" in text

    def test_a_comparison_begins_with_them_and_is_decided_by_them(self, backwards, travelling):
        runs = [
            _Run(name, each[1].metrics | {"log_loss": loss})
            for name, each, loss in (("v1 a", backwards, 0.1), ("v2 b", travelling, 0.9))
        ]
        compared = compare(runs)
        assert compared.rows[0].metric == "iecv_auc"
        assert "v2" in compared.verdict.partition(" has ")[0]
        assert "with whole groups left out" in compared.verdict


def test_a_study_leaves_out_groups_and_compares_the_winner_on_folds_of_athletes() -> None:
    cohort = cohort_of({"a": 0.5, "b": 0.5}, athletes=150)
    objective = Objective.of(cohort, None)
    groups = groups_of(objective.train)
    assert groups is not None
    assert objective.folds == 2
    for fold in range(2):
        assert (objective._in_fold(fold) == (groups.code == fold)).all()
    assert "groups left out: a, b" in objective.identity()["objective"]
    assert len(objective._folds) == 2 + 5 * 4


class TestAdapting:
    def test_an_intercept_alone_cannot_change_the_ranks(
        self, released: Bundle, simulated: Simulated
    ) -> None:
        frame = simulated.cohort.frame.head(60).copy()
        for side in ("left", "right"):
            frame[f"outcome_{side}"] = 0.0
        frame.loc[[3, 7, 17, 22, 29, 41], "outcome_left"] = 1.0
        frame.loc[[5, 13, 19, 34, 50, 55], "outcome_right"] = 1.0
        club = replace(simulated.cohort, frame=frame, kind="observed", source="a club")
        metrics = compare_update(released.model, club, range(2)).metrics
        assert metrics["cv_auc"] == metrics["cv_as_is_auc"]
        assert metrics["cv_which_limb_auc"] == metrics["cv_as_is_which_limb_auc"]
        assert metrics["cv_calibration_slope"] == pytest.approx(
            metrics["cv_as_is_calibration_slope"]
        )

    def test_groups_of_a_club_are_left_out(
        self, released: Bundle, simulated: Simulated, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kneerisk.cohort.splits.FEWEST_IN_GROUP", 3.0)
        frame = simulated.cohort.frame.head(160).copy()
        frame["group"] = np.where(np.arange(160) < 80, "first season", "second season")
        club = replace(simulated.cohort, frame=frame, kind="observed", source="a club")
        out_of_fold = compare_update(released.model, club, range(1))
        assert [group.name for group in out_of_fold.groups] == ["first season", "second season"]
        assert "iecv_as_is_log_loss" in out_of_fold.metrics
        assert "iecv_log_loss_over_as_is" in out_of_fold.metrics


class TestBaseline:
    def test_its_numbers_are_those_of_the_fit(self, simulated: Simulated) -> None:
        few = replace(simulated.cohort, frame=simulated.cohort.frame.head(400))
        fitted = fit_logistic(few, logistic_design(), seed=0)
        read = MeasureBaseline.from_data(fitted.as_data())
        data = simulated.cohort.columns()
        for task in ("left", "right", "either"):
            now, then = (getattr(each.predict(data), task) for each in (read, fitted))
            assert np.allclose(now, then, atol=1e-12)

    def test_it_travels_in_the_bundle(self, released: Bundle) -> None:
        assert released.baseline is not None
        assert set(released.baseline["weights"]) == {"leg", "either"}


class TestAnswers:
    @pytest.mark.parametrize("kind", ["observed", "adapted"])
    def test_a_model_of_people_says_where_it_was_validated(
        self, released: Bundle, kind: str
    ) -> None:
        metadata = replace(released.metadata, cohort=kind)
        assert notice_of(metadata).endswith("It has not been validated anywhere else.")
        groups = {"left_out_groups": ["2021", "2022"]}
        notice = notice_of(replace(metadata, validation=groups))
        assert "whole groups were left out in turn (2: 2021, 2022)" in notice

    def test_a_simulated_one_was_validated_on_nobody(self, released: Bundle) -> None:
        assert "not been validated on real people" in notice_of(released.metadata)


class _Run:
    def __init__(self, name: str, metrics: Mapping[str, float]) -> None:
        self.run_id, self.name, self.version, self.alias = name, name, None, None
        self.params = {"data_sha256": "a", "outcome_kind": "new_pain", "horizon_months": "12"}
        self.metrics = metrics


def _risks(cohort: Cohort) -> Risks:
    left, right = (
        1.0 / (1.0 + np.exp(4.0 - 0.4 * cohort.frame[f"{side}_hip_drop_deg"].to_numpy()))
        for side in ("left", "right")
    )
    return Risks(left, right, 1.0 - (1.0 - left) * (1.0 - right))
