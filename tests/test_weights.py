"""Weighted outcomes: in files, metrics, fits, updates and rules; and against other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn import metrics as sklearn_metrics
from sklearn.isotonic import IsotonicRegression

from kneerisk.cohort import Cohort, read, write
from kneerisk.cohort.row_weights import effective_number, effective_outcomes, scaled_to_effective
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.splits import groups_of
from kneerisk.errors import BadCells, CohortRefused
from kneerisk.evaluation.baselines.baseline_design import logistic_design
from kneerisk.evaluation.baselines.baselines import fit_logistic, fit_prior, fit_xgboost
from kneerisk.evaluation.calibration.calibration_bins import bins
from kneerisk.evaluation.calibration.calibration_metrics import (
    calibration_intercept_interval,
    calibration_slope_interval,
)
from kneerisk.evaluation.calibration.cubic_splines import KNOTS, restricted_cubic_spline
from kneerisk.evaluation.calibration.recalibration import recalibrate
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.external.validation_needs import design_effect
from kneerisk.evaluation.metric_table import measure
from kneerisk.evaluation.metrics import loss_difference
from kneerisk.evaluation.task_rows import TaskRows, either_task, own_task, risks_of, task_rows
from kneerisk.model import Bundle
from kneerisk.training.card.card_context import CardContext
from kneerisk.training.card.method import population
from kneerisk.training.fitting.fit import Fitted, fit
from kneerisk.training.fitting.fitted_metadata import base_rates
from kneerisk.training.leakage.required_sample_size import required_events
from kneerisk.training.updating.club_likelihood import club_of
from kneerisk.training.updating.correction_fit import fit_intercept
from kneerisk.training.updating.model_updating import update_model

Z95 = 1.959964


def weighted_rows(n: int = 600, seed: int = 3) -> TaskRows:
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(-1.5, 1.0, n)
    outcome = (generator.random(n) < 1.0 / (1.0 + np.exp(-0.8 * log_odds))).astype(float)
    risk = 1.0 / (1.0 + np.exp(-log_odds))
    athlete = np.arange(n) // 2
    return task_rows(risk, outcome, athlete, weight=generator.integers(1, 5, n).astype(float))


def repeated(rows: TaskRows) -> TaskRows:
    """Each row as often as it counts."""
    times = np.repeat(np.arange(len(rows.outcome)), rows.weights.astype(int))
    return replace(rows.take(times), weight=None)


@pytest.fixture(scope="module")
def club() -> Cohort:
    frame = simulate(1_200, 21).cohort.frame
    groups = [f"g{place % 3}" for place in range(len(frame))]
    return Cohort(frame.assign(group=groups), "observed", "new_pain", 12, "a made-up club")


def with_weights(cohort: Cohort, left: object, right: object, either: object) -> Cohort:
    columns = {"weight_left": left, "weight_right": right, "weight_either": either}
    return replace(cohort, frame=cohort.frame.assign(**columns))


@pytest.fixture(scope="module")
def men_count_four(club: Cohort) -> Cohort:
    weight = np.where(club.frame["sex"] == "male", 4.0, 1.0)
    return with_weights(club, weight, weight, weight)


class TestEffectiveNumbers:
    def test_by_hand(self) -> None:
        # The square of their sum, 16, over the sum of their squares, 6.
        assert effective_number(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
        assert effective_number(np.array([3.0, 3.0])) == 2.0
        assert effective_number(np.array([])) == 0.0
        outcome, weight = np.array([1.0, 1.0, 0.0, np.nan]), np.array([1.0, 3.0, 2.0, 9.0])
        assert effective_outcomes(outcome, weight) == (16 / 10, 1.0)
        assert effective_outcomes(outcome, None) == (2.0, 1.0)

    def test_scaled_weights_sum_to_what_the_known_rows_are_worth(self) -> None:
        weight, known = np.array([1.0, 1.0, 2.0, 50.0]), np.array([True, True, True, False])
        assert scaled_to_effective(weight, known)[known].sum() == pytest.approx(16 / 6)
        assert scaled_to_effective(np.ones(4), known).tolist() == [1.0] * 4


class TestFiles:
    def cohort(self, **cells: list[object]) -> Cohort:
        columns = {
            "athlete_id": ["a", "b", "c"], "age_years": [20.0, 30.0, 40.0],
            "sex": ["male", "female", "male"], "left_pain_nrs": [0.0, 2.0, 0.0],
            "outcome_left": [1.0, 0.0, np.nan], "outcome_right": [0.0, 0.0, 1.0],
        }  # fmt: skip
        return Cohort(pd.DataFrame(columns | cells), "observed", "new_pain", 12, "a test")

    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_come_back(self, tmp_path: Path, suffix: str) -> None:
        cohort = self.cohort(weight_left=[1.25, 1.0, np.nan], weight_right=[1.5, 1.0, 3.0])
        write(cohort, tmp_path / f"c{suffix}")
        back = read(tmp_path / f"c{suffix}").weights()
        assert back is not None
        # The knee that hurts has no outcome, and one that is not known no weight.
        assert back.left.tolist() == [1.25, 1.0, 1.0]
        assert back.right.tolist() == [1.5, 1.0, 3.0]
        assert back.either.tolist() == [1.5, 1.0, 3.0]

    def test_that_are_all_the_same_are_none(self) -> None:
        same = self.cohort(weight_left=[2.0, 7.0, np.nan], weight_right=[2.0, 2.0, 2.0])
        assert self.cohort().weights() is None
        assert same.weights() is None

    @pytest.mark.parametrize("cell", [0.0, -1.0, np.inf, np.nan])
    def test_a_known_outcome_needs_one_above_zero(self, tmp_path: Path, cell: float) -> None:
        bad = self.cohort(weight_left=[1.0, 1.0, np.nan], weight_right=[1.0, cell, 1.0])
        with pytest.raises(BadCells, match="weight_right") as refused:
            write(bad, tmp_path / "c.csv")
        assert {fault.line for fault in refused.value.faults} == {3}

    def test_one_side_alone_has_none(self, tmp_path: Path) -> None:
        with pytest.raises(CohortRefused, match="'weight_right' is missing"):
            write(self.cohort(weight_left=[1.0, 1.0, 1.0]), tmp_path / "c.csv")


class TestMetrics:
    def test_a_row_that_counts_twice_is_two_rows(self) -> None:
        rows = weighted_rows()
        weighted, copied = (measure(each, "slice") for each in (rows, repeated(rows)))
        # Knots are those of the rows, and numbers of rows differ by design.
        other = {"rows", "events", "effective_events", "effective_non_events",
                 "integrated_calibration_index"}  # fmt: skip
        assert {*weighted} - other == {*copied} - other
        for name in {*weighted} - other:
            assert weighted[name] == pytest.approx(copied[name], abs=1e-9), name

    def test_sums_are_those_of_scikit_learn(self) -> None:
        rows = weighted_rows()
        ours = measure(rows, "own")
        how = {"sample_weight": rows.weight}
        y, p = rows.outcome, rows.probability
        assert ours["log_loss"] == pytest.approx(sklearn_metrics.log_loss(y, p, **how), abs=1e-12)
        assert ours["brier"] == pytest.approx(sklearn_metrics.brier_score_loss(y, p, **how))
        assert ours["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(y, p, **how), abs=1e-12)
        steps = IsotonicRegression().fit(p, y, sample_weight=rows.weight).predict(p)
        best = np.average((steps - y) ** 2, weights=rows.weight)
        assert ours["brier_reliability"] == pytest.approx(ours["brier"] - best)
        alarm = (p >= 0.10).astype(float)
        (_, false), (_, true) = sklearn_metrics.confusion_matrix(y, alarm, **how)
        benefit = (true - false / 9.0) / rows.weights.sum()
        assert ours["net_benefit_at_10_pct"] == pytest.approx(benefit)

    def test_calibration_and_its_errors_are_those_of_statsmodels(self) -> None:
        rows = weighted_rows()
        ours = measure(rows, "own")
        kind = {"family": sm.families.Binomial()}
        # Its clustered errors know no weights: of rows that are there as often as they count.
        copies = repeated(rows)
        how = {"cov_type": "cluster",
               "cov_kwds": {"groups": copies.athlete, "use_correction": False}}  # fmt: skip
        line = sm.GLM(copies.outcome, sm.add_constant(copies.log_odds), **kind).fit(**how)
        ones = np.ones(len(copies.outcome))
        level = sm.GLM(copies.outcome, ones, offset=copies.log_odds, **kind).fit(**how)
        assert ours["calibration_slope"] == pytest.approx(line.params[1], abs=1e-8)
        assert ours["calibration_intercept"] == pytest.approx(level.params[0], abs=1e-8)
        for limits, estimate, error in (
            (calibration_slope_interval(rows), line.params[1], line.bse[1]),
            (calibration_intercept_interval(rows), level.params[0], level.bse[0]),
        ):
            wanted = (estimate - Z95 * error, estimate + Z95 * error)
            assert limits == pytest.approx(wanted, abs=1e-6)
        knots = np.quantile(rows.log_odds, KNOTS)
        spline = restricted_cubic_spline(rows.log_odds, knots)
        curve = sm.GLM(rows.outcome, spline, freq_weights=rows.weight, **kind).fit().fittedvalues
        index = np.average(np.abs(curve - rows.probability), weights=rows.weight)
        assert ours["integrated_calibration_index"] == pytest.approx(index, abs=1e-8)

    def test_bins_have_weighted_shares_and_wider_limits(self) -> None:
        rows = weighted_rows()
        weighted, plain = bins(rows), bins(replace(rows, weight=None))
        first = np.argsort(rows.probability, kind="stable")[:60]
        share = np.average(rows.outcome[first], weights=rows.weights[first])
        assert weighted.observed[0] == pytest.approx(share)
        assert weighted.rows.tolist() == plain.rows.tolist()
        same = replace(rows, weight=np.full(len(rows.outcome), 3.0))
        assert bins(same).low == pytest.approx(plain.low)
        assert np.mean(weighted.high - weighted.low) > np.mean(plain.high - plain.low)

    def test_weights_cost_information(self) -> None:
        rows = weighted_rows()
        few = replace(rows, weight=np.where(np.arange(len(rows.outcome)) < 60, 30.0, 1.0))
        assert design_effect(few) > 2.0 * design_effect(replace(rows, weight=None))
        assert measure(few, "counts")["effective_events"] < 0.5 * few.outcome.sum()

    def test_differences_of_two_models_and_recalibration_take_them(self) -> None:
        rows = weighted_rows()
        other = replace(rows, probability=np.full(len(rows.outcome), 0.2))
        more, error = loss_difference(other, rows)
        again, smaller = loss_difference(repeated(other), repeated(rows))
        assert (more, error) == (pytest.approx(again), pytest.approx(smaller))
        found = recalibrate(rows, "slope")
        assert found is not None
        assert found.slope == pytest.approx(measure(rows, "own")["calibration_slope"], abs=1e-9)


class TestTasks:
    def test_rows_keep_their_weights_in_every_task(self, club: Cohort, fitted: Fitted) -> None:
        n = len(club.frame)
        left, right, either = (np.arange(n) + 1.0 + shift for shift in (0.0, 0.25, 0.5))
        cohort = with_weights(club, left, right, either)
        risks = risks_of(fitted.model.predict(cohort.columns()))
        rows = own_task(cohort, risks)
        assert rows.weights.tolist() == np.r_[left, right][rows.place].tolist()
        rows = either_task(cohort, risks)
        assert rows.weights.tolist() == either[rows.place].tolist()
        half = rows.take(rows.outcome == 1.0)
        assert half.weights.tolist() == either[half.place].tolist()

    def test_slices_take_them(self, men_count_four: Cohort, fitted: Fitted) -> None:
        risks = risks_of(fitted.model.predict(men_count_four.columns()))
        found = evaluate(men_count_four, risks)
        by_name = {part.name: part.metrics for part in found.slices if part.by == "sex"}
        # Within a slice all weights are the same: the numbers are those of the rows.
        assert by_name["male"]["effective_events"] == pytest.approx(by_name["male"]["events"])
        men, women = by_name["male"], by_name["female"]
        share = 4.0 * men["rows"] / (4.0 * men["rows"] + women["rows"])
        mixed = share * men["log_loss"] + (1.0 - share) * women["log_loss"]
        assert found.metrics["log_loss"] == pytest.approx(mixed)
        assert found.metrics["effective_events"] < found.metrics["events"]


class TestFits:
    def test_weights_of_one_change_no_bit(self, club: Cohort) -> None:
        ones = with_weights(club, 1.0, 1.0, 1.0)
        data = club.columns()
        for one, other in (
            (fit(each, interval=False).model for each in (club, ones)),
            (fit_logistic(each, logistic_design(), 0) for each in (club, ones)),
        ):
            a, b = one.predict(data), other.predict(data)
            assert a.left is not None
            assert np.array_equal(a.left, b.left)
            assert np.array_equal(a.either, b.either)
        assert base_rates(club, None) == base_rates(ones, None)
        assert required_events(club) == required_events(ones)

    def test_risks_meet_the_weighted_outcomes(self, club: Cohort) -> None:
        """Pain among the young counts five times: another level, and another effect of age."""
        outcomes = club.outcomes()
        young = (club.frame["age_years"] < 30.0).to_numpy()
        legs = np.stack([outcomes.left, outcomes.right], axis=1)
        weight = np.where(young & (np.nan_to_num(legs).max(axis=1) == 1.0), 5.0, 1.0)
        cohort = with_weights(club, weight, weight, weight)
        known = np.isfinite(legs)
        wanted = np.average(legs[known], weights=np.tile(weight[:, None], 2)[known])
        model = fit(cohort, interval=False).model.predict(cohort.columns())
        risk = np.stack([model.left, model.right], axis=1)[known]
        told = np.average(risk, weights=np.tile(weight[:, None], 2)[known])
        # Calibration is out of fold, so that the fit's own athletes are not met to the digit.
        assert told == pytest.approx(wanted, rel=0.06)
        assert told > 1.3 * legs[known].mean()
        for baseline in (
            fit_logistic(cohort, logistic_design(), 0), fit_prior(cohort), fit_xgboost(cohort, 0)
        ):  # fmt: skip
            risk = baseline.predict(cohort.columns())
            shown = np.average(
                np.stack([risk.left, risk.right], axis=1)[known],
                weights=np.tile(weight[:, None], 2)[known],
            )
            assert shown == pytest.approx(wanted, rel=0.03)
        assert base_rates(cohort, None)["all"]["leg"] == pytest.approx(wanted)

    def test_rules_count_what_outcomes_are_worth(self, men_count_four: Cohort) -> None:
        plain = replace(
            men_count_four,
            frame=men_count_four.frame.drop(
                columns=["weight_left", "weight_right", "weight_either"]
            ),
        )
        assert required_events(men_count_four)[1] < required_events(plain)[1]
        uneven = men_count_four.frame.assign(weight_left=1.0, weight_right=1.0, weight_either=1.0)
        uneven.loc[uneven.index[:5], ["weight_left", "weight_right"]] = 5_000.0
        with pytest.raises(CohortRefused, match="too little to learn from"):
            fit(replace(plain, frame=uneven), interval=False)
        found, before = groups_of(replace(plain, frame=uneven)), groups_of(plain)
        assert found is None
        assert before is not None

    def test_the_card_says_what_outcomes_are_worth(
        self, club: Cohort, men_count_four: Cohort, released: Bundle
    ) -> None:
        risks = risks_of(released.model.predict(club.columns()))
        context = CardContext(
            metadata=released.metadata, cohort=men_count_four,
            evaluation=evaluate(men_count_four, risks, sliced=False),
        )  # fmt: skip
        legs = np.r_[men_count_four.outcomes().left, men_count_four.outcomes().right]
        own = np.tile(men_count_four.frame["weight_left"], 2)[np.isfinite(legs)]
        said = f"are worth {effective_number(own):,.0f} of one weight"
        assert said in population(context)
        assert "of one weight" not in population(replace(context, cohort=club))


class TestUpdates:
    def test_the_likelihood_is_weighted(self, men_count_four: Cohort, fitted: Fitted) -> None:
        club = club_of(fitted.model, men_count_four)
        assert club.weight is not None
        known = ~np.isnan(club.outcome)
        risk = 1.0 / (1.0 + np.exp(-club.log_odds))
        wanted = sklearn_metrics.log_loss(
            club.outcome[known], risk[known], sample_weight=club.weight[known], normalize=False
        )
        assert club.loss(club.log_odds).sum() == pytest.approx(wanted)
        assert club.weight[known].sum() == pytest.approx(effective_number(club.weight[known]))
        step = np.full(club.log_odds.shape, 1e-5)
        rise = (club.loss(club.log_odds + step) - club.loss(club.log_odds - step)) / 2e-5
        assert club.gradient(club.log_odds).sum(axis=1) == pytest.approx(rise, abs=1e-6)
        design = np.ones((*club.log_odds.shape, 1))
        assert club.information(design, club.log_odds) == pytest.approx(
            club.curvature(club.log_odds).sum()
        )

    def test_those_of_either_knee_too(self, men_count_four: Cohort, fitted: Fitted) -> None:
        frame = men_count_four.frame
        either = men_count_four.outcomes().either
        unsided = replace(
            men_count_four,
            frame=frame.drop(columns=["outcome_left", "outcome_right"]).assign(
                outcome_either=either
            ),
        )
        club = club_of(fitted.model, unsided)
        step = np.full(club.log_odds.shape, 1e-5)
        rise = (club.loss(club.log_odds + step) - club.loss(club.log_odds - step)) / 2e-5
        assert club.gradient(club.log_odds).sum(axis=1) == pytest.approx(rise, abs=1e-6)
        plain = replace(club, weight=None, either_weight=None)
        assert club.events < plain.events

    def test_the_level_moves_to_the_weighted_outcomes(self, club: Cohort, fitted: Fitted) -> None:
        outcomes = club.outcomes()
        weight = np.where((outcomes.left == 1.0) | (outcomes.right == 1.0), 3.0, 1.0)
        cohort = with_weights(club, weight, weight, weight)
        shift, before = (
            fit_intercept(club_of(fitted.model, each)).intercept for each in (cohort, club)
        )
        legs = np.r_[outcomes.left, outcomes.right]
        known, own = np.isfinite(legs), np.tile(weight, 2)
        offset = club_of(fitted.model, cohort).log_odds.T.ravel()[known]
        level = sm.GLM(
            legs[known], np.ones(known.sum()), family=sm.families.Binomial(), offset=offset,
            freq_weights=own[known],
        ).fit().params[0]  # fmt: skip
        # Nearly: the update is drawn a little to 0 by how clubs are known to differ.
        assert shift == pytest.approx(level, abs=0.05)
        assert shift > before + 0.5

    def test_weights_of_one_change_no_bit(self, club: Cohort, fitted: Fitted) -> None:
        few = replace(club, frame=club.frame.iloc[:300])
        ones = with_weights(few, 1.0, 1.0, 1.0)
        one, other = (update_model(fitted.model, each) for each in (few, ones))
        assert one.choices == other.choices
