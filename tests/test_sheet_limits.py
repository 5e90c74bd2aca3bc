"""A sheet that is too much of anything is refused while it is read, with the limit."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import pytest
from excel_files import STYLES, cell, excel_file, row

from kneerisk.cohort.sheets.cells import cell_dates
from kneerisk.cohort.sheets.columns import column_names, own_legs
from kneerisk.cohort.sheets.columns.column_names import LONGEST_NAME, read_name
from kneerisk.cohort.sheets.files import counted_archive as archives
from kneerisk.cohort.sheets.files.excel_file import ExcelFile
from kneerisk.cohort.sheets.files.sheet_limits import RECOGNISED
from kneerisk.cohort.sheets.lexicon import alike_words
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import AskRefused, SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise
from kneerisk.errors import CohortRefused

HEAD = row("Name", "Age", "Sex")
GOOD = HEAD + row("Amy", 25, "f")
CSV = b"Name,Age,Sex\nAmy,25,f\n"


def ages(answer: SheetAnswer) -> list[float]:
    return [line.screening["athlete"]["age_years"] for line in answer.rows if line.screening]


TOO_MUCH = {
    "lines": (CSV + b"Bea,26,f\n" * 6_000, "more than 5,000 lines"),
    "empty lines": (CSV + b"\n" * 1_100_000, "beyond the last of Excel"),
    "columns": (CSV + b"Bea,26,f" + b",x" * 300, "more than 200 cells"),
    "cells": (CSV + (b"B,2,f" + b",x" * 97 + b"\n") * 4_000, "more than 300,000 cells"),
    "a cell": (CSV + b"B" * 40_000 + b",2,f\n", "line 3 has a cell of more than 32,767"),
    "a quoted cell": (CSV + b'"' + b"B" * 200_000 + b'",2,f\n', "it is not delimited text"),
    "a text that all cells share": (
        excel_file(
            GOOD + (cell("0", kind="s") * 100).join(("<row>", "</row>")) * 200,
            shared=f"<si><t>{'x' * 20_000}</t></si>",
        ),
        "more than 10,000,000 characters",
    ),
    "texts that cells share": (
        excel_file(GOOD + f"<row>{cell('1', kind='s')}</row>", shared="<si/>" * 1_100_000),
        "more than 1,000,000 texts",
    ),
    "empty cells": (excel_file(GOOD + f"<row>{'<c/>' * 10_000}</row>" * 110), "1,000,000 cells"),
    "empty rows": (excel_file(GOOD + "<row/>" * 1_100_000), "beyond the last of Excel"),
    "tags in tags": (excel_file(GOOD + "<a>" * 100 + "</a>" * 100), "cells"),
    "worksheets": (excel_file(*[""] * 600, GOOD), "more than 500 worksheets"),
    "files": (excel_file(*[""] * 2_000, GOOD), "more than 2,000 files"),
    "one long tag": (
        excel_file(GOOD + f'<row a="{"x" * 3_000_000}"/>'),
        "not a readable Excel",
    ),
    "entities": (excel_file(GOOD, prefix='<!DOCTYPE a [<!ENTITY b "c">]>'), "not a readable Excel"),
}


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_too_much_is_refused_with_the_limit(kind: str) -> None:
    content, message = TOO_MUCH[kind]
    assert len(content) < 5_000_000
    with pytest.raises(CohortRefused, match=message):
        recognise(content)


@pytest.mark.parametrize(
    "content",
    [
        excel_file(GOOD + "<a/>" * 40_000),
        excel_file(GOOD, styles=STYLES.replace("<xf", "<xf/>" * 40_000 + "<xf", 1)),
        excel_file(*["<a/>" * 100] * 400, GOOD),
    ],
)
def test_elements_of_all_parts_count_together(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_ELEMENTS_A_CELL", 0.03)
    with pytest.raises(CohortRefused, match="more than 1,000,000 cells, empty ones included"):
        recognise(content)


def test_an_archive_is_unpacked_no_further_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An archive states its sizes, and may state them wrong: the bytes count that come out of it.
    monkeypatch.setattr(archives, "MOST_UNPACKED_BYTES", 1_000_000)
    monkeypatch.setattr(ExcelFile, "_check_directory", lambda _: None)
    file = ExcelFile(excel_file(GOOD + " " * 10_000_000), RECOGNISED)
    with pytest.raises(CohortRefused, match="unpacks to more than 1,000,000 bytes"):
        file.lines(file.worksheets[0])
    assert file._unpacked < 1_200_000


def test_only_what_can_be_unpacked_piece_by_piece_is_read() -> None:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(excel_file(GOOD))) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(CohortRefused, match="not a readable Excel"):
        recognise(packed.getvalue())


def test_unused_texts_are_passed_over() -> None:
    shared = "<si><t>Name</t></si>" + "<si><t>unused</t></si>" * 50_000
    head = f"<row>{cell('0', kind='s')}{cell('Age')}{cell('Sex')}</row>"
    assert ages(recognise(excel_file(head + row("Amy", 25, "f"), shared=shared))) == [25]


@pytest.mark.parametrize("mark", ["(", "_", "a ", "_a", "[", "in ", "ä", "{}", "cm,"])
def test_a_heading_of_any_length_is_read(mark: str) -> None:
    content = f'Name,Age,Sex,"{mark * 8_000}"\nAmy,25,f,1\nBea,26,f,2\n'.encode()
    assert ages(recognise(content)) == [25, 26]


def test_a_paragraph_says_nothing() -> None:
    assert read_name("weight (kg) " * 100).matches == ()
    assert read_name("Body mass (kg)").matches


def test_what_is_remembered_of_headings_is_bounded() -> None:
    for number in range(3_000):
        read_name(f"name{number} of{number}")
        read_name(f"{number}" * LONGEST_NAME)
    for remembered in (column_names._read_name, alike_words._alike_short_word, own_legs._found):
        info = remembered.cache_info()
        assert info.maxsize is not None
        assert info.currsize <= info.maxsize <= 4_000


def test_unknown_names_are_compared_with_few_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    # Letter by letter, which is what costs time, only with words of nearly the same letters.
    calls: list[tuple[str, str]] = []
    alike = alike_words._alike

    def counted(word: str, other: str) -> float:
        calls.append((word, other))
        return alike(word, other)

    monkeypatch.setattr(alike_words, "_alike", counted)
    alike_words._alike_short_word.cache_clear()
    words = [f"{a}{b}ubric{c}t" for a in "bdfg" for b in "aeou" for c in "aeiou"]
    for word in words:
        read_name(f"{word} of the day")
    assert len(calls) < 40 * len(words)


@pytest.mark.parametrize("serial", [-1, 2_958_466, 1e10, 1e300])
def test_a_number_that_is_no_day_is_a_bad_cell_with_a_note(
    serial: float, recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]
) -> None:
    head = row("Name", "Age", "Sex", "Date")
    good = f"<row>{cell('Amy')}{cell(25)}{cell('f')}{cell(46_083, style=1)}</row>"
    bad = f"<row>{cell('Bea')}{cell(26)}{cell('f')}{cell(serial, style=1)}</row>"
    answer = recognise(excel_file(head + good + bad))
    # The cell is lost, not the athlete.
    assert ages(answer) == [25, 26]
    assert [(reason.place, reason.code) for reason in answer.rows[1].reasons] == [
        ("D", "not_a_date")
    ]
    (note,) = [note for note in answer.notes if note.code == "no_dates"]
    assert (note.lines, note.message[-4:]) == ([3], " D3.")
    # What a library has to say of it would name the value.
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")


def test_a_time_of_day_and_a_duration_are_texts() -> None:
    head = row("Name", "Age", "Sex", "Pace", "SLR L")
    cells = cell("Amy") + cell(25) + cell("f") + cell(0.3125, style=2) + cell(1.25, style=3)
    answer = recognise(excel_file(head + f"<row>{cells}</row>"))
    assert [entry.shown for entry in answer.rows[0].cells][3:] == ["07:30:00", "30:00:00"]


def test_a_formula_s_result_counts_even_if_it_is_empty() -> None:
    head = row("Name", "Age", "Sex", "SLR L")
    formula = '<c t="str"><f>IF(A2="","","")</f><v></v></c>'
    answer = recognise(excel_file(head + f"<row>{cell('A')}{cell(25)}{cell('f')}{formula}</row>"))
    assert ages(answer) == [25]


def test_the_first_worksheet_that_is_seen_is_read() -> None:
    hidden = HEAD + row("Old", 40, "m")
    answer = recognise(excel_file(hidden, "", GOOD, states=["hidden", "visible", "visible"]))
    assert (answer.file.sheet, ages(answer)) == ("S3", [25])


def test_a_side_s_word_that_is_no_leg_is_refused() -> None:
    stated = SheetAsked.model_validate(
        {"columns": {"B": {"means": "side", "words": {"x": "neither", "y": "left", "z": ""}}}}
    )
    with pytest.raises(AskRefused) as refused:
        recognise(b"Name,Leg,Age,Sex,SLR\nA,x,25,f,70\nA,y,25,f,71\n", stated)
    assert [(fault.pointer, fault.allowed) for fault in refused.value.faults] == [
        ("/columns/B/words/x", "left, right or both"),
        ("/columns/B/words/z", "left, right or both"),
    ]


@pytest.mark.parametrize(
    "form", [*cell_dates._CLEAR_FORMS, "%d.%m.%Y", "%m/%d/%y", "%d%m%Y", "%j %Y"]
)
def test_a_date_is_read_as_strptime_reads_it(form: str) -> None:
    names = ("Mar", "MARCH", "Sept", "May", "3", "03", "13", "0")
    texts = {
        text
        for day in ("3", "03", "31", "32", "0", " 3", "٣")
        for month in names
        for year in ("2024", "24", "0000", "9999", "69", "2024 ")
        for text in (f"{day}.{month}.{year}", f"{year}-{month}-{day}", f"{month}/{day}/{year}",
                     f"{day} {month}  {year}", f"{month} {day}, {year}", f"{day}-{month}-{year}",
                     f"{year}-{month}-{day} 23:59:60", f"{year}/{month}/{day}",
                     f"{day}{month}{year}")
    }  # fmt: skip
    for text in texts:
        try:
            wanted = datetime.strptime(text, form).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            wanted = None
        assert cell_dates._parsed_day(text, form) == wanted, (text, form)


def test_dates_are_not_tried_by_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    # An error for each format of each cell, and a format that is compiled anew each time.
    monkeypatch.setattr(cell_dates, "datetime", None)
    texts = [f"{1 + at % 28}/{1 + at % 12}/{2000 + at % 30}" for at in range(500)]
    assert cell_dates.date_forms(texts, None).share == 1.0
