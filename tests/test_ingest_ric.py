"""The Running Injury Clinic files become a cohort: on small made files and on the real ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from real_data import real_file
from typer.testing import CliRunner

from kneerisk.cohort import read, write
from kneerisk.cohort.ingest_result import Ingested, write_report
from kneerisk.cohort.layout import row_columns
from kneerisk.cohort.published import ric
from kneerisk.cohort.published.ric import labels
from kneerisk.errors import CohortRefused
from kneerisk.schema import columns
from pipelines.ingest import app

VISIT = {
    "sub_id": "1", "datestring": "2013-03-04 9:52", "filename": "20130405T115201.json",
    "speed_r": "2.7", "age": "30", "Height": "180", "Weight": "75", "Gender": "Male",
    "InjDefn": "No injury", "InjJoint": "No Injury", "InjSide": "Right", "SpecInjury": "",
    "InjJoint2": "No Injury", "InjSide2": "Right", "SpecInjury2": "", "Level": "Recreational",
    "YrsRunning": "3",
}  # fmt: skip
#: Variable, left value, right value.
GAIT = {
    "STRIDE_RATE": (80.0, 84.0), "STANCE_TIME": (0.36, 0.37), "SWING_TIME": (0.35, 0.34),
    "ANKLE_DF_PEAK_ANGLE": (20.0, 21.0), "ANKLE_EVE_PEAK_ANGLE": (-7.0, 2.0),
    "ANKLE_ROT_PEAK_ANGLE": (1.0, -1.0), "FOOT_PROG_ANGLE": (-5.0, 3.0),
    "FOOT_ANG_at_HS": (18.0, 19.0), "VERTICAL_OSCILLATION": (90.0, 91.0),
    "PRONATION_ONSET": (20.0, 22.0), "PRONATION_OFFSET": (50.0, 52.0),
}  # fmt: skip


def gait_row(visit: dict[str, str], **changed: str) -> dict[str, str]:
    row = {"sub_id": visit["sub_id"], "session_file": visit["filename"]}
    for variable, (left, right) in GAIT.items():
        row |= {f"L_{variable}_median": str(left), f"R_{variable}_median": str(right)}
    return row | changed


def save(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def ingested(folder: Path, *visits: dict[str, str], gait: dict[str, str] | None = None) -> Ingested:
    rows = [VISIT | {"sub_id": str(i), **visit} for i, visit in enumerate(visits)]
    metadata = save(folder / "meta.csv", rows)
    kinematics = save(folder / "kin.csv", [gait_row(row, **(gait or {})) for row in rows])
    return ric.ingest(metadata, kinematics)


def outcomes(folder: Path, **visit: str) -> list[float | None]:
    found = ingested(folder, visit).cohort.outcomes()
    return [None if np.isnan(values[0]) else float(values[0]) for values in found]


@pytest.mark.parametrize(
    ("visit", "knee", "patellofemoral"),
    [
        ({"InjJoint": "Knee", "SpecInjury": "Patellofemoral pain syndrome"}, 1.0, 1.0),
        ({"InjJoint": "Knee", "SpecInjury": "PFPS"}, 1.0, 1.0),
        ({"InjJoint": "Thigh", "SpecInjury": "ITB syndrome"}, 1.0, 0.0),
        ({"InjJoint": "Foot", "SpecInjury": "Plantar fasciitis"}, 0.0, None),
        ({"InjJoint": "Foot", "InjJoint2": "Knee"}, None, None),
        ({"InjJoint": "No injury,No injury"}, None, None),
        ({"InjJoint": ""}, None, None),
    ],
)
def test_labels_of_injuries(
    tmp_path: Path, visit: dict[str, str], knee: float | None, patellofemoral: float | None
) -> None:
    ingested(tmp_path, visit)
    found = labels(tmp_path / "meta.csv", tmp_path / "kin.csv")
    told = [found.knee[0], found.patellofemoral[0]]
    assert [None if np.isnan(value) else value for value in told] == [knee, patellofemoral]


def test_labels_are_in_the_order_of_the_cohort_and_sites_are_blocks_of_numbers(
    tmp_path: Path,
) -> None:
    visits = [
        {"sub_id": "200007", "speed_r": "3.1"}, {"sub_id": "100004", "speed_r": ""},
        {"sub_id": "100002", "speed_r": "2.5"},
    ]  # fmt: skip
    cohort = ingested(tmp_path, *visits).cohort
    found = labels(tmp_path / "meta.csv", tmp_path / "kin.csv")
    by_runner = dict(zip(cohort.frame["athlete_id"], found.speed_mps, strict=True))
    assert (by_runner["ric-200007"], by_runner["ric-100002"]) == (3.1, 2.5)
    assert np.isnan(by_runner["ric-100004"])
    sites = dict(zip(cohort.frame["athlete_id"], found.site, strict=True))
    assert sites == {"ric-200007": 2.0, "ric-100004": 1.0, "ric-100002": 1.0}
    assert not {"speed_r", "site", "run_speed_mps"} & set(cohort.frame.columns)


def test_measures_have_the_schema_s_names_signs_and_units(tmp_path: Path) -> None:
    row = ingested(tmp_path, {}).cohort.frame.iloc[0]
    assert row["step_rate_spm"] == 164.0
    assert (row["left_run_eversion_peak_deg"], row["right_run_eversion_peak_deg"]) == (7.0, -2.0)
    assert row["left_run_foot_progression_deg"] == 5.0
    assert row["right_run_foot_progression_deg"] == -3.0
    assert row["right_run_stance_time_s"] == 0.37
    assert (row["age_years"], row["height_cm"], row["mass_kg"]) == (30.0, 180.0, 75.0)
    assert (row["sex"], row["sport"], row["level"]) == ("male", "running", "recreational")
    assert row["athlete_id"] == "ric-0"


def test_the_day_is_the_visit_s_and_the_clock_the_recording_s(tmp_path: Path) -> None:
    row = ingested(tmp_path, {}).cohort.frame.iloc[0]
    assert row["screening_date"] == "2013-03-04T11:52:01"
    assert row["group"] == "2013"


def test_the_file_s_day_stands_in_where_the_visit_has_none(tmp_path: Path) -> None:
    row = ingested(tmp_path, {"datestring": ""}).cohort.frame.iloc[0]
    assert (row["screening_date"], row["group"]) == ("2013-04-05T11:52:01", "2013")
    row = ingested(tmp_path, {"filename": "session.json"}).cohort.frame.iloc[0]
    assert row["screening_date"] == "2013-03-04"


def test_sessions_of_one_day_are_screenings_of_their_own(tmp_path: Path) -> None:
    same = {"sub_id": "1", "datestring": "2014-08-27 8:33"}
    found = ingested(
        tmp_path,
        same | {"filename": "20140827T083313.json"},
        same | {"filename": "20140827T084243.json"},
    )
    assert found.summary()["rows"] == 2
    assert found.summary()["athletes"] == 1


@pytest.mark.parametrize("rate", ["fast", "1e999"])
def test_a_stride_rate_that_is_no_number_is_told(tmp_path: Path, rate: str) -> None:
    found = ingested(tmp_path, {}, gait={"R_STRIDE_RATE_median": rate})
    assert np.isnan(found.cohort.frame["step_rate_spm"]).all()
    assert [cell.fault.column for cell in found.blanked] == ["L_STRIDE_RATE_median"]


@pytest.mark.parametrize(
    ("joint", "side", "injury", "wanted"),
    [
        ("Knee", "Left", "pain", [1, 0, 1]),
        ("Knee", "Right", "", [0, 1, 1]),
        ("Knee", "Bilateral", "PFPS", [1, 1, 1]),
        ("Knee", "Bi-lateral", "PFPS", [1, 1, 1]),
        ("Thigh", "Left", "ITB syndrome", [1, 0, 1]),
        ("Thigh", "Left", "hamstring muscle strain", [0, 0, 0]),
        ("Foot", "Right", "plantar fasciitis", [0, 0, 0]),
        ("No Injury", "Right", "", [0, 0, 0]),
        ("No injury,No injury", "", "", [0, 0, 0]),
        ("Knee", "", "pain", [None, None, 1]),
    ],
)
def test_the_main_complaint_is_the_outcome(
    tmp_path: Path, joint: str, side: str, injury: str, wanted: list[float | None]
) -> None:
    visit = {"InjJoint": joint, "InjSide": side, "SpecInjury": injury}
    assert outcomes(tmp_path, **visit) == wanted
    hurt = visit | {"InjDefn": "2 workouts missed in a row"}
    assert outcomes(tmp_path, **hurt) == wanted


@pytest.mark.parametrize(
    ("main", "second", "wanted"),
    [
        (("Foot", "Right"), ("Knee", "Left"), [None, 0, None]),
        (("Knee", "Left"), ("Knee", "Right"), [1, None, 1]),
        (("Knee", "Left"), ("Knee", "Left"), [1, 0, 1]),
        (("Knee", "Left"), ("No Injury", "Right"), [1, 0, 1]),
        (("Foot", "Right"), ("Knee", ""), [None, None, None]),
    ],
)
def test_a_knee_that_is_only_the_second_complaint_is_not_called_free_of_pain(
    tmp_path: Path,
    main: tuple[str, str],
    second: tuple[str, str],
    wanted: list[float | None],
) -> None:
    found = outcomes(
        tmp_path, InjJoint=main[0], InjSide=main[1], InjJoint2=second[0], InjSide2=second[1]
    )
    assert found == wanted


def test_nothing_recorded_is_not_no_pain(tmp_path: Path) -> None:
    blank = {"InjJoint": "", "InjSide": ""}
    assert outcomes(tmp_path, InjDefn="", **blank) == [None, None, None]
    hurt = outcomes(tmp_path, InjDefn="Continuing to train in pain", **blank)
    assert hurt == [None, None, None]
    assert outcomes(tmp_path, InjDefn="No injury", **blank) == [0, 0, 0]


def test_impossible_cells_are_missing_and_told(tmp_path: Path) -> None:
    found = ingested(
        tmp_path,
        {"age": "255", "Height": "999", "Weight": "1564", "YrsRunning": "999"},
        {"age": "NaN", "Gender": "Unknown", "Level": ""},
        gait={"L_ANKLE_ROT_PEAK_ANGLE_median": "-174.9"},
    )
    first, second = (found.cohort.frame.iloc[i] for i in (0, 1))
    for name in ("age_years", "height_cm", "mass_kg", "training_years"):
        assert np.isnan(first[name])
    assert np.isnan(first["left_run_ankle_rotation_peak_deg"])
    assert np.isnan(second["age_years"])
    assert (second["sex"], second["level"]) == ("unspecified", None)
    told = {(cell.file, cell.fault.line, cell.fault.column) for cell in found.blanked}
    assert told == {
        ("metadata", 2, "age"), ("metadata", 2, "Height"), ("metadata", 2, "Weight"),
        ("metadata", 2, "YrsRunning"),
        ("kinematics", 2, "L_ANKLE_ROT_PEAK_ANGLE_median"),
        ("kinematics", 3, "L_ANKLE_ROT_PEAK_ANGLE_median"),
    }  # fmt: skip
    write_report(found.blanked, tmp_path / "report.csv")
    report = (tmp_path / "report.csv").read_text(encoding="utf-8")
    assert len(report.splitlines()) == 7
    assert "a number from 10 to 100 years" in report
    assert "255" not in report


def test_sessions_of_one_file_only_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [VISIT | {"sub_id": name} for name in ("1", "2")]
    metadata = save(tmp_path / "meta.csv", rows)
    other = VISIT | {"sub_id": "3"}
    kinematics = save(tmp_path / "kin.csv", [gait_row(rows[1]), gait_row(other)])
    found = ric.ingest(metadata, kinematics)
    assert list(found.cohort.frame["athlete_id"]) == ["ric-2"]
    assert found.dropped == {"sessions without kinematics": 1, "kinematics without a session": 1}


def test_other_files_are_refused_with_what_they_lack(tmp_path: Path) -> None:
    metadata = save(tmp_path / "meta.csv", [VISIT])
    kinematics = save(tmp_path / "kin.csv", [gait_row(VISIT)])
    with pytest.raises(CohortRefused, match="'session_file'"):
        ric.ingest(metadata, metadata)
    with pytest.raises(CohortRefused, match="repeats"):
        ric.ingest(metadata, save(tmp_path / "twice.csv", [gait_row(VISIT), gait_row(VISIT)]))
    stranger = gait_row(VISIT | {"sub_id": "9"})
    with pytest.raises(CohortRefused, match="no session in common"):
        ric.ingest(metadata, save(tmp_path / "other.csv", [stranger]))
    assert len(ric.ingest(metadata, kinematics).cohort.frame) == 1


def test_where_and_how_a_session_was_recorded_never_becomes_a_measure(tmp_path: Path) -> None:
    cohort = ingested(tmp_path, {}).cohort
    assert set(cohort.frame.columns) <= set(row_columns())
    measured = set(cohort.frame.columns) & set(columns())
    assert not [n for n in measured if "speed" in n or "site" in n or "date" in n or n == "year"]
    everything = {name for name, values in cohort.columns().items() if not np.isnan(values).all()}
    assert everything == measured


def test_the_real_files() -> None:
    found = ric.ingest(real_file("ric/run_data_meta.csv"), real_file("ric/run_kinematics.csv"))
    cohort = found.cohort
    assert found.summary()["rows"] == 1323
    assert cohort.frame["athlete_id"].nunique() == 1058
    assert set(cohort.frame["group"]) == {str(year) for year in range(2009, 2015)}
    assert (cohort.kind, cohort.outcome_kind, cohort.horizon_months) == (
        "observed", "present_pain", None,
    )  # fmt: skip
    left, right, either = cohort.outcomes()
    one_sided = np.nansum([left, right], axis=0) == 1
    both_known = one_sided & ~np.isnan(left) & ~np.isnan(right)
    people = cohort.frame["athlete_id"]
    # Published counts of the set's one-sided knee and ITB visits, with and without those that
    # list the other knee second.
    assert (one_sided.sum(), people[one_sided].nunique()) == (267, 231)
    assert (both_known.sum(), people[both_known].nunique()) == (262, 226)
    assert np.nansum(either) == 363
    by_column = found.summary()["blanked_by_column"]
    assert by_column["YrsRunning"] == 51
    assert (by_column["Height"], by_column["Weight"], by_column["age"]) == (5, 3, 1)


def test_the_command_takes_the_files_as_they_are(tmp_path: Path) -> None:
    metadata = save(tmp_path / "meta.csv", [VISIT | {"age": "255"}])
    kinematics = save(tmp_path / "kin.csv", [gait_row(VISIT)])
    out, report = tmp_path / "ric.parquet", tmp_path / "report.csv"
    options = ["--metadata", metadata, "--kinematics", kinematics, "--out", out]
    arguments = [str(part) for part in ("ric", *options, "--report", report, "--json")]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert (told["rows"], told["blanked_by_column"]) == (1, {"age": 1})
    assert told["cohort_kind"] == "observed"
    assert np.isnan(read(out).frame["age_years"]).all()
    assert report.read_text(encoding="utf-8").splitlines()[1].startswith("metadata,2,age,")


def test_the_real_files_make_equal_cohort_files(tmp_path: Path) -> None:
    found = ric.ingest(real_file("ric/run_data_meta.csv"), real_file("ric/run_kinematics.csv"))
    for name in ("ric.csv", "ric.parquet"):
        write(found.cohort, tmp_path / name)
    assert read(tmp_path / "ric.csv") == read(tmp_path / "ric.parquet")
