"""`kneerisk monitor` on a club's records: whom it counts, what it says to do, what it logs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from postgres import postgres, programs
from pydantic import BaseModel
from scipy.stats import mannwhitneyu
from typer.testing import CliRunner

from kneerisk.monitoring.loss_to_follow_up import loss_to_follow_up
from kneerisk.monitoring.monitored_answers import (
    MonitoredAnswers,
    athlete_rows,
    knee_rows,
    newest_told,
    read_answers,
)
from kneerisk.monitoring.monitored_versions import GIVEN, monitored_versions
from kneerisk.monitoring.monitoring_report import alarm_stands, monitor
from kneerisk.monitoring.monitoring_schema import CalibrationCurve, CountsTold, FollowUpState
from kneerisk.monitoring.next_step import next_step
from kneerisk.monitoring.report_lines import head_lines, more_lines
from kneerisk.records.clubs import made_club
from kneerisk.records.database import Database
from kneerisk.records.visit_records import Reported, Screened, Told, record_answer, record_outcomes
from kneerisk.training.tracking import Look, Tracking
from pipelines.__main__ import app

VISIT, TODAY = date(2025, 1, 6), date(2025, 7, 7)
NOW = datetime(2025, 7, 7, tzinfo=UTC)
VERSION = "kneerisk-new_pain-12m-v7"
#: Told of the left knee, the right knee, either.
RISKS = (0.10, 0.20, 0.26)


def on(day: int) -> date:
    return VISIT + timedelta(days=day)


def told(left: float, right: float, either: float, version: str = VERSION) -> Told:
    risk = {
        name: {"probability": value, "interval": [value / 2, value * 1.5]}
        for name, value in (("left", left), ("right", right), ("either", either))
    }
    numbers = {"risk": {"outcome_kind": "new_pain", "horizon_months": 12, **risk}}
    return Told(version=version, bundle_sha256="b" * 64, numbers=numbers)


def screened(athlete: str, day: int = 0, sex: str = "female", **pain: float) -> Screened:
    nrs = {"left": 0, "right": 0, **pain}
    screening = {
        "athlete": {"age_years": 20, "sex": sex, "sport": "volleyball"},
        "pain": {side: {"pain_nrs": value} for side, value in nrs.items()},
    }
    return Screened(athlete=athlete, day=on(day), screening=screening, schema_fingerprint="f" * 64)


def check_in(athlete: str, day: int, *, knee_problem: bool = False) -> Reported:
    return Reported(
        athlete=athlete, kind="check_in", side="both", first_day=on(day - 6), last_day=on(day),
        details={"knee_problem": knee_problem},
    )  # fmt: skip


def pain(athlete: str, day: int, side: str = "left") -> Reported:
    return Reported(
        athlete=athlete, kind="knee_pain", side=side, first_day=on(day - 6), last_day=on(day)
    )


def fill(database: Database) -> int:
    """Twelve athletes: four with pain, two lost after eight weeks, one whose left knee hurts."""
    with database.writing() as session:
        club = made_club(session, "Harbour FC", NOW)
        for number in range(12):
            athlete, sex = f"A{number}", "male" if number % 2 else "female"
            hurts = {"left": 4} if number == 11 else {}
            risks = RISKS if number < 8 else (0.05, 0.05, 0.09)
            sent = screened(athlete, 0, sex, **hurts)
            record_answer(session, club, "key", sent, told(*risks), NOW)
            weeks = 8 if number in (4, 5) else 26
            reports = [check_in(athlete, 7 * week) for week in range(1, weeks + 1)]
            if number < 4:
                week = 4 * number + 2
                reports = [*reports[: week - 1], pain(athlete, 7 * week)]
            record_outcomes(session, club, "key", reports, NOW)
    return club


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    where = programs()
    assert where is not None
    with postgres(where) as url:
        yield url


POSTGRES = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with that club in it; copy it."""
    file = tmp_path_factory.mktemp("records") / "club.sqlite"
    database = Database(str(file))
    database.upgrade()
    fill(database)
    database.close()
    return file


@pytest.fixture
def address(filled: Path, tmp_path: Path) -> str:
    """Of a copy of it."""
    return str(shutil.copy(filled, tmp_path))


