"""Files and worksheets of one squad dropped together are joined by athlete and date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from excel_files import workbook
from starlette.applications import Starlette
from starlette.routing import Route
from test_device_exports import codes, value
from test_one_reader import OUTCOME
from typer.testing import CliRunner

from kneerisk.cohort.sheets.club_cohort import ingest
from kneerisk.cohort.sheets.files.sheet_limits import MOST_FILES
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import AskRefused, SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise, recognise_files
from kneerisk.errors import CohortRefused
from kneerisk.schema import Screening, to_row
from pipelines.__main__ import app
from serving.sheet_import import import_sheet

ROOT = Path(__file__).parents[1]

PEOPLE = """Player ID,First name,Last name,Born,Sex,Weight (kg),Screened,KTW L (cm)
7,Ida,Voss,2004-02-01,f,60,2026-05-04,11
8,Max,Orth,2001-07-09,m,80,2026-05-04,12
9,Max,Orth,1999-01-30,m,75,2026-05-05,10
10,Lea,Zorn,2003-03-03,f,58,2026-05-05,9
"""

FRAME = """Name,Date,Test,Direction,Position,L Max Force (N),R Max Force (N)
Ida Voss,2026-05-06,Hip AD/AB,Squeeze,Hip AD/AB - 0,240,252
Zed Ruhl,2026-05-06,Hip AD/AB,Squeeze,Hip AD/AB - 0,300,310
Max Orth,2026-05-06,Hip AD/AB,Squeeze,Hip AD/AB - 0,320,330
"""

BENCH = """Player ID,Date UTC,Test,L Max Torque (Nm),R Max Torque (Nm),L Max Torque Per Kg (Nm/kg),R Max Torque Per Kg (Nm/kg)
7,2026-05-01,ISO 60,75,78,1.25,1.3
7,2025-11-01,ISO 60,70,71,1.15,1.2
8,2026-05-04,ISO 60,120,124,1.5,1.55
"""  # noqa: E501


def read(*texts: str, **stated: Any) -> SheetAnswer:
    names = ("people.csv", "frame.csv", "bench.csv")
    files = [SquadFile(*pair) for pair in zip(names, (t.encode() for t in texts), strict=False)]
    return recognise_files(files, SheetAsked.model_validate(stated))


def row_of(answer: SheetAnswer, athlete: str, date: str | None = None) -> int:
    found = [
        at for at, row in enumerate(answer.rows)
        if row.athlete == athlete and date in {None, row.date}
    ]  # fmt: skip
    assert len(found) == 1, [(row.athlete, row.date) for row in answer.rows]
    return found[0]


def unmatched(answer: SheetAnswer) -> dict[str, str]:
    return {row.place: row.code for row in answer.unmatched}


class TestThreeFiles:
    def test_they_become_one_row_a_visit(self) -> None:
        answer = read(PEOPLE, FRAME, BENCH)
        ida = row_of(answer, "Ida Voss", "2026-05-04")
        row = answer.rows[ida]
        assert row.status == "ready"
        # Two days after the screening and three before: both are within two weeks.
        assert row.sources == ["people.csv, row 2", "frame.csv, row 2", "bench.csv, row 2"]
        assert value(answer, "left_adductor_squeeze_n_kg", ida) == 4.0
        assert value(answer, "left_hamstring_torque_nm_kg", ida) == 1.25
        assert value(answer, "left_wblt_distance_cm", ida) == 11
        assert value(answer, "torque_mode", ida) == "isometric"
        # Born 1 February 2004, screened 4 May 2026.
        assert row.screening is not None
        assert row.screening["athlete"]["age_years"] == 22
        assert [part.file for part in answer.parts] == ["people.csv", "frame.csv", "bench.csv"]

    def test_each_value_says_which_file_and_row_it_is_from(self) -> None:
        answer = read(PEOPLE, FRAME, BENCH)
        ida = answer.rows[row_of(answer, "Ida Voss", "2026-05-04")]
        by_place = {cell.place: cell.source for cell in ida.cells}
        place = {one.means: one.place for one in answer.columns}
        assert by_place[place["left_wblt_distance_cm"]] == "people.csv, row 2"
        assert by_place[place["right_adductor_squeeze_n_kg"]] == "frame.csv, row 2"
        assert by_place[place["right_hamstring_torque_nm_kg"]] == "bench.csv, row 2"

    def test_nothing_is_lost_and_what_fits_nowhere_is_told(self) -> None:
        answer = read(PEOPLE, FRAME, BENCH)
        assert unmatched(answer) == {
            "2:3": "no_such_athlete", "2:4": "ambiguous_athlete", "3:3": "no_date_near",
        }  # fmt: skip
        shown = {source for row in answer.rows for source in row.sources}
        assert {f"people.csv, row {n}" for n in range(2, 6)} <= shown
        assert {f"frame.csv, row {n}" for n in range(2, 5)} <= shown
        assert {f"bench.csv, row {n}" for n in range(2, 5)} <= shown
        lacking = [note.message for note in answer.notes if note.code == "not_in_file"]
        assert any("'frame.csv'" in note and "Lea Zorn" in note for note in lacking)
        # The test half a year before is a visit of its own, with what lasts.
        early = row_of(answer, "Ida Voss", "2025-11-01")
        assert value(answer, "sex", early) == "female"

    def test_two_of_one_name_are_asked_and_the_answer_joins(self) -> None:
        answer = read(PEOPLE, FRAME, BENCH)
        (asked,) = [row for row in answer.unmatched if row.code == "ambiguous_athlete"]
        assert [one.athlete for one in asked.candidates] == [
            "Max Orth (2001-07-09)", "Max Orth (1999-01-30)",
        ]  # fmt: skip
        said = {asked.place: asked.candidates[1].place}
        joined = read(PEOPLE, FRAME, BENCH, same_athletes=said)
        assert asked.place not in unmatched(joined)
        elder = row_of(joined, "Max Orth (1999-01-30)")
        # 320 N over 75 kg.
        assert value(joined, "left_adductor_squeeze_n_kg", elder) == pytest.approx(4.266667)
        assert len(joined.rows) == len(answer.rows) - 1

    def test_the_window_is_stated(self) -> None:
        narrow = read(PEOPLE, FRAME, BENCH, within_days=2)
        assert unmatched(narrow)["3:2"] == "no_date_near"
        assert "2 days" in codes(narrow)["nearest_date"]
        wide = read(PEOPLE, FRAME, BENCH, within_days=366)
        # Of two within a year the nearer one is the visit's.
        ida = row_of(wide, "Ida Voss", "2026-05-04")
        assert value(wide, "left_hamstring_torque_nm_kg", ida) == 1.25
        assert unmatched(wide)["3:3"] == "no_date_near"

    def test_the_order_of_the_files_does_not_change_who_is_who(self) -> None:
        files = [SquadFile("b", BENCH.encode()), SquadFile("p", PEOPLE.encode())]
        answer = recognise_files(files)
        whose = {row.athlete for row in answer.rows}
        assert whose == {"Ida Voss", "Max Orth (2001-07-09)", "Max Orth (1999-01-30)", "Lea Zorn"}

    def test_a_row_that_there_is_not_is_refused(self) -> None:
        with pytest.raises(AskRefused) as refused:
            read(PEOPLE, FRAME, same_athletes={"2:99": "1:2", "2:3": "1:77"})
        assert [fault.pointer for fault in refused.value.faults] == [
            "/same_athletes/2:99", "/same_athletes/2:3",
        ]  # fmt: skip


def test_one_id_under_two_names_is_two_people() -> None:
    tests = "Player ID,Name,KTW R (cm)\n7,Bea Stern,13\n"
    answer = read(PEOPLE, tests)
    (row,) = answer.unmatched
    assert (row.code, row.athlete) == ("other_athlete", "Bea Stern")
    assert row.candidates[0].athlete.startswith("Ida Voss")
    assert value(answer, "right_wblt_distance_cm", row_of(answer, "Ida Voss")) is None


def test_a_name_with_the_last_one_first_is_the_same_person() -> None:
    answer = read(PEOPLE, 'Name,KTW R (cm)\n"VOSS, Ida",13\n')
    assert unmatched(answer) == {}
    assert value(answer, "right_wblt_distance_cm", row_of(answer, "Ida Voss")) == 13


def test_a_date_of_birth_parts_two_of_one_name() -> None:
    answer = read(PEOPLE, "Name,DOB,KTW R (cm)\nMax Orth,1999-01-30,13\n")
    assert unmatched(answer) == {}
    elder = row_of(answer, "Max Orth (1999-01-30)")
    assert value(answer, "right_wblt_distance_cm", elder) == 13


def test_two_files_that_differ_keep_the_first_and_say_so() -> None:
    answer = read(PEOPLE, "Name,KTW L (cm)\nIda Voss,13\nLea Zorn,9\n")
    assert value(answer, "left_wblt_distance_cm", row_of(answer, "Ida Voss")) == 11
    assert "2:2" in codes(answer)["files_differ"]
    assert "2:3" not in codes(answer)["files_differ"]


def test_a_file_called_after_a_test_or_a_day() -> None:
    files = [
        SquadFile("people.csv", b"Player,Sex,Age\nA,f,20\nB,m,21\n"),
        SquadFile("KTW.csv", b"Player,L (cm),R (cm)\nA,11,12\nB,9,10\n"),
        SquadFile("2026-03-01.csv", b"Player,SLR L (deg)\nA,70\n"),
    ]
    answer = recognise_files(files)
    first = row_of(answer, "A")
    assert answer.rows[first].date == "2026-03-01"
    assert value(answer, "right_wblt_distance_cm", first) == 12
    assert value(answer, "left_slr_deg", first) == 70


def test_dates_that_can_be_read_two_ways_are_asked_and_join_by_the_answer() -> None:
    people = "Player,Sex,Age,Date\nA,f,20,2026-03-04\n"
    tests = "Player,Date,SLR L (deg)\nA,04/03/2026,70\n"
    answer = read(people, tests)
    (asked,) = [one for one in answer.columns if one.question]
    assert asked.means == "screening_date"
    first = read(people, tests, columns={asked.place: {"day_first": True}})
    assert [row.date for row in first.rows] == ["2026-03-04"]
    other = read(people, tests, columns={asked.place: {"day_first": False}})
    assert sorted(str(row.date) for row in other.rows) == ["2026-03-04", "2026-04-03"]


SHEETS: dict[str, list[list[Any]]] = {
    "Squad": [["Player", "Age", "Sex", "Mass (kg)"], ["P1", 21, "m", 80], ["P2", 19, "f", 60]],
    "KTW": [["Player", "L (cm)", "R (cm)"], ["P1", 11, 12], ["P2", 9, 10]],
    "Squeeze": [["Player", "L (N)", "R (N)"], ["P2", 240, 252], ["P1", 320, 328]],
    "Legend": [["Term", "Explained"], ["KTW", "knee to wall"]],
}


class TestWorksheets:
    def test_a_sheet_for_each_test(self) -> None:
        answer = recognise(workbook(**SHEETS))
        assert [part.sheet for part in answer.parts] == ["Squad", "KTW", "Squeeze"]
        second = row_of(answer, "P2")
        assert value(answer, "left_wblt_distance_cm", second) == 9
        assert value(answer, "right_adductor_squeeze_n_kg", second) == 4.2
        assert answer.rows[second].sources == ["Squad, row 3", "KTW, row 3", "Squeeze, row 2"]
        assert "Legend" in codes(answer)["other_worksheets"]

    def test_a_sheet_called_after_a_device_s_test(self) -> None:
        book = {
            "Squad": [["ID", "Sex", "Age"], [1, "f", 20], [2, "m", 21]],
            "Dorsiflexion lunge": [["ID", "Left (deg)", "Right (deg)"], [1, 38, 40], [2, 41, 42]],
            "Weight": [["ID", "kg"], [1, 60], [2, 80]],
            "Nordic": [["ID", "L Max Force (N)"], [1, 300], [2, 410]],
        }
        answer = recognise(workbook(**book))
        assert value(answer, "right_wblt_dorsiflexion_deg", row_of(answer, "1")) == 40
        assert value(answer, "mass_kg", row_of(answer, "2")) == 80
        (nordic,) = [one for one in answer.columns if "Nordic" in one.column]
        assert (nordic.means, "eccentric" in nordic.why) == (None, True)

    def test_a_sheet_for_each_date(self) -> None:
        heading = ["Player", "Sex", "Age", "KTW L (cm)"]
        book = {
            "2025-09-01": [heading, ["P1", "m", 21, 11], ["P2", "f", 19, 9]],
            "2026-02-01": [heading, ["P1", "m", 21, 12], ["P2", "f", 19, 10]],
        }
        answer = recognise(workbook(**book))
        assert [(row.athlete, row.date, row.status) for row in answer.rows] == [
            ("P1", "2025-09-01", "earlier"), ("P1", "2026-02-01", "ready"),
            ("P2", "2025-09-01", "earlier"), ("P2", "2026-02-01", "ready"),
        ]  # fmt: skip

    def test_sheets_that_contradict_each_other_are_not_joined(self) -> None:
        heading = ["Player", "Sex", "Age", "KTW L (cm)"]
        answer = recognise(workbook(
            October=[heading, ["P1", "m", 21, 11]], November=[heading, ["P1", "m", 21, 12]]
        ))  # fmt: skip
        assert answer.parts == []
        assert answer.file.sheet == "October"
        assert "worksheets" in codes(answer)

    def test_a_stated_sheet_is_read_alone(self) -> None:
        answer = recognise(workbook(**SHEETS), SheetAsked(sheet="KTW"))
        assert answer.parts == []
        assert len(answer.rows) == 2


class TestLimits:
    def test_they_hold_over_all_files(self) -> None:
        half = "Name,Age\n" + "".join(f"P{n},20\n" for n in range(2_600))
        assert recognise(half.encode()).counts.rows == 2_600
        with pytest.raises(CohortRefused, match="5,000 lines"):
            read(half, half.replace("Age", "Height (cm)"))

    def test_so_many_files_and_no_more(self) -> None:
        files = [SquadFile(f"{n}.csv", b"Name,Age\nA,20\n") for n in range(MOST_FILES + 1)]
        with pytest.raises(CohortRefused, match="send them in parts"):
            recognise_files(files)

    def test_one_that_can_not_be_read_is_named(self) -> None:
        with pytest.raises(CohortRefused, match=r"frame\.csv"):
            read(PEOPLE, "nothing\n1\n")

    def test_a_thousand_namesakes_make_no_long_answer(self) -> None:
        people = "Name,Born,Sex\n" + "".join(
            f"Max Orth,{1990 + n % 15}-{1 + n // 200 % 12:02}-{1 + n % 28:02},m\n"
            for n in range(1_000)
        )
        tests = "Name,KTW L (cm)\n" + "Max Orth,11\n" * 1_000
        assert len(read(people, tests).model_dump_json()) < 3_000_000


class TestEveryDoor:
    def test_the_command_line_joins_as_the_page_does(self, tmp_path: Path) -> None:
        people = PEOPLE.replace("KTW L (cm)\n", "KTW L (cm),Outcome\n")
        people = "\n".join(
            line if "Outcome" in line or not line else f"{line},ok" for line in people.split("\n")
        )
        paths = [tmp_path / name for name in ("people.csv", "frame.csv", "bench.csv")]
        for path, text in zip(paths, (people, FRAME, BENCH), strict=True):
            path.write_text(text, "utf-8")
        toml = tmp_path / "squad.toml"
        names = [str(path) for path in paths]
        proposed = CliRunner().invoke(app, ["ingest", "sheet", *names, "--propose", str(toml)])
        assert proposed.exit_code == 0, proposed.output
        assert "not matched: 2:4 (frame.csv), Max Orth" in proposed.output
        mapping = toml.read_text("utf-8").replace('source = "..."', 'source = "a test"')
        assert '# "2:4" = "1:4"' in mapping
        mapping = mapping.replace("same_athletes = {  }", 'same_athletes = { "2:4" = "1:4" }')
        toml.write_text(mapping + OUTCOME, "utf-8")
        cohort = ingest(paths[0], toml, *paths[1:], skip_bad_rows=True).cohort.frame
        answer = read(people, FRAME, BENCH, same_athletes={"2:4": "1:4"})
        visits = {
            (row.athlete, row.date): to_row(Screening.model_validate(row.screening))
            for row in answer.rows if row.screening is not None
        }  # fmt: skip
        assert len(visits) == 5
        for _, row in cohort[cohort["age_years"].notna()].iterrows():
            wanted = visits[row["athlete_id"], row["screening_date"]]
            for name, measured in wanted.items():
                assert row[name] == measured, name

    def test_the_commands_of_the_documentation(self, tmp_path: Path) -> None:
        said = (ROOT / "docs" / "device-exports.md").read_text("utf-8")
        files = ["data/mappings/example-people.csv", "data/mappings/example-force-frame.csv"]
        assert f"kneerisk ingest sheet {' '.join(files)} --propose squad.toml" in said
        toml = tmp_path / "squad.toml"
        paths = [str(ROOT / file) for file in files]
        done = CliRunner().invoke(app, ["ingest", "sheet", *paths, "--propose", str(toml)])
        assert done.exit_code == 0
        assert "not matched: 2:6 (example-force-frame.csv), Dee Guest" in done.output
        outcome = """
