"""A club's sheet through a mapping file: conversion, outcomes, follow-up, faults, bad rows."""

from __future__ import annotations

import csv
import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from click.testing import Result
from real_data import ROOT, real_file
from typer.testing import CliRunner

from kneerisk.cohort import read, write
from kneerisk.cohort.ingest_result import Ingested, write_bad_rows
from kneerisk.cohort.sheets import club_cohort as sheet
from kneerisk.cohort.sheets.mapping_file import MappingRefused
from kneerisk.cohort.sheets.rows.recorded_outcomes import months_later
from kneerisk.errors import BadCells, CohortRefused
from pipelines.ingest import app

PAST = '[outcome]\nkind = "past_injury"\neither = "Knee"\n'
NEW = '[outcome]\nkind = "new_pain"\nhorizon_months = 12\neither = "Knee"\n'


def ingested(
    folder: Path, mapping: str, *rows: str, name: str = "club.csv", skip: bool = False
) -> Ingested:
    mapped = folder / "club.toml"
    mapped.write_text(f'source = "a test"\nathlete_id = "Id"\n{mapping}', encoding="utf-8")
    path = folder / name
    if rows:
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return sheet.ingest(path, mapped, skip_bad_rows=skip)


def value(folder: Path, column: str, cell: str) -> float:
    mapping = f"[columns]\n{column}\n{PAST}"
    found = ingested(folder, mapping, "Id;X;Kg;Knee", f"a;{cell};80;0")
    return float(found.cohort.columns()[column.split(" ", maxsplit=1)[0]][0])


SEMICOLON = '[sheet]\ndelimiter = ";"\n'


@pytest.mark.parametrize(
    ("column", "cell", "wanted"),
    [
        ('mass_kg = { column = "X", unit = "lb" }', "176.37", 80.0001),
        ('height_cm = { column = "X", unit = "inch" }', "70", 177.8),
        ('height_cm = { column = "X", unit = "ft" }', "6", 182.88),
        ('height_cm = { column = "X", unit = "m" }', "1.8", 180.0),
        ('height_cm = { column = "X", unit = "cm" }', "180", 180.0),
        ('height_cm = "X"', "180", 180.0),
        ('weekly_run_km = { column = "X", unit = "mile" }', "10", 16.0934),
        ('training_years = { column = "X", unit = "months" }', "18", 1.5),
        ('left_hip_drop_deg = { column = "X", unit = "rad" }', "0.1", 5.7296),
        ('left_hip_drop_deg = { column = "X", opposite = true }', "-5", 5.0),
        ('left_hamstring_quad_ratio = { column = "X", unit = "%" }', "60", 0.6),
        ('run_speed_mps = { column = "X", unit = "km/h" }', "9", 2.5),
        ('left_run_stance_time_s = { column = "X", unit = "ms" }', "250", 0.25),
        ('height_cm = { column = "X", decimal_comma = true }', "180,5", 180.5),
        ('weekly_run_km = { column = "X", values = { "26-35 km" = 30.5 } }', "26-35 KM", 30.5),
    ],
)
def test_numbers_are_converted_to_the_schema_s_unit(
    tmp_path: Path, column: str, cell: str, wanted: float
) -> None:
    found = value(tmp_path, column + "\n[sheet]\ndelimiter = ';'", cell)
    assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    ("measure", "unit", "cell", "wanted"),
    [
        ("left_hip_abduction_pct_bw", "kgf", "32", 40.0),
        ("left_hip_abduction_pct_bw", "N", "313.8128", 40.0),
        ("left_hip_abduction_pct_bw", "lbf", "70.5479", 40.0),
        ("left_adductor_squeeze_n_kg", "kgf", "32", 3.92266),
        ("left_hamstring_quad_ratio", "", "0.6", 0.6),
        ("left_quad_torque_nm_kg", "Nm", "240", 3.0),
    ],
)
def test_forces_and_torques_are_divided_by_body_mass(
    tmp_path: Path, measure: str, unit: str, cell: str, wanted: float
) -> None:
    per_mass = f', unit = "{unit}", per_body_mass = true' if unit else ""
    mapping = (
        f'{SEMICOLON}[columns]\nmass_kg = {{ column = "Lb", unit = "lb" }}\n'
        f'{measure} = {{ column = "X"{per_mass} }}\n'
        f'[constants]\ntorque_mode = "isometric"\n{PAST}'
    )
    found = ingested(tmp_path, mapping, "Id;X;Lb;Knee", f"a;{cell};176.36981;0")
    assert found.cohort.columns()[measure][0] == pytest.approx(wanted, rel=1e-5)


