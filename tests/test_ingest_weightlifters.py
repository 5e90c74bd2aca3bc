"""The weightlifters' survey becomes a cohort of past injuries without a side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_data import real_file

from kneerisk.cohort import read, write
from kneerisk.cohort.ingest_result import Ingested
from kneerisk.cohort.published import weightlifters
from kneerisk.errors import CohortRefused

HEADER = "id,sex,age,yrs_experience,shoulder,knees,back,wrist,hips,OA,train_days,pcoach"


def ingested(folder: Path, *rows: str, header: str = HEADER) -> Ingested:
    path = folder / "survey.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return weightlifters.ingest(path)


def test_the_survey_s_words_become_the_schema_s(tmp_path: Path) -> None:
    found = ingested(tmp_path, "7,m,42,1,0,1,1,0,yes,0,3,1", "8,f,50,9,1,0,0,1,no,1,4,0")
    cohort = found.cohort
    first = dict(cohort.frame.iloc[0])
    assert first["athlete_id"] == "wl-7"
    assert (first["sex"], first["age_years"], first["training_years"]) == ("male", 42.0, 1.0)
    assert (first["prior_hip_injury"], first["osteoarthritis"]) == ("yes", "no")
    assert (first["prior_shoulder_injury"], first["prior_back_injury"]) == ("no", "yes")
    assert first["resistance_sessions_per_week"] == 3.0
    assert first["sport"] == "weightlifting"
    assert list(cohort.outcomes().either) == [1.0, 0.0]
    assert not cohort.has_sides
    assert (cohort.kind, cohort.outcome_kind) == ("observed", "past_injury")
    assert "pcoach" not in cohort.frame


def test_bad_cells_are_missing_and_told_and_no_answer_is_not_no_injury(tmp_path: Path) -> None:
    found = ingested(tmp_path, "7,x,402,1,2,,1,0,maybe,0,3,1", "8,f,50,9,1,2,0,1,no,1,4,0")
    first = found.cohort.frame.iloc[0]
    assert np.isnan(first["age_years"])
    assert first["sex"] is None
    assert np.isnan(found.cohort.outcomes().either).all()
    told = {(cell.fault.line, cell.fault.column) for cell in found.blanked}
    assert told == {(2, "sex"), (2, "age"), (2, "shoulder"), (2, "hips"), (3, "knees")}


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortRefused, match="'knees'"):
        ingested(tmp_path, "7,m,42", header="id,sex,age")
    with pytest.raises(CohortRefused, match="line 3 repeats"):
        ingested(tmp_path, *["7,m,42,1,0,1,1,0,yes,0,3,1"] * 2)


def test_the_real_file(tmp_path: Path) -> None:
    found = weightlifters.ingest(real_file("weightlifters/wlinj.csv"))
    assert found.summary()["rows"] == 773
    assert found.summary()["events"] == {"left": 0, "right": 0, "either": 204}
    assert not found.blanked
    frame = found.cohort.frame
    # Hip injuries and osteoarthritis are told apart by age: see the module.
    age = frame["age_years"]
    assert age[frame["osteoarthritis"] == "yes"].mean() > age.mean()
    assert age[frame["prior_hip_injury"] == "yes"].mean() < age.mean()
    for name in ("wl.csv", "wl.parquet"):
        write(found.cohort, tmp_path / name)
    assert read(tmp_path / "wl.csv") == read(tmp_path / "wl.parquet")
