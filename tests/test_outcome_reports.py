"""Reports of outcomes: what is refused, all at once, and what is kept once however often sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from postgres import postgres, programs
from sqlalchemy import NullPool, create_engine, text

from kneerisk.errors import Fault
from kneerisk.records.audit import audit_lines
from kneerisk.records.clubs import made_club
from kneerisk.records.database import Database, url_of
from kneerisk.records.known_outcomes import Kept
from kneerisk.records.outcome_report import MOST_OUTCOMES, OutcomeReports
from kneerisk.records.personal_data import everything_about
from kneerisk.records.reported_outcomes import OutcomesRefused, keep_reports
from kneerisk.records.visit_records import Minutes, Screened, Told, record_answer, record_exposure
from kneerisk.schema.faults import FaultCode
from serving.body_validation import check_body
from serving.problem import Refusal
from serving.request_examples import OUTCOMES

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = date(2026, 5, 4)
CANARY = "zq190437"
PAIN: dict[str, Any] = {
    "athlete": "A7", "kind": "knee_pain", "side": "left", "first_day": "2026-05-04",
}  # fmt: skip
CLEAN: dict[str, Any] = {
    "athlete": "A7", "kind": "check_in", "first_day": "2026-05-11", "last_day": "2026-05-17",
    "knee_problem": False,
}  # fmt: skip
POSTGRES = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


def faults(*outcomes: Any) -> dict[str, str]:
    """The codes of a body's faults, by pointer."""
    found: list[Fault] = []
    try:
        check_body(json.dumps({"outcomes": outcomes}).encode(), OutcomeReports)
    except Refusal as refusal:
        found = refusal.faults
    assert CANARY not in json.dumps([fault.message for fault in found])
    assert all(fault.message for fault in found)
    return {fault.pointer.removeprefix("/outcomes"): fault.code for fault in found}