def test_a_force_without_body_mass_is_a_bad_cell(tmp_path: Path) -> None:
    mapping = (
        '[columns]\nmass_kg = "Kg"\n'
        'left_hip_abduction_pct_bw = { column = "X", unit = "kgf", per_body_mass = true }\n'
    )
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, mapping + PAST, "Id,X,Kg,Knee", "a,30,,0", "b,30,heavy,0", "c,,,0")
    places = [(fault.line, fault.column) for fault in refused.value.faults]
    assert places == [(2, "X"), (3, "Kg")]


def test_every_mistake_of_a_mapping_is_told_at_once(tmp_path: Path) -> None:
    mapping = """
one_row_per = ["Nobody"]
[constants]
sport = "chess"
shoe = "left"
mass_kg = 70
[columns]
mass_kg = { column = "Weight", unit = "cm" }
height_cm = { column = "Heigt", unit = "smoot" }
hip_drop_deg = "Drop"
sex = { column = "Sex", values = { w = "woman" } }
weekly_run_km = { column = "Run", values = { lots = "many" } }
left_hip_abduction_pct_bw = { column = "Force", per_body_mass = true }
left_pain_nrs = { column = "Pain", unit = "kg" }
[legs]
slr_deg = "Slr"
[outcome]
kind = "present_pain"
horizon_months = 12
left = "Pain"
date = "When"
"""
    header = "Id,Weight,Height,Drop,Sex,Run,Force,Pain,Slr,When,Pain"
    with pytest.raises(MappingRefused) as refused:
        ingested(tmp_path, mapping, header, "a,1,1,1,w,1,1,1,1,1,1")
    told = "\n".join(refused.value.faults)
    for part in (
        "no column 'Nobody'",
        "no column 'Heigt' (did you mean 'Height'?)",
        "2 columns called 'Pain'",
        "constants.sport: must be one of running",
        "constants.shoe: is not in the schema",
        "constants.mass_kg: is also mapped to a column",
        "columns.mass_kg: can't be converted from 'cm'",
        "columns.height_cm: has an unknown unit, 'smoot'",
        "columns.hip_drop_deg: is not in the schema",
        "columns.sex: 'w' must stand for one of male",
        "columns.weekly_run_km: 'lots' must stand for numbers",
        "columns.left_hip_abduction_pct_bw: needs its unit",
        "columns.left_pain_nrs: can't be converted",
        "legs: needs [sides]",
        "outcome: left and right go together",
        "outcome.horizon_months: present_pain has none",
        "outcome.date: present_pain has no follow-up",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[outcome", "is not TOML"),
        ("a = " + "9" * 5_000, "is not TOML"),
        ("a = " + "[" * 20_000, "is not TOML"),
        ("[constants]\nsport = [1]", "constants.sport: must be a finite number, or a text"),
        ('[outcome]\nkind = "ache"\neither = "Knee"', "outcome.kind"),
        (f'colums = {{ sex = "S" }}\n{PAST}', "colums: is not an entry"),
        ('[columns]\nsex = "S"', "outcome: must be given"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MappingRefused) as refused:
        ingested(tmp_path, text, "Id,Knee", "a,1")
    assert told in str(refused.value)


def test_every_bad_cell_is_told_by_the_sheet_s_own_names(tmp_path: Path) -> None:
    mapping = (
        'screening_date = { column = "Day", formats = ["%d.%m.%Y"] }\n'
        "[sheet]\nheader_row = 3\n"
        '[columns]\nmass_kg = { column = "Weight", unit = "lb" }\nsex = "Sex"\n'
    )
    with pytest.raises(BadCells) as refused:
        ingested(
            tmp_path, mapping + PAST,
            "A title,,,,", ",,,,",
            "Id,Day,Weight,Sex,Knee",
            "a,01.02.2024,150,male,0",
            ",,,,",
            "b,2024-02-01,15,boy,perhaps",
            "a,01.02.2024,heavy,Female,2",
        )  # fmt: skip
    found = {(fault.line, fault.column): fault for fault in refused.value.faults}
    assert set(found) == {
        # Nobody knows which of the two rows of one athlete and date is right.
        (4, "Day"), (7, "Day"),
        (6, "Day"), (6, "Weight"), (6, "Sex"), (6, "Knee"),
        (7, "Weight"), (7, "Knee"),
    }  # fmt: skip
    assert "mass_kg" in found[6, "Weight"].rule
    assert found[6, "Weight"].allowed == "a number from 25 to 250 kg"
    assert "%d.%m.%Y" in found[6, "Day"].allowed
    assert "repeats" in found[7, "Day"].rule
    assert "boy" not in str(refused.value)


def test_bad_rows_can_be_left_out_and_are_kept_with_reasons(tmp_path: Path) -> None:
    found = ingested(
        tmp_path,
        f'[columns]\nage_years = "Age"\n{PAST}',
        "Id,Age,Knee,Note", "a,20,1,x", "b,255,0,y", "c,30,,z", "d,31,0,u,extra",
        skip=True,
    )  # fmt: skip
    assert list(found.cohort.frame["athlete_id"]) == ["a", "c"]
    assert found.summary()["dropped"] == {"rows with bad cells": 2}
    assert found.bad_rows is not None
    write_bad_rows(found.bad_rows, tmp_path / "bad.csv")
    with (tmp_path / "bad.csv").open(encoding="utf-8", newline="") as file:
        bad = list(csv.DictReader(file))
    assert [(row["line"], row["Id"], row["Age"], row["Note"]) for row in bad] == [
        ("3", "b", "255", "y"), ("5", "d", "31", "u"),
    ]  # fmt: skip
    assert "a number from 10 to 100 years" in bad[0]["reasons"]
    assert "more cells" in bad[1]["reasons"]


def test_leaving_rows_out_needs_a_good_one(tmp_path: Path) -> None:
    with pytest.raises(BadCells):
        ingested(
            tmp_path, f'[columns]\nage_years = "Age"\n{PAST}', "Id,Age,Knee", "b,255,0", skip=True
        )


def test_decimal_commas_are_never_guessed(tmp_path: Path) -> None:
    mapping = f'[sheet]\ndelimiter = ";"\ndecimal_comma = true\n[columns]\nmass_kg = "Kg"\n{PAST}'
    found = ingested(tmp_path, mapping, "Id;Kg;Knee", "a;80,5;0", "b;80;1")
    assert list(found.cohort.frame["mass_kg"]) == [80.5, 80.0]
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, mapping, "Id;Kg;Knee", "a;80.5;0", "b;1.080,5;1")
    assert [fault.line for fault in refused.value.faults] == [2, 3]


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        # Id, Day, Knee, Since, Last, Lost
        ("a,2023-01-31,0,,2024-01-31,no", 0.0),
        ("a,2023-01-31,0,,2024-01-30,no", None),
        ("a,2023-01-31,0,,,no", None),
        ("a,2023-01-31,0,,2023-06-01,yes", None),
        ("a,2023-01-31,0,,2024-02-01,yes", 0.0),
        ("a,2023-01-31,,,2024-02-01,no", None),
        ("a,2023-01-31,1,2023-05-01,2024-02-01,no", 1.0),
        ("a,2023-01-31,1,2023-05-01,2023-06-01,yes", 1.0),
        ("a,2023-01-31,1,2024-03-01,2024-04-01,no", 0.0),
        ("a,2023-01-31,1,,2024-01-31,no", 1.0),
        ("a,2023-01-31,1,,2024-06-01,no", None),
    ],
)
def test_follow_up_decides_what_is_known_at_the_horizon(
    tmp_path: Path, row: str, wanted: float | None
) -> None:
    mapping = f'screening_date = "Day"\n{NEW}date = "Since"\nfollow_up_end = "Last"\nlost = "Lost"'
    found = ingested(tmp_path, mapping, "Id,Day,Knee,Since,Last,Lost", row)
    np.testing.assert_array_equal(
        found.cohort.outcomes().either, [np.nan if wanted is None else wanted]
    )
    assert found.cohort.horizon_months == 12


