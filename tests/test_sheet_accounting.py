"""Whatever a sheet holds, every line, column and cell of it is accounted for in the answer."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import given, settings
from hypothesis import strategies as st
from open_document_files import line, open_document
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter
from sheet_mutations import ODD_CELLS

from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.undescribed_sheet import recognise, recognise_files
from kneerisk.errors import CohortRefused

#: Names of columns with cells that suit them; others have no meaning here, or several.
POOL: dict[str, tuple[str, ...]] = {
    "Player": ("Amy", "Bea", "Max", "NA", "José Peña"),
    "Vorname": ("Mia", "Max"),
    "Date": ("2026-03-02", "03/04/2026", "1.2.26"),
    "Age": ("25", "31", "17"),
    "Sexo": ("H", "M", "F"),
    "Sex": ("m", "f", "1", "2"),
    "Side": ("L", "R", "1", "2"),
    "Weight": ("60", "165", "72,5"),
    "Height (ft)": ("5.11", "6.1", "5'9"),
    "KTW L (cm)": ("9.5", "10", "x"),
    "Knie-Wand re (cm)": ("9,5", "11"),
    "Quad strength L": ("5", "4", "3.1"),
    "Hip drop R": ("1", "0", "4.5"),
    "Weekly distance (m)": ("42,195", "38.500", "21000"),
    "Knee extension L (N)": ("520", "480"),
    "Red flags": ("none", "locked_knee", "?"),
    "Left knee before": ("never", "last season"),
    "Notes": ("see mail", "", "ok"),
    "": ("", "7"),
    "Total": ("", "3"),
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
#: A line that begins so is no athlete's, or may be none.
FIRST_CELLS = ("", "Total", "Max", "Mittelwert", "second team")


@st.composite
def files(draw: st.DrawFn) -> tuple[list[list[str]], bytes]:
    """A heading with lines below it, and the same as the bytes of a file."""
    names = draw(st.lists(st.sampled_from(sorted(POOL)), min_size=3, max_size=9))
    width = len(names)
    odd = st.sampled_from([cell for cell in ODD_CELLS if len(cell) < 200])
    lines = [list(names)]
    for _ in range(draw(st.integers(0, 6))):
        cells = [
            draw(st.one_of(st.sampled_from(POOL[name]), st.sampled_from(POOL[name]), odd))
            for name in names
        ]
        cells[0] = draw(st.one_of(st.just(cells[0]), st.sampled_from(FIRST_CELLS)))
        lines.append(cells[: draw(st.sampled_from((width, width, width - 1)))])
    if draw(st.booleans()):
        lines.insert(0, ["Tests of spring"])
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=draw(st.sampled_from(",;\t|"))).writerows(lines)
    encoding = draw(st.sampled_from(ENCODINGS))
    return lines, written.getvalue().encode(encoding, errors="replace")


def told_of_lines(answer: SheetAnswer) -> set[int]:
    """Every line that the answer has something to say of."""
    noted = {line for note in answer.notes for line in note.lines}
    return noted | {row.line for row in answer.rows} | set(answer.file.header_lines)


def unexplained(answer: SheetAnswer) -> list[Any]:
    """Columns and rows that are not used, and nothing says why."""
    columns = [c for c in answer.columns if not c.applied and not (c.why or c.question)]
    asked = any(c.question for c in answer.columns) or any(c.needed for c in answer.constants)
    rows = [
        row
        for row in answer.rows
        if (row.status == "bad" and not row.reasons)
        or (row.status == "waiting" and not asked)
        or (row.status == "joined" and row.into_line is None)
        or (row.status in {"ready", "earlier"} and row.screening is None)
    ]
    bad = [
        (row.line, cell.place)
        for row in answer.rows
        for cell in row.cells
        if cell.status == "bad" and cell.place not in {reason.place for reason in row.reasons}
    ]
    return [*columns, *rows, *bad]


@settings(max_examples=150, deadline=None)
@given(files())
def test_nothing_of_a_sheet_is_lost_silently(drawn: tuple[list[list[str]], bytes]) -> None:
    _, content = drawn
    try:
        answer = recognise(content)
    except CohortRefused:
        # It says what is wrong with the whole file.
        return
    places = [column.place for column in answer.columns]
    if answer.parts:
        # Put together from rows that are tests: its columns are those of the tidy table.
        return
    assert places == [get_column_letter(at) for at in range(1, len(places) + 1)]
    assert not unexplained(answer)
    lines = list(csv_lines(content, answer))
    below = [(number, cells) for number, cells in lines if number > answer.file.header_lines[-1]]
    assert {number for number, _ in lines} <= told_of_lines(answer)
    assert [row.line for row in answer.rows] == [number for number, _ in below]
    for row, (_, cells) in zip(answer.rows, below, strict=True):
        filled = {place for place, cell in zip(places, cells, strict=False) if cell}
        assert filled <= {cell.place for cell in row.cells}
        if any(cells[len(places) :]):
            assert row.status == "ignored" or "too_long" in {one.code for one in row.reasons}


def csv_lines(content: bytes, answer: SheetAnswer) -> list[tuple[int, list[str]]]:
    """The lines of a file with an entry, read by another reader."""
    encoding = {"utf-8": "utf-8-sig"}.get(answer.file.encoding or "", answer.file.encoding or "")
    text = content.decode(encoding).removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=answer.file.delimiter or ",")
    found, start = [], 1
    for row in reader:
        cells = [cell.strip().removeprefix("'") for cell in row]
        if any(cell.strip() for cell in row):
            found.append((start, cells))
        start = reader.line_num + 1
    return found


@settings(max_examples=30, deadline=None)
@given(files())
def test_an_open_document_accounts_for_as_much(drawn: tuple[list[list[str]], bytes]) -> None:
    lines, _ = drawn
    rows = "".join(line(*(escape(clean(cell)) for cell in cells)) for cells in lines)
    try:
        answer = recognise(open_document(rows))
    except CohortRefused:
        return
    if answer.parts:
        return
    assert not unexplained(answer)
    filled = {at for at, cells in enumerate(lines, start=1) if any(clean(c).strip() for c in cells)}
    assert filled <= told_of_lines(answer)


def clean(cell: str) -> str:
    """A text without what XML has no place for."""
    return ILLEGAL_CHARACTERS_RE.sub("", cell.encode(errors="ignore").decode()).replace("\r", "\n")


#: Rows of tests, of people and of sessions, some of them odd.
_NAMES = st.sampled_from(("Amy", "AMY ", "Bo", "Bo Lee", "", "x"))
_DAYS = st.sampled_from(("2026-03-02", "2026-03-09", "03/04/2026", "", "soon"))
_NUMBERS = st.sampled_from(("9.5", "10", "300", "", "n.a.", "x", "1,5"))
_FORMS: dict[str, tuple[str, tuple[st.SearchStrategy[str], ...]]] = {
    "people.csv": ("Name,Age,Sex", (_NAMES, st.sampled_from(("25", "31", "x")), st.just("f"))),
    "knees.csv": ("Name,Date,KTW L (cm),KTW R (cm)", (_NAMES, _DAYS, _NUMBERS, _NUMBERS)),
    "frame.csv": (
        "Name,Date,Test,Direction,Position,L Max Force (N),R Max Force (N)",
        (
            _NAMES, _DAYS, st.sampled_from(("Hip AD/AB", "Knee Ext/Flex", "odd", "")),
            st.sampled_from(("Squeeze", "Pull", "")), st.sampled_from(("Hip AD/AB - 0", "45", "")),
            _NUMBERS, _NUMBERS,
        ),
    ),
    "runs.csv": (
        "Name,Date,Sport,Distance (km)",
        (_NAMES, _DAYS, st.sampled_from(("Run", "Gym", "?")), _NUMBERS),
    ),
}  # fmt: skip


@st.composite
def squads(draw: st.DrawFn) -> dict[str, list[str]]:
    """Some files of one squad, by their names; the lines of each."""
    names = draw(st.lists(st.sampled_from(sorted(_FORMS)), min_size=2, max_size=4, unique=True))
    drawn = {}
    for name in names:
        heading, cells = _FORMS[name]
        rows = draw(st.lists(st.tuples(*cells), min_size=1, max_size=5))
        drawn[name] = [heading, *(",".join(f'"{cell}"' for cell in row) for row in rows)]
    return drawn


@settings(max_examples=40, deadline=None)
@given(squads())
def test_nothing_of_several_files_is_lost_silently(squad: dict[str, list[str]]) -> None:
    try:
        answer = recognise_files(
            [SquadFile(name, "\n".join(lines).encode()) for name, lines in squad.items()]
        )
    except CohortRefused:
        # It says which file is none.
        return
    assert [part.file for part in answer.parts] == list(squad)
    assert not unexplained(answer)
    told = [source for row in answer.rows for source in row.sources]
    told += [note.message for note in answer.notes]
    for name, lines in squad.items():
        own = {int(n) for text in told if name in text for n in re.findall(r"\b\d+\b", text)}
        # A row without a value says nothing that its athlete's other rows do not.
        filled = {at for at, row in enumerate(lines, start=1) if re.search(r'"\d[\d,.]*"', row)}
        assert filled - {1} <= own, (name, lines, told)


#: Rows of people, of tests and of sessions in one table.
_MIXED = ("Name", "Age", "Sex", "Date", "KTW L (cm)", "Sport", "Distance (km)", "Minutes")


@st.composite
def mixed_sheets(draw: st.DrawFn) -> list[list[str]]:
    """A squad's sheet in which a log lies: each line is a test, a session, both or neither."""
    lines = [list(_MIXED)]
    for _ in range(draw(st.integers(2, 8))):
        person = [draw(_NAMES), draw(st.sampled_from(("25", "", "x"))), draw(st.sampled_from("f"))]
        test = draw(_NUMBERS) if draw(st.booleans()) else ""
        session = [draw(st.sampled_from(("Run", "Gym", "?", ""))), draw(_NUMBERS), draw(_NUMBERS)]
        is_session = draw(st.booleans())
        lines.append([*person, draw(_DAYS), test, *(session if is_session else ["", "", ""])])
    return lines


@settings(max_examples=60, deadline=None)
@given(mixed_sheets())
def test_sessions_among_the_rows_of_a_sheet_are_accounted_for(lines: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(lines)
    try:
        answer = recognise(written.getvalue().encode())
    except CohortRefused:
        return
    assert not unexplained(answer)
    filled = {at for at, cells in enumerate(lines, start=1) if any(cells)}
    if not answer.parts:
        assert filled <= told_of_lines(answer)
        return
    told = [source for row in answer.rows for source in row.sources]
    told += [note.message for note in answer.notes]
    own = {int(n) for one in told for rows in re.findall(r"rows? ([\d, ]+)", one)
           for n in re.findall(r"\d+", rows)}  # fmt: skip
    assert filled - {1} <= own, told
