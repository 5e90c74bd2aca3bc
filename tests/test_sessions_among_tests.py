"""A training log inside a squad's sheet or workbook: its sessions are a load, no visits."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from excel_files import workbook
from test_one_reader import assert_the_same

from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.undescribed_sheet import recognise

SCREENED = date(2026, 6, 15)
#: Days before the screening, and km of a run: 40 km in four weeks.
RUNS = [(40, 9), (27, 8), (20, 10), (13, 10), (6, 12), (-2, 30)]


def day(ago: int) -> str:
    return (SCREENED - timedelta(ago)).isoformat()


def mixed() -> str:
    """Two people whose tests and runs stand in one table."""
    rows = []
    for name, age in (("Ann", 22), ("Bea", 24)):
        rows.append(f"{name},{age},f,{day(0)},10,70,,")
        rows += [f"{name},{age},f,{day(ago)},,,Run,{km}" for ago, km in RUNS]
    return "\n".join(["Name,Age,Sex,Date,KTW L (cm),SLR L,Sport,Distance (km)", *rows])


def athletes(answer: SheetAnswer) -> list[dict[str, Any]]:
    return [row.screening["athlete"] for row in answer.rows if row.screening]


def test_sessions_among_tests_are_the_load_before_them() -> None:
    answer = recognise(mixed().encode())
    assert [row.status for row in answer.rows] == ["ready", "ready"]
    for athlete in athletes(answer):
        assert (athlete["weekly_run_km"], athlete["longest_run_30d_km"]) == (10, 12)
    (note,) = [note for note in answer.notes if note.code == "log_apart"]
    # The run before all windows, and the one after the screening.
    assert "rows 3, 8, 10, 15" in note.message


def test_a_log_among_worksheets_is_joined_to_them() -> None:
    people: list[list[Any]] = [["Name", "Age", "Sex"], ["Ann", 22, "f"], ["Bea", 24, "f"]]
    tests = [["Name", "Date", "SLR L"], ["Ann", day(0), 70], ["Bea", day(0), 80]]
    runs = [[name, day(ago), "Run", km] for name in ("Ann", "Bea") for ago, km in RUNS]
    log = [["Name", "Date", "Sport", "Distance (km)"], *runs]
    answer = recognise(workbook(People=people, Tests=tests, Runs=log))
    assert [athlete["weekly_run_km"] for athlete in athletes(answer)] == [10, 10]
    assert {part.sheet for part in answer.parts} == {"People", "Tests", "Runs"}
    # Of a log that names nobody it is not known whose it is.
    nobody = [["Date", "Sport", "Distance (km)"], *([*row[1:]] for row in runs[:6])]
    answer = recognise(workbook(People=people, Tests=tests, Runs=nobody))
    assert all("weekly_run_km" not in athlete for athlete in athletes(answer))
    assert any("'Runs'" in note.message for note in answer.notes)


@pytest.mark.parametrize(
    "rows",
    [
        # Each visit has its tests, and the distance of one week.
        "Ann,22,f,2026-01-05,10,30\nAnn,22,f,2026-02-05,11,32\nAnn,22,f,2026-03-05,11,28",
        "Ann,22,f,2026-01-05,10,30\nBea,23,f,2026-01-05,,32\nCid,22,m,2026-01-05,,28",
    ],
)
def test_visits_with_a_distance_are_no_log(rows: str) -> None:
    answer = recognise(f"Name,Age,Sex,Date,KTW L (cm),Run (km)\n{rows}".encode())
    assert not answer.parts
    assert len(answer.rows) == 3


def test_the_command_line_reads_the_same(tmp_path: Path) -> None:
    heading, *rows = mixed().split("\n")
    outcomes = ["" if "Run" in row else "ok" for row in rows]
    lines = [f"{heading},Outcome", *map(",".join, zip(rows, outcomes, strict=True))]
    assert_the_same(tmp_path, "\n".join(lines).encode())
