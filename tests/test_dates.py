"""The day that a cell shows, in whatever way a person, a form or a watch wrote it."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_one_reader import assert_the_same

from kneerisk.cohort.sheets.cells import cell_dates
from kneerisk.cohort.sheets.cells.cell_dates import date_forms, parse_day
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise

#: All of them 9 March 2025.
WRITTEN = (
    "2025-03-09", "2025-03-09T10:15:00Z", "2025-03-09T23:59:59.999Z", "2025-03-09T01:00+02:00",
    "2025-03-09 10:15", "2025-03-09 10:15:33.250", "2025/03/09 10:15:33 AM GMT+2", "20250309",
    "09.03.2025 10:15:33", "09.03.2025, 15:24:49", "9.3.2025 klo 22.36.55", "09.03.25 10:15",
    "Mar 9, 2025, 10:36:55 PM", "Mar 9, 2025, 10:36:55\u202fPM", "March 9, 2025", "9 March 2025",
    "9th of March 2025", "9-Mar-25", "09-MAR-2025 10:15", "9 Mar 25", "2025.03.09",
    "Sunday, March 9, 2025", "Sun Mar 09 2025 22:36:55 GMT+0100 (Central European Standard Time)",
    "Sun, 09 Mar 2025 22:36:55 GMT", "9 mars 2025 à 22:36:55", "9 mars 2025, 22h36",
    "9. März 2025", "9. Mär. 2025 um 10:15 Uhr", "So, 9. März 2025, 10:15",
    "9 mar 2025, 22:36:55",
    "9 de mar. de 2025 22:36:55", "9 de março de 2025", "domingo, 9 de marzo de 2025",
    "9 marzo 2025 alle 22:36", "9 mrt. 2025 22:36:55", "zondag 9 maart 2025",
    "9 mars 2025 kl. 22:36",
    "9. mar. 2025 22.36.55", "9. marts 2025 kl. 22.36", "9. maaliskuuta 2025 klo 22.36",
    "9 marca 2025, 22:36:55", "45725", "45725.4271", "1741517733", "1741517733000",
)  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_a_day_is_read_as_it_was_written(written: str) -> None:
    forms = date_forms([written, ""], None)
    assert forms.share == 1.0
    assert parse_day(written, forms.formats) == date(2025, 3, 9)


@pytest.mark.parametrize(
    "written",
    ["March", "9 Marchember 2025", "10:15", "2025-13-09T10:15:00Z", "32.03.2025 10:15", "", "99999",
     "9.3.", "2025-03-09 25 km", "T10:15", "9 de 2025", "1.5", "12", "7345", "Mar 2025"],
)  # fmt: skip
def test_what_is_no_day_is_not_read_as_one(written: str) -> None:
    forms = date_forms([written, "x"], None)
    assert parse_day(written, forms.formats) is None


def test_no_word_stands_for_two_months() -> None:
    months: dict[str, set[int]] = {}
    for row in cell_dates._calendar():
        for month in range(1, 13):
            for word in row[str(month)].split("|"):
                months.setdefault(cell_dates.fold(word), set()).add(month)
    assert [word for word, which in months.items() if len(which) > 1] == []
    assert len(cell_dates._calendar()) >= 11


def test_each_language_is_read_in_every_month() -> None:
    for row in cell_dates._calendar():
        for month in range(1, 13):
            for word in row[str(month)].split("|"):
                for written in (f"4 {word} 2024", f"4. {word}. 2024", f"4 de {word} de 2024 10:15"):
                    days = date_forms([written], None)
                    assert parse_day(written, days.formats) == date(2024, month, 4), written


def test_a_clock_does_not_settle_the_order_of_day_and_month() -> None:
    assert date_forms(["9/2/2024 10:15:33", "9/3/2024 10:15:33"], None).is_open
    settled = date_forms(["9/2/2024 10:15:33", "9/13/2024 10:15:33"], None)
    assert (settled.is_open, settled.formats) == (False, ["%m/%d/%Y"])


def test_a_year_of_birth_is_off_by_half_a_year_at_most() -> None:
    answer = recognise(b"Player,Date,Year of birth,Sex,SLR L\nA,2025-03-09,2003,f,70\n")
    assert [column.question for column in answer.columns] == [None] * 5
    assert answer.rows[0].screening is not None
    assert answer.rows[0].screening["athlete"]["age_years"] == 21
    # A year alone is no day of a test.
    assert date_forms(["2025", "2024"], None).share == 0.0


def test_days_of_excel_that_lost_their_format_are_days() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Player", "Date", "Age", "Sex", "SLR L"])
    sheet.append(["A", 45725, 25, "f", 70])
    sheet.append(["B", 45725.75, 25, "f", 70])
    content = io.BytesIO()
    book.save(content)
    answer = recognise(content.getvalue())
    assert [(row.status, row.date) for row in answer.rows] == [("ready", "2025-03-09")] * 2


FILES = {
    "iso": "Player,Date,DOB,Sex,SLR L,Outcome\nA,2025-03-09T10:15:00Z,2003-05-01T00:00:00,f,70,ok\n"
           "B,2025-03-10T23:30:00.000Z,2004-05-01T00:00:00,m,71,bad\n",
    "form": "Zeitstempel;Name;Alter;Geschlecht;SLR L;Outcome\n09.03.2025 10:15:33;A;21;w;70;ok\n"
            "19.03.2025 10:15:33;B;22;m;71;bad\n",
    "watch": 'Player,Date,Age,Sex,SLR L,Outcome\nA,"Mar 9, 2025, 10:36:55 PM",21,f,70,ok\n'
             'B,"9 de mar. de 2025 22:36:55",21,f,70,bad\nC,"09.03.2025, 15:24:49",21,m,70,ok\n',
    "numbers": "Player,Date,Jahrgang,Sex,SLR L,Outcome\nA,45725,2001,f,70,ok\n"
               "B,45725.5,1999,m,71,bad\n",
    "open order": "Player,Date,Age,Sex,SLR L,Outcome\nA,3/9/2025 10:15:33,21,f,70,ok\n"
                  "B,3/13/2025 9:15:33,22,m,71,bad\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_page_and_command_read_the_same_days(tmp_path: Path, name: str) -> None:
    content = FILES[name].encode()
    answer = recognise(content)
    assert [row.status for row in answer.rows] == ["ready"] * len(answer.rows)
    assert {row.date for row in answer.rows} <= {
        "2025-03-09",
        "2025-03-10",
        "2025-03-13",
        "2025-03-19",
    }
    assert_the_same(tmp_path, content)


def test_an_order_that_is_open_is_asked_once_and_answered() -> None:
    content = b"Player,Date,Age,Sex,SLR L\nA,3/9/2025 10:15:33,21,f,70\nB,3/10/2025 9:15,22,m,71\n"
    answer = recognise(content)
    asked = [column for column in answer.columns if column.question]
    assert [column.place for column in asked] == ["B"]
    stated = SheetAsked.model_validate({"columns": {"B": {"day_first": False}}})
    assert [row.date for row in recognise(content, stated).rows] == ["2025-03-09", "2025-03-10"]


#: Moments without a zone, as they are written.
_FIRST = datetime.fromisoformat("2001-01-01")
_LAST = datetime.fromisoformat("2049-12-31")


@given(st.datetimes(_FIRST, _LAST), st.sampled_from([0, 2, 11]))
def test_any_moment_is_read_as_its_day(moment: datetime, zone: int) -> None:
    for written in (
        f"{moment:%Y-%m-%dT%H:%M:%S}+{zone:02}:00",
        f"{moment:%d.%m.%Y, %H:%M:%S}",
        f"{moment:%b %d, %Y, %I:%M:%S %p}",
        f"{moment:%d %B %Y %H.%M}",
        str((moment.date() - date(1899, 12, 30)) / timedelta(days=1)),
    ):
        assert parse_day(written, date_forms([written], None).formats) == moment.date(), written


def test_long_text_is_no_day_and_takes_no_time() -> None:
    assert date_forms(["9 " * 20_000, "T1" * 10_000, "(" * 30_000], None).share == 0.0
