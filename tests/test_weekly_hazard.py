"""The hazard by week beside the risk of 12 months: what it recovers, and what it must not see."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from typer.testing import CliRunner

from kneerisk.cohort import Cohort, write
from kneerisk.cohort.knee_weeks import KneeWeeks, read_weeks, weeks_table
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.splits import subset
from kneerisk.errors import CohortRefused
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.evidence import assumption
from kneerisk.model import Bundle
from kneerisk.records.cohort_of_records.recorded_visits import RecordedVisit, RecordedVisits
from kneerisk.records.cohort_of_records.watched_knees import knee_weeks
from kneerisk.records.followed_legs import FollowedLeg
from kneerisk.schema import SIDES, Screening, from_row
from kneerisk.training.fitting.weekly_hazard import PENALTY, fit_weekly_hazard
from kneerisk.training.updating.hazard_beside import compare_hazard, proposal
from pipelines.__main__ import app

HORIZON, WEEKS = 365, 53
VISIT = date(2025, 9, 1)
SCREENING: Screening = from_row({"age_years": 20, "sex": "male"})


def simulated(
    seed: int, visits: int, *, level: float = 0.0, by_week: float = 0.0, by_training: float = 0.0
) -> tuple[KneeWeeks, np.ndarray]:
    """Weeks of knees whose pain begins by a hazard of proportional form, and the told risks."""
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(-1.6, 0.6, (visits, 2)))
    minutes = rng.gamma(3.0, 60.0, (visits, WEEKS))
    lost = rng.integers(10, 3 * WEEKS, visits)
    rows: dict[str, list[Any]] = {name: [] for name in ("visit", "side", "week", "may_hurt")}
    for visit in range(visits):
        for side in (0, 1):
            for week in range(1, min(WEEKS, lost[visit]) + 1):
                days = 1.0 if week == WEEKS else 7.0
                told = -np.log1p(-risk[visit, side]) * days / HORIZON
                effect = by_week * week / WEEKS + by_training * np.log(minutes[visit, week - 1])
                hurts = rng.random() < -np.expm1(-told * np.exp(level + effect))
                for name, value in (("visit", visit), ("side", side), ("week", week),
                                    ("may_hurt", hurts)):  # fmt: skip
                    rows[name].append(value)
                if hurts:
                    break
    week = np.array(rows["week"])
    visit = np.array(rows["visit"])
    return KneeWeeks(
        visit=visit, side=np.array(rows["side"]), week=week,
        days=np.where(week == WEEKS, 1.0, 7.0), may_hurt=np.array(rows["may_hurt"]),
        minutes=minutes[visit, week - 1], minutes_at_visit=minutes[:, 0], horizon_days=HORIZON,
    ), risk  # fmt: skip


def everyone(risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(risk)), np.ones(len(risk), dtype=bool)


@pytest.fixture(scope="module")
def weekly() -> tuple[KneeWeeks, np.ndarray]:
    return simulated(1, 600, level=-2.5, by_week=0.8, by_training=0.6)


def test_it_is_what_statsmodels_fits(weekly: tuple[KneeWeeks, np.ndarray]) -> None:
    """A binomial regression with complementary log-log link, offset and the same penalties."""
    weeks, risk = weekly
    fitted = fit_weekly_hazard(weeks, risk, *everyone(risk))
    told = -np.log1p(-risk[weeks.visit, weeks.side])
    raw = [np.log(told), np.log(weeks.week), weeks.week, np.log1p(weeks.minutes)]
    scaled = [(column - column.mean()) / (1.0 if place == 0 else column.std())
              for place, column in enumerate(raw)]  # fmt: skip
    design = np.column_stack([np.ones(len(told)), *scaled])
    offset = np.log(told * weeks.days / HORIZON)
    penalty = np.array([0.0, assumption("club_slope_sd") ** -2.0, PENALTY, PENALTY, PENALTY])

    class Penalised(sm.GLM):
        def loglike(self, params: np.ndarray, scale: float | None = None) -> float:
            return float(super().loglike(params, scale)) - float((penalty * params**2).sum() / 2)

        def score(self, params: np.ndarray, scale: float | None = None) -> np.ndarray:
            return np.asarray(super().score(params, scale)) - penalty * params

    family = sm.families.Binomial(link=sm.families.links.CLogLog())
    other = Penalised(weeks.may_hurt.astype(float), design, family=family, offset=offset).fit(
        method="bfgs", maxiter=500, gtol=1e-9, disp=0
    )
    own = np.delete(fitted.weights, 4)
    assert own == pytest.approx(other.params, abs=2e-4)
    # Without training before it, a knee's column is left out.
    assert fitted.weights[4] == 0.0


def test_it_recovers_the_hazard(weekly: tuple[KneeWeeks, np.ndarray]) -> None:
    weeks, risk = weekly
    fitted = fit_weekly_hazard(weeks, risk, *everyone(risk))
    ratio, low, high = fitted.training_ratio() or (np.nan,) * 3
    assert low < 2.0**0.6 < high
    assert 1.0 < low < ratio < high
    # The true chance of pain in a year where training stays as it was at the visit.
    told = -np.log1p(-risk[:, 0])
    week = np.arange(1, WEEKS + 1)
    rise = (np.exp(0.8 * week / WEEKS) * np.where(week == WEEKS, 1.0, 7.0)).sum() / HORIZON
    true = -np.expm1(-told * np.exp(-2.5) * weeks.minutes_at_visit**0.6 * rise)
    found = fitted.risk(risk[:, 0], weeks.minutes_at_visit)
    assert abs(found.mean() - true.mean()) < 0.025
    assert np.corrcoef(found, true)[0, 1] > 0.97


def test_the_weeks_multiply_to_the_horizon(weekly: tuple[KneeWeeks, np.ndarray]) -> None:
    weeks, risk = weekly
    fitted = fit_weekly_hazard(weeks, risk, *everyone(risk))
    chance = fitted.weekly(risk[:, 1], weeks.minutes_at_visit)
    assert chance.shape == (len(risk), WEEKS)
    assert fitted.risk(risk[:, 1], weeks.minutes_at_visit) == pytest.approx(
        1.0 - np.prod(1.0 - chance, axis=1)
    )
    told_nothing = replace(fitted, weights=np.zeros(6))
    assert told_nothing.risk(risk[:, 1], weeks.minutes_at_visit) == pytest.approx(risk[:, 1])


def test_a_higher_told_risk_is_a_higher_risk(weekly: tuple[KneeWeeks, np.ndarray]) -> None:
    weeks, risk = weekly
    fitted = fit_weekly_hazard(weeks, risk, *everyone(risk))
    rising = fitted.risk(np.linspace(0.02, 0.6, 20), np.full(20, 200.0))
    assert (np.diff(rising) > 0.0).all()
    harder = fitted.risk(np.full(20, 0.2), np.linspace(50.0, 600.0, 20))
    assert (np.diff(harder) > 0.0).all()
    reverse, told = simulated(2, 300, level=2.5, by_training=-0.6)
    assert (fit_weekly_hazard(reverse, told, *everyone(told)).training_ratio() or (9.0,))[0] < 1.0


def test_known_by_the_year_alone_it_is_a_regression_of_the_year() -> None:
    """Pain that began in any week of the year, against statsmodels on one row a knee."""
    weeks, risk = simulated(3, 700, level=0.7)
    knee = 2 * weeks.visit + weeks.side
    hurts = np.bincount(knee, weeks.may_hurt, 2 * len(risk)) > 0.0
    every = np.tile(np.arange(1, WEEKS + 1), 2 * len(risk))
    of_year = replace(
        weeks, visit=np.repeat(np.arange(len(risk)), 2 * WEEKS),
        side=np.tile(np.repeat([0, 1], WEEKS), len(risk)), week=every,
        days=np.where(every == WEEKS, 1.0, 7.0), may_hurt=np.repeat(hurts, WEEKS),
        minutes=np.full(len(every), np.nan), minutes_at_visit=np.full(len(risk), np.nan),
    )  # fmt: skip
    fitted = fit_weekly_hazard(of_year, risk, *everyone(risk))
    offset = np.log(-np.log1p(-risk.ravel()))
    family = sm.families.Binomial(link=sm.families.links.CLogLog())
    level = sm.GLM(hurts.astype(float), np.ones((len(hurts), 1)), family=family, offset=offset)
    found = fitted.risk(risk.ravel(), np.full(len(hurts), np.nan))
    assert found.mean() == pytest.approx(level.fit().predict().mean(), abs=1e-3)
    assert found.mean() == pytest.approx(hurts.mean(), abs=1e-3)
    assert fitted.training_ratio() is None


def leg(side: int, *, days: int, onset: tuple[int, int] | None = None) -> FollowedLeg:
    """A knee that was followed for some days, or that began to hurt between two."""
    span = None if onset is None else (VISIT + timedelta(onset[0]), VISIT + timedelta(onset[1]))
    free = onset is None and days >= HORIZON
    return FollowedLeg(
        answer_id="a", version="v1", club_id=1, athlete_id=1, visit_id=1, side=SIDES[side],
        visit_day=VISIT, screening={}, risk=0.1, interval=None, horizon_days=HORIZON, at_risk=True,
        outcome=1 if onset else 0 if free else None, onset=span,
        followed_until=VISIT + timedelta(days),
        ended="pain" if onset else "horizon" if free else "lost",
    )  # fmt: skip


def visits(left: FollowedLeg, right: FollowedLeg) -> RecordedVisits:
    visit = RecordedVisit(club="c", athlete="A1", athlete_id=1, screening=SCREENING,
                          legs=(left, right))  # fmt: skip
    return RecordedVisits(visits=(visit,), horizon_days=HORIZON, too_recent=0, repeated=0,
                          unreadable=0)  # fmt: skip


def test_weeks_by_hand() -> None:
    """Pain that began from day 13 to 20 did so in week 2 or 3; 17 days are two whole weeks."""
    found = knee_weeks(visits(leg(0, days=12, onset=(13, 20)), leg(1, days=17)), {})
    told = list(zip(found.side.tolist(), found.week.tolist(), found.may_hurt.tolist(), strict=True))
    assert told == [(0, 1, False), (0, 2, True), (0, 3, True), (1, 1, False), (1, 2, False)]
    assert set(found.days.tolist()) == {7.0}
    assert np.isnan(found.minutes).all()
    whole = knee_weeks(visits(leg(0, days=HORIZON), leg(1, days=3)), {})
    assert whole.week.tolist() == [*range(1, WEEKS + 1)]
    assert (whole.days.sum(), whole.days[-1]) == (HORIZON, 1.0)


def followed(bundle: Bundle, seed: int, by_training: float) -> tuple[Cohort, KneeWeeks]:
    """A club of 400 whose pain depends on training before each week, or does not."""
    drawn = simulate(400, seed)
    told = risks_of(bundle.model.predict(drawn.cohort.columns()))
    risk = np.stack([np.asarray(told.left), np.asarray(told.right)], axis=1)
    rng = np.random.default_rng(seed)
    minutes = rng.gamma(2.0, 90.0, len(risk))
    factor = 2.0 * (minutes / 180.0) ** by_training
    hazard = -np.log1p(-np.nan_to_num(risk)) * factor[:, None] / WEEKS
    onset = np.ceil(rng.exponential(1.0 / np.maximum(hazard, 1e-9)))
    watched = np.where(np.isnan(risk), 0, np.minimum(onset, WEEKS)).astype(int)
    counts, knee = watched.ravel(), np.repeat(np.arange(risk.size), watched.ravel())
    week = np.arange(len(knee)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    weeks = KneeWeeks(
        visit=knee // 2, side=knee % 2, week=week, days=np.where(week == WEEKS, 1.0, 7.0),
        may_hurt=week == onset.ravel()[knee], minutes=minutes[knee // 2],
        minutes_at_visit=minutes, horizon_days=HORIZON,
    )  # fmt: skip
    outcome = np.where(np.isnan(risk), np.nan, onset <= WEEKS)
    frame = drawn.cohort.frame.assign(outcome_left=outcome[:, 0], outcome_right=outcome[:, 1],
                                      screening_date=VISIT.isoformat())  # fmt: skip
    return replace(drawn.cohort, frame=frame, kind="observed"), weeks


def test_the_better_of_the_two_is_proposed(released: Bundle) -> None:
    """Where training decides, the hazard knows something that no screening says; else nothing."""
    cohort, weeks = followed(released, 5, by_training=1.2)
    metrics = compare_hazard(released.model, cohort, weeks)
    assert metrics["cv_hazard_log_loss"] < metrics["cv_log_loss"]
    assert metrics["hazard_training_ratio_low"] > 1.3
    assert proposal(metrics) == "weekly_hazard"
    cohort, weeks = followed(released, 6, by_training=0.0)
    metrics = compare_hazard(released.model, cohort, weeks)
    assert abs(metrics["cv_log_loss_over_hazard"]) < 0.005
    assert proposal(metrics) == "risk_of_the_horizon"
    few = replace(weeks, may_hurt=weeks.may_hurt & (weeks.visit < 20))
    assert compare_hazard(released.model, cohort, few) == {}


def test_weeks_are_of_the_screenings_of_their_cohort(released: Bundle, tmp_path: Path) -> None:
    cohort, weeks = followed(released, 7, by_training=0.0)
    file = tmp_path / "weeks.parquet"
    weeks_table(weeks, cohort).to_parquet(file)
    whole = read_weeks(file, cohort)
    for name in ("visit", "side", "week", "days", "may_hurt", "minutes"):
        assert getattr(whole, name).tolist() == getattr(weeks, name).tolist()
    some = subset(cohort, np.arange(len(cohort.frame)) % 2 == 1)
    odd = read_weeks(file, cohort, some)
    assert odd.visit.tolist() == [(place - 1) // 2 for place in weeks.visit if place % 2]
    with pytest.raises(CohortRefused, match="weeks of 200 screenings that are not"):
        read_weeks(file, some)
    cohort.frame.to_parquet(file)
    with pytest.raises(CohortRefused, match="holds no weeks"):
        read_weeks(file, cohort)


@pytest.mark.slow
def test_an_evaluation_tells_of_it(
    released: Bundle, champion_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cohort, weeks = followed(released, 8, by_training=0.0)
    write(cohort, tmp_path / "club.parquet")
    weeks_table(weeks, cohort).to_parquet(tmp_path / "weeks.parquet")
    command = ["evaluate", "--data", "club.parquet", "--models", str(champion_models)]
    found = CliRunner().invoke(app, [*command, "--weeks", "weeks.parquet", "--json"])
    assert found.exit_code == 0, found.output
    hazard = json.loads(found.stdout)["hazard"]
    assert hazard["proposed"] == proposal(hazard["metrics"]) == "risk_of_the_horizon"
    told = CliRunner().invoke(app, [*command, "--weeks", "weeks.parquet"]).output
    assert "Proposed: the risk of the horizon" in told
    plain = CliRunner().invoke(app, [*command, "--json"])
    assert "hazard" not in json.loads(plain.stdout)


def test_no_week_sees_training_of_its_own_or_a_later_one() -> None:
    found = visits(leg(0, days=HORIZON), leg(1, days=HORIZON))
    minutes = {VISIT + timedelta(day): 30.0 + day % 5 for day in range(-60, HORIZON)}
    before = knee_weeks(found, {1: minutes}).minutes
    for week in (1, 2, 20, WEEKS):
        first = VISIT + timedelta(1 + 7 * (week - 1))
        changed = {day: value if day < first else 999.0 for day, value in minutes.items()}
        after = knee_weeks(found, {1: changed}).minutes
        earlier = knee_weeks(found, {1: minutes}).week <= week
        assert after[earlier].tolist() == before[earlier].tolist()
        if week < WEEKS:
            assert (after[~earlier] != before[~earlier]).all()