class TestFaults:
    def test_a_sound_report_has_none(self) -> None:
        assert faults(PAIN, CLEAN) == {}
        assert faults() == {}
        assert faults(*OUTCOMES["outcomes"]) == {}
        assert faults(CLEAN | {"side": "left", "answers": [0, 8, 17, 25.0], "severity": 0}) == {}

    @pytest.mark.parametrize(
        ("changes", "place", "code"),
        [
            ({"athlete": None}, "athlete", FaultCode.WHOSE),
            ({"athlete": f"Tom {CANARY}"}, "athlete", FaultCode.NOT_AN_ID),
            ({"athlete": 7}, "athlete", FaultCode.NOT_TEXT),
            ({"answer_id": CANARY}, "answer_id", FaultCode.NO_SUCH_ANSWER),
            ({"kind": CANARY}, "kind", "literal_error"),
            ({"kind": None}, "kind", "literal_error"),
            ({"side": None}, "side", FaultCode.MISSING),
            ({"side": "middle"}, "side", "literal_error"),
            ({"first_day": "04.05.2026"}, "first_day", FaultCode.NOT_A_DATE),
            ({"first_day": "2026-02-30"}, "first_day", FaultCode.NOT_A_DATE),
            ({"first_day": "2999-01-01"}, "first_day", FaultCode.STILL_TO_COME),
            ({"last_day": "2026-05-03"}, "last_day", FaultCode.NOT_IN_ORDER),
            ({"free_by": "2026-05-03"}, "free_by", FaultCode.NOT_IN_ORDER),
            ({"last_reported": "2026-05-03"}, "last_reported", FaultCode.NOT_IN_ORDER),
            ({"course": "old"}, "course", "literal_error"),
            ({"severity": 101}, "severity", "less_than_equal"),
            ({"severity": "bad"}, "severity", FaultCode.NOT_A_NUMBER),
            ({"days_lost": -1}, "days_lost", "greater_than_equal"),
            ({"days_lost": 1.5}, "days_lost", FaultCode.NOT_A_NUMBER),
            ({"code": f"{CANARY}!"}, "code", FaultCode.NOT_A_CODE),
            ({"knee_problem": True}, "knee_problem", FaultCode.NOT_OF_THIS_KIND),
            ({"answers": [0, 0, 0, 0]}, "answers", FaultCode.NOT_OF_THIS_KIND),
            ({CANARY: 1}, CANARY, FaultCode.UNKNOWN_NAME),
        ],
    )
    def test_of_an_event(self, changes: dict[str, Any], place: str, code: str) -> None:
        assert faults(PAIN | changes) == {f"/0/{place}": code}

    @pytest.mark.parametrize(
        ("changes", "place", "code"),
        [
            ({"knee_problem": None}, "knee_problem", FaultCode.MISSING),
            ({"knee_problem": "no"}, "knee_problem", FaultCode.NOT_A_BOOLEAN),
            ({"course": "new"}, "course", FaultCode.NOT_OF_THIS_KIND),
            ({"code": "KXX"}, "code", FaultCode.NOT_OF_THIS_KIND),
            ({"answers": [0, 0, 0]}, "answers", FaultCode.NOT_FOUR),
            ({"answers": [0, 0, 0, 26]}, "answers/3", "less_than_equal"),
        ],
    )
    def test_of_a_check_in(self, changes: dict[str, Any], place: str, code: str) -> None:
        assert faults(CLEAN | changes) == {f"/0/{place}": code}

    def test_all_of_a_body_are_told_at_once(self) -> None:
        told = faults(
            PAIN, {"kind": "surgery", "first_day": "x"}, 7, CLEAN | {"last_day": "2026-05-01"},
            {"kind": "end_of_follow_up", "first_day": "2026-05-01", "severity": 200},
        )  # fmt: skip
        assert told == {
            "/1/athlete": "whose", "/1/side": "missing", "/1/first_day": "not_a_date",
            "/2": "not_an_object", "/3/last_day": "not_in_order", "/4/athlete": "whose",
            "/4/severity": "less_than_equal",
        }  # fmt: skip

    def test_of_the_body_itself(self) -> None:
        for body, place, code in (
            ({}, "/outcomes", "missing"), ({"outcomes": {}}, "/outcomes", "not_a_list"),
            ({"outcomes": [PAIN] * (MOST_OUTCOMES + 1)}, "/outcomes", "too_long"),
            ({"outcomes": [], "x": 1}, "/x", "unknown_name"),
        ):  # fmt: skip
            with pytest.raises(Refusal) as refused:
                check_body(json.dumps(body).encode(), OutcomeReports)
            assert [(f.pointer, f.code) for f in refused.value.faults] == [(place, code)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    where = programs()
    assert where is not None
    with postgres(where) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=POSTGRES)])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(str(tmp_path / "club.sqlite"))
    else:
        url: str = request.getfixturevalue("server")
        with create_engine(url_of(url), poolclass=NullPool).connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            connection.commit()
        database = Database(url)
    database.upgrade()
    yield database
    database.close()


def club_of(records: Database, name: str = "Harbour FC") -> int:
    with records.writing() as session:
        return made_club(session, name, NOW)


def answer_of(records: Database, club: int, athlete: str = "A7") -> str:
    screened = Screened(athlete=athlete, day=DAY, screening={}, schema_fingerprint="f")
    with records.writing() as session:
        told = Told(version="v1", bundle_sha256="b", numbers={})
        return record_answer(session, club, "key", screened, told, NOW)


def sent(records: Database, club: int, *outcomes: Any) -> list[Kept]:
    reports = check_body(json.dumps({"outcomes": outcomes}).encode(), OutcomeReports).outcomes
    with records.writing() as session:
        return keep_reports(session, club, "key", reports, NOW)


def held(records: Database, club: int, athlete: str = "A7") -> list[dict[str, Any]]:
    with records.reading() as session:
        found = everything_about(session, club, athlete)
    assert found is not None
    outcomes: list[dict[str, Any]] = found["outcomes"]
    return outcomes