[outcome]
kind = "new_pain"
horizon_months = 12
[outcome.words]
column = "Knee pain within a year"
values = { none = "none", left = "left" }
"""
        mapping = toml.read_text("utf-8").replace('source = "..."', 'source = "a test"')
        toml.write_text(mapping + outcome, "utf-8")
        first, second = map(Path, paths)
        frame = ingest(first, toml, second, skip_bad_rows=True).cohort.frame
        ada = frame[frame["athlete_id"] == "Ada Example"].iloc[0]
        # The mean of 240 and 252 N over 60 kg.
        assert ada["left_adductor_squeeze_n_kg"] == pytest.approx(4.1)
        assert ada["outcome_left"] == 0

    def test_http_takes_the_part_file_several_times(self) -> None:
        served = Starlette(routes=[Route("/", import_sheet, methods=["POST"])])
        texts = {"people.csv": PEOPLE, "frame.csv": FRAME, "bench.csv": BENCH}
        parts = [("file", (name, text.encode())) for name, text in texts.items()]

        async def post(said: dict[str, Any]) -> httpx.Response:
            transport = httpx.ASGITransport(served)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.post("/", files=parts, data={"mapping": json.dumps(said)})

        said = {"same_athletes": {"2:4": "1:4"}, "within_days": 30}
        answer = anyio.run(post, said)
        wanted = read(PEOPLE, FRAME, BENCH, **said)
        assert answer.json() == json.loads(wanted.model_dump_json(exclude_none=True))
        refused = anyio.run(post, {"within_days": 4_000})
        assert refused.status_code == 422
        assert refused.json()["faults"][0]["pointer"] == "/within_days"

    def test_a_mapping_of_one_file_is_refused_for_two(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("Name,Outcome\nA,ok\n")
        (tmp_path / "m.toml").write_text(f'source = "a test"\nathlete_id = "Name"\n{OUTCOME}')
        with pytest.raises(CohortRefused, match="of one file"):
            ingest(tmp_path / "a.csv", tmp_path / "m.toml", tmp_path / "a.csv")