@pytest.mark.parametrize(
    ("months", "lost", "knee", "wanted"),
    [("12", "no", "0", 0.0), ("11.5", "no", "0", None), ("", "no", "0", None),
     ("3", "yes", "1", 1.0), ("24", "no", "1", None), ("24", "no", "0", 0.0)],
)  # fmt: skip
def test_length_of_follow_up_in_months(
    tmp_path: Path, months: str, lost: str, knee: str, wanted: float | None
) -> None:
    mapping = f'{NEW}follow_up_months = "Months"\nlost = "Lost"'
    found = ingested(tmp_path, mapping, "Id,Months,Lost,Knee", f"a,{months},{lost},{knee}")
    np.testing.assert_array_equal(
        found.cohort.outcomes().either, [np.nan if wanted is None else wanted]
    )


def test_an_athlete_lost_without_a_length_of_follow_up_has_no_outcome(tmp_path: Path) -> None:
    found = ingested(
        tmp_path, f'{NEW}lost = "Lost"', "Id,Lost,Knee", "a,no,0", "b,yes,0", "c,yes,1"
    )
    np.testing.assert_array_equal(found.cohort.outcomes().either, [0.0, np.nan, 1.0])


def test_pain_before_the_screening_is_a_fault(tmp_path: Path) -> None:
    mapping = f'screening_date = "Day"\n{NEW}date = "Since"'
    with pytest.raises(BadCells, match="before the screening"):
        ingested(tmp_path, mapping, "Id,Day,Knee,Since", "a,2024-01-02,1,2024-01-01")