class TestKeeping:
    def test_an_outcome_finds_its_athlete_by_id_or_by_answer(self, records: Database) -> None:
        club = club_of(records)
        answer_id = answer_of(records, club)
        by_answer = {k: v for k, v in PAIN.items() if k != "athlete"} | {"answer_id": answer_id}
        more = {"code": "KXX", "days_lost": 3, "severity": 33, "free_by": "2026-05-20"}
        sent(records, club, by_answer | more, CLEAN)
        pain, clean = held(records, club)
        assert pain["answer_id"] == answer_id
        assert pain["details"].items() >= (more | {"course": "new"}).items()
        assert (pain["side"], pain["first_day"], pain["last_day"]) == (
            "left", "2026-05-04", "2026-05-04",
        )  # fmt: skip
        assert (clean["kind"], clean["side"]) == ("check_in", "both")
        assert clean["details"] == {"knee_problem": False, "says": "nothing_new"}

    def test_sent_again_it_is_kept_once(self, records: Database) -> None:
        club = club_of(records)
        first = sent(records, club, PAIN, CLEAN)
        assert [one.status for one in first] == ["kept", "kept"]
        again = sent(records, club, CLEAN, PAIN, PAIN)
        assert [one.status for one in again] == ["known"] * 3
        assert [one.id for one in again] == [first[1].id, first[0].id, first[0].id]
        # What has gone on since is said anew; another knee or another day is another event.
        [over] = sent(records, club, PAIN | {"free_by": "2026-05-20"})
        assert over == (first[0].id, "updated")
        other = [PAIN | {"side": "right"}, PAIN | {"first_day": "2026-05-05"},
                 CLEAN | {"knee_problem": True}]  # fmt: skip
        assert [one.status for one in sent(records, club, *other)] == ["kept"] * 3
        assert len(held(records, club)) == 5
        told = [
            one["details"]["free_by"] for one in held(records, club) if "free_by" in one["details"]
        ]
        assert told == ["2026-05-20"]

    def test_sent_many_times_at_once_it_is_kept_once(self, records: Database) -> None:
        club, start = club_of(records), threading.Barrier(8)

        def send(number: int) -> list[str]:
            both = [PAIN, PAIN | {"athlete": "A8"}]
            start.wait()
            return [one.id for one in sent(records, club, *(both[::-1] if number % 2 else both))]

        with ThreadPoolExecutor(8) as threads:
            ids = {one for found in threads.map(send, range(8)) for one in found}
        assert len(ids) == 2

    def test_an_answer_of_another_club_or_athlete_is_refused_with_its_place(
        self, records: Database
    ) -> None:
        club, river = club_of(records), club_of(records, "River FC")
        mine, foreign = answer_of(records, club), answer_of(records, river)
        unknown = "0" * 8 + "-0000-0000-0000-" + "0" * 12
        with pytest.raises(OutcomesRefused) as refused:
            sent(records, club, PAIN, PAIN | {"answer_id": foreign}, PAIN | {"answer_id": unknown},
                 PAIN | {"athlete": "A8", "answer_id": mine})  # fmt: skip
        told = [(fault.pointer, fault.code, fault.message) for fault in refused.value.faults]
        assert [(pointer, code) for pointer, code, _ in told] == [
            ("/outcomes/1/answer_id", "no_such_answer"),
            ("/outcomes/2/answer_id", "no_such_answer"),
            ("/outcomes/3/athlete", "another_athlete"),
        ]
        # Nothing tells an answer of another club from one that is nobody's.
        assert told[0][2] == told[1][2]
        assert held(records, club) == []
        assert [line.action for line in audit_lines(records)] == ["answer_recorded"] * 2

    def test_minutes_are_one_number_a_day(self, records: Database) -> None:
        club = club_of(records)
        answer_of(records, club)
        twice = [Minutes(athlete="A7", day=DAY, minutes=30.0)] * 2
        later = Minutes(athlete="A7", day=DAY + timedelta(1), minutes=45.0)

        def kept(*minutes: Minutes) -> int:
            with records.writing() as session:
                return record_exposure(session, club, "key", minutes, NOW)

        assert [kept(*twice, later), kept(*twice, later), kept(later)] == [2, 0, 0]
        assert kept(Minutes(athlete="A7", day=DAY, minutes=75.0)) == 1
        with records.reading() as session:
            found = everything_about(session, club, "A7")
        assert found is not None
        assert [row["minutes"] for row in found["exposure"]] == [75.0, 45.0]
