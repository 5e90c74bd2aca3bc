"""OpenDocument spreadsheets: read as Excel's are, within the same limits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from open_document_files import filled, line, of_kind, open_document

from kneerisk.cohort.sheets.club_cohort import ingest
from kneerisk.cohort.sheets.files.workbook import open_sheet, open_worksheets
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.errors import CohortRefused

HEAD = line("Name", "Date", "Age", "Sex", "KTW L (cm)", "KTW R (cm)")
AMY = line("Amy", of_kind("date", 'office:date-value="2026-03-02"', "02/03/26"), 25, "f", 9.5, 11)
GOOD = HEAD + AMY
MOMENT = datetime.fromisoformat("2026-03-02T10:05")
WITH_REMARK = (
    "<table:table-cell><office:annotation><text:p>see mail</text:p></office:annotation>"
    "<draw:frame><text:p>a box</text:p></draw:frame><text:p>ok</text:p></table:table-cell>"
)


def cells_of(*rows: str) -> list[list[Any]]:
    """The cells of one worksheet."""
    return [cells for _, cells in open_sheet(open_document("".join(rows))).lines]


def ages(answer: SheetAnswer) -> list[Any]:
    return [row.screening["athlete"]["age_years"] for row in answer.rows if row.screening]


def test_it_is_read_to_a_screening_and_to_a_cohort(tmp_path: Path) -> None:
    content = open_document(GOOD)
    answer = recognise(content)
    assert answer.file.kind == "ods"
    assert answer.rows[0].date == "2026-03-02"
    screening = answer.rows[0].screening
    assert screening is not None
    assert screening["left"] == {"wblt_distance_cm": 9.5}
    (tmp_path / "club.ods").write_bytes(content)
    outcome = '[outcome]\nkind = "past_injury"\neither = { column = "Sex", values = { f = 1 } }\n'
    mapping = answer.mapping.replace('source = "..."', 'source = "a test"')
    (tmp_path / "club.toml").write_text(f"{mapping}{outcome}", "utf-8")
    frame = ingest(tmp_path / "club.ods", tmp_path / "club.toml").cohort.frame
    assert frame["left_wblt_distance_cm"].tolist() == [9.5]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (filled(12.5), 12.5),
        (of_kind("percentage", 'office:value="0.25"', "25%"), 0.25),
        (of_kind("currency", 'office:value="3"', "3 EUR"), 3),
        (of_kind("date", 'office:date-value="2026-03-02T10:05:00"'), MOMENT),
        (of_kind("time", 'office:time-value="PT05H30M00S"', "05:30"), "05:30:00"),
        (of_kind("boolean", 'office:boolean-value="true"', "WAHR"), "true"),
        (of_kind("float", 'table:formula="of:=[.A1]*2" office:value="7"', "7"), 7),
        (filled(None, 'table:formula="of:=NOW()"'), "=NOW()"),
        (of_kind("float", 'office:value="0" calcext:value-type="error"', "#DIV/0!"), "#DIV/0!"),
        (of_kind("float", 'office:value="1e999"', "huge"), "1e999"),
        (filled("a<text:s text:c='2'/>b<text:line-break/>c"), "a  b\nc"),
        ("<table:table-cell><text:p>a</text:p><text:p>b</text:p></table:table-cell>", "a\nb"),
        (filled('<text:a><text:span>Bo</text:span></text:a> Lee'), "Bo Lee"),
        (
            WITH_REMARK,
            "ok",
        ),
    ],
)  # fmt: skip
def test_a_cell_is_what_a_person_sees_in_it(cell: str, read: Any) -> None:
    found = cells_of(line("Name", "Value"), line("Amy", cell))
    assert found[1][1] == read
    assert type(found[1][1]) is type(read)


def test_what_is_said_to_be_repeated_is_read_so_often() -> None:
    twice = filled("f", 'table:number-columns-repeated="2"')
    found = open_sheet(
        open_document(
            line("Name", "Age", "Sex") + line(None, repeated=3) + line("x", twice, repeated=2)
        )
    ).lines
    assert found[1:] == [(5, ["x", "f", "f"]), (6, ["x", "f", "f"])]


def test_a_merged_cell_covers_what_is_below_it() -> None:
    covered = "<table:covered-table-cell><text:p>old</text:p></table:covered-table-cell>"
    wide = filled("Knee to wall", 'table:number-columns-spanned="2"')
    assert cells_of(line("Name", wide, covered, "Age"), AMY)[0] == [
        "Name",
        "Knee to wall",
        "",
        "Age",
    ]


def test_worksheets_that_nobody_sees_and_changes_that_are_tracked_are_passed_over() -> None:
    old = HEAD + line("Old", None, 70, "m", 1, 1)
    tracked = f"<table:tracked-changes><table:table>{old}</table:table></table:tracked-changes>"
    content = open_document(old, GOOD, names=["archive", "Squad"], hidden=[0], before=tracked)
    answer = recognise(content)
    assert (answer.file.sheet, ages(answer)) == ("Squad", [25])
    assert [opened.worksheet for opened in open_worksheets(content)] == ["Squad"]
    stated = open_sheet(content, worksheet="archive")
    assert stated.lines[1][1][0] == "Old"


def test_a_table_in_a_cell_is_none_of_the_sheet() -> None:
    inner = (
        f"<table:table-cell><table:table>{GOOD}</table:table><text:p>x</text:p></table:table-cell>"
    )
    assert cells_of(line("Name", inner), AMY)[0] == ["Name", "x"]


TOO_MUCH = {
    "rows": (GOOD + line("Amy", repeated=1_000_000), "more than 5,000 lines"),
    "columns": (GOOD + line(filled("x", 'table:number-columns-repeated="16384"')), "more than 200"),
    "many columns": (
        GOOD + line(filled("x", 'table:number-columns-repeated="9999999999"')),
        "more than 200",
    ),
    "cells": (
        GOOD + line(filled(1, 'table:number-columns-repeated="190"'), repeated=2_000),
        "300,000 cells",
    ),
    "characters": (GOOD + line("x" * 30_000, repeated=400), "10,000,000 characters"),
    "one cell": (GOOD + line("x" * 40_000), "32,767 characters"),
    "spaces": (GOOD + line(filled('<text:s text:c="2000000000"/>')), "32,767 characters"),
    "last row": (GOOD + line(None, repeated=2_000_000) + AMY, "beyond the last of Excel"),
    "tags in tags": (GOOD + "<a>" * 100 + "</a>" * 100, "cells"),
    "no number of times": (
        GOOD + line(filled("x", 'table:number-columns-repeated="x"')),
        "readable",
    ),
    "less than once": (GOOD + line(filled("x", 'table:number-columns-repeated="0"')), "readable"),
}


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_too_much_is_refused_with_the_limit(kind: str) -> None:
    rows, message = TOO_MUCH[kind]
    with pytest.raises(CohortRefused, match=message):
        recognise(open_document(rows))


def test_too_much_in_one_worksheet_leaves_the_others() -> None:
    bomb = HEAD + line("Bo", None, 30, "m", 8, 8, repeated=1_000_000)
    content = open_document(GOOD, bomb, names=["Squad", "Bomb"])
    assert ages(recognise(content)) == [25]
    with pytest.raises(CohortRefused, match="more than 5,000 lines"):
        open_sheet(content, worksheet="Bomb")


def test_worksheets_together_hold_no_more_than_one_may_be_looked_at() -> None:
    full = line(filled(1, 'table:number-columns-repeated="59"'), repeated=5_000)
    with pytest.raises(CohortRefused, match="1,000,000 cells"):
        recognise(open_document(*[full] * 5))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (open_document(GOOD, prefix='<!DOCTYPE a [<!ENTITY b "c">]>'), "not a readable"),
        (open_document(), "not a readable"),
        (open_document(GOOD)[:-200], "neither UTF-8 nor Windows text"),
        (
            open_document(GOOD, parts={"META-INF/manifest.xml": "<manifest:encryption-data/>"}),
            "locked with a password",
        ),
        (
            open_document(GOOD, parts={"mimetype": "application/vnd.oasis.opendocument.text"}),
            "text document",
        ),
        (b'<?xml version="1.0"?><office:document office:mimetype="x">', "in XML"),
    ],
)
def test_what_is_no_spreadsheet_says_what_it_is(content: bytes, message: str) -> None:
    with pytest.raises(CohortRefused, match=message):
        recognise(content)
