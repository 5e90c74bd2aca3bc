"""The canonical cohort file: what goes in comes out, and what breaks the schema is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import red_flags, rows

from kneerisk.cohort import Cohort, check, read, read_screenings, screenings_of, write
from kneerisk.cohort.layout import guarded, row_columns, unguarded
from kneerisk.errors import BadCells, CohortRefused
from kneerisk.schema import coded, columns, from_row
from pipelines.console import write_table

HEADER = "athlete_id,screening_date,age_years,sex,left_pain_nrs,outcome_left,outcome_right"
CONSTANTS = "cohort_kind,outcome_kind,horizon_months,source"
TAIL = "observed,new_pain,12,a test"


def file_with(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "cohort.csv"
    lines = [f"{header},{CONSTANTS}", *(f"{row},{TAIL}" for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def cohort(**cells: list[object]) -> Cohort:
    frame = pd.DataFrame(
        {
            "athlete_id": ["a", "b", "0042"],
            "screening_date": ["2024-05-31", None, "2024-05-31T13:22:40"],
            "group": ["2024", None, "NA"],
            "age_years": [20.0, 1 / 3 + 30, np.nan],
            "sex": ["male", "unspecified", None],
            "left_pain_nrs": [0.0, np.nan, 10.0],
            "left_hip_drop_deg": [0.1 + 0.2, -0.0, np.nan],
            "red_flags": ["none", None, "effusion;hard_mass"],
            "outcome_left": [1.0, 0.0, np.nan],
            "outcome_right": [0.0, np.nan, np.nan],
        }
    )
    return Cohort(frame.assign(**cells), "observed", "new_pain", 12, 'a "test", with é')


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_cohort_comes_back_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cohort{suffix}"
    write(cohort(), path)
    back = read(path)
    again = tmp_path / f"again{suffix}"
    write(back, again)
    assert again.read_bytes() == path.read_bytes()
    assert (back.kind, back.outcome_kind, back.horizon_months) == ("observed", "new_pain", 12)
    assert back.source == cohort().source
    for name, cells in cohort().frame.items():
        numeric = cells.dtype == np.float64
        got = back.frame[name].to_numpy(dtype=np.float64 if numeric else object)
        if numeric:
            np.testing.assert_array_equal(got, cells.to_numpy())
        else:
            assert list(got) == [None if cell is None or cell != cell else cell for cell in cells]


def test_both_formats_give_equal_cohorts(tmp_path: Path) -> None:
    write(cohort(), tmp_path / "c.csv")
    write(cohort(), tmp_path / "c.parquet")
    assert read(tmp_path / "c.csv") == read(tmp_path / "c.parquet")
    write(cohort(age_years=[20.0, 30.0, np.nan]), tmp_path / "other.csv")
    assert read(tmp_path / "other.csv") != read(tmp_path / "c.parquet")


@given(st.lists(st.tuples(rows(), red_flags(), st.sampled_from([0, 1, None])), min_size=1))
@settings(max_examples=25, deadline=None)
def test_any_valid_screenings_come_back_from_both_formats(
    drawn: list[tuple[dict[str, Any], list[str] | None, int | None]],
) -> None:
    frame = pd.DataFrame(
        [
            row
            | {"athlete_id": str(number), "outcome_either": outcome}
            | {"red_flags": None if flags is None else ";".join(flags) or "none"}
            for number, (row, flags, outcome) in enumerate(drawn)
        ]
    )
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("c.csv", "c.parquet")]
        for path in files:
            write(Cohort(frame, "simulated", "new_pain", 12, "a test"), path)
        from_text, from_parquet = (read(path) for path in files)
    assert from_text == from_parquet
    wanted = coded([from_row(row) for row, _, _ in drawn])
    for name, values in from_text.columns().items():
        np.testing.assert_array_equal(values, wanted[name], err_msg=name)


def test_columns_come_back_in_the_schema_s_order(tmp_path: Path) -> None:
    shuffled = cohort()
    shuffled.frame.insert(0, "right_ake_deficit_deg", [1.0, 2.0, 3.0])
    write(shuffled, tmp_path / "c.csv")
    names = list(read(tmp_path / "c.csv").frame.columns)
    assert names == [name for name in row_columns() if name in names]


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write(cohort(), path)
    before = path.read_bytes()
    with pytest.raises(BadCells):
        write(cohort(age_years=[20.0, 255.0, 30.0]), path)
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == ["c.csv"]


def test_every_bad_cell_is_named_with_line_rule_and_limits(tmp_path: Path) -> None:
    path = file_with(
        tmp_path,
        "a,2024-01-01,20,male,0,0,1",
        'b,2024-01-01,"20,5",male,0,0,1',
        "c,31.12.2024,255,m,1.5,2,yes",
        ",2024-02-30,1e999,female,eleven,,",
        "a,2024-01-01,nan,male, 1,0,1",
    )
    with pytest.raises(BadCells) as refused:
        read(path)
    found = {(fault.line, fault.column): fault for fault in refused.value.faults}
    assert set(found) == {
        (3, "age_years"),
        (4, "screening_date"), (4, "age_years"), (4, "sex"), (4, "left_pain_nrs"),
        (4, "outcome_left"), (4, "outcome_right"),
        (5, "athlete_id"), (5, "screening_date"), (5, "age_years"), (5, "left_pain_nrs"),
        (6, "age_years"), (6, "left_pain_nrs"), (6, "screening_date"),
    }  # fmt: skip
    assert found[3, "age_years"].rule == "has a decimal comma"
    assert found[4, "age_years"].allowed == "a number from 10 to 100 years"
    assert found[4, "age_years"].unit == "years"
    assert found[4, "left_pain_nrs"].rule == "must be a whole number"
    assert "repeats" in found[6, "screening_date"].rule
    assert all(str(fault.line) in str(refused.value) for fault in found.values())


def test_a_message_never_repeats_a_value(tmp_path: Path) -> None:
    path = file_with(tmp_path, "anna-example,1999-13-13,176.5,martian,77,9,1")
    with pytest.raises(BadCells) as refused:
        read(path)
    told = str(refused.value).replace(str(tmp_path), "")
    for value in ("anna", "1999", "176.5", "martian", "77"):
        assert value not in told


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = file_with(tmp_path, '"a\nb",2024-01-01,20,male,0,0,1', "", "c,2024-01-01,5,male,0,0,1")
    text = path.read_text(encoding="utf-8").replace(f"\n,{TAIL}\n", "\n\n")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadCells) as refused:
        read(path)
    assert [fault.line for fault in refused.value.faults] == [5]


def test_rules_between_measures_hold_for_each_row(tmp_path: Path) -> None:
    header = (
        "athlete_id,torque_mode,left_quad_torque_nm_kg,left_hamstring_torque_nm_kg,"
        "left_hamstring_quad_ratio,outcome_either"
    )
    path = file_with(
        tmp_path,
        "a,isokinetic_60,2,1,0.5,0",
        "b,,2,,,0",
        "c,isokinetic_60,2,1,0.9,0",
        header=header,
    )
    with pytest.raises(BadCells) as refused:
        read(path)
    places = [(fault.line, fault.column) for fault in refused.value.faults]
    assert places == [(3, "torque_mode"), (4, "left_hamstring_quad_ratio")]


def test_either_must_agree_with_the_sides(tmp_path: Path) -> None:
    header = "athlete_id,outcome_left,outcome_right,outcome_either"
    path = file_with(tmp_path, "a,1,0,0", "b,0,0,1", "c,,,1", "d,1,,1", header=header)
    with pytest.raises(BadCells) as refused:
        read(path)
    assert [fault.line for fault in refused.value.faults] == [2, 3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("athlete_id,outcome_either\na,1\n", "column 'cohort_kind' is missing"),
        (f"athlete_id,outcome_either,{CONSTANTS}\n", "has no rows"),
        (f"athlete_id,speed_r,site,outcome_either,{CONSTANTS}\na,1,2,0,{TAIL}\n", "'speed_r'"),
        (f"athlete_id,speed_r,site,outcome_either,{CONSTANTS}\na,1,2,0,{TAIL}\n", "'site'"),
        (
            f"athlete_id,outcome_either,outcome_either,{CONSTANTS}\na,1,1,{TAIL}\n",
            "there are 2 columns",
        ),
        (f"outcome_either,{CONSTANTS}\n1,{TAIL}\n", "'athlete_id' is missing"),
        (f"athlete_id,outcome_left,{CONSTANTS}\na,1,{TAIL}\n", "outcome_right"),
        (f"athlete_id,age_years,{CONSTANTS}\na,20,{TAIL}\n", "outcome_either"),
        (f"athlete_id,outcome_either,{CONSTANTS}\na,1,{TAIL}\nb,1\n", "line 3 has 2 cells"),
        (f"athlete_id,outcome_either,{CONSTANTS}\na,1,observed,new_pain,,x\n", "horizon_months"),
        (f"athlete_id,outcome_either,{CONSTANTS}\na,1,real,past_injury,,x\n", "cohort_kind"),
        (f"athlete_id,outcome_either,{CONSTANTS}\na,1,observed,ache,,x\n", "outcome_kind"),
        (
            f"athlete_id,outcome_either,{CONSTANTS}\na,1,{TAIL}\nb,1,simulated,new_pain,12,x\n",
            "one value on every row",
        ),
    ],
)
def test_what_is_no_cohort_is_refused_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "c.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CohortRefused, match=told):
        read(path)


def test_files_that_can_t_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortRefused, match="no such file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(CohortRefused, match="end in"):
        read(tmp_path / "cohort.json")
    (tmp_path / "c.parquet").write_text("not parquet", encoding="utf-8")
    with pytest.raises(CohortRefused, match="can't be read"):
        read(tmp_path / "c.parquet")
    (tmp_path / "c.csv").write_bytes(b"athlete_id\n\xff\xfe\n")
    with pytest.raises(CohortRefused, match="UTF-8"):
        read(tmp_path / "c.csv")


def test_check_takes_rows_from_memory() -> None:
    frame = cohort().frame
    assert check(frame, "memory") == []
    bad = frame.assign(age_years=[20, "old", np.inf], left_pain_nrs=[1.5, 3.0, 11.0])
    places = [(fault.line, fault.column) for fault in check(bad, "memory", first_line=10)]
    assert places == [
        (10, "left_pain_nrs"), (11, "age_years"), (12, "age_years"), (12, "left_pain_nrs"),
    ]  # fmt: skip
    with pytest.raises(CohortRefused, match="memory"):
        check(frame.assign(site="calgary"), "memory")


def test_columns_are_coded_as_the_schema_codes_them() -> None:
    rows = [
        {"age_years": 20.0, "sex": "male", "left_pain_nrs": 0},
        {"age_years": 31.5, "sex": "female", "sport": "running"},
    ]
    frame = pd.DataFrame(rows).assign(athlete_id=["a", "b"], outcome_either=[0.0, 1.0])
    got = Cohort(frame, "observed", "past_injury", None, "a test").columns()
    wanted = coded([from_row(row) for row in rows])
    assert list(got) == list(columns())
    for name, values in wanted.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)


def test_either_follows_from_the_sides_only_where_it_can() -> None:
    frame = pd.DataFrame(
        {
            "athlete_id": list("abcdef"),
            "outcome_left": [1, 0, 0, 1, np.nan, np.nan],
            "outcome_right": [0, 0, np.nan, np.nan, np.nan, np.nan],
            "outcome_either": [np.nan, np.nan, np.nan, np.nan, np.nan, 1],
        }
    )
    sided = Cohort(frame, "observed", "present_pain", None, "a test")
    np.testing.assert_array_equal(sided.outcomes().either, [1, 0, np.nan, np.nan, np.nan, 1])
    assert sided.has_sides
    unsided = Cohort(frame[["athlete_id", "outcome_either"]], "observed", "past_injury", None, "t")
    assert not unsided.has_sides
    assert np.isnan(unsided.outcomes().left).all()


def test_a_knee_that_hurts_already_has_no_outcome_of_new_pain() -> None:
    frame = pd.DataFrame(
        {
            "athlete_id": list("abc"),
            "left_pain_nrs": [4.0, 0.0, np.nan],
            "outcome_left": [1.0, 1.0, 0.0],
            "outcome_right": [1.0, 0.0, 0.0],
        }
    )
    new = Cohort(frame, "observed", "new_pain", 12, "a test").outcomes()
    np.testing.assert_array_equal(new.left, [np.nan, 1, 0])
    np.testing.assert_array_equal(new.right, [1, 0, 0])
    np.testing.assert_array_equal(new.either, [np.nan, 1, 0])
    present = Cohort(frame, "observed", "present_pain", None, "a test").outcomes()
    np.testing.assert_array_equal(present.left, [1, 1, 0])


def test_screenings_without_outcomes_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "team.csv"
    path.write_text("athlete_id,age_years,sex\na,20,male\n", encoding="utf-8")
    found = read_screenings(path)
    assert found.frame.to_dict("records") == [{"athlete_id": "a", "age_years": 20.0, "sex": "male"}]
    assert found.screenings == screenings_of(found.frame)
    assert found.screenings[0].athlete.age_years == 20
    # Its third row has no age and no sex, which a cohort may lack and a screening may not.
    complete = replace(cohort(), frame=cohort().frame.head(2))
    write(complete, tmp_path / "c.parquet")
    rows = read_screenings(tmp_path / "c.parquet").frame
    whole = read(tmp_path / "c.parquet").frame
    assert rows.equals(whole[rows.columns])
    assert not [name for name in rows if name.startswith("outcome_")]
    path.write_text("athlete_id,age_years,speed_r\na,20,3\n", encoding="utf-8")
    with pytest.raises(CohortRefused, match="speed_r"):
        read_screenings(path)
    path.write_text("athlete_id,age_years\na,200\n", encoding="utf-8")
    with pytest.raises(BadCells) as refused:
        read_screenings(path)
    assert [(fault.line, fault.column) for fault in refused.value.faults] == [
        (2, "age_years"),
        (2, "sex"),
    ]


FORMULAS = ['=HYPERLINK("http://x")', "@SUM(1+1)", "-2+3", "+cmd|' /C calc'!A0", "\tx", "'=x",
            "''-1+1", "\n=1", "--", "\uff1d1+1"]  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_what_a_spreadsheet_would_run_is_written_as_a_text_and_comes_back(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "c.csv").write_text("")
    written = cohort(athlete_id=[name, "b", "c"], group=["=g+1", "-5", None])
    write(written, tmp_path / "c.csv")
    text = (tmp_path / "c.csv").read_bytes().decode()
    assert f"'{name}" in text.replace('""', '"')
    assert ",-5," in text
    assert list(read(tmp_path / "c.csv").frame["athlete_id"]) == [name, "b", "c"]
    assert list(read(tmp_path / "c.csv").frame["group"]) == ["=g+1", "-5", None]


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    # Nothing that is left begins as a formula, but for plain numbers.
    assert guarded(text)[:1] not in "=@\t\r\n" or len(text) < 2


def test_numbers_and_plain_texts_stay() -> None:
    for cell in ("-5", "+1.5", "-1e-3", "-2,5", "", "-", "Amy", "'t Hart", -5, 2.5, None):
        assert guarded(cell) == cell


def test_a_table_of_a_command_is_guarded_too(tmp_path: Path) -> None:
    table = pd.DataFrame({"athlete_id": ["=x()", "b", None], "risk": [-0.5, 0.25, np.nan]})
    write_table(table, tmp_path / "answers.csv")
    lines = (tmp_path / "answers.csv").read_text("utf-8").splitlines()
    assert lines == ["athlete_id,risk", "'=x(),-0.5", "b,0.25", ","]
