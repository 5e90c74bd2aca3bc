"""What one column of a sheet is taken for: rightly, asked, or left out, never something else."""

from __future__ import annotations

import pytest

from kneerisk.cohort.sheets.sheet_answer import SheetAnswer, SheetColumn
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise

#: Two athletes, with what most questions of forces need.
FIRST = ("Name,Age,Sex,Weight (kg)", "Ann,24,f,61", "Bo,30,m,80", "Cy,28,m,75")


def read(heading: str, *cells: str) -> SheetAnswer:
    """A sheet of three athletes with one more column."""
    lines = [f"{line},{cell}" for line, cell in zip(FIRST, (heading, *cells), strict=True)]
    return recognise("\n".join(lines).encode(), SheetAsked())


def column_of(heading: str, *cells: str) -> SheetColumn:
    [column] = [c for c in read(heading, *cells).columns if c.place == "E"]
    return column


@pytest.mark.parametrize(
    ("heading", "cells", "means"),
    [
        ("trainingHrsWk", ("7", "5", "6"), "training_hours_per_week"),
        ("running_km_per_week", ("30", "20", "25"), "weekly_run_km"),
        ("SittingHoursPerDay", ("6", "8", "7"), "sitting_hours_per_day"),
        ("Knee valgus L (deg)", ("8", "10", "9"), "left_fppa_deg"),
    ],
)
def test_certain(heading: str, cells: tuple[str, ...], means: str) -> None:
    column = column_of(heading, *cells)
    assert (column.means, column.confidence, column.applied) == (means, "certain", True)


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Knee extension ROM L", ("2", "0", "1")),
        ("Knee flexion ROM R", ("138", "140", "142")),
        ("Range of Motion Knee Flexion Prone: L Max ROM", ("138", "140", "142")),
        ("Hip adduction L (°)", ("25", "28", "24")),
        ("Quads L (deg)", ("120", "130", "125")),
        ("Quad asymmetry (%)", ("5", "10", "8")),
        ("Quad LSI", ("95", "88", "99")),
        ("Hip drop L (%)", ("4", "5", "3")),
        ("Knee swelling L", ("1", "2", "1")),
    ],
)
def test_another_quantity_is_left_out_and_not_proposed(
    heading: str, cells: tuple[str, ...]
) -> None:
    column = column_of(heading, *cells)
    assert (column.means, column.proposal, column.applied) == (None, None, False)


@pytest.mark.parametrize("unit", ["kg", "lb", "N", "lbf"])
def test_a_force_at_the_ankle_asks_for_its_lever(unit: str) -> None:
    column = column_of(f"Quad L ({unit})", "50", "35", "42")
    assert (column.asks, column.applied, column.proposal) == ("lever_arm", False, None)
    assert column.from_unit == {"kg": "kgf", "lb": "lbf"}.get(unit, unit)


def test_a_record_is_no_athlete_where_another_column_names_them() -> None:
    content = b"recordId,athleteUuid,Age,Sex,Date\n77,aa,24,m,2025-01-02\n78,aa,24,m,2025-03-02\n"
    answer = recognise(content, SheetAsked())
    assert {row.athlete for row in answer.rows} == {"aa"}
    alone = recognise(content.replace(b"athleteUuid", b"colour"), SheetAsked())
    assert [row.athlete for row in alone.rows] == ["77", "78"]


def test_a_column_called_knee_with_codes_asks_which_leg_they_are() -> None:
    answer = recognise(b"ID,Age,Sex,KNEE,Hip drop\n1,24,m,1,5\n1,24,m,2,6\n", SheetAsked())
    [column] = [c for c in answer.columns if c.column == "KNEE"]
    assert (column.means, column.asks) == ("side", "words")
    assert [word.word for word in column.words or []] == ["1", "2"]