def test_a_date_of_pain_without_pain_is_a_fault(tmp_path: Path) -> None:
    mapping = f'screening_date = "Day"\n{NEW}date = "Since"'
    rows = ("a,2024-01-02,0,2024-02-01", "b,2024-01-02,,2024-02-01", "c,2024-01-02,1,2024-02-01")
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, mapping, "Id,Day,Knee,Since", *rows)
    assert [(f.line, f.column) for f in refused.value.faults] == [(2, "Since"), (3, "Since")]


def test_what_would_be_ignored_in_an_outcome_is_refused(tmp_path: Path) -> None:
    mapping = f'{NEW}follow_up_months = {{ column = "M", unit = "weeks" }}'
    with pytest.raises(MappingRefused, match=r"outcome\.follow_up_months: has no unit"):
        ingested(tmp_path, mapping, "Id,Knee,M", "a,0,52")


def test_another_delimiter_is_guessed_at_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(MappingRefused, match=r"sheet\.delimiter"):
        ingested(tmp_path, PAST, "Id;Knee", "a;1")


def test_a_quote_that_is_never_closed_does_not_swallow_rows(tmp_path: Path) -> None:
    with pytest.raises(CohortRefused, match="can't be read"):
        ingested(tmp_path, PAST, "Id,Knee,Note", 'a,1,"tall', "b,0,x")


def test_months_end_where_the_calendar_does() -> None:
    assert months_later(date(2023, 8, 31), 6) == date(2024, 2, 29)
    assert months_later(date(2023, 12, 15), 12) == date(2024, 12, 15)


def test_seasons_are_screenings_of_one_athlete(tmp_path: Path) -> None:
    mapping = f'screening_date = "Day"\ngroup = "Season"\n{PAST}'
    found = ingested(
        tmp_path, mapping, "Id,Day,Season,Knee", "a,2023-01-01,23,0", "a,2024-01-01,24,1"
    )
    assert found.summary()["athletes"] == 1
    assert list(found.cohort.frame["group"]) == ["23", "24"]


WORDS = """
[outcome]
kind = "past_injury"
[outcome.words]
column = "Where"
values.knees = "both"
values.knee = "either"
values."right knee" = "right"
values."L knee" = "left"
values."-" = "none"
"""