def answers_of(database: Database, club: int | None = None) -> MonitoredAnswers:
    with database.reading() as session:
        return read_answers(session, club, TODAY)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=POSTGRES)])
def test_rows_are_those_of_the_records(kind: str, tmp_path: Path, request) -> None:
    where = str(tmp_path / "a.sqlite") if kind == "sqlite" else request.getfixturevalue("server")
    database = Database(where)
    database.upgrade()
    club = fill(database)
    answers = answers_of(database, club)
    database.close()
    athletes, knees = athlete_rows(answers).rows, knee_rows(answers).rows
    # Either knee was told of 11, one knee of whose left one hurts.
    assert sorted(set(athletes.risk.tolist())) == [0.05, 0.09, 0.26]
    assert (len(athletes), len(knees)) == (12, 23)
    assert athletes.event.sum() == knees.event.sum() == 4
    first = athletes.stop[0] - VISIT.toordinal()
    assert first == 11  # between day 8 and day 14
    assert athletes.stop[4] - VISIT.toordinal() == 56
    assert athletes.stop[8] - VISIT.toordinal() == 182


def copied(answers: MonitoredAnswers, copies: int) -> MonitoredAnswers:
    """The same athletes so many times, as others."""
    legs, either = [], {}
    for copy in range(copies):
        for leg in answers.legs:
            answer_id = f"{copy} {leg.answer_id}"
            legs.append(replace(leg, answer_id=answer_id, athlete_id=100 * copy + leg.athlete_id))
            either[answer_id] = answers.either.get(leg.answer_id)
    known = {name: risk for name, risk in either.items() if risk is not None}
    return replace(answers, legs=tuple(legs), either=known)


