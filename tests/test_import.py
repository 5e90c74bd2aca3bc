"""A sheet that nobody has described: what is certain is read, the rest is asked."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import anyio
import httpx
import openpyxl
import pytest
from click.testing import Result
from excel_files import excel_file
from excel_files import row as excel_row
from hypothesis import given, settings
from sheet_strategies import sheets
from starlette.applications import Starlette
from starlette.routing import Route
from typer.testing import CliRunner

from kneerisk.cohort import read as read_cohort
from kneerisk.cohort import screenings_of
from kneerisk.cohort.sheets.columns.column_names import read_name
from kneerisk.cohort.sheets.lexicon.leg_words import codes_of
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetCell, SheetColumn
from kneerisk.cohort.sheets.sheet_asked import AskRefused, SheetAsked
from kneerisk.cohort.sheets.sheet_screenings import screenings_in
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.errors import CohortRefused
from kneerisk.schema import Screening, columns, to_row
from pipelines.ingest import app
from serving.body_validation import check_body
from serving.problem import Refusal
from serving.sheet_import import import_sheet


def read(content: str | bytes, **said: Any) -> SheetAnswer:
    sheet = content.encode() if isinstance(content, str) else content
    return recognise(sheet, SheetAsked.model_validate(said))


def meanings(answer: SheetAnswer) -> dict[str, str | None]:
    return {column.place: column.means for column in answer.columns}


def column(answer: SheetAnswer, place: str) -> SheetColumn:
    return next(one for one in answer.columns if one.place == place)


def cell(answer: SheetAnswer, line: int, place: str) -> SheetCell:
    row = next(one for one in answer.rows if one.line == line)
    return next(one for one in row.cells if one.place == place)


def statuses(answer: SheetAnswer) -> dict[int, str]:
    return {row.line: row.status for row in answer.rows}


def codes(answer: SheetAnswer, line: int) -> set[tuple[str | None, str]]:
    row = next(one for one in answer.rows if one.line == line)
    return {(reason.place, reason.code) for reason in row.reasons}


def screening(answer: SheetAnswer, line: int) -> dict[str, Any]:
    body = next(row for row in answer.rows if row.line == line).screening
    assert body is not None
    return to_row(Screening.model_validate(body))


def excel(*rows: list[Any], before: tuple[str, ...] = (), **merged: str) -> bytes:
    book = openpyxl.Workbook()
    for name in before:
        book.create_sheet(name, 0)
    page = book["Sheet"]
    for row in rows:
        page.append(row)
    for area in merged.values():
        page.merge_cells(area)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("name", "means", "side", "unit"),
    [
        ("left_hip_drop_deg", "hip_drop_deg", "left", "deg"),
        ("Knöchel li", "wblt_dorsiflexion_deg", "left", None),
        ("Größe [cm]", "height_cm", None, "cm"),
        ("GROESSE", "height_cm", None, None),
        ("Gewicht (kg)", "mass_kg", None, "kg"),
        ("Weight, lbs", "mass_kg", None, "lb"),
        ("kneeToWallLeft", "wblt_distance_cm", "left", None),
        ("KTW (R) in cm", "wblt_distance_cm", "right", "cm"),
        ("H:Q L", "hamstring_quad_ratio", "left", None),
        ("HQ ratio rechts", "hamstring_quad_ratio", "right", None),
        ("Trendelenburg R (°)", "hip_drop_deg", "right", "deg"),
        ("Lunge test L (cm)", "wblt_distance_cm", "left", "cm"),
        ("Quad torque Re Nm/kg", "quad_torque_nm_kg", "right", "Nm/kg"),
        ("Pain L 0-10", "pain_nrs", "left", "of 10"),
        ("Tested on", "screening_date", None, None),
        ("Pain squat jump R", "pain_on_squat_jump", "right", None),
        ("Bewegungsschmerz links", "pain_on_squat_jump", "left", None),
        ("Ankel dorsiflexion R", "wblt_dorsiflexion_deg", "right", None),
    ],
)
def test_a_name_tells_the_measure_the_side_and_the_unit(
    name: str, means: str, side: str | None, unit: str | None
) -> None:
    named = read_name(name, codes_of([name], frozenset({"de"}))[0])
    assert means in [match.means for match in named.matches if match.likeness >= 0.8]
    assert (named.side, named.unit) == (side, unit)


@pytest.mark.parametrize("name", ["Remarks", "Position", "Team", "Email", "Shirt number", "Coach"])
def test_a_name_of_something_else_is_no_measure(name: str) -> None:
    assert not read_name(name).matches


def test_every_label_of_the_schema_is_recognised() -> None:
    for canonical, measure in columns().items():
        side, _, rest = canonical.partition("_")
        is_leg = side in ("left", "right")
        found = read_name(f"{measure.label} {side if is_leg else ''}")
        assert (rest if is_leg else canonical) in [m.means for m in found.matches], canonical


GERMAN = """Vereinstest Frühjahr 2026;;;;;;;;
;;;;;;;;
Spieler;Datum;Geschlecht;Alter;Gewicht;Größe;KTW L (cm);KTW R (cm);Bemerkung
Ana;02.03.2026;w;22;61,5;168,2;9,5;11;ok
Ben;2026-03-02;männlich;270;80,5;181;10 cm;;
Cara;3. March 2026;divers;24;70;180;-;4 in;
Mittelwert;;;23;70;170;10;11;
"""


@pytest.fixture(params=["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def answer(request: pytest.FixtureRequest) -> SheetAnswer:
    return read(GERMAN.encode(request.param))


class TestGerman:
    def test_its_form_is_found(self, answer: SheetAnswer) -> None:
        file = answer.file
        assert (file.header_line, file.delimiter, file.decimal) == (3, ";", "comma")
        assert file.encoding in {"utf-8", "cp1252", "utf-16"}
        noted = {note.code for note in answer.notes}
        assert {"title_lines", "totals", "decimal_commas"} <= noted
        assert ("encoding" in noted) == (file.encoding == "cp1252")

    def test_its_columns_are_certain(self, answer: SheetAnswer) -> None:
        assert list(meanings(answer).values()) == [
            "athlete_id", "screening_date", "sex", "age_years", "mass_kg", "height_cm",
            "left_wblt_distance_cm", "right_wblt_distance_cm", None,
        ]  # fmt: skip
        assert {c.confidence for c in answer.columns[:-1]} == {"certain"}
        assert answer.counts.questions == 0

    def test_good_rows_are_screenings(self, answer: SheetAnswer) -> None:
        assert statuses(answer) == {4: "ready", 5: "bad", 6: "ready", 7: "ignored"}
        assert screening(answer, 4) == {
            "age_years": 22.0, "sex": "female", "height_cm": 168.2, "mass_kg": 61.5,
            "left_wblt_distance_cm": 9.5, "right_wblt_distance_cm": 11.0,
        }  # fmt: skip
        assert screening(answer, 6)["right_wblt_distance_cm"] == 10.16
        assert [row.date for row in answer.rows[:3]] == ["2026-03-02", "2026-03-02", "2026-03-03"]

    def test_the_bad_cell_tells_what_is_allowed(self, answer: SheetAnswer) -> None:
        bad = cell(answer, 5, "D")
        assert (bad.status, bad.code, bad.shown) == ("bad", "outside_limits", "270")
        assert (bad.allowed, bad.unit) == ("a number from 10 to 100 years", "years")
        assert codes(answer, 5) == {("D", "outside_limits")}

    def test_what_is_not_recorded_is_told_apart(self, answer: SheetAnswer) -> None:
        assert cell(answer, 6, "G").status == "ignored"
        assert cell(answer, 6, "H").status == "converted"
        assert cell(answer, 4, "G").status == "ok"


POUNDS = "Name,Age,Sex,Height,Weight\n" + "".join(
    f"P{i},{20 + i},m,{70 + i % 4},{165 + 5 * i}\n" for i in range(8)
)


class TestQuestions:
    def test_units_that_only_the_values_tell_are_asked(self) -> None:
        answer = read(POUNDS)
        height, weight = column(answer, "D"), column(answer, "E")
        assert not height.applied
        assert not weight.applied
        assert height.question is not None
        assert "inch" in height.question
        assert weight.question is not None
        assert "lb" in weight.question
        assert set(statuses(answer).values()) == {"waiting"}
        assert cell(answer, 2, "E").status == "asked"

    def test_a_yes_is_the_proposal_sent_back(self) -> None:
        first = read(POUNDS)
        told = first.model_dump(mode="json", exclude_none=True)
        said = {c["place"]: c["proposal"] for c in told["columns"] if "proposal" in c}
        answer = read(POUNDS, columns=said)
        assert answer.counts.ready == 8
        assert screening(answer, 2)["mass_kg"] == pytest.approx(165 * 0.45359237)
        assert screening(answer, 2)["height_cm"] == pytest.approx(177.8)

    def test_a_no_is_the_alternative(self) -> None:
        first = read(POUNDS)
        said = {c.place: c.alternatives[0].ask for c in first.columns if c.question}
        answer = read(POUNDS, columns={p: ask.model_dump(mode="json") for p, ask in said.items()})
        assert codes(answer, 2) == {("D", "outside_limits")}

    def test_a_column_can_be_left_out(self) -> None:
        answer = read(POUNDS, columns={"D": {"means": None}, "E": {"means": None}})
        assert answer.counts.ready == 8
        assert "height_cm" not in screening(answer, 2)

    def test_newtons_for_kilograms(self) -> None:
        sheet = "Name,Age,Sex,Weight (kg)\n" + "".join(f"P{i},25,f,{600 + i}\n" for i in range(5))
        answer = read(sheet)
        asked = column(answer, "D")
        assert asked.question is not None
        assert asked.proposal is not None
        assert asked.proposal.unit == "N"
        done = read(sheet, columns={"D": {"unit": "N"}})
        assert screening(done, 2)["mass_kg"] == pytest.approx(600 / 9.80665)

    def test_kilograms_for_newtons(self) -> None:
        sheet = "Name,Age,Sex,Weight,Hip abd L (kg)\nA,25,f,60,24\nB,26,f,64,25\n"
        asked = column(read(sheet), "E")
        assert asked.question is not None
        assert asked.proposal is not None
        assert (asked.proposal.unit, asked.proposal.per_body_mass) == ("kgf", True)
        done = read(sheet, columns={"E": {"unit": "kgf", "per_body_mass": True}})
        assert screening(done, 2)["left_hip_abduction_pct_bw"] == pytest.approx(40)

    def test_a_force_without_body_mass_can_only_be_left_out(self) -> None:
        answer = read("Name,Age,Sex,Hip abd L (N)\nA,25,f,240\n")
        asked = column(answer, "D")
        assert asked.question is not None
        assert asked.proposal is not None
        assert asked.proposal.model_dump() == {"means": None}

    def test_a_leg_measure_without_a_leg(self) -> None:
        asked = column(read("Name,Age,Sex,Hip drop\nA,25,f,4\n"), "D")
        assert asked.question is not None
        assert asked.proposal is None
        assert {one.ask.means for one in asked.alternatives} >= {
            "left_hip_drop_deg", "right_hip_drop_deg",
        }  # fmt: skip

    def test_a_squeeze_of_both_legs_needs_no_leg(self) -> None:
        answer = read("Name,Age,Sex,Adductor squeeze (N/kg)\nA,25,f,3.4\n")
        assert column(answer, "D").question is None
        assert screening(answer, 2)["left_adductor_squeeze_n_kg"] == 3.4
        assert "right_adductor_squeeze_n_kg" not in screening(answer, 2)

    def test_two_columns_of_one_name(self) -> None:
        sheet = "Name,Age,Sex,SLR L,SLR L\nA,25,f,70,72\nB,25,f,70,\n"
        answer = read(sheet)
        assert column(answer, "D").proposal is not None
        assert column(answer, "E").proposal is not None
        assert statuses(answer) == {2: "waiting", 3: "waiting"}
        done = read(sheet, columns={"E": {"means": "left_slr_deg"}})
        assert meanings(done)["D"] is None
        assert screening(done, 2)["left_slr_deg"] == 72

    def test_how_a_test_was_done_holds_for_the_sheet(self) -> None:
        sheet = "Name,Age,Sex,Weight,Quad L (Nm),Quad R (Nm)\nA,25,f,60,120,126\n"
        answer = read(sheet)
        needed = {one.means: one for one in answer.constants if one.needed}
        assert set(needed) == {"torque_mode"}
        assert statuses(answer) == {2: "waiting"}
        done = read(sheet, constants={"torque_mode": "isometric", "sport": "volleyball"})
        assert screening(done, 2)["left_quad_torque_nm_kg"] == pytest.approx(2.0)
        assert screening(done, 2)["sport"] == "volleyball"

    def test_age_and_sex_may_hold_for_the_sheet(self) -> None:
        answer = read("Name,SLR L\nA,70\n")
        assert {one.means for one in answer.constants if one.needed} == {"age_years", "sex"}
        done = read("Name,SLR L\nA,70\n", constants={"age_years": 15, "sex": "female"})
        assert screening(done, 2) == {"age_years": 15, "sex": "female", "left_slr_deg": 70}

    def test_a_word_of_the_club_s_own(self) -> None:
        sheet = "Name,Age,Sex,Left knee before\nA,25,f,never\nB,25,f,last season\n"
        answer = read(sheet)
        words = column(answer, "D").words
        assert words is not None
        assert {one.word: one.means for one in words} == {"never": "none", "last season": None}
        assert codes(answer, 3) == {("D", "unknown_word")}
        said = {"D": {"words": {"last season": "within_12_months"}}}
        done = read(sheet, columns=said)
        assert screening(done, 3)["left_prior_knee_injury"] == "within_12_months"


class TestDates:
    @pytest.mark.parametrize(
        ("days", "wanted"),
        [
            (("31.01.2026", "2026-02-01", "1.3.26"), ["2026-01-31", "2026-02-01", "2026-03-01"]),
            (("31/01/2026", "02/03/2026"), ["2026-01-31", "2026-03-02"]),
            (("01/31/2026", "02/03/2026"), ["2026-01-31", "2026-02-03"]),
        ],
    )
    def test_one_day_above_twelve_tells(self, days: tuple[str, ...], wanted: list[str]) -> None:
        rows = "".join(f"P{i},25,f,{day}\n" for i, day in enumerate(days))
        answer = read("Name,Age,Sex,Date\n" + rows)
        assert [row.date for row in answer.rows] == wanted

    def test_otherwise_it_is_asked(self) -> None:
        sheet = "Name,Age,Sex,Date\nA,25,f,03/04/2026\nA,25,f,05/06/2026\n"
        answer = read(sheet)
        assert statuses(answer) == {2: "waiting", 3: "waiting"}
        for first, wanted in ((True, "2026-04-03"), (False, "2026-03-04")):
            done = read(sheet, columns={"D": {"day_first": first}})
            assert done.rows[0].date == wanted
            assert statuses(done) == {2: "earlier", 3: "ready"}


class TestTwoRowsForOneAthlete:
    HEAD = "Name,Date,Age,Sex,SLR L\n"

    def test_the_latest_visit_counts(self) -> None:
        answer = read(
            self.HEAD + "A,2026-01-02,25,f,70\nB,2026-01-02,25,f,70\na ,2026-02-02,25,f,75\n"
        )
        assert statuses(answer) == {2: "earlier", 3: "ready", 4: "ready"}
        assert screening(answer, 2)["left_slr_deg"] == 70

    def test_on_one_date_nobody_knows_which_is_right(self) -> None:
        answer = read(self.HEAD + "A,2026-01-02,25,f,70\nA,2026-01-02,25,f,75\n")
        assert codes(answer, 2) == codes(answer, 3) == {(None, "same_athlete_and_date")}

    def test_without_a_date_neither(self) -> None:
        answer = read("Name,Age,Sex,SLR L\nA,25,f,70\nA,25,f,75\n")
        assert codes(answer, 2) == {(None, "same_athlete")}

    def test_legs_in_rows_are_joined(self) -> None:
        answer = read(
            "ID,Side,Age,Sex,SLR,Hip drop\n1,L,20,m,70,5\n1,re,20,m,72,4\n2,R,31,f,80,4\n"
        )
        assert statuses(answer) == {2: "ready", 3: "joined", 4: "ready"}
        assert answer.rows[1].into_line == 2
        assert screening(answer, 2)["right_slr_deg"] == 72
        assert "left_slr_deg" not in screening(answer, 4)

    def test_legs_that_contradict_are_not(self) -> None:
        rows = ("1,L,20,m,70", "1,R,21,m,72", "2,L,20,m,70", "2,L,20,m,71", "3,L,20,m,700",
                "3,R,20,m,70", "4,,20,m,70")  # fmt: skip
        answer = read("\n".join(["ID,Side,Age,Sex,SLR", *rows]))
        assert codes(answer, 2) == {(None, "legs_differ")}
        assert codes(answer, 4) == {(None, "repeated_leg")}
        assert codes(answer, 6) == {("E", "outside_limits")}
        assert codes(answer, 8) == {("B", "missing")}
        # Of the third a cell is lost, and no more.
        assert answer.counts.ready == 1
        assert screening(answer, 6) == {"age_years": 20, "sex": "male", "right_slr_deg": 70}


class TestExcel:
    def test_merged_names_a_line_of_units_and_totals(self) -> None:
        answer = read(
            excel(
                ["Tests of March 2026"],
                [None, None, "Hip abduction", None, "Knee to wall", None, "Weight"],
                ["Name", "Sex", "L", "R", "L", "R", None],
                [None, None, "kgf", "kgf", "in", "in", "lb"],
                ["Amy", "F", 25, 26.5, 4.5, "5", 150],
                ["Bea", "f", 28, "x", 4, None, 162],
                ["Average", None, 26, None, 4.2, None, 156],
                area="C2:D2",
                other="E2:F2",
            ),
            constants={"age_years": 20},
        )
        assert answer.file.header_lines == [2, 3, 4]
        assert answer.file.kind == "xlsx"
        assert meanings(answer)["F"] == "right_wblt_distance_cm"
        assert statuses(answer) == {5: "ready", 6: "ready", 7: "ignored"}
        assert screening(answer, 5)["left_wblt_distance_cm"] == pytest.approx(11.43)
        assert screening(answer, 5)["left_hip_abduction_pct_bw"] == pytest.approx(
            100 * 25 / (150 * 0.45359237)
        )
        assert cell(answer, 6, "D").message == "means that it was not recorded"

    def test_the_first_sheet_with_entries_is_read_unless_another_is_asked_for(self) -> None:
        content = excel(["Name", "Age", "Sex"], ["A", 20, "m"], before=("Notes",))
        assert read(content).file.sheet == "Sheet"
        assert read(content).file.sheets == ["Notes", "Sheet"]
        with pytest.raises(CohortRefused, match="no line with an entry"):
            read(content, sheet="Notes")
        with pytest.raises(CohortRefused, match="no worksheet 'Gone'"):
            read(content, sheet="Gone")

    def test_a_formula_that_nobody_worked_out_is_a_bad_cell(self) -> None:
        answer = read(excel(["Name", "Age", "Sex"], ["A", "=10+10", "m"], ["B", 20, "f"]))
        assert codes(answer, 2) == {("B", "not_a_number")}

    def test_what_unpacks_to_too_much_is_refused(self) -> None:
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b"0" * 70_000_000)
        assert len(bomb.getvalue()) < 100_000
        with pytest.raises(CohortRefused, match="unpacks to more"):
            read(bomb.getvalue())

    @pytest.mark.parametrize(
        ("part", "old", "new"),
        [("xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="999999999"'),
         ("xl/workbook.xml", b"<workbook ", b"<!DOCTYPE workbook><workbook "),
         ("xl/workbook.xml", b"</workbook>", b""), ("xl/workbook.xml", b"r:id=", b"r:is=")],
    )  # fmt: skip
    def test_a_broken_or_hostile_file_is_refused(self, part: str, old: bytes, new: bytes) -> None:
        good = zipfile.ZipFile(io.BytesIO(excel(["Name", "Age", "Sex"], ["A", 20, "m"])))
        bad = io.BytesIO()
        with zipfile.ZipFile(bad, "w") as archive:
            for name in good.namelist():
                content = good.read(name)
                assert name != part or old in content
                archive.writestr(name, content.replace(old, new) if name == part else content)
        with pytest.raises(CohortRefused):
            read(bad.getvalue())

    @pytest.mark.parametrize(
        "content",
        [b"", b"\n\n", b"\x00\x01\x02", bytes.fromhex("d0cf11e0a1b11ae1"),
         b"PK\x05\x06" + b"\0" * 18,
         b"1,2,3\n4,5,6\n", b'Name,Age\n"A,20\n'],
    )  # fmt: skip
    def test_what_is_no_sheet_is_refused(self, content: bytes) -> None:
        with pytest.raises(CohortRefused):
            read(content)


def test_all_faults_of_what_was_said_are_told_at_once() -> None:
    said = {
        "columns": {
            "B": {"means": "shoe_size"}, "C": {"means": "mass_kg", "unit": "cm"},
            "D": {"words": {"m/f": "boy"}}, "Z": {"means": "sex"},
        },
        "constants": {"sport": "chess", "shoe": 1, "level": "novice"},
    }  # fmt: skip
    with pytest.raises(AskRefused) as refused:
        read("Name,Age,Weight,Sex,Level\nA,20,60,m,novice\n", **said)
    assert {(f.pointer, f.code) for f in refused.value.faults} == {
        ("/columns/B/means", "unknown_name"), ("/columns/C/unit", "unknown_unit"),
        ("/columns/D/words/m~1f", "unknown_choice"), ("/columns/Z", "no_such_column"),
        ("/constants/sport", "unknown_choice"), ("/constants/shoe", "unknown_name"),
        ("/constants/level", "told_twice"),
    }  # fmt: skip


@pytest.mark.parametrize("wrong", ["[]", "{}", "null", "true", "1e999", f'"{"x" * 32_768}"'])
@pytest.mark.parametrize(
    ("said", "pointer"),
    [('{"columns": {"C": {"words": {"w": %s}}}}', "/columns/C/words/w"),
     ('{"constants": {"sport": %s}}', "/constants/sport"), ('{"cells": {"D4": %s}}', "/cells/D4")],
)  # fmt: skip
def test_a_mistyped_word_is_one_fault_where_it_stands(said: str, pointer: str, wrong: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_body((said % wrong).encode(), SheetAsked)
    faults = [(fault.pointer, fault.code) for fault in refused.value.faults]
    assert faults == [(pointer, "not_text_or_number")]


@pytest.mark.parametrize("mode", ["", "by eye"])
def test_a_value_without_its_protocol_costs_the_value_alone(mode: str, tmp_path: Path) -> None:
    sheet, mapping = tmp_path / "club.csv", tmp_path / "club.toml"
    sheet.write_text(
        "Name,Age,Sex,torque_mode,left_quad_torque_nm_kg,left_slr_deg\n"
        f"A,25,f,{mode},3,70\nB,25,f,isometric,3,70\n"
    )
    answer = read(sheet.read_bytes())
    bad, good = answer.rows
    assert (bad.status, good.status) == ("ready", "ready")
    assert bad.screening is not None
    assert bad.screening["left"] == {"slr_deg": 70}
    assert [reason.place for reason in bad.reasons] == ["D", "E"]
    assert "Knee strength mode is not stated" in bad.reasons[1].message
    assert good.screening is not None
    assert good.screening["left"] == {"quad_torque_nm_kg": 3, "slr_deg": 70}
    # The command line scores it with a mapping as it does by itself.
    mapping.write_text(answer.mapping)
    for scored in (screenings_in(sheet, None), screenings_in(sheet, mapping)):
        assert [one.screening and to_row(one.screening) for one in scored] == [
            to_row(Screening.model_validate(row.screening)) for row in answer.rows
        ]
        assert any("Knee strength mode is not stated" in told for told in scored[0].left_out)


@pytest.mark.parametrize("encoding", ["none", "utf-7", "utf-16", "cp037"])
def test_an_encoding_that_is_none_is_refused(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    with pytest.raises(CohortRefused, match="not a readable Excel"):
        recognise(excel_file(excel_row("Name", "Age"), prefix=declared))


def test_an_unknown_unit_is_not_repeated() -> None:
    for said in ({"means": "mass_kg", "unit": "Ada Example"}, {"unit": "Ada Example"}):
        with pytest.raises(AskRefused) as refused:
            read("Name,Age,Weight\nA,20,60\n", columns={"C": said})
        (fault,) = refused.value.faults
        assert (fault.pointer, fault.code) == ("/columns/C/unit", "unknown_unit")
        assert "Ada" not in str(refused.value)
        assert "lb" in (fault.allowed or "")


def test_it_needs_no_pandas() -> None:
    code = "import sys; import kneerisk.cohort.sheets.undescribed_sheet; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "pyarrow"} & set(done.stdout.split())


@settings(max_examples=60, deadline=None)
@given(sheets())
def test_a_well_formed_sheet_gives_back_its_screenings(drawn: tuple[str, list[Any]]) -> None:
    text, people = drawn
    answer = read(text)
    asked = {one.place: one for one in answer.columns if one.question}
    said = {place: _yes(one) for place, one in asked.items()}
    answer = read(text, columns=said)
    for number, person in enumerate(people):
        row = answer.rows[number]
        # What lies on a limit may fall off it by the rounding of the sheet.
        assert {reason.code for reason in row.reasons} <= {
            "outside_limits", "disagrees_with_parts", "not_opposite",
        }  # fmt: skip
        assert row.status == "ready" or row.reasons
        if row.screening is not None:
            found = to_row(Screening.model_validate(row.screening))
            assert found.keys() == person.keys()
            for name, value in person.items():
                is_word = isinstance(value, str)
                wanted = value if is_word else pytest.approx(value, rel=1e-4, abs=1e-4)
                assert found[name] == wanted, name


def _yes(asked: SheetColumn) -> dict[str, Any]:
    """What the keeper of the sheet answers: it is what its name says."""
    assert asked.means is not None
    return {"means": asked.means, **({"unit": asked.from_unit} if asked.from_unit else {})}


class TestProposedMapping:
    """The page and the command line share one meaning."""

    def test_the_command_line_reads_the_same(self, tmp_path: Path) -> None:
        sheet, mapping, out = (tmp_path / name for name in ("club.csv", "club.toml", "out.csv"))
        sheet.write_text(GERMAN.replace("270", "27"), encoding="cp1252")
        told = run("sheet", str(sheet), "--propose", str(mapping), "--json")
        assert json.loads(told.output)["questions"] == {}
        text = mapping.read_text(encoding="utf-8")
        outcome = '[outcome]\nkind = "past_injury"\n'
        outcome += 'either = { column = "Bemerkung", values = { ok = 0 } }\n'
        text = text.replace('source = "..."', 'source = "a test"') + outcome
        mapping.write_text(text, encoding="utf-8")
        run("sheet", str(sheet), "--mapping", str(mapping), "--out", str(out))
        answer = read(sheet.read_bytes())
        wanted = [screening(answer, row.line) for row in answer.rows if row.screening]
        found = [to_row(one) for one in screenings_of(read_cohort(out).frame)]
        assert [sorted(one) for one in found] == [sorted(one) for one in wanted]
        for one, other in zip(found, wanted, strict=True):
            assert {n: v for n, v in one.items() if not isinstance(v, str)} == pytest.approx(
                {n: v for n, v in other.items() if not isinstance(v, str)}
            )

    def test_open_questions_and_unknown_words_stand_in_it(self, tmp_path: Path) -> None:
        text = read(POUNDS.replace("Sex", "Left knee before")).mapping
        assert "# Is 'Weight' in lb?" in text
        assert '# mass_kg = { column = "Weight", unit = "lb" }' in text
        assert 'stand for? "m"' in text

    def test_a_mapping_that_is_there_stays(self, tmp_path: Path) -> None:
        sheet, mapping = tmp_path / "club.csv", tmp_path / "club.toml"
        sheet.write_text(POUNDS)
        mapping.write_text("mine")
        done = CliRunner().invoke(app, ["sheet", str(sheet), "--propose", str(mapping)])
        assert done.exit_code != 0
        assert "already exists" in str(done.exception)
        assert mapping.read_text() == "mine"


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def test_an_upload_never_touches_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def rollover(_: Any) -> None:
        raise AssertionError("a person's sheet would be written to disk")

    monkeypatch.setattr(SpooledTemporaryFile, "rollover", rollover)
    served = Starlette(routes=[Route("/", import_sheet, methods=["POST"])])
    rows = "".join(f"P{i},25,f,{'x' * 1_000}\n" for i in range(4_000))
    sheet = ("a.csv", ("Name,Age,Sex,Remark\n" + rows).encode())

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.post("/", files={"file": sheet})

    response = anyio.run(post)
    assert response.json()["counts"]["ready"] == 4_000


class TestCellsWithUnits:
    def test_they_come_before_the_column_s(self) -> None:
        answer = read("Name,Age,Sex,Height (ft),KTW L\nA,25,f,5'6\",12 cm\nB,25,f,5'11,4.5 in\n")
        assert answer.counts.ready == 2
        assert screening(answer, 2)["height_cm"] == pytest.approx(66 * 2.54)
        assert screening(answer, 3)["left_wblt_distance_cm"] == pytest.approx(4.5 * 2.54)

    def test_a_unit_of_another_kind_makes_a_bad_cell(self) -> None:
        answer = read("Name,Age,Sex,Weight,SLR L\nA,25,f,60,12 kg\nB,25,f,60,70°\nC,25,f,60,5'11\n")
        assert codes(answer, 2) == codes(answer, 4) == {("E", "not_a_number")}
        assert statuses(answer)[3] == "ready"


class TestDateOfBirth:
    HEAD = "Name,Geburtsdatum,Testdatum,Sex\n"

    def test_it_tells_the_age_on_the_day(self) -> None:
        answer = read(self.HEAD + "A,21.03.2001,20.03.2026,f\nB,20.03.2001,20.03.2026,f\n")
        assert answer.counts.ready == 2
        assert [screening(answer, line)["age_years"] for line in (2, 3)] == [24, 25]

    def test_an_age_that_can_t_be_is_a_bad_cell(self) -> None:
        answer = read(self.HEAD + "A,20.03.2021,20.03.2026,f\nB,,20.03.2026,f\n")
        assert codes(answer, 2) == {("B", "outside_limits")}
        assert codes(answer, 3) == {("B", "missing")}

    def test_without_the_day_of_the_test_it_tells_none(self) -> None:
        answer = read(self.HEAD + "A,21.03.2001,,f\nB,21.03.2001,20.03.2026,f\n")
        assert codes(answer, 2) == {("C", "missing")}
        asked = read("Name,DOB,Date,Sex\nA,21.03.2001,03/04/2026,f\n")
        assert statuses(asked) == {2: "waiting"}

    def test_it_gives_way_to_an_age_and_needs_a_date(self) -> None:
        answer = read("Name,DOB,Age,Sex,Date\nA,20.03.2001,25,f,20.03.2026\n")
        assert meanings(answer)["B"] is None
        assert screening(answer, 2)["age_years"] == 25
        asked = column(read("Name,DOB,Sex\nA,20.03.2001,f\n"), "B")
        assert asked.question is not None
        assert "date of the screening" in asked.question


class TestChangedCells:
    SHEET = (
        "Player;Tested;Sex;Age;Lunge R;Lunge L;Height\n"
        "A;17.11.2026;w;22;38,5;33,0;1,78\n"
        "B;17.11.2026;m;24;138;40;180\n"
        "C;17.11.2026;m;24;37,0;weak;180\n"
    )

    def test_a_cell_that_can_not_be_used_costs_no_athlete(self) -> None:
        first = read(self.SHEET)
        assert set(statuses(first).values()) == {"ready"}
        assert first.counts.bad_cells == 3
        assert "height_cm" not in screening(first, 2)
        assert codes(first, 2) == {("G", "outside_limits")}
        answer = read(self.SHEET, cells={"G2": "178", "E3": "38,5", "F4": ""})
        assert set(statuses(answer).values()) == {"ready"}
        assert screening(answer, 2)["height_cm"] == 178
        assert screening(answer, 3)["right_wblt_dorsiflexion_deg"] == 38.5
        assert "left_wblt_dorsiflexion_deg" not in screening(answer, 4)
        assert (cell(answer, 3, "E").was, cell(answer, 3, "E").shown) == ("138", "38.5")
        assert (cell(answer, 4, "F").was, cell(answer, 4, "F").status) == ("weak", "left_out")
        notes = {note.code: note for note in answer.notes}
        assert notes["cells_changed"].message == "Changed by you: G2, E3."
        assert notes["cells_left_out"].lines == [4]

    def test_a_number_is_one_whatever_mark_the_sheet_has(self) -> None:
        for written in ("1.5", "1,5", 1.5):
            answer = read(
                "Player;Sex;Age;Hip drop L\nA;w;22;4,5\nB;m;24;x\n", cells={"D3": written}
            )
            assert screening(answer, 3)["left_hip_drop_deg"] == 1.5

    def test_the_mapping_file_reads_the_same(self) -> None:
        answer = read(self.SHEET, cells={"G2": "178", "F4": ""})
        assert '[cells]\nG2 = "178"\nF4 = ""\n' in answer.mapping

    def test_a_cell_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(AskRefused) as refused:
            read(self.SHEET, cells={"E1": "", "Z2": "1", "E9": "1", "E": "1"})
        pointers = {fault.pointer: fault.code for fault in refused.value.faults}
        assert pointers == dict.fromkeys(
            ("/cells/E1", "/cells/Z2", "/cells/E9", "/cells/E"), "no_such_cell"
        )

    def test_a_slip_is_proposed_in_the_unit_of_the_column(self) -> None:
        rows = next(row for row in read(self.SHEET).rows if row.line == 2)
        [proposal] = [reason.proposal for reason in rows.reasons]
        assert proposal is not None
        assert (proposal.value, proposal.unit) == (178, "cm")

    def test_what_is_needed_is_still_needed(self) -> None:
        answer = read(self.SHEET, cells={"D2": "", "G2": ""})
        assert codes(answer, 2) == {("D", "missing")}

    def test_a_word_among_numbers_can_be_told(self) -> None:
        words = column(read(self.SHEET), "F").words
        assert words is not None
        assert [(one.word, one.means) for one in words] == [("weak", None)]
        told = read(self.SHEET, columns={"F": {"words": {"weak": ""}}})
        assert statuses(told)[4] == "ready"
        told = read(self.SHEET, columns={"F": {"words": {"weak": 1.5}}})
        words = column(told, "F").words
        assert words is not None
        assert [(one.word, one.means) for one in words] == [("weak", 1.5)]
        with pytest.raises(AskRefused, match="/columns/F/words/weak: must be text"):
            read(self.SHEET, columns={"F": {"means": "red_flags", "words": {"weak": 1}}})