def test_an_injury_in_words_gives_the_side(tmp_path: Path) -> None:
    rows = ("a,Right knee", "b,l knee", "c,knees", "d,knee", "e,-", "f,")
    found = ingested(tmp_path, '[sheet]\nmissing = ["-"]\n' + WORDS, "Id,Where", *rows)
    left, right, either = found.cohort.outcomes()
    nan = np.nan
    np.testing.assert_array_equal(left, [0, 1, 1, nan, 0, nan])
    np.testing.assert_array_equal(right, [1, 0, 1, nan, 0, nan])
    np.testing.assert_array_equal(either, [1, 1, 1, 1, 0, nan])
    with pytest.raises(BadCells, match="not a word of the mapping"):
        ingested(tmp_path, WORDS, "Id,Where", "a,ankle")
    others = ingested(tmp_path, WORDS + 'otherwise = "none"', "Id,Where", "a,ankle", "b,knees")
    assert list(others.cohort.outcomes().either) == [0, 1]


def test_rows_of_trials_collapse_only_where_they_agree(tmp_path: Path) -> None:
    mapping = f'one_row_per = ["Id"]\n[columns]\nage_years = "Age"\n{PAST}'
    rows = ("Id,Trial,Age,Knee", "a,1,20,0", "a,2,20,0", "b,1,30,1", "b,2,30,1")
    assert len(ingested(tmp_path, mapping, *rows).cohort.frame) == 2
    conflict = (*rows[:-1], "b,2,31,1")
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, mapping, *conflict)
    assert [(f.line, f.column) for f in refused.value.faults] == [(4, "Age"), (5, "Age")]
    left = ingested(tmp_path, mapping, *conflict, skip=True)
    assert list(left.cohort.frame["athlete_id"]) == ["a"]
    assert left.bad_rows is not None
    assert sorted(left.bad_rows.rows) == [4, 5]


LEGS = """
[sides]
column = "Leg"
values = { R = "right", L = "left" }
[columns]
age_years = "Age"
[legs]
slr_deg = "Slr"
[outcome]
kind = "present_pain"
leg = "Knee"
"""


def test_a_row_for_each_leg_becomes_one_screening(tmp_path: Path) -> None:
    rows = ("a,R,20,80,1", "a,L,20,70,0", "b,l,30,60,")
    found = ingested(tmp_path, LEGS, "Id,Leg,Age,Slr,Knee", *rows)
    frame = found.cohort.frame
    assert list(frame["left_slr_deg"]) == [70.0, 60.0]
    np.testing.assert_array_equal(frame["right_slr_deg"], [80.0, np.nan])
    np.testing.assert_array_equal(frame["outcome_left"], [0.0, np.nan])
    np.testing.assert_array_equal(frame["outcome_right"], [1.0, np.nan])


def test_faults_of_legs_stand_on_their_own_line(tmp_path: Path) -> None:
    rows = ("a,R,20,800,1", "a,L,20,70,0", "b,R,30,60,0", "b,L,31,60,0", "c,,20,70,0",
            "d,L,20,70,0", "d,L,20,70,0")  # fmt: skip
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, LEGS, "Id,Leg,Age,Slr,Knee", *rows)
    places = {(fault.line, fault.column) for fault in refused.value.faults}
    assert places == {(2, "Slr"), (4, "Age"), (5, "Age"), (6, "Leg"), (8, "Leg")}


def test_what_holds_for_the_athlete_agrees_on_both_rows(tmp_path: Path) -> None:
    mapping = LEGS.replace('leg = "Knee"', 'either = "Knee"')
    same = ingested(tmp_path, mapping, "Id,Leg,Age,Slr,Knee", "a,R,20,80,1", "a,L,20,70,1")
    assert list(same.cohort.outcomes().either) == [1.0]
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, mapping, "Id,Leg,Age,Slr,Knee", "a,R,20,80,1", "a,L,20,70,0")
    assert [(f.line, f.column) for f in refused.value.faults] == [(2, "Knee"), (3, "Knee")]


def test_a_formula_that_nobody_worked_out_is_a_bad_cell(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Id", "Kg", "Knee"], ["a", "=40+40", 1], ["b", None, 0]):
        book.active.append(row)
    book.save(tmp_path / "club.xlsx")
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, f'[columns]\nmass_kg = "Kg"\n{PAST}', name="club.xlsx")
    assert [(f.line, f.column) for f in refused.value.faults] == [(2, "Kg")]


