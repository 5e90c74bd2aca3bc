"""Live calibration: against other programs, exact enumeration and cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import gamma, poisson
from statsmodels.stats.rates import confint_poisson

from kneerisk.monitoring import weekly_alarm as alarm
from kneerisk.monitoring.followed_risks import FollowedRisks
from kneerisk.monitoring.observed_and_told import compare, poisson_limits

YEAR = 365.0


def followed(risk, stop, event, athlete=None, start=0.0) -> FollowedRisks:
    n = len(risk)
    return FollowedRisks(
        risk=np.asarray(risk, float), horizon_days=np.full(n, YEAR),
        start=np.broadcast_to(np.asarray(start, float), n).copy(), stop=np.asarray(stop, float),
        event=np.asarray(event, bool),
        athlete=np.arange(n) if athlete is None else np.asarray(athlete),
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
        found = compare(rows)
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
            found = compare(rows)
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

    def test_nobody_followed_yet(self):
        found = compare(followed([0.2], [0.0], [False]))
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

    def test_is_raised_where_pain_is_three_times_as_frequent(self):
        rows = drawn(np.full(200, 0.2), 3.0, np.random.default_rng(5))
        looks = alarm.weekly_looks(rows, 0.0, YEAR)
        assert looks.raised is not None
        assert looks.day[looks.raised] < 200

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