class TestReport:
    @pytest.fixture
    def answers(self, address: str) -> Iterator[MonitoredAnswers]:
        database = Database(address)
        yield answers_of(database)
        database.close()

    def test_observed_and_told_by_hand(self, answers: MonitoredAnswers) -> None:
        report = monitor(answers, VERSION, TODAY)
        days = {0.26: 11 + 39 + 67 + 95 + 2 * 56 + 2 * 182, 0.09: 3 * 182, 0.05: 182}
        by_hand = sum(-np.log(1 - risk) * n / 365 for risk, n in days.items())
        assert (report.overall.athletes, report.overall.observed) == (12, 4)
        assert report.overall.told == pytest.approx(by_hand)

    def test_parts_are_those_with_several_names(self, answers: MonitoredAnswers) -> None:
        report = monitor(answers, VERSION, TODAY)
        parts = {(part.by, part.name): part.counts for part in report.parts}
        assert set(parts) == {
            ("sex", "female"), ("sex", "male"), ("side", "left"), ("side", "right"),
        }  # fmt: skip
        assert parts["side", "left"].observed == 4
        assert parts["side", "right"].observed == 0
        both = parts["sex", "female"].told + parts["sex", "male"].told
        assert both == pytest.approx(report.overall.told)
        least = min(part.counts.p_value for part in report.parts)
        assert min(part.adjusted_p for part in report.parts) >= least

    def test_who_was_lost(self, answers: MonitoredAnswers) -> None:
        found = loss_to_follow_up(answers, TODAY)
        assert (found.athletes, found.lost, found.overdue) == (12, 2, 0)
        assert found.lost_told == pytest.approx(0.15)
        assert found.p_value is None
        assert found.ended["pain"] == 4
        later = loss_to_follow_up(answers, TODAY + timedelta(days=14))
        assert later.overdue == 6

    def test_the_lost_are_compared_by_ranks(self, answers: MonitoredAnswers) -> None:
        legs = []
        for number in range(20):
            leg = answers.legs[8]
            ended = "lost" if number < 8 else "running"
            legs.append(replace(leg, athlete_id=number, risk=0.02 * number + 0.01, ended=ended))
        found = loss_to_follow_up(replace(answers, legs=tuple(legs)), TODAY)
        risks = [leg.risk for leg in legs]
        assert found.p_value == pytest.approx(mannwhitneyu(risks[:8], risks[8:]).pvalue)
        assert found.lost_differ

    def test_a_second_screening_ends_the_first(self, address: str) -> None:
        database = Database(address)
        with database.writing() as session:
            club = made_club(session, "Harbour FC", NOW)
            record_answer(session, club, "key", screened("A8", 91), told(0.3, 0.3, 0.45), NOW)
        rows = newest_told(athlete_rows(answers_of(database))).rows
        database.close()
        own = rows.take(rows.athlete == rows.athlete[np.flatnonzero(rows.risk == 0.45)[0]])
        assert own.risk.tolist() == [0.09, 0.45]
        assert (own.stop - own.start).tolist() == [91, 91]

    def test_a_watching_program_is_told_of_many_alone(self, address: str, monkeypatch) -> None:
        database = Database(address)
        with database.reading() as session:
            assert monitored_versions(session, TODAY) == {}
            monkeypatch.setattr("kneerisk.monitoring.monitored_versions.FEWEST_ATHLETES", 12)
            given = monitored_versions(session, TODAY)
        report = monitor(answers_of(database), VERSION, TODAY)
        database.close()
        assert set(given) == {VERSION}
        assert given[VERSION]["observed"] == report.overall.observed == 4
        assert given[VERSION]["told"] == report.overall.told
        # Less than one event was told of, so that a ratio to it says nothing.
        ratios = {name for name in GIVEN if name.startswith("observed_over_told")}
        assert set(given[VERSION]) == set(GIVEN) - ratios

    def test_on_the_first_day_nothing_is_known(self, address: str) -> None:
        database = Database(address)
        with database.reading() as session:
            answers = read_answers(session, None, VISIT)
        database.close()
        report = monitor(answers, VERSION, VISIT)
        assert (report.overall.observed, report.overall.told) == (0, 0.0)
        assert report.promise is None
        assert report.alarm.raised_on is None
        assert report.alarm.limits is None
        assert report.next_step.step == "collect"
        assert "told 0.0" in "".join(head_lines(report))
        assert more_lines(report)

    def test_the_alarm_tells_its_day_and_stays_in_later_years(
        self, answers: MonitoredAnswers
    ) -> None:
        """Sixty times the same athletes: 240 have pain where 44 were told of."""
        many = copied(answers, 60)
        report = monitor(many, VERSION, TODAY)
        # The first fifteen have pain between days 8 and 14: at the second look there is evidence.
        assert report.alarm.raised_on == on(14)
        assert report.alarm.more
        assert report.calibration is not None
        assert report.calibration.risk == ()  # three risks are too few for a curve
        assert report.next_step.step == "stop"
        assert any("raised on 2025-01-20" in line for line in more_lines(report))
        later = monitor(many, VERSION, TODAY + timedelta(days=300))
        assert later.alarm.raised_on is None
        assert later.alarm.raised_before == (on(14),)
        assert alarm_stands(later.alarm)
        earlier = {"raised_before": (on(14) - timedelta(days=365),)}
        assert not alarm_stands(later.alarm.model_copy(update=earlier))

    def test_a_year_that_has_just_begun_takes_no_alarm_back(
        self, answers: MonitoredAnswers
    ) -> None:
        """Of ten copies there are events enough for the alarm, not for a slope."""
        later = monitor(copied(answers, 10), VERSION, TODAY + timedelta(days=300))
        assert later.calibration is None
        assert later.alarm.raised_on is None
        assert (later.next_step.step, later.next_step.why) == ("adapt", "alarm")

    def test_versions_have_a_line_each(self, address: str) -> None:
        database = Database(address)
        with database.writing() as session:
            club = made_club(session, "Harbour FC", NOW)
            other = told(0.3, 0.3, 0.45, "kneerisk-new_pain-12m-v8")
            record_answer(session, club, "key", screened("A8", 91), other, NOW)
        answers = answers_of(database)
        database.close()
        report = monitor(answers, "kneerisk-new_pain-12m-v8", TODAY)
        assert report.overall.athletes == 1
        lines = {part.name: part.counts for part in report.parts if part.by == "version"}
        assert lines[VERSION].observed == 4


def changed(found: BaseModel, **values: Any) -> Any:
    return found.model_copy(update=values)


