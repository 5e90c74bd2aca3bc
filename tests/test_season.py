"""The simulated season in small, and what `python -m benchmarks.season` left."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from benchmarks.season import NUMBERS, PAGE
from benchmarks.season_club import level_off
from benchmarks.season_diary import LAST_DAY, Season
from benchmarks.season_page import as_markdown
from benchmarks.season_plots import mean_and_half, tenths
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.records.outcome_logs.outcome_mapping import OutcomeMapping
from kneerisk.records.outcome_logs.read_outcomes import read_outcome_logs
from kneerisk.records.outcome_report import OutcomeReport
from kneerisk.schema import SIDES

FIRST = date(2025, 3, 3)


@pytest.fixture(scope="module")
def season() -> Season:
    cohort = simulate(60, 4).cohort
    rng = np.random.default_rng(4)
    risk = np.full((60, 2), 0.4)
    names = tuple(f"A{number:02d}" for number in range(60))
    return Season.draw(names, cohort, risk, rng.random((60, 2)) < risk, FIRST, rng)


def day_number(text: str) -> int:
    return (date.fromisoformat(text) - FIRST).days


def test_the_page_is_what_was_measured() -> None:
    result = json.loads(NUMBERS.read_text("utf-8"))
    assert PAGE.read_text("utf-8") == as_markdown(result)
    assert abs(result["repeated"]["one_year"]["mean"]) <= result["target"]
    assert len(result["seasons"]) == result["repeated"]["clubs"] == 20


def test_weeks_are_told_once_and_in_their_week(season: Season) -> None:
    weeks = [season.reports(7 * week, 7 * (week + 1)) for week in range(LAST_DAY // 7)]
    for week, reports in enumerate(weeks):
        for told in reports:
            OutcomeReport.model_validate(told)
            until = told["last_day"] if told["kind"] == "check_in" else told["last_reported"]
            assert 7 * week < day_number(until) <= 7 * (week + 1)
    assert sum(map(len, weeks)) == len(season.reports(0, LAST_DAY))


def test_pain_began_between_the_days_that_are_told(season: Season) -> None:
    told = {
        (report["athlete"], report["side"]): report
        for report in season.reports(0, LAST_DAY)
        if report["kind"] == "knee_pain"
    }
    assert len(told) > 20
    for (athlete, side), report in told.items():
        onset = season.pain[season.athletes.index(athlete), SIDES.index(side), 0]
        assert day_number(report["first_day"]) <= onset <= day_number(report["last_day"])


def test_nothing_is_told_after_an_injury_of_the_knee(season: Season) -> None:
    injured = np.flatnonzero(np.isfinite(season.injury))
    for place in injured:
        assert (season.answered[place] < season.injury[place]).all()
    whose = {row[0] for _, row in season.cases if row[-1] == "KL3"}
    assert whose == {season.athletes[place] for place in injured}


def test_cases_are_read_as_what_they_are(season: Season, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    table = season.cases_until(LAST_DAY)
    table.to_csv(file, index=False)
    log = read_outcome_logs([file], OutcomeMapping())
    assert not log.questions
    kinds = {"KL3": "knee_injury", "KT2": "knee_pain"}
    expected = sorted(kinds.get(code, "other_problem") for code in table["osiics_15_code"])
    assert sorted(event.kind for event in log.events) == expected
    assert len(season.cases_until(100)) < len(table)
    last = max(season.cases_until(100)["date_event"])
    assert date.fromisoformat(last) <= FIRST + timedelta(days=100)


def test_the_level_is_the_shift_that_was_made() -> None:
    told = expit(np.linspace(-3.0, 0.5, 300))
    assert level_off(told, expit(logit(told) + 0.7)) == pytest.approx(0.7)
    assert level_off(told, told) == pytest.approx(0.0, abs=1e-9)
    found = tenths(told, told)
    assert found["told"] == found["true"] == sorted(found["told"])
    middle, half = mean_and_half([1.0, 2.0, 3.0])
    assert (middle, half) == (2.0, pytest.approx(4.302653 / np.sqrt(3.0), rel=1e-5))
