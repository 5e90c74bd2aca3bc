"""The page, `/v1/import` and `ingest sheet` read the same athletes, legs, values and faults."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from sheet_strategies import sheets

from kneerisk.cohort import screenings_of
from kneerisk.cohort.sheets.club_cohort import ingest
from kneerisk.cohort.sheets.lexicon.vocabulary import athlete_key
from kneerisk.cohort.sheets.mapping_file import MappingRefused
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.errors import BadCells
from kneerisk.schema import Screening, to_row

#: Every sheet here ends in a column that only a cohort needs.
OUTCOME = """
[outcome]
kind = "past_injury"
either = { column = "Outcome", values = { ok = 0, bad = 1 } }
"""


class Reading(NamedTuple):
    """What came of a sheet, however it was read."""

    visits: dict[tuple[str | None, str | None], dict[str, Any]]
    """The values of each athlete and date, of visits without a fault."""
    codes: set[str]
    bad_lines: set[int]


def by_page(answer: SheetAnswer) -> Reading:
    bad = {row.line for row in answer.rows if row.status == "bad"}
    bad |= {row.into_line for row in answer.rows if row.line in bad and row.into_line}
    bad |= {row.line for row in answer.rows if row.into_line in bad}
    visits = {
        (row.athlete, row.date): to_row(Screening.model_validate(row.screening))
        for row in answer.rows
        if row.screening is not None and row.line not in bad
    }
    codes = {reason.code for row in answer.rows for reason in row.reasons}
    return Reading(visits, codes, bad)


def by_command(folder: Path, content: bytes, mapping: str, name: str) -> Reading:
    path, toml = folder / name, folder / "club.toml"
    path.write_bytes(content)
    toml.write_text(mapping.replace('source = "..."', 'source = "a test"') + OUTCOME, "utf-8")
    try:
        result = ingest(path, toml, skip_bad_rows=True)
    except BadCells as refused:
        codes = {fault.code for fault in refused.faults}
        return Reading({}, codes, {fault.line for fault in refused.faults})
    frame = result.cohort.frame
    dates = frame["screening_date"] if "screening_date" in frame else [None] * len(frame)
    keys = zip(frame["athlete_id"], dates, strict=True)
    visits = dict(zip(keys, map(to_row, screenings_of(frame)), strict=True))
    codes = {cell.fault.code for cell in result.blanked}
    bad = result.bad_rows
    if bad is None:
        return Reading(visits, codes, set())
    return Reading(visits, codes | {fault.code for fault in bad.faults}, set(bad.rows))


def assert_the_same(folder: Path, content: bytes, *, name: str = "club.csv", **stated: Any) -> None:
    answer = recognise(content, SheetAsked.model_validate(stated))
    page, command = by_page(answer), by_command(folder, content, answer.mapping, name)
    assert {athlete_key(str(who)) for who, _ in page.visits} == {
        athlete_key(str(who)) for who, _ in command.visits
    }
    assert len(page.visits) == len(command.visits)
    wanted = {(athlete_key(str(who)), day): values for (who, day), values in page.visits.items()}
    for (who, day), values in command.visits.items():
        assert values == wanted[athlete_key(str(who)), day]
    assert page.codes == command.codes
    assert page.bad_lines == command.bad_lines


SHEETS = {
    "first and last name": (
        "Vorname;Nachname;Testdatum;Alter;Geschlecht;Knie-Wand-Test li (cm);Outcome\n"
        "Mia;Berg;02.09.2024;19;w;12;ok\nMia;Feld;03.09.2024;24;w;9,5;bad\n"
        "Jan;Feld;02.09.2024;21;m;11;ok\n"
    ),
    "spellings": (
        "Player,Date,Age,Sex,KTW L (cm),Outcome\n"
        "Zoë O'Hara,2024-09-02,21,f,11,ok\nZoe\u0308 O'Hara,2025-01-02,21,f,11,ok\n"
        "zoe ohara,2025-03-02,21,f,10,ok\nZOË  O\u2019HARA,2025-04-02,21,f,10,ok\n"
        "Zoë\u00a0O'Hara,2025-05-02,21,f,9,bad\n"
    ),
    "titles, totals and remarks": (
        "Tests of spring;;;;;\n;;;;;\nSpieler;Datum;Geschlecht;Alter;KTW L (cm);Outcome\n"
        "Ana;02.03.2026;w;22;9,5;ok\nMittelwert;;;22;9,5;\nBen;2026-03-02;m;270;10 cm;ok\n"
        "second group;;;;;\nSpieler;Datum;Geschlecht;Alter;KTW L (cm);Outcome\n"
        "Cara;3. March 2026;divers;24;4 in;bad\nDana;02.03.2026;w;31;-;ok\n"
    ),
    "legs in rows": (
        "ID,Side,Age,Sex,SLR,Outcome\n1,L,20,m,70,ok\n1,R,,m,72,ok\n2,L,20,m,70,ok\n"
        "2,R,21,m,72,ok\n3,L,20,m,70,ok\n3,L,20,m,71,ok\n4,L,20,m,700,ok\n4,R,20,m,70,ok\n"
        "5,,20,m,70,ok\n6,R,33,f,81,bad\n"
    ),
    "repeats": (
        "Name,Date,Age,Sex,SLR L,Outcome\nA,2026-01-02,25,f,70,ok\nA,2026-02-02,25,f,71,ok\n"
        "B,2026-01-02,25,f,70,ok\nb,2026-01-02,25,f,75,ok\nC,2026-01-02,30,m,80,ok\n"
        "C,,30,m,80,ok\nD,2026-01-02,30,m,80,bad\n"
    ),
    "birth dates": (
        "Name,Geburtsdatum,Testdatum,Sex,Outcome\nA,21.03.2001,20.03.2026,f,ok\n"
        "B,20.03.2001,20.03.2026,f,ok\nC,20.03.2021,20.03.2026,f,ok\n"
    ),
    "bad cells": (
        "Name,Age,Sex,Weight (kg),Hip abd L (kgf),Left knee before,Red flags,SLR L,Outcome\n"
        "A,25,f,60,24,never,none,70,ok\nB,26,f,,24,never,,71,ok\nC,26,f,64,24,once,none,71,ok\n"
        "D,26,f,64,x,never,locked knee,71,ok\nE,26,f,64,25,no,none,7000,ok\n"
        "F,26,boy,64,25,no,odd,70°,ok\nG,26,f,64,25,no,none,71,ok,extra\n"
    ),
    "numbers that are none": (
        "Name;Age;Sex;Weight (kg);SLR L;KTW L (cm);Outcome\nA;25;f;60,5;1e999;9,5;ok\n"
        "B;26;m;nan;70;9.5;ok\nC;26;m;70;70;1.234,5;ok\nD;26;m;70,5;71;12 kg;bad\n"
        "E;26;m;70,5;71;12 cm;ok\n"
    ),
    "ratio and parts": (
        "Name,Age,Sex,Quad L (Nm/kg),Ham L (Nm/kg),H:Q L,Outcome\nA,25,f,3,1.8,0.6,ok\n"
        "B,25,f,3,1.8,0.9,ok\n"
    ),
}
STATED: dict[str, dict[str, Any]] = {
    "ratio and parts": {"constants": {"torque_mode": "isokinetic_60"}},
}


@pytest.mark.parametrize("name", SHEETS)
def test_page_and_command_line_read_the_same(tmp_path: Path, name: str) -> None:
    assert_the_same(tmp_path, SHEETS[name].encode(), **STATED.get(name, {}))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=sheets())
def test_any_well_formed_sheet_reads_the_same(tmp_path: Path, drawn: tuple[str, list[Any]]) -> None:
    header, *rows = drawn[0].split("\n")
    content = "\n".join([f"{header};Outcome", *(f"{row};ok" for row in rows)]).encode()
    answer = recognise(content)
    # The keeper of the sheet says that each column is what its name says.
    stated = {
        column.place: {"means": column.means}
        | ({"unit": unit} if (unit := column.from_unit) else {})
        for column in answer.columns
        if column.question
    }
    answer = recognise(content, SheetAsked.model_validate({"columns": stated}))
    needed = [constant for constant in answer.constants if constant.needed]
    constants = {c.means: c.choices[0] if c.choices else 25 for c in needed}
    assert_the_same(tmp_path, content, columns=stated, constants=constants)


def test_an_excel_file_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Empty", 0)
    sheet = book["Sheet"]
    for row in (
        [None, None, None, None, "Hip abduction", None, "Weight"],
        ["Name", "Sex", "Age", "Outcome", "L", "R", None],
        [None, None, None, None, "kgf", "kgf", "lb"],
        ["Amy", "F", 22, "ok", 25, 26.5, 150],
        ["Bea", "f", 23, "bad", 28, "x", 162],
        ["Average", None, 22.5, None, 26, None, 156],
    ):
        sheet.append(row)
    sheet.merge_cells("E1:F1")
    content = io.BytesIO()
    book.save(content)
    assert_the_same(tmp_path, content.getvalue(), name="club.xlsx")


def test_what_a_person_stated_goes_into_the_mapping(tmp_path: Path) -> None:
    text = (
        "Name,Age,Sex,Date,Weight,Knie L,Pelvic tilt L,SLR L,SLR L,Outcome\n"
        "A,25,W,03/04/2026,165,earlier,3,70,71,ok\nB,26,w,05/06/2026,170,never,-2,72,73,bad\n"
    )
    columns = {
        "D": {"day_first": False},
        "E": {"unit": "lb"},
        "F": {"means": "left_prior_knee_injury", "words": {"earlier": "over_12_months_ago"}},
        "G": {"means": "left_lateral_pelvic_tilt_deg", "opposite": True},
        "I": {"means": "left_slr_deg"},
    }
    stated = {"columns": columns, "constants": {"sport": "running"}}
    assert_the_same(tmp_path, text.encode(), **stated)
    answer = recognise(text.encode(), SheetAsked.model_validate(stated))
    assert answer.counts.ready == 2
    assert 'left_slr_deg = { column = "SLR L [I]"' in answer.mapping
    first = by_page(answer).visits["A", "2026-03-04"]
    assert (first["left_lateral_pelvic_tilt_deg"], first["left_slr_deg"]) == (-3, 71)


def test_two_who_share_a_first_name_are_two(tmp_path: Path) -> None:
    answer = recognise(SHEETS["first and last name"].encode())
    read = by_command(tmp_path, SHEETS["first and last name"].encode(), answer.mapping, "club.csv")
    assert 'athlete_id = ["Vorname", "Nachname"]' in answer.mapping
    assert {who for who, _ in read.visits} == {"Mia Berg", "Mia Feld", "Jan Feld"}


def test_one_person_in_five_spellings_is_one(tmp_path: Path) -> None:
    content = SHEETS["spellings"].encode()
    answer = recognise(content)
    assert (answer.counts.athletes, answer.counts.ready, answer.counts.earlier) == (1, 1, 4)
    read = by_command(tmp_path, content, answer.mapping, "club.csv")
    # Five visits, under the spelling that comes first.
    assert {who for who, _ in read.visits} == {"Zoë O'Hara"}
    assert len(read.visits) == 5


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("José Peña", "JOSE\u0301  PENA\u0303", True),
        ("Jean-Luc", "jean luc", True),
        ("O'Brien", "OBrien", True),
        ("Groß, Ida", "GROSS IDA", True),
        ("P\u200b01", "p01", True),
        # Two people, though their letters are alike.
        ("P01", "P1", False),
        ("1-11", "11-1", False),
        ("1.1", "11", False),
        ("Ann Lee", "Anna Lee", False),
        ("Ann Lee", "Lee Ann", False),
        ("かな", "がな", False),
        ("?", "!", False),
    ],
)
def test_who_is_one_person(name: str, other: str, *, same: bool) -> None:
    assert (athlete_key(name) == athlete_key(other)) is same


def test_spellings_and_prefix_go_together(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("Id,Day,Outcome\nAnn,2024-01-01,ok\nANN,2025-01-01,bad\n")
    (tmp_path / "c.toml").write_text(
        'source = "a test"\nathlete_id = { column = "Id", prefix = "x-" }\n'
        f'screening_date = "Day"\n{OUTCOME}'
    )
    cohort = ingest(tmp_path / "c.csv", tmp_path / "c.toml").cohort
    assert list(cohort.frame["athlete_id"]) == ["x-Ann", "x-Ann"]


def test_trials_of_one_athlete_in_two_spellings_collapse(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("Id,Trial,Outcome\nAnn,1,ok\nANN ,2,ok\n")
    head = 'source = "a test"\nathlete_id = "Id"\n'
    (tmp_path / "c.toml").write_text(f'{head}one_row_per = ["Id"]\n{OUTCOME}')
    assert len(ingest(tmp_path / "c.csv", tmp_path / "c.toml").cohort.frame) == 1


def test_an_empty_cell_contradicts_nothing_but_another_value_does(tmp_path: Path) -> None:
    answer = recognise(SHEETS["legs in rows"].encode())
    read = by_command(tmp_path, SHEETS["legs in rows"].encode(), answer.mapping, "club.csv")
    assert set(read.visits) == {("1", None), ("4", None), ("6", None)}
    assert read.visits["1", None]["age_years"] == 20
    assert {"legs_differ", "repeated_leg", "outside_limits", "missing"} == read.codes


def test_lines_left_out_are_counted(tmp_path: Path) -> None:
    text = "Id,Age,Outcome\nA,25,ok\nMean,25,\nB,26,ok\nsecond team,,\nTotal,2,\n"
    (tmp_path / "c.csv").write_text(text)
    (tmp_path / "c.toml").write_text(
        'source = "a test"\nathlete_id = "Id"\n[sheet]\nleave_out = ["totals", "remark"]\n'
        f'[columns]\nage_years = "Age"\n{OUTCOME}'
    )
    result = ingest(tmp_path / "c.csv", tmp_path / "c.toml")
    assert list(result.cohort.frame["athlete_id"]) == ["A", "B"]
    assert sorted(result.dropped.values()) == [1, 2]


def test_only_an_answer_needs_age_and_sex(tmp_path: Path) -> None:
    content = b"Name,Age,Sex,SLR L,Outcome\nA,25,f,70,ok\nB,n/a,,71,ok\n"
    answer = recognise(content)
    (tmp_path / "c.csv").write_bytes(content)
    mapping = answer.mapping.replace('source = "..."', 'source = "a test"') + OUTCOME
    (tmp_path / "c.toml").write_text(mapping)
    assert {reason.code for reason in answer.rows[1].reasons} == {"missing"}
    cohort = ingest(tmp_path / "c.csv", tmp_path / "c.toml").cohort
    assert list(cohort.frame["athlete_id"]) == ["A", "B"]


def test_a_birth_date_needs_the_day_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("Id,Born,Age,Outcome\nA,2001-01-01,20,ok\n")
    head = 'source = "a test"\nathlete_id = "Id"\nbirth_date = "Born"\n'
    (tmp_path / "c.toml").write_text(f'{head}[columns]\nage_years = "Age"\n{OUTCOME}')
    with pytest.raises(MappingRefused) as refused:
        ingest(tmp_path / "c.csv", tmp_path / "c.toml")
    assert [fault.split(":")[0] for fault in refused.value.faults] == ["birth_date"] * 2


def test_every_fault_has_words_for_both_readers(tmp_path: Path) -> None:
    text = (
        "Name,Age,Sex,Red flags,Date,SLR L,Outcome\nA,25,f,odd,2026-01-02,70,ok\n"
        "B,x,f,none,soon,7000,ok\nC,25,f,none,2026-01-02,70,perhaps\nC,25,f,,2026-01-02,70,ok\n"
    )
    answer = recognise(text.encode())
    reasons = {r.code: r.message for row in answer.rows for r in row.reasons}
    assert reasons["unknown_choice"] == "holds a word that is not a red flag"
    assert reasons["not_a_date"] == "is not a date in the form that this column uses"
    assert reasons["outside_limits"].startswith("must be a number from")
    assert reasons["same_athlete_and_date"].endswith("on the same date as line 4")
    (tmp_path / "c.csv").write_text(text)
    mapping = answer.mapping.replace('source = "..."', 'source = "a test"') + OUTCOME
    (tmp_path / "c.toml").write_text(mapping)
    with pytest.raises(BadCells) as refused:
        ingest(tmp_path / "c.csv", tmp_path / "c.toml")
    rules = {(fault.code, fault.rule) for fault in refused.value.faults}
    assert rules == {
        ("unknown_choice", "holds a word that is not a red flag"),
        ("not_a_number", "is not a number"),
        ("not_a_date", "is not a date in the form that the mapping gives"),
        ("outside_limits", "must be a number from 20 to 130 deg (as left_slr_deg)"),
        ("same_athlete_and_date", "repeats the athlete and date of line 4"),
        ("same_athlete_and_date", "repeats the athlete and date of line 5"),
    }


def test_a_thousand_rows_of_one_athlete_name_a_few_lines_each() -> None:
    rows = "".join(f"A,25,f,{60 + i % 20}\n" for i in range(1_000))
    answer = recognise(f"Name,Age,Sex,SLR L\n{rows}".encode())
    assert answer.counts.bad == 1_000
    assert "and 994 more" in answer.rows[0].reasons[0].message
    assert len(answer.model_dump_json()) < 1_000_000