NOBODY_LOST = FollowUpState(
    athletes=60, overdue=0, lost=0, ended={}, lost_told=None, others_told=0.1, p_value=None
)
FEW = CountsTold(
    athletes=60, years=50.0, observed=14, told=9.1, ratio=1.54, low=0.84, high=2.58, p_value=0.16,
    chance=(4, 15),
)  # fmt: skip
ENOUGH = changed(FEW, observed=20, told=19.0)
SLOPE = CalibrationCurve(
    slope=1.0, slope_low=0.8, slope_high=1.2, risk=(), observed=(), low=(), high=()
)
FLAT = changed(SLOPE, slope=0.5, slope_low=0.3, slope_high=0.7)


@pytest.mark.parametrize(
    ("change", "step", "why"),
    [
        ({"overall": ENOUGH}, "nothing", "as_told"),
        ({}, "collect", "few_events"),
        ({"overall": ENOUGH, "drifted": True}, "collect", "inputs_drifted"),
        ({"follow_up": changed(NOBODY_LOST, lost=13)}, "collect", "many_lost"),
        ({"follow_up": changed(NOBODY_LOST, lost=6, p_value=0.01)}, "collect", "lost_differ"),
        ({"alarm": True, "limits": (1.2, 3.0)}, "adapt", "alarm"),
        ({"alarm": True, "calibration": FLAT}, "retrain", "spread_off"),
        ({"calibration": changed(FLAT, slope_high=-0.1, slope_low=-0.4)}, "stop", "wrong_order"),
        ({"alarm": True, "limits": (2.1, 4.0)}, "stop", "far_off"),
        ({"alarm": True, "limits": (0.1, 0.4)}, "stop", "far_off"),
    ],
)
def test_what_to_do(change: dict, step: str, why: str) -> None:
    given = {
        "overall": FEW, "limits": (0.7, 3.4), "calibration": SLOPE, "follow_up": NOBODY_LOST,
        "alarm": False, "drifted": False, **change,
    }  # fmt: skip
    found = next_step(**given)
    assert (found.step, found.why) == (step, why)


class TestCommand:
    @pytest.fixture
    def typed(self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("KNEERISK_RECORDS", address)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("pipelines.monitor.datetime", _Clock)

        def run(*arguments: str):
            return CliRunner().invoke(app, ["monitor", *arguments])

        return run

    def test_says_it_in_words_and_as_json(self, typed) -> None:
        printed = typed("--club", "Harbour FC")
        assert printed.exit_code == 0, printed.output
        assert "4 of 12 athletes had new pain so far; told 0.7. More than" in printed.stdout
        assert printed.stdout.count("To do: ") == 1
        assert len(printed.stdout.splitlines()) <= 25
        result = json.loads(typed("--json").stdout)
        assert result["next_step"] == {"step": "collect", "why": "few_events"}
        assert result["run_id"] is None
        assert result["drift"] is None
        assert result["overall"]["observed"] == 4
        assert result["alarm"]["raised_on"] is None
        assert "A1" not in json.dumps(result)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [(["--club", "Other FC"], "no such club"), (["--version", "v0"], "no answers of version")],
    )
    def test_a_mistake_is_one_message(self, typed, arguments: list[str], message: str) -> None:
        failed = typed(*arguments)
        assert failed.exit_code != 0
        assert message in str(failed.exception)

    @pytest.mark.slow
    def test_looks_are_steps_of_one_run(self, typed, tmp_path: Path) -> None:
        before = Look(version="another", club=None, metrics={"observed": 1.0}, step=0)
        Tracking(tmp_path).log_look(before)
        first, second = (json.loads(typed("--json").stdout)["run_id"] for _ in range(2))
        own = json.loads(typed("--json", "--club", "Harbour FC").stdout)["run_id"]
        assert first == second != own
        client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
        history = client.get_metric_history(first, "observed_over_told")
        assert [metric.step for metric in history] == [182, 182]
        run = client.get_run(first)
        assert run.info.run_name == VERSION
        assert run.info.status == "FINISHED"
        assert client.get_experiment(run.info.experiment_id).name == "kneerisk-monitoring"


class _Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW
