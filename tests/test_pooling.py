"""Pooling clubs and sizing validations: published results, another program, simulated clubs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import beta, norm
from statsmodels.stats.meta_analysis import combine_effects

from benchmarks.simulated_clubs import AthletePool, ClubEffects, ClubVariation
from kneerisk.evaluation.calibration.calibration_metrics import calibration_slope
from kneerisk.evaluation.external import validation_sample_size as size
from kneerisk.evaluation.external.validation_metrics import precise_metrics
from kneerisk.evaluation.pooling import pool, reml_tau2
from kneerisk.evaluation.task_rows import TaskRows, risks_of, task_rows
from kneerisk.model import Bundle

ORACLES = Path(__file__).parent / "oracles"
#: Of the slopes by which the simulated clubs differ.
MEAN, SPREAD = 0.9, 0.3


@pytest.fixture(scope="module")
def bcg() -> tuple[np.ndarray, np.ndarray]:
    """Log risk ratios of the BCG trials, and their standard errors."""
    table = pd.read_csv(ORACLES / "bcg.csv")
    treated = table.vaccinated_cases + table.vaccinated_free
    control = table.control_cases + table.control_free
    ratio = np.log(table.vaccinated_cases / treated) - np.log(table.control_cases / control)
    variance = 1 / table.vaccinated_cases - 1 / treated + 1 / table.control_cases - 1 / control
    return ratio.to_numpy(), np.sqrt(variance.to_numpy())


class TestPublished:
    def test_bcg_trials_as_metafor_pools_them(self, bcg):
        """`rma()` and `confint()` of metafor's documentation, and its Hartung-Knapp interval."""
        pooled = pool(*bcg)
        assert pooled.mean == pytest.approx(-0.7145, abs=1e-4)
        assert pooled.tau2 == pytest.approx(0.3132, abs=1e-4)
        assert (pooled.tau2_low, pooled.tau2_high) == pytest.approx((0.1197, 1.1115), abs=1e-4)
        assert pooled.i2 == pytest.approx(0.9222, abs=1e-4)
        assert pooled.q == pytest.approx(152.2330, abs=1e-4)
        assert pooled.error == pytest.approx(0.18079, abs=1e-5)
        assert (pooled.low, pooled.high) == pytest.approx((-1.1084, -0.3206), abs=1e-4)
        limits = (pooled.prediction_low, pooled.prediction_high)
        assert limits == pytest.approx((-2.0091, 0.5800), abs=1e-4)

    def test_c_statistics_of_euroscore_as_metamisc_pools_them(self):
        table = pd.read_csv(ORACLES / "euroscore2.csv")
        auc = table.auc.to_numpy()
        from_sizes = [
            size.auc_error(row.auc, row.events / row.patients, row.patients)
            for row in table.itertuples()
        ]
        error = table.auc_error.fillna(pd.Series(from_sizes)).to_numpy() / (auc * (1 - auc))
        wide = (logit(table.auc_high) - logit(table.auc_low)) / 3.92
        pooled = pool(logit(auc), wide.fillna(pd.Series(error)).to_numpy(), "logit")
        assert pooled.mean == pytest.approx(0.789, abs=1e-3)
        assert (pooled.low, pooled.high) == pytest.approx((0.765, 0.811), abs=1e-3)
        limits = (pooled.prediction_low, pooled.prediction_high)
        assert limits == pytest.approx((0.679, 0.868), abs=1e-3)

    def test_ratios_of_observed_to_expected(self):
        """The first 16 of them by observed and expected deaths; computed with another program."""
        table = pd.read_csv(ORACLES / "euroscore2.csv").head(16)
        expected = [222, 46, 34, 261, 809.59, 171, 7, 387, 105, 290, 10, 74, 9, 34, 7, 21]
        error = np.sqrt((1 - table.events / table.patients) / table.events)
        pooled = pool(np.log(table.events / expected).to_numpy(), error.to_numpy(), "log")
        assert pooled.mean == pytest.approx(1.139, abs=1e-3)
        assert (pooled.low, pooled.high) == pytest.approx((0.860, 1.509), abs=1e-3)
        limits = (pooled.prediction_low, pooled.prediction_high)
        assert limits == pytest.approx((0.379, 3.421), abs=2e-3)


class TestPool:
    def test_hartung_knapp_agrees_with_statsmodels(self, bcg):
        """Statsmodels has no REML: given the spread that it finds, the rest is the same."""
        estimate, error = bcg
        theirs = combine_effects(estimate, error**2, method_re="iterated", use_t=True)
        weight = 1.0 / (error**2 + theirs.tau2)
        mean = weight @ estimate / weight.sum()
        ours = np.sqrt(weight @ (estimate - mean) ** 2 / (12 * weight.sum()))
        assert mean == pytest.approx(theirs.mean_effect_re)
        assert ours == pytest.approx(theirs.sd_eff_w_re_hksj)

    @given(st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=12), st.floats(0.05, 1.0))
    def test_of_equal_errors_the_spread_is_what_chance_leaves(self, values, error):
        """With equal variances the restricted likelihood has its peak in closed form."""
        estimate, errors = np.array(values), np.full(len(values), error)
        closed = max(np.var(estimate, ddof=1) - error**2, 0.0)
        assert reml_tau2(estimate, errors**2) == pytest.approx(closed, abs=1e-6)

    def test_of_few_clubs_nothing_is_predicted(self, bcg):
        estimate, error = bcg
        assert pool(estimate[:4], error[:4]).prediction_low is None
        assert pool(estimate[:5], error[:5]).prediction_low is not None

    def test_clubs_that_agree_have_no_spread(self):
        pooled = pool(np.full(6, 0.4), np.linspace(0.1, 0.3, 6))
        assert (pooled.mean, pooled.tau2, pooled.i2) == pytest.approx((0.4, 0.0, 0.0))
        # Their agreement is no more certain than their errors make it.
        assert pooled.error == pytest.approx((1.0 / np.linspace(0.1, 0.3, 6) ** 2).sum() ** -0.5)