def test_an_excel_file_reads_like_its_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    page = book.create_sheet("Tests")
    page.append(["Club", None, None, None, None])
    page.append(["Id", "Day", "Kg", "Sex", "Knee"])
    page.append([7, date(2024, 2, 1), 80.5, "m", True])
    page.append([None, None, None, None, None])
    page.append(["x8", "01.02.2024", "n/a", "w", False])
    book.save(tmp_path / "club.xlsx")
    mapping = (
        'screening_date = { column = "Day", formats = ["%d.%m.%Y"] }\n'
        '[sheet]\nname = "Tests"\nheader_row = 2\nmissing = ["n/a"]\n'
        '[columns]\nmass_kg = "Kg"\n'
        'sex = { column = "Sex", values = { m = "male", w = "female" } }\n'
        '[outcome]\nkind = "past_injury"\n'
        'either = { column = "Knee", values = { true = 1, false = 0 } }\n'
    )
    found = ingested(tmp_path, mapping, name="club.xlsx")
    frame = found.cohort.frame
    assert list(frame["athlete_id"]) == ["7", "x8"]
    assert list(frame["screening_date"]) == ["2024-02-01", "2024-02-01"]
    np.testing.assert_array_equal(frame["mass_kg"], [80.5, np.nan])
    assert list(frame["sex"]) == ["male", "female"]
    assert list(found.cohort.outcomes().either) == [1.0, 0.0]
    with pytest.raises(CohortRefused, match="no worksheet 'Test'"):
        ingested(tmp_path, mapping.replace('"Tests"', '"Test"'), name="club.xlsx")


@pytest.mark.parametrize("name", ["absent.csv", "broken.xlsx", "latin.csv", "empty.csv"])
def test_a_sheet_that_can_t_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.xlsx").write_text("no workbook", encoding="utf-8")
    (tmp_path / "latin.csv").write_bytes("Id,Knee\né,1\n".encode("latin-1"))
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    with pytest.raises(CohortRefused, match=name):
        ingested(tmp_path, PAST, name=name)


def test_the_example_club_is_read_as_its_mapping_says() -> None:
    folder = ROOT / "data" / "mappings"
    found = sheet.ingest(folder / "example-club.csv", folder / "example-club.toml")
    summary = found.summary()
    assert (summary["rows"], summary["athletes"]) == (42, 24)
    # Three left the club without pain, and of one no outcome was recorded.
    assert summary["recorded"]["either"] == 38
    assert set(found.cohort.frame["group"]) == {"2023/24", "2024/25"}


def test_the_real_rbds_file() -> None:
    path = real_file("rbds/RBDSinfo.txt")
    found = sheet.ingest(path, ROOT / "data" / "mappings" / "rbds.toml")
    assert found.summary()["rows"] == 28
    assert found.summary()["events"] == {"left": 1, "right": 2, "either": 3}
    first = found.cohort.frame.iloc[0]
    assert first["right_hip_abduction_pct_bw"] == pytest.approx(16.8 / 62 * 100)
    assert (first["weekly_run_km"], first["training_years"]) == (30.5, pytest.approx(4 / 12))
    assert (first["outcome_left"], first["outcome_right"]) == (0.0, 1.0)


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["sheet", *map(str, arguments)])


@pytest.fixture
def club(tmp_path: Path) -> tuple[Path, Path]:
    """A sheet with one bad row of two, and its mapping."""
    path, mapping = tmp_path / "club.csv", tmp_path / "club.toml"
    path.write_text("Id,Age,Knee\na,20,1\nb,255,0\n", encoding="utf-8")
    head = 'source = "a test"\nathlete_id = "Id"\n[columns]\nage_years = "Age"\n'
    mapping.write_text(head + PAST, encoding="utf-8")
    return path, mapping


def test_the_command_writes_nothing_where_a_cell_is_bad(club: tuple[Path, Path]) -> None:
    path, mapping = club
    out = path.with_name("out.parquet")
    ended = command(path, "--mapping", mapping, "--out", out)
    assert ended.exit_code != 0
    assert isinstance(ended.exception, BadCells)
    assert "line 3, Age" in str(ended.exception)
    assert sorted(child.name for child in path.parent.iterdir()) == ["club.csv", "club.toml"]


