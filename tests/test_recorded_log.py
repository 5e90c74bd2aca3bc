"""Outcome logs in the records: in the agreed rows, all or none, and once however often imported."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_outcome_logs import CLEAN, SORE, read, weekly
from test_outcome_logs import TestInjurytools as Injurytools
from test_outcome_reports import NOW, club_of, held, records, server

from kneerisk.errors import CohortRefused
from kneerisk.records.audit import COMMAND, audit_lines
from kneerisk.records.database import Database, RecordsFailed
from kneerisk.records.followed_legs import followed_legs
from kneerisk.records.personal_data import everything_about
from kneerisk.records.recorded_log import record_log
from kneerisk.records.visit_records import Screened, Told, record_answer
from pipelines import __main__ as cli

__all__ = ["records", "server"]
CLUB = "Harbour FC"
EXPOSURE = "person_id,date,time_expo\nA1,2025-01-07,1.5\nA1,2025-01-07,0.5\nA2,2025-01-08,1\n"
SAID: dict[str, Any] = {"sides": {"A1": "right"}, "exposure_unit": "hours"}


class TestRows:
    def test_events_and_check_ins_are_rows_of_the_records(self, records: Database) -> None:
        club = club_of(records)
        counts = record_log(records, CLUB, read(weekly(CLEAN, SORE, CLEAN), EXPOSURE, **SAID), NOW)
        assert (counts.events, counts.check_ins, counts.exposure_days) == (1, 3, 2)
        assert (counts.known, counts.updated, counts.athletes) == (0, 0, 2)
        rows = held(records, club, "A1")
        [pain] = [row for row in rows if row["kind"] == "knee_pain"]
        assert (pain["side"], pain["first_day"], pain["last_day"]) == (
            "right", "2025-01-07", "2025-01-13",
        )  # fmt: skip
        assert pain["details"] == {
            "course": "new", "last_reported": "2025-01-13", "free_by": "2025-01-14",
            "severity": 16.0,
        }  # fmt: skip
        check_ins = [row for row in rows if row["kind"] == "check_in"]
        assert [row["details"]["knee_problem"] for row in check_ins] == [False, True, False]
        assert [row["details"]["q1"] for row in check_ins] == [0, 8, 0]
        assert (check_ins[0]["first_day"], check_ins[0]["last_day"]) == ("2024-12-31", "2025-01-06")
        with records.reading() as session:
            found = everything_about(session, club, "A1")
        assert found is not None
        assert found["exposure"] == [{"day": "2025-01-07", "minutes": 120.0}]

    def test_what_was_there_first_and_stated_periods_say_so(self, records: Database) -> None:
        heading = "person_id,t0,tf,date_injured,date_recovered,status,osiics_code,side\n"
        log = read(f"{heading}p1,2017-07-01,2018-06-30,2017-07-01,2017-07-11,1,KT2,left\n"
                   "p1,2017-07-01,2018-06-30,NA,NA,0,NA,NA\n")  # fmt: skip
        club = club_of(records)
        assert record_log(records, CLUB, log, NOW).followed == 1
        rows = {row["kind"]: row for row in held(records, club, "p1")}
        assert rows["knee_pain"]["details"]["onset_earliest_unknown"] is True
        assert rows["knee_pain"]["details"]["course"] == "at_first_report"
        period = rows["followed"]
        assert (period["first_day"], period["last_day"]) == ("2017-07-01", "2018-06-30")
        assert rows["end_of_follow_up"]["first_day"] == "2018-06-30"

    def test_they_are_what_becomes_of_a_knee(self, records: Database) -> None:
        club = club_of(records)
        knee = {"probability": 0.2, "interval": [0.1, 0.3]}
        told = {"risk": {"outcome_kind": "new_pain", "horizon_months": 12, "left": knee,
                         "right": knee}}  # fmt: skip
        with records.writing() as session:
            record_answer(
                session, club, "key",
                Screened(athlete="A1", day=date(2025, 1, 6), schema_fingerprint="f", screening={
                    "pain": {"left": {"pain_nrs": 0}, "right": {"pain_nrs": 0}}}),
                Told(version="v1", bundle_sha256="b", numbers=told), NOW,
            )  # fmt: skip
        record_log(records, CLUB, read(weekly(CLEAN, SORE), **SAID), NOW)
        with records.reading() as session:
            legs = {leg.side: leg for leg in followed_legs(session, club, NOW.date())}
        assert legs["right"].outcome == 1
        assert legs["right"].onset == (date(2025, 1, 7), date(2025, 1, 13))
        assert legs["left"].outcome is None


class TestOnce:
    def test_imported_again_nothing_is_doubled(self, records: Database) -> None:
        club = club_of(records)
        log = read(weekly(CLEAN, SORE), EXPOSURE, Injurytools.INJ, **SAID, side="unknown",
                   knee_onset="gradual")  # fmt: skip
        first = record_log(records, CLUB, log, NOW)
        rows = held(records, club, "A1")
        again = record_log(records, CLUB, log, NOW)
        assert held(records, club, "A1") == rows
        assert again.known == first.events + first.check_ins + first.followed > 0
        assert (again.updated, again.changed_days, first.changed_days) == (0, 0, 2)

    def test_a_season_that_went_on_is_gone_on_with(self, records: Database) -> None:
        club = club_of(records)
        record_log(records, CLUB, read(weekly(CLEAN, SORE), **SAID), NOW)
        longer = record_log(records, CLUB, read(weekly(CLEAN, SORE, SORE, CLEAN), **SAID), NOW)
        assert (longer.events, longer.check_ins, longer.known, longer.updated) == (1, 4, 2, 1)
        [pain] = [row for row in held(records, club, "A1") if row["kind"] == "knee_pain"]
        assert pain["details"]["last_reported"] == "2025-01-20"
        assert pain["details"]["free_by"] == "2025-01-21"

    def test_one_event_in_two_files_is_one(self, records: Database) -> None:
        club = club_of(records)
        cases = "athlete,date,problem,side\nA1,2025-03-01,knee pain,left\n"
        more = "athlete,date,problem,side,days_lost\nA1,2025-03-01,knee pain,left,4\n"
        log = read(cases, more, knee_onset="gradual")
        assert record_log(records, CLUB, log, NOW).events == 1
        assert record_log(records, CLUB, log, NOW).known == 1
        [pain] = held(records, club, "A1")
        assert pain["details"]["days_lost"] == 4


class TestRefusals:
    def test_names_are_no_ids_and_nothing_is_written(self, records: Database) -> None:
        club = club_of(records)
        rows = "athlete,date,problem,side\nA1,2025-03-01,knee pain,left\n"
        names = "Zoe Quux,2025-03-01,knee pain,left\nZoe Quux,2025-04-01,knee pain,left\n"
        log = read(rows + names, knee_onset="gradual")
        with pytest.raises(CohortRefused, match=r"1 ids .* 1\.csv:3") as refused:
            record_log(records, CLUB, log, NOW)
        assert "Quux" not in str(refused.value)
        with records.reading() as session:
            assert everything_about(session, club, "A1") is None
        assert audit_lines(records) == []

    def test_a_club_that_is_not_there_gets_nothing(self, records: Database) -> None:
        with pytest.raises(RecordsFailed, match="no such club"):
            record_log(records, "Other FC", read(weekly(CLEAN), **SAID), NOW)
        assert audit_lines(records) == []


class TestTheCommand:
    @pytest.fixture
    def run(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> Any:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KNEERISK_RECORDS", str(tmp_path / "club.sqlite"))
        database = Database(str(tmp_path / "club.sqlite"))
        database.upgrade()
        club_of(database)
        database.close()
        (tmp_path / "weekly.csv").write_text(weekly(CLEAN, SORE))
        (tmp_path / "club.toml").write_text('[sides]\nA1 = "right"\n')

        def kneerisk(*arguments: str) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["kneerisk", "outcomes", "import", *arguments])
            with pytest.raises(SystemExit) as ended:
                cli.main()
            out, err = capsys.readouterr()
            return int(ended.value.code or 0), out, err

        return kneerisk

    def test_it_says_what_is_kept_and_who_is_not_known(self, run: Any, tmp_path: Path) -> None:
        asked = ("weekly.csv", "--mapping", "club.toml", "--club", CLUB)
        code, out, _ = run(*asked)
        assert code == 0
        assert "1 events, 2 check-ins" in out
        assert "1 of the athletes have no visit" in out
        code, out, _ = run(*asked, "--out", "events.csv", "--json")
        assert code == 0
        assert (tmp_path / "events.csv").exists()
        counted = json.loads(out)["recorded"]
        assert counted["known"] == counted["events"] + counted["check_ins"] == 3
        database = Database(str(tmp_path / "club.sqlite"))
        lines = [(line.actor, line.action) for line in audit_lines(database)]
        database.close()
        assert lines.count((COMMAND, "outcomes_imported")) == 2

    def test_it_has_to_know_where_to_and_what_is_open(
        self, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, _, err = run("weekly.csv", "--mapping", "club.toml")
        assert (code, "--club" in err) == (1, True)
        assert run("weekly.csv", "--club", CLUB)[0] == 1  # which knee is asked
        code, _, err = run("weekly.csv", "--mapping", "club.toml", "--club", "X", "--out", "e.csv")
        assert (code, "no such club" in err) == (1, True)
        assert not (tmp_path / "e.csv").exists()
        database = Database(str(tmp_path / "club.sqlite"))
        assert audit_lines(database) == []
        database.close()
        monkeypatch.delenv("KNEERISK_RECORDS")
        code, _, err = run("weekly.csv", "--mapping", "club.toml", "--club", CLUB)
        assert (code, "No records are kept" in err) == (1, True)
