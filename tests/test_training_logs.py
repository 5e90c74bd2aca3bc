"""Training logs: each maker's file gives the same load, and nothing after the screening counts."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_log_files import (
    SCREENED,
    SESSIONS,
    Session,
    apple,
    garmin,
    polar,
    strava,
    table,
    trainingpeaks,
    written,
)
from typer.testing import CliRunner

from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.training_logs import apple_health
from kneerisk.cohort.sheets.training_logs.load_table import told, write_loads
from kneerisk.cohort.sheets.training_logs.log_answer import LogAnswer, LogAsked, asked_of
from kneerisk.cohort.sheets.training_logs.log_cells import durations, numbers
from kneerisk.cohort.sheets.training_logs.read_log import read_training_logs
from kneerisk.cohort.sheets.undescribed_sheet import recognise, recognise_files
from kneerisk.errors import CohortRefused
from kneerisk.schema import Screening
from pipelines.__main__ import app

KNOWN = {"date": SCREENED.isoformat(), "athlete": "A"}


def read(*contents: bytes, **asked: Any) -> LogAnswer:
    return read_training_logs(contents, LogAsked.model_validate(KNOWN | asked))


def load(*contents: bytes, **asked: Any) -> dict[str, float]:
    """The settled measures of the only athlete."""
    (athlete,) = read(*contents, **asked).athletes
    settled: dict[str, float] = athlete.screening.get("athlete", {})
    return settled


def by_pandas(sessions: tuple[Session, ...], screened: date = SCREENED) -> dict[str, float]:
    """The same measures, worked out a second way: calendars of days, resampled and rolled."""
    frame = pd.DataFrame([(s.day, s.sport, s.km, s.minutes / 60, s.steps) for s in sessions],
                         columns=["day", "sport", "km", "hours", "steps"])  # fmt: skip
    frame["day"] = pd.to_datetime(frame["day"])
    frame = frame[frame["day"] < pd.Timestamp(screened)]
    runs = frame[frame["sport"] == "Run"]
    last = pd.Timestamp(screened) - pd.Timedelta(days=1)
    days = pd.date_range(end=last, periods=120)
    km = runs.groupby("day")["km"].sum().reindex(days, fill_value=0.0)
    longest = runs.groupby("day")["km"].max().reindex(days, fill_value=0.0)
    hours = frame.groupby("day")["hours"].sum().reindex(days, fill_value=0.0)
    lifts = (frame["sport"] == "Weight Training").groupby(frame["day"]).sum()
    recent = runs[runs["day"] > last - pd.Timedelta(days=28)]
    week = longest.iloc[-7:]
    before = longest[: week.idxmax() - pd.Timedelta(days=1)].iloc[-30:]
    four_weeks = km.rolling(28).sum().iloc[-1]
    return {
        "weekly_run_km": four_weeks / 4,
        "acwr_ratio": km.iloc[-7:].sum() / (four_weeks / 4),
        "training_hours_per_week": hours.rolling(28).sum().iloc[-1] / 4,
        "resistance_sessions_per_week": lifts.reindex(days, fill_value=0).iloc[-28:].sum() / 4,
        "longest_run_30d_km": longest.rolling(30).max().iloc[-1],
        "session_spike_ratio": week.max() / before.max(),
        "step_rate_spm": float(np.average(recent["steps"], weights=recent["hours"])),
        "run_speed_mps": recent["km"].sum() / recent["hours"].sum() / 3.6,
    }


WANTED = by_pandas(SESSIONS)
STEPS = {"step_rate_spm", "run_speed_mps"}
#: Each maker's file, and the measures that it can't tell.
MAKERS: dict[str, tuple[Callable[[], list[bytes]], set[str]]] = {
    "strava": (lambda: [strava()], set()),
    "strava in German": (lambda: [strava(language="de")], set()),
    "garmin": (lambda: [garmin()], set()),
    "polar": (lambda: [polar(one) for one in SESSIONS], set()),
    "apple_health": (lambda: [apple()], STEPS),
    "table": (lambda: [table()], STEPS),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_every_maker_s_log_gives_the_same_load(maker: str) -> None:
    contents, untold = MAKERS[maker]
    units = {"distance_unit": "km"} if maker == "garmin" else {}
    answer = read(*contents(), **units)
    assert answer.files[0].maker == maker.partition(" ")[0]
    assert answer.questions == []
    (athlete,) = answer.athletes
    wanted = {name: value for name, value in WANTED.items() if name not in untold}
    assert athlete.screening["athlete"] == pytest.approx(wanted, abs=0.051)
    assert athlete.later == 2
    # What it gives is a part of a screening.
    whole = {"athlete": {"age_years": 30, "sex": "female", **athlete.screening["athlete"]}}
    Screening.model_validate(whole)


def test_the_load_worked_out_by_hand() -> None:
    # Four weeks: 5 + 5 + 10 + 20 = 40 km in 4 hours; 20 km over 10 km, the longest of the days
    # before; one strength session in four weeks.
    sessions = (Session(1, "Run", 20.0, 120), Session(8, "Run", 10.0, 60),
                Session(15, "Run", 5.0, 30), Session(28, "Run", 5.0, 30),
                Session(29, "Run", 9.0, 50), Session(31, "Run", 8.0, 50),
                Session(10, "Weight Training", 0.0, 60), Session(60, "Ride", 40.0, 90))  # fmt: skip
    assert load(strava(sessions)) == {
        "weekly_run_km": 10.0, "acwr_ratio": 2.0, "training_hours_per_week": 1.25,
        "resistance_sessions_per_week": 0.25, "longest_run_30d_km": 20.0,
        "session_spike_ratio": 2.0,
    }  # fmt: skip
    (athlete,) = read(strava(sessions)).athletes
    told = {measure.measure: measure for measure in athlete.measures}
    assert (told["weekly_run_km"].first_day, told["weekly_run_km"].last_day) == (
        "2026-05-18", "2026-06-14",
    )  # fmt: skip
    assert told["longest_run_30d_km"].first_day == "2026-05-16"
    assert told["weekly_run_km"].sessions == 4
    assert [(week.run_km, week.runs) for week in athlete.weeks[-4:]] == [
        (5.0, 1), (5.0, 1), (10.0, 1), (20.0, 1),
    ]  # fmt: skip
    assert sum(week.run_km for week in athlete.weeks[-4:]) == 4 * told["weekly_run_km"].value


def test_a_plan_of_the_coming_week_is_the_next_long_run() -> None:
    found = load(trainingpeaks())
    assert found["next_long_run_km"] == 18.0
    assert found["session_spike_ratio"] == round(18.0 / WANTED["longest_run_30d_km"], 2)
    assert found["weekly_run_km"] == pytest.approx(WANTED["weekly_run_km"], abs=0.01)
    assert found["resistance_sessions_per_week"] == WANTED["resistance_sessions_per_week"]
    # A run that was done has no plan any more, whatever was planned for it.
    (file,) = read(trainingpeaks()).files
    assert {left.reason: left.count for left in file.left_out} == {"planned": 1}


class TestQuestions:
    def test_a_unit_that_the_file_does_not_state_is_asked_once(self) -> None:
        answer = read(garmin(), garmin(SESSIONS[:1]))
        assert [question.name for question in answer.questions] == ["distance_unit"]
        assert answer.questions[0].proposal == {"distance_unit": "km"}
        (athlete,) = answer.athletes
        settled = athlete.screening["athlete"]
        assert "weekly_run_km" not in settled
        assert "longest_run_30d_km" not in settled
        # A ratio of two runs and the hours are the same in any unit.
        assert {"session_spike_ratio", "training_hours_per_week"} <= set(settled)
        waiting = {told.measure for told in athlete.measures if told.waits_for == "distance_unit"}
        assert waiting == {"weekly_run_km", "longest_run_30d_km", "run_speed_mps"}

    def test_miles_are_proposed_where_the_pace_says_so(self) -> None:
        answer = read(garmin(miles=True))
        assert answer.questions[0].proposal == {"distance_unit": "mile"}
        found = load(garmin(miles=True), distance_unit="mile")
        assert found == pytest.approx(load(garmin(), distance_unit="km"), abs=0.02)

    def test_a_log_without_names_is_one_person_s_and_it_is_asked_whose(self) -> None:
        answer = read_training_logs([garmin()], LogAsked(distance_unit="km"))
        assert [question.name for question in answer.questions] == ["date", "athlete"]
        assert [athlete.athlete for athlete in answer.athletes] == [None]
        assert answer.athletes[0].screening == {}

    def test_days_that_the_log_does_not_reach_are_asked_about(self) -> None:
        short = strava(tuple(one for one in SESSIONS if one.days_before < 12))
        answer = read(short)
        assert [question.name for question in answer.questions] == ["outside"]
        settled = answer.athletes[0].screening["athlete"]
        assert set(settled) == STEPS
        empty = load(short, outside="no_training")
        assert empty["weekly_run_km"] == pytest.approx(
            sum(s.km for s in SESSIONS if s.sport == "Run" and 0 < s.days_before < 12) / 4, abs=0.01
        )
        assert set(load(short, outside="not_known")) == STEPS

    def test_an_old_log_is_asked_about_too(self) -> None:
        old = tuple(one for one in SESSIONS if one.days_before > 25)
        assert [q.name for q in read(strava(old)).questions] == ["outside"]
        # Where it goes on after the screening, weeks without a session were such weeks.
        assert read(strava((*old, SESSIONS[-1]))).questions == []

    def test_the_order_of_day_and_month_is_asked(self) -> None:
        rows = [["Date", "Run km", "Minutes"], ["3/6/2026", 8, 45], ["4/6/2026", 6, 33],
                ["5/5/2026", 6, 33], ["10/6/2026", 7, 40]]  # fmt: skip
        answer = read(written(rows))
        assert [question.name for question in answer.questions] == ["day_first"]
        assert answer.athletes[0].screening == {}
        found = load(written(rows), day_first=True)
        assert found["weekly_run_km"] == 5.25

    def test_a_table_without_a_sport_is_asked_what_it_is(self) -> None:
        rows = [["Day", "Distance (km)", "Minutes"],
                *[[one.day, one.km, one.minutes] for one in SESSIONS
                  if one.sport == "Run"]]  # fmt: skip
        answer = read(written(rows))
        assert [(q.name, q.proposal) for q in answer.questions] == [("sport", {"sport": "running"})]
        assert set(answer.athletes[0].screening["athlete"]) == {"training_hours_per_week"}
        found = load(written(rows), sport="running")
        assert found["weekly_run_km"] == pytest.approx(WANTED["weekly_run_km"], abs=0.01)
        assert "weekly_run_km" not in load(written(rows), sport="other")

    def test_a_word_that_may_be_running_is_asked_about(self) -> None:
        content = table().replace(b"Laufen", b"Vuelta")
        (question,) = read(content).questions
        assert (question.name, "Vuelta" in question.question) == ("sports", True)
        found = load(content, sports={"vuelta": "running"})
        assert found["weekly_run_km"] == pytest.approx(WANTED["weekly_run_km"], abs=0.01)

    @pytest.mark.parametrize(
        ("times", "minutes"),
        [(["0:45", "1:02", "0:33"], [45, 62, 33]), (["45:10", "62:00", "33:05"], [45, 62, 33]),
         (["45", "62", "33"], [45, 62, 33]), (["2700", "3720", "1980"], [45, 62, 33]),
         (["0.75", "1.03", "0.55"], [45, 62, 33]), (["45 min", "1h 2min", "33 min"], [45, 62, 33]),
         (["00:45:00", "1:02:00", "33:00"], [45, 62, 33]),
         (["PT45M", "PT1H2M", "PT33M"], [45, 62, 33])],
    )  # fmt: skip
    def test_how_times_are_meant_is_told_by_the_pace(
        self, times: list[str], minutes: list[int]
    ) -> None:
        days = [SCREENED - timedelta(days=at) for at in (2, 9, 40)]
        rows = [
            ["Date", "Sport", "Distance (km)", "Duration"],
            *[[day, "Run", km, t] for day, km, t in zip(days, (8, 11, 6), times, strict=True)],
        ]
        answer = read(written(rows))
        assert answer.questions == []
        hours = answer.athletes[0].screening["athlete"]["training_hours_per_week"]
        assert hours == pytest.approx((minutes[0] + minutes[1]) / 60 / 4, abs=0.011)

    def test_times_that_can_be_meant_two_ways_are_asked_about(self) -> None:
        rows = [["Date", "Type", "Duration"], [SCREENED - timedelta(days=2), "Yoga", "5:30"],
                [SCREENED - timedelta(days=40), "Yoga", "6:10"]]  # fmt: skip
        answer = read(written(rows))
        assert [question.name for question in answer.questions] == ["duration_unit"]
        assert load(written(rows), duration_unit="m:ss") == {"training_hours_per_week": 0.02}


class TestNothingLaterCounts:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 30), st.floats(1, 40)), max_size=8))
    def test_sessions_from_the_day_on_change_nothing(self, later: list[tuple[int, float]]) -> None:
        before = tuple(one for one in SESSIONS if one.days_before > 0)
        after = tuple(Session(-ahead, "Run", km, 6 * km) for ahead, km in later)
        assert load(strava((*before, *after))) == load(strava(before))

    @settings(max_examples=25, deadline=None)
    @given(st.permutations(SESSIONS))
    def test_the_order_of_rows_does_not_matter(self, sessions: list[Session]) -> None:
        assert load(table(tuple(sessions))) == load(table())

    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, len(SESSIONS) - 1))
    def test_a_file_in_two_gives_the_same(self, at: int) -> None:
        parts = (strava(SESSIONS[:at]), strava(SESSIONS[at:]))
        assert load(*parts) == load(strava())

    def test_a_file_or_a_session_that_is_there_twice_counts_once(self) -> None:
        assert load(strava(), strava()) == load(strava())
        rows = garmin().splitlines(keepends=True)
        again = b"".join([*rows, *rows[3:6]])
        answer = read(again, distance_unit="km")
        assert (
            answer.athletes[0].screening == read(garmin(), distance_unit="km").athletes[0].screening
        )
        assert {left.reason: left.count for left in answer.files[0].left_out} == {"repeated": 3}


class TestWhatIsLeftOut:
    def test_every_row_and_column_is_accounted_for(self) -> None:
        rows = strava().decode().splitlines()
        broken = "\n".join(
            [*rows, '2000,"Total",x,Run,,100,5.0,,,,,,,,,', '2001,"Jun 1, 2026",x,Run,,,,,,,,,,,,']
        )
        answer = read(broken.encode())
        (file,) = answer.files
        assert file.rows == file.sessions + sum(left.count for left in file.left_out)
        assert {left.reason: left.count for left in file.left_out} == {"no_day": 1, "empty": 1}
        assert [column.column for column in file.columns] == rows[0].split(",")
        assert [(s.word, s.kind) for s in file.sports] == [
            ("Run", "running"), ("Weight Training", "strength"), ("Ride", "other")
        ]  # fmt: skip

    def test_the_seconds_of_a_session_are_accounted_for(self) -> None:
        (file,) = read(polar(SESSIONS[0]), outside="not_known").files
        assert (file.rows, file.sessions) == (7, 1)
        assert {left.reason: left.count for left in file.left_out} == {"samples": 6}

    def test_a_ride_that_was_recorded_as_a_run_is_no_run(self) -> None:
        fast = (*SESSIONS, Session(4, "Run", 60.0, 90.0), Session(6, "Run", 300.0, 2000.0))
        answer = read(strava(fast))
        assert {left.reason: left.count for left in answer.files[0].left_out} == {"no_run": 2}
        found = answer.athletes[0].screening["athlete"]
        assert found["weekly_run_km"] == pytest.approx(WANTED["weekly_run_km"], abs=0.01)

    def test_nothing_is_said_of_strength_training_that_nobody_wrote_down(self) -> None:
        runs = tuple(one for one in SESSIONS if one.sport == "Run")
        assert "resistance_sessions_per_week" not in load(strava(runs))

    def test_a_value_that_no_athlete_has_is_left_out_and_told(self) -> None:
        much = tuple(Session(at, "Ride", 100.0, 1200.0) for at in range(1, 31))
        (athlete,) = read(strava(much)).athletes
        assert athlete.screening == {}
        assert any("Training hours" in note for note in athlete.notes)


SQUAD = [
    ["Date", "Player Name", "Session Title", "Type", "Distance (km)", "Duration (min)"],
    *[[one.day, name, "x", one.sport, one.km * factor, one.minutes]
      for name, factor in (("José Peña", 1.0), ("Bo Berg", 0.5)) for one in SESSIONS],
    [SCREENED - timedelta(days=6), "JOSE  PENA", "x", "Run", 1.0, 6.0],
]  # fmt: skip


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1970-01-01", "2101-01-01"])
def test_a_day_of_no_log_is_left_out(day: str) -> None:
    heading = "Date,Sport,Distance (km),Duration (min)\n"
    only = f"{heading}2026-06-14,Run,5,30\n".encode()
    answer = read(only + f"{day},Run,9,50\n".encode(), date=None)
    assert [athlete.sessions for athlete in answer.athletes] == [1]
    assert [(left.reason, left.count) for left in answer.files[0].left_out] == [("no_day", 1)]
    content = apple(SESSIONS[:2]).replace(str(SESSIONS[0].day).encode(), day.encode())
    assert read(content, date=None).files[0].left_out[0].count == 1


def test_a_squad_s_log_has_each_athlete_once() -> None:
    answer = read_training_logs([written(SQUAD)], LogAsked(date=SCREENED.isoformat()))
    assert answer.questions == []
    by_name = {one.athlete: one.screening["athlete"] for one in answer.athletes}
    assert set(by_name) == {"José Peña", "Bo Berg"}
    assert by_name["José Peña"]["weekly_run_km"] == pytest.approx(
        WANTED["weekly_run_km"] + 0.25, abs=0.01
    )
    assert by_name["Bo Berg"]["weekly_run_km"] == pytest.approx(
        WANTED["weekly_run_km"] / 2, abs=0.01
    )


def test_minutes_of_training_and_of_matches_add_up() -> None:
    exposure = (
        "date;player_id;team;match_day;training_minutes;match_minutes\n"
        "2026-06-08;1;A;0;90;0\n2026-06-09;1;A;1;30;90\n2026-06-09;2;A;0;60;\n"
    )
    answer = read(exposure.encode(), sport="other", outside="no_training", athlete=None)
    hours = {
        one.athlete: measure.value
        for one in answer.athletes
        for measure in one.measures
        if measure.measure == "training_hours_per_week"
    }
    assert hours == {"1": pytest.approx(0.88), "2": pytest.approx(0.25)}


def test_a_name_may_be_the_session_s() -> None:
    titles = [["Date", "Name", "Type", "Distance (km)"],
              *[[one.day, "Morning Run", one.sport, one.km] for one in SESSIONS]]  # fmt: skip
    assert [athlete.athlete for athlete in read(written(titles)).athletes] == ["A"]
    names = [
        ["Date", "Name", "Type", "Distance (km)"],
        *[[one.day, f"P{at % 2}", one.sport, one.km] for at, one in enumerate(SESSIONS)],
    ]
    assert [question.name for question in read(written(names)).questions] == ["athlete_column"]
    found = read(written(names), athlete_column=True)
    assert {athlete.athlete for athlete in found.athletes} == {"P0", "P1"}


class TestFiles:
    def test_an_archive_and_an_excel_file_are_read(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export_1/activities.csv", strava())
            archive.writestr("export_1/profile.csv", "a,b\n1,2\n")
        assert load(packed.getvalue()) == load(strava())
        health = io.BytesIO()
        with zipfile.ZipFile(health, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("apple_health_export/Export.xml", apple())
            archive.writestr("apple_health_export/export_cda.xml", "<x/>")
        assert load(health.getvalue()) == load(apple())
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in SQUAD:
            sheet.append([*row[:1], "A", *row[2:]] if row is not SQUAD[0] else row)
        content = io.BytesIO()
        book.save(content)
        assert load(content.getvalue())["weekly_run_km"] > 0

    def test_what_is_no_log_is_refused_in_words(self) -> None:
        with pytest.raises(CohortRefused, match="no file here is a training log"):
            read(b"Name,Age,Sex,SLR L\nA,25,f,70\n")
        with pytest.raises(CohortRefused, match="no row of the log is a session"):
            read(b"Date,Sport,Distance (km)\nx,Run,5\n")

    def test_a_log_among_sheets_says_what_it_is(self) -> None:
        for content in (garmin(), strava(), table()):
            with pytest.raises(CohortRefused, match="this is a training log"):
                recognise(content)

    def test_a_sheet_of_people_is_no_log(self) -> None:
        for heading in (
            "Player,Date,Age,Sex,Distance (km),SLR L", "Name,Date,Weekly distance (km)",
            "Name,Test,Date,Time,Mode", "Name,Date,KTW L (cm),Duration (min)",
        ):  # fmt: skip
            with pytest.raises(CohortRefused, match="no file here is a training log"):
                read(f"{heading}\nA,2026-06-01,25,f,70,70\n".encode())


ODD = ("", "--", "x", "1e309", "-5", "1,5", "1.234.567", "99:99:99", "1:2:3:4", "nan", "٣", "0",
       "Run", "1" * 50, "5,5 km", "12 mi", "1h", "PT", "0:00", "2026-06-01", "'")  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_odd_cells_end_nothing_and_no_row_is_lost(data: st.DataObject) -> None:
    maker = data.draw(st.sampled_from([strava, garmin, table, trainingpeaks]))
    delimiter = ";" if maker is table else ","
    rows = [line.split(delimiter) for line in maker().decode().splitlines()]
    for _ in range(data.draw(st.integers(1, 20))):
        row = rows[data.draw(st.integers(1, len(rows) - 1))]
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(st.sampled_from(ODD))
    try:
        answer = read("\n".join(map(delimiter.join, rows)).encode())
    except CohortRefused:
        return
    for file in answer.files:
        left_out = sum(left.count for left in file.left_out if left.reason != "no_run")
        assert file.rows == file.sessions + left_out


class TestAppleHealth:
    def test_an_entity_is_refused(self) -> None:
        bomb = '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
        with pytest.raises(CohortRefused, match="declares an entity"):
            read(apple(entity=bomb))

    def test_limits_are_counted_while_it_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apple_health, "MOST_WORKOUTS", 3)
        with pytest.raises(CohortRefused, match="more than 3 workouts"):
            read(apple())
        monkeypatch.setattr(apple_health, "MOST_BYTES", 1_000)
        with pytest.raises(CohortRefused, match="more than 1,000 bytes"):
            read(apple())

    def test_a_tag_that_is_never_closed_is_not_kept(self) -> None:
        def pieces() -> Any:
            yield b'<HealthData a="'
            fed = 0
            while True:
                fed += 1
                assert fed < 40, "it goes on reading"
                yield b"x" * 65_536

        with pytest.raises(CohortRefused, match="breaks off"):
            apple_health.workouts_of(pieces())

    @pytest.mark.parametrize(
        "content",
        [b"<?xml version='1.0'?><HealthData>", b"<?xml ?", b"<HealthData>" + b"<a>" * 99,
         b"<?xml version='1.0' encoding='utf-7'?><HealthData/>",
         b"<?xml version='1.0' encoding='none'?><HealthData/>",
         b"<?xml version='1.0'?><!DOCTYPE HealthData [%s]><HealthData/>"
         % b"".join(b"<!ATTLIST a b%d CDATA 'c'>" % at for at in range(1_001))]
    )  # fmt: skip
    def test_broken_xml_is_refused(self, content: bytes) -> None:
        with pytest.raises(CohortRefused):
            read(content)


class TestCells:
    @pytest.mark.parametrize(
        ("cells", "wanted"),
        [(["5.81", "4,808", "--"], [5.81, 4808, np.nan]), (["5,81", "4.808"], [5.81, 4808]),
         (["1,500", "11.18", "6.17"], [1500, 11.18, 6.17]), (["5,8 km", "6 km"], [5.8, 6]),
         (["1 200,5", "3"], [1200.5, 3]), (["12.345.678"], [12345678]),
         ([5, 6.5, ""], [5, 6.5, np.nan]),
         (["0,345", "0,5"], [0.345, 0.5]), (["1,2,3", "x", "."], [np.nan] * 3)],
    )  # fmt: skip
    def test_numbers(self, cells: list[Any], wanted: list[float]) -> None:
        np.testing.assert_equal(numbers(cells, commas_likely=False).values, wanted)

    def test_a_number_in_another_unit_than_the_others_is_none(self) -> None:
        read_cells = numbers(["5,5 km", "6 km", "12 mi", "7"], commas_likely=False)
        np.testing.assert_equal(read_cells.values, [5.5, 6, np.nan, 7])
        assert (read_cells.unit, read_cells.bad) == ("km", 1)

    def test_a_long_cell_takes_no_time(self) -> None:
        long = ["1 " * 50_000, "1h" * 50_000, "(" * 50_000, "9" * 100_000]
        assert numbers(long, commas_likely=False).bad == 3
        assert np.isnan(durations(long, None, commas_likely=False).seconds).all()


class TestCommandLine:
    def test_it_tells_the_load_and_writes_it_beside_a_squad_s_sheet(self, tmp_path: Path) -> None:
        (tmp_path / "activities.csv").write_bytes(strava())
        asked = asked_of({"date": SCREENED.isoformat(), "athlete": "=R1"}, [])
        answer = read_training_logs([tmp_path / "activities.csv"], asked)
        write_loads(answer, tmp_path / "load.csv")
        heading, row = (tmp_path / "load.csv").read_text("utf-8").splitlines()
        assert heading.startswith("athlete_id,screening_date,weekly_run_km")
        # Nothing is written that a spreadsheet would run.
        assert row.startswith("'=R1,2026-06-15,")
        again = recognise((tmp_path / "load.csv").read_bytes())
        assert {column.confidence for column in again.columns} == {"certain"}
        assert "Running per week: " in told(answer)

    def test_nothing_is_written_while_a_question_is_open(self, tmp_path: Path) -> None:
        answer = read(garmin())
        with pytest.raises(CohortRefused, match="--answer distance_unit=mile"):
            write_loads(answer, tmp_path / "load.csv")
        assert not (tmp_path / "load.csv").exists()
        assert "--answer distance_unit=km" in told(answer)

    def test_answers_are_taken_as_they_are_written(self) -> None:
        answers = ["day_first=true", "sports.Padel=other", "outside=not_known"]
        asked = asked_of({"date": None, "athlete": "A"}, answers)
        assert asked == LogAsked(
            athlete="A", day_first=True, sports={"Padel": "other"}, outside="not_known"
        )
        with pytest.raises(CohortRefused, match="distance_unit"):
            asked_of({}, ["distance_unit=yards"])
        with pytest.raises(CohortRefused, match="day is out of range"):
            asked_of({"date": "2026-02-30"}, [])

    def test_a_large_export_is_read_from_disk_piece_by_piece(self, tmp_path: Path) -> None:
        (tmp_path / "export.xml").write_bytes(apple())
        answer = read_training_logs([tmp_path / "export.xml"], LogAsked.model_validate(KNOWN))
        assert answer.athletes[0].screening["athlete"] == load(apple())
        with pytest.raises(CohortRefused, match="can't be read"):
            read_training_logs([tmp_path / "none.csv"])


class TestAmongASquadsFiles:
    PEOPLE = (
        b"Player,Screened,Sex,Age,KTW L (cm)\nJose Pena,2026-06-15,m,25,11\n"
        b"Bo Berg,2026-06-10,m,24,10\nCy Roe,2026-06-15,f,22,9\n"
    )

    def squad(self, log: bytes, **stated: Any) -> SheetAnswer:
        files = [SquadFile("people.csv", self.PEOPLE), SquadFile("log.csv", log)]
        return recognise_files(files, SheetAsked.model_validate(stated))

    def test_each_athlete_has_the_load_before_their_own_screening(self) -> None:
        answer = self.squad(written(SQUAD))
        rows = {row.athlete: (row.screening or {}).get("athlete", {}) for row in answer.rows}
        assert rows["Jose Pena"]["weekly_run_km"] == pytest.approx(
            WANTED["weekly_run_km"] + 0.25, abs=0.01
        )
        earlier = by_pandas(SESSIONS, date(2026, 6, 10))["weekly_run_km"] / 2
        assert rows["Bo Berg"]["weekly_run_km"] == pytest.approx(earlier, abs=0.01)
        assert "weekly_run_km" not in rows["Cy Roe"]
        assert not [column for column in answer.columns if column.question]

    def test_a_unit_that_is_open_is_asked_of_the_columns_that_it_is_about(self) -> None:
        content = written([[*row[:4], row[4], row[5]] for row in SQUAD]).replace(b" (km)", b"")
        answer = self.squad(content)
        asked = {column.means for column in answer.columns if column.question}
        assert "weekly_run_km" in asked
        assert "training_hours_per_week" not in asked

    def test_without_a_date_of_a_screening_it_is_refused(self) -> None:
        files = [SquadFile("a.csv", b"Player,Sex,Age,KTW L (cm)\nBo Berg,m,25,11\n"),
                 SquadFile("log.csv", written(SQUAD))]  # fmt: skip
        with pytest.raises(CohortRefused, match="needs the dates of the screenings"):
            recognise_files(files, SheetAsked())


def test_the_documentation_s_example_gives_what_it_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/training-logs.md").read_text("utf-8")
    (content,) = re.findall(r"^```csv\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (command,) = re.findall(r"^kneerisk ingest log runs.csv (.*)$", page, re.MULTILINE)
    (tmp_path / "runs.csv").write_text(content)
    ended = CliRunner().invoke(app, ["ingest", "log", str(tmp_path / "runs.csv"), *command.split()])
    assert ended.exit_code == 0
    assert [line for line in shown.splitlines() if line not in ended.output] == []
    names = {*LogAsked.model_fields} - {"sports"}
    assert [name for name in names if f"`{name}`" not in page] == []
    told = read((tmp_path / "runs.csv").read_bytes(), outside="no_training")
    assert {one.measure for one in told.athletes[0].measures} <= set(re.findall(r"`(\w+)`", page))