def test_the_command_skips_bad_rows_on_request(club: tuple[Path, Path]) -> None:
    path, mapping = club
    out, bad = path.with_name("out.parquet"), path.with_name("bad.csv")
    options = ("--mapping", mapping, "--out", out, "--skip-bad-rows", bad)
    ended = command(path, *options, "--json")
    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert (told["rows"], told["dropped"]) == (1, {"rows with bad cells": 1})
    assert told["out"] == str(out)
    assert list(read(out).frame["athlete_id"]) == ["a"]
    assert bad.read_text(encoding="utf-8").splitlines()[1].startswith("3,")
    spoken = command(path, *options)
    assert "1 screenings of 1 athletes" in spoken.stdout
    assert "left out: 1 rows with bad cells" in spoken.stdout


def test_a_bad_cell_costs_the_cell_and_is_told(tmp_path: Path) -> None:
    path, mapping = tmp_path / "club.csv", tmp_path / "club.toml"
    rows = ("a,20,70,71,1", "b,21,7000,72,0", "c,22,73,x7,0", "d,23,74,73,0")
    path.write_text("\n".join(("Id,Age,SLR L,SLR R,Knee", *rows)), encoding="utf-8")
    columns = 'age_years = "Age"\nleft_slr_deg = "SLR L"\nright_slr_deg = "SLR R"\n'
    head = f'source = "a test"\nathlete_id = "Id"\n[columns]\n{columns}'
    mapping.write_text(head + PAST, encoding="utf-8")
    out, report = tmp_path / "out.parquet", tmp_path / "cells.csv"
    spoken = command(path, "--mapping", mapping, "--out", out, "--report", report)
    assert spoken.exit_code == 0, spoken.output
    assert "4 screenings of 4 athletes" in spoken.stdout
    assert "2 cells can't be used and were left out: SLR L 1, SLR R 1" in spoken.stdout
    assert "line 3, SLR L: must be a number from 20 to 130" in spoken.stdout
    frame = read(out).frame
    assert frame["left_slr_deg"].tolist() == [70, pytest.approx(math.nan, nan_ok=True), 73, 74]
    assert report.read_text("utf-8").splitlines()[1].startswith("club.csv,3,SLR L,")
    told = json.loads(command(path, "--mapping", mapping, "--out", out, "--json").stdout)
    assert (told["blanked_cells"], told["blanked_by_column"]) == (2, {"SLR L": 1, "SLR R": 1})


@pytest.mark.parametrize(
    "rows",
    [
        # The outcome, and whose row it is.
        ("a,20,70,1", "b,21,71,perhaps", "c,22,72,0", "d,23,73,0"),
        ("a,20,70,1", ",21,71,0", "c,22,72,0", "d,23,73,0"),
        ("a,20,70,1", "b,21,71,0", "b,22,72,0", "d,23,73,0"),
        # What most of a column's cells are not, the mapping says wrongly.
        ("a,20,700,1", "b,21,710,0", "c,22,720,0", "d,23,73,0"),
    ],
)
def test_what_is_no_matter_of_a_cell_writes_nothing(tmp_path: Path, rows: tuple[str, ...]) -> None:
    mapping = f'[columns]\nage_years = "Age"\nleft_slr_deg = "SLR L"\n{PAST}'
    with pytest.raises(BadCells):
        ingested(tmp_path, mapping, "Id,Age,SLR L,Knee", *rows)


