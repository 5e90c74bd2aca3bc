"""A cohort made of records: weeks and weights by hand, and the file that the command writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from postgres import empty_records
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from kneerisk.cohort import read
from kneerisk.cohort.knee_weeks import read_weeks
from kneerisk.records.audit import audit_lines
from kneerisk.records.clubs import made_club
from kneerisk.records.cohort_of_records.censoring_weights import (
    LARGEST_WEIGHT,
    censoring_weights,
    lost_hazard,
)
from kneerisk.records.cohort_of_records.record_cohort import cohort_of_records
from kneerisk.records.cohort_of_records.recorded_visits import either_watch
from kneerisk.records.cohort_of_records.watched_weeks import (
    Watch,
    first_day_of,
    minutes_before,
    watched_weeks,
)
from kneerisk.records.database import Database, RecordsFailed
from kneerisk.records.visit_records import (
    Minutes,
    Reported,
    Screened,
    Told,
    record_answer,
    record_exposure,
    record_outcomes,
)
from pipelines.__main__ import app

VISIT = date(2024, 1, 1)
NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
TODAY = date(2025, 6, 1)


def on(day: int) -> date:
    """So many days after the visit."""
    return VISIT + timedelta(days=day)


def watch(state: str, days: int) -> Watch:
    return Watch(visit_day=VISIT, days=days, state=state)


class TestWeeks:
    @pytest.mark.parametrize(
        ("state", "days", "weeks"),
        [
            # Who had been lost in the week of the pain would not have told of it.
            ("pain", 1, 1), ("pain", 7, 1), ("pain", 8, 2), ("pain", 15, 3),
            ("free", 14, 2), ("free", 365, 53),
            # Followed to the end of the second week: lost in the third.
            ("lost", 0, 1), ("lost", 6, 1), ("lost", 7, 2), ("lost", 14, 3),
        ],
    )  # fmt: skip
    def test_in_which_a_knee_could_be_lost(self, state: str, days: int, weeks: int) -> None:
        assert watch(state, days).weeks == weeks

    def test_stand_below_each_other(self) -> None:
        watches = [watch("pain", 8), watch("pain", 3), watch("lost", 7), watch("free", 14)]
        weeks = watched_weeks(watches, np.arange(4.0)[:, None], lambda _: None)
        assert weeks.watch.tolist() == [0, 0, 1, 2, 2, 3, 3]
        assert weeks.week.tolist() == [1, 2, 1, 1, 2, 1, 2]
        assert np.flatnonzero(weeks.is_lost).tolist() == [4]
        assert weeks.known_then[:, 0].tolist() == [0.0, 0.0, 1.0, 2.0, 2.0, 3.0, 3.0]
        trained = watched_weeks(watches, np.zeros((4, 0)), lambda i: lambda _: float(i))
        assert trained.known_then[:, 0].tolist() == [1.0] * 7
        assert trained.known_then[:, 1] == pytest.approx(np.log1p(weeks.watch))
        assert not weeks.known_then[:, 1:].any()

    def test_training_is_that_of_the_four_weeks_before(self) -> None:
        before = minutes_before({on(1): 60.0, on(3): 30.0, on(29): 100.0})
        # A week begins on the day after the visit, and its own days are not in it.
        assert [before(on(day)) for day in (1, 2, 4, 29, 30, 32, 58)] == [
            0.0, 15.0, 22.5, 22.5, 32.5, 25.0, 0.0,
        ]  # fmt: skip
        assert first_day_of(VISIT, 1) == on(1)
        assert first_day_of(VISIT, 3) == on(15)

    def test_no_value_of_a_week_or_a_later_one_enters(self) -> None:
        generator = np.random.default_rng(4)
        minutes = {on(day): float(generator.integers(20, 90)) for day in range(-30, 70)}
        watches, at_visit = [watch("free", 70)], np.zeros((1, 1))
        known = watched_weeks(watches, at_visit, lambda _: minutes_before(minutes)).known_then
        for week in (1, 4, 9):
            first = first_day_of(VISIT, week)
            changed = {day: 999.0 if day >= first else m for day, m in minutes.items()}
            again = watched_weeks(watches, at_visit, lambda _, m=changed: minutes_before(m))
            assert np.array_equal(again.known_then[:week], known[:week])
            assert not np.array_equal(again.known_then[week:], known[week:])


class TestEitherKnee:
    def test_hurts_where_one_did_while_the_other_was_watched(self) -> None:
        pain, free, lost = watch("pain", 50), watch("free", 365), watch("lost", 30)
        assert either_watch(pain, free) == either_watch(free, pain) == pain
        assert either_watch(free, free) == free
        assert either_watch(pain, lost) == either_watch(free, lost) == lost
        assert either_watch(pain, watch("lost", 50)) == pain
        assert either_watch(pain, None) is None


class TestWeights:
    def test_nobody_lost_weighs_one(self) -> None:
        weeks = watched_weeks([watch("free", 365)] * 3, np.ones((3, 2)), lambda _: None)
        assert censoring_weights(weeks, np.ones(3, bool)).weight.tolist() == [1.0] * 3

    def test_the_chance_of_a_loss_is_that_of_scikit_learn(self) -> None:
        generator = np.random.default_rng(2)
        x = generator.normal(size=(80, 2))
        watches = [
            watch("lost" if generator.random() < 0.4 else "free", int(generator.integers(1, 365)))
            for _ in x
        ]
        weeks = watched_weeks(watches, x, lambda _: None)
        columns = np.column_stack([np.log(weeks.week), weeks.week, weeks.known_then[:, :2]])
        scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
        other = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(scaled, weeks.is_lost)
        assert lost_hazard(weeks) == pytest.approx(other.predict_proba(scaled)[:, 1], abs=1e-6)
        known = np.array([one.state != "lost" for one in watches])
        kept = np.ones(len(watches))
        np.multiply.at(kept, weeks.watch, 1.0 - lost_hazard(weeks))
        found = censoring_weights(weeks, known)
        assert found.weight[known] == pytest.approx(np.minimum(1.0 / kept[known], LARGEST_WEIGHT))
        assert np.isnan(found.weight[~known]).all()

    def test_they_bring_back_those_who_were_lost_by_what_was_known(self) -> None:
        """Three of five at high risk leave within three months; the others stay."""
        generator = np.random.default_rng(7)
        n = 4_000
        high = generator.random(n) < 0.5
        pain = generator.random(n) < np.where(high, 0.4, 0.1)
        ends = generator.integers(1, 365, n)
        leaves = np.where(high & (generator.random(n) < 0.6), generator.integers(0, 90, n), 999)
        watches = []
        for hurts, end, left in zip(pain, ends, leaves, strict=True):
            own, state = (int(end), "pain") if hurts else (365, "free")
            watches.append(watch(state, own) if own <= left else watch("lost", int(left)))
        weeks = watched_weeks(watches, high[:, None].astype(float), lambda _: None)
        known = np.array([one.state != "lost" for one in watches])
        found = censoring_weights(weeks, known)
        share = np.average(pain[known], weights=found.weight[known])
        naive = pain[known].mean()
        silent = pain[known].sum() / n
        assert share == pytest.approx(pain.mean(), abs=0.012)
        assert naive < pain.mean() - 0.02
        assert silent < pain.mean() - 0.04

    def test_a_weight_has_a_limit(self) -> None:
        watches = [*[watch("lost", 3)] * 400, watch("free", 365), watch("free", 365)]
        weeks = watched_weeks(watches, np.zeros((402, 1)), lambda _: None)
        found = censoring_weights(weeks, np.array([one.state == "free" for one in watches]))
        assert found.weight[-2:].tolist() == [LARGEST_WEIGHT] * 2
        assert found.trimmed == 2


NUMBERS = {"status": "ok", "outcome_kind": "new_pain", "horizon_months": 12}


def told(left: float, right: float) -> Told:
    knees = {"left": {"probability": left}, "right": {"probability": right}}
    return Told(version="v1", bundle_sha256="b" * 64, numbers={"risk": NUMBERS | knees})


def fill(database: Database, club: str = "Harbour FC", day: date = VISIT) -> None:
    """Three athletes watched for a year, one of whom gets pain, and three lost in March."""
    with database.writing() as session:
        club_id = made_club(session, club, NOW)
        for number in range(6):
            athlete = f"A{number}"
            body = {
                "athlete": {"age_years": 20.0 + number, "sex": "female"},
                "pain": {"left": {"pain_nrs": 0}, "right": {"pain_nrs": 3 if number == 5 else 0}},
            }
            screened = Screened(
                athlete=athlete, day=day, screening=body, schema_fingerprint="f" * 64
            )
            record_answer(session, club_id, "key", screened, told(0.2, 0.1), NOW)
            last = 371 if number < 3 else 70
            outcomes = [
                Reported(
                    athlete=athlete, kind="check_in", side="both", first_day=day + timedelta(d - 6),
                    last_day=day + timedelta(d), details={"knee_problem": False},
                )
                for d in range(7, last + 1, 7)
            ]  # fmt: skip
            if number == 0:
                outcomes.append(Reported(
                    athlete=athlete, kind="knee_pain", side="left",
                    first_day=day + timedelta(15), last_day=day + timedelta(21),
                ))  # fmt: skip
            record_outcomes(session, club_id, "key", outcomes, NOW)
            trained = [Minutes(athlete=athlete, day=day + timedelta(d), minutes=60.0)
                       for d in range(0, 60, 3)]  # fmt: skip
            record_exposure(session, club_id, "key", trained, NOW)


@pytest.fixture(params=["sqlite", "postgres"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_records(request.param, tmp_path) as database:
        yield database


def test_a_club_becomes_a_cohort(records: Database) -> None:
    fill(records)
    fill(records, "River FC", day=date(2025, 3, 1))
    with records.reading() as session:
        cohort, account = cohort_of_records(session, {"Harbour FC": 1, "River FC": 2}, TODAY)
        alone, _ = cohort_of_records(session, {"Harbour FC": 1}, TODAY)
        with pytest.raises(RecordsFailed, match="no visit yet"):
            cohort_of_records(session, {"River FC": 2}, TODAY)
        short, _ = cohort_of_records(session, {"Harbour FC": 1}, TODAY, horizon_months=2)
    frame = cohort.frame
    assert frame["athlete_id"].tolist() == [f"Harbour FC/A{i}" for i in range(6)]
    assert set(frame["group"]) == {"Harbour FC"}
    assert alone.frame["athlete_id"].tolist() == [f"A{i}" for i in range(6)]
    assert "group" not in alone.frame
    assert frame["screening_date"].tolist() == ["2024-01-01"] * 6
    np.testing.assert_array_equal(frame["outcome_left"], [1, 0, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(frame["outcome_right"], [0, 0, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(frame["outcome_either"], [1, 0, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(short.frame["outcome_left"], [1, 0, 0, 0, 0, 0])
    assert short.weights() is None
    assert short.horizon_months == 2
    weights = frame["weight_left"].to_numpy()
    # Pain was told of before anybody was lost; who was free had to be watched for a year.
    assert 1.0 <= weights[0] < 1.3
    assert (weights[1:3] > weights[0] + 0.1).all()
    assert account.legs == {"pain": 1, "horizon": 5, "lost": 5, "not_at_risk": 1}
    assert (account.too_recent, account.known, account.events) == (6, 6, 1)
    assert account.effective < 6.0
    assert account.weighted_share < account.plain_share == pytest.approx(1 / 6)


def test_visits_of_one_day_and_other_screenings_are_left_out(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "club.sqlite"))
    database.upgrade()
    fill(database)
    with database.writing() as session:
        again = Screened(
            athlete="A1", day=VISIT, schema_fingerprint="f" * 64,
            screening={"athlete": {"age_years": 31.0, "sex": "male"}},
        )  # fmt: skip
        record_answer(session, 1, "key", again, told(0.3, 0.3), NOW)
        strange = replace(again, athlete="A9", screening={"athlete": {"shoe_size": 43}})
        record_answer(session, 1, "key", strange, told(0.3, 0.3), NOW)
        other = {"risk": NUMBERS | {"horizon_months": 6}}
        short = Told(version="v2", bundle_sha256="b" * 64, numbers=other)
    with database.reading() as session:
        cohort, account = cohort_of_records(session, {"Harbour FC": 1}, TODAY)
    assert cohort.frame.set_index("athlete_id")["age_years"]["A1"] == 31.0
    assert (account.repeated, account.unreadable, account.visits) == (1, 1, 6)
    with database.writing() as session:
        record_answer(session, 1, "key", again, short, NOW)
    with database.reading() as session, pytest.raises(RecordsFailed, match="--months"):
        cohort_of_records(session, {"Harbour FC": 1}, TODAY)
    database.close()


def test_the_command_writes_a_cohort_and_says_what_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KNEERISK_RECORDS", str(tmp_path / "club.sqlite"))
    database = Database(str(tmp_path / "club.sqlite"))
    database.upgrade()
    fill(database)
    for suffix in ("csv", "parquet"):
        out, weekly = tmp_path / f"club.{suffix}", tmp_path / f"weeks.{suffix}"
        command = ["records", "cohort", "--out", str(out), "--weeks", str(weekly)]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        cohort = read(out)
        weeks = read_weeks(weekly, cohort)
        # One knee hurt in the third week, five were free for 53, and five were lost after ten.
        assert (len(weeks.week), weeks.may_hurt.sum()) == (3 + 5 * 53 + 5 * 10, 1)
        assert weeks.week[weeks.may_hurt].tolist() == [3]
        # An hour on the day of the visit alone: a quarter of one a week over four weeks.
        assert weeks.minutes_at_visit.tolist() == [15.0] * 6
        assert (weeks.days.max(), weeks.days.min(), weeks.horizon_days) == (7.0, 1.0, 365)
        assert (cohort.kind, cohort.outcome_kind, cohort.horizon_months) == (
            "observed", "new_pain", 12,
        )  # fmt: skip
        assert cohort.weights() is not None
    for part in (
        "visits: 6, athletes: 6",
        "known outcome: 6",
        "stated end: 5",
        "visit: 1",
        "Weights 1.",
        "Follow-up was weekly: 318 weeks",
    ):
        assert part in done.output, done.output
    asked = ["records", "cohort", "--out", str(out), "--club", "Harbour FC", "--json"]
    counts = json.loads(CliRunner().invoke(app, asked).stdout)
    assert (counts["known"], counts["events"], counts["trimmed"]) == (6, 1, 0)
    assert [line.action for line in audit_lines(database)][-1] == "cohort_written"
    database.close()
    failed = CliRunner().invoke(app, [*asked[:-2], "Nobody FC"])
    assert failed.exit_code != 0


def test_weekly_questionnaires_become_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A1 has three painful weeks in the left knee, A2 a whole clean year, A3 stops in week 20."""
    monkeypatch.setenv("KNEERISK_RECORDS", str(tmp_path / "club.sqlite"))
    database = Database(str(tmp_path / "club.sqlite"))
    database.upgrade()
    body = {"athlete": {"age_years": 22.0, "sex": "male"}, "pain": {"left": {"pain_nrs": 0}}}
    lines = ["athlete_id,date,Knee_1,Knee_2,Knee_3,Knee_4"]
    with database.writing() as session:
        club = made_club(session, "Harbour FC", NOW)
        for athlete, weeks, painful in (("A1", 53, (10, 11, 12)), ("A2", 53, ()), ("A3", 20, ())):
            screened = Screened(
                athlete=athlete, day=VISIT, screening=body, schema_fingerprint="f" * 64
            )
            record_answer(session, club, "key", screened, told(0.2, 0.1), NOW)
            lines += [
                f"{athlete},{on(7 * week)}" + (",8" if week in painful else ",0") * 4
                for week in range(1, weeks + 1)
            ]
    database.close()
    (tmp_path / "weekly.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (tmp_path / "club.toml").write_text('[sides]\nA1 = "left"\n', "utf-8")
    logs = [str(tmp_path / "weekly.csv"), "--mapping", str(tmp_path / "club.toml")]
    for command in (
        ["outcomes", "import", *logs, "--club", "Harbour FC"],
        ["records", "cohort", "--out", str(tmp_path / "club.csv")],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    cohort = read(tmp_path / "club.csv")
    outcomes, weights = cohort.outcomes(), cohort.weights()
    np.testing.assert_array_equal(outcomes.left, [1, 0, np.nan])
    np.testing.assert_array_equal(outcomes.right, [0, 0, np.nan])
    np.testing.assert_array_equal(outcomes.either, [1, 0, np.nan])
    assert weights is not None
    # Pain was told of in week 10, and all three were followed till then.
    assert weights.left[0] < weights.left[1]