class TestSampleSize:
    """What pmvalsampsize, its documentation and sampsizeval give."""

    def test_observed_to_expected(self):
        assert size.rows_for_observed_to_expected(0.018, 1.0) in (905, 906)

    def test_auc(self):
        assert size.rows_for_auc(0.8, 0.018) == 4_252

    def test_slope(self):
        places = (np.arange(200_000) + 0.5) / 200_000
        assert size.rows_for_slope(norm.ppf(places) * 2.5 - 5.0) == pytest.approx(4_554, rel=1e-3)
        assert size.rows_for_slope(logit(beta.ppf(places, 0.5, 0.5))) == pytest.approx(1_644, abs=2)

    def test_slope_by_sampsizeval(self):
        """A tenth have the outcome, AUC 0.75, standard error 0.1: 1,515, within 1.5 % of 1,536."""
        log_odds = norm.ppf((np.arange(200_000) + 0.5) / 200_000) * 1.001 - 2.565
        assert size.rows_for_slope(log_odds, 2 * 1.959964 * 0.1) == pytest.approx(1_536, rel=0.015)

    def test_net_benefit_is_as_precise_as_asked_for(self):
        """Drawn again and again, its standard error is the one that was asked for."""
        rng = np.random.default_rng(3)
        log_odds = rng.normal(-2.0, 1.0, 20_000)
        rows = size.rows_for_net_benefit(log_odds, 0.1, 0.2)
        benefits = []
        for _ in range(600):
            risk = expit(rng.choice(log_odds, rows))
            outcome, acted = rng.random(rows) < risk, risk >= 0.1
            net = (outcome & acted).sum() - (~outcome & acted).sum() / 9.0
            benefits.append(net / outcome.sum())
        assert 3.92 * np.std(benefits) == pytest.approx(0.2, rel=0.12)

    def test_where_everyone_is_treated_nothing_can_be_said(self):
        assert size.rows_for_net_benefit(np.full(50, 1.0), 0.1) is None


def rows_of(pooled: AthletePool, risk: np.ndarray, outcome: np.ndarray, of: np.ndarray) -> TaskRows:
    """Legs of some athletes, as a validation sees them."""
    athlete = np.tile(np.arange(len(of)), 2)
    return task_rows(risk[of].T.ravel(), outcome.T.ravel(), athlete, sided=True)


@pytest.fixture(scope="module")
def clubs(released: Bundle) -> tuple[list[dict[str, float]], list[float]]:
    """The metrics of each club, and the slope that it would have without chance."""
    rng = np.random.default_rng(8)
    everyone = AthletePool.draw(6_000, 91)
    risks = risks_of(released.model.predict(everyone.cohort.columns()))
    risk = np.column_stack([risks.left, risks.right])
    variation = ClubVariation("test", 0.4, MEAN, SPREAD, 0.0)
    found, slopes = [], []
    for _ in range(20):
        club = ClubEffects.draw(variation, everyone.factors.shape[2], rng)
        true = everyone.true_risks(club)
        slopes.append(calibration_slope(rows_of(everyone, risk, true, np.arange(6_000))))
        members = np.sort(rng.choice(6_000, 700, replace=False))
        outcome, _ = everyone.with_outcomes(members, true[members], rng)
        found.append(precise_metrics(rows_of(everyone, risk, outcome, members)))
    return found, slopes


class TestSimulatedClubs:
    """20 clubs whose effects and base rates differ, judged by a model that knows none of them."""

    def test_mean_slope_and_its_spread_are_recovered(self, clubs):
        found, slopes = clubs
        estimate = np.array([metrics["calibration_slope"] for metrics in found])
        error = np.array([metrics["calibration_slope_error"] for metrics in found])
        pooled = pool(estimate, error)
        assert pooled.low < np.mean(slopes) < pooled.high
        assert pooled.tau2_low < np.var(slopes, ddof=1) < pooled.tau2_high
        inside = [pooled.prediction_low < slope < pooled.prediction_high for slope in slopes]
        assert np.mean(inside) >= 0.85

    def test_each_interval_is_honest(self, clubs):
        """Of 20 intervals of 95 % nearly all hold the true slope of their club."""
        found, slopes = clubs
        held = [metrics["calibration_slope_low"] < slope < metrics["calibration_slope_high"]
                for metrics, slope in zip(found, slopes, strict=True)]  # fmt: skip
        assert sum(held) >= 17

    def test_ratio_and_c_statistic_are_ready_to_be_pooled(self, clubs):
        found, _ = clubs
        for metrics in found:
            assert 0.05 < metrics["auc_logit_error"] < 0.4
            share, events = metrics["observed_share"], metrics["events"]
            independent = np.sqrt((1 - share) / events)
            assert metrics["observed_to_expected_log_error"] == pytest.approx(independent, rel=0.15)