def test_no_file_of_the_command_holds_a_formula_and_all_can_be_read_again(tmp_path: Path) -> None:
    lines = ("Id,Age,Knee", "=HYPERLINK(1),25,0", "@SUM(1),-25,0", "-2+3,=1+24,0", "-7,26,1")
    mapping = f'[columns]\nage_years = "Age"\n{PAST}'
    path, bad, out = tmp_path / "club.csv", tmp_path / "bad.csv", tmp_path / "out.csv"
    found = ingested(tmp_path, mapping, *lines, skip=True)
    assert found.bad_rows is not None
    write_bad_rows(found.bad_rows, bad)
    write(found.cohort, out)
    for file in (bad, out):
        with file.open(newline="", encoding="utf-8") as cells:
            texts = [cell for line in csv.reader(cells) for cell in line]
        assert not [t for t in texts if t[:1] in "=@" and t], texts
    assert list(read(out).frame["athlete_id"]) == ["=HYPERLINK(1)", "-7"]
    # Rows that were put right are the athletes that they were.
    rows = bad.read_text("utf-8").replace("-25", "25").replace("'=1+24", "24")
    path.write_text(rows, encoding="utf-8")
    again = ingested(tmp_path, mapping)
    assert list(again.cohort.frame["athlete_id"]) == ["@SUM(1)", "-2+3"]


def test_the_command_does_not_overwrite_what_it_reads(club: tuple[Path, Path]) -> None:
    path, mapping = club
    before = path.read_bytes()
    for options in (("--out", path), ("--out", path.with_name("o.csv"), "--skip-bad-rows", path)):
        ended = command(path, "--mapping", mapping, *options)
        assert isinstance(ended.exception, CohortRefused)
        assert "choose another name" in str(ended.exception)
    assert path.read_bytes() == before


def test_the_guide_s_example_gives_what_the_guide_says(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "your-own-sheet.md").read_text(encoding="utf-8")
    for name in ("csv", "toml"):
        block = guide.split(f"```{name}\n")[1].split("```")[0]
        (tmp_path / f"club.{name}").write_text(block, encoding="utf-8")
    cohort = sheet.ingest(tmp_path / "club.csv", tmp_path / "club.toml").cohort
    left, right, either = cohort.outcomes()
    np.testing.assert_array_equal(left, [0, 1, np.nan, np.nan])
    np.testing.assert_array_equal(right, [0, 0, np.nan, np.nan])
    np.testing.assert_array_equal(either, [0, 1, np.nan, np.nan])
    assert cohort.frame["left_wblt_distance_cm"][0] == pytest.approx(11.43)


@pytest.mark.parametrize(
    "unit",
    ["9**9**9", "kg/0", "(" * 100_000, "kg**2", "lb; 1", "__import__('os')", "1e999999", "\0"],
)
def test_a_unit_is_looked_up_and_never_worked_out(tmp_path: Path, unit: str) -> None:
    mapping = f"[columns]\nmass_kg = {{ column = 'X', unit = {json.dumps(unit)} }}\n{PAST}"
    with pytest.raises(MappingRefused) as refused:
        ingested(tmp_path, mapping, "Id,X,Knee", "a,80,0")
    (fault,) = refused.value.faults
    assert fault.startswith("columns.mass_kg: has an unknown unit, ")
    assert fault.endswith("usual here: kg, lb, N, stone")
    assert len(fault) < 300


def test_a_unit_of_another_kind_is_refused_though_it_too_has_no_dimension(tmp_path: Path) -> None:
    for unit in ("%", "ratio", "h/day"):
        with pytest.raises(MappingRefused, match=r"can't be converted from .* to deg"):
            value(tmp_path, f'left_hip_drop_deg = {{ column = "X", unit = "{unit}" }}', "5")


@pytest.mark.parametrize(
    "entry",
    ['encoding = "undefined"', 'encoding = "zlib_codec"', 'encoding = "\\u0000"',
     'delimiter = "\\n"', "delimiter = '\"'", f"header_row = 1{'0' * 400}"],
)  # fmt: skip
def test_a_form_that_no_sheet_has_is_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(CohortRefused):
        ingested(tmp_path, f"[sheet]\n{entry}\n{PAST}", "Id,Knee", "a,0")


@pytest.mark.parametrize("form", ["%d %d", "%", "%-d", "%q", "(", ""])
def test_a_form_that_no_date_has_makes_bad_cells(tmp_path: Path, form: str) -> None:
    mapping = f'screening_date = {{ column = "Day", formats = ["{form}"] }}\n{PAST}'
    with pytest.raises(BadCells) as refused:
        ingested(tmp_path, mapping, "Id,Day,Knee", "a,2024-01-02,0")
    assert [fault.code for fault in refused.value.faults] == ["not_a_date"]
