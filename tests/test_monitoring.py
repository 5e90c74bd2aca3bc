"""Live calibration: against other programs, exact enumeration and cases worked out by hand."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import chi2, gamma, poisson
from sklearn.metrics import log_loss
from statsmodels.stats.rates import confint_poisson

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evidence.population import published
from kneerisk.monitoring import weekly_alarm as alarm
from kneerisk.monitoring.expected_performance import expected_performance, promise_kept
from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.monitoring.input_drift import input_drift
from kneerisk.monitoring.monitoring_schema import PartTold
from kneerisk.monitoring.observed_and_told import (
    chance_counts,
    compare,
    compare_all,
    poisson_limits,
)
from kneerisk.monitoring.poisson_calibration import flexible_calibration
from kneerisk.monitoring.report_lines import part_row
from kneerisk.monitoring.spread_of_readings import spread_of
from kneerisk.schema import Columns

YEAR = 365.0


def followed(risk, stop, event, athlete=None, start=0.0) -> FollowedRisks:
    n = len(risk)
    return FollowedRisks(
        risk=np.asarray(risk, float), horizon_days=np.full(n, YEAR),
        start=np.broadcast_to(np.asarray(start, float), n).copy(), stop=np.asarray(stop, float),
        event=np.asarray(event, bool),
        athlete=np.arange(n) if athlete is None else np.asarray(athlete),
        place=np.arange(n),
    )  # fmt: skip


def drawn(risk, factor, rng, days=YEAR) -> FollowedRisks:
    """Athletes followed to a day or to their pain, which begins some times as often as told."""
    onset = rng.exponential(-YEAR / (factor * np.log1p(-np.asarray(risk))))
    return followed(risk, np.minimum(onset, days), onset <= days)


class TestToldForTheTimeFollowed:
    def test_by_hand(self):
        rows = followed([0.19, 0.19, 0.36], [365, 182.5, 365], [False, False, True])
        # -ln 0.81 a year, half of it, and -ln 0.64.
        assert rows.told == pytest.approx([0.210721, 0.105361, 0.446287], abs=1e-6)

    def test_is_what_happens_whenever_follow_up_ends(self):
        rng = np.random.default_rng(3)
        risk = rng.uniform(0.05, 0.6, 200_000)
        rows = drawn(risk, 1.0, rng, rng.uniform(1.0, YEAR, len(risk)))
        found = compare(rows)
        assert found.observed == pytest.approx(found.told, rel=0.01)

    def test_a_later_screening_takes_over(self):
        rows = followed(
            [0.2, 0.3, 0.2], [365, 465, 365], [True, True, False], [7, 7, 8], [0, 100, 0]
        )
        newest = rows.newest_told()
        assert newest.stop.tolist() == [100, 465, 365]
        assert newest.event.tolist() == [False, True, False]

    def test_an_event_before_the_later_screening_stays(self):
        rows = followed([0.2, 0.3], [50, 300], [True, False], [7, 7], [0, 100])
        assert rows.newest_told().event.tolist() == [True, False]

    def test_two_answers_on_one_day_count_once(self):
        rows = followed([0.2, 0.3], [365, 365], [True, True], [7, 7])
        assert rows.newest_told().risk.tolist() == [0.3]

    def test_time_is_cut_at_a_day(self):
        rows = followed([0.2, 0.3, 0.4], [50, 300, 200], [True, True, False], start=[0, 0, 150])
        assert rows.until(100.0).event.tolist() == [True, False]
        assert rows.until(100.0).stop.tolist() == [50, 100]
        assert rows.since(100.0).start.tolist() == [100, 150]
        both = rows.until(100.0).told.sum() + rows.since(100.0).told.sum()
        assert both == pytest.approx(rows.told.sum())


class TestObservedAndTold:
    @pytest.mark.parametrize("observed", [0, 1, 4, 14, 250])
    def test_limits_are_those_of_statsmodels(self, observed):
        low, high = confint_poisson(observed, 1.0, method="exact-c", alpha=0.05)
        assert poisson_limits(observed) == pytest.approx((max(low, 0.0), high), rel=1e-9)

    def test_fourteen_of_sixty(self):
        """14 of 60 so far, told 9.1: could be chance."""
        daily = 9.1 / 60 / YEAR
        rows = followed(
            np.full(60, 1 - np.exp(-daily * YEAR)), np.full(60, YEAR), np.arange(60) < 14
        )
        found = compare_all(rows)
        assert (found.athletes, found.observed) == (60, 14)
        assert found.told == pytest.approx(9.1)
        # Garwood's limits of 14 are 7.65 and 23.49.
        assert (found.low, found.high) == pytest.approx((7.654 / 9.1, 23.490 / 9.1), abs=1e-3)
        assert found.p_value == pytest.approx(2 * poisson.sf(13, 9.1))
        assert found.could_be_chance
        assert found.chance == (4, 15)

    def test_chance_and_limits_agree(self):
        for observed in range(40):
            rows = followed(
                np.full(50, 1 - np.exp(-0.24)), np.full(50, YEAR), np.arange(50) < observed
            )
            found = compare_all(rows)
            assert found.could_be_chance == (found.p_value >= 0.05)

    @pytest.mark.parametrize("risk", [0.05, 0.15, 0.45])
    @pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
    def test_limits_hold_at_ten_athletes(self, risk, factor):
        rng = np.random.default_rng(11)
        hazard = -np.log1p(-risk) / YEAR
        onset = rng.exponential(1.0 / (factor * hazard), (4_000, 10))
        until = rng.uniform(0.3, 1.0, onset.shape) * YEAR
        told = (np.minimum(onset, until) * hazard).sum(axis=1)
        observed = (onset <= until).sum(axis=1)
        limits = np.array([poisson_limits(int(count)) for count in range(11)])
        low, high = limits[observed].T / told
        assert ((low <= factor) & (factor <= high)).mean() >= 0.95

    def test_no_ratio_is_told_of_less_than_one_event(self):
        def row(**followed_days) -> list[str]:
            counts = compare(followed([0.2] * 10, event=[True] + [False] * 9, **followed_days))
            return part_row(
                PartTold(
                    by="sex", name="female", counts=counts, adjusted_p=1.0, could_be_chance=True
                )
            )

        assert row(stop=[0.5] * 10)[3:6] == ["1", "<0.1", "-"]
        assert row(stop=[YEAR] * 10)[3:6] == ["1", "2.2", "0.45 (0.01 to 2.50)"]

    def test_nobody_followed_yet(self):
        found = compare_all(followed([0.2], [0.0], [False]))
        assert (found.told, found.ratio, found.could_be_chance) == (0.0, None, True)


def share_ever_raised(threshold: float, told: float) -> float:
    """Exactly how often evidence of a right model reaches a threshold before so much was told.

    Up: the n-th event comes early enough. Down: so few events by so much told. Between these
    moments the number of events moves by Poisson steps.
    """

    def excess(told_then: float, events: int) -> float:
        log = alarm.log_evidence(np.array(float(events)), np.array(told_then))
        return float(log - np.log(threshold))

    most = int(told + 8 * np.sqrt(told) + 20)
    moments = []
    for events in range(most):
        middle = max(events, 1e-9)
        if events and excess(1e-12, events) > 0:
            moments.append((brentq(excess, 1e-12, middle, args=(events,)), "up", events))
        if told > events and excess(told, events) > 0:
            moments.append((brentq(excess, middle, told, args=(events,)), "down", events))
    chance, before = np.eye(1, most + 1)[0], 0.0
    for moment, way, events in sorted(one for one in moments if one[0] <= told):
        chance = np.convolve(chance, poisson.pmf(np.arange(most + 1), moment - before))[: most + 1]
        before = moment
        chance[slice(events, None) if way == "up" else slice(0, events + 1)] = 0.0
    return float(1.0 - chance.sum())


class TestAlarm:
    def test_evidence_is_the_average_likelihood_ratio(self):
        for observed, told in ((0, 3.0), (14, 9.1), (40, 20.0)):
            average = sum(
                weight * quad(
                    lambda factor, shape=shape, rate=rate, n=observed, told=told: (
                        gamma.pdf(factor, shape, scale=1 / rate)
                        * poisson.pmf(n, factor * told) / poisson.pmf(n, told)
                    ), 0, 12,
                )[0]
                for weight, shape, rate in alarm.FACTORS
            )  # fmt: skip
            found = alarm.log_evidence(np.array(float(observed)), np.array(told))
            assert np.exp(found) == pytest.approx(average, rel=1e-6)

    @pytest.mark.parametrize("told", [5.0, 20.0, 60.0])
    def test_is_raised_without_cause_in_at_most_five_per_cent(self, told):
        share = share_ever_raised(alarm.RAISED_AT, told)
        assert share <= 0.05
        assert share_ever_raised(1.5, told) > 0.4

    def test_looks_see_what_had_happened_by_then(self):
        rows = followed(
            [0.3] * 4, [10, 40, 60, 60], [True, True, False, False], start=[0, 0, 0, 30]
        )
        looks = alarm.weekly_looks(rows, 0.0, 60.0)
        assert looks.day.tolist() == [7, 14, 21, 28, 35, 42, 49, 56, 60]
        assert looks.observed.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2]
        for day, observed, told in zip(looks.day, looks.observed, looks.told, strict=True):
            found = compare(rows.until(day))
            assert (found.observed, found.told) == pytest.approx((observed, told))
        assert looks.told[-1] == pytest.approx(rows.told.sum())

    def test_weeks_are_the_looks_one_by_one(self):
        rows = followed([0.2, 0.3], stop=[10.0, 300.0], event=[True, False])
        looks = alarm.weekly_looks(rows, 1.0, 25.0)
        weeks = alarm.weeks_seen(looks)
        assert [week.day.toordinal() for week in weeks] == [8, 15, 22, 25]
        assert [week.observed for week in weeks] == [0, 1, 1, 1]
        assert [week.told for week in weeks] == looks.told.tolist()
        assert all(week.chance == chance_counts(week.told) for week in weeks)
        assert json.loads(json.dumps([week.model_dump(mode="json") for week in weeks]))

    def test_is_raised_where_pain_is_three_times_as_frequent(self):
        rows = drawn(np.full(200, 0.2), 3.0, np.random.default_rng(5))
        looks = alarm.weekly_looks(rows, 0.0, YEAR)
        assert looks.raised is not None
        assert looks.day[looks.raised] < 200

    def test_evidence_of_a_large_club_stays_a_number(self):
        rows = followed(np.full(5_000, 0.2), np.full(5_000, 20.0), np.ones(5_000))
        assert alarm.weekly_looks(rows, 0.0, 30.0).evidence[-1] == pytest.approx(1e9)

    def test_each_year_begins_anew(self):
        assert alarm.periods(100.0, 100.0 + 400.0) == [(100.0, 465.0), (465.0, 500.0)]
        rows = followed([0.3] * 3, [300, 500, 500], [True, True, False])
        looks = alarm.weekly_looks(rows, 365.0, 500.0)
        assert looks.observed[-1] == 1
        assert looks.told[-1] == pytest.approx(2 * 135 * -np.log(0.7) / YEAR)

    def test_limits_at_any_time_hold_what_raises_no_alarm(self):
        low, high = alarm.limits_at_any_time(40, 20.0)
        for factor in (low, high):
            evidence = np.exp(alarm.log_evidence(np.array(40.0), np.array(20.0 * factor)))
            assert evidence == pytest.approx(alarm.RAISED_AT, rel=1e-6)
        assert low < 2.0 < high
        exact = np.array(poisson_limits(40)) / 20.0
        assert low < exact[0] < exact[1] < high
        assert alarm.limits_at_any_time(0, 5.0)[0] == 0.0
        assert alarm.limits_at_any_time(0, 0.0) is None


@pytest.fixture(scope="module")
def knees() -> FollowedRisks:
    """Both knees of 700 athletes, whose log hazards differ by 0.6 times as much as told."""
    rng = np.random.default_rng(2)
    log_told = rng.normal(-1.6, 0.8, 1_400)
    onset = rng.exponential(YEAR / np.exp(-1.2 + 0.6 * (log_told + 1.6)))
    until = rng.uniform(60.0, YEAR, 1_400)
    return followed(
        -np.expm1(-np.exp(log_told)), np.minimum(onset, until), onset <= until,
        np.repeat(np.arange(700), 2),
    )  # fmt: skip


class TestPoissonCalibration:
    def test_slope_is_that_of_statsmodels(self, knees):
        found = flexible_calibration(knees)
        told = np.log(-np.log1p(-knees.risk))
        fitted = sm.GLM(
            knees.event.astype(float), sm.add_constant(told), family=sm.families.Poisson(),
            offset=np.log(knees.told),
        )  # fmt: skip
        clusters = {"groups": knees.athlete, "use_correction": False}
        fitted = fitted.fit(cov_type="cluster", cov_kwds=clusters)
        low, high = fitted.conf_int()[1]
        ours = (found.slope, found.slope_low, found.slope_high)
        assert ours == pytest.approx((1 + fitted.params[1], 1 + low, 1 + high), rel=1e-6)
        assert found.slope_low < 0.6 < found.slope_high < 1.0

    def test_the_band_holds_what_happens(self, knees):
        found = flexible_calibration(knees)
        told = np.log(-np.log1p(-np.array(found.risk)))
        truth = -np.expm1(-np.exp(-1.2 + 0.6 * (told + 1.6)))
        inside = (np.array(found.low) < truth) & (truth < np.array(found.high))
        assert inside.mean() > 0.8
        assert np.abs(np.array(found.observed) - truth).mean() < 0.04

    def test_too_few_events_have_no_curve(self, knees):
        few = knees.take(np.flatnonzero(knees.event)[:99])
        assert flexible_calibration(few) is None
        assert (
            flexible_calibration(followed(np.full(300, 0.2), np.full(300, 99.0), [1] * 300)) is None
        )


class TestExpectedPerformance:
    risk = np.array([0.1, 0.1, 0.3, 0.8])

    def test_by_hand_over_all_outcomes(self):
        """Each of the 16 outcomes with its probability."""
        loss = brier = right = pairs = 0.0
        for outcome in itertools.product([0, 1], repeat=4):
            y = np.array(outcome)
            chance = np.prod(np.where(y, self.risk, 1 - self.risk))
            loss += chance * log_loss(y, self.risk, labels=[0, 1])
            brier += chance * np.mean((y - self.risk) ** 2)
            of_pain, free = self.risk[y == 1][:, None], self.risk[y == 0][None, :]
            right += chance * ((of_pain > free).sum() + (of_pain == free).sum() / 2)
            pairs += chance * of_pain.size * free.size
        found = expected_performance(self.risk)
        assert (found.log_loss, found.brier) == pytest.approx((loss, brier))
        assert found.auc == pytest.approx(right / pairs)

    def test_one_risk_for_all_ranks_nobody(self):
        assert expected_performance(np.full(9, 0.2)).auc is None
        assert expected_performance(np.array([])) is None

    def test_a_promise_is_broken_as_often_as_chance_says(self):
        rng = np.random.default_rng(8)
        risk = rng.uniform(0.05, 0.5, 150)
        p_values = [
            promise_kept(drawn(risk, 1.0, rng, rng.uniform(50, YEAR, 150))).p_value
            for _ in range(400)
        ]
        assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.08
        assert promise_kept(drawn(np.tile(risk, 4), 3.0, rng)).p_value < 0.001

    def test_both_knees_hurting_together_are_no_broken_promise(self):
        rng = np.random.default_rng(9)
        risk = rng.uniform(0.05, 0.5, 80)
        one = [drawn(risk, 1.0, rng) for _ in range(300)]
        twice = [rows.take(np.tile(np.arange(80), 2)) for rows in one]
        assert np.mean([promise_kept(rows).p_value < 0.05 for rows in twice]) < 0.09


@pytest.fixture(scope="module")
def data() -> Columns:
    return simulate(400, 21).cohort.columns()


class TestInputDrift:
    def test_athletes_like_those_trained_on_have_not_drifted(self, data):
        found = input_drift(published(), data)
        assert len(found) > 20
        assert not [one for one in found if one.drifted]

    def test_a_shift_is_found_at_its_size(self, data):
        name = "wblt_dorsiflexion_deg"
        shifted = {**data, **{f"{s}_{name}": data[f"{s}_{name}"] + 4.0 for s in ("left", "right")}}
        before = {one.measure: one for one in input_drift(published(), data)}[name]
        [found] = [one for one in input_drift(published(), shifted) if one.drifted]
        assert found.measure == name
        assert found.limit_sd == pytest.approx(1.96 / np.sqrt(found.athletes), abs=1e-3)
        assert found.shift_sd - before.shift_sd > 0.3

    def test_a_spread_is_found_at_its_size(self, data):
        name = "hip_drop_deg"
        sides = [f"{side}_{name}" for side in ("left", "right")]
        centre = np.nanmean([data[side] for side in sides])
        wider = {**data, **{side: centre + 1.6 * (data[side] - centre) for side in sides}}
        [found] = [one for one in input_drift(published(), wider) if one.drifted]
        assert (found.measure, found.shifted, found.spread_changed) == (name, False, True)
        assert json.loads(found.model_dump_json())["spread_changed"] is True
        low, high = found.spread_limits
        assert low < 1.0 < high < found.spread
        assert found.spread == pytest.approx(1.6, abs=0.15)

    def test_one_number_of_both_legs_is_looked_at(self, data):
        name = "lateral_pelvic_tilt_deg"
        found = {one.measure: one for one in input_drift(published(), data)}[name]
        assert found.spread == pytest.approx(1.0, abs=0.15)
        lean = {f"{side}_{name}": by for side, by in (("left", 3.0), ("right", -3.0))}
        leaning = {**data, **{column: data[column] + by for column, by in lean.items()}}
        [moved] = [one for one in input_drift(published(), leaning) if one.shifted]
        assert moved.measure == name

    @pytest.mark.parametrize("athletes", [10, 40, 200])
    def test_limits_of_a_spread_are_right_at_their_number(self, athletes):
        rng = np.random.default_rng(9)
        drawn = rng.normal(size=(2_000, athletes))
        spreads = [spread_of(row) for row in drawn]
        outside = np.mean([not one.low <= one.ratio <= one.high for one in spreads])
        assert 0.02 < outside < 0.055
        chance = np.mean([one.p_value < 0.05 for one in spreads])
        assert chance == pytest.approx(outside, abs=0.005)

    def test_heavy_tails_are_no_changed_spread(self):
        rng = np.random.default_rng(9)
        drawn = rng.standard_t(5, size=(1_000, 60)) / np.sqrt(5 / 3)
        assert np.mean([spread_of(row).p_value < 0.05 for row in drawn]) < 0.12
        variance = drawn.var(axis=1, ddof=1)
        naive = 2 * np.minimum(chi2.cdf(59 * variance, 59), chi2.sf(59 * variance, 59))
        assert np.mean(naive < 0.05) > 0.15

    def test_limits_are_right_at_few_athletes(self, data):
        """Of measures without a floor, whose readings are normal."""
        rng = np.random.default_rng(4)
        names = {"wblt_dorsiflexion_deg", "hip_abduction_torque_nm_kg", "height_cm"}
        outside = []
        for _ in range(150):
            rows = rng.choice(400, 60, replace=False)
            few = {name: values[rows] for name, values in data.items()}
            found = input_drift(published(), few)
            outside += [abs(one.shift_sd) > one.limit_sd for one in found if one.measure in names]
        assert np.mean(outside) < 0.10
