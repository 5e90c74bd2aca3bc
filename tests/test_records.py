"""A club's records: what is kept of whom, who sees it, and that it can go; on both databases."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from postgres import postgres, programs
from sqlalchemy import NullPool, create_engine, func, select, text
from typer.testing import CliRunner

from kneerisk.records import personal_data, weekly_follow_up
from kneerisk.records import visit_records as athletes
from kneerisk.records.access_keys import add_key, caller_of, list_keys, revoke_key
from kneerisk.records.audit import audit_lines, note
from kneerisk.records.backup import back_up, restore
from kneerisk.records.clubs import club_id_of, made_club
from kneerisk.records.database import Database, RecordsFailed, url_of
from kneerisk.records.follow_up_states import HeardOf, page_of_athletes
from kneerisk.records.roles import Role
from kneerisk.records.tables import Answer, Athlete, Audit, Table
from pipelines.__main__ import app

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)
CANARY = "canary-3f9d"
TOLD = athletes.Told(version="v1", bundle_sha256="b" * 64, numbers={"left": {"per_100": 12}})
PAIN = athletes.Reported(
    athlete="A7", kind="knee_pain", side="left", first_day=DAY, last_day=DAY + timedelta(7)
)

POSTGRES = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
BOTH = ("sqlite", pytest.param("postgres", marks=POSTGRES))


def screened(athlete: str = "A7", **screening: object) -> athletes.Screened:
    return athletes.Screened(
        athlete=athlete, day=DAY, screening=screening or {"age_years": 24},
        schema_fingerprint="f" * 64,
    )  # fmt: skip


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    where = programs()
    assert where is not None
    with postgres(where) as url:
        yield url


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """No tables yet."""
    if request.param == "sqlite":
        database = Database(str(tmp_path / "records" / "club.sqlite"))
    else:
        url: str = request.getfixturevalue("server")
        with create_engine(url_of(url), poolclass=NullPool).connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            connection.commit()
        database = Database(url)
    yield database
    database.close()


@pytest.fixture
def records(empty: Database) -> Database:
    empty.upgrade()
    return empty


@pytest.fixture
def club(records: Database) -> int:
    with records.writing() as session:
        return made_club(session, "Harbour FC", NOW)


def kept(records: Database, club: int, athlete: str = "A7") -> dict | None:
    with records.reading() as session:
        return personal_data.everything_about(session, club, athlete)


def record(records: Database, club: int, what: athletes.Screened, **more: str) -> str:
    with records.writing() as session:
        return athletes.record_answer(session, club, "key", what, TOLD, NOW, **more)


@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestTables:
    def test_migrations_make_the_tables_of_the_program(self, records: Database) -> None:
        with create_engine(records.url, poolclass=NullPool).connect() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, Table.metadata) == []

    def test_upgrading_again_changes_nothing(self, records: Database, club: int) -> None:
        before = records.revision()
        records.upgrade()
        assert records.revision() == before
        with records.reading() as session:
            assert club_id_of(session, "Harbour FC") == club

    def test_no_tables_or_other_ones_are_refused(self, empty: Database) -> None:
        with pytest.raises(RecordsFailed, match="records upgrade"):
            empty.require_current()

    def test_the_audit_can_t_be_changed(self, records: Database, club: int) -> None:
        with records.writing() as session:
            note(session, NOW, club, "key", "looked", 1)
        for change in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
            with pytest.raises(RecordsFailed), records.writing() as session:
                session.execute(text(change))
        assert [line.action for line in audit_lines(records)] == ["looked"]

    def test_a_refusal_of_the_database_repeats_no_value(self, records: Database, club: int) -> None:
        with pytest.raises(RecordsFailed) as refused, records.writing() as session:
            session.execute(
                text("INSERT INTO club (id, name, created_at) VALUES (:id, :name, NULL)"),
                {"id": club, "name": CANARY},
            )
        assert CANARY not in str(refused.value)
        assert refused.value.__cause__ is None


def test_only_the_owner_reads_a_sqlite_file(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "club.sqlite"))
    database.upgrade()
    assert (tmp_path / "club.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("address", ["mysql://host/club", "postgresql://host", "http://a/b", "://"])
def test_another_kind_of_address_is_refused(address: str) -> None:
    with pytest.raises(RecordsFailed, match="KNEERISK_RECORDS is neither"):
        Database(address)


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_a_server_that_is_not_there_is_said_without_its_password(tmp_path: Path) -> None:
    database = Database(f"postgresql://me:{CANARY}@/club?host={tmp_path}")
    with pytest.raises(RecordsFailed) as refused:
        database.upgrade()
    assert CANARY not in str(refused.value)
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestKeys:
    def test_a_key_opens_its_club_until_it_ends(self, records: Database) -> None:
        end = NOW + timedelta(days=30)
        key = add_key(records, "Harbour FC", Role.WRITE, NOW, end)
        other = add_key(records, "River FC", Role.READ, NOW)
        with records.reading() as session:
            caller = caller_of(session, key, NOW)
            assert caller is not None
            assert caller.role is Role.WRITE
            assert caller.club_id == club_id_of(session, "Harbour FC")
            foreign = caller_of(session, other, NOW)
            assert foreign is not None
            assert foreign.club_id == club_id_of(session, "River FC") != caller.club_id
            assert caller_of(session, key, end - timedelta(seconds=1)) == caller
            assert caller_of(session, key, end) is None

    def test_its_secret_is_kept_as_a_hash_alone(self, records: Database, tmp_path: Path) -> None:
        key = add_key(records, "Harbour FC", Role.ADMIN, NOW)
        back_up(records, tmp_path / "backup.gz")
        secret = key.split("_", 2)[2]
        assert secret.encode() not in gzip.decompress((tmp_path / "backup.gz").read_bytes())
        assert secret not in repr(list_keys(records)) + repr(audit_lines(records))

    def test_a_wrong_one_opens_nothing(self, records: Database) -> None:
        key = add_key(records, "Harbour FC", Role.ADMIN, NOW)
        other = add_key(records, "Harbour FC", Role.ADMIN, NOW)
        mixed = key[:16] + other[16:]
        wrong = ["", "kr_", key[:-1], key + "A", key.upper(), mixed, f" {key}", "kr_" + "0" * 56]
        with records.reading() as session:
            assert [caller_of(session, text, NOW) for text in wrong] == [None] * len(wrong)

    def test_a_revoked_one_opens_nothing(self, records: Database) -> None:
        key = add_key(records, "Harbour FC", Role.ADMIN, NOW)
        revoke_key(records, key[3:15], NOW)
        revoke_key(records, key[3:15], NOW + timedelta(days=1))
        with records.reading() as session:
            assert caller_of(session, key, NOW) is None
        [state] = list_keys(records)
        assert state.revoked_at == NOW
        assert [line.action for line in audit_lines(records)] == ["key_added", "key_revoked"]
        with pytest.raises(RecordsFailed, match="no key"):
            revoke_key(records, "000000000000", NOW)

    def test_what_can_t_be_is_refused(self, records: Database) -> None:
        with pytest.raises(RecordsFailed, match="ended already"):
            add_key(records, "Harbour FC", Role.READ, NOW, NOW)
        with pytest.raises(RecordsFailed, match="club's name"):
            add_key(records, "<b>", Role.READ, NOW)
        assert list_keys(records) == []


def test_a_role_may_do_what_those_before_it_may() -> None:
    allowed = {role: [wanted for wanted in Role if role.allows(wanted)] for role in Role}
    assert allowed == {
        Role.READ: [Role.READ],
        Role.WRITE: [Role.READ, Role.WRITE],
        Role.ADMIN: [Role.READ, Role.WRITE, Role.ADMIN],
    }


@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestAthletes:
    def test_what_was_sent_and_told_is_kept(self, records: Database, club: int) -> None:
        answer = record(records, club, screened())
        with records.writing() as session:
            report = athletes.Reported(
                athlete="A7", kind="knee_pain", side="left", first_day=DAY,
                last_day=DAY + timedelta(7), answer_id=answer, details={"severity": 33},
            )  # fmt: skip
            [reported] = athletes.record_outcomes(session, club, "key", [report], NOW)
            minutes = [athletes.Minutes(athlete="A7", day=DAY, minutes=75.0)]
            athletes.record_exposure(session, club, "key", minutes, NOW)
        assert kept(records, club) == {
            "athlete": "A7",
            "visits": [{
                "day": "2026-03-01", "recorded_at": NOW.isoformat(),
                "schema_fingerprint": "f" * 64, "screening": {"age_years": 24},
                "answers": [{
                    "id": answer, "version": "v1", "bundle_sha256": "b" * 64,
                    "answered_at": NOW.isoformat(), "told": {"left": {"per_100": 12}},
                }],
            }],
            "outcomes": [{
                "id": reported.id, "answer_id": answer, "kind": "knee_pain", "side": "left",
                "first_day": "2026-03-01", "last_day": "2026-03-08", "details": {"severity": 33},
                "reported_at": NOW.isoformat(),
            }],
            "exposure": [{"day": "2026-03-01", "minutes": 75.0}],
        }  # fmt: skip

    def test_a_request_sent_again_is_kept_once(self, records: Database, club: int) -> None:
        first = record(records, club, screened(), idempotency_key="r1")
        assert record(records, club, screened(), idempotency_key="r1") == first
        assert record(records, club, screened(), idempotency_key="r2") != first
        with pytest.raises(athletes.SentBefore, match="another request"):
            record(records, club, screened(age_years=30), idempotency_key="r1")
        with pytest.raises(athletes.SentBefore, match="no spaces"):
            record(records, club, screened(), idempotency_key="r 1")
        now = athletes.Told(version="v2", bundle_sha256="c" * 64, numbers={})
        with pytest.raises(athletes.SentBefore, match="another model"), records.writing() as s:
            athletes.record_answer(s, club, "key", screened(), now, NOW, "r1")
        held = kept(records, club)
        assert held is not None
        assert len(held["visits"]) == 2

    def test_a_request_that_comes_many_times_at_once_is_kept_once(
        self, records: Database, club: int
    ) -> None:
        start = threading.Barrier(8)

        def send(_: int) -> str:
            start.wait()
            return record(records, club, screened(), idempotency_key="r1")

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(send, range(8)))) == 1

    def test_clubs_don_t_see_each_other(self, records: Database, club: int) -> None:
        with records.writing() as session:
            other = made_club(session, "River FC", NOW)
        answer = record(records, club, screened())
        assert kept(records, other) is None
        record(records, other, screened(age_years=40), idempotency_key="r1")
        record(records, club, screened(age_years=50), idempotency_key="r1")
        foreign = replace(PAIN, answer_id=answer)
        with pytest.raises(RecordsFailed, match="not of this athlete"), records.writing() as s:
            athletes.record_outcomes(s, other, "key", [foreign], NOW)
        personal_data.erase_athlete(records, other, "A7", "key", NOW)
        held = kept(records, club)
        assert held is not None
        assert [visit["screening"]["age_years"] for visit in held["visits"]] == [24, 50]

    @pytest.mark.parametrize("name", ["Tom Reilly", "", "a/b", "é", "x" * 65, "-a"])
    def test_a_name_is_no_id(self, records: Database, club: int, name: str) -> None:
        with pytest.raises(RecordsFailed, match="never a name") as refused:
            record(records, club, screened(name))
        assert not name or name not in str(refused.value)

    def test_a_bad_outcome_keeps_none_of_its_request(self, records: Database, club: int) -> None:
        upside_down = athletes.Reported(
            athlete="A8", kind="surgery", side="left", first_day=DAY, last_day=DAY - timedelta(1)
        )
        with pytest.raises(RecordsFailed, match="before it begins"), records.writing() as session:
            athletes.record_outcomes(session, club, "key", [PAIN, upside_down], NOW)
        assert kept(records, club) is None
        assert audit_lines(records) == []


@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestWhoWasHeardOf:
    def test_by_the_days_of_their_reports(self, records: Database, club: int) -> None:
        told = replace(TOLD, numbers={"risk": {"outcome_kind": "new_pain", "horizon_months": 12}})

        def ago(days: int) -> date:
            return DAY - timedelta(days)

        def report(athlete: str, kind: str, first: int, last: int, **more: str) -> None:
            row = athletes.Reported(
                athlete=athlete, kind=kind, side="left", first_day=ago(first), last_day=ago(last),
                details=more,
            )  # fmt: skip
            with records.writing() as session:
                athletes.record_outcomes(session, club, "key", [row], NOW)

        visits = {"A1": 6, "A2": 7, "A3": 10, "A4": 11, "A5": 28, "A6": 29, "A7": 365, "A8": 366,
                  "B1": 90, "B2": 90, "B3": 90, "B4": 90, "B5": 90, "B6": 90}  # fmt: skip
        with records.writing() as session:
            for athlete, days in visits.items():
                seen = replace(screened(athlete), day=ago(days))
                athletes.record_answer(session, club, "key", seen, told, NOW)
            other = made_club(session, "River FC", NOW)
            athletes.record_answer(session, other, "key", screened("A1"), told, NOW)
            minutes = [athletes.Minutes(athlete="B6", day=DAY, minutes=75.0)]
            athletes.record_exposure(session, club, "key", minutes, NOW)
        report("B1", "check_in", 8, 2)
        report("B2", "knee_pain", 60, 53, last_reported=ago(12).isoformat())
        report("B3", "end_of_follow_up", 90, 80)
        report("B4", "end_of_follow_up", 100, 95)  # before the screening, which began it again
        report("B5", "other_problem", 3, 3)
        report("C1", "check_in", 8, 2)
        with records.reading() as session:
            found = {one.athlete: one for one in weekly_follow_up.heard_of(session, club, DAY)}
        assert {name: one.follow_up for name, one in found.items()} == {
            "A1": "answered", "A2": "due", "A3": "due", "A4": "overdue", "A5": "overdue",
            "A6": "lost", "A7": "lost", "A8": "over", "B1": "answered", "B2": "overdue",
            "B3": "over", "B4": "lost", "B5": "lost", "B6": "lost", "C1": "not_screened",
        }  # fmt: skip
        assert (found["B1"].last_visit, found["B1"].last_check_in) == (ago(90), ago(2))
        assert (found["B2"].heard_of, found["B2"].silent_days) == (ago(12), 12)


def test_pages_of_athletes_go_on_where_the_last_one_ended() -> None:
    everybody = [
        HeardOf(athlete=f"A{n}", last_visit=DAY, last_check_in=None, heard_of=DAY,
                silent_days=n, follow_up="overdue" if n % 2 else "due")
        for n in range(9, 0, -1)
    ]  # fmt: skip
    first = page_of_athletes(everybody, {"overdue"}, "", 3)
    rest = page_of_athletes(everybody, {"overdue"}, first.last or "", 3)
    assert [one.athlete for one in (*first.athletes, *rest.athletes)] == [
        "A1", "A3", "A5", "A7", "A9",
    ]  # fmt: skip
    assert (first.last, rest.last) == ("A5", None)
    assert first.counts == rest.counts
    assert (first.counts["overdue"], first.counts["due"], first.counts["lost"]) == (5, 4, 0)


@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestErasing:
    def test_nothing_of_a_person_is_left(
        self, records: Database, club: int, tmp_path: Path
    ) -> None:
        answer = record(records, club, screened(CANARY, note=CANARY * 200), idempotency_key="r1")
        record(records, club, screened("A8"))
        with records.writing() as session:
            report = athletes.Reported(
                athlete=CANARY, kind="knee_pain", side="left", first_day=DAY, last_day=DAY,
                answer_id=answer, details={"note": CANARY},
            )  # fmt: skip
            athletes.record_outcomes(session, club, "key", [report], NOW)
        personal_data.erase_athlete(records, club, CANARY, "key", NOW)
        assert kept(records, club, CANARY) is None
        assert kept(records, club, "A8") is not None
        back_up(records, tmp_path / "backup.gz")
        assert CANARY.encode() not in gzip.decompress((tmp_path / "backup.gz").read_bytes())
        for file in tmp_path.rglob("*sqlite*"):  # of SQLite: the file and the log before it
            assert CANARY.encode() not in file.read_bytes()
        assert audit_lines(records)[-1].action == "athlete_erased"

    def test_the_number_in_the_audit_is_nobody_else_s(self, records: Database, club: int) -> None:
        record(records, club, screened())
        personal_data.erase_athlete(records, club, "A7", "key", NOW)
        record(records, club, screened("A8"))
        personal_data.erase_athlete(records, club, "A8", "key", NOW)
        erased = [line.subject for line in audit_lines(records) if line.action == "athlete_erased"]
        assert len(set(erased)) == 2

    def test_whom_it_does_not_have_a_club_can_t_erase(self, records: Database, club: int) -> None:
        with pytest.raises(RecordsFailed, match="no athlete"):
            personal_data.erase_athlete(records, club, "A7", "key", NOW)

    def test_what_is_old_expires_with_its_athlete(self, records: Database, club: int) -> None:
        for athlete in ("old", "reported", "trained"):
            record(records, club, screened(athlete))
        later = DAY + timedelta(days=400)
        with records.writing() as session:
            report = athletes.Reported(
                athlete="reported", kind="end_of_follow_up", side="unknown", first_day=later,
                last_day=later,
            )  # fmt: skip
            athletes.record_outcomes(session, club, "key", [report], NOW)
            minutes = [athletes.Minutes(athlete="trained", day=later, minutes=30.0)]
            athletes.record_exposure(session, club, "key", minutes, NOW)
        assert personal_data.erase_older(records, [club], later, "key", NOW) == 1
        left = [kept(records, club, name) for name in ("old", "reported", "trained")]
        assert [one is None for one in left] == [True, False, False]


@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestBackups:
    def test_come_back_in_another_database(
        self, records: Database, club: int, tmp_path: Path
    ) -> None:
        add_key(records, "Harbour FC", Role.READ, NOW, NOW + timedelta(days=1))
        record(records, club, screened(), idempotency_key="r1")
        file = tmp_path / "backup.gz"
        counts = back_up(records, file)
        assert file.stat().st_mode & 0o077 == 0
        other = Database(str(tmp_path / "other.sqlite"))
        other.upgrade()
        assert restore(other, file) == counts
        assert kept(other, club) == kept(records, club)
        assert list_keys(other) == list_keys(records)
        assert audit_lines(other) == audit_lines(records)
        # And they can be gone on with: new rows get new numbers.
        record(other, club, screened("A9"))
        with pytest.raises(RecordsFailed, match="not empty"):
            restore(other, file)

    def test_fill_this_database(self, records: Database, tmp_path: Path) -> None:
        source = Database(str(tmp_path / "source.sqlite"))
        source.upgrade()
        with source.writing() as session:
            club = made_club(session, "Harbour FC", NOW)
        record(source, club, screened())
        back_up(source, tmp_path / "backup.gz")
        restore(records, tmp_path / "backup.gz")
        assert kept(records, club) == kept(source, club)
        record(records, club, screened("A9"))
        with records.writing() as session:
            assert made_club(session, "River FC", NOW) != club

    def test_a_damaged_one_changes_nothing(
        self, records: Database, club: int, tmp_path: Path
    ) -> None:
        record(records, club, screened())
        back_up(records, tmp_path / "backup.gz")
        whole = gzip.decompress((tmp_path / "backup.gz").read_bytes())
        lines = whole.splitlines(keepends=True)
        other = Database(str(tmp_path / "other.sqlite"))
        other.upgrade()
        damaged = [
            b"", b"{}", b"".join(lines[:-1]), b"".join([*lines[:2], *lines[3:]]),
            whole.replace(b"0001", b"0000"), whole[: len(whole) // 2],
            whole.replace(b'"club"', b'"clubs"', 1),
        ]  # fmt: skip
        for content in [*(gzip.compress(part) for part in damaged), b"no gzip", whole]:
            (tmp_path / "bad.gz").write_bytes(content)
            with pytest.raises(RecordsFailed, match="no whole backup"):
                restore(other, tmp_path / "bad.gz")
            assert kept(other, club) is None
            assert list_keys(other) == []


@pytest.mark.slow
@pytest.mark.parametrize("empty", BOTH, indirect=True)
class TestManyWriters:
    def test_a_hundred_at_once_lose_nothing(self, records: Database, club: int) -> None:
        start = threading.Barrier(100)

        def write(number: int) -> str:
            start.wait()
            return record(records, club, screened(f"A{number % 10}", number=number))

        with ThreadPoolExecutor(100) as threads:
            answers = list(threads.map(write, range(100)))
        with records.reading() as session:
            assert set(session.scalars(select(Answer.id))) == set(answers)
            assert session.scalar(select(func.count()).select_from(Audit)) == 100

    def test_what_was_acknowledged_survives_a_kill(
        self, records: Database, club: int, tmp_path: Path
    ) -> None:
        script = (
            "import sys\n"
            "from test_records import Database, record, screened\n"
            "records = Database(sys.argv[1])\n"
            "for number in range(10_000):\n"
            "    answer = record(records, int(sys.argv[2]), screened(f'A{number}'))\n"
            "    sys.stdout.write(answer + '\\n'); sys.stdout.flush()\n"
        )
        address = records.url.render_as_string() if records.file is None else str(records.file)
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        with subprocess.Popen(
            [sys.executable, "-c", script, address, str(club)], stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": path},
        ) as writer:  # fmt: skip
            assert writer.stdout is not None
            acknowledged = [writer.stdout.readline().strip() for _ in range(300)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += writer.stdout.read().split()
        with records.reading() as session:
            answers = set(session.scalars(select(Answer.id)))
            assert {answer for answer in acknowledged if len(answer) == 36} <= answers
            # The last one may have been kept without having been told.
            assert len(answers) - len(acknowledged) <= 1
            assert session.scalar(select(func.count()).select_from(Audit)) == len(answers)


class TestCommands:
    @pytest.fixture
    def typed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("KNEERISK_RECORDS", str(tmp_path / "club.sqlite"))

        def run(*arguments: object) -> str:
            ended = CliRunner().invoke(app, [*map(str, arguments)])
            if isinstance(ended.exception, Exception):
                raise ended.exception
            return ended.stdout

        return run

    def test_from_the_first_key_to_the_last_row(self, typed, tmp_path: Path) -> None:
        typed("records", "upgrade")
        key = typed("keys", "add", "--club", "Harbour FC", "--role", "write").strip()
        database = Database(str(tmp_path / "club.sqlite"))
        with database.reading() as session:
            caller = caller_of(session, key, datetime.now(UTC))
        assert caller is not None
        record(database, caller.club_id, screened())
        assert key[3:15] in typed("keys", "list")
        told = typed(
            "records", "export", "--club", "Harbour FC", "--athlete", "A7",
            "--out", tmp_path / "a7.json",
        )  # fmt: skip
        assert "1 visits" in told
        assert '"age_years": 24' in (tmp_path / "a7.json").read_text()
        typed("records", "backup", tmp_path / "backup.gz")
        typed("records", "erase", "--club", "Harbour FC", "--athlete", "A7")
        with pytest.raises(RecordsFailed, match="no athlete"):
            typed("records", "erase", "--club", "Harbour FC", "--athlete", "A7")
        typed("keys", "revoke", key[3:15])
        assert "ended" in typed("keys", "list")
        actions = typed("records", "audit")
        for action in ("key_added", "athlete_exported", "athlete_erased", "key_revoked"):
            assert action in actions
        assert "A7" not in actions

    def test_a_backup_fills_new_records(self, typed, tmp_path: Path, monkeypatch) -> None:
        typed("records", "upgrade")
        typed("keys", "add", "--club", "Harbour FC", "--role", "read", "--expires", "2099-01-01")
        typed("records", "backup", tmp_path / "backup.gz")
        monkeypatch.setenv("KNEERISK_RECORDS", str(tmp_path / "new.sqlite"))
        typed("records", "restore", tmp_path / "backup.gz")
        assert "2099-01-01" in typed("keys", "list")

    def test_old_athletes_expire(self, typed, tmp_path: Path) -> None:
        typed("records", "upgrade")
        typed("keys", "add", "--club", "Harbour FC", "--role", "admin")
        database = Database(str(tmp_path / "club.sqlite"))
        with database.reading() as session:
            club = club_id_of(session, "Harbour FC")
        record(database, club, screened())
        expire = ("records", "expire", "--club", "Harbour FC", "--before")
        assert typed(*expire, "2026-03-01").startswith("0 ")
        assert typed(*expire, "2026-03-02", "--dry-run").startswith("1 athlete has nothing since")
        assert typed(*expire, "2026-03-02").startswith("1 athlete without")
        assert typed(*expire, "2026-03-02").startswith("0 ")
        typed("records", "vacuum")

    def test_a_timer_keeps_all_clubs_to_a_policy(self, typed, tmp_path: Path) -> None:
        typed("records", "upgrade")
        database, today = Database(str(tmp_path / "club.sqlite")), datetime.now(UTC).date()
        with database.writing() as session:
            for club in ("Harbour FC", "River FC"):
                made = made_club(session, club, NOW)
                for athlete, days in (("old", 366), ("young", 364)):
                    seen = replace(screened(athlete), day=today - timedelta(days))
                    athletes.record_answer(session, made, "key", seen, TOLD, NOW)
        assert typed("records", "expire", "--months", "13").startswith("0 ")
        assert json.loads(typed("records", "expire", "--months", "12", "--json"))["erased"] == 2
        with database.reading() as session:
            left = list(session.scalars(select(Athlete.code)))
        assert left == ["young", "young"]
        for wrong in ((), ("--months", "12", "--before", "2026-03-01")):
            refused = CliRunner().invoke(app, ["records", "expire", *wrong])
            assert refused.exit_code == 2
            assert "either --months or --before" in " ".join(refused.output.split())

    def test_without_an_address_nothing_is_kept(self, typed, monkeypatch) -> None:
        monkeypatch.delenv("KNEERISK_RECORDS")
        with pytest.raises(RecordsFailed, match="No records are kept"):
            typed("keys", "list")
        monkeypatch.setenv("KNEERISK_RECORDS", "nowhere/club.sqlite")
        with pytest.raises(RecordsFailed, match="records upgrade"):
            typed("keys", "list")
        assert not Path("nowhere").exists()
